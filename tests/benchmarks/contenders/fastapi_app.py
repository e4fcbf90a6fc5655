"""
FastAPI, with Pydantic models and BackgroundTasks.
"""

import asyncio
import os
from typing import Literal
from uuid import uuid4

from fastapi import BackgroundTasks, FastAPI, HTTPException
from pydantic import BaseModel

SECONDS = float(os.environ.get("SIMULATED_LOOKUP_SECONDS", "15"))


class EnrichRequest(BaseModel):
    """What is asked."""

    company_domain: str


class CompanyData(BaseModel):
    """What was found."""

    company_size: int
    industry: str


class PendingJob(BaseModel):
    """A job under way."""

    job_id: str
    status: Literal["pending"] = "pending"


class CompleteJob(BaseModel):
    """A job that is done."""

    job_id: str
    status: Literal["complete"] = "complete"
    data: CompanyData


app = FastAPI()
jobs: dict[str, PendingJob | CompleteJob] = {}


@app.post("/enrich", status_code=202)
async def start(request: EnrichRequest, background_tasks: BackgroundTasks) -> PendingJob:
    """Answer, then see the job through."""
    job = PendingJob(job_id=str(uuid4()))
    jobs[job.job_id] = job
    background_tasks.add_task(complete, job.job_id)
    return job


@app.get("/enrich/{job_id}")
async def read(job_id: str) -> PendingJob | CompleteJob:
    """How the job stands."""
    if job_id not in jobs:
        raise HTTPException(status_code=404, detail="Job not found")
    return jobs[job_id]


async def complete(job_id: str) -> None:
    """The job."""
    await asyncio.sleep(SECONDS)
    jobs[job_id] = CompleteJob(job_id=job_id, data=CompanyData(company_size=50, industry="AI Software"))
