"""
The leads of a batch in three forms: a page of JSON, lines of JSON, and CSV.
"""

import asyncio
import csv
import io
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

import schemas
from enrichment.clock import isoformat_utc
from enrichment.jobs.model import SCORING, BatchItem, Enrichment
from enrichment.jobs.protocols import BatchSnapshot, JobStore
from enrichment.modules.answers import (
    CompanyContext,
    Financials,
    HiringSignals,
    TechStack,
    Traffic,
    TriggerEvents,
)
from enrichment.modules.icp_score import IcpScore
from enrichment.modules.module import Answer, Finding
from enrichment.web.tables import unique_names
from schemas import StepState

LEADS_PER_READ: Final = 50  # of a stream, so that neither their memory nor the time to the first line grows with it
SECONDS_PER_TURN: Final = 0.002  # for which leads may hold the event loop
PLAIN_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"First characters with which spreadsheets begin a formula or a command (OWASP, CSV Injection), and their wide forms."

SHAPES: Final[dict[str, type[Answer]]] = {
    "m01_company_context": CompanyContext,
    "m02_tech_stack": TechStack,
    "m03_traffic": Traffic,
    "m07_financials": Financials,
    "m10_hiring_signals": HiringSignals,
    "m12_trigger_events": TriggerEvents,
}
"The answers that have key facts."

VERDICTS: Final = {"qualified": 0, "undecided": 1, None: 1, "disqualified": 3}
"The order of verdicts in a ranking; leads without a score come before the last."


class Place(NamedTuple):
    """An entry of a batch: its position from 1, its job if it is held, and its rank by score if it has one."""

    row: int
    item: BatchItem
    job: Enrichment | None
    rank: int | None


def ranked(snapshot: BatchSnapshot) -> list[Place]:
    """List the entries of a batch in the order in which they were posted, with their ranks."""
    entries = [
        Place(row, item, snapshot.jobs.get(item.job_id or ""), None)
        for row, item in enumerate(snapshot.batch.items, start=1)
    ]
    scored = [each for each in entries if each.job and each.job.fit and each.job.fit.score is not None]
    by_score = sorted(scored, key=order_by_score)
    ranks = {each.row: rank for rank, each in enumerate(by_score, start=1)}
    return [each._replace(rank=ranks.get(each.row)) for each in entries]


def order_by_score(place: Place) -> tuple[int, int, float, int]:
    """Return a key that sorts by verdict, score and coverage, the best first; equal ones stay as posted."""
    fit = place.job.fit if place.job else None
    if fit is None or fit.score is None:
        return 2, 0, 0.0, place.row
    return VERDICTS[fit.verdict], -fit.score, -fit.coverage, place.row


async def read_leads(
    store: JobStore, snapshot: BatchSnapshot, places: Sequence[Place]
) -> AsyncIterator[schemas.BatchLead]:
    """Read the jobs of the entries in one call, and iterate over the leads."""
    jobs = await store.enrichments([place.job.id for place in places if place.job])
    began = time.perf_counter()
    for place in places:
        if time.perf_counter() - began > SECONDS_PER_TURN:
            await asyncio.sleep(0)
            began = time.perf_counter()
        yield _lead(snapshot, place, jobs.get(place.item.job_id or ""))


async def ndjson(store: JobStore, snapshot: BatchSnapshot, places: Sequence[Place]) -> AsyncIterator[bytes]:
    """Iterate over the leads as lines of JSON."""
    for start in range(0, len(places), LEADS_PER_READ):
        async for lead in read_leads(store, snapshot, places[start : start + LEADS_PER_READ]):
            yield msgspec.json.encode(lead) + b"\n"


async def csv_rows(
    store: JobStore, snapshot: BatchSnapshot, places: Sequence[Place], *, bom: bool
) -> AsyncIterator[bytes]:
    """Iterate over the leads as rows of CSV (RFC 4180), after one with the names of the columns."""
    posted = unique_names(snapshot.batch.columns, COLUMNS.keys())
    yield ("\ufeff" if bom else "").encode() + _csv_row([*COLUMNS, *map(safe_text, posted)])
    for start in range(0, len(places), LEADS_PER_READ):
        async for lead in read_leads(store, snapshot, places[start : start + LEADS_PER_READ]):
            score = msgspec.json.decode(lead.judgement, type=IcpScore) if lead.judgement else None
            ours = [column(lead, score) for column in COLUMNS.values()]
            theirs = () if lead.posted is msgspec.UNSET else lead.posted.values()
            yield _csv_row([safe_text(cell) if isinstance(cell, str) else cell for cell in (*ours, *theirs)])


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it if it looks like one."""
    begin = text.lstrip(" ")[:1]
    is_formula = begin in FORMULA and begin and not PLAIN_NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def _csv_row(cells: Sequence[Any]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()


def _lead(snapshot: BatchSnapshot, place: Place, job: Enrichment | None) -> schemas.BatchLead:
    item, batch = place.item, snapshot.batch
    posted = dict(zip(batch.columns, item.cells, strict=True)) if batch.columns else msgspec.UNSET
    findings = {step.module_id: step.finding for step in job.steps if step.finding} if job else {}
    used = {module_id: finding for module_id, finding in findings.items() if module_id in SHAPES}
    fit = job.fit if job else None
    return schemas.BatchLead(
        row=place.row,
        domain=item.domain,
        job_id=item.job_id,
        status=job.state.value if job else "forgotten" if item.job_id else "skipped",
        reason=item.reason or (job.error if job else None),
        simulated=batch.simulated or any(finding.simulated for finding in findings.values()),
        rank=place.rank,
        score=fit.score if fit else None,
        tier=fit.tier if fit else None,
        verdict=fit.verdict if fit else None,
        judgement=findings[SCORING].body if SCORING in findings else None,
        facts=_facts(used) if used else None,
        as_of=isoformat_utc(min((finding.fetched_at for finding in used.values()), default=None)),
        sources={module_id: finding.source for module_id, finding in used.items()},
        failed_modules=tuple(step.module_id for step in job.steps if step.state is StepState.FAILED) if job else (),
        posted=posted,
    )


def _facts(findings: dict[str, Finding]) -> schemas.LeadFacts:
    answers: dict[str, Any] = {module_id: finding.read(SHAPES[module_id]) for module_id, finding in findings.items()}
    context: CompanyContext | None = answers.get("m01_company_context")
    stack: TechStack | None = answers.get("m02_tech_stack")
    traffic: Traffic | None = answers.get("m03_traffic")
    financials: Financials | None = answers.get("m07_financials")
    hiring: HiringSignals | None = answers.get("m10_hiring_signals")
    triggers: TriggerEvents | None = answers.get("m12_trigger_events")
    event = triggers.events[0] if triggers and triggers.events else None
    return schemas.LeadFacts(
        company_name=context.company_name if context else None,
        industry=context.industry if context else None,
        employees=context.employees if context else None,
        founded=context.founded if context else None,
        headquarters=context.hq if context else None,
        country=context.country if context else None,
        revenue=financials.revenue if financials else None,
        revenue_currency=financials.currency if financials and financials.revenue is not None else None,
        revenue_basis=financials.basis if financials else None,
        technologies=tuple(technology.name for technology in stack.technologies) if stack else (),
        monthly_visits=traffic.monthly_visits if traffic else None,
        open_roles=hiring.open_roles if hiring else None,
        latest_event=event.headline if event else None,
        latest_event_date=event.date if event else None,
    )


# The columns of CSV. Programs read them by name: none is renamed or removed, and new ones go to the end.


Column = Callable[[schemas.BatchLead, IcpScore | None], Any]
"Makes the cell of a lead from it and the answer of m14."


def _conditions(score: IcpScore | None, state: str) -> str | None:
    """The conditions in this state, each with the value that was found."""
    if score is None or score.conditions is msgspec.UNSET:
        return None
    wanted = [each for each in score.conditions if each.state == state]
    return "; ".join(f"{each.wanted} [{each.found}]" if each.found else each.wanted for each in wanted)


def _fact(name: str) -> Column:
    return lambda lead, _: _joined(getattr(lead.facts, name, None))


def _joined(value: Any) -> Any:
    return "; ".join(value) if isinstance(value, tuple) else value


COLUMNS: Final[dict[str, Column]] = {
    "row": lambda lead, _: lead.row,
    "domain": lambda lead, _: lead.domain,
    "status": lambda lead, _: lead.status,
    "reason": lambda lead, _: lead.reason,
    "rank": lambda lead, _: lead.rank,
    "score": lambda lead, _: lead.score,
    "tier": lambda lead, _: lead.tier,
    "verdict": lambda lead, _: lead.verdict,
    "coverage": lambda _, score: score.coverage if score else None,
    "explanation": lambda _, score: " ".join(_explanation(score)) if score else None,
    "met": lambda _, score: _conditions(score, "met"),
    "not_met": lambda _, score: _conditions(score, "not_met"),
    "unknown": lambda _, score: _conditions(score, "unknown"),
    **{name: _fact(name) for name in schemas.LeadFacts.__struct_fields__},
    "simulated": lambda lead, _: str(lead.simulated).lower(),
    "as_of": lambda lead, _: lead.as_of,
    "sources": lambda lead, _: "; ".join(f"{module_id}: {source}" for module_id, source in lead.sources.items()),
    "failed_modules": lambda lead, _: "; ".join(lead.failed_modules),
    "job_id": lambda lead, _: lead.job_id,
}


def _explanation(score: IcpScore) -> Iterator[str]:
    yield from score.explanation or ()
