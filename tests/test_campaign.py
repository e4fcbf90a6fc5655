"""
The whole way: whom a campaign is for, in words; what to find out; the leads; their ranking, and the findings behind it.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.sources.simulated.company import company_of
from service import create_app
from tests.conftest import FakeClock, client_of

API = "/api/v1/enrich"
ICP = (
    "US retailers or software companies with 100+ employees, ideally founded before 2000, hiring engineers is a plus. "
    "Not Salesforce, and no hospitals."
)
DOMAINS = ["costco.com", "walmart.com", "target.com", *(f"company{number}.com" for number in range(65, 82))]


@pytest.fixture
async def api(clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(Settings(api_tokens=("t",)), clock=clock)) as client:
        client.headers["authorization"] = "Bearer t"
        yield client


async def post(api: httpx.AsyncClient, path: str, status: int = 202, **body: Any) -> Any:
    response = await api.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json()


async def leads_of(api: httpx.AsyncClient, batch_id: str, **query: Any) -> Any:
    response = await api.get(f"{API}/batch/{batch_id}/results", params=query)
    assert response.status_code == 200
    return response.json()["leads"]


def is_retail_or_software(naics: str) -> bool:
    return naics.startswith(("44", "45", "5132", "5415"))


async def test_from_a_profile_in_words_to_a_ranked_list_whose_verdicts_rest_on_findings(
    api: httpx.AsyncClient, clock: FakeClock
) -> None:
    blueprint = await post(api, "/campaigns/enrichment", 200, website_url="getuniti.com", icp=ICP)
    started = await post(
        api,
        f"{API}/batch",
        domains=DOMAINS,
        modules=blueprint["modules"],
        blueprint_id=blueprint["metadata"]["id"],
        concurrency=20,
    )
    await clock.advance(60)
    leads = await leads_of(api, started["batch_id"], sort="score")

    assert started["icp"]["conditions"] == blueprint["icp"]["conditions"]
    assert [lead["rank"] for lead in leads] == list(range(1, 21))
    assert Counter(lead["domain"] for lead in leads) == Counter(DOMAINS)
    conditions = {each["id"]: each for each in blueprint["icp"]["conditions"]}
    for lead in leads:
        results = (await api.get(f"{API}/{lead['domain']}/results", params={"job_id": lead["job_id"]})).json()
        check_verdicts(lead, results, conditions)
        company = company_of(lead["domain"])
        is_wanted = is_retail_or_software(company.naics) and company.employees >= 100 and company.country_code == "US"
        is_excluded = "Salesforce" in lead["facts"]["technologies"]
        assert (lead["verdict"] == "qualified") == (is_wanted and not is_excluded), lead["domain"]
        assert (lead["verdict"] == "disqualified") == (lead["judgement"]["explanation"][0][:12] == "Disqualified")
        assert lead["verdict"] != "disqualified" or lead["score"] == 0
    assert len({lead["verdict"] for lead in leads}) > 1
    order = [(lead["verdict"] == "disqualified", -lead["score"]) for lead in leads]
    assert order == sorted(order)


def check_verdicts(lead: dict[str, Any], results: dict[str, Any], conditions: dict[str, Any]) -> None:
    """Every verdict is about a condition of the profile; what was found stands in the answer of the module it names."""
    verdicts = lead["judgement"]["conditions"]
    assert {verdict["condition"] for verdict in verdicts} == conditions.keys()
    for verdict in verdicts:
        condition = conditions[verdict["condition"]]
        assert [verdict["wanted"], verdict["strength"], verdict["quote"]] == [
            condition["label"],
            condition["strength"],
            condition["quote"]["text"],
        ]
        if verdict["source"] is None:
            assert verdict["state"] == "unknown"
            assert verdict["reason"]
            continue
        finding = results["module_statuses"][verdict["module"]]
        value = results["results"][verdict["module"]][verdict["field"]]
        assert value is not None
        assert verdict["as_of"] == (finding["observed_at"] or finding["fetched_at"])
        assert verdict["source"] == finding["source"]
        assert verdict["method"] == "simulated"
        assert is_named(value, verdict["found"]), (value, verdict["found"])


def is_named(value: Any, found: str) -> bool:
    """Whether the words for what was found are those of the value, or of one in the list that it is."""
    if isinstance(value, list):
        names = [text for one in value for text in ([one] if isinstance(one, str) else map(str, one.values()))]
        return not value or "none among" in found or any(name in found for name in names)
    return str(value) in found.replace(",", "") or f"{value:,}" in found if isinstance(value, int) else value in found


@pytest.mark.parametrize(
    ("icp", "modules"),
    [
        ("Among the top 10,000 websites", {"m03_traffic", "m14_icp_scoring"}),
        ("Ideally on Shopify", {"m02_tech_stack", "m14_icp_scoring"}),
        ("Retailers with offices in Berlin", {"m01_company_context", "m14_icp_scoring"}),
    ],
)
async def test_a_blueprint_lists_the_modules_that_judge_its_conditions(
    api: httpx.AsyncClient, icp: str, modules: set[str]
) -> None:
    blueprint = await post(api, "/campaigns/enrichment", 200, website_url="getuniti.com", icp=icp)

    assert modules <= set(blueprint["modules"])


async def test_judging_by_another_profile_costs_nothing_and_is_kept_apart(
    api: httpx.AsyncClient, clock: FakeClock
) -> None:
    facts = ["m01_company_context", "m02_tech_stack"]
    await post(api, f"{API}/costco.com", modules=facts)
    await clock.advance(10)
    answers = {}
    for icp in ("US retailers", "German banks", {"company_size": "10-50"}, None):
        job = await post(api, f"{API}/costco.com", modules=["m14_icp_scoring", "m15_displacement_angle"], icp=icp)
        await clock.advance(0)
        results = (await api.get(f"{API}/costco.com/results", params={"job_id": job["job_id"]})).json()
        assert results["status"] == "completed"
        assert results["cached_modules"] == []
        answers[str(icp)] = results["results"]["m14_icp_scoring"]
    assert [answer.get("verdict") for answer in answers.values()] == ["qualified", "disqualified", "disqualified", None]
    assert all(run["attempts"][0]["source"] == "local" for run in [results["module_statuses"]["m14_icp_scoring"]])

    again = await post(api, f"{API}/costco.com", modules=["m14_icp_scoring"], icp="US retailers")
    await clock.advance(0)
    results = (await api.get(f"{API}/costco.com/results", params={"job_id": again["job_id"]})).json()
    assert results["cached_modules"] == ["m14_icp_scoring"]
    assert results["results"]["m14_icp_scoring"] == answers["US retailers"]
    cache = (await api.get(f"{API}/costco.com/cache")).json()
    cached = [module["module_id"] for module in cache["modules"] if module["is_cached"]]
    assert cached == [*facts, "m14_icp_scoring", "m15_displacement_angle"]


async def test_a_dry_run_tells_judgements_by_different_profiles_apart(api: httpx.AsyncClient, clock: FakeClock) -> None:
    modules = ["m01_company_context", "m14_icp_scoring"]
    await post(api, f"{API}/costco.com", modules=modules, icp="US retailers")
    await clock.advance(10)

    for icp, action in (("US retailers", "cached"), ("German banks", "asked"), (None, "asked")):
        plan = await post(api, f"{API}/costco.com", 200, modules=modules, icp=icp, dry_run=True)
        assert [module["action"] for module in plan["modules"]] == ["cached", action]


async def test_a_retry_judges_by_the_same_profile(clock: FakeClock) -> None:
    settings = Settings(auth="off", simulated_failures=("m01_company_context",))
    async with client_of(create_app(settings, clock=clock)) as api:
        await post(api, f"{API}/costco.com", icp="US retailers")
        await clock.advance(60)
        retried = await post(api, f"{API}/costco.com/retry", failed_modules_only=False)

    assert [each["label"] for each in retried["icp"]["conditions"]] == ["United States", "Retail"]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"icp": "xyzzy plugh"}, "unreadable_profile", "#/icp"),
        ({"icp": {"conditions": [{"measure": "headcount", "value": "much"}]}}, "invalid_profile", None),
        ({"icp": {"conditions": [{"measure": "weight", "value": 3}]}}, "invalid_body", "#/icp/conditions/0/measure"),
        ({"icp": "US retailers", "blueprint_id": "b"}, "contradictory_request", "#/blueprint_id"),
        ({"blueprint_id": "blueprint_1"}, "blueprint_not_found", "#/blueprint_id"),
        ({"blueprint_id": ""}, "invalid_body", "#/blueprint_id"),
        ({"icp": 3}, "invalid_body", "#/icp"),
    ],
)
async def test_a_profile_that_cannot_be_judged_by_is_refused(
    api: httpx.AsyncClient, body: dict[str, Any], code: str, pointer: str | None
) -> None:
    for path, more in ((f"{API}/costco.com", {}), (f"{API}/batch", {"domains": ["costco.com"]})):
        problem = await post(api, path, 404 if code == "blueprint_not_found" else 422, **body, **more)
        assert problem["code"] == code
        assert pointer in (None, problem["errors"][0]["pointer"])
    assert (await api.get(API)).json()["total"] == 0


async def test_a_profile_in_the_query_of_a_table(api: httpx.AsyncClient, clock: FakeClock) -> None:
    async def post_table(**query: str) -> httpx.Response:
        headers = {"content-type": "text/csv"}
        return await api.post(f"{API}/batch", content=b"domain\ncostco.com\n", params=query, headers=headers)

    started = (await post_table(icp="US retailers", modules="m01_company_context,m14_icp_scoring")).json()
    await clock.advance(10)
    (lead,) = await leads_of(api, started["batch_id"], qualified="true")
    assert lead["posted"] == {"domain": "costco.com"}
    for query, code in (
        ({"icp": "xyzzy"}, "unreadable_profile"),
        ({"icp": "US", "blueprint_id": "b"}, "contradictory_request"),
    ):
        refused = (await post_table(**query)).json()
        assert refused["code"] == code
        assert refused["errors"][0]["parameter"] in query


async def test_a_blank_profile_counts_as_not_given(api: httpx.AsyncClient) -> None:
    for icp in ("", "  ", {"industries": [" "]}, None):
        assert "icp" not in await post(api, f"{API}/costco.com", icp=icp)


def test_every_module_that_is_derived_is_judged_by_the_profile() -> None:
    derived = [module.id for module in MODULES.values() if module.is_derived]

    assert derived == ["m13_case_study_match", "m14_icp_scoring", "m15_displacement_angle"]
