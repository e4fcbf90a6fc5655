"""
The events of a completed blueprint, as they are stored for all processes.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas import Blueprint, BlueprintProgress, BlueprintSection

CompletedEvent = BlueprintProgress | BlueprintSection | Blueprint

_encode: Final = msgspec.json.Encoder().encode


class _Events(msgspec.Struct, frozen=True, kw_only=True):
    """The events by kind, with their positions; the blueprint is the last one."""

    progress: tuple[tuple[int, BlueprintProgress], ...]
    sections: tuple[tuple[int, BlueprintSection], ...]
    blueprint: Blueprint


_decode: Final = msgspec.json.Decoder(_Events).decode


def encode_events(events: Iterable[object], blueprint: Blueprint) -> bytes:
    """Encode the events of a run that has ended with the blueprint."""
    numbered = list(enumerate(events))
    progress = tuple((number, event) for number, event in numbered if isinstance(event, BlueprintProgress))
    sections = tuple((number, event) for number, event in numbered if isinstance(event, BlueprintSection))
    return _encode(_Events(progress=progress, sections=sections, blueprint=blueprint))


def decode_events(content: bytes) -> list[CompletedEvent]:
    """Decode the events in their order; the last one is the blueprint."""
    stored = _decode(content)
    numbered: list[tuple[int, CompletedEvent]] = [*stored.progress, *stored.sections]
    return [event for _, event in sorted(numbered, key=lambda pair: pair[0])] + [stored.blueprint]


def decode_blueprint(content: bytes) -> Blueprint:
    """Decode the blueprint alone."""
    return _decode(content).blueprint
