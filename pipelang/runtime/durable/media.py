"""The bytes of pictures and documents in a store, by run and hash: no row of JSON has them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from pipelang.runtime.durable.store import Store
from pipelang.runtime.media.medium import Media

_KEEP = sa.text(
    """INSERT INTO pipelang_media (run, sha256, data) VALUES (:run, :sha256, :data)
    ON CONFLICT (run, sha256) DO NOTHING"""
)
_FIND = "SELECT data FROM pipelang_media WHERE run = :run AND sha256 = :sha256"


def keep(connection: sa.Connection, run: str, media: Mapping[str, Media]) -> None:
    """Write the bytes of pictures and documents of a run, unless they are there."""
    for digest, one in media.items():
        connection.execute(_KEEP, {"run": run, "sha256": digest, "data": one.data})


def kept(store: Store, run: str, digest: str) -> bytes:
    """The bytes of a picture or document of a run. Raises LookupError if they are not there."""
    rows = store.rows(_FIND, run=run, sha256=digest)
    if not rows:
        raise LookupError(f"run {run} has no picture or document {digest[:12]} in its store")
    return bytes(rows[0]["data"])
