"""
The leads of a batch over real sockets: ranked, filtered, in three forms; and batches that are posted as tables.
"""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

import schemas
from enrichment.engine import Engine
from enrichment.jobs.model import BatchItem, JobOptions
from enrichment.modules.table import MODULES, plan
from enrichment.settings import Settings
from enrichment.sources.simulated.company import company_of
from enrichment.web.boundary import App
from enrichment.web.leads import COLUMNS, safe_text
from schemas import Condition, Measure
from service import create_app
from tests.conftest import ROOT, FakeClock, client_of
from tests.profiles_of_leads import condition, profile

API = "/api/v1/enrich/batch"
M01, M02, M14 = "m01_company_context", "m02_tech_stack", "m14_icp_scoring"
DOMAINS = ["costco.com", "zalando.de", "shopify.com", "localhost", "costco.com"]


def app_of(clock: FakeClock, **settings: Any) -> App:
    return create_app(Settings(api_tokens=("t",), **settings), clock=clock)


@asynccontextmanager
async def connected(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        client.headers["authorization"] = "Bearer t"
        yield client


@pytest.fixture
def app(clock: FakeClock) -> App:
    return app_of(clock)


@pytest.fixture
def engine(app: App) -> Engine:
    engine: Engine = app.state.engine
    return engine


@pytest.fixture
async def api(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(app) as client:
        yield client


async def submit(engine: Engine, domains: list[str], *conditions: Condition, modules: Any = None) -> str:
    """Start a batch with a profile, as a handler does; return its id."""
    options = JobOptions(
        modules=plan(modules, None),
        priority="normal",
        force=False,
        request_id="r",
        profile=profile(*conditions) if conditions else None,
    )
    batch, jobs = await engine.jobs.submit_batch([BatchItem(domain=domain) for domain in domains], options, 20)
    await engine.jobs.dispatch(jobs, batch)
    return batch.id


async def post(api: httpx.AsyncClient, **body: Any) -> str:
    response = await api.post(API, json=body)
    assert response.status_code == 202, response.text
    batch_id: str = response.json()["batch_id"]
    return batch_id


async def results(api: httpx.AsyncClient, batch_id: str, **query: Any) -> Any:
    response = await api.get(f"{API}/{batch_id}/results", params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def table(api: httpx.AsyncClient, batch_id: str, **query: Any) -> list[dict[str, str]]:
    response = await api.get(f"{API}/{batch_id}/results", params={"format": "csv", **query})
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


# Leads


async def test_every_domain_that_was_posted_has_a_lead(api: httpx.AsyncClient, clock: FakeClock) -> None:
    batch_id = await post(api, domains=DOMAINS)
    await clock.advance(60)
    page = await results(api, batch_id)

    assert {name: page[name] for name in page if name != "leads"} == {
        "batch_id": batch_id,
        "simulated": True,
        "total": 5,
        "finished_count": 5,
        "total_domains": 5,
        "limit": 50,
        "offset": 0,
    }
    assert [(lead["row"], lead["domain"], lead["status"]) for lead in page["leads"]] == [
        (1, "costco.com", "completed"),
        (2, "zalando.de", "completed"),
        (3, "shopify.com", "completed"),
        (4, "localhost", "skipped"),
        (5, "costco.com", "skipped"),
    ]
    assert page["leads"][4]["reason"] == "costco.com is in this batch already."
    assert page["leads"][4]["facts"] is None
    company, lead = company_of("costco.com"), page["leads"][0]
    assert lead["facts"] | {"technologies": 0, "open_roles": 0, "latest_event": 0, "latest_event_date": 0} == {
        "company_name": company.name,
        "industry": company.industry,
        "employees": company.employees,
        "founded": company.founded,
        "headquarters": "Issaquah, WA",
        "country": "United States",
        "revenue": company.revenue,
        "revenue_currency": "USD",
        "revenue_basis": "reported",
        "technologies": 0,
        "monthly_visits": company.monthly_visits,
        "open_roles": 0,
        "latest_event": 0,
        "latest_event_date": 0,
    }
    assert lead["facts"]["technologies"] == ["Adobe AEM", "React", "Elasticsearch"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", lead["facts"]["latest_event_date"])
    assert lead["sources"][M01] == "simulated"
    assert lead["as_of"] == "2026-02-26T10:35:03Z"
    assert lead["simulated"] is True
    assert lead["judgement"]["score"] == lead["score"]
    assert [lead["verdict"], lead["tier"]] == [None, lead["judgement"]["tier"]]
    assert sorted(lead["rank"] for lead in page["leads"][:3]) == [1, 2, 3]
    assert "posted" not in lead


async def test_the_judgement_is_the_answer_of_m14(api: httpx.AsyncClient, clock: FakeClock) -> None:
    batch_id = await post(api, domains=DOMAINS)
    await clock.advance(60)
    (lead, *_) = (await results(api, batch_id))["leads"]
    job = await api.get("/api/v1/enrich/costco.com/results", params={"modules": M14})

    assert job.json()["results"][M14] == lead["judgement"]


async def test_a_batch_that_is_not_finished_says_when_to_ask_again(api: httpx.AsyncClient, clock: FakeClock) -> None:
    batch_id = await post(api, domains=["costco.com"])
    response = await api.get(f"{API}/{batch_id}/results")
    (lead,) = response.json()["leads"]

    assert response.headers["retry-after"] == "5"
    assert [lead["status"], lead["facts"], lead["as_of"], lead["rank"]] == ["running", None, None, None]
    assert response.json()["finished_count"] == 0
    await clock.advance(4)
    (lead,) = (await results(api, batch_id))["leads"]
    assert lead["status"] == "running"
    assert lead["facts"]["employees"] == company_of("costco.com").employees
    assert lead["facts"]["revenue"] is None
    await clock.advance(60)
    assert "retry-after" not in (await api.get(f"{API}/{batch_id}/results")).headers


async def test_failed_cancelled_and_forgotten_jobs_have_leads_that_say_so(clock: FakeClock) -> None:
    app = app_of(clock, simulated_failures=(M01, M02), job_retention_seconds=100)
    async with connected(app) as api:
        batch_id = await post(api, domains=["a.com", "b.com"], modules=[M01, M02], concurrency=1)
        await api.post("/api/v1/enrich/b.com/cancel")
        await clock.advance(5)
        first, second = (await results(api, batch_id))["leads"]

        assert first["status"] == "failed"
        assert first["reason"].startswith("No module returned a result.")
        assert first["failed_modules"] == [M01, M02]
        assert [second["status"], second["reason"]] == ["cancelled", "Cancelled on request."]
        await clock.advance(97)
        statuses = [lead["status"] for lead in (await results(api, batch_id))["leads"]]
        assert statuses == ["failed", "forgotten"]


async def test_a_job_that_is_forgotten_while_leads_are_read_is_forgotten(
    api: httpx.AsyncClient, engine: Engine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = await post(api, domains=["costco.com"])
    await clock.advance(60)

    async def nothing(_: Any) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(engine.store, "enrichments", nothing)
    (lead,) = (await results(api, batch_id))["leads"]
    assert [lead["status"], lead["facts"], lead["score"]] == ["forgotten", None, None]


async def test_an_unknown_batch_is_404(api: httpx.AsyncClient) -> None:
    response = await api.get(f"{API}/batch_x/results")

    assert (response.status_code, response.json()["detail"]) == (404, "Batch not found")


# Ranking


EMPLOYEES = condition(Measure.HEADCOUNT, 1_000, operator="gte", label="1000 or more employees")
IN_THE_US = condition(Measure.HEADQUARTERS, "us", label="United States", codes=("US",), kind="country")
OLD = condition(Measure.FOUNDED, 1990, "should", operator="lte", label="founded before 1991")


def expected_verdict(domain: str) -> str:
    company = company_of(domain)
    is_wanted = company.employees >= 1_000 and company.country_code == "US"
    return "qualified" if is_wanted else "disqualified"


async def test_leads_are_ranked_by_the_profile(api: httpx.AsyncClient, engine: Engine, clock: FakeClock) -> None:
    domains = [f"company{number}.com" for number in range(12)]
    batch_id = await submit(engine, domains, EMPLOYEES, IN_THE_US, OLD, modules=[M01, M14])
    await clock.advance(60)
    leads = (await results(api, batch_id, sort="score"))["leads"]

    assert {lead["domain"]: lead["verdict"] for lead in leads} == {name: expected_verdict(name) for name in domains}
    assert {lead["verdict"] for lead in leads} == {"qualified", "disqualified"}
    assert [lead["rank"] for lead in leads] == list(range(1, 13))
    order = [(lead["verdict"] == "disqualified", -lead["score"]) for lead in leads]
    assert order == sorted(order)
    assert [lead["row"] for lead in (await results(api, batch_id))["leads"]] == list(range(1, 13))

    qualified = await results(api, batch_id, qualified=True, sort="score")
    others = await results(api, batch_id, qualified=False)
    assert qualified["leads"] == [lead for lead in leads if lead["verdict"] == "qualified"]
    assert qualified["total"] + others["total"] == 12
    assert {lead["verdict"] for lead in others["leads"]} == {"disqualified"}


async def test_leads_without_a_score_come_before_the_disqualified_ones(
    api: httpx.AsyncClient, engine: Engine, clock: FakeClock
) -> None:
    domains = [f"company{number}.com" for number in range(4)]
    batch_id = await submit(engine, domains, EMPLOYEES, IN_THE_US, modules=[M01, M14])
    await api.post("/api/v1/enrich/company2.com/cancel")
    unknown = condition(Measure.PERSONA, "CFO")
    nothing_known = await submit(engine, ["costco.com"], unknown, modules=[M14])
    await clock.advance(60)
    leads = (await results(api, batch_id, sort="score"))["leads"]
    (lead,) = (await results(api, nothing_known, sort="score"))["leads"]

    verdicts = [lead["verdict"] for lead in leads]
    assert verdicts == sorted(verdicts, key=["qualified", None, "disqualified"].index)
    assert None in verdicts
    assert [lead["status"], lead["score"], lead["rank"], lead["verdict"]] == ["completed", None, None, "undecided"]


async def test_pages(api: httpx.AsyncClient, clock: FakeClock) -> None:
    batch_id = await post(api, domains=[f"c{number}.com" for number in range(7)], waves=[1])
    await clock.advance(60)
    page = await results(api, batch_id, limit=3, offset=5)

    assert [lead["row"] for lead in page["leads"]] == [6, 7]
    assert [page["total"], page["limit"], page["offset"]] == [7, 3, 5]
    assert [row["row"] for row in await table(api, batch_id, limit=2, offset=1)] == ["2", "3"]
    assert await table(api, batch_id, offset=9) == []


async def test_only_one_call_to_the_store_reads_the_jobs_of_a_page(
    api: httpx.AsyncClient, engine: Engine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = await post(api, domains=[f"c{number}.com" for number in range(60)], waves=[1])
    await clock.advance(600)
    calls = []
    read = engine.store.enrichments

    async def counting(job_ids: Any) -> Any:
        calls.append(len(job_ids))
        return await read(job_ids)

    monkeypatch.setattr(engine.store, "enrichments", counting)
    await results(api, batch_id, limit=60)
    assert calls == [60]
    assert len(await table(api, batch_id)) == 60
    assert calls == [60, 50, 10]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"sort": "name"}, "sort"),
        ({"qualified": "maybe"}, "qualified"),
        ({"format": "xlsx"}, "format"),
        ({"bom": True}, "bom"),
        ({"bom": True, "format": "ndjson"}, "bom"),
        ({"limit": 201}, "limit"),
        ({"limit": 0}, "limit"),
        ({"offset": -1}, "offset"),
        ({"page": 1}, "page"),
    ],
)
async def test_a_parameter_that_cannot_be_taken_is_named(
    api: httpx.AsyncClient, query: dict[str, Any], parameter: str
) -> None:
    batch_id = await post(api, domains=["costco.com"])
    response = await api.get(f"{API}/{batch_id}/results", params=query)

    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == parameter


async def test_a_batch_without_profile_has_no_qualified_leads(api: httpx.AsyncClient) -> None:
    batch_id = await post(api, domains=["costco.com"])
    response = await api.get(f"{API}/{batch_id}/results", params={"qualified": "true"})

    assert (response.status_code, response.json()["code"]) == (409, "no_profile")
    assert response.json()["errors"][0]["parameter"] == "qualified"


# Forms


@pytest.mark.parametrize(
    ("accept", "query", "media_type"),
    [
        ("*/*", {}, "application/json"),
        ("application/json", {}, "application/json"),
        ("text/csv", {}, "text/csv; charset=utf-8; header=present"),
        ("application/x-ndjson", {}, "application/x-ndjson"),
        ("text/csv;q=0.5, application/x-ndjson", {}, "application/x-ndjson"),
        ("text/csv", {"format": "json"}, "application/json"),
        ("*/*", {"format": "csv"}, "text/csv; charset=utf-8; header=present"),
        ("*/*", {"format": "ndjson"}, "application/x-ndjson"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_form_is_that_of_the_query_or_of_accept(
    api: httpx.AsyncClient, accept: str, query: dict[str, str], media_type: str, method: str
) -> None:
    batch_id = await post(api, domains=["costco.com"])
    response = await api.request(method, f"{API}/{batch_id}/results", params=query, headers={"accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["retry-after"] == "5"


async def test_lines_of_json_are_the_leads(api: httpx.AsyncClient, clock: FakeClock) -> None:
    batch_id = await post(api, domains=DOMAINS)
    await clock.advance(60)
    response = await api.get(f"{API}/{batch_id}/results", params={"format": "ndjson", "sort": "score"})

    lines = [json.loads(line) for line in response.text.splitlines()]
    assert lines == (await results(api, batch_id, sort="score"))["leads"]


async def test_csv_has_a_row_for_each_lead(api: httpx.AsyncClient, engine: Engine, clock: FakeClock) -> None:
    batch_id = await submit(engine, ["costco.com"], EMPLOYEES, OLD, condition(Measure.PERSONA, "CFO"))
    await clock.advance(60)
    response = await api.get(f"{API}/{batch_id}/results", params={"format": "csv"})
    (row,) = await table(api, batch_id)
    company = company_of("costco.com")

    assert response.headers["content-disposition"] == f'attachment; filename="{batch_id}.csv"'
    assert response.text.count("\r\n") == response.text.count("\n") == 2
    assert list(row) == list(COLUMNS)
    assert (
        row["met"] == f"1000 or more employees [{company.employees:,} employees]; founded before 1991 [founded in 1983]"
    )
    assert [row["not_met"], row["unknown"], row["verdict"], row["tier"]] == ["", "CFO", "qualified", "A"]
    assert row["explanation"].startswith("Of 2 requirements, 1 are met and 1 are unknown.")
    assert [row["employees"], row["simulated"], row["revenue"]] == [
        str(company.employees),
        "true",
        str(company.revenue),
    ]
    assert row["technologies"] == "Adobe AEM; React; Elasticsearch"
    assert row["sources"].startswith("m01_company_context: simulated; m02_tech_stack: simulated")


async def test_csv_of_a_batch_without_profile_and_without_answers(api: httpx.AsyncClient, clock: FakeClock) -> None:
    batch_id = await post(api, domains=DOMAINS)
    (first, *_) = await table(api, batch_id)
    assert [first["score"], first["met"], first["explanation"], first["company_name"]] == ["", "", "", ""]
    await clock.advance(60)
    first, *_, last = await table(api, batch_id)

    assert [first["met"], first["explanation"]] == ["", ""]
    assert first["score"].isdigit()
    assert [last["status"], last["job_id"]] == ["skipped", ""]


async def test_a_byte_order_mark_is_sent_only_if_it_is_wanted(api: httpx.AsyncClient) -> None:
    batch_id = await post(api, domains=["costco.com"])

    for bom, begin in (("true", b"\xef\xbb\xbfrow,domain,"), ("false", b"row,domain,")):
        response = await api.get(f"{API}/{batch_id}/results", params={"format": "csv", "bom": bom})
        assert response.content.startswith(begin)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("-5", "-5"),
        ("+3,5", "+3,5"),
        ("-2.50", "-2.50"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_texts_that_spreadsheets_would_take_for_formulas_are_made_safe(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_the_columns_of_csv_are_documented_in_their_order() -> None:
    """They are frozen: programs read them by name. New ones go to the end."""
    lines = (ROOT / "docs" / "leads.md").read_text().splitlines()

    assert [line.split("`")[1] for line in lines if line.startswith("| `")] == list(COLUMNS)


# Tables


async def post_table(api: httpx.AsyncClient, content: str | bytes, **query: Any) -> httpx.Response:
    return await api.post(
        API,
        content=content if isinstance(content, bytes) else content.encode(),
        params=query,
        headers={"content-type": "text/csv; charset=utf-8"},
    )


TABLE = (
    "Account;Owner;E-Mail;Budget\r\n"
    "Acme;=Ann;ann@costco.com;-5\r\n"
    '"Bee; Sons";Bob;bob@gmail.com;\r\n'
    'Cee;"two\nlines";;12\r\n'
    "Dee;Dan;dan@costco.com;1;2\r\n"
)


async def test_a_table_is_a_batch_and_its_columns_are_given_back(api: httpx.AsyncClient, clock: FakeClock) -> None:
    response = await post_table(api, TABLE, modules=f"{M01},{M14}", concurrency=3, priority="high", force="true")
    body = response.json()
    await clock.advance(30)
    rows = await table(api, body["batch_id"])
    leads = (await results(api, body["batch_id"]))["leads"]

    assert response.status_code == 202
    assert body["domain_column"] == "E-Mail"
    assert [body["queued_count"], body["skipped_count"], body["estimated_time_seconds"]] == [1, 3, 3]
    assert [lead["posted"] for lead in leads[:2]] == [
        {"Account": "Acme", "Owner": "=Ann", "E-Mail": "ann@costco.com", "Budget": "-5"},
        {"Account": "Bee; Sons", "Owner": "Bob", "E-Mail": "bob@gmail.com", "Budget": ""},
    ]
    assert list(rows[0]) == [*COLUMNS, "Account", "Owner", "E-Mail", "Budget"]
    assert [row["Owner"] for row in rows] == ["'=Ann", "Bob", "two\nlines", "Dan"]
    assert [row["Budget"] for row in rows] == ["-5", "", "12", "1"]
    assert [row["status"] for row in rows] == ["completed", "skipped", "skipped", "skipped"]
    assert "free provider" in rows[1]["reason"]
    assert rows[2]["reason"] == "Its cell in the column 'E-Mail' is empty."
    assert rows[3]["reason"] == "Its row has 5 cells, and the table 4 columns."
    status = await api.get(f"{API}/{body['batch_id']}")
    assert status.json()["domain_column"] == "E-Mail"


async def test_columns_that_have_our_names_get_a_number(api: httpx.AsyncClient) -> None:
    batch_id = (await post_table(api, "domain,status\na.com,new\n")).json()["batch_id"]
    (row,) = await table(api, batch_id)

    assert [row["domain"], row["domain (2)"], row["status"], row["status (2)"]] == ["a.com", "a.com", "running", "new"]


@pytest.mark.parametrize(
    ("content", "query", "place"),
    [
        ("Name\nAcme\n", {}, {"pointer": "#"}),
        ("domain\nlocalhost\n", {"column": "domain"}, {"pointer": "#/domains/0"}),
        ("domain\na.com\n", {"colum": "domain"}, {"parameter": "colum"}),
        ("domain\na.com\n", {"concurrency": 21}, {"parameter": "concurrency"}),
        ("domain\na.com\n", {"waves": "5"}, {"parameter": "waves"}),
        ("domain\na.com\n", {"waves": "1,2"}, None),
        ("domain\na.com\n", {"max_age": "60", "stale_if_error": "true", "max_cost": "0.5"}, None),
        ("domain\na.com\n", {"max_age": "60", "force": "true"}, {"parameter": "max_age"}),
        ("domain\na.com\n", {"max_cost": "-1"}, {"parameter": "max_cost"}),
        ("domain\na.com\n", {"modules": "m99"}, {"parameter": "modules"}),
        (b"domain\n\xff.com\n", {}, {"pointer": "#"}),
    ],
)
async def test_a_table_that_cannot_be_run_is_refused_with_the_place(
    api: httpx.AsyncClient, content: str | bytes, query: dict[str, Any], place: dict[str, str] | None
) -> None:
    response = await post_table(api, content, **query)

    assert response.status_code == (422 if place else 202)
    if place:
        assert place.items() <= response.json()["errors"][0].items()
        assert (await api.get("/api/v1/enrich")).json()["total"] == 0


async def test_a_table_is_not_judged_by_a_blueprint_that_does_not_exist(api: httpx.AsyncClient) -> None:
    response = await post_table(api, "domain\na.com\n", blueprint_id="b")

    assert (response.status_code, response.json()["code"]) == (404, "blueprint_not_found")
    assert response.json()["errors"][0]["parameter"] == "blueprint_id"


async def test_a_dry_run_of_a_table_starts_nothing(api: httpx.AsyncClient) -> None:
    response = await post_table(api, TABLE, dry_run="true")

    assert response.status_code == 200
    assert [response.json()["total_domains"], response.json()["queued_count"]] == [4, 1]
    assert (await api.get("/api/v1/enrich")).json()["total"] == 0


async def test_options_of_a_batch_in_json_are_not_taken_from_the_query(api: httpx.AsyncClient) -> None:
    response = await api.post(API, json={"domains": ["a.com"]}, params={"priority": "high"})

    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "priority"
    assert "with JSON it is in the body" in response.json()["detail"]


def test_every_option_of_a_batch_can_stand_in_the_query_of_a_table() -> None:
    fields = set(schemas.BatchRequest.__struct_fields__) - {"domains"}

    assert set(schemas.BatchQuery.__struct_fields__) - {"column"} == fields


async def test_a_table_larger_than_a_body_may_be_or_with_too_many_rows_is_refused(clock: FakeClock) -> None:
    async with connected(app_of(clock, max_body_bytes=1_000, max_batch_domains=2)) as api:
        assert (await post_table(api, "domain\n" + "a.com\n" * 400)).status_code == 413
        response = await post_table(api, "domain\na.com\nb.com\nc.com\n")
        assert response.status_code == 422
        assert "more than 2 rows" in response.json()["detail"]


async def test_requests_are_answered_while_large_tables_are_read_and_written(
    api: httpx.AsyncClient, clock: FakeClock
) -> None:
    rows = "".join(f"ü{number}.example,{'x' * 500}\n" for number in range(1_000))
    started, health = await asyncio.gather(post_table(api, f"domain,note\n{rows}", waves=1), api.get("/health"))
    assert health.elapsed < started.elapsed
    assert started.json()["queued_count"] == 1_000
    batch_id = started.json()["batch_id"]
    await clock.advance(2_000)
    written, health = await asyncio.gather(
        api.get(f"{API}/{batch_id}/results", params={"format": "csv"}), api.get("/health")
    )
    assert health.elapsed < written.elapsed
    assert written.text.count("\r\n") == 1_001


def test_every_module_with_key_facts_exists() -> None:
    from enrichment.web.leads import SHAPES  # noqa: PLC0415

    assert {module_id: MODULES[module_id].answer for module_id in SHAPES} == SHAPES
