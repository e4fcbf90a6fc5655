"""
The cities, countries, exchanges and currencies of simulated companies.
"""

from typing import Final, NamedTuple


class StockMarket(NamedTuple):
    """A country, its currency (ISO 4217) and its stock exchanges, all of which trade in this currency."""

    country: str
    currency: str
    exchanges: tuple[str, ...]


# fmt: off
COUNTRIES: Final = {
    "US": StockMarket("United States",  "USD", ("NASDAQ", "NYSE")),
    "CA": StockMarket("Canada",         "CAD", ("TSX",)),
    "GB": StockMarket("United Kingdom", "GBP", ("LSE",)),
    "IE": StockMarket("Ireland",        "EUR", ("Euronext Dublin",)),
    "DE": StockMarket("Germany",        "EUR", ("XETRA",)),
    "FR": StockMarket("France",         "EUR", ("Euronext Paris",)),
    "NL": StockMarket("Netherlands",    "EUR", ("Euronext Amsterdam",)),
    "ES": StockMarket("Spain",          "EUR", ("BME",)),
    "IT": StockMarket("Italy",          "EUR", ("Euronext Milan",)),
    "CH": StockMarket("Switzerland",    "CHF", ("SIX",)),
    "SE": StockMarket("Sweden",         "SEK", ("Nasdaq Stockholm",)),
    "JP": StockMarket("Japan",          "JPY", ("TSE",)),
    "AU": StockMarket("Australia",      "AUD", ("ASX",)),
    "SG": StockMarket("Singapore",      "SGD", ("SGX",)),
    "IN": StockMarket("India",          "INR", ("NSE",)),
    "BR": StockMarket("Brazil",         "BRL", ("B3",)),
    "MX": StockMarket("Mexico",         "MXN", ("BMV",)),
}
"By ISO 3166-1 alpha-2 code."

CITIES: Final = (
    ("New York", "NY", "US"),           ("San Francisco", "CA", "US"),       ("Seattle", "WA", "US"),
    ("Austin", "TX", "US"),             ("Chicago", "IL", "US"),             ("Boston", "MA", "US"),
    ("Atlanta", "GA", "US"),            ("Denver", "CO", "US"),              ("Minneapolis", "MN", "US"),
    ("Columbus", "OH", "US"),           ("Charlotte", "NC", "US"),           ("Phoenix", "AZ", "US"),
    ("Toronto", "Ontario", "CA"),       ("Vancouver", "British Columbia", "CA"), ("Montreal", "Quebec", "CA"),
    ("London", "England", "GB"),        ("Manchester", "England", "GB"),     ("Edinburgh", "Scotland", "GB"),
    ("Dublin", "Leinster", "IE"),       ("Munich", "Bavaria", "DE"),         ("Berlin", "Berlin", "DE"),
    ("Hamburg", "Hamburg", "DE"),       ("Stuttgart", "Baden-Württemberg", "DE"), ("Paris", "Île-de-France", "FR"),
    ("Lyon", "Auvergne-Rhône-Alpes", "FR"), ("Amsterdam", "North Holland", "NL"), ("Madrid", "Madrid", "ES"),
    ("Barcelona", "Catalonia", "ES"),   ("Milan", "Lombardy", "IT"),         ("Zurich", "Zurich", "CH"),
    ("Stockholm", "Stockholm", "SE"),   ("Tokyo", "Tokyo", "JP"),            ("Osaka", "Osaka", "JP"),
    ("Sydney", "New South Wales", "AU"), ("Melbourne", "Victoria", "AU"),    ("Singapore", "Singapore", "SG"),
    ("Bengaluru", "Karnataka", "IN"),   ("Mumbai", "Maharashtra", "IN"),     ("São Paulo", "São Paulo", "BR"),
    ("Mexico City", "Mexico City", "MX"), ("Monterrey", "Nuevo León", "MX"),
)
"City, region and country code."
# fmt: on
