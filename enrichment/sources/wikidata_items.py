"""
The items of Wikidata, from the Action API, https://www.wikidata.org/w/api.php.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, TypeVar

import msgspec

from enrichment.sources.failures import AuthError, RateLimited, UpstreamError
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream

WIKIDATA_URL: Final = "https://www.wikidata.org"
REQUESTS_PER_SECOND: Final = 5.0
MAX_BYTES: Final = 8 * 1024 * 1024
"Of an answer: an item of a large company has some 300 kB, of a country several MB."

TIME: Final = re.compile(r"\+(\d{4})-(\d\d)-(\d\d)T", re.ASCII)
ITEM_URL: Final = re.compile(r"https?://www\.wikidata\.org/entity/(Q\d+)", re.ASCII)
ITEM_ID: Final = re.compile(r"Q[1-9]\d*", re.ASCII)
DAY_PRECISION: Final = 11
MAX_AMOUNT: Final = 1e18


class DataValue(msgspec.Struct):
    """The value of a snak; of what kind depends on the property."""

    value: Any = None


class Snak(msgspec.Struct):
    """A property with its value. If that is unknown or nothing, there is no `datavalue`."""

    datavalue: DataValue | None = None

    @property
    def value(self) -> Any:
        """The value, or None."""
        return self.datavalue.value if self.datavalue else None


# An empty object may be written as an empty array.
class Claim(msgspec.Struct):
    """A statement about an item."""

    mainsnak: Snak | None = None
    rank: str | None = "normal"
    qualifiers: dict[str, list[Snak]] | list[Any] | None = None

    @property
    def value(self) -> Any:
        """The value, or None."""
        return self.mainsnak.value if self.mainsnak else None

    def qualifier(self, name: str) -> Any:
        """Return the first value of a qualifier, or None."""
        snaks = self.qualifiers.get(name, []) if isinstance(self.qualifiers, dict) else []
        return next((snak.value for snak in snaks if snak.value is not None), None)

    @property
    def has_ended(self) -> bool:
        """Whether the statement has an end time (P582)."""
        return isinstance(self.qualifiers, dict) and "P582" in self.qualifiers


class Text(msgspec.Struct):
    """A label or a description."""

    value: str | None = None


class Moment(msgspec.Struct, frozen=True):
    """A date as exact as it is known: the year, or the year and the day."""

    year: int
    day: date | None = None

    def __str__(self) -> str:
        return self.day.isoformat() if self.day else str(self.year)


class Quantity(msgspec.Struct, frozen=True):
    """An amount at a date; `unit` is the id of an item, or None for a plain number."""

    amount: float
    unit: str | None
    at: Moment


class Item(msgspec.Struct):
    """An item, with its names in English."""

    labels: dict[str, Text] | list[Any] | None = None
    descriptions: dict[str, Text] | list[Any] | None = None
    claims: dict[str, list[Claim]] | list[Any] | None = None

    @property
    def label(self) -> str | None:
        """The name."""
        return _text(self.labels)

    @property
    def description(self) -> str | None:
        """The description, which tells it from other items of that name."""
        return _text(self.descriptions)

    def has(self, *properties: str) -> int:
        """Return how many of the properties the item has a statement with."""
        return sum(bool(self._claims(each)) for each in properties)

    def claims_of(self, name: str) -> list[Claim]:
        """Return the statements with a value that are not deprecated; those that are preferred first."""
        found = [claim for claim in self._claims(name) if claim.rank != "deprecated" and claim.value is not None]
        return sorted(found, key=lambda claim: claim.rank != "preferred")

    def best(self, name: str) -> list[Claim]:
        """Return the statements that hold now: those that are preferred, else all."""
        current = [claim for claim in self.claims_of(name) if not claim.has_ended]
        return [claim for claim in current if claim.rank == "preferred"] or current

    def strings(self, name: str) -> list[str]:
        """Return the values of a property whose values are text."""
        return [claim.value for claim in self.best(name) if isinstance(claim.value, str)]

    def items(self, name: str) -> list[str]:
        """Return the ids of the items that are a property's values."""
        return [item_id for claim in self.best(name) if (item_id := item_id_of(claim.value))]

    def moment(self, name: str) -> Moment | None:
        """Return the first value of a property whose values are dates."""
        return next((moment for claim in self.best(name) if (moment := _moment(claim.value))), None)

    def quantities(self, name: str) -> list[Quantity]:
        """Return the dated values of a property, the newest first."""
        found = [quantity for claim in self.best(name) if (quantity := _quantity(claim))]
        return sorted(found, key=lambda quantity: (quantity.at.year, str(quantity.at)), reverse=True)

    def _claims(self, name: str) -> list[Claim]:
        return self.claims.get(name, []) if isinstance(self.claims, dict) else []


class _Error(msgspec.Struct):
    """An error, sent with status 200."""

    code: str | None = None


class _Hit(msgspec.Struct):
    """A hit of a search in the text of pages, whose title is the id of an item."""

    title: str | None = None


class _SearchInfo(msgspec.Struct):
    """What is known of all hits together."""

    totalhits: int | None = None


class _Query(msgspec.Struct):
    """The result of a search in the text of pages."""

    search: list[_Hit] | None
    searchinfo: _SearchInfo | None = None


class _QueryReply(msgspec.Struct):
    """The answer to a search in the text of pages."""

    query: _Query | None = None
    error: _Error | None = None


class _Named(msgspec.Struct):
    """An item found by name."""

    id: str | None = None


class _NamesReply(msgspec.Struct):
    """The answer to a search for a name."""

    search: list[_Named] | None = None
    error: _Error | None = None


class _ItemsReply(msgspec.Struct):
    """The answer to a request for items."""

    entities: dict[str, Item] | list[Any] | None = None
    error: _Error | None = None


Reply = TypeVar("Reply", _QueryReply, _NamesReply, _ItemsReply)


class WikidataItems:
    """Finds and reads items. `base_url` is the address of the website."""

    def __init__(self, client: Client, base_url: str = WIKIDATA_URL) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self.upstream = Upstream(
            name="wikidata",
            requests_per_second=REQUESTS_PER_SECOND,
            max_bytes=MAX_BYTES,
            trusted_origins=() if base_url == WIKIDATA_URL else (base_url,),
        )

    def url_of(self, item_id: str) -> str:
        """Return the address of the page about an item."""
        return f"{self._base_url}/wiki/{item_id}"

    async def with_statements(self, *statements: str, limit: int = 3) -> tuple[list[str], int]:
        """Return the ids of items that have all these statements (`P17=Q30`), and how many there are of them."""
        search = " ".join(f"haswbstatement:{statement}" for statement in statements)
        params = {"action": "query", "list": "search", "srsearch": search, "srlimit": limit}
        query = (await self._ask(params, _QueryReply)).query
        if query is None:
            raise UpstreamError("It has not searched.")
        ids = _ids(hit.title for hit in query.search or ())
        return ids, (query.searchinfo and query.searchinfo.totalhits) or len(ids)

    async def named(self, name: str) -> list[str]:
        """Return the ids of items with a name."""
        params = {"action": "wbsearchentities", "search": name, "language": "en", "type": "item", "limit": 5}
        return _ids(found.id for found in (await self._ask(params, _NamesReply)).search or ())

    async def get(self, ids: Iterable[str]) -> Mapping[str, Item]:
        """Return items by id, at most 50."""
        return await self._entities(ids, "labels|descriptions|claims")

    async def labels(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the names of items, at most 50, as far as they have any."""
        items = await self._entities(ids, "labels")
        return {item_id: item.label for item_id, item in items.items() if item.label}

    async def _entities(self, ids: Iterable[str], props: str) -> Mapping[str, Item]:
        if not (wanted := list(dict.fromkeys(ids))):
            return {}
        params = {"action": "wbgetentities", "ids": "|".join(wanted), "props": props, "languages": "en"}
        entities = (await self._ask({**params, "languagefallback": 1}, _ItemsReply)).entities
        if not isinstance(entities, dict):
            raise UpstreamError("It has not sent the items.")
        return {item_id: entities[item_id] for item_id in wanted if item_id in entities}

    async def _ask(self, params: Mapping[str, Any], shape: type[Reply]) -> Reply:
        request = HttpRequest(url=f"{self._base_url}/w/api.php", params={**params, "format": "json"})
        return await self._client.fetch(self.upstream, request, lambda response: _read(response, shape))


def item_id_of(value: object) -> str | None:
    """Return the id of the item that is a value."""
    item_id = value.get("id") if isinstance(value, dict) else None
    return item_id if isinstance(item_id, str) and ITEM_ID.fullmatch(item_id) else None


def _read(response: HttpResponse, shape: type[Reply]) -> Reply:
    if response.status == 403:
        raise AuthError("It refuses access: it requires a User-Agent with an address, which is that in CONTACT.")
    if response.status == 404:  # the API is not there; an unknown item is an answer with status 200
        raise UpstreamError("It answered with status 404.")
    reply = response.raise_for_status().json(shape)
    if reply.error:
        if reply.error.code in ("ratelimited", "maxlag"):
            raise RateLimited("It has received too many requests.", retry_after=response.retry_after)
        raise UpstreamError("It answered with an error.")
    return reply


def _ids(found: Iterable[str | None]) -> list[str]:
    return [item_id for item_id in dict.fromkeys(found) if item_id and ITEM_ID.fullmatch(item_id)]


def _text(texts: dict[str, Text] | list[Any] | None) -> str | None:
    text = texts.get("en") if isinstance(texts, dict) else None
    return (text.value or "").strip() or None if text else None


def _moment(value: object) -> Moment | None:
    """A date. Month and day of a less exact one are zero, or mean nothing."""
    if not isinstance(value, dict) or not (match := TIME.match(str(value.get("time")))):
        return None
    year, month, day = map(int, match.groups())
    precision = value.get("precision", DAY_PRECISION)
    try:
        return Moment(year, date(year, month, day) if precision == DAY_PRECISION else None)
    except ValueError:
        return Moment(year)


def _quantity(claim: Claim) -> Quantity | None:
    """A dated amount, None without a date."""
    value, at = claim.value, _moment(claim.qualifier("P585"))
    if at is None or not isinstance(value, dict):
        return None
    try:
        amount = float(value.get("amount", ""))
    except (TypeError, ValueError):
        return None
    if not abs(amount) < MAX_AMOUNT:
        return None
    unit = ITEM_URL.fullmatch(str(value.get("unit")))
    return Quantity(amount, unit[1] if unit else None, at)
