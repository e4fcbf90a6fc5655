"""
The companies of the documentation's examples, which exist: public facts about them, rounded.
"""

from typing import Final, NamedTuple


class Example(NamedTuple):
    """
    Facts about a company that exists.

    `revenue` is in the currency of the country, `growth` that of the revenue in percent; `region` is a two-letter code
    in the US. `ticker` is None for companies that are not listed, subsidiaries included.
    """

    name: str
    industry: str
    employees: int
    revenue: int
    growth: float
    founded: int
    city: str
    region: str
    country_code: str
    ticker: str | None
    exchange: str | None
    monthly_visits: int
    sells_online: bool


# fmt: off
EXAMPLES: Final = {
    "costco.com": Example("Costco Wholesale", "Warehouse clubs", 289_000, 275_000_000_000, 8.2, 1983,
        "Issaquah", "WA", "US", "COST", "NASDAQ", 15_000_000, sells_online=True),
    "walmart.com": Example("Walmart", "General merchandise retail", 2_100_000, 681_000_000_000, 5.1, 1962,
        "Bentonville", "AR", "US", "WMT", "NASDAQ", 400_000_000, sells_online=True),
    "target.com": Example("Target", "Department stores", 440_000, 107_000_000_000, -0.8, 1902,
        "Minneapolis", "MN", "US", "TGT", "NYSE", 170_000_000, sells_online=True),
    "mercedes-benz.com": Example("Mercedes-Benz Group", "Car manufacturing", 175_000, 146_000_000_000, -4.5, 1926,
        "Stuttgart", "Baden-Württemberg", "DE", "MBG", "XETRA", 5_000_000, sells_online=False),
    "marks.com": Example("Mark's", "Apparel retail", 6_000, 1_500_000_000, 1.0, 1977,
        "Calgary", "Alberta", "CA", None, None, 3_000_000, sells_online=True),
    "infiniti.com": Example("Infiniti", "Car manufacturing", 3_000, 500_000_000_000, -5.0, 1989,
        "Yokohama", "Kanagawa", "JP", None, None, 300_000, sells_online=False),
    "allianz.com": Example("Allianz", "Property insurance", 157_000, 180_000_000_000, 11.0, 1890,
        "Munich", "Bavaria", "DE", "ALV", "XETRA", 1_500_000, sells_online=False),
    "chevrolet.com.mx": Example("Chevrolet México", "Car manufacturing", 25_000, 300_000_000_000, 3.0, 1935,
        "Mexico City", "Mexico City", "MX", None, None, 1_500_000, sells_online=False),
    "getuniti.com": Example("Uniti AI", "Software publishing", 50, 6_000_000, 35.0, 2023,
        "New York", "NY", "US", None, None, 12_000, sells_online=False),
}
"By domain."
# fmt: on
