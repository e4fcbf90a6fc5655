"""
The client of outside services: what it sends, how it reads, what it retries, and what it keeps to itself.
"""

import asyncio
import logging
import math
import random
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest

from enrichment import __version__
from enrichment.errors import SourceFailed
from enrichment.sources import failures
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.http import MAX_GATES, Client, Transport
from enrichment.sources.messages import HttpRequest, HttpResponse, citable
from enrichment.sources.upstream import MAX_FAILURES, Upstream
from tests.conftest import ROOT, FakeClock
from tests.upstreams import InstantClock, Reply, StubUpstream, gzip_bomb, http_date, live_client, stub_upstream

KEY = "k3y-that-nobody-may-see"


@pytest.fixture
async def stub() -> AsyncIterator[StubUpstream]:
    async with stub_upstream() as stub:
        yield stub


@pytest.fixture
def instant() -> InstantClock:
    return InstantClock()


@pytest.fixture
async def instant_client(instant: InstantClock) -> AsyncIterator[Client]:
    async with live_client(instant) as client:
        yield client


def trusted(stub: StubUpstream, **fields: float) -> Upstream:
    """The stub, as an operator sets it up; fast enough for tests that are not about its limit."""
    return msgspec.convert(
        {"name": "stub", "trusted_origins": [stub.url], "requests_per_second": math.inf, **fields}, Upstream
    )


def whole(response: HttpResponse) -> HttpResponse:
    return response


def successful(response: HttpResponse) -> bytes:
    return response.raise_for_status().body


def test_a_simulated_service_imports_nothing_of_it() -> None:
    program = "import service, sys; print({'httpx2', 'httpcore2'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


async def test_a_request_says_who_asks_and_goes_to_its_path_below_the_base(
    instant_client: Client, stub: StubUpstream
) -> None:
    request = HttpRequest(url=f"{stub.url}/base/find?v=1", params={"domains[]": ["a.com", "b.com"]}, headers={"X": "y"})
    response = await instant_client.fetch(trusted(stub), request, whole)

    (received,) = stub.received
    assert (received.method, received.target) == ("GET", "/base/find?v=1&domains%5B%5D=a.com&domains%5B%5D=b.com")
    assert received.headers == {
        "host": stub.url.removeprefix("http://"),
        "user-agent": f"lead-enrichment/{__version__} (+https://example.com/bot)",
        "accept": "*/*",
        "accept-encoding": "gzip, deflate",
        "x": "y",
    }
    assert response.url == f"{stub.url}{received.target}"


async def test_an_address_of_a_person_is_a_contact_as_well(instant: InstantClock, stub: StubUpstream) -> None:
    client = Client(contact="ops@example.com", clock=instant)
    await client.fetch(trusted(stub), HttpRequest(url=stub.url), whole)
    await client.aclose()

    assert stub.received[0].headers["user-agent"] == f"lead-enrichment/{__version__} (ops@example.com)"


async def test_what_is_to_be_sent_is_posted_as_json(instant_client: Client, stub: StubUpstream) -> None:
    await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url, json={"query": "é"}), whole)

    (received,) = stub.received
    assert (received.method, received.headers["content-type"]) == ("POST", "application/json")
    assert msgspec.json.decode(received.body) == {"query": "é"}


async def test_no_cookie_is_kept(instant_client: Client, stub: StubUpstream) -> None:
    stub.answer = lambda _: Reply(headers={"set-cookie": "a=b"})
    response = await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), whole)
    await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), whole)

    assert response.headers.get_list("Set-Cookie") == ["a=b"]
    assert "cookie" not in stub.received[1].headers
    assert stub.connections == 1


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/html; charset=ISO-8859-1", b"\xe9", "é"),
        ('text/html; Charset="utf-8"', "é".encode(), "é"),
        ("text/html", b"\xe9", "�"),
        ("text/html; charset=klingon", "é".encode(), "é"),
        ("", b"a", "a"),
    ],
)
def test_text_is_in_the_encoding_of_its_header_or_utf_8(content_type: str, body: bytes, text: str) -> None:
    headers = httpx2.Headers({"Content-Type": content_type} if content_type else {})

    assert HttpResponse(status=200, url="", headers=headers, body=body).text == text


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (301, failures.BadRequest),
        (400, failures.BadRequest),
        (401, failures.Unauthorized),
        (402, failures.QuotaExhausted),
        (403, failures.AuthError),
        (404, failures.NotFound),
        (410, failures.NotFound),
        (422, failures.BadRequest),
        (429, failures.RateLimited),
        (500, failures.UpstreamError),
        (502, failures.Transient),
        (503, failures.Transient),
        (504, failures.Transient),
        (520, failures.UpstreamError),
    ],
)
def test_a_status_stands_for_a_failure(status: int, failure: type[SourceFailed]) -> None:
    with pytest.raises(SourceFailed) as failed:
        HttpResponse(status=status, url="", headers=httpx2.Headers(), body=b"").raise_for_status()

    assert type(failed.value) is failure


def test_a_body_is_decoded_into_a_shape() -> None:
    response = HttpResponse(status=200, url="", headers=httpx2.Headers(), body=b'{"rank": 7}')

    assert response.json(dict[str, int]) == {"rank": 7}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"rank": "7"}', "Its answer has an unexpected form: Expected `int`, got `str` - at `$[...]`."),
        (b"[]", "Its answer has an unexpected form: Expected `object`, got `array`."),
        (b'{"rank": 7', "Its answer is not JSON, or is cut off."),
        (b"", "Its answer is not JSON, or is cut off."),
        (b"<html>", "Its answer is not JSON, or is cut off."),
        (b'{"\xff": 7}', "Its answer is not JSON, or is cut off."),
    ],
)
def test_a_body_of_another_form_is_a_failure(body: bytes, message: str) -> None:
    response = HttpResponse(status=200, url="", headers=httpx2.Headers(), body=body)
    with pytest.raises(failures.ParseError) as failed:
        response.json(dict[str, int])

    assert str(failed.value) == message


def test_a_body_nested_too_deeply_is_a_failure() -> None:
    response = HttpResponse(status=200, url="", headers=httpx2.Headers(), body=b"[" * 100_000)
    with pytest.raises(failures.ParseError):
        response.json(list[object])


@pytest.mark.parametrize(
    ("scenario", "requests"),
    [
        ("unavailable", 2),
        ("reset", 2),
        ("cut_off", 2),
        ("endless_headers", 2),
        ("rate_limited", 2),
        ("rate_limited_for_1_second", 2),
        ("unavailable_for_1_second", 2),
    ],
)
async def test_a_failure_that_may_pass_is_retried(
    instant_client: Client, instant: InstantClock, stub: StubUpstream, scenario: str, requests: int
) -> None:
    stub.script.append(scenario)

    assert await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful) == b"{}"
    assert len(stub.received) == requests
    health = instant_client.health(trusted(stub))
    assert (health.state, health.stats.calls, health.stats.hits, health.stats.errors) == ("ok", 2, 1, 1)
    assert sum(instant.sleeps) >= 0.25
    if "1_second" in scenario:
        assert instant.sleeps == [1.0]


@pytest.mark.parametrize(
    ("scenario", "failure"),
    [
        ("unauthorized", failures.AuthError),
        ("forbidden", failures.AuthError),
        ("unknown", failures.NotFound),
        ("broken", failures.UpstreamError),
        ("oversized", failures.ParseError),
        ("gzip_bomb", failures.ParseError),
        ("not_gzip", failures.ParseError),
        ("rate_limited_for_1_day", failures.RateLimited),
    ],
)
async def test_a_failure_that_stays_is_not_retried(
    instant_client: Client, stub: StubUpstream, scenario: str, failure: type[SourceFailed]
) -> None:
    stub.scenario = scenario
    with pytest.raises(failure):
        await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    assert len(stub.received) == 1


async def test_three_attempts_are_made_with_growing_pauses(
    instant_client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    stub.scenario = "unavailable"
    with pytest.raises(failures.Transient, match="It answered with status 503"):
        await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    first, second = instant.sleeps
    assert len(stub.received) == 3
    assert 0.25 <= first <= 0.75
    assert 0.5 <= second <= 1.5


async def test_pauses_differ_so_that_callers_do_not_come_back_together(
    instant_client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    stub.scenario = "unavailable"
    random.seed(1)
    for _ in range(2):
        with pytest.raises(SourceFailed):
            await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    assert len(set(instant.sleeps)) == len(instant.sleeps)


@pytest.mark.parametrize(("left", "requests"), [(0.2, 1), (30, 3)])
async def test_no_attempt_is_made_for_which_there_is_no_time(
    instant_client: Client, instant: InstantClock, stub: StubUpstream, left: float, requests: int
) -> None:
    stub.scenario = "unavailable"
    context = CallContext(clock=instant)
    context._ends.append(instant.now() + left)
    CONTEXT.set(context)
    with pytest.raises(failures.Transient):
        await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    assert len(stub.received) == requests


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("date", 30),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("9" * 400, 86_400),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("7 seconds", None),
        ("Fri, 31 Dec 2027 23:59:59 +99999999999999999999", None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(
    instant_client: Client, instant: InstantClock, stub: StubUpstream, header: str, seconds: float | None
) -> None:
    value = http_date(instant.now(), 30) if header == "date" else header
    stub.answer = lambda _: Reply(headers={"retry-after": value})
    response = await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), whole)

    assert response.retry_after == seconds


async def test_a_wait_longer_than_the_time_left_fails_at_once(
    instant_client: Client, instant: InstantClock, stub: StubUpstream
) -> None:
    stub.answer = lambda _: Reply(status=429, headers={"retry-after": "20"})
    context = CallContext(clock=instant)
    context._ends.append(instant.now() + 10)
    CONTEXT.set(context)
    for _ in range(2):
        with pytest.raises(failures.RateLimited, match="It allows the next request in 20 seconds"):
            await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    assert len(stub.received) == 1
    assert instant_client.health(trusted(stub)).state == "limited"


async def until(condition: asyncio.Task[object], clock: FakeClock) -> None:
    """Move the clock until a task is done whose calls go over real sockets."""
    while not condition.done():
        await asyncio.sleep(0.001)
        await clock.advance(0.05)


@pytest.mark.parametrize("scenario", ["hang", "drip"])
async def test_an_attempt_has_a_time_limit_and_so_have_all_together(
    clock: FakeClock, stub: StubUpstream, scenario: str
) -> None:
    stub.scenario = scenario

    async def ask() -> None:
        context = CallContext(clock=clock)
        CONTEXT.set(context)
        async with context.limit(8):
            await client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    async with live_client(clock) as client:
        started = clock.now()
        task = asyncio.create_task(ask())
        await stub.wait_for(requests=1)
        await clock.advance(4.9)
        assert len(stub.received) == 1
        await until(task, clock)
        seconds = clock.now() - started

    assert 7.9 < seconds < 8.3
    assert len(stub.received) == 2
    assert isinstance(task.exception(), failures.Transient | TimeoutError)


async def test_an_attempt_for_which_there_is_hardly_any_time_left_is_not_made(
    clock: FakeClock, stub: StubUpstream
) -> None:
    """It would have to be paid, and it, not the first one, would be the reason that is given."""
    stub.scenario = "hang"

    async def ask() -> None:
        context = CallContext(clock=clock)
        CONTEXT.set(context)
        async with context.limit(6):
            await client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    async with live_client(clock) as client:
        task = asyncio.create_task(ask())
        await stub.wait_for(requests=1)
        await until(task, clock)

    assert str(task.exception()) == "No answer within 5 seconds."
    assert len(stub.received) == 1


async def test_a_read_of_nothing_in_time_says_so(clock: FakeClock, stub: StubUpstream) -> None:
    stub.scenario = "hang"
    async with live_client(clock) as client:
        task = asyncio.create_task(client.fetch(trusted(stub), HttpRequest(url=stub.url), successful))
        await until(task, clock)

    assert str(task.exception()) == "No answer within 5 seconds."


async def test_a_closed_port_cannot_be_connected_to(instant_client: Client, stub: StubUpstream) -> None:
    upstream = trusted(stub)
    async with stub_upstream() as other:
        url = other.url
    with pytest.raises(failures.Transient, match="It cannot be connected to"):
        await instant_client.fetch(
            msgspec.structs.replace(upstream, trusted_origins=(url,)), HttpRequest(url=url), whole
        )


async def test_a_body_may_be_as_large_as_its_limit(instant_client: Client, stub: StubUpstream) -> None:
    stub.answer = lambda _: Reply(b" " * 1_000)

    assert (
        len(await instant_client.fetch(trusted(stub, max_bytes=1_000), HttpRequest(url=stub.url), successful)) == 1_000
    )
    with pytest.raises(failures.ParseError, match="larger than 999 bytes"):
        await instant_client.fetch(trusted(stub, max_bytes=999), HttpRequest(url=stub.url), successful)


async def test_the_body_of_an_error_is_cut_off(instant_client: Client, stub: StubUpstream) -> None:
    stub.answer = lambda _: Reply(b"x" * 1_000_000, status=400)
    response = await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), whole)

    assert len(response.body) == 65_536


async def test_a_large_body_may_be_reduced_while_it_arrives(instant_client: Client, stub: StubUpstream) -> None:
    stub.answer = lambda _: Reply(b"a" * 10_000_000)
    sizes = []

    async def last_of_each(chunks: AsyncIterator[bytes]) -> bytes:
        kept = b""
        async for chunk in chunks:
            sizes.append(len(chunk))
            kept = chunk[-1:]
        return kept

    upstream = trusted(stub, max_bytes=20_000_000)
    body = await instant_client.fetch(upstream, HttpRequest(url=stub.url), successful, consume=last_of_each)

    assert body == b"a"
    assert sum(sizes) == 10_000_000
    assert max(sizes) <= 1_048_576


async def test_a_body_that_is_not_read_to_its_end_is_closed(instant_client: Client, stub: StubUpstream) -> None:
    stub.answer = lambda _: Reply(b"a" * 10_000_000)

    async def beginning(chunks: AsyncIterator[bytes]) -> bytes:
        return (await anext(chunks))[:7]

    upstream, request = trusted(stub, max_bytes=20_000_000), HttpRequest(url=stub.url)
    for _ in range(3):
        assert await instant_client.fetch(upstream, request, successful, consume=beginning) == b"a" * 7
    stub.answer = lambda _: Reply(gzip_bomb(), headers={"content-encoding": "gzip, gzip"})
    with pytest.raises(failures.ParseError, match="compressed more than once"):
        await instant_client.fetch(upstream, request, successful)
    assert isinstance(instant_client._open, Transport)
    assert instant_client._open._pool._requests == []
    assert instant_client._open._pool.connections == []


async def test_what_a_source_makes_of_an_answer_counts_as_the_answer(
    instant_client: Client, stub: StubUpstream
) -> None:
    """A service may fail with status 200: its source decides, and the client retries, waits or stops accordingly."""
    answers = iter([failures.RateLimited("Slow down.", retry_after=8), None])

    def read(response: HttpResponse) -> str:
        if failure := next(answers):
            raise failure
        return "read"

    assert await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), read) == "read"
    assert len(stub.received) == 2
    assert instant_client.health(trusted(stub)).stats.last_error == "Slow down."


async def test_an_exhausted_quota_is_remembered(
    instant_client: Client, instant: InstantClock, stub: StubUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def read(response: HttpResponse) -> None:
        raise failures.QuotaExhausted("No credits left.", until=instant.now() + 3_600)

    for message in ("No credits left.", "Its quota is exhausted until 2026-02-26T11:35:00Z."):
        with pytest.raises(failures.QuotaExhausted, match=message):
            await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), read)
    health = instant_client.health(trusted(stub))
    await instant.sleep(3_600)

    assert (health.state, health.until) == ("quota_exhausted", instant.now())
    assert await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful) == b"{}"
    assert len(stub.received) == 2
    assert [record.getMessage() for record in caplog.records if "source state" in record.getMessage()] == [
        "source state source=stub state=quota_exhausted until=2026-02-26T11:35:00Z",
        "source state source=stub state=ok until=None",
    ]


async def test_a_service_that_dies_is_soon_left_alone(instant_client: Client, stub: StubUpstream) -> None:
    """A batch of 30 whose source is lost after 10 does not send it 3 attempts for each of the other 20."""
    upstream = trusted(stub)
    outcomes: list[bytes | type[SourceFailed]] = []
    for number in range(30):
        stub.scenario = "success" if number < 10 else "reset"
        try:
            outcomes.append(await instant_client.fetch(upstream, HttpRequest(url=stub.url), successful))
        except SourceFailed as error:
            outcomes.append(type(error))

    assert outcomes[:10] == [b"{}"] * 10
    assert outcomes[10:] == [failures.Transient, *[failures.CircuitOpen] * 19]
    assert len(stub.received) == 10 + 5
    assert instant_client.health(upstream).state == "open"


async def test_of_a_service_that_was_never_called_nothing_is_known(instant_client: Client) -> None:
    health = instant_client.health(Upstream(name="never"))

    assert (health.state, health.until, health.stats.calls) == ("ok", None, 0)


async def test_redirects_are_followed_within_the_origin_with_all_headers(
    instant_client: Client, stub: StubUpstream
) -> None:
    stub.answer = lambda received: (
        Reply(status=301, headers={"location": "/new?a=b"}) if received.target == "/old" else Reply(b"new")
    )
    request = HttpRequest(url=f"{stub.url}/old", headers={"X-Api-Key": KEY, "Accept": "text/html"})
    response = await instant_client.fetch(trusted(stub), request, whole)

    assert (response.body, response.url) == (b"new", f"{stub.url}/new?a=b")
    assert stub.received[0].headers == stub.received[1].headers


async def test_another_origin_gets_none_of_the_headers(instant_client: Client, stub: StubUpstream) -> None:
    async with stub_upstream() as other:
        stub.answer = lambda _: Reply(status=307, headers={"location": other.url})
        upstream = msgspec.structs.replace(trusted(stub), trusted_origins=(stub.url, other.url))
        request = HttpRequest(url=stub.url, headers={"X-Api-Key": KEY, "Authorization": KEY, "Cookie": KEY})
        await instant_client.fetch(upstream, request, whole)

    assert KEY in stub.received[0].headers.values()
    assert other.received[0].headers.keys() == {"host", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize(
    ("location", "failure"),
    [
        ("/again", failures.UpstreamError),
        ("file:///etc/passwd", failures.AddressRefused),
        ("//user:password@example.com/", failures.AddressRefused),
        ("http://[::1", failures.AddressRefused),
        ("http://127.0.0.1:{port}/", failures.AddressRefused),
        ("gopher://example.com", failures.AddressRefused),
    ],
)
async def test_a_redirect_that_leads_nowhere_is_a_failure(
    instant_client: Client, stub: StubUpstream, location: str, failure: type[SourceFailed]
) -> None:
    async with stub_upstream() as other:
        port = other.url.rpartition(":")[2]
        stub.answer = lambda _: Reply(status=302, headers={"location": location.format(port=port)})
        with pytest.raises(failure):
            await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), successful)

    assert len(stub.received) == (6 if location == "/again" else 1)
    assert other.received == []


async def test_what_is_sent_is_not_sent_elsewhere(instant_client: Client, stub: StubUpstream) -> None:
    stub.answer = lambda _: Reply(status=307, headers={"location": "/elsewhere"})
    with pytest.raises(failures.UpstreamError, match="It redirects what is sent to it"):
        await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url, json={}), successful)

    assert len(stub.received) == 1


async def test_a_redirect_without_a_place_is_an_answer_like_any_other(
    instant_client: Client, stub: StubUpstream
) -> None:
    stub.answer = lambda _: Reply(status=302, headers={})

    assert (await instant_client.fetch(trusted(stub), HttpRequest(url=stub.url), whole)).status == 302


def test_a_citation_shows_no_key() -> None:
    url = "https://user:pass@api.example.com/v1?LOOKUP=a.com&KEY=s&api_key=s&page=1#s"

    assert citable(url) == "https://api.example.com/v1?LOOKUP=a.com&page=1"
    assert citable("https://a.com/?key=s") == "https://a.com/"
    assert citable("https://a.com/x?q=a%20b+c") == "https://a.com/x?q=a%20b+c"


@pytest.mark.parametrize(
    "scenario",
    ["success", "unauthorized", "rate_limited", "broken", "reset", "cut_off", "oversized", "not_gzip", "redirect_loop"],
)
async def test_a_key_is_in_no_message_no_log_and_no_repr(
    instant_client: Client, stub: StubUpstream, scenario: str, caplog: pytest.LogCaptureFixture
) -> None:
    """At level DEBUG, where `httpcore2` logs all headers if it is let."""
    caplog.set_level(logging.DEBUG)
    stub.scenario = scenario
    request = HttpRequest(url=stub.url, params={"KEY": KEY}, headers={"X-Api-Key": KEY})
    shown = [repr(request)]
    try:
        shown.append(
            repr(await instant_client.fetch(trusted(stub), request, lambda response: response.raise_for_status()))
        )
    except SourceFailed as error:
        shown += [repr(error), repr(error.__cause__), repr(error.__suppress_context__ or error.__context__)]
    shown.append(repr(instant_client.health(trusted(stub))))

    assert KEY in stub.received[0].target
    assert [record.name for record in caplog.records if record.name.startswith("http")] == []
    assert KEY not in "\n".join([*shown, caplog.text])


async def test_a_key_that_is_no_header_is_not_quoted(instant_client: Client, stub: StubUpstream) -> None:
    request = HttpRequest(url=stub.url, headers={"X-Api-Key": f"{KEY}\nX: y"})
    with pytest.raises(SourceFailed) as failed:
        await instant_client.fetch(trusted(stub), request, successful)

    assert KEY not in "".join(traceback.format_exception(failed.value))


async def test_a_website_that_fails_is_named_and_does_not_stop_the_others(
    instant_client: Client, instant: InstantClock, caplog: pytest.LogCaptureFixture
) -> None:
    websites = Upstream(name="homepage", per_host=True)
    for _ in range(MAX_FAILURES):
        instant_client._gate(websites, "a.com").failed(failures.Transient("Broken."))

    assert instant_client._gate(websites, "a.com").state == "open"
    assert instant_client._gate(websites, "b.com").state == "ok"
    assert instant_client.health(websites).state == "ok"
    assert "source state source=homepage host=a.com state=open until=2026-02-26T10:35:30Z" in caplog.text


async def test_websites_are_counted_host_by_host(instant_client: Client, instant: InstantClock) -> None:
    websites = Upstream(name="homepage", per_host=True)
    for number in range(2 * MAX_GATES):
        gate = instant_client._gate(websites, f"{number}.com")
        gate._turns._next_at = instant.now() + (100 if number == 7 else 0)

    assert len(instant_client._gates) <= MAX_GATES
    assert ("homepage", "7.com") in instant_client._gates
    assert instant_client.health(websites).stats.calls == 0
