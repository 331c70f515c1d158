"""Models for checkers: an export of twice the places is twice the work."""

from __future__ import annotations

from pipelang.interfaces.export.prism.machine import TakenNames
from tests.work import grows_no_faster_than


def test_names_of_many_calls_are_found_at_once() -> None:
    def named(size: int) -> None:
        taken = TakenNames()
        found = [taken.unused("s") for _ in range(size)]
        assert found[:2] == ["s", "s_2"]
        assert len(set(found)) == size
        assert taken.unused("s_2") == "s_2_2"

    grows_no_faster_than(1.1, named, 500, 2)
