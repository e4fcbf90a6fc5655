"""
Makes the tables in the database of `DATABASE_URL`, or brings them up to date: `python -m enrichment.postgres.migrate`.

Does nothing unless `JOBS_BACKEND=postgres`, so that a platform may run it before every release.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from enrichment.errors import SettingsError
from enrichment.settings import Settings

MIGRATIONS: Final = Path(__file__).with_name("migrations")
"Files whose names begin with their numbers. One that has been released never changes."
LOCK: Final = 7_230_114
"The advisory lock under which only one process at a time migrates."


def migrate(url: str) -> Sequence[str]:
    """
    Run the migrations that this database has not had, all of them or none, and return their names. Idempotent.

    Raise `psycopg.OperationalError` if the database does not answer.
    """
    import psycopg  # noqa: PLC0415 - not installed by those who have no database
    from procrastinate.schema import SchemaManager  # noqa: PLC0415

    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS enrichment_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = connection.execute("SELECT name FROM enrichment_migrations").fetchall()
        missing = sorted(path for path in MIGRATIONS.glob("*.sql") if (path.stem,) not in rows)
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
            connection.execute(SchemaManager.get_schema())
        for path in missing:
            connection.execute(path.read_text().encode())
            connection.execute("INSERT INTO enrichment_migrations (name) VALUES (%s)", (path.stem,))
    return [path.stem for path in missing]


def main(settings: Settings) -> str:
    """Migrate the database that the settings name, and return what was done."""
    if settings.jobs_backend != "postgres":
        return "JOBS_BACKEND is not `postgres`: there is no database to migrate."
    if not settings.database_url:
        raise SettingsError(["DATABASE_URL must be set with JOBS_BACKEND=postgres."])
    done = migrate(settings.database_url)
    return f"Migrated: {', '.join(done)}." if done else "The tables are up to date."


if __name__ == "__main__":
    try:
        sys.stdout.write(main(Settings.from_env()) + "\n")
    except SettingsError as error:
        sys.exit(str(error))
