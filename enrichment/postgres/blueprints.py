"""
The blueprints of all processes: a table in a database.
"""

from enrichment.postgres.database import Connection, Database, statement


class PostgresBlueprints:
    """A `BlueprintStore` in PostgreSQL. Old ones are deleted by `Retention`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @statement
    async def get_by_digest(self, connection: Connection, digest: bytes, *, since: float) -> bytes | None:
        """See `BlueprintStore.get_by_digest`."""
        cursor = await connection.execute(
            "SELECT content FROM enrichment_blueprints WHERE digest = %s AND made_at > %s", (digest, since)
        )
        row = await cursor.fetchone()
        return row[0] if row else None

    @statement
    async def get_by_id(self, connection: Connection, blueprint_id: str, *, since: float) -> bytes | None:
        """See `BlueprintStore.get_by_id`."""
        cursor = await connection.execute(
            "SELECT content FROM enrichment_blueprints WHERE id = %s AND made_at > %s", (blueprint_id, since)
        )
        row = await cursor.fetchone()
        return row[0] if row else None

    @statement
    async def put(
        self, connection: Connection, digest: bytes, blueprint_id: str, content: bytes, *, made_at: float
    ) -> None:
        """See `BlueprintStore.put`."""
        await connection.execute(
            "INSERT INTO enrichment_blueprints (digest, id, content, made_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (digest) DO UPDATE SET id = excluded.id, content = excluded.content,"
            " made_at = excluded.made_at",
            (digest, blueprint_id, content, made_at),
        )
