"""
Every parser of text from outside, with generated texts: only the documented errors are raised.

Each test runs twice: with the same examples every time, and with those of a random seed, which its name contains.
`FUZZ_SEED=… pytest tests/test_fuzz.py` repeats a run, `FUZZ_EXAMPLES=…` makes it longer.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from starlette.requests import Request

import schemas
from enrichment.blueprint.choosing import choose
from enrichment.blueprint.criteria import criteria_of
from enrichment.domains import canonical_domain, registrable_domain, shown, website_domain
from enrichment.errors import InvalidDomain, InvalidPlan, InvalidWebsite, SettingsError
from enrichment.icp.objects import read_object
from enrichment.icp.reader import read_text
from enrichment.icp.vocabulary import vocabulary
from enrichment.modules.case_studies import SHIPPED, load_case_studies
from enrichment.modules.table import MODULES, plan
from enrichment.settings import Settings
from enrichment.web.bodies import body_reader
from enrichment.web.params import QueryReader, qualities
from enrichment.web.problems import ProblemError
from tests.conftest import RUN

SEED: Final = int(os.environ.get("FUZZ_SEED") or RUN % 10**6)
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES") or 100)

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


def fuzz(**arguments: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with examples that are always the same, and with examples of the seed."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        limits: dict[str, Any] = {
            "max_examples": EXAMPLES,
            "deadline": None,
            "suppress_health_check": list(HealthCheck),
        }
        fixed = settings(derandomize=True, **limits)(given(**arguments)(test))
        varied = seed(SEED)(settings(database=None, **limits)(given(**arguments)(test)))
        runs = [pytest.param(fixed, id="fixed"), pytest.param(varied, id=f"seed-{SEED}")]

        @pytest.mark.parametrize("run", runs)
        def both(run: Callable[[], None]) -> None:
            run()

        both.__doc__ = test.__doc__
        return both

    return decorate


def attempt(errors: type[E] | tuple[type[E], ...], call: Callable[[], T]) -> T | E:
    """Return the result of the call, or the error if it is one of these; any other fails the test."""
    try:
        return call()
    except errors as error:
        return error


def one_of(*values: T) -> st.SearchStrategy[T]:
    return st.sampled_from(values)


TEXT: Final = st.text(max_size=30)
DIGITS: Final = st.text("0123456789٠٤७９½²", min_size=1, max_size=6)


# Domains

PREFIXES = one_of("", "http://", "https://", "HTTP:/", "https:", "//", "mailto:", "ftp://", "view-source:", "<", "[a](")
USERS = one_of("", "jane@", "user:pass@", "@", "a@b@", "%40", "＠")
LABELS = one_of(
    "acme", "www", "com", "co", "uk", "de", "gmail", "linkedin", "xn--bcher-kva", "bücher", "公司", "рф", ""
)
LABELS |= one_of("c0m", "test", "local", "home", "arpa", "127", "0x7f", "-a", "a_b", "x" * 63, "ü" * 60, "xn--a", "nhs")
MARKS = one_of("", "", "", "\u200b", "\u202e", "\u200d", "\u00a0", "\t", "。", "%2e", " ")
HOSTS = st.lists(st.tuples(LABELS | TEXT, MARKS).map("".join), max_size=5).map(".".join)
TAILS = one_of("", "/", ":80", ":99999", ":x", "/company/acme", "?q=1", "/?cid=1", "#!/acme", "/@acme", "\\x", ">", ")")
ADDRESSES = TEXT | st.tuples(PREFIXES, USERS, HOSTS, TAILS).map("".join) | st.text(st.characters(), max_size=30)


@fuzz(text=ADDRESSES)
def test_a_domain_is_canonical_or_refused(text: str) -> None:
    domain = attempt(InvalidDomain, lambda: canonical_domain(text))

    if isinstance(domain, str):
        assert canonical_domain(domain) == domain
        assert domain.endswith(registrable_domain(domain))
        assert len(domain) <= 253
    else:
        assert str(domain).isprintable()
        assert len(str(domain)) < 400


@fuzz(text=ADDRESSES)
def test_a_website_is_a_domain_or_refused(text: str) -> None:
    domain = attempt(InvalidWebsite, lambda: website_domain(text))

    assert domain == canonical_domain(text) if isinstance(domain, str) else str(domain).isprintable()


@fuzz(before=ADDRESSES, between=ADDRESSES, after=ADDRESSES)
def test_no_error_repeats_what_precedes_an_at_sign(before: str, between: str, after: str) -> None:
    text = f"{before}s3cret{between}@{after}"
    domain = attempt(InvalidDomain, lambda: canonical_domain(text))
    website = attempt(InvalidWebsite, lambda: website_domain(text))

    assert "s3cret" not in shown(text)
    assert isinstance(domain, str) or "s3cret" not in str(domain)
    assert isinstance(website, str) or "s3cret" not in str(website)


# Profiles

PHRASES = sorted({one.spelling for one in vocabulary()})
CUES = sorted({one.spelling for one in vocabulary() if one.label == ""})
NUMBERS = st.tuples(
    one_of("", "$", "€", "-"), DIGITS, one_of("", ",", ".", " ", "'"), DIGITS, one_of("", "k", "m", "+")
)
WORDS = one_of(*PHRASES) | one_of(*CUES) | NUMBERS.map("".join) | DIGITS | st.text(max_size=5)
SEPARATORS = one_of(" ", " ", " ", ", ", ". ", "\n", "-", "–", "/", ": ", " (", "; ", "")
PROFILES = st.lists(st.tuples(WORDS, SEPARATORS).map("".join), max_size=20).map("".join)
OBJECTS = st.builds(
    schemas.IcpObject,
    **{name: st.none() | st.lists(PROFILES, max_size=3).map(tuple) for name in ("industries", "geographies")},
    **{name: st.none() | st.lists(PROFILES, max_size=3).map(tuple) for name in ("technologies", "personas", "signals")},
    company_size=st.none() | PROFILES,
)


@fuzz(given_profile=PROFILES | OBJECTS, offer=PROFILES)
def test_every_profile_is_read(given_profile: str | schemas.IcpObject, offer: str) -> None:
    is_text = isinstance(given_profile, str)
    profile = read_text(given_profile) if isinstance(given_profile, str) else read_object(given_profile)
    msgspec.json.encode([profile, choose(criteria_of(profile), offer=offer)])

    ids = [one.id for one in profile.conditions]
    assert ids == [f"c{number}" for number in range(1, len(ids) + 1)]
    assert {one.condition for one in profile.ambiguous} <= {*ids, None}
    groups: dict[int, set[str]] = {}
    for one in profile.conditions:
        groups.setdefault(one.any_of, set()).add(one.strength)
    assert all(len(strengths) == 1 for strengths in groups.values())
    if is_text:
        quotes = [*(one.quote for one in profile.conditions), *(one.quote for one in profile.ambiguous)]
        passages = [(one.start, one.end, one.text) for one in quotes]
        passages += [(one.start, one.end, one.text) for one in profile.not_understood]
        assert all(str(given_profile)[start:end] == text for start, end, text in passages)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("DACH, tel. 040 123 456", []),
        ("0 200 employees", [200]),
        ("phone 0049 40 123 456, 50-100 employees", [(50, 100)]),
        ("٢٠٠ employees", [200]),
        ("٢ ٠٠٠ employees", [2_000]),
        ("२०० to ३०० employees", [(200, 300)]),
        ("２００ employees", [200]),
        ("007 employees", [7]),
        ("0.000.000 employees", [0]),
        ("1 000 employees", [1_000]),
        ("99999999999999999999999 employees", []),
    ],
)
def test_every_number_that_the_tokenizer_finds_is_read(text: str, sizes: list[object]) -> None:
    conditions = [one for one in read_text(text).conditions if one.measure is schemas.Measure.HEADCOUNT]

    assert [one.value for one in conditions] == sizes


# Requests

QUERIES = (schemas.Query, schemas.JobQuery, schemas.ResultsQuery, schemas.ListQuery, schemas.BlueprintQuery)
READERS = {shape: QueryReader(shape) for shape in QUERIES}
NAMES = one_of(*{name for shape in QUERIES for name in shape.__struct_fields__}) | st.text(max_size=5)
VALUES = one_of(
    "", "1", "0", "-1", "1e3", "9" * 19, "true", "True", "null", "completed", "failed,queued", "m01,,", "%ff"
)
VALUES |= TEXT | DIGITS | one_of("%F0%9F%92%A9", "%", "%zz", "+", "a%00b")
QUERY_STRINGS = st.lists(st.tuples(NAMES, one_of("=", "", "=="), VALUES).map("".join), max_size=5).map("&".join)


@fuzz(shape=st.sampled_from(QUERIES), query=QUERY_STRINGS.map(str.encode) | st.binary(max_size=40))
def test_a_query_is_decoded_or_refused(shape: type[schemas.Query], query: bytes) -> None:
    decoded = attempt(ProblemError, lambda: READERS[shape](query))

    assert decoded.code == "invalid_query" if isinstance(decoded, ProblemError) else isinstance(decoded, shape)


@fuzz(accept=st.lists(TEXT | one_of("text/event-stream", "q=0.5", "q=1.0001", "q=٣", "*/*"), max_size=6).map(";".join))
def test_every_accept_header_is_read(accept: str) -> None:
    assert all(0 <= quality <= 1 for quality in qualities(accept).values())


BODIES: Final[tuple[type[schemas.Request], ...]] = (
    *(schemas.EnrichRequest, schemas.StartRequest, schemas.BatchRequest, schemas.RetryRequest),
    schemas.BlueprintRequest,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | one_of("domains", "waves"), inner, max_size=3),
    max_leaves=10,
).map(msgspec.json.encode)
FRAGMENTS = one_of(
    b"{", b"}", b"[" * 5_000, b'{"a":' * 5_000, b'"', b"\\ud800", b"\xff", b"\xef\xbb\xbf", b"\0", b"null"
)


@fuzz(
    shape=st.none() | st.sampled_from(BODIES),
    body=JSON | st.lists(FRAGMENTS | JSON, max_size=4).map(b"".join) | st.binary(max_size=30),
)
def test_a_body_is_decoded_or_refused(shape: type[schemas.Request] | None, body: bytes) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    request = Request({"type": "http", "headers": []}, receive)

    async def read() -> schemas.Request | None:
        return await body_reader(shape)(request, 1_000_000)

    decoded = attempt(ProblemError, lambda: asyncio.run(read()))

    if isinstance(decoded, ProblemError):
        assert decoded.status in (400, 422)
    else:
        assert decoded is None if shape is None else isinstance(decoded, shape)


@fuzz(
    modules=st.none() | st.lists(one_of(*MODULES) | TEXT, max_size=5).map(tuple),
    waves=st.none() | st.lists(st.integers(1, 4), max_size=4).map(tuple),
)
def test_modules_are_planned_or_refused(modules: tuple[str, ...] | None, waves: tuple[int, ...] | None) -> None:
    planned = attempt(InvalidPlan, lambda: plan(modules, waves))

    if isinstance(planned, InvalidPlan):
        assert planned.pointer
    else:
        assert planned
        assert set(planned) <= MODULES.keys()


# Configuration

VARIABLES = one_of(*map(str.upper, Settings.__struct_fields__))
AMOUNTS = one_of(
    "0", "-1", "1e400", "nan", "inf", "-inf", "1_000", " 7 ", "0x10", "1.5", "9" * 5_000, "true", "off", "json"
)
SURROGATES = st.text(st.characters(categories=["Cs", "L", "N"]), max_size=5)  # as `os.environ` decodes invalid UTF-8


@fuzz(
    environ=st.dictionaries(
        VARIABLES, AMOUNTS | TEXT | DIGITS | SURROGATES | one_of("a,b", "https://a.b:1"), max_size=4
    )
)
def test_settings_are_read_or_refused(environ: dict[str, str]) -> None:
    read = attempt(SettingsError, lambda: Settings.from_env(environ))

    if isinstance(read, SettingsError):
        assert all(fault.split()[0] in environ for fault in read.faults)
    else:
        numbers = [value for value in msgspec.structs.asdict(read).values() if isinstance(value, (int, float))]
        assert all(0 <= number < 2**50 for number in numbers)


CASE_STUDIES = SHIPPED.read_bytes()
PLACES = st.integers(0, len(CASE_STUDIES))


@fuzz(
    content=st.tuples(PLACES, FRAGMENTS | JSON, PLACES).map(
        lambda cut: CASE_STUDIES[: cut[0]] + cut[1] + CASE_STUDIES[cut[2] :]
    )
    | st.lists(FRAGMENTS | JSON, max_size=3).map(b"".join)
)
def test_case_studies_are_loaded_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case_studies.json"
        path.write_bytes(content)
        loaded = attempt(SettingsError, lambda: load_case_studies(path))

    assert isinstance(loaded, tuple) or all("CASE_STUDIES_FILE" in fault for fault in loaded.faults)


@fuzz(path=st.text(st.characters(), min_size=1, max_size=20) | st.just("x" * 5_000))
def test_the_path_of_case_studies_is_read_or_refused(path: str) -> None:
    with pytest.raises(SettingsError):
        load_case_studies(f"/no/such/folder/{path}")
