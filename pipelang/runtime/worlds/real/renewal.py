"""Renewal: the way from a recalled value to a write, gone through again with the value of now.

Another run may write into a memory between a `recall` and the `remember` that hangs on it. Then
what was worked out from the old value is worked out again, and every gate and branch on the way
must decide as before. What a model, a tool or a person made of it can't be: it is outdated.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.run import Run
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.updates import decides, worked_out


class Outdated(Exception):
    """Something that is not worked out again was made of a value that has changed: `by`."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


def renew(run: Run, item: p.Remember, recalled: Mapping[str, Any]) -> dict[str, Any]:
    """The values above a write that are others than before, once these steps recall these values.

    Raises `Outdated`.
    """
    way = _Way(run, item, recalled)
    way.go(run.pipeline.block)
    if way.outdated & item.reads:
        raise Outdated(min(way.outdated & item.reads))
    return way.new


class _Way:
    """The new values so far on the way to a write, and the names of those that are outdated."""

    def __init__(self, run: Run, item: p.Remember, recalled: Mapping[str, Any]) -> None:
        self._run = run
        self._item = item
        self._recalled = recalled
        self.new: dict[str, Any] = {}
        self.outdated: set[str] = set()

    def go(self, block: p.Block) -> bool:
        """Go through a block; whether the write was reached in it."""
        for item in block.items:
            if item is self._item:
                return True
            if isinstance(item, (p.Step, p.Let)):
                self._value(item)
                continue
            self._decision(item)
            taken = self._taken(item)
            if taken is not None and self.go(taken):
                return True
        return False

    def _value(self, item: p.Step | p.Let) -> None:
        self.new.pop(item.name, None)  # of another branch
        self.outdated.discard(item.name)
        value: Any
        if item.name in self._recalled:
            value = self._recalled[item.name]
        elif not self._touched(item.reads):
            return
        else:
            work = worked_out(item)
            if work is None or item.reads & self.outdated:
                self.outdated.add(item.name)
                return
            value = self._evaluate(work, item.name)
        if value != self._run.values[item.name]:
            self.new[item.name] = value

    def _decision(self, item: p.Item) -> None:
        """Judge again what decided by something new: it must decide as before."""
        read = decides(item)
        if not self._touched(read):
            return
        if isinstance(item, p.Person):
            raise Outdated(item.name)
        if isinstance(item, p.MatchBranch):
            test, name = item.subject, expr.show(item.subject)
        else:
            assert isinstance(item, (p.Gate, p.When))
            test, name = item.condition, item.name or expr.show(item.condition)
        if read & self.outdated:
            raise Outdated(name)
        before, now = self._run.evaluate(test), self._evaluate(test, name)
        same = before == now
        if isinstance(item, p.MatchBranch):
            same = _arm(item, before) is _arm(item, now)
        if not same:
            raise Outdated(name)

    def _taken(self, item: p.Item) -> p.Block | None:
        """The block of a branch that was taken."""
        match item:
            case p.When():
                return item.then if self._run.evaluate(item.condition) else item.otherwise
            case p.MatchBranch():
                return _arm(item, self._run.evaluate(item.subject))
            case _:
                return None

    def _touched(self, names: frozenset[str]) -> bool:
        return any(name in self.new or name in self.outdated for name in names)

    def _evaluate(self, node: expr.Expr, name: str) -> Any:
        try:
            return self._run.terms.expressions.evaluate(node, ChainMap(self.new, self._run.values))
        except NoValue:
            raise Outdated(name) from None


def _arm(item: p.MatchBranch, subject: Any) -> p.Block | None:
    arms = (arm for taken, arm in item.arms if taken is None or subject in taken)
    return next(arms, None)
