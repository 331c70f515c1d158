"""Unique names: values of one name in two branches are two values, and are renamed.

What keys anything by name (the analysis, a simulation) works on a pipeline in which every name of a
step, let or gate stands once. The first keeps its name; what traffic says of a name is said of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeGuard, TypeVar

from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import redo_of
from pipelang.semantics.walk import contents

Part = TypeVar("Part")
Named = p.Step | p.Let | p.Gate | p.Person


def is_keyed(item: p.Item) -> TypeGuard[Named]:
    """Whether an item is known by its name; of people, those whose redos are counted."""
    return isinstance(item, (p.Step, p.Let, p.Gate)) or redo_of(item) is not None


def with_unique_names(pipeline: p.Pipeline) -> p.Pipeline:
    """The pipeline itself if every name stands once, else one with `NAME (2)` for the second."""
    inside = contents(pipeline.block)
    names = [item.name for item in inside.items if isinstance(item, p.Step)]
    names += [item.name for item in inside.beside if is_keyed(item)]
    if len(set(names)) == len(names):
        return pipeline
    naming = _Naming()
    block = naming.block(pipeline.block, {})
    return replace(pipeline, block=block, traffic=naming.traffic(pipeline.traffic))


class _Naming:
    """Gives every name that was used before a new one, and follows it through its scope."""

    def __init__(self) -> None:
        self.used: Counter[str] = Counter()
        self.others: dict[str, list[expr.Read]] = {}

    def block(self, block: p.Block, scope: Mapping[str, expr.Read]) -> p.Block:
        inner = dict(scope)
        items = []
        for item in block.items:
            match item:
                case p.When():
                    made: p.Item = replace(
                        _renamed(item, inner),
                        then=self.block(item.then, inner),
                        otherwise=self.block(item.otherwise, inner),
                    )
                case p.MatchBranch():
                    arms = tuple((taken, self.block(arm, inner)) for taken, arm in item.arms)
                    made = replace(_renamed(item, inner), arms=arms)
                case p.Person(showing=None):
                    # All that was made so far, in whichever branch.
                    others = (read.name for name in item.judges for read in self._reads(name))
                    renamed = _renamed(item, inner)
                    shown = replace(renamed, judges=renamed.judges | item.judges | {*others})
                    made = self._named(item, shown, inner)
                case _:
                    made = self._named(item, _renamed(item, inner), inner)
            items.append(made)
        return replace(block, items=tuple(items))

    def _named(self, item: p.Item, renamed: p.Item, scope: dict[str, expr.Read]) -> p.Item:
        if not is_keyed(renamed):
            return renamed
        redo = redo_of(renamed)
        if redo is not None:
            step = scope.get(redo.step)
            if step is not None:
                assert isinstance(renamed, (p.Gate, p.Person))
                renamed = replace(renamed, otherwise=replace(redo, step=step.name))
        name = renamed.name
        self.used[name] += 1
        new = name if self.used[name] == 1 else f"{name} ({self.used[name]})"
        if isinstance(renamed, (p.Gate, p.Person)):
            return replace(renamed, name=new)
        read = expr.Read(new, renamed.type, renamed.span)
        scope[name] = read
        if new != name:
            self.others.setdefault(name, []).append(read)
        return replace(renamed, name=new)

    def traffic(self, traffic: p.Traffic) -> p.Traffic:
        """The traffic with a share of a name repeated for every value that has it."""
        return replace(
            traffic,
            paths=tuple(part for line in traffic.paths for part in self._said(line)),
            conditions=tuple(part for line in traffic.conditions for part in self._said(line)),
            names=tuple(
                replace(line, name=name)
                for line in traffic.names
                for name in (line.name, *(f"{line.name} ({n})" for n in self._times(line.name)))
            ),
            means=tuple(
                replace(line, path=(name, *line.path[1:]))
                for line in traffic.means
                for name in (line.path[0], *(read.name for read in self._reads(line.path[0])))
            ),
        )

    def _times(self, name: str) -> range:
        return range(2, self.used[name] + 1)

    def _reads(self, name: str) -> list[expr.Read]:
        return self.others.get(name, [])

    def _said(self, line: Part) -> list[Part]:
        """A line about names, for everything that has them; about several it stays as it is."""
        node = getattr(line, "path", None) or getattr(line, "condition", None)
        assert node is not None
        names = expr.mentions(node)
        if len(names) != 1:
            return [line]
        (name,) = names
        return [line, *(_renamed(line, {name: read}) for read in self._reads(name))]


def _renamed(part: Part, names: Mapping[str, expr.Read]) -> Part:
    """A part of a program with other names in its expressions and sets of names."""
    changed = {old: read for old, read in names.items() if read.name != old}
    made: Part = _inside(part, changed) if changed else part
    return made


def _inside(part: Any, names: Mapping[str, expr.Read]) -> Any:
    if isinstance(part, expr.Expr):
        return expr.substitute(part, names)
    if isinstance(part, tuple):
        return tuple(_inside(one, names) for one in part)
    if isinstance(part, frozenset):
        return frozenset(names[one].name if one in names else one for one in part)
    if isinstance(part, p.Block) or not type(part).__module__.startswith(PROGRAM):
        return part
    fields = getattr(type(part), "_record_names", ())
    return replace(part, **{name: _inside(getattr(part, name), names) for name in fields})


PROGRAM = "pipelang.semantics.program"
