"""
Whether the keys of sources work, and what is left of their quotas.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

import msgspec

from enrichment.clock import Clock
from enrichment.errors import SourceFailed
from enrichment.logs import Log

log = Log(__name__)

CHECK_SECONDS: Final = 15.0
"How long one check may take, retries and the queue of the service included."
INTERVAL_SECONDS: Final = 3 * 3_600.0


class KeyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether a key works; None if that is not known.

    `remaining` is what is left of the quota, in `unit`, such as `credits`. `detail` says more, or why nothing is known.
    """

    works: bool | None = None
    remaining: float | None = None
    unit: str | None = None
    detail: str | None = None


@runtime_checkable
class Checkable(Protocol):
    """A source with a key that can be checked."""

    async def check_key(self) -> KeyStatus:
        """
        Ask the service about the key, without using up any of the quota.

        Raises `Unauthorized`, from the reading of the answer, if it does not accept the key: the client takes that into
        account and logs it. Raises another `SourceFailed` if that cannot be found out.
        """


class KeyChecks:
    """Checks the keys of sources in the background: when it is started, and again every few hours."""

    def __init__(self, sources: Mapping[str, object], clock: Clock) -> None:
        self._sources = {name: source for name, source in sources.items() if isinstance(source, Checkable)}
        self._clock = clock
        self._checked: dict[str, tuple[KeyStatus, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to check, unless that has begun or there is nothing to check."""
        if self._sources and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop all checks."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def last(self, name: str) -> tuple[KeyStatus, float | None]:
        """Return what the last check of a source has found, and when, in seconds since the epoch."""
        return self._checked.get(name, (KeyStatus(), None))

    async def _run(self) -> None:
        while True:
            await asyncio.gather(*(self._check(name, source) for name, source in self._sources.items()))
            await self._clock.sleep(INTERVAL_SECONDS)

    async def _check(self, name: str, source: Checkable) -> None:
        try:
            async with self._clock.timeout(CHECK_SECONDS):
                status = await source.check_key()
        except TimeoutError:
            status = KeyStatus(detail=f"No answer within {CHECK_SECONDS:g} seconds.")
        except SourceFailed as error:
            status = KeyStatus(detail=str(error))
        except Exception as error:
            log.exception("key check failed", source=name)
            status = KeyStatus(detail=f"Unexpected {type(error).__name__}; the log has the details.")
        self._checked[name] = (status, self._clock.now())


def present(checked: KeyStatus, answers: Mapping[str, bool | None]) -> KeyStatus:
    """
    Return what is known now: what was checked, unless the last answers of the services contradict it.

    `answers` has for each setting with a key whether the last answer that depends on it accepted the key.
    """
    rejected = [setting for setting, works in answers.items() if works is False]
    if rejected:
        return KeyStatus(works=False, detail=f"The service does not accept {' and '.join(rejected)}.")
    works = True if True in answers.values() else checked.works
    return msgspec.structs.replace(checked, works=works)
