"""Garbage collection is put off while much is made, and only then."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pipelang.collecting import CollectingLater


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    collects = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if collects else gc.disable)()


def test_inside_nothing_is_collected() -> None:
    with CollectingLater():
        assert not gc.isenabled()
        with CollectingLater():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the outer one is still at work"
    assert gc.isenabled()


def test_an_error_ends_it_too() -> None:
    with pytest.raises(ValueError, match="so"), CollectingLater():
        raise ValueError("so")
    assert gc.isenabled()


def test_who_collects_nothing_goes_on_so() -> None:
    gc.disable()
    with CollectingLater():
        pass
    assert not gc.isenabled()
