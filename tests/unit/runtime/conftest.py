"""Fixtures for all tests of the runtime."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .virtual_time import VirtualTime, virtual


@pytest.fixture
def virtual_time() -> Iterator[VirtualTime]:
    """Waiting takes no time, and working neither; see `virtual_time.py`."""
    with virtual() as clock:
        yield clock
