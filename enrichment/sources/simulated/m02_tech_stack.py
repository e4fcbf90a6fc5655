"""
Which technologies a company's site runs on.
"""

import math
from typing import Final

from enrichment.modules.answers import Technology, TechStack
from enrichment.sources.simulated.company import COSTCO, Profile

# By category, the products that large companies tend to buy, and the others. Everybody has the core, who sells online
# the shop as well; of the extra it is the more the larger they are.
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
    "A/B Testing":         ("Optimizely, Adobe Target, Kameleoon",       "VWO, AB Tasty, Convert"),
    "Consent":             ("OneTrust, TrustArc, Didomi",                "Cookiebot, Usercentrics, Osano"),
    "Personalization":     ("Dynamic Yield, Monetate, Bloomreach",       "Nosto, Barilliance, Clerk.io"),
    "Database":            ("Oracle Database, Microsoft SQL Server",     "PostgreSQL, MySQL, MongoDB, MariaDB"),
    "Session Replay":      ("Contentsquare, FullStory, Quantum Metric",  "Hotjar, Microsoft Clarity, Mouseflow"),
    "Advertising":         ("The Trade Desk, Criteo, Campaign Manager",  "Google Ads, Meta Pixel, LinkedIn Insight"),
    "Monitoring":          ("Datadog, Dynatrace, New Relic, Splunk",     "Sentry, Grafana, Prometheus"),
    "Reviews":             ("Bazaarvoice, PowerReviews",                 "Trustpilot, Yotpo, Judge.me"),
    "Identity":            ("Okta, Microsoft Entra ID, Ping Identity",   "Auth0, Keycloak, Clerk"),
    "Security":            ("Imperva, DataDome, HUMAN",                  "reCAPTCHA, hCaptcha, Sucuri"),
    "Video":               ("Brightcove, Kaltura, JW Player",            "YouTube, Vimeo, Wistia"),
    "Data Warehouse":      ("Snowflake, Databricks, Teradata",           "BigQuery, Amazon Redshift, ClickHouse"),
}
# fmt: on


COSTCO_STACK: Final = TechStack(
    technologies=(
        Technology(name="Adobe AEM", category="CMS"),
        Technology(name="React", category="Frontend"),
        Technology(name="Elasticsearch", category="Search"),
    )
)


def simulate(profile: Profile) -> TechStack:
    """One product of each category that a company of this size and trade would have."""
    if profile.domain == COSTCO.domain:
        return COSTCO_STACK
    chance = profile.random("m02")
    size = min(1.0, math.log10(profile.employees) / 5)
    extra = chance.sample(list(EXTRA.items()), k=round(len(EXTRA) * size * chance.uniform(0.4, 1.0)))
    technologies = []
    for category, (enterprise, common) in [*CORE.items(), *(SHOP.items() if profile.sells_online else ()), *extra]:
        products = enterprise if chance.random() < size * 0.9 else common
        technologies.append(Technology(name=chance.choice(products.split(", ")), category=category))
    return TechStack(technologies=tuple(technologies))
