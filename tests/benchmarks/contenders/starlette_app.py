"""
Plain Starlette, with the standard library's json and a BackgroundTask.
"""

import asyncio
import os
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SECONDS = float(os.environ.get("SIMULATED_LOOKUP_SECONDS", "15"))

jobs: dict[str, dict[str, Any]] = {}


async def start(request: Request) -> JSONResponse:
    """Answer, then see the job through."""
    try:
        domain = (await request.json())["company_domain"]
    except (ValueError, KeyError, TypeError):
        domain = None
    if not isinstance(domain, str):
        raise HTTPException(422, "company_domain is missing")
    job_id = str(uuid4())
    jobs[job_id] = {"job_id": job_id, "status": "pending"}
    return JSONResponse(jobs[job_id], status_code=202, background=BackgroundTask(complete, job_id))


async def read(request: Request) -> JSONResponse:
    """How the job stands."""
    job_id = request.path_params["job_id"]
    if job_id not in jobs:
        raise HTTPException(404, "Job not found")
    return JSONResponse(jobs[job_id])


async def complete(job_id: str) -> None:
    """The job."""
    await asyncio.sleep(SECONDS)
    jobs[job_id] = {
        "job_id": job_id,
        "status": "complete",
        "data": {"company_size": 50, "industry": "AI Software"},
    }


app = Starlette(routes=[Route("/enrich", start, methods=["POST"]), Route("/enrich/{job_id}", read)])
