"""
Keys: when they are checked, what is known about them, and that none is shown.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import pytest

from enrichment.errors import SourceFailed
from enrichment.sources.failures import AuthError, Transient, Unauthorized
from enrichment.sources.http import Client
from enrichment.sources.keys import CHECK_SECONDS, INTERVAL_SECONDS, KeyChecks, KeyStatus, present
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from tests.conftest import FakeClock, settle
from tests.upstreams import InstantClock, StubUpstream, live_client, stub_upstream

VALUE = "sk-very-private"
GOOD = KeyStatus(works=True, remaining=7, unit="credits")


class Checked:
    """A source whose checks end as the test wants."""

    def __init__(self, check: Callable[[], Awaitable[KeyStatus]]) -> None:
        self.check = check
        self.checks = 0

    async def check_key(self) -> KeyStatus:
        self.checks += 1
        return await self.check()


async def good() -> KeyStatus:
    return GOOD


async def test_keys_are_checked_at_start_and_every_few_hours(clock: FakeClock) -> None:
    source = Checked(good)
    checks = KeyChecks({"vendor": source, "keyless": object()}, clock)
    before = checks.last("vendor")
    checks.start()
    checks.start()
    await settle()
    first = checks.last("vendor")
    await clock.advance(2 * INTERVAL_SECONDS)
    await checks.stop()
    await clock.advance(INTERVAL_SECONDS)

    assert before == (KeyStatus(), None)
    assert first == (GOOD, clock.now() - 3 * INTERVAL_SECONDS)
    assert source.checks == 3


async def test_checks_go_on_after_a_stop(clock: FakeClock) -> None:
    source = Checked(good)
    checks = KeyChecks({"vendor": source}, clock)
    await checks.stop()
    for _ in range(2):
        checks.start()
        await settle()
        await checks.stop()

    assert source.checks == 2


async def test_nothing_runs_if_there_is_nothing_to_check(clock: FakeClock) -> None:
    checks = KeyChecks({"keyless": object()}, clock)
    tasks = asyncio.all_tasks()
    checks.start()

    assert asyncio.all_tasks() == tasks


async def test_a_check_that_fails_leaves_the_others_alone(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(error: Exception) -> KeyStatus:
        raise error

    async def hang() -> KeyStatus:
        await clock.sleep(3_600)
        return GOOD

    checks = KeyChecks(
        {
            "good": Checked(good),
            "unreachable": Checked(lambda: fail(Transient("It cannot be connected to."))),
            "broken": Checked(lambda: fail(KeyError("a"))),
            "slow": Checked(hang),
        },
        clock,
    )
    checks.start()
    await clock.advance(CHECK_SECONDS)
    found = {name: checks.last(name)[0] for name in ("good", "unreachable", "broken", "slow")}
    await checks.stop()

    assert found == {
        "good": GOOD,
        "unreachable": KeyStatus(detail="It cannot be connected to."),
        "broken": KeyStatus(detail="Unexpected KeyError; the log has the details."),
        "slow": KeyStatus(detail="No answer within 15 seconds."),
    }
    assert "key check failed" in caplog.text


class Case(NamedTuple):
    """A client, and a service with a key."""

    client: Client
    stub: StubUpstream
    upstream: Upstream

    async def call(self, upstream: Upstream | None = None) -> str:
        """Send a request with the key; return why it failed."""
        request = HttpRequest(url=self.stub.url, params={"api_key": VALUE}, headers={"x-api-key": VALUE})
        try:
            await self.client.fetch(upstream or self.upstream, request, HttpResponse.raise_for_status)
        except SourceFailed as error:
            return str(error)
        return ""


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    async with stub_upstream() as stub, live_client(InstantClock()) as client:
        yield Case(client, stub, upstream("vendor", stub))


def upstream(name: str, stub: StubUpstream, setting: str = "VENDOR_API_KEY") -> Upstream:
    return Upstream(name=name, trusted_origins=(stub.url,), key_setting=setting)


async def test_a_rejected_key_is_logged_once_by_its_setting(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.stub.scenario = "unauthorized"
    failures = [await case.call(), await case.call(), await case.call(upstream("other endpoint", case.stub))]

    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "key rejected setting=VENDOR_API_KEY"
    assert case.client.key("VENDOR_API_KEY").works is False
    assert failures == ["It refuses access, with status 401."] * 3
    assert VALUE not in caplog.text


@pytest.mark.parametrize("scenario", ["success", "unknown"])
async def test_a_key_that_is_accepted_again_works(case: Case, caplog: pytest.LogCaptureFixture, scenario: str) -> None:
    case.stub.script.extend(["unauthorized", scenario])
    states = [case.client.key("VENDOR_API_KEY").works]
    for _ in range(3):
        await case.call()
        states.append(case.client.key("VENDOR_API_KEY").works)
        case.stub.scenario = "unauthorized"

    assert states == [None, False, True, False]
    assert caplog.text.count("key rejected") == 2


@pytest.mark.parametrize("scenario", ["forbidden", "broken", "rate_limited", "reset", "html"])
async def test_other_failures_say_nothing_about_a_key(case: Case, scenario: str) -> None:
    assert issubclass(Unauthorized, AuthError)
    case.stub.scenario = scenario
    with pytest.raises(SourceFailed):
        await case.client.fetch(
            case.upstream, HttpRequest(url=case.stub.url), lambda answer: answer.raise_for_status().json(dict)
        )

    assert case.client.key("VENDOR_API_KEY").works is None


async def test_what_has_no_key_is_not_logged(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.stub.scenario = "unauthorized"
    await case.call(upstream("website", case.stub, setting=""))

    assert caplog.text == ""


async def test_the_last_answers_count_more_than_the_check() -> None:
    unknown = KeyStatus(detail="No answer within 15 seconds.")
    rejected = KeyStatus(works=False, detail="The service does not accept A_API_KEY.")

    assert present(GOOD, {"A_API_KEY": None}) == GOOD
    assert present(unknown, {"A_API_KEY": None}) == unknown
    assert present(KeyStatus(), {"A_API_KEY": True, "B_API_KEY": None}) == KeyStatus(works=True)
    assert present(GOOD, {"A_API_KEY": False, "B_API_KEY": True}) == rejected
    assert present(GOOD, {"A_API_KEY": False, "B_API_KEY": False}).detail == (
        "The service does not accept A_API_KEY and B_API_KEY."
    )
