"""The tables of a store and their version. DBOS keeps its own beside them.

Every version is a step from the one before it. A store of a later version is refused: it may say
what this code would not read.
"""

from __future__ import annotations

import sqlalchemy as sa

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE pipelang_runs (
            run TEXT PRIMARY KEY, pipeline TEXT NOT NULL, program TEXT NOT NULL,
            tenant TEXT, thread TEXT, key TEXT, input TEXT NOT NULL, input_hash TEXT NOT NULL,
            queue TEXT NOT NULL, priority BIGINT NOT NULL, created DOUBLE PRECISION NOT NULL,
            due DOUBLE PRECISION, started DOUBLE PRECISION, ended DOUBLE PRECISION,
            leg BIGINT NOT NULL, attempts BIGINT NOT NULL, barren BIGINT NOT NULL,
            seen BIGINT NOT NULL, poked BIGINT NOT NULL, paused BIGINT NOT NULL,
            waiting TEXT, status TEXT, outcome TEXT, cost TEXT NOT NULL, tokens BIGINT NOT NULL)""",
        "CREATE INDEX pipelang_runs_created ON pipelang_runs (created)",
        "CREATE INDEX pipelang_runs_status ON pipelang_runs (status, queue)",
        """CREATE TABLE pipelang_journal (
            run TEXT NOT NULL, place TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
            written DOUBLE PRECISION NOT NULL, PRIMARY KEY (run, place))""",
        """CREATE TABLE pipelang_workers (
            executor TEXT PRIMARY KEY, beat DOUBLE PRECISION NOT NULL, queues TEXT NOT NULL)""",
        """CREATE TABLE pipelang_cases (
            id TEXT PRIMARY KEY, run TEXT NOT NULL, state TEXT NOT NULL, value TEXT NOT NULL)""",
        "CREATE INDEX pipelang_cases_run ON pipelang_cases (run)",
        """CREATE TABLE pipelang_switches (
            kind TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (kind, name))""",
        "CREATE TABLE pipelang_paused (pipeline TEXT PRIMARY KEY)",
        """CREATE TABLE pipelang_memory_places (
            tenant TEXT NOT NULL, memory TEXT NOT NULL, key TEXT NOT NULL, last BIGINT NOT NULL,
            PRIMARY KEY (tenant, memory, key))""",
        """CREATE TABLE pipelang_memories (
            tenant TEXT NOT NULL, memory TEXT NOT NULL, key TEXT NOT NULL, number BIGINT NOT NULL,
            at DOUBLE PRECISION NOT NULL, value TEXT NOT NULL, until DOUBLE PRECISION,
            PRIMARY KEY (tenant, memory, key, number))""",
        "CREATE INDEX pipelang_memories_until ON pipelang_memories (until)",
        "CREATE TABLE pipelang_memory_writes (key TEXT PRIMARY KEY)",
    ),
    (
        """CREATE TABLE pipelang_media (
            run TEXT NOT NULL, sha256 TEXT NOT NULL, data BYTEA NOT NULL,
            PRIMARY KEY (run, sha256))""",
    ),
    (
        """CREATE TABLE pipelang_quota_places (
            pipeline TEXT NOT NULL, tenant TEXT NOT NULL, PRIMARY KEY (pipeline, tenant))""",
        """CREATE TABLE pipelang_quota_counts (
            pipeline TEXT NOT NULL, tenant TEXT NOT NULL, slot TEXT NOT NULL,
            until DOUBLE PRECISION NOT NULL,
            money TEXT NOT NULL, tokens BIGINT NOT NULL, runs BIGINT NOT NULL,
            held_money TEXT NOT NULL, held_tokens BIGINT NOT NULL, held_runs BIGINT NOT NULL,
            PRIMARY KEY (pipeline, tenant, slot))""",
        """CREATE TABLE pipelang_quota_holds (
            run TEXT NOT NULL, place TEXT NOT NULL, pipeline TEXT NOT NULL, tenant TEXT NOT NULL,
            started DOUBLE PRECISION NOT NULL, slots TEXT NOT NULL, money TEXT, tokens BIGINT,
            runs BIGINT, is_open BIGINT NOT NULL, PRIMARY KEY (run, place))""",
        "CREATE INDEX pipelang_quota_holds_open ON pipelang_quota_holds (is_open)",
        "CREATE TABLE pipelang_tenants (tenant TEXT PRIMARY KEY)",
        "CREATE TABLE pipelang_places (run TEXT PRIMARY KEY, tenant TEXT NOT NULL)",
        "CREATE INDEX pipelang_places_tenant ON pipelang_places (tenant)",
        "CREATE TABLE pipelang_rates (tool TEXT PRIMARY KEY, taken BIGINT NOT NULL)",
        """CREATE TABLE pipelang_rate_calls (
            tool TEXT NOT NULL, place BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (tool, place))""",
        "CREATE TABLE pipelang_breakers (name TEXT PRIMARY KEY, state TEXT NOT NULL)",
        """CREATE TABLE pipelang_breaker_calls (
            run TEXT NOT NULL, call TEXT NOT NULL, answer TEXT NOT NULL,
            PRIMARY KEY (run, call))""",
        """CREATE TABLE pipelang_cache (
            digest TEXT PRIMARY KEY, name TEXT NOT NULL, answer TEXT NOT NULL,
            until DOUBLE PRECISION NOT NULL)""",
        "CREATE INDEX pipelang_cache_until ON pipelang_cache (until)",
    ),
    (
        """CREATE TABLE pipelang_programs (
            program TEXT PRIMARY KEY, file TEXT NOT NULL, pipelines TEXT NOT NULL,
            version TEXT NOT NULL, value TEXT NOT NULL, used DOUBLE PRECISION NOT NULL)""",
        "ALTER TABLE pipelang_runs ADD COLUMN permits TEXT",
        "ALTER TABLE pipelang_runs ADD COLUMN forked TEXT",
        "ALTER TABLE pipelang_journal ADD COLUMN number BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE pipelang_journal ADD COLUMN hash TEXT",
    ),
    (
        """CREATE TABLE pipelang_releases (
            pipeline TEXT NOT NULL, version TEXT NOT NULL, program TEXT NOT NULL,
            signature TEXT NOT NULL, state TEXT NOT NULL, share DOUBLE PRECISION NOT NULL,
            guards TEXT NOT NULL, purpose TEXT NOT NULL, made_by TEXT NOT NULL,
            made DOUBLE PRECISION NOT NULL, changed DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (pipeline, version))""",
        """CREATE TABLE pipelang_release_log (
            number BIGINT NOT NULL PRIMARY KEY, at DOUBLE PRECISION NOT NULL,
            pipeline TEXT NOT NULL, version TEXT NOT NULL, act TEXT NOT NULL,
            made_by TEXT NOT NULL, why TEXT NOT NULL, hash TEXT NOT NULL)""",
        "CREATE INDEX pipelang_runs_program ON pipelang_runs (pipeline, program, created)",
    ),
    ("CREATE INDEX pipelang_cases_state ON pipelang_cases (state)",),
    ("CREATE TABLE pipelang_watch (name TEXT PRIMARY KEY, value TEXT NOT NULL)",),
    ("ALTER TABLE pipelang_paused ADD COLUMN reason TEXT NOT NULL DEFAULT ''",),
)
"""The statements of each step: the first makes version 1."""

VERSION = len(STEPS)


def version_of(connection: sa.Connection) -> int:
    """The version of a store, 0 for none."""
    if not sa.inspect(connection).has_table("pipelang_store"):
        return 0
    found = connection.execute(sa.text("SELECT version FROM pipelang_store")).scalar()
    return int(found or 0)


def foreign_table(connection: sa.Connection) -> str | None:
    """A table of another program in a database without any of a store's, or None. DBOS's own list
    of versions is the first table that is made.
    """
    names = sorted(sa.inspect(connection).get_table_names())
    if any(name.startswith("pipelang_") or name == "dbos_migrations" for name in names):
        return None
    return names[0] if names else None


def migrate(connection: sa.Connection) -> int:
    """Bring the tables up to date, in a transaction of the caller's; the version before."""
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("BEGIN IMMEDIATE"))
    else:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7041776)"))
    before = version_of(connection)
    if before == 0:
        connection.execute(sa.text("CREATE TABLE pipelang_store (version BIGINT NOT NULL)"))
        connection.execute(sa.text("INSERT INTO pipelang_store (version) VALUES (0)"))
    for step in STEPS[before:]:
        for statement in step:
            connection.execute(sa.text(statement))
    if before < VERSION:
        connection.execute(sa.text("UPDATE pipelang_store SET version = :v"), {"v": VERSION})
    return before
