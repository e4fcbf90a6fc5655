"""
The displacement playbook: products that could be replaced, their typical drawbacks, and the questions to ask.
"""

import functools
from typing import Final, NamedTuple

from enrichment.modules.answers import EventType
from enrichment.modules.evidence import words


class ProductCategory(NamedTuple):
    """A product category: the departments and themes that concern it, and the questions to ask about it."""

    departments: frozenset[str]
    themes: frozenset[str]
    questions: tuple[str, ...]


class Product(NamedTuple):
    """A product with its names, separated by commas, and its typical drawback, in a word and in detail."""

    category: str
    names: str
    drawback: str
    detail: str


# fmt: off
CATEGORIES: Final = {
    "Search": ProductCategory(
        frozenset({"engineering", "product", "data", "digital", "ecommerce"}),
        frozenset({"digital", "customer", "experience", "artificial", "personalization", "online"}),
        ("Who changes the ranking of results, and how long does a change take?",
         "How many searches return no results, and who reviews them?")),
    "Ecommerce": ProductCategory(
        frozenset({"engineering", "product", "digital", "ecommerce", "sales"}),
        frozenset({"digital", "online", "ordering", "booking", "growth", "customer"}),
        ("Which changes to the shop have to wait for a release?",
         "What does the platform cost per year, including partners and extensions?")),
    "CMS": ProductCategory(
        frozenset({"marketing", "engineering", "digital", "content"}),
        frozenset({"digital", "customer", "experience", "online", "channels"}),
        ("How long does a new page take from the idea to publication?",
         "Which version is in use, and when is the next upgrade due?")),
    "Personalization": ProductCategory(
        frozenset({"marketing", "data", "digital", "product"}),
        frozenset({"personalization", "loyalty", "experience", "customer"}),
        ("What share of visitors sees personalized content?", "How is its effect measured?")),
    "Marketing Automation": ProductCategory(
        frozenset({"marketing", "sales", "digital"}),
        frozenset({"loyalty", "retention", "growth", "customer"}),
        ("Which campaigns cannot be built without help?", "How does the price change with the number of contacts?")),
    "Analytics": ProductCategory(
        frozenset({"data", "marketing", "digital", "product"}),
        frozenset({"artificial", "growth", "margins", "digital"}),
        ("Which decisions wait for a report?", "Which teams trust the figures, and which keep their own?")),
    "CRM": ProductCategory(
        frozenset({"sales", "marketing", "service"}),
        frozenset({"customer", "client", "retention", "relationships"}),
        ("Which data do people keep outside of it, and why?", "Who can change a field, and how long does it take?")),
    "Customer Support": ProductCategory(
        frozenset({"service", "support", "operations"}),
        frozenset({"customer", "self", "service", "cost", "patient", "guest"}),
        ("Which questions come up most often?", "How many of them could the website answer?")),
}

# In order of preference: of the products in use, the first one here becomes the product to replace.
PLAYBOOK: Final = tuple(Product(*row) for row in (
    ("Search", "Elasticsearch, Elastic Search, OpenSearch", "effort",
        "in-house engineers have to maintain ranking, synonyms and the cluster"),
    ("Search", "Apache Solr, Solr", "effort", "each ranking change is a configuration change by specialists"),
    ("Search", "Oracle Endeca, Endeca", "rigidity", "it is a legacy product, and few specialists are left"),
    ("Search", "Google Programmable Search, Google Custom Search", "rigidity", "the site cannot control the ranking"),
    ("Search", "Swiftype, Elastic Site Search, Elastic App Search", "rigidity", "little can be tuned except weights"),
    ("Search", "Lucidworks", "cost", "it needs both a licence and an operations team"),
    ("Search", "Coveo", "cost", "the price grows with the queries, and the setup needs trained staff"),
    ("Search", "Algolia", "cost", "the price grows with records and requests"),
    ("Search", "Klevu, Searchspring", "poor relevance", "ranking is limited to the product feed"),
    ("Search", "Meilisearch, Typesense", "effort", "self-hosting includes scaling and failure recovery"),
    ("Ecommerce", "Oracle Commerce, Oracle ATG", "rigidity", "it is a legacy product, and each change is a project"),
    ("Ecommerce", "WebSphere Commerce, HCL Commerce", "rigidity", "upgrades are projects, and specialists are rare"),
    ("Ecommerce", "SAP Commerce, SAP Hybris, Hybris", "effort", "changes need specialists, and upgrades are projects"),
    ("Ecommerce", "Magento, Adobe Commerce", "effort", "extensions have to be updated with each security release"),
    ("Ecommerce", "Salesforce Commerce Cloud, Demandware", "cost", "the price is usually a share of sales"),
    ("Ecommerce", "WooCommerce", "effort", "speed and security depend on plug-ins from many vendors"),
    ("Ecommerce", "PrestaShop, Shopware", "effort", "plug-ins have to be updated with each version of the shop"),
    ("Ecommerce", "BigCommerce", "rigidity", "features that the platform lacks need workarounds"),
    ("Ecommerce", "Shopify", "rigidity", "features that the platform lacks need paid apps"),
    ("CMS", "Adobe AEM, Adobe Experience Manager, AEM", "cost", "both the licence and specialists are expensive"),
    ("CMS", "Sitecore", "cost", "the licence is expensive, and version upgrades are projects"),
    ("CMS", "Drupal", "effort", "major versions are migrations, for modules as well"),
    ("CMS", "Joomla, TYPO3", "effort", "extensions have to be updated with each version"),
    ("CMS", "WordPress", "effort", "speed and security depend on plug-ins from many vendors"),
    ("CMS", "Contentful", "cost",
        "the price grows with users and content, and the front end has to be built separately"),
    ("Personalization", "Adobe Target", "cost", "it pays off only with the rest of the suite"),
    ("Personalization", "Monetate, Dynamic Yield", "effort", "rules have to be written and maintained by hand"),
    ("Personalization", "Nosto, Barilliance, Clerk.io", "poor relevance", "it is limited to the product feed"),
    ("Marketing Automation", "Marketo, Adobe Marketo Engage", "effort", "campaigns need trained staff"),
    ("Marketing Automation", "Eloqua, Oracle Eloqua", "effort", "campaigns need trained staff"),
    ("Marketing Automation", "Salesforce Marketing Cloud, Pardot", "cost", "each channel needs its own licence"),
    ("Marketing Automation", "HubSpot, Mailchimp, Klaviyo", "cost", "the price grows with the contacts"),
    ("Analytics", "Adobe Analytics", "cost", "the price grows with traffic, and reports need trained staff"),
    ("Analytics", "Google Analytics", "rigidity", "long histories and raw data need other tools"),
    ("Analytics", "Matomo", "effort", "self-hosting includes scaling"),
    ("CRM", "Salesforce", "cost", "the price grows with seats and add-ons, and changes need administrators"),
    ("CRM", "Microsoft Dynamics 365, Microsoft Dynamics", "effort", "changes are usually made by partners"),
    ("CRM", "HubSpot CRM, Zoho CRM, Pipedrive", "rigidity", "anything beyond the standard is kept in other tools"),
    ("Customer Support", "ServiceNow, Genesys", "cost", "licence and staffing are sized for large enterprises"),
    ("Customer Support", "Zendesk, Freshdesk, Intercom", "cost", "the price grows with the number of agents"),
))
# fmt: on
PRODUCT_NAMES: Final = [(words(name), product) for product in PLAYBOOK for name in product.names.split(", ")]

EVENT_POINTS: Final[dict[EventType, str]] = {
    "funding": "New funding comes with plans; ask which of them involve the website.",
    "acquisition": "The systems of two companies have to be merged, so all of them are under review.",
    "expansion": "A new market has requirements that the current setup was not built for.",
    "leadership_change": "New leaders review decisions that they did not make.",
    "product_launch": "Customers have to be able to find the new product.",
    "restructuring": "Costs are under review, including software.",
    "earnings": "Results have just been published; refer to the reasons given for them.",
    "partnership": "Partners need integrations, which test what the current systems can do.",
}
"The talking point for each type of trigger event."


@functools.lru_cache(maxsize=4_096)
def find_product(name: str) -> Product | None:
    """Return the product that a detected name stands for: the earliest match in the name, and there the longest."""
    name_words = words(name)
    for start in range(len(name_words)):
        matches = [row for row in PRODUCT_NAMES if name_words[start : start + len(row[0])] == row[0]]
        if matches:
            return max(matches, key=lambda row: len(row[0]))[1]
    return None
