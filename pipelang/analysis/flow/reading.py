"""Information flow through expressions: a field has its own marks, a computation those of all its
parts. The result of a computation is not intact any more, and a result that cannot carry text is
only influenced.

A `let` is worked out where it is read, so that it is as clean as what it was made of is by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.flow.looking import NONE, Gaze, Looks, shown
from pipelang.analysis.flow.marks import (
    ELEMENT,
    INFLUENCED,
    LENGTH,
    NOTHING,
    PRESENCE,
    PRIVATE,
    SECRET,
    UNTRUSTED,
    Flow,
    Mark,
    Way,
    checked,
    inside,
    joined,
    marks_of,
    only,
    spread,
    under,
)
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    BOOL,
    INT,
    EnumType,
    ListType,
    OptionalType,
    Scalar,
    ScalarKind,
    Type,
)

MOST_PARTS = 500
"""The most parts of an expression that stands for a let. A larger let stands for itself."""

MOST_PUT_IN = 2_000
"""The most parts of an expression with its functions put in. A larger one is not decided."""

_SOME = expr.Const(0, INT)
"""An index that stands for any: all elements of a list have one flow."""


@dataclass(slots=True)
class Values:
    """The flow of every value in scope.

    `aliases` are lets that stand for a path, `lets` the others. On every way to here, a gate or a
    person has looked at what is `cleared`, a person has been shown what is `approved`, and a gate
    with evidence or a person has looked at what is `vouched`.
    """

    program: p.Program
    flows: dict[str, Flow] = field(default_factory=dict)
    aliases: dict[str, Way] = field(default_factory=dict)
    lets: dict[str, expr.Expr] = field(default_factory=dict)
    cleared: Looks = NONE
    approved: Looks = NONE
    vouched: Looks = NONE
    declassified: dict[str, None] = field(default_factory=dict)
    _plain: dict[str, expr.Expr] = field(default_factory=dict)
    _worked_out: dict[tuple[str, Looks], Flow] = field(default_factory=dict)

    @property
    def looks(self) -> tuple[Looks, ...]:
        """All that was looked at, by kind."""
        return self.cleared, self.approved, self.vouched

    @looks.setter
    def looks(self, kinds: tuple[Looks, ...]) -> None:
        self.cleared, self.approved, self.vouched = kinds

    def put(self, name: str, flow: Flow) -> None:
        """Set the flow of a value that is made here."""
        self.flows[name] = flow
        self._worked_out.clear()

    def define(self, let: p.Let) -> None:
        """Define a let."""
        way = self.path(let.value)
        if way is not None:
            self.aliases[let.name] = way
        else:
            self.lets[let.name] = let.value
        plain = self.plain(let.value)
        if sum(1 for _ in zip(expr.walk(plain), range(MOST_PARTS + 1), strict=False)) <= MOST_PARTS:
            self._plain[let.name] = plain

    def path(self, node: expr.Expr) -> Way | None:
        """Return the path that an expression is, through lets; None for anything computed."""
        match node:
            case expr.Read():
                return self.aliases.get(node.name) or (node.name,)
            case expr.Field():
                head = self.path(node.target)
                return None if head is None else (*head, node.name)
            case expr.At():
                head = self.path(node.target)
                index = f"[{expr.show(self.plain(node.index))}]"
                return None if head is None else (*head, index)
            case _:
                return None

    def plain(self, node: expr.Expr) -> expr.Expr:
        """Return an expression with its lets and functions put in. Raises `TooHard`."""
        if isinstance(node, (expr.Read, expr.Const)):
            return self._plain.get(node.name, node) if isinstance(node, expr.Read) else node
        given = {name: self._plain[name] for name in expr.mentions(node) if name in self._plain}
        return self._without_functions(expr.substitute(node, given) if given else node)

    def _without_functions(self, node: expr.Expr) -> expr.Expr:
        if not any(isinstance(part, expr.Apply) for part in expr.walk(node)):
            return node
        left = MOST_PUT_IN

        def put_in(part: expr.Expr) -> expr.Expr:
            nonlocal left
            left -= 1
            if left < 0:
                raise TooHard("its functions, each put in where it is used, are too large")
            if isinstance(part, expr.Apply):
                function = self.program.functions[part.function]
                if function.body is not None:
                    names = (parameter.name for parameter in function.parameters)
                    given = dict(zip(names, part.arguments, strict=False))
                    return put_in(expr.substitute(function.body, given))
            return expr.rebuilt(part, put_in)

        return put_in(node)

    # ---------------------------------------------------------------------------------- flows

    def at(self, way: Way) -> Flow:
        """Return the flow at a path, with the marks of data that was checked weakened."""
        flow = self.whole(way[0])
        if not flow:
            return flow
        for done in self.cleared:
            if isinstance(done, tuple) and done[0] == way[0]:
                flow = _without(flow, () if way[: len(done)] == done else done[1:])
        for part in way[1:]:
            flow = inside(flow, part)
        return flow

    def whole(self, name: str) -> Flow:
        """Return the flow of a name; that of a let is worked out, once for what was cleared."""
        value = self.lets.get(name)
        if value is None:
            return self.flows.get(name, NOTHING)
        found = self._worked_out.get((name, self.cleared))
        if found is None:
            own = self.flows.get(name, NOTHING)  # it may be told later whose data it identifies
            found = self._worked_out[name, self.cleared] = joined(self.of(value), own)
        return found

    def of(self, node: expr.Expr) -> Flow:
        """Return the flow into the value of an expression."""
        way = self.path(node)
        if way is not None:
            flow = self.at(way)
            indexed = any(part.startswith("[") for part in way)
            for part in expr.walk(node) if indexed else ():
                if isinstance(part, expr.At) and not isinstance(part.index, expr.Const):
                    flow = joined(flow, steered(node.type, self.of(part.index)))
            return flow
        if isinstance(node, (expr.Const, expr.BudgetLeft)):
            return NOTHING
        flow = self._computed(node)
        if flow and self.cleared and self.plain(node) in self.cleared:
            return _without(flow, ())
        return flow

    def _computed(self, node: expr.Expr) -> Flow:
        match node:
            case expr.IsPresent():
                return self.presence(node.target)
            case expr.Field():
                return inside(self.of(node.target), node.name)
            case expr.At():
                found = inside(self.of(node.target), ELEMENT)
                return joined(found, steered(node.type, self.of(node.index)))
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
                return joined(ways, steered(node.type, self.of(node.condition)))
            case expr.Select():
                ways = joined(*(self.of(arm) for _, arm in node.arms))
                return joined(ways, steered(node.type, self.of(node.subject)))
            case expr.Apply():
                return self._apply(node)
            case expr.Builtin(function="min"):
                flows = [self.of(part) for part in node.arguments]
                found = computed(node, joined(*flows))
                numbers = len(flows) > 1 and not all(map(_any_size, flows))
                return _without(found, ()) if numbers else found
            case _:
                return computed(node, joined(*(self._told(node, x) for x in expr.parts(node))))

    def _told(self, node: expr.Expr, part: expr.Expr) -> Flow:
        """Return what the result of a computation tells of a part. One bit of a secret text does
        not reveal it; whether a secret choice is a certain one does.
        """
        flow = self.of(part)
        if node.type == BOOL and not _is_choice(part.type):
            return only(flow, (UNTRUSTED, INFLUENCED, PRIVATE))
        return flow

    def _comprehension(self, node: expr.Comprehension) -> Flow:
        """Return the flow into a list made of another: into an element, from an element of that.
        Which elements there are is steered by the condition, and by what the list is.
        """
        of = node.collection.type
        type = of.element if isinstance(of, ListType) else of
        element = expr.At(node.collection, _SOME, type, node.span)
        made = under(ELEMENT, self.of(expr.at_element(node.item, node.name, element)))
        made = joined(made, steered(node.type, inside(self.of(node.collection), ELEMENT)))
        if node.condition is None:
            return made
        test = self.of(expr.at_element(node.condition, node.name, element))
        return joined(made, steered(node.type, test))

    def _apply(self, node: expr.Apply) -> Flow:
        function = self.program.functions[node.function]
        given = [self.of(argument) for argument in node.arguments]
        if function.body is None:
            found = computed(node, joined(*(self._told(node, x) for x in node.arguments)))
        else:
            names = (parameter.name for parameter in function.parameters)
            inner = Values(self.program, dict(zip(names, given, strict=False)))
            found = inner.of(function.body)
            self.declassified.update(inner.declassified)
        if function.public and any(marks_of(found, PRIVATE, SECRET)):
            self.declassified[function.name] = None
            return only(found, (UNTRUSTED, INFLUENCED))
        return found

    def presence(self, node: expr.Expr) -> Flow:
        """Return the marks of what decides whether an optional is there. That something is there
        says nothing of what it is, but a model decides whether it gives it.
        """
        match node:
            case expr.At():
                own = inside(inside(self.of(node.target), ELEMENT), PRESENCE)
                index = steered(BOOL, self.of(node.index))
                return joined(self.length(node.target), index, own)
            case expr.Choice():
                ways = joined(self.presence(node.then), self.presence(node.otherwise))
                return joined(ways, steered(BOOL, self.of(node.condition)))
            case expr.Select():
                ways = joined(*(self.presence(arm) for _, arm in node.arms))
                return joined(ways, steered(BOOL, self.of(node.subject)))
            case expr.Const():
                return NOTHING
            case expr.Read() if node.name in self.lets:
                return self.presence(self.lets[node.name])
            case expr.Read() if isinstance(element := self.plain(node), expr.At):
                return self.presence(element)
            case expr.Apply() if self.program.functions[node.function].body is not None:
                return self.presence(self.plain(node))
            case _:
                return inside(self.of(node), PRESENCE)

    def length(self, node: expr.Expr) -> Flow:
        """Return the marks of what decides how many elements a list has."""
        match node:
            case expr.MakeList() | expr.Const():
                return NOTHING
            case expr.Arithmetic():
                return joined(self.length(node.left), self.length(node.right))
            case expr.Choice():
                ways = joined(self.length(node.then), self.length(node.otherwise))
                return joined(ways, steered(BOOL, self.of(node.condition)))
            case expr.Select():
                ways = joined(*(self.length(arm) for _, arm in node.arms))
                return joined(ways, steered(BOOL, self.of(node.subject)))
            case expr.Read() if node.name in self.lets:
                return self.length(self.lets[node.name])
            case expr.Apply() if self.program.functions[node.function].body is not None:
                return self.length(self.plain(node))
            case _:
                return inside(self.of(node), LENGTH)

    # ---------------------------------------------------------------------------------- looks

    def judged(self, test: expr.Expr, *, partly: bool = False) -> Looks:
        """Return what a test looks at on every way on which it holds."""
        plain = self.plain(test)
        return self._named(test, Gaze(partly=partly).judged(plain) or NONE)

    def shown(self, node: expr.Expr) -> Looks:
        """Return what a person sees of an expression's value."""
        return self._named(node, shown(self.plain(node)))

    def _named(self, node: expr.Expr, looks: Looks) -> Looks:
        """Add the lets whose values were looked at, since they are paths, too."""
        names = (name for name in expr.mentions(node) if name in self.lets)
        return looks | {(name,) for name in names if self._plain.get(name) in looks}

    def marks_at(self, looks: Looks, *kinds: str) -> Iterator[Mark]:
        """Return the marks of what was looked at, each once."""
        flows = (self.at(one) if isinstance(one, tuple) else self.of(one) for one in looks)
        yield from marks_of(joined(*flows), *kinds)


def _is_choice(type: Type) -> bool:
    """Whether a type has so few values that one bit tells much of one."""
    inner = type.inner if isinstance(type, OptionalType) else type
    return isinstance(inner, EnumType) or (
        isinstance(inner, Scalar) and inner.kind is ScalarKind.BOOL
    )


def _any_size(flow: Flow) -> bool:
    return any(mark.free for marks in flow.values() for mark in marks)


def _without(flow: Flow, done: Way) -> Flow:
    """Return the flow after the data at a path was checked: an outsider may still have steered it
    (`influenced`).
    """
    return {
        way: dict.fromkeys(map(checked, marks)) if way[: len(done)] == done else marks
        for way, marks in flow.items()
    }


def computed(node: expr.Expr, flow: Flow) -> Flow:
    """Return the flow of a computed value."""
    marks = [_changed(mark) for mark in marks_of(flow, UNTRUSTED, INFLUENCED, PRIVATE, SECRET)]
    return spread(node.type, marks)


def _changed(mark: Mark) -> Mark:
    return replace(mark, intact=False) if mark.intact else mark


def steered(type: Type, flow: Flow) -> Flow:
    """Return the flow of a value of a type that is selected among several: the condition that
    selects it leaves its marks on it.
    """
    return picked(type, marks_of(flow, UNTRUSTED, INFLUENCED, PRIVATE, SECRET))


def picked(type: Type, marks: Iterable[Mark]) -> Flow:
    """Return the flow of a value of a type that data with these marks has selected."""
    found = []
    for mark in marks:
        kind = mark.kind if mark.kind in (PRIVATE, SECRET) else INFLUENCED
        found.append(replace(mark, kind=kind, intact=False, free=False))
    return spread(type, found, shaped=True)
