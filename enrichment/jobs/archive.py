"""
The steps of finished jobs, compressed.

The JSON of 15 simulated modules is 23 kB. `zlib` with a preset dictionary leaves 2.1 kB of it, without one 4.7 kB.
"""

import functools
import zlib
from pathlib import Path
from typing import Final

import msgspec

from enrichment.jobs.model import Step

DICTIONARY: Final = Path(__file__).with_name("archive_dictionary.json")
"Sample steps, as `tests/archive_dictionary.py` writes them. What is compressed is read with the same dictionary."

LEVEL: Final = 6

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(tuple[Step, ...]).decode


def pack(steps: tuple[Step, ...]) -> bytes:
    """The steps as compressed JSON."""
    compress = zlib.compressobj(LEVEL, zdict=_dictionary())
    return compress.compress(_encode(steps)) + compress.flush()


def unpack(content: bytes) -> tuple[Step, ...]:
    """The steps that `pack` was given."""
    return _decode(zlib.decompressobj(zdict=_dictionary()).decompress(content))


@functools.cache
def _dictionary() -> bytes:
    return DICTIONARY.read_bytes()
