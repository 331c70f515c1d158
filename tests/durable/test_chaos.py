"""Each kind of fault, twice in a round; `make chaos` goes on for an hour with all of them."""

from __future__ import annotations

import random
from zlib import crc32

import pytest

from .chaos import EVERYWHERE, ON_POSTGRES, ON_SQLITE, place_of
from .postgres import Server


def found(on: str, kind: str, server: Server | None) -> None:
    luck = random.Random(crc32(f"{on} {kind}".encode()))
    with place_of(on, server, luck) as chaos:
        if kind not in chaos.kinds:
            pytest.skip("no file system can be mounted here, so no disk can be full")
        assert chaos.round((kind, kind)) == []


@pytest.mark.parametrize("kind", [*EVERYWHERE, *ON_SQLITE])
def test_chaos_on_sqlite(kind: str) -> None:
    found("sqlite", kind, None)


@pytest.mark.parametrize("kind", [*EVERYWHERE, *ON_POSTGRES])
def test_chaos_on_postgresql(kind: str, postgresql: Server) -> None:
    found("postgresql", kind, postgresql)
