"""
What a job is, and the states it goes through.
"""

import functools
import itertools
import math
import sys
from enum import StrEnum
from typing import Final, Literal

import msgspec

from enrichment.modules.module import Finding
from enrichment.sources import Company
from schemas import SourceAttempt

if sys.version_info >= (3, 14):  # pragma: no cover
    from compression import zstd
else:  # pragma: no cover
    from backports import zstd


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED: Final = frozenset({State.QUEUED, State.RUNNING})
FINISHED: Final = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
"The states that a job never leaves."


class StepState(StrEnum):
    """Where one module of a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


SETTLED: Final = frozenset({StepState.COMPLETED, StepState.FAILED, StepState.SKIPPED})
"What counts as progress."

DICTIONARY_BYTES: Final = 131_072
LEVEL: Final = 9  # the highest that takes less than a millisecond for 15 modules

Priority = Literal["low", "normal", "high"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of an enrichment, whatever its domain: ids of `modules`, in the table's order."""

    modules: tuple[str, ...]
    priority: Priority
    force: bool
    request_id: str


class Job(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    One domain, one run. A value: a change makes a new one, so a reader never sees half a job. And no part of it leads
    back to it, so the garbage collector need not look at it, which it would do again and again for all that wait.

    Times are seconds since the epoch, UTC. `error` is there when it failed or was cancelled.
    """

    id: str
    domain: str
    request_id: str
    created_at: float
    expected_seconds: float
    state: State = State.QUEUED
    started_at: float | None = None
    finished_at: float | None = None
    error: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it has come to its end, whichever."""
        return self.finished_at is not None

    def seconds_left(self, now: float) -> int:
        """Whole seconds until it may be done, at least one: when to ask again."""
        return max(1, math.ceil(self.created_at + self.expected_seconds - now))


class Lookup(Job, frozen=True, kw_only=True, gc=False):
    """A job of `POST /enrich`: one question, which never waits for its turn. `result` is there when completed."""

    state: State = State.RUNNING
    result: Company | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One module of an enrichment. `finding` is there once it is completed, `cached` says that it came out of the cache.

    `reason` says why it failed or was skipped, `attempts` which sources failed, and `skipped_due_to` for which failed
    modules it was skipped.
    """

    module_id: str
    state: StepState = StepState.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    finding: Finding | None = None
    cached: bool = False
    attempts: tuple[SourceAttempt, ...] = ()
    reason: str | None = None
    skipped_due_to: tuple[str, ...] = ()


@functools.lru_cache(maxsize=1_000)
def pending_steps(modules: tuple[str, ...]) -> tuple[Step, ...]:
    """How every job of these modules begins: they are values, so all jobs can have the same ones."""
    return tuple(Step(module_id=module_id) for module_id in modules)


class Packed(msgspec.Struct, frozen=True, gc=False):
    """Steps as compressed JSON, and the dictionary that they were compressed with."""

    content: bytes
    dictionary: zstd.ZstdDict | None

    def unpack(self) -> tuple[Step, ...]:
        """The steps again."""
        return _DECODER.decode(zstd.decompress(self.content, zstd_dict=self.dictionary))


class Packer:
    """
    Packs the steps of finished jobs. The first ones become the dictionary for the others, which resemble them: of the
    23 kB of 15 simulated modules that leaves 1.6, where zlib, which looks back 32 kB at most, leaves 2.4.
    """

    def __init__(self) -> None:
        self._dictionary: zstd.ZstdDict | None = None
        self._samples: list[bytes] = []

    def pack(self, steps: tuple[Step, ...]) -> Packed:
        """The steps for keeping."""
        content = _ENCODER.encode(steps)
        packed = Packed(zstd.compress(content, level=LEVEL, zstd_dict=self._dictionary), self._dictionary)
        self._learn(content)
        return packed

    def _learn(self, content: bytes) -> None:
        """A dictionary is made when there is twice as much for it as for the last one, so there are few of them."""
        known = len(self._dictionary) if self._dictionary else 0
        if known >= DICTIONARY_BYTES:
            self._samples.clear()
            return
        self._samples.append(content)
        if sum(map(len, self._samples)) >= 2 * known:
            self._dictionary = zstd.ZstdDict(b"".join(self._samples)[-DICTIONARY_BYTES:], is_raw=True)


_numbers: Final = itertools.count()


class Enrichment(Job, frozen=True, kw_only=True, gc=False):
    """
    A job of the enrichment API: some modules for one domain. A newer one has a higher `number`.

    While it is under way its steps are in `live`; when it has ended they are in `packed`, a fifteenth of the size.
    """

    number: int = msgspec.field(default_factory=_numbers.__next__)
    priority: Priority
    force: bool
    batch_id: str | None = None
    live: tuple[Step, ...] = ()
    packed: Packed | None = None
    total: int
    completed: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its modules, in the table's order."""
        return self.packed.unpack() if self.packed else self.live

    @property
    def progress_percent(self) -> float:
        """How much of it has been settled, one decimal."""
        return round(100 * (self.completed + self.failed + self.skipped) / self.total, 1)

    def step(self, module_id: str) -> Step:
        """The step of that module, which has to be one of the job's."""
        return next(step for step in self.steps if step.module_id == module_id)

    def with_step(self, step: Step) -> "Enrichment":
        """The job with that step in the place of the one before, and the counts that follow."""
        live = tuple(step if step.module_id == old.module_id else old for old in self.live)
        states = [each.state for each in live]
        return msgspec.structs.replace(
            self,
            live=live,
            completed=states.count(StepState.COMPLETED),
            failed=states.count(StepState.FAILED),
            skipped=states.count(StepState.SKIPPED),
        )

    def at_rest(self, packer: Packer) -> "Enrichment":
        """The job for keeping: what has not ended is cancelled, and the steps are packed."""
        steps = tuple(
            step if step.ended_at is not None else msgspec.structs.replace(step, state=StepState.CANCELLED)
            for step in self.live
        )
        return msgspec.structs.replace(self, live=(), packed=packer.pack(steps))


AnyJob = Lookup | Enrichment


class BatchItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a batch: the job that runs it, or the reason why none does."""

    domain: str
    job_id: str | None = None
    reason: str | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Several domains posted together, `concurrency` of which may run at a time."""

    id: str
    created_at: float
    concurrency: int
    expected_seconds: float
    items: tuple[BatchItem, ...]


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(tuple[Step, ...])
