"""
What a job is, and the states it goes through.
"""

import math
import zlib
from enum import StrEnum
from typing import Final, Literal

import msgspec

from enrichment.findings import Attempt, Citation
from enrichment.sources import Company


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

Priority = Literal["low", "normal", "high"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of an enrichment, whatever its domain: ids of `modules`, in the table's order."""

    modules: tuple[str, ...]
    priority: Priority
    force: bool
    request_id: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """
    One domain, one run. A value: a change makes a new one, so a reader never sees half a job.

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
        return self.state in FINISHED

    def seconds_left(self, now: float) -> int:
        """Whole seconds until it may be done, at least one: when to ask again."""
        return max(1, math.ceil(self.created_at + self.expected_seconds - now))


class Lookup(Job, frozen=True, kw_only=True):
    """A job of `POST /enrich`: one question. `result` is there when completed."""

    result: Company | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One module of an enrichment. `body` is its answer as JSON, `facts` the number of data points in it.

    `reason` says why it failed or was skipped, `because` which failed modules it was skipped for.
    """

    module_id: str
    state: StepState = StepState.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    facts: int | None = None
    cached: bool = False
    simulated: bool = False
    source: str | None = None
    fetched_at: float | None = None
    citations: tuple[Citation, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    reason: str | None = None
    because: tuple[str, ...] = ()


class Packed(msgspec.Struct, frozen=True):
    """Steps as compressed JSON, and the dictionary that they were compressed with."""

    content: bytes
    dictionary: bytes

    def unpack(self) -> tuple[Step, ...]:
        """The steps again."""
        return _DECODER.decode(zlib.decompressobj(zdict=self.dictionary).decompress(self.content))


class Packer:
    """
    Packs the steps of finished jobs. The first one's become the dictionary for all others, which resemble it: that
    halves what is left of them, 2.7 kB of 23 kB for 15 simulated modules.
    """

    def __init__(self) -> None:
        self._dictionary = b""

    def pack(self, steps: tuple[Step, ...]) -> Packed:
        """The steps for keeping."""
        content = _ENCODER.encode(steps)
        self._dictionary = self._dictionary or content[-32_768:]  # as far back as zlib looks
        compressor = zlib.compressobj(zdict=self._dictionary)
        return Packed(compressor.compress(content) + compressor.flush(), self._dictionary)


class Enrichment(Job, frozen=True, kw_only=True):
    """
    A job of the enrichment API: some modules for one domain.

    While it is under way its steps are in `live`; when it has ended they are in `packed`, an eighth of the size.
    """

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


class BatchItem(msgspec.Struct, frozen=True, kw_only=True):
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
