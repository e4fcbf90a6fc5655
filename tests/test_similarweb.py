"""
SimilarWeb: which months and rows are asked for, how fractions become percent, and what each refusal stands for.
"""

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import (
    Competitor,
    Competitors,
    CountryShare,
    Keyword,
    Keywords,
    Referrer,
    Traffic,
    TrafficSources,
)
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.context import CONTEXT, CallContext
from enrichment.sources.costs import METER, Ledger, Meter, PaidRequests, Price
from enrichment.sources.failures import (
    AuthError,
    BadRequest,
    NotFound,
    ParseError,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
)
from enrichment.sources.http import Client
from enrichment.sources.keys import KeyStatus
from enrichment.sources.places import COUNTRY_CODES, country_code
from enrichment.sources.similarweb import SimilarWeb
from enrichment.sources.similarweb_reading import EXTRA_SECONDS
from enrichment.sources.similarweb_v5 import NO_VOLUMES
from tests.adapters import REFUSALS, SOFT_SCENARIOS, reply
from tests.answers.similarweb import NOT_IN_RANGE, PREFIX, SAMPLES, Service, request
from tests.conftest import FakeClock
from tests.test_costs import Purse
from tests.upstreams import InstantClock, Reply, StubUpstream, live_client, stub_upstream

KEY = "0123456789abcdef0123456789abcdef"
MODULE_IDS = ("m03_traffic", "m04_traffic_sources", "m05_competitors", "m06_keywords")
JANUARY, DECEMBER = 1_767_225_600, 1_764_547_200
WORLDWIDE = {"country": "ww", "web_source": "total", "granularity": "monthly", "main_domain_only": "false"}
LIST = {"domain": "rocketworks.example", "format": "json"}


class Case(NamedTuple):
    """The source and its service."""

    source: SimilarWeb
    service: Service
    stub: StubUpstream
    clock: InstantClock
    client: Client

    async def ask(self, module: str = "m03_traffic", domain: str = "rocketworks.example") -> Finding:
        return await self.source.ask(MODULES[module], Subject(domain=domain))

    def asked(self) -> dict[str, list[dict[str, str]]]:
        """The parameters of all requests, by path."""
        found: dict[str, list[dict[str, str]]] = {}
        for received in self.stub.received:
            path, params = request(received)
            found.setdefault(path.removeprefix(PREFIX), []).append(params)
        return found


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    clock, service = InstantClock(), Service(KEY)
    async with stub_upstream(service) as stub, live_client(clock) as client:
        yield Case(SimilarWeb(client, clock, key=KEY, base_url=stub.url), service, stub, clock, client)


@pytest.fixture
async def legacy(case: Case) -> Case:
    return case._replace(source=SimilarWeb(case.client, case.clock, key=KEY, base_url=case.stub.url, version="legacy"))


async def test_traffic_in_percent_whole_numbers_and_seconds(case: Case) -> None:
    finding = await case.ask()

    assert finding.read(Traffic) == Traffic(
        monthly_visits=1_500_001,
        bounce_rate=43.12,
        pages_per_visit=3.7,
        unique_visitors=456_790,
        average_visit_duration_seconds=187,
        month="2026-01",
        global_rank=4_321,
        month_over_month_growth_percent=25.0,
        desktop_share_percent=40.0,
        mobile_share_percent=60.0,
    )
    assert (finding.source, finding.observed_at, finding.method) == ("similarweb", JANUARY, "api")
    assert (finding.matched_by, finding.match_confidence, finding.data_points) == ("domain", 1, 10)


async def test_only_what_is_shown_is_asked_for(case: Case) -> None:
    await case.ask()

    month = {"start_date": "2026-01", "end_date": "2026-01"}
    before = {"start_date": "2025-12", "end_date": "2025-12"}
    all_of_them = "visits,unique_visitors,bounce_rate,average_visit_duration,pages_per_visit"
    first, *others = case.asked()["websites/traffic-and-engagement"]
    assert first == LIST | WORLDWIDE | month | {"metrics": all_of_them}
    assert sorted(others, key=lambda params: params["web_source"], reverse=True) == [
        LIST | WORLDWIDE | before | {"metrics": "visits"},
        LIST | WORLDWIDE | month | {"metrics": "visits", "web_source": "desktop"},
    ]
    assert case.asked()["websites/website-rank"] == [LIST | WORLDWIDE | month]
    assert {received.headers["api-key"] for received in case.stub.received} == {KEY}
    assert all(KEY not in received.target for received in case.stub.received)


async def test_the_key_is_not_shown(case: Case, legacy: Case) -> None:
    for finding in [await each.ask(module) for each in (case, legacy) for module in MODULE_IDS]:
        assert KEY not in repr(finding)
        assert finding.citations[0].url.startswith(f"{case.stub.url}/v")


async def test_data_that_is_not_there_yet_is_that_of_the_month_before(case: Case) -> None:
    case.service.newest = "2025-12"
    rows = SAMPLES["v5"]["websites/traffic-and-engagement"]["total"][:1]
    case.service.changes["websites/traffic-and-engagement"] = {"total": rows, "desktop": rows}
    finding = await case.ask()

    answer = finding.read(Traffic)
    assert (answer.month, answer.monthly_visits, answer.month_over_month_growth_percent) == ("2025-12", 1_200_000, None)
    assert finding.observed_at == DECEMBER
    ends = [params["end_date"] for params in case.asked()["websites/traffic-and-engagement"]]
    assert ends[:2] == ["2026-01", "2025-12"]
    assert [params["end_date"] for params in case.asked()["websites/website-rank"]] == ["2026-01", "2025-12"]


@pytest.mark.parametrize("module", MODULE_IDS)
async def test_the_window_is_moved_once(case: Case, module: str) -> None:
    case.service.newest = "2025-11"

    with pytest.raises(BadRequest, match="no data of these months"):
        await case.ask(module)
    assert len(case.stub.received) == 2


async def test_before_the_year_has_a_complete_month(case: Case) -> None:
    await case.clock.sleep(1_767_312_000 - case.clock.now())  # 2 January 2026
    case.service.newest = "2025-12"
    await case.ask("m05_competitors")

    (params,) = case.asked()["websites/similar-sites/aggregated"]
    assert (params["start_date"], params["end_date"]) == ("2025-10", "2025-12")


async def test_metrics_may_be_null(case: Case) -> None:
    names = ("unique_visitors", "bounce_rate", "average_visit_duration", "pages_per_visit")
    row = {"date": "2026-01", "visits": 10.0, **dict.fromkeys(names)}
    case.service.changes["websites/traffic-and-engagement"] = {"total": [row], "desktop": [row | {"visits": None}]}
    case.service.changes["websites/website-rank"] = [{"date": None, "country_rank": None}]

    assert (await case.ask()).read(Traffic) == Traffic(
        monthly_visits=10, month="2026-01", note="Not known: growth, shares of devices, rank."
    )


async def test_figures_that_contradict_each_other_are_left_out(case: Case) -> None:
    row = {"date": None, "visits": 10.0, "average_visit_duration": -1.0, "pages_per_visit": -1.0}
    case.service.changes["websites/traffic-and-engagement"] = {
        "total": [row],
        "desktop": [{"date": "2026-01", "visits": 11.0}],
    }
    case.service.changes["websites/website-rank"] = [{"date": "2026-01-01", "country_rank": 0}]

    answer = (await case.ask()).read(Traffic)
    assert answer == Traffic(monthly_visits=10, month="2026-01", note="Not known: growth, shares of devices, rank.")


async def test_no_metrics_at_all(case: Case) -> None:
    case.service.changes["websites/traffic-and-engagement"] = [{"date": "2026-01-01", "visits": None}]

    with pytest.raises(NotFound, match="no figures"):
        await case.ask()


async def test_an_answer_does_without_what_fails_beside_it(case: Case) -> None:
    case.service.changes["websites/website-rank"] = reply({"error": "The key is missing the required claims"}, 403)
    answer = (await case.ask()).read(Traffic)
    assert (answer.global_rank, answer.note) == (None, "Not known: rank.")

    case.service.changes["websites/geography/aggregated"] = [{"country": "us", "share": 62.0}]
    case.service.changes["websites/traffic-referrals/incoming"] = [{"domain": "a.example", "share": "a lot"}]
    sources = (await case.ask("m04_traffic_sources")).read(TrafficSources)
    assert sources.note
    assert sources.note.startswith("Not known: referring websites, countries. ")
    assert (sources.direct, sources.top_countries) == (40.0, ())


async def test_an_answer_does_without_what_is_slow(clock: FakeClock) -> None:
    async with stub_upstream(Service(KEY)) as stub, live_client(clock) as client:
        source = SimilarWeb(client, clock, key=KEY, base_url=stub.url)
        stub.script.extend(["success", "success", "success", "hang"])
        asked = asyncio.create_task(_within(clock, source))
        async with asyncio.timeout(20):
            while client.health(source.upstream).stats.hits < 3 or len(stub.received) < 4:
                await asyncio.sleep(0.002)
                if len(stub.received) < 4:
                    await clock.advance(0.01)  # the requests are 0.125 seconds apart
            assert not asked.done()
            await clock.advance(EXTRA_SECONDS)  # less than the time for an attempt
            answer = (await asked).read(Traffic)

    assert (answer.month_over_month_growth_percent, answer.desktop_share_percent) == (25.0, 40.0)
    assert answer.note == "Not known: rank."


async def _within(clock: FakeClock, source: SimilarWeb) -> Finding:
    context = CallContext(clock=clock)
    CONTEXT.set(context)
    async with context.limit(10):
        return await source.ask(MODULES["m03_traffic"], Subject(domain="rocketworks.example"))


async def test_channels_are_shares_of_the_visits_and_what_has_no_field_is_named(case: Case) -> None:
    finding = await case.ask("m04_traffic_sources")

    assert finding.read(TrafficSources) == TrafficSources(
        direct=40.0,
        organic_search=25.0,
        paid_search=5.0,
        referrals=15.0,
        social=10.0,
        display_ads=2.0,
        mail=3.0,
        top_referrers=(Referrer(domain="launch.example", share=20.0), Referrer(domain="orbit.example", share=16.6)),
        top_countries=(
            CountryShare(country_code="US", share=62.0),
            CountryShare(country_code="GB", share=10.0),
            CountryShare(country_code="DE", share=5.0),
        ),
        note="Referrals include Affiliates (3.50 % of all visits). Referrals include Gen AI (1.50 % of all visits).",
    )
    assert finding.observed_at == JANUARY
    month = {"start_date": "2026-01", "end_date": "2026-01"}
    asked = case.asked()
    assert asked["websites/traffic-channels"] == [LIST | WORLDWIDE | month | {"metrics": "visits"}]
    assert asked["websites/traffic-referrals/incoming"] == [LIST | WORLDWIDE | month | {"limit": "5"}]
    assert "country" not in asked["websites/geography/aggregated"][0]


async def test_a_channel_that_is_not_known_is_named_and_counts_as_visits(case: Case) -> None:
    case.service.changes["websites/traffic-channels"] = [
        {"date": None, "source_type": "Direct", "visits": 30.0},
        {"date": None, "source_type": "Telepathy", "visits": 10.0},
        {"date": None, "source_type": "Mail", "visits": -5.0},
    ]
    answer = (await case.ask("m04_traffic_sources")).read(TrafficSources)

    assert (answer.direct, answer.mail) == (75.0, None)
    assert answer.note == "Telepathy (25.00 % of all visits) is in none of the channels."


async def test_no_channels(case: Case) -> None:
    case.service.changes["websites/traffic-channels"] = [{"date": "2026-01-01", "source_type": "Direct", "visits": 0}]

    with pytest.raises(NotFound, match="no visits by channel"):
        await case.ask("m04_traffic_sources")
    assert len(case.stub.received) == 1


async def test_similar_sites_of_exactly_three_months(case: Case) -> None:
    finding = await case.ask("m05_competitors")

    assert finding.read(Competitors) == Competitors(
        competitors=(
            Competitor(domain="launch.example", similarity=1),
            Competitor(domain="orbit.example", similarity=0.61),
        )
    )
    assert case.asked()["websites/similar-sites/aggregated"] == [
        LIST | {"start_date": "2025-11", "end_date": "2026-01", "limit": "10"}
    ]


async def test_no_similar_sites_but_its_own(case: Case) -> None:
    case.service.changes["websites/similar-sites/aggregated"] = [{"domain": "m.rocketworks.example", "affinity": 0.9}]

    with pytest.raises(NotFound, match="of other companies"):
        await case.ask("m05_competitors")


async def test_keywords_that_are_grouped_in_arrays(case: Case) -> None:
    finding = await case.ask("m06_keywords")

    assert finding.read(Keywords) == Keywords(
        keywords=(
            Keyword(
                keyword="rocket works", position=1, traffic_share_percent=15.85, branded=True, intent="navigational"
            ),
            Keyword(
                keyword="reusable rockets",
                position=4,
                traffic_share_percent=3.12,
                branded=False,
                intent="informational",
            ),
            Keyword(keyword="payload", branded=False),
        ),
        note=NO_VOLUMES,
    )
    assert case.asked()["websites/keywords/organic-search"] == [
        LIST | WORLDWIDE | {"start_date": "2026-01", "end_date": "2026-01", "limit": "20"}
    ]


async def test_of_several_paths_the_one_that_exists_is_found_once(case: Case) -> None:
    rows = SAMPLES["v5"]["websites/keywords/organic-search"]
    case.service.changes = {"websites/keywords/organic-search": reply({}, 404), "keywords/aggregated": rows}
    for _ in range(2):
        assert (await case.ask("m06_keywords")).data_points == 3

    assert [request(received)[0].removeprefix(PREFIX) for received in case.stub.received] == [
        *("websites/keywords/organic-search", "websites/keywords/aggregated", "keywords/aggregated"),
        "keywords/aggregated",
    ]


async def test_a_path_that_does_not_exist_is_not_an_unknown_company(case: Case) -> None:
    case.service.changes["websites/similar-sites/aggregated"] = reply({"error": "no"}, 410)

    with pytest.raises(BadRequest, match="no interface at this path"):
        await case.ask("m05_competitors")


async def test_the_registrable_domain_is_asked_for(case: Case) -> None:
    finding = await case.ask(domain="careers.rocketworks.example")

    assert case.asked()["websites/website-rank"][0]["domain"] == "rocketworks.example"
    assert (finding.matched_by, finding.match_confidence) == ("registrable domain rocketworks.example", 0.8)


async def test_requests_keep_within_ten_a_second(case: Case) -> None:
    await case.ask()

    assert case.clock.sleeps
    assert set(case.clock.sleeps) == {0.125}


PLAIN = {"content-type": "text/plain"}


@pytest.mark.parametrize(
    ("answer", "failure", "message"),
    [
        (Reply(b"invalid API key", 401, PLAIN), Unauthorized, "does not accept the key"),
        (reply({"error_message": "Invalid API-Key"}, 403), Unauthorized, "does not accept the key"),
        (Reply(b"Data not found", 401, PLAIN), NotFound, "no data about this website"),
        (reply({"meta": {"error_message": "Data not found"}}, 401), NotFound, "no data about this website"),
        (reply({"meta": {"error_message": "Data not found"}}, 404), NotFound, "does not know this company"),
        (Reply(b"", 401, {}), NotFound, "no data about this website"),
        (reply({"error_message": "Invalid API key, or out of credits"}, 403), AuthError, "or its credits are used up"),
        (reply({"error_message": "Out of data credits"}, 403), QuotaExhausted, "credits are used up"),
        (reply({"error": "missing the required claims"}, 403), AuthError, "plan does not include"),
        (reply({"error": "no"}, 403), AuthError, "refuses access"),
        (Reply(b"", 429, {}), RateLimited, "too many requests"),
        (reply({"status_code": 400, "error_code": 102}, 400), BadRequest, "the granularity"),
        (reply({"error_code": "103"}, 400), BadRequest, "the country, which is not in the plan"),
        (reply({"code": 120, "message": "must span exactly 3 month(s)"}, 400), BadRequest, "the number of months"),
        (Reply(b"?", 400, PLAIN), BadRequest, "does not accept the request"),
        (reply({"meta": {"status": "Error", "error_code": 103}, "data": []}), BadRequest, "the country"),
        (reply({"meta": {"status": "success"}, "data": []}), NotFound, "no data about this website"),
        (reply({"meta": None, "data": [[]]}), NotFound, "no data about this website"),
        (reply({"meta": {}, "data": None}), ParseError, "no rows of data"),
        (reply({"data": ["a"]}), ParseError, "no rows of data"),
        (reply({"data": [{"total": 1, "a b": 2, "name": 3}]}), ParseError, r"has no \w+, but name, total\."),
        (reply({"data": [{"visits": "7", "domain": 7, "keyword": 7}]}), ParseError, "unexpected form"),
        (
            reply({"meta": {"request": {"domain": "rival.example"}}, "data": [{"visits": 1}]}),
            ParseError,
            "not about what was asked",
        ),
    ],
)
@pytest.mark.parametrize("module", ["m03_traffic", "m05_competitors"])
async def test_what_an_answer_stands_for(
    case: Case, module: str, answer: Reply, failure: type[SourceFailed], message: str
) -> None:
    case.stub.answer = lambda _: answer

    with pytest.raises(failure, match=message) as caught:
        await case.ask(module)
    assert isinstance(caught.value, NotFound) is (failure is NotFound)
    assert isinstance(caught.value, Unauthorized) is (failure is Unauthorized)


@pytest.mark.parametrize(
    ("module", "rows", "message"),
    [
        ("m03_traffic", [{"date": "2026-01-01", "visits": 1.0, "bounce_rate": 43.1}], "not between 0 and 1"),
        ("m05_competitors", [{"domain": "a.example", "affinity": 19.1}], "not between 0 and 1"),
        ("m05_competitors", [{"domain": "a.example", "affinity": None}], "no similar websites"),
        ("m05_competitors", [{"domain": None, "affinity": 0.5}], "no similar websites"),
        ("m06_keywords", [{"keyword": "a", "traffic_share": 15.8}], "not between 0 and 1"),
        ("m06_keywords", [{"keyword": None}], "no keywords"),
    ],
)
async def test_other_units_are_noticed(case: Case, module: str, rows: list[Any], message: str) -> None:
    case.stub.answer = lambda _: reply({"data": rows})

    with pytest.raises(ParseError, match=message):
        await case.ask(module)


async def test_traffic_of_the_older_interface(legacy: Case) -> None:
    finding = await legacy.ask()

    assert finding.read(Traffic) == Traffic(
        monthly_visits=1_500_001,
        bounce_rate=43.12,
        pages_per_visit=3.7,
        average_visit_duration_seconds=187,
        month="2026-01",
        global_rank=4_321,
        month_over_month_growth_percent=25.0,
    )
    path = "/v1/website/rocketworks.example/total-traffic-and-engagement"
    assert legacy.asked()[f"{path}/visits"] == [
        {
            "api_key": KEY,
            "country": "world",
            "format": "json",
            "start_date": "2025-12",
            "end_date": "2026-01",
            "granularity": "monthly",
            "main_domain_only": "false",
        }
    ]
    assert legacy.asked()[f"{path}/bounce-rate"][0]["start_date"] == "2026-01"
    assert finding.observed_at == JANUARY


async def test_the_older_interface_says_what_it_does_not_know(legacy: Case) -> None:
    path = "/v1/website/rocketworks.example"
    legacy.service.changes = {
        f"{path}/total-traffic-and-engagement/visits": {"visits": [{"date": "2026-01-01", "visits": 9.0}]},
        f"{path}/total-traffic-and-engagement/bounce-rate": {"bounce_rate": [{"date": "soon", "bounce_rate": 0.4}]},
        f"{path}/total-traffic-and-engagement/pages-per-visit": {"pages_per_visit": [{"date": "2026-01-01"}]},
        f"{path}/total-traffic-and-engagement/average-visit-duration": {"error": "?"},
        f"{path}/global-rank/global-rank": reply({}, 500),
    }

    assert (await legacy.ask()).read(Traffic) == Traffic(
        monthly_visits=9,
        month="2026-01",
        note="Not known: growth, bounce rate, pages per visit, duration of visits, rank.",
    )


async def test_channels_and_countries_of_the_older_interface(legacy: Case) -> None:
    assert (await legacy.ask("m04_traffic_sources")).read(TrafficSources) == TrafficSources(
        direct=30.0,
        organic_search=41.0,
        paid_search=5.0,
        referrals=7.0,
        social=10.0,
        display_ads=3.0,
        mail=4.0,
        top_countries=(CountryShare(country_code="US", share=62.0), CountryShare(country_code="GB", share=10.0)),
        note="Shares of the visits with desktop computers. Not known: referring websites.",
    )


async def test_channels_of_the_older_interface_may_be_visits(legacy: Case) -> None:
    path = "/v1/website/rocketworks.example/traffic-sources/overview-share"
    rows = copy.deepcopy(SAMPLES["legacy"][path[1:]])
    for channel in rows["visits"]["rocketworks.example"][:-1]:
        for month in channel["visits"]:
            month.update(organic=(month["organic"] or 0) * 2_000, paid=(month["paid"] or 0) * 2_000)
    legacy.service.changes = {path: rows, "/v1/website/rocketworks.example/lead-enrichment/all": reply({}, 403)}

    answer = (await legacy.ask("m04_traffic_sources")).read(TrafficSources)
    assert (answer.organic_search, answer.direct, answer.social) == (41.0, 30.0, 10.0)
    assert answer.note
    assert "Not known: referring websites, countries." in answer.note


async def test_a_share_is_never_more_than_all(legacy: Case) -> None:
    only = {"source_type": "Direct", "visits": [{"date": "2026-01-01", "organic": 1.04}]}
    legacy.stub.answer = lambda _: reply({"visits": {"rocketworks.example": [only]}})

    assert (await legacy.ask("m04_traffic_sources")).read(TrafficSources).direct == 100.0


async def test_competitors_and_keywords_of_the_older_interface(legacy: Case) -> None:
    finding = await legacy.ask("m05_competitors")
    assert [(each.domain, each.similarity) for each in finding.read(Competitors).competitors] == [
        *(("launch.example", 0.87), ("orbit.example", 0.61)),
    ]
    assert finding.observed_at is None

    found = (await legacy.ask("m06_keywords")).read(Keywords)
    assert (found.total_keywords, found.currency) == (900, "USD")
    assert found.keywords == (
        Keyword(
            keyword="reusable rockets",
            volume=1_900,
            cpc=2.1,
            position=3,
            traffic_share_percent=2.0,
            branded=False,
            intent="commercial",
        ),
    )
    (params,) = legacy.asked()["/v4/website-analysis/keywords"]
    assert {"URL": "rocketworks.example", "traffic_source": "Organic", "limit": "20", "offset": "0"}.items() <= (
        params.items()
    )


async def test_the_older_interface_has_the_month_before_too(legacy: Case) -> None:
    legacy.service.newest = "2025-12"
    for module in ("m04_traffic_sources", "m06_keywords"):
        await legacy.ask(module)

    assert [params["end_date"] for params in legacy.asked()["/v4/website-analysis/keywords"]] == ["2026-01", "2025-12"]


@pytest.mark.parametrize(
    ("module", "content"),
    [
        ("m03_traffic", {"visits": []}),
        ("m04_traffic_sources", {"visits": {"rocketworks.example": []}}),
        ("m05_competitors", {"similar_sites": []}),
        ("m06_keywords", {"keywords": []}),
    ],
)
async def test_nothing_in_the_older_interface(legacy: Case, module: str, content: Any) -> None:
    legacy.stub.answer = lambda _: reply(content)

    with pytest.raises(NotFound):
        await legacy.ask(module)


@pytest.mark.parametrize("module", MODULE_IDS)
async def test_an_interface_that_has_ended_is_not_an_unknown_company(legacy: Case, module: str) -> None:
    legacy.stub.answer = lambda _: reply({"message": "gone"}, 410)

    with pytest.raises(BadRequest, match="or no longer"):
        await legacy.ask(module)


async def test_other_modules_are_not_answered(case: Case) -> None:
    with pytest.raises(SourceFailed, match="does not answer this module"):
        await case.ask("m02_tech_stack")


async def test_the_free_check_of_the_key(case: Case, legacy: Case) -> None:
    for each in (case, legacy):
        assert await each.source.check_key() == KeyStatus(works=True, remaining=4_989, unit="credits")
    assert {received.target for received in case.stub.received} == {f"/capabilities?api_key={KEY}"}

    case.stub.answer = lambda _: reply({"web_desktop_data": {}})
    assert await case.source.check_key() == KeyStatus(works=True)


@pytest.mark.parametrize("refusal", [Reply(b"invalid API key", 401, PLAIN), Reply(b'{"error":"no"}', 401)])
async def test_a_check_with_a_wrong_key(case: Case, refusal: Reply) -> None:
    """A request for a website's data may be answered with this status because there are none."""
    case.stub.answer = lambda _: refusal

    with pytest.raises(Unauthorized):
        await case.source.check_key()
    assert case.client.key("SIMILARWEB_API_KEY").works is False


def with_purse(limit: int | None = None) -> Purse:
    """Charge the calls of the test to a purse, each with 10 millionths."""
    purse = Purse(limit)
    METER.set(Meter(Ledger({"similarweb": Price(amount=10, credits=None)}), lambda: (purse,)))
    return purse


@pytest.mark.parametrize(
    ("module", "calls", "credits_charged"),
    [("m03_traffic", 4, 8), ("m04_traffic_sources", 3, 6), ("m05_competitors", 1, 2), ("m06_keywords", 1, 2)],
)
async def test_credits_are_those_that_the_service_says_it_has_charged(
    case: Case, module: str, calls: int, credits_charged: int
) -> None:
    purse = with_purse()
    await case.ask(module)

    (charge,) = purse.charges
    assert (charge.billed, charge.credits, charge.amount, charge.unknown_credits) == (
        calls,
        credits_charged,
        10 * calls,
        0,
    )
    assert charge.calls == len(case.stub.received) == calls
    assert len(case.source.paid_requests.get(module, PaidRequests(("one",))).names) == calls


@pytest.mark.parametrize(("module", "calls"), [("m03_traffic", 5), ("m04_traffic_sources", 2), ("m05_competitors", 1)])
async def test_calls_of_the_older_interface(legacy: Case, module: str, calls: int) -> None:
    purse = with_purse()
    await legacy.ask(module)

    (charge,) = purse.charges
    assert (charge.calls, charge.billed, charge.unknown_credits) == (calls, calls, calls)
    assert len(legacy.source.paid_requests.get(module, PaidRequests(("one",))).names) == calls


@pytest.mark.parametrize(
    "answer",
    [
        reply({"meta": {"status": "success"}, "data": []}),
        reply({"meta": {"status": "success", "data_credits_charged": 0}, "data": []}),
        reply({"data": None}),
        Reply(b"Data not found", 401, PLAIN),
        NOT_IN_RANGE,
    ],
)
async def test_answers_without_data_are_free(case: Case, answer: Reply) -> None:
    purse = with_purse()
    case.stub.answer = lambda _: answer
    with pytest.raises(SourceFailed):
        await case.ask("m05_competitors")

    assert [(charge.calls, charge.billed, charge.amount) for charge in purse.charges] == [
        (len(case.stub.received), 0, 0),
    ]


async def test_answers_without_data_of_the_older_interface_are_free(legacy: Case) -> None:
    purse = with_purse()
    legacy.stub.answer = lambda _: reply({"similar_sites": []})
    with pytest.raises(NotFound):
        await legacy.ask("m05_competitors")

    assert [(charge.calls, charge.billed) for charge in purse.charges] == [(1, 0)]


async def test_what_is_paid_is_given_even_if_nothing_more_may_be_paid(case: Case) -> None:
    purse = with_purse(limit=20)
    answer = (await case.ask()).read(Traffic)

    assert (answer.monthly_visits, answer.note) == (1_500_001, "Not known: shares of devices, rank.")
    assert len(case.stub.received) == 2
    assert [charge.amount for charge in purse.charges] == [20]


@pytest.mark.parametrize("scenario", [*SOFT_SCENARIOS, *REFUSALS, "nothing", "nulls", "wrong_types", "oversized"])
@pytest.mark.parametrize(
    ("version", "module"),
    [("v5", "m03_traffic"), ("v5", "m06_keywords"), ("legacy", "m03_traffic"), ("legacy", "m04_traffic_sources")],
)
async def test_failures(case: Case, legacy: Case, scenario: str, module: str, version: str) -> None:
    case.stub.scenario = scenario

    with pytest.raises(SourceFailed) as caught:
        await {"v5": case, "legacy": legacy}[version].ask(module)
    assert KEY not in str(caught.value)
    if scenario != "nulls":  # which are no data in some answers, and another form in others
        assert isinstance(caught.value, NotFound) is (scenario == "unauthorized")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("us", "US"),
        (" De ", "DE"),
        ("uk", "GB"),
        (840, "US"),
        (40.0, "AT"),
        ("036", "AU"),
        (0, None),
        ("zz", None),
        (None, None),
    ],
)
def test_codes_of_countries(code: Any, expected: str | None) -> None:
    assert country_code(code) == expected


def test_each_country_has_two_codes() -> None:
    assert len(COUNTRY_CODES) == 2 * 249 + 1
    assert len({code for code in COUNTRY_CODES if code.isdecimal()}) == len(set(COUNTRY_CODES.values())) == 249
