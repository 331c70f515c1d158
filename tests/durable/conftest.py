"""Stores for tests, and what is done in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import Harness
from .stores import postgresql as postgresql
from .stores import url as url


@pytest.fixture
def harness(url: str, tmp_path: Path) -> Iterator[Harness]:
    made = Harness(url, tmp_path)
    yield made
    made.close()
