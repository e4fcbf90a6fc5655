"""
The time of every reader of callers' text grows with the length of the text, and no faster.

The growth is asserted, not the time. Ten times the text takes ten times as long, a quadratic reader 100 times; the
limit is between the two, since a busy machine makes the times uneven.
"""

import asyncio
import contextlib
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import quote

import msgspec
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

import schemas
from enrichment.blueprint.choosing import choose
from enrichment.blueprint.criteria import criteria_of
from enrichment.domains import canonical_domain, shown, website_domain
from enrichment.errors import InvalidDomain, InvalidPlan, InvalidWebsite, SettingsError
from enrichment.icp.objects import read_object
from enrichment.icp.reader import read_text
from enrichment.logs import LogMessage
from enrichment.modules.table import plan
from enrichment.settings import Settings
from enrichment.web import hints
from enrichment.web.auth import BearerAuth, Tokens
from enrichment.web.bodies import body_reader
from enrichment.web.boundary import _request_id
from enrichment.web.endpoint import Access
from enrichment.web.params import QueryReader, path_domain, qualities
from enrichment.web.problems import ProblemError, safe_path
from service import ROUTES

SIZES: Final = (1_000, 10_000, 100_000)
MAX_RATIO: Final = 25
NEGLIGIBLE: Final = 0.001  # seconds; below this, the timer's noise is larger than the growth
CONCLUSIVE: Final = 2.0  # seconds; no noise is as long
ATTEMPTS: Final = 3

DOCUMENTED: Final = (InvalidDomain, InvalidWebsite, InvalidPlan, SettingsError, ProblemError, HTTPException)

# Repeated up to the size.
UNITS: Final = (
    *(
        "a",
        ".",
        "a.",
        "-",
        "@",
        "a@",
        ":",
        "/",
        "//",
        "\\",
        "?",
        "#",
        "&",
        "=",
        "a=",
        ",",
        ";",
        "q=1,",
        "%",
        "%40",
        "%00",
    ),
    *(
        "http:",
        "https://",
        "mailto:",
        "view-source:",
        "www.",
        "xn--",
        "[",
        "](",
        "<",
        '"',
        "'",
        "\\u",
        "{",
        '{"a":',
        "1",
        "0x",
    ),
    *(" ", "\n", "\t", "\0", "\u200b", "\u202e", "\u200d", "ü", "u\u0308", "公", "公。", "п", "ب\u200c", "💩", "٣"),
)
PROFILE_UNITS: Final = (
    *("a", "1 ", "000 ", "1,000,", "\n", "a\u0301", "$ ", "50 employees ", "between 50 and ", "retail, ", "retail or "),
    *(
        "not ",
        "not retail, ",
        "nor retail ",
        "except ",
        "no German agencies, ",
        "outside the US, ",
        "series a, ",
        "A, ",
    ),
    *(
        "hiring ",
        "marketing ",
        "in the last 6 months ",
        "serving restaurants, ",
        "retail, banks excluded, ",
        "in the us ",
    ),
)
OFFER_UNITS: Final = ("a", "- ", "Shopify ")


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """The tracer of the coverage measurement, which makes the readers many times slower, is off."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


def growth(read: Callable[[str], object], unit: str, around: str = "{}") -> list[float]:
    """Return the ratios of the times for texts of increasing size, the lowest of several attempts."""
    texts = [around.format(unit * (size // len(unit))) for size in SIZES]
    _attempt(read, texts[0])  # fills caches
    if _attempt(read, texts[1]) > MAX_RATIO * NEGLIGIBLE:
        del texts[2:]  # the smaller sizes show the growth of a slow reader
    fastest = [float("inf")] * len(texts)
    ratios: list[float] = []
    for _ in range(ATTEMPTS):
        fastest = [min(before, _attempt(read, text)) for before, text in zip(fastest, texts, strict=True)]
        ratios = [long / max(short, NEGLIGIBLE) for short, long in itertools.pairwise(fastest)]
        if max(ratios) < MAX_RATIO or fastest[-1] > CONCLUSIVE:
            break
    return ratios


def _attempt(read: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    with contextlib.suppress(*DOCUMENTED):
        read(text)
    return time.process_time() - began


def _scope(**values: object) -> Scope:
    return {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", **values}


def _header(name: bytes) -> Callable[[str], Scope]:
    return lambda text: _scope(headers=[(name, text.encode())])


def _routed(text: str) -> None:
    for route in ROUTES:
        route.matches(_scope(path=f"/api/v1/enrich/{text}/status", app=None))


def _domain_in_path(text: str) -> None:
    path_domain(Request(_scope(path_params={"domain": text}, raw_path=quote(text).encode())))


def _body(shape: type[schemas.Request], template: str) -> Callable[[str], object]:
    """A body with the text as a JSON string in it, which arrives in one piece."""
    read = body_reader(shape)

    def decode(text: str) -> object:
        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": template.replace("TEXT", quoted).encode()}

        async def run() -> object:
            return await read(Request(_scope(), receive), 10_000_000)

        quoted = msgspec.json.encode(text).decode()
        return asyncio.run(run())

    return decode


def _raw_body(text: str) -> object:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": text.encode()}

    async def run() -> object:
        return await body_reader(schemas.BatchRequest)(Request(_scope(), receive), 10_000_000)

    return asyncio.run(run())


def _batch(text: str) -> None:
    """Domains of at most 200 characters, as many as the text has."""
    for start in range(0, len(text), 200):
        _attempt(canonical_domain, text[start : start + 200] + ".com")


def _icp_object(text: str) -> object:
    parts = tuple(text[start : start + 200] for start in range(0, len(text), 200))
    return read_object(schemas.IcpObject(industries=parts, technologies=parts[:50], company_size=text[:200]))


PROFILE: Final = criteria_of(read_text("retailers in Germany on Shopify"))
QUERIES: Final = {
    shape: QueryReader(shape) for shape in (schemas.ListQuery, schemas.ResultsQuery, schemas.BlueprintQuery)
}
AUTH: Final = BearerAuth(Tokens(["demo"]), is_configured=True)
VARIABLES: Final = (
    "API_TOKENS",
    "CORS_ORIGINS",
    "SIMULATED_FAILURES",
    "MAX_BODY_BYTES",
    "SIMULATED_LOOKUP_SECONDS",
    "AUTH",
)

READERS: Final[dict[str, Callable[[str], object]]] = {
    "a domain": canonical_domain,
    "a website": website_domain,
    "a domain that is refused": shown,
    "a batch of domains": _batch,
    "a domain in a path": _domain_in_path,
    "a path": _routed,
    "a path in an error": lambda text: safe_path(_scope(path=text)),
    "a query": lambda text: QUERIES[schemas.ListQuery](quote(text, safe="&=").encode()),
    "a list in a query": lambda text: QUERIES[schemas.ResultsQuery](b"modules=" + quote(text, safe="&=,").encode()),
    "a profile in a query": lambda text: QUERIES[schemas.BlueprintQuery](b"website_url=a&icp=" + quote(text).encode()),
    "a raw query": lambda text: QUERIES[schemas.ListQuery](text.encode()),
    "an Accept header": qualities,
    "an Authorization header": lambda text: AUTH(_header(b"authorization")("Bearer " + text), Access.TOKEN),
    "a request id": lambda text: _request_id(_header(b"x-request-id")(text)),
    "a body": _raw_body,
    "a domain in a body": _body(schemas.EnrichRequest, '{"company_domain": TEXT}'),
    "an unknown field of a body": _body(schemas.EnrichRequest, '{"company_domain": "", TEXT: 1}'),
    "a wrong value in a body": _body(schemas.StartRequest, '{"priority": TEXT}'),
    "an unknown name": lambda text: hints.unknown_name("field", text, ("domain", "limit")),
    "modules": lambda text: plan(tuple(text.split(",")), None),
    "settings": lambda text: Settings.from_env(dict.fromkeys(VARIABLES, text)),
    "a log line": lambda text: str(LogMessage("event", {"text": text})),
}


def slow_units(read: Callable[[str], object], units: Sequence[str], around: str) -> dict[str, list[float]]:
    """Return the growth for the units for which it is not linear."""
    ratios = {unit: growth(read, unit, around) for unit in units}
    return {unit: found for unit, found in ratios.items() if max(found) >= MAX_RATIO}


@pytest.mark.parametrize("reader", READERS)
def test_the_time_of_a_reader_grows_with_the_text(reader: str) -> None:
    assert slow_units(READERS[reader], UNITS, "{}!") == {}


def test_the_time_of_reading_a_profile_grows_with_the_text() -> None:
    assert slow_units(read_text, PROFILE_UNITS, "{} retail") == {}


def test_the_time_of_reading_a_profile_object_grows_with_the_text() -> None:
    assert slow_units(_icp_object, PROFILE_UNITS[::4], "{} retail") == {}


def test_the_time_of_reading_an_offer_grows_with_the_text() -> None:
    assert slow_units(lambda text: choose(PROFILE, offer=text), OFFER_UNITS, "{}!") == {}


def test_the_measure_detects_a_quadratic_reader() -> None:
    def scan(text: str) -> int:
        return sum(text.find("b", start) for start in range(len(text)))

    assert max(growth(scan, "a")) > MAX_RATIO
