"""
BlackSheep, with dataclasses. It has no background tasks of its own, so the job is a task of asyncio's.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from blacksheep import Application, Response, json, not_found

SECONDS = float(os.environ.get("SIMULATED_LOOKUP_SECONDS", "15"))


@dataclass
class EnrichRequest:
    """What is asked."""

    company_domain: str


@dataclass
class CompanyData:
    """What was found."""

    company_size: int
    industry: str


@dataclass
class PendingJob:
    """A job under way."""

    job_id: str
    status: Literal["pending"] = "pending"


@dataclass
class CompleteJob:
    """A job that is done."""

    job_id: str
    data: CompanyData
    status: Literal["complete"] = "complete"


app = Application()
jobs: dict[str, PendingJob | CompleteJob] = {}
tasks: set[asyncio.Task[None]] = set()


@app.router.post("/enrich")
async def start(data: EnrichRequest) -> Response:
    """Answer, and set the job going."""
    job = PendingJob(job_id=str(uuid4()))
    jobs[job.job_id] = job
    task = asyncio.create_task(complete(job.job_id))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return json(job, status=202)


@app.router.get("/enrich/{job_id}")
async def read(job_id: str) -> Response:
    """How the job stands."""
    if job_id not in jobs:
        return not_found("Job not found")
    return json(jobs[job_id])


async def complete(job_id: str) -> None:
    """The job."""
    await asyncio.sleep(SECONDS)
    jobs[job_id] = CompleteJob(job_id=job_id, data=CompanyData(company_size=50, industry="AI Software"))
