"""
A client that `openapi-python-client` makes from the OpenAPI document starts a job and reads its results.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from enrichment.settings import Settings
from enrichment.web.openapi import document
from service import ROUTES
from tests.conftest import server_process

ENVIRON: Final = {"API_TOKENS": "t", "LOG_LEVEL": "error", "SIMULATED_MODULE_SECONDS": "0.1"}
PROGRAM: Final = """
import sys, time
from lead_enrichment_client import AuthenticatedClient
from lead_enrichment_client.api.blueprints import make_blueprint
from lead_enrichment_client.api.enrichments import cancel_enrichment, read_results, read_status, start_enrichment
from lead_enrichment_client.api.lookups import start_lookup
from lead_enrichment_client.models import (
    BlueprintRequest, EnrichRequest, JobState, ModuleId, PendingJob, Problem, StartRequest
)

client = AuthenticatedClient(sys.argv[1], token="t", httpx_args={"trust_env": False})

assert isinstance(start_lookup.sync(client=client, body=EnrichRequest("getuniti.com")), PendingJob)

wanted = StartRequest(modules=[ModuleId.M02_TECH_STACK, ModuleId.M07_FINANCIALS])
job = start_enrichment.sync("https://www.costco.com/", client=client, body=wanted)
while read_status.sync("costco.com", client=client, job_id=job.job_id).status is not JobState.COMPLETED:
    time.sleep(0.02)
found = read_results.sync("costco.com", client=client)
print(found.results.m02_tech_stack.technologies[0].name)
print(found.results.m07_financials.currency, found.completed_at.tzinfo)

assert len(start_enrichment.sync("acme.com", client=client).modules) == 15  # without a body
cancelled = cancel_enrichment.sync("acme.com", client=client)
again = cancel_enrichment.sync("acme.com", client=client, job_id=cancelled.job_id)
assert isinstance(again, Problem) and again.code == "job_conflict"

blueprint = make_blueprint.sync(client=client, body=BlueprintRequest("getuniti.com", icp="Banks in France"))
print(blueprint.website, len(blueprint.firmographic) > 3)
"""


def test_a_generated_client_starts_a_job_and_reads_its_results(tmp_path: Path) -> None:
    settings = Settings(api_tokens=("t",))
    (tmp_path / "openapi.json").write_bytes(msgspec.json.encode(document(ROUTES, settings)))
    (tmp_path / "config.yml").write_text("post_hooks: []\n")  # neither formatted nor linted
    options = ("--path", "openapi.json", "--config", "config.yml", "--meta", "none")
    generated = run(tmp_path, "-m", "openapi_python_client", "generate", *options)

    warnings = re.findall(r"WARNING .*\n\n.*", generated)
    unread = "WARNING parsing POST /api/v1/enrich/batch within enrichments.\n\nUnsupported content type text/csv"
    assert warnings == [unread]  # which JSON can stand in for
    with server_process("uvicorn service:app --port $PORT", tmp_path, **ENVIRON) as server:
        server.wait_until_healthy()
        printed = run(tmp_path, "-c", PROGRAM, server.url)

    assert printed.splitlines() == ["Adobe AEM", "USD UTC", "getuniti.com True"]


def run(folder: Path, *arguments: str) -> str:
    """What Python prints, in the folder."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr)
    return done.stdout + done.stderr
