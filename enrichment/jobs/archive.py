"""
Finished enrichments, with their steps compressed.

The JSON of the steps of 15 simulated modules is 24 kB. `zlib` leaves 4.7 kB of it, and 2.1 kB with a preset dictionary.
"""

import functools
import zlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from enrichment.jobs.model import Enrichment, Step
from schemas import StepState

DICTIONARY: Final = Path(__file__).with_name("archive_dictionary.json")
"What steps have in common, as `tests/archive_dictionary.py` collects it; it is needed for reading as well."

LEVEL: Final = 9  # 0.4 ms for 15 modules; level 6 takes 0.3 and leaves 4 % more
RAW_DEFLATE: Final = -15  # the largest window, and neither header nor checksum
MEMORY_LEVEL: Final = 9

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(tuple[Step, ...]).decode


class ArchivedEnrichment(Enrichment, frozen=True, kw_only=True, gc=False):
    """A finished enrichment whose steps are in `packed`."""

    packed: bytes

    def restore(self) -> Enrichment:
        """The enrichment with its steps."""
        fields = {name: getattr(self, name) for name in Enrichment.__struct_fields__}
        return Enrichment(**fields | {"steps": unpack(self.packed)})


def archive(job: Enrichment) -> ArchivedEnrichment:
    """
    The finished job as it is kept.

    What nobody reads any more is dropped: the request's id, and what `final_steps` drops.
    """
    fields = {name: getattr(job, name) for name in job.__struct_fields__}
    return ArchivedEnrichment(**fields | {"request_id": "", "steps": (), "packed": pack(final_steps(job.steps))})


def pack(steps: tuple[Step, ...]) -> bytes:
    """The steps as compressed JSON."""
    compress = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE, MEMORY_LEVEL, zdict=load_dictionary())
    return compress.compress(_encode(steps)) + compress.flush()


def unpack(content: bytes) -> tuple[Step, ...]:
    """The steps that `pack` was given."""
    return _decode(zlib.decompressobj(RAW_DEFLATE, zdict=load_dictionary()).decompress(content))


def final_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Cancel the steps of a finished job that have not ended, and drop what answers were derived from."""
    return tuple(map(_final, steps))


def _final(step: Step) -> Step:
    if step.ended_at is None:
        return replace(step, state=StepState.CANCELLED)
    return replace(step, finding=replace(step.finding, based_on=())) if step.finding else step


@functools.cache
def load_dictionary() -> bytes:
    """The preset dictionary, read once."""
    return DICTIONARY.read_bytes()
