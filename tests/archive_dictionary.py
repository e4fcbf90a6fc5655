"""
Writes the preset dictionary of compressed steps, when run as `python -m tests.archive_dictionary`.

The dictionary is made of the steps of some simulated jobs. Field names and common values make up most of them, so it
fits live answers as well. It can be changed at will: no compressed steps outlive the process.
"""

import asyncio
from typing import Final

import msgspec

from enrichment.engine import Engine
from enrichment.jobs.archive import DICTIONARY
from enrichment.jobs.model import JobOptions
from enrichment.modules.table import MODULES
from enrichment.settings import Settings

DOMAINS: Final = ("acme.com", "getuniti.com")
WINDOW: Final = 32_768
"Bytes: the farthest that zlib looks back."


async def sample(domain: str) -> bytes:
    """The steps of a finished job with all modules, as JSON."""
    engine = Engine(Settings(simulated_module_seconds=0))
    options = JobOptions(modules=tuple(MODULES), priority="normal", force=False, request_id="sample")
    job = await engine.jobs.submit(domain, options)
    await engine.jobs.dispatch([job])
    while not (job := await engine.store.enrichment(job.id)).is_finished:
        await asyncio.sleep(0.01)
    return msgspec.json.encode(job.steps)


def main() -> None:
    """Write the file."""
    samples = b"".join(asyncio.run(sample(domain)) for domain in DOMAINS)
    DICTIONARY.write_bytes(samples[-WINDOW:])


if __name__ == "__main__":
    main()
