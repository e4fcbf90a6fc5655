"""
A process that runs jobs and serves no requests: `python -m enrichment.postgres.worker`.

SIGTERM or SIGINT: running jobs may go on for `WORKER_GRACE_SECONDS`; those that are left go back to the queue.
"""

import asyncio
import signal
import sys

from enrichment import __version__, logs
from enrichment.engine import Engine
from enrichment.errors import SettingsError
from enrichment.logs import Log
from enrichment.settings import Settings

log = Log(__name__)


async def work(settings: Settings) -> None:
    """Run jobs until the process is told to stop."""
    if settings.jobs_backend != "postgres":
        raise SettingsError(
            ["JOBS_BACKEND must be `postgres` for a worker: jobs in memory are run by the web process."]
        )
    engine = Engine(settings, works=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with logs.to_stderr(settings.log_format, settings.log_level):
        async with engine:
            log.info("worker started", version=__version__, sources=settings.sources)
            await stop.wait()
            log.info("worker stopping", grace_seconds=settings.worker_grace_seconds)
        log.info("worker stopped")
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)


def main() -> None:
    """Run the process."""
    try:
        asyncio.run(work(Settings.from_env()))
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
