"""The share of the soak that a run of the tests has time for; see `benchmarks.soak`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from benchmarks.soak import MOST, soak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read off /proc")
def test_memory_does_not_grow_with_runs(tmp_path: Path) -> None:
    assert asyncio.run(soak(1000, tmp_path)) <= MOST
