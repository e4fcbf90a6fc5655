"""
Writes the preset dictionary of compressed steps, when run as `python -m tests.archive_dictionary`.

The dictionary is the steps of one simulated job, and before it the texts that are frequent in those of many. Field
names and common values make up most of them, so it fits live answers as well. It can be changed at will: no compressed
steps outlive the process.
"""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from enrichment.engine import Engine
from enrichment.jobs import archive
from enrichment.jobs.model import JobOptions, Step
from enrichment.modules.table import MODULES
from enrichment.settings import Settings

JOBS: Final = 150
TRIED: Final = 8  # jobs of which the one that helps most is taken whole
WINDOW: Final = 32_768  # bytes: the farthest that zlib looks back
MIN_COUNT: Final = 5  # jobs in which a frequent text occurs
TEXT: Final = re.compile(rb'"[^"]{3,}":?"?[^",{}\[\]]*"?')


async def sample(domain: str) -> bytes:
    """The steps of a finished job with all modules, as JSON."""
    engine = Engine(Settings(simulated_module_seconds=0))
    options = JobOptions(modules=tuple(MODULES), priority="normal", force=False, request_id="sample")
    job = await engine.jobs.submit(domain, options)
    await engine.jobs.dispatch([job])
    while not (job := await engine.store.enrichment(job.id)).is_finished:
        await asyncio.sleep(0.001)
    return msgspec.json.encode(job.steps)


def dictionary(samples: Sequence[bytes], whole: bytes) -> bytes:
    """The frequent texts of the samples, the most valuable last, and then one sample."""
    counts: Counter[bytes] = Counter()
    for each in samples:
        counts.update(set(TEXT.findall(each)))
    texts: list[bytes] = []
    room = WINDOW - len(whole)
    for text in sorted(counts, key=lambda text: (counts[text] * len(text), text), reverse=True):
        if counts[text] >= MIN_COUNT and len(text) <= room:
            texts.append(text)
            room -= len(text)
    return b"".join([*reversed(texts), whole])[-WINDOW:]


def main() -> None:
    """Write the file."""
    logging.disable()
    samples = [asyncio.run(sample(f"company{number}.com")) for number in range(JOBS)]
    steps = [msgspec.json.decode(each, type=tuple[Step, ...]) for each in samples[-20:]]
    sizes = {}
    for whole in samples[:TRIED]:
        candidate = dictionary(samples, whole)
        archive.DICTIONARY.write_bytes(candidate)
        archive.load_dictionary.cache_clear()
        sizes[candidate] = sum(len(archive.pack(each)) for each in steps)
    archive.DICTIONARY.write_bytes(min(sizes, key=sizes.__getitem__))


if __name__ == "__main__":
    main()
