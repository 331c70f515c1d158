"""What flows through expressions: a field carries its own marks, a computation those of all its
parts. What comes out of a computation is no longer the value itself, and what cannot carry text is
only influenced by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.flow.marks import (
    ELEMENT,
    INFLUENCED,
    NOTHING,
    PRIVATE,
    SECRET,
    UNTRUSTED,
    Flow,
    Mark,
    Way,
    inside,
    is_closed,
    joined,
    marks_of,
    only,
    spread,
    under,
    weaker,
)
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL


@dataclass(slots=True)
class Values:
    """What is known of the values in scope.

    `aliases` are lets that are nothing but a path. `cleared` are paths whose text a gate or a
    person has looked at, on every way to here.
    """

    program: p.Program
    flows: dict[str, Flow] = field(default_factory=dict)
    aliases: dict[str, ir.Expr] = field(default_factory=dict)
    cleared: frozenset[Way] = frozenset()
    declassified: dict[str, None] = field(default_factory=dict)

    def path(self, expr: ir.Expr) -> Way | None:
        """The path that an expression is, through lets; None for anything computed."""
        match expr:
            case ir.Read():
                alias = self.aliases.get(expr.name)
                return (expr.name,) if alias is None else self.path(alias)
            case ir.Field():
                head = self.path(expr.target)
                return None if head is None else (*head, expr.name)
            case ir.At():
                head = self.path(expr.target)
                return None if head is None else (*head, ELEMENT)
            case _:
                return None

    def at(self, way: Way) -> Flow:
        """What flows at a path, without the text that was looked at."""
        flow = self.flows.get(way[0], NOTHING)
        if not flow:
            return flow
        cleared = [done for done in self.cleared if done[0] == way[0]]
        for done in cleared:
            if way[: len(done)] == done:
                flow = _without(flow, ())
                break
        else:
            for done in cleared:
                flow = _without(flow, done[1:])
        for part in way[1:]:
            flow = inside(flow, part)
        return flow

    def of(self, expr: ir.Expr) -> Flow:
        """What flows into the value of an expression."""
        way = self.path(expr)
        if way is not None:
            return self.at(way)
        match expr:
            case ir.Const() | ir.BudgetLeft() | ir.IsPresent():
                return NOTHING  # that something is there says nothing of what it is
            case ir.Field():
                return inside(self.of(expr.target), expr.name)
            case ir.At():
                return joined(
                    inside(self.of(expr.target), ELEMENT), steered(expr, self.of(expr.index))
                )
            case ir.MakeList():
                return under(ELEMENT, joined(*map(self.of, expr.items)))
            case ir.MakeRecord():
                return joined(*(under(name, self.of(value)) for name, value in expr.fields))
            case ir.Choice():
                ways = joined(self.of(expr.then), self.of(expr.otherwise))
                return joined(ways, steered(expr, self.of(expr.condition)))
            case ir.Select():
                ways = joined(*(self.of(arm) for _, arm in expr.arms))
                return joined(ways, steered(expr, self.of(expr.subject)))
            case ir.Apply():
                return self._apply(expr)
            case _:
                return computed(expr, joined(*map(self.of, ir.parts(expr))))

    def _apply(self, expr: ir.Apply) -> Flow:
        function = self.program.functions[expr.function]
        given = [self.of(argument) for argument in expr.arguments]
        if function.body is None:
            found = computed(expr, joined(*given))
        else:
            names = (parameter.name for parameter in function.parameters)
            inner = Values(self.program, dict(zip(names, given, strict=False)))
            found = inner.of(function.body)
            self.declassified.update(inner.declassified)
        if function.public and any(marks_of(found, PRIVATE, SECRET)):
            self.declassified[function.name] = None
            return only(found, (UNTRUSTED, INFLUENCED))
        return found

    def reads(self, expr: ir.Expr, *, content: bool = True) -> Iterator[Way]:
        """The paths whose values an expression looks at, beyond whether they are there; with
        `content` also beyond how long they are.
        """
        way = self.path(expr)
        if way is not None:
            yield way
            if isinstance(expr, ir.Read) and expr.name in self.aliases:
                yield (expr.name,)
            return
        if isinstance(expr, ir.IsPresent):
            return
        if content and isinstance(expr, ir.Builtin) and expr.function == "len":
            return
        for part in ir.parts(expr):
            yield from self.reads(part, content=content)


def _without(flow: Flow, done: Way) -> Flow:
    """The flow where the text at a path inside it was looked at: somebody outside may have steered
    what it says, and no more.
    """
    return {
        way: dict.fromkeys(map(weaker, marks)) if way[: len(done)] == done else marks
        for way, marks in flow.items()
    }


def computed(expr: ir.Expr, flow: Flow) -> Flow:
    """What a computation makes of what flows into it. One bit of a secret does not tell it."""
    kinds = [UNTRUSTED, INFLUENCED, PRIVATE]
    if expr.type != BOOL:
        kinds.append(SECRET)
    marks = [_changed(mark) for mark in marks_of(flow, *kinds)]
    return spread(expr.type, marks)


def _changed(mark: Mark) -> Mark:
    return replace(mark, intact=False) if mark.intact else mark


def steered(expr: ir.Expr, flow: Flow) -> Flow:
    """What decides between values leaves its mark on the one that is taken."""
    marks = []
    for mark in marks_of(flow, UNTRUSTED, INFLUENCED, PRIVATE):
        kind = PRIVATE if mark.kind == PRIVATE else INFLUENCED
        marks.append(replace(mark, kind=kind, intact=False))
    return spread(expr.type, marks) if not is_closed(expr.type) else {(): dict.fromkeys(marks)}
