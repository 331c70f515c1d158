"""Information flow through expressions: a field has its own marks, a computation those of all its
parts. The result of a computation is not intact any more, and a result that cannot carry text is
only influenced.
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
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL, INT, ListType

_SOME = expr.Const(0, INT)
"""An index that stands for any: all elements of a list have one flow."""


@dataclass(slots=True)
class Values:
    """The flow of every value in scope.

    `aliases` are lets that stand for a path. `cleared` are paths whose text a gate or a person has
    checked, on every way to here.
    """

    program: p.Program
    flows: dict[str, Flow] = field(default_factory=dict)
    aliases: dict[str, expr.Expr] = field(default_factory=dict)
    cleared: frozenset[Way] = frozenset()
    declassified: dict[str, None] = field(default_factory=dict)

    def path(self, node: expr.Expr) -> Way | None:
        """Return the path that an expression is, through lets; None for anything computed."""
        match node:
            case expr.Read():
                alias = self.aliases.get(node.name)
                return (node.name,) if alias is None else self.path(alias)
            case expr.Field():
                head = self.path(node.target)
                return None if head is None else (*head, node.name)
            case expr.At():
                head = self.path(node.target)
                return None if head is None else (*head, ELEMENT)
            case _:
                return None

    def at(self, way: Way) -> Flow:
        """Return the flow at a path, without the marks of text that was checked."""
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

    def of(self, node: expr.Expr) -> Flow:
        """Return the flow into the value of an expression."""
        way = self.path(node)
        if way is not None:
            return self.at(way)
        match node:
            case expr.Const() | expr.BudgetLeft() | expr.IsPresent():
                return NOTHING  # that something is there says nothing of what it is
            case expr.Field():
                return inside(self.of(node.target), node.name)
            case expr.At():
                return joined(
                    inside(self.of(node.target), ELEMENT), steered(node, self.of(node.index))
                )
            case expr.MakeList():
                return under(ELEMENT, joined(*map(self.of, node.items)))
            case expr.Concatenation():
                return joined(self.of(node.left), self.of(node.right))
            case expr.Comprehension():
                return self._comprehension(node)
            case expr.MakeRecord():
                return joined(*(under(name, self.of(value)) for name, value in node.fields))
            case expr.Choice():
                ways = joined(self.of(node.then), self.of(node.otherwise))
                return joined(ways, steered(node, self.of(node.condition)))
            case expr.Select():
                ways = joined(*(self.of(arm) for _, arm in node.arms))
                return joined(ways, steered(node, self.of(node.subject)))
            case expr.Apply():
                return self._apply(node)
            case _:
                return computed(node, joined(*map(self.of, expr.parts(node))))

    def _comprehension(self, node: expr.Comprehension) -> Flow:
        """Return the flow into a list made of another: into an element, from an element of that.
        Which elements there are is steered by the condition, and by what the list is.
        """
        of = node.collection.type
        type = of.element if isinstance(of, ListType) else of
        element = expr.At(node.collection, _SOME, type, node.span)
        made = under(ELEMENT, self.of(expr.at_element(node.item, node.name, element)))
        made = joined(made, steered(node, inside(self.of(node.collection), ELEMENT)))
        if node.condition is None:
            return made
        test = self.of(expr.at_element(node.condition, node.name, element))
        return joined(made, steered(node, test))

    def _apply(self, node: expr.Apply) -> Flow:
        function = self.program.functions[node.function]
        given = [self.of(argument) for argument in node.arguments]
        if function.body is None:
            found = computed(node, joined(*given))
        else:
            names = (parameter.name for parameter in function.parameters)
            inner = Values(self.program, dict(zip(names, given, strict=False)))
            found = inner.of(function.body)
            self.declassified.update(inner.declassified)
        if function.public and any(marks_of(found, PRIVATE, SECRET)):
            self.declassified[function.name] = None
            return only(found, (UNTRUSTED, INFLUENCED))
        return found

    def reads(self, node: expr.Expr, *, content: bool = True) -> Iterator[Way]:
        """Return the paths whose values an expression depends on, other than by their presence;
        with `content`, other than by their length as well.
        """
        way = self.path(node)
        if way is not None:
            yield way
            if isinstance(node, expr.Read) and node.name in self.aliases:
                yield (node.name,)
            return
        if isinstance(node, expr.IsPresent):
            return
        if content and isinstance(node, expr.Builtin) and node.function == "len":
            return
        for part in expr.parts(node):
            yield from self.reads(part, content=content)


def _without(flow: Flow, done: Way) -> Flow:
    """Return the flow after the text at a path was checked: an outsider may still have steered it
    (`influenced`).
    """
    return {
        way: dict.fromkeys(map(weaker, marks)) if way[: len(done)] == done else marks
        for way, marks in flow.items()
    }


def computed(node: expr.Expr, flow: Flow) -> Flow:
    """Return the flow of a computed value. One bit of a secret does not reveal it."""
    kinds = [UNTRUSTED, INFLUENCED, PRIVATE]
    if node.type != BOOL:
        kinds.append(SECRET)
    marks = [_changed(mark) for mark in marks_of(flow, *kinds)]
    return spread(node.type, marks)


def _changed(mark: Mark) -> Mark:
    return replace(mark, intact=False) if mark.intact else mark


def steered(node: expr.Expr, flow: Flow) -> Flow:
    """Return the flow of a selected value: the condition that selects it leaves its marks on it."""
    marks = []
    for mark in marks_of(flow, UNTRUSTED, INFLUENCED, PRIVATE):
        kind = PRIVATE if mark.kind == PRIVATE else INFLUENCED
        marks.append(replace(mark, kind=kind, intact=False))
    return spread(node.type, marks) if not is_closed(node.type) else {(): dict.fromkeys(marks)}
