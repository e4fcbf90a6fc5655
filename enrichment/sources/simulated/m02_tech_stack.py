"""
Simulated tech stack.
"""

import math
from typing import Final

from enrichment.modules.answers import Technology, TechStack
from enrichment.sources.simulated.company import Company

# Products by category: those typical of large companies, then the others. All companies use the core categories, those
# that sell online also the shop categories; the larger the company, the more of the extra categories it uses.
# fmt: off
CORE: Final = {
    "CMS":                 ("Adobe AEM, Sitecore, Contentful, Drupal",   "WordPress, Webflow, Sanity, Storyblok"),
    "Frontend":            ("React, Angular, Next.js",                   "Vue.js, jQuery, Nuxt, Svelte, Alpine.js"),
    "Search":              ("Elasticsearch, Coveo, Algolia, Lucidworks", "Apache Solr, Klevu, Swiftype, Meilisearch"),
    "Analytics":           ("Adobe Analytics, Google Analytics, Heap",   "Google Analytics, Matomo, Plausible"),
    "Tag Manager":         ("Tealium, Adobe Launch, Ensighten",          "Google Tag Manager, Segment"),
    "CRM":                 ("Salesforce, Microsoft Dynamics 365",        "HubSpot CRM, Pipedrive, Zoho CRM"),
    "CDN":                 ("Akamai, Fastly, Amazon CloudFront",         "Cloudflare, Bunny CDN, KeyCDN"),
    "Hosting":             ("Amazon Web Services, Microsoft Azure",      "Vercel, Netlify, DigitalOcean, Hetzner"),
    "Email":               ("Microsoft 365, Proofpoint, Mimecast",       "Google Workspace, Zoho Mail, Fastmail"),
}
SHOP: Final = {
    "Ecommerce":           ("Salesforce Commerce Cloud, SAP Commerce",   "Shopify, WooCommerce, BigCommerce"),
    "Payments":            ("Adyen, Worldpay, CyberSource",              "Stripe, PayPal, Klarna, Mollie"),
}
EXTRA: Final = {
    "Marketing Automation":("Marketo, Eloqua, Braze, Iterable",          "HubSpot, Mailchimp, Klaviyo"),
    "Customer Support":    ("Zendesk, Genesys, ServiceNow",              "Intercom, Freshdesk, Help Scout, Crisp"),
    "A/B Testing":         ("Optimizely, SiteSpect, Kameleoon",          "VWO, AB Tasty, Convert"),
    "Consent":             ("OneTrust, TrustArc, Didomi",                "Cookiebot, Usercentrics, Osano"),
    "Database":            ("Oracle Database, Microsoft SQL Server",     "PostgreSQL, MySQL, MongoDB, MariaDB"),
    "Session Replay":      ("Contentsquare, FullStory, Quantum Metric",  "Hotjar, Microsoft Clarity, Mouseflow"),
    "Advertising":         ("The Trade Desk, Criteo, Campaign Manager",  "Google Ads, Meta Pixel, LinkedIn Insight"),
    "Monitoring":          ("Datadog, Dynatrace, New Relic, Splunk",     "Sentry, Grafana, Prometheus"),
    "Identity":            ("Okta, Microsoft Entra ID, Ping Identity",   "Auth0, Keycloak, Clerk"),
    "Security":            ("Imperva, DataDome, HUMAN",                  "reCAPTCHA, hCaptcha, Sucuri"),
    "Video":               ("Brightcove, Kaltura, JW Player",            "YouTube, Vimeo, Wistia"),
    "Data Warehouse":      ("Snowflake, Databricks, Teradata",           "BigQuery, Amazon Redshift, ClickHouse"),
}
SHOP_EXTRA: Final = {
    "Personalization":     ("Adobe Target, Dynamic Yield, Monetate",      "Nosto, Barilliance, Clerk.io"),
    "Reviews":             ("Bazaarvoice, PowerReviews",                 "Trustpilot, Yotpo, Judge.me"),
}

# fmt: on

ONLINE_SHOP: Final = "an online shop"
REQUIRED: Final = {"WooCommerce": "WordPress", "Judge.me": "Shopify", "Klevu": ONLINE_SHOP}
"What has to be there for a product to be used."

FIXED_STACKS: Final = {
    "costco.com": TechStack(
        technologies=(
            Technology(name="Adobe AEM", category="CMS"),
            Technology(name="React", category="Frontend"),
            Technology(name="Elasticsearch", category="Search"),
        )
    )
}
"By domain."


def simulate(company: Company) -> TechStack:
    """Return one product for each category that a company of this size and kind uses."""
    if stack := FIXED_STACKS.get(company.domain):
        return stack
    rng = company.rng("m02")
    size = min(1.0, math.log10(company.employees) / 5)
    used, optional, present = CORE, EXTRA, set[str]()
    if company.sells_online:
        used, optional, present = CORE | SHOP, EXTRA | SHOP_EXTRA, {ONLINE_SHOP}
    chosen = rng.sample(list(optional.items()), k=round(len(optional) * size * rng.uniform(0.4, 1.0)))
    technologies = []
    for category, (enterprise, common) in [*used.items(), *chosen]:
        products = enterprise if rng.random() < size else common
        name = rng.choice([name for name in products.split(", ") if _is_usable(name, present)])
        present.add(name)
        technologies.append(Technology(name=name, category=category))
    return TechStack(technologies=tuple(technologies))


def _is_usable(name: str, present: set[str]) -> bool:
    return name not in REQUIRED or REQUIRED[name] in present
