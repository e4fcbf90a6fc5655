"""
How Yahoo spells a share's symbol: the ticker of its exchange, with a suffix for the exchange.
"""

import re
from collections.abc import Iterable
from typing import Final, Protocol

# fmt: off
SUFFIXES: Final = {
    "": ("nasdaq", "nasdaq stock market", "nasdaq global select market", "new york stock exchange", "nyse",
         "nyse american", "nyse arca", "american stock exchange", "cboe", "cboe bzx exchange"),
    ".L": ("london stock exchange", "alternative investment market", "aim"),
    ".T": ("tokyo stock exchange",), ".HK": ("hong kong stock exchange", "hong kong exchanges and clearing"),
    ".SS": ("shanghai stock exchange",), ".SZ": ("shenzhen stock exchange",), ".TW": ("taiwan stock exchange",),
    ".KS": ("korea exchange",), ".SI": ("singapore exchange",), ".AX": ("australian securities exchange",),
    ".NZ": ("nzx", "new zealand exchange", "new zealand stock exchange"),
    ".NS": ("national stock exchange of india",), ".BO": ("bombay stock exchange", "bse"),
    ".TO": ("toronto stock exchange",), ".V": ("tsx venture exchange",),
    ".PA": ("euronext paris",), ".AS": ("euronext amsterdam",), ".BR": ("euronext brussels",),
    ".LS": ("euronext lisbon",), ".IR": ("euronext dublin", "irish stock exchange"),
    ".OL": ("oslo stock exchange", "oslo børs", "euronext oslo"),
    ".MI": ("borsa italiana", "italian stock exchange", "euronext milan"),
    ".MC": ("bolsa de madrid", "madrid stock exchange"),
    ".DE": ("xetra", "frankfurt stock exchange"), ".VI": ("vienna stock exchange", "wiener börse"),
    ".SW": ("six swiss exchange", "swiss exchange"), ".WA": ("warsaw stock exchange",),
    ".ST": ("nasdaq stockholm", "stockholm stock exchange"), ".HE": ("nasdaq helsinki", "helsinki stock exchange"),
    ".CO": ("nasdaq copenhagen", "copenhagen stock exchange"), ".PR": ("prague stock exchange",),
    ".AT": ("athens stock exchange", "athens exchange"), ".IS": ("borsa istanbul", "istanbul stock exchange"),
    ".TA": ("tel aviv stock exchange",), ".JO": ("jse limited", "johannesburg stock exchange", "jse"),
    ".SR": ("saudi exchange", "tadawul"), ".SA": ("b3", "b3 s.a."),
    ".MX": ("mexican stock exchange", "bolsa mexicana de valores"),
    ".JK": ("indonesia stock exchange",), ".BK": ("stock exchange of thailand",), ".KL": ("bursa malaysia",),
}
# fmt: on
SUFFIX_OF: Final = {name: suffix for suffix, names in SUFFIXES.items() for name in names}
"By the exchange's English name, in lower case."
TICKER: Final = re.compile(r"[A-Z0-9]{1,8}(?:-[A-Z0-9]{1,3})?", re.ASCII)


class Listing(Protocol):
    """An exchange, and a share's symbol there."""

    @property
    def exchange(self) -> str:
        """The exchange's English name."""

    @property
    def ticker(self) -> str:
        """The symbol."""


def symbol_of(ticker: str, exchange: str) -> str | None:
    """Return Yahoo's symbol, or None for an exchange whose suffix is not known."""
    suffix = SUFFIX_OF.get(exchange.strip().lower())
    ticker = ticker.rpartition(":")[2].strip().upper()
    if suffix is None:
        return None
    base = re.sub(r"[ ./]", "-", ticker.removesuffix(suffix).rstrip("."))
    if suffix == ".HK":
        base = base.zfill(4)
    return base + suffix if TICKER.fullmatch(base) else None


def first_symbol(listings: Iterable[Listing]) -> tuple[str, str] | None:
    """Return Yahoo's symbol for the first of the listings that can have one, and its exchange."""
    symbols = ((symbol_of(listing.ticker, listing.exchange), listing.exchange) for listing in listings)
    return next(((symbol, exchange) for symbol, exchange in symbols if symbol), None)
