"""Limits of runs at once by tenant: a run that finds all places taken is put back, and begun when
one of them is free.

A place counts while the leg of its run is somebody's: so what a worker that died had is free when
others take its runs over.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from pipelang.runtime.durable.store import Store

HELD = 2
"""The value of `paused` for a run that is put back because its tenant has enough at work."""
RECHECK = 15.0
"""Seconds after which a run that was put back looks again by itself, should nobody wake it."""

_LOCK = sa.text(
    """INSERT INTO pipelang_tenants (tenant) VALUES (:tenant)
    ON CONFLICT (tenant) DO UPDATE SET tenant = excluded.tenant"""
)
_TAKE = sa.text(
    """INSERT INTO pipelang_places (run, tenant) VALUES (:run, :tenant)
    ON CONFLICT (run) DO NOTHING"""
)
_WOKEN = sa.text("UPDATE pipelang_runs SET paused = 0 WHERE run = :run")
_FREE = sa.text("DELETE FROM pipelang_places WHERE run = :run")


class TenantPlaces:
    """Places of tenants, as many of each as runs may be at work at once; None for any number."""

    def __init__(self, store: Store, most: int | None) -> None:
        self._store = store
        self._most = most
        self._taken = sa.text(
            f"""SELECT count(*) FROM pipelang_places t JOIN pipelang_runs r ON r.run = t.run
                JOIN {store.legs.table} w ON w.workflow_uuid = r.run || ':' || r.leg
            WHERE t.tenant = :tenant AND t.run <> :run AND r.status IS NULL
                AND w.status = 'PENDING'"""
        )

    def take(self, connection: sa.Connection, run: str, tenant: str | None) -> bool:
        """Take a place for a run that begins; False if none is free."""
        if self._most is None:
            return True
        row = {"run": run, "tenant": _name(tenant)}
        connection.execute(_LOCK, row)
        if int(connection.execute(self._taken, row).scalar_one()) >= self._most:
            return False
        connection.execute(_TAKE, row)
        return True

    def free(self, connection: sa.Connection, found: Any) -> None:
        """Give the place of a run back, whose row this is; the next of its tenant begins."""
        if self._most is None:
            return
        connection.execute(_LOCK, {"tenant": _name(found.tenant)})
        connection.execute(_FREE, {"run": found.run})
        mine = "tenant IS NULL" if found.tenant is None else "tenant = :tenant"
        next_one = connection.execute(
            sa.text(
                f"""SELECT run, leg FROM pipelang_runs WHERE {mine} AND run <> :run
                    AND status IS NULL AND paused = {HELD}
                ORDER BY priority, created, run LIMIT 1"""
            ),
            {"run": found.run} | ({} if found.tenant is None else {"tenant": found.tenant}),
        ).first()
        if next_one is not None:
            connection.execute(_WOKEN, {"run": next_one.run})
            self._store.legs.wake(connection, next_one.run, next_one.leg)


def _name(tenant: str | None) -> str:
    # A named tenant can never be the nameless one.
    return "" if tenant is None else f"={tenant}"
