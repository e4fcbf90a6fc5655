"""
Record what the service answers over HTTP, or compare two records.

`python -m tests.golden CHECKOUT OUT.json` serves a checkout of the service and sends it the requests of `golden.txt`
and more, always in the same order. `python -m tests.golden --compare A.json B.json` prints the differences and exits
with 1 if there are any. What varies from run to run is normalised: digits of times become `#`, ids are numbered.
"""

import difflib
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx

Record = list[dict[str, Any]]
IDS: Final = re.compile(
    r"\d{14}_[0-9a-z]{8}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=blueprint_)[0-9a-f]{16}"
    r"|\b[0-9a-f]{32}\b|(?<=Bearer )[\w-]{32}(?=')"
)
VARYING: Final = re.compile(
    r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z|"(?:duration_(?:seconds|ms)|ttl_remaining_seconds|seconds)":[\d.]+'
    r"|(?:127\.0\.0\.1|localhost):\d+|process \[\d+\]"
)
LOGGER: Final = re.compile(r'("logger":"\w+)[.\w]*')
METHODS: Final = re.compile(r"(?:GET|HEAD|POST)(?:, (?:GET|HEAD|POST))+")
PARTS: Final = re.split(r"^\[([\w ]+)\]\n", Path(__file__).with_suffix(".txt").read_text("utf-8"), flags=re.MULTILINE)
LINES: Final = {name: part.strip("\n").split("\n") for name, part in zip(PARTS[1::2], PARTS[2::2], strict=True)}
UNFINISHED: Final = ("queued", "running", "pending")
BLUEPRINT: Final = "/campaigns/enrichment"
NOW: Final = {"SIMULATED_MODULE_SECONDS": "0", "SIMULATED_LOOKUP_SECONDS": "0"}
NEVER: Final = {"SIMULATED_MODULE_SECONDS": "3600", "SIMULATED_LOOKUP_SECONDS": "3600"}
SMALL: Final = {"MAX_BODY_BYTES": "20000", "MAX_BATCH_DOMAINS": "5"}
SERVERS: Final = {
    "open": {"AUTH": "off", **NOW, **SMALL},
    "failing": {"API_TOKENS": "demo", "SIMULATED_FAILURES": "m05_competitors,m01_company_context", **NOW, **SMALL},
    "unfinished": {"AUTH": "off", "MAX_RUNNING_JOBS": "1", "MAX_PENDING_JOBS": "4", **NEVER},
    "bounded": {"AUTH": "off", "MAX_FINISHED_JOBS": "1", "JOB_DEADLINE_SECONDS": "0.2", **NEVER},
    "default": NOW,
}


class Session:
    """Requests to one server, and a record of the answers."""

    def __init__(self, name: str, client: httpx.Client) -> None:
        self.record: Record = []
        self._name = name
        self._client = client
        self._ids: dict[str, int] = {}
        self._job = ""

    def send(self, line: str, headers: dict[str, str] | None = None) -> None:
        """Send `METHOD PATH BODY`, `{job}` in it being the job before. Record the answer and, of a job, its end."""
        method, path, *body = line.replace("{job}", self._job).split(" ", 2)
        content = "".join(body).encode(errors="surrogateescape")
        response = self._client.request(method, path, content=content, headers=headers)
        shown = ascii(line[:300])[1:-1] + (f" {headers}" if headers else "")
        self.add(shown, response.status_code, dict(response.headers), response.text)
        if response.status_code == 202:
            self._job = response.json().get("job_id", "")
            self._wait(response.headers["location"])

    def add(self, request: str, status: int, headers: dict[str, str], text: str) -> None:
        """Record an answer without what varies."""
        body = self._same(text)
        headers = {name: self._same(headers[name]) for name in sorted(headers) if name != "date"}
        if sorted(body) != sorted(text) and "content-length" in headers:
            headers["content-length"] = "#"
        request = f"{self._name}: {self._same(request)}"
        self.record.append({"request": request, "status": status, "headers": headers, "body": body})

    def _wait(self, path: str) -> None:
        """Record how a job stands when it is finished, or waits for what never comes."""
        deadline = time.monotonic() + (0.2 if self._name == "unfinished" else 20)
        while self._client.get(path).json()["status"] in UNFINISHED and time.monotonic() < deadline:
            time.sleep(0.005)
        self.send(f"GET {path}")

    def _same(self, text: str) -> str:
        text = LOGGER.sub(r"\1", text)  # no more than the package, as docs/deploy.md has it
        text = METHODS.sub(lambda found: ", ".join(sorted(found[0].split(", "))), text)  # else in the order of a set
        text = IDS.sub(lambda found: f"<{self._ids.setdefault(found[0], len(self._ids) + 1)}>", text)
        return VARYING.sub(lambda found: re.sub(r"\d+", "#", found[0]), text)


@contextmanager
def served(name: str, checkout: str) -> Iterator[Session]:
    """The checkout served; its log is recorded at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", port, "--no-access-log"]
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "LOG_FORMAT": "json", **SERVERS[name]}
    headers = {"x-request-id": "golden", **({"authorization": "Bearer demo"} if "API_TOKENS" in environ else {})}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, cwd=checkout, env=environ, stdin=subprocess.DEVNULL, stderr=log) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False) as client,
    ):
        try:
            for _ in range(1_000):
                with suppress(httpx.ConnectError):
                    client.get("/health")
                    break
                time.sleep(0.02)
            session = Session(name, client)
            yield session
            process.terminate()
            status = process.wait(timeout=20)
            log.seek(0)
            session.add("log and exit status", status, {}, log.read().decode())
        finally:
            process.kill()


def send_everything(session: Session) -> None:
    """All routes, where every job ends at once."""
    for domain in LINES["domains"]:
        session.send(f'POST /enrich {{"company_domain": "{domain}"}}')
        session.send(f"POST /api/v1/enrich/{domain} {{}}")
        for what in ("GET {}/results", "GET {}/cache", "POST {}/retry"):
            session.send(what.format(f"/api/v1/enrich/{domain}"))
        session.send(f'POST {BLUEPRINT} {{"website_url": "https://{domain}/"}}')
    for profile, domain in zip(LINES["profiles"], itertools.cycle(LINES["domains"]), strict=False):
        given = profile[1:] if profile.startswith("{") else f'"icp": {json.dumps(profile)}}}'
        session.send(f'POST {BLUEPRINT} {{"website_url": "{domain}", {given}')
    for brief in ('{"website_url": "costco.com", "icp": "Insurers in France"}', '{"website_url": "ikea.se"}'):
        for accept in ("application/json", "text/event-stream", "application/x-ndjson"):
            session.send(f"POST /api/v1{BLUEPRINT} {brief}", {"accept": accept})
        session.send(f"POST {BLUEPRINT}?stream=1 {brief}", {"last-event-id": "4"})
    for line in LINES["requests"]:
        session.send(line)


def send_what_is_refused(session: Session) -> None:
    """What a line of text cannot say: long bodies, wrong bytes, headers."""
    for domain in ("a" * 64 + ".com", "a." * 130 + "com", "x" * 3_000, "y" * 20_000, "\udcff.com"):
        session.send(f'POST /enrich {{"company_domain": "{domain}"}}')
    session.send(f'POST {BLUEPRINT} {{"website_url": "costco.com", "icp": "{"x" * 5_001}"}}')
    session.send("POST /enrich " + "[" * 10_000)
    session.send(f'POST /enrich {{"{"z" * 1_000}": 1, "company_domain": "costco.com"}}')
    session.send('POST /enrich {"company_domain": "costco.com"}', {"sec-fetch-site": "cross-site"})
    session.send("GET /health", {"x-request-id": "not sane"})
    for authorization in ("", "Basic demo", "Bearer other", "bearer  demo"):
        for path in ("/health", "/nothing", "/enrich/none", "/api/v1/enrich?limit=1", BLUEPRINT):
            session.send(f"GET {path}", {"authorization": authorization})


def recorded(checkout: str) -> Record:
    """Every answer, server by server."""
    record: Record = []
    for name in SERVERS:
        with served(name, checkout) as session:
            for line in LINES.get(name, ()):
                session.send(line)
            if name not in LINES:
                send_everything(session)
                send_what_is_refused(session)
        record += session.record
    return record


def differences(one: Record, other: Record) -> Iterator[str]:
    """The lines of a unified diff for each answer that differs, at most 60 of each."""
    for before, after in itertools.zip_longest(one, other, fillvalue={"request": "(none)"}):
        if before != after:
            names = before["request"], after["request"]
            diff = difflib.unified_diff(_lines(before), _lines(after), *names, n=1, lineterm="")
            yield from (f"{line[:300]}\n" for line in itertools.islice(diff, 60))


def _lines(answer: dict[str, Any]) -> list[str]:
    """A line for each value in it."""
    head = json.dumps({**answer, "body": ""}, indent=1).split("\n")
    return [*head, *re.sub(r"(?<=[,{\[])(?=[\"{\[])", "\n", answer.get("body", "")).split("\n")]


def main(first: str, second: str, third: str = "") -> int:
    """Run the command and return the exit status."""
    if first != "--compare":
        Path(second).write_text(json.dumps(recorded(first), indent=1, ensure_ascii=False) + "\n", "utf-8")
        return 0
    one, other = (json.loads(Path(path).read_text("utf-8")) for path in (second, third))
    sys.stdout.writelines(itertools.islice(differences(one, other), 2_000))
    sys.stdout.write(f"{sum(before != after for before, after in zip(one, other, strict=False))} answers differ\n")
    return int(one != other)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
