"""
A year's revenue in the text of a page, as a listed company reports it.

Only sentences of a plain form count, such as `Revenue for fiscal 2025 was $1.2 billion`: about the whole year, about
all of the company, and about the past. What is said otherwise is not read, since a wrong figure is worse than none.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from enrichment.sources.company_names import is_mentioned

MAX_TEXT: Final = 300_000
MAX_SENTENCE: Final = 600
MAX_YEARS_AGO: Final = 3
NEAR: Final = 100
"Characters before the symbol of a share in which the company is named."

# fmt: off
SENTENCE_END: Final = re.compile(r"(?<=[a-z0-9)%])[.!?](?=\s+[A-Z\"\u201c])|\n")
EXCHANGES: Final = {
    "USD": r"NYSE(?: American| Arca)?|Nasdaq(?:GS|GM|CM)?|NASDAQ(?:GS|GM|CM)?|OTCQX|OTCQB",
    "":    r"LSE|AIM|TSX(?:V|-V)?|ASX|NZX|SIX|XETRA|Xetra|FWB|FSE|Euronext(?: [A-Z][a-z]{2,12})?|TSE|TYO|HKEX|SEHK|SGX"
           r"|JSE|BSE|NSE|BME|B3|KRX|Nasdaq (?:Stockholm|Helsinki|Copenhagen|Oslo)|OSE|BIT|WSE|TASE",
}
"Patterns of stock exchanges, by the currency that `$` stands for in reports of companies that are listed there."
LISTED: Final = {
    currency: re.compile(rf"\((?:[A-Za-z]{{2,12}}[:;,] ?[A-Z0-9.]{{1,8}}[;,] ?)?(?:{names}) ?: ?[A-Z0-9.-]{{1,10}}\b")
    for currency, names in EXCHANGES.items()
}
SUBJECT: Final = re.compile(
    r"(?<![\w-])(?:(?:total|annual|consolidated|group|net|full[- ]year|record|our|its|the company's)\s+){0,3}"
    r"(?:revenues?|net sales|sales|turnover)\b",
    re.IGNORECASE,
)
AMOUNT: Final = re.compile(
    r"(?P<currency>US\$|USD|\$|EUR|\u20ac|GBP|\u00a3|CHF|SEK|NOK|DKK|CAD|C\$|AUD|A\$|JPY|INR)\s?"
    r"(?P<number>\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,3})?|\d{1,6}(?:\.\d{1,3})?)\s?"
    r"(?P<scale>billion|bn|million|mn|m|b)\b(?![,.]\d)",
    re.IGNORECASE,
)
BETWEEN: Final = re.compile(
    r"(?:\s(?:for|in|during)\s(?:the\s)?[\w ,-]{3,60}?)?,?\s(?:of|was|were|reached|totall?ed|amounted to|came in at"
    r"|(?:rose|grew|increased|climbed|fell|declined|decreased|was up|were up|was down|were down)"
    r"(?:\sby)?\s\d{1,3}(?:\.\d{1,2})?\s?(?:%|percent)(?:\s(?:year[- ]over[- ]year|organically))?\sto)"
    r"(?:\sa record)?\s",
    re.IGNORECASE,
)
"What stands between the word for revenue and the amount."
YEAR: Final = re.compile(
    r"(?:(?:fiscal|financial)(?: year)?|full[- ]year|FY)\s?(20\d\d)\b"
    r"|(?:years?|twelve months|12 months) end(?:ed|ing) (?:[A-Z][a-z]{2,8} \d{1,2},? |\d{1,2} [A-Z][a-z]{2,8} )?"
    r"(20\d\d)\b"
    r"|\b(20\d\d) (?:annual |full[- ]year |fiscal year |total |net )?(?:revenue|net sales|sales|turnover)"
    r"|\bin (20\d\d)\b",
    re.IGNORECASE,
)
COMPARED: Final = re.compile(
    r",?\s(?:compared|versus|vs\b|against|up from|down from|from|than|while|whereas)\b", re.IGNORECASE
)
"Where the figures of another year begin."
NOT_REPORTED: Final = re.compile(
    r"quarter|\bQ[1-4]\b|\bhalf\b|\bH[12]\b|months\b(?<!twelve months)(?<!12 months)|interim|trailing|run[- ]rate"
    r"|recurring|expect|guidance|outlook|forecast|project|target|estimat|anticipat|\bwill\b|could|would|\bmay\b|should"
    r"|\bplan|\bgoal|\baim|approximately|about|nearly|almost|more than|over \$|pro forma|adjusted|segment|division"
    r"|acqui|merge|combined",
    re.IGNORECASE,
)
"Words of sentences about parts of a year or of a company, about the future, and about what is not exact."
BEFORE_SUBJECT: Final = re.compile(
    r"(?:^|[,:;(]|\b(?:reported|reports|announced|posted|generated|achieved|with|had|and|that|20\d\d|year|its|our|the))\s*$",
    re.IGNORECASE,
)
"What may stand before the word for revenue: else it is that of a product or a region."
CURRENCIES: Final = {"US$": "USD", "\u20ac": "EUR", "\u00a3": "GBP", "C$": "CAD", "A$": "AUD"}
SCALES: Final = {"b": 10**9, "m": 10**6}
# fmt: on


class Revenue(NamedTuple):
    """The revenue of a fiscal year, in whole units of the currency."""

    fiscal_year: int
    currency: str
    amount: int


def annual_revenues(text: str, name: str, this_year: int, *, is_own: bool) -> list[Revenue]:
    """
    Return the revenues that a page reports for the company, if it also names the exchange that lists it.

    On other websites than its own, a sentence has to name the company.
    """
    beginning = text[:MAX_TEXT]
    dollar = _dollar(beginning, name)
    if dollar is None:
        return []
    found = (
        revenue
        for sentence in SENTENCE_END.split(beginning)
        if len(sentence) <= MAX_SENTENCE and (is_own or is_mentioned(name, sentence))
        for revenue in _revenues_in(sentence, dollar)
    )
    return [revenue for revenue in found if this_year - MAX_YEARS_AGO <= revenue.fiscal_year <= this_year]


def _dollar(text: str, name: str) -> str | None:
    """The currency of `$`, empty if that is not sure; None if no exchange is named after the company."""
    for currency, pattern in LISTED.items():
        for match in pattern.finditer(text):
            if is_mentioned(name, text[max(0, match.start() - NEAR) : match.start()]):
                return currency
    return None


def _revenues_in(sentence: str, dollar: str) -> Iterator[Revenue]:
    """The revenue in a sentence, if it has just one year and amount before those that it compares them with."""
    head = COMPARED.split(sentence, maxsplit=1)[0]
    years = {year for groups in YEAR.findall(head) for year in groups if year}
    if len(years) != 1 or NOT_REPORTED.search(head):
        return
    for subject in SUBJECT.finditer(head):
        between = BETWEEN.match(head, subject.end())
        amount = AMOUNT.match(head, between.end()) if between else None
        if amount and BEFORE_SUBJECT.search(head[: subject.start()]):
            symbol = amount["currency"].upper()
            currency = dollar if symbol == "$" else CURRENCIES.get(symbol, symbol)
            number = Decimal(amount["number"].replace(",", "")) * SCALES[amount["scale"][0].lower()]
            if currency:
                yield Revenue(int(years.pop()), currency, int(number))
            return
