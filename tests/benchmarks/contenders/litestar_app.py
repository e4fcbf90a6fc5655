"""
Litestar, with dataclasses and its BackgroundTask.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from litestar import Litestar, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException

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


jobs: dict[str, PendingJob | CompleteJob] = {}


@post("/enrich", status_code=202)
async def start(data: EnrichRequest) -> Response[PendingJob]:
    """Answer, then see the job through."""
    job = PendingJob(job_id=str(uuid4()))
    jobs[job.job_id] = job
    return Response(job, background=BackgroundTask(complete, job.job_id))


@get("/enrich/{job_id:str}")
async def read(job_id: str) -> PendingJob | CompleteJob:
    """How the job stands."""
    if job_id not in jobs:
        raise NotFoundException(detail="Job not found")
    return jobs[job_id]


async def complete(job_id: str) -> None:
    """The job."""
    await asyncio.sleep(SECONDS)
    jobs[job_id] = CompleteJob(job_id=job_id, data=CompanyData(company_size=50, industry="AI Software"))


app = Litestar(route_handlers=[start, read])
