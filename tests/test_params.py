"""
Query strings and domains in paths: decoded, or refused with the name of what is wrong.
"""

from typing import Annotated

import pytest
from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import Request

import schemas
from enrichment.errors import InvalidDomain
from enrichment.web.params import QueryReader, path_domain
from enrichment.web.problems import ProblemError
from schemas import JobState


class Everything(schemas.Query, frozen=True, kw_only=True):
    """A parameter of every kind."""

    text: str | None = None
    name: Annotated[str, Meta(min_length=1, max_length=5)] | None = None
    number: Annotated[int, Meta(ge=1, le=100)] = 50
    switch: bool | None = None
    states: tuple[JobState, ...] = ()
    words: tuple[str, ...] | None = None


class Required(schemas.Query, frozen=True, kw_only=True):
    """A parameter that has to be given."""

    website: str
    more: str | None = None


read = QueryReader(Everything)


def refusal(query: str, reader: QueryReader = read) -> tuple[str | None, str]:
    """The parameter that is named, and what is said about it."""
    with pytest.raises(ProblemError) as refused:
        reader(query.encode())
    assert [refused.value.status, refused.value.code] == [422, "invalid_query"]
    if not refused.value.errors:
        return None, refused.value.detail
    (error,) = refused.value.errors
    assert refused.value.detail == f"{error.parameter}: {error.detail}"
    return str(error.parameter), error.detail


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Everything()),
        ("&&", Everything()),
        ("text=a%20b+c%2C%C3%A9", Everything(text="a b c,é")),
        ("text=null", Everything(text="null")),
        ("text=5", Everything(text="5")),
        ("text=", Everything()),
        ("text", Everything()),
        ("number=1&switch=true", Everything(number=1, switch=True)),
        ("number=&switch=", Everything()),
        ("number=007", Everything(number=7)),
        ("number=100&switch=0", Everything(number=100, switch=False)),
        ("switch=1", Everything(switch=True)),
        ("states=queued", Everything(states=(JobState.QUEUED,))),
        ("states=queued,running", Everything(states=(JobState.QUEUED, JobState.RUNNING))),
        ("states=queued&states=running", Everything(states=(JobState.QUEUED, JobState.RUNNING))),
        ("states=", Everything()),
        ("words=a,+b+,,c&words=d,", Everything(words=("a", "b", "c", "d"))),
        ("words=1,null", Everything(words=("1", "null"))),
        ("words=", Everything()),
        ("words=,+,", Everything()),
    ],
)
def test_parameters_are_decoded(query: str, expected: Everything) -> None:
    assert read(query.encode()) == expected


@pytest.mark.parametrize(
    ("query", "parameter", "detail"),
    [
        ("nope=1", "nope", "There is no parameter 'nope' here; known: text, name, number, switch, states, words."),
        ("txet=1", "txet", "Did you mean 'text'?"),
        ("Text=1", "Text", "Did you mean 'text'?"),
        ("=1", "", "There is no parameter '' here"),
        ("text=a&text=a", "text", "It is given more than once."),
        ("number=1&number=2", "number", "It is given more than once."),
        ("name=", "name", "'' is not possible"),
        ("name=sixsix", "name", "'sixsix' is not possible"),
        ("states=done", "states", "'done' is not possible; possible: queued, running, completed, failed, cancelled."),
        ("states=queued,done", "states", "'queued,done' is not possible"),
        ("states=Queued", "states", "'Queued' is not possible"),
        ("switch=maybe", "switch", "'maybe' is not possible; possible: true or false."),
        ("switch=2", "switch", "'2' is not possible; possible: true or false."),
        ("switch=null", "switch", "'null' is not possible; possible: true or false."),
        *(
            (f"number={text}", "number", "is not possible; possible: a whole number from 1 to 100.")
            for text in ("0", "101", "-1", "x", "1.5", "5.0", "1e1", "%C2%B2", "+5", "0x5", "5%00", "9" * 5_000)
        ),
    ],
)
def test_a_parameter_that_cannot_be_taken_is_named(query: str, parameter: str, detail: str) -> None:
    named, said = refusal(query)

    assert named == parameter
    assert detail in said
    assert len(said) < 300


def test_a_parameter_that_is_required_is_named_when_it_is_missing() -> None:
    reader = QueryReader(Required)

    assert reader(b"website=a.com") == Required(website="a.com")
    for query in ("", "more=x", "website="):
        assert refusal(query, reader) == ("website", "It is required.")


def test_where_no_parameter_is_known_none_is_taken() -> None:
    reader = QueryReader(schemas.Query)

    assert reader(b"") == schemas.Query()
    assert refusal("a=1", reader) == ("a", "There is no parameter 'a' here; known: none.")


@pytest.mark.parametrize("query", ["text=%FF", "&".join(f"text={n}" for n in range(101))])
def test_a_query_that_is_no_text_or_has_too_many_parameters_is_refused_whole(query: str) -> None:
    assert refusal(query) == (None, "The query is not percent-encoded UTF-8, or has more than 100 parameters.")


def test_a_long_name_or_value_is_cut_in_the_refusal() -> None:
    named, said = refusal("x" * 10_000 + "=1")
    assert [len(named or ""), len(said) < 300] == [60, True]
    assert len(refusal("states=" + "x" * 10_000)[1]) < 300


def request(text: str, raw_path: str | None) -> Request:
    scope = {"type": "http", "path_params": {"domain": text}}
    return Request(scope if raw_path is None else {**scope, "raw_path": raw_path.encode()})


@pytest.mark.parametrize(
    ("text", "raw_path"),
    [
        ("Costco.com", "/Costco.com"),
        ("Costco.com", None),
        ("https://www.costco.com", "/https%3A%2F%2Fwww.costco.com"),
        ("https://www.costco.com", "/https://www.costco.com"),
        ("https://costco.com/", "/https://costco.com/"),
        ("https://www.costco.com/about", "/https%3A%2F%2Fwww.costco.com%2Fabout"),
        ("https://www.costco.com/about", "/https%3a%2f%2fwww.costco.com%2fabout"),
    ],
)
def test_a_path_names_a_domain_in_any_spelling(text: str, raw_path: str | None) -> None:
    assert path_domain(request(text, raw_path)) == "costco.com"


@pytest.mark.parametrize("scheme", ["https://", "http:/", "https:///"])
@pytest.mark.parametrize("raw_path", ["/{}costco.com/cancle", None])
def test_a_url_with_a_path_has_to_be_encoded(scheme: str, raw_path: str | None) -> None:
    with pytest.raises(HTTPException) as refused:
        path_domain(request(f"{scheme}costco.com/cancle", raw_path and raw_path.format(scheme)))
    assert refused.value.status_code == 404


def test_a_text_that_is_no_domain_is_refused_as_the_parameter_domain() -> None:
    with pytest.raises(InvalidDomain) as refused:
        path_domain(request("localhost", "/localhost"))
    assert refused.value.parameter == "domain"
