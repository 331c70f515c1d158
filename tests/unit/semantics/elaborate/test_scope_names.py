"""The names of a scope: added to without copying, and without changing what was there before."""

from pipelang.diagnostics import Span
from pipelang.semantics.elaborate.context import Local, Names
from pipelang.semantics.types import ERROR


def _local(at: int) -> Local:
    return Local(ERROR, Span("x.pipe", at, at))


def test_what_is_added_is_not_in_what_was_there() -> None:
    before = Names({"a": _local(0)})
    after = before.adding("b", _local(1))
    assert list(before) == ["a"]
    assert "b" not in before
    assert before.get("b") is None
    assert list(after) == ["a", "b"]
    assert after["b"] == _local(1)
    assert (len(before), len(after)) == (1, 2)


def test_two_branches_do_not_see_one_another() -> None:
    trunk = Names({"a": _local(0)})
    left, right = trunk.adding("b", _local(1)), trunk.adding("c", _local(2))
    assert list(left.adding("d", _local(3))) == ["a", "b", "d"]
    assert list(right) == ["a", "c"]
    assert "b" not in right
    assert list(left) == ["a", "b"]


def test_a_name_can_be_taken_again() -> None:
    before = Names({"a": _local(0)})
    again = before.adding("a", _local(5))
    assert before["a"] == _local(0)
    assert again["a"] == _local(5)
    assert len(again) == 1
