"""
No framework: a bare ASGI callable with the standard library's json, which awaits the job in the request, as
Starlette's `BackgroundTask` does.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

SECONDS = float(os.environ.get("SIMULATED_LOOKUP_SECONDS", "15"))

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

jobs: dict[str, dict[str, Any]] = {}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The whole application."""
    if scope["type"] != "http":
        return
    method, path = scope["method"], scope["path"]
    if method == "POST" and path == "/enrich":
        await start(receive, send)
    elif method == "GET" and path.startswith("/enrich/"):
        job = jobs.get(path.removeprefix("/enrich/"))
        await answer(send, 200, job) if job else await answer(send, 404, {"detail": "Job not found"})
    else:
        await answer(send, 404, {"detail": "Not Found"})


async def start(receive: Receive, send: Send) -> None:
    """Answer, then see the job through."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        domain = json.loads(body)["company_domain"]
    except (ValueError, KeyError, TypeError):
        domain = None
    if not isinstance(domain, str):
        await answer(send, 422, {"detail": "company_domain is missing"})
        return
    job_id = str(uuid4())
    jobs[job_id] = {"job_id": job_id, "status": "pending"}
    await answer(send, 202, jobs[job_id])
    await complete(job_id)


async def answer(send: Send, status: int, content: dict[str, Any]) -> None:
    """One JSON response."""
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def complete(job_id: str) -> None:
    """The job."""
    await asyncio.sleep(SECONDS)
    jobs[job_id] = {
        "job_id": job_id,
        "status": "complete",
        "data": {"company_size": 50, "industry": "AI Software"},
    }
