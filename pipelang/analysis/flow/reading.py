"""Information flow through expressions: a field has its own marks, a computation those of all its
parts. The result of a computation is not intact any more, and a result that cannot carry text is
only influenced.

A `let` is worked out where it is read, so that it is as clean as what it was made of is by then.

Whether a number may be of any size depends on the side on which it is read: `100 - n` has an upper
bound where n has a lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.flow.bounding import UNLIMITED, Limits, NumberBounds
from pipelang.analysis.flow.expenses import Expenses
from pipelang.analysis.flow.looking import (
    NONE,
    Arm,
    Gaze,
    Looks,
    Seen,
    SeenInArm,
    arms_of,
    assuming,
    shown,
)
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
    limited,
    marks_of,
    only,
    source,
    spread,
    under,
)
from pipelang.analysis.flow.telling import (
    any_size,
    changed,
    computed,
    leads,
    of_test,
    steered,
    without,
)
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    BOOL,
    INT,
    JSON,
    ListType,
    present,
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
    person has looked at what is `cleared`, a person has been shown what is `approved`, a gate with
    evidence or a person has looked at what is `vouched`, and what is `bounded` and `floored` is no
    number of any size, upwards or downwards. `spending` is that of all runs of this program.
    """

    program: p.Program
    flows: dict[str, Flow] = field(default_factory=dict)
    aliases: dict[str, Way] = field(default_factory=dict)
    lets: dict[str, expr.Expr] = field(default_factory=dict)
    cleared: Looks = NONE
    approved: Looks = NONE
    vouched: Looks = NONE
    bounded: Looks = NONE
    floored: Looks = NONE
    spending: Expenses = field(default_factory=Expenses)
    declassified: dict[str, None] = field(default_factory=dict)
    _plain: dict[str, expr.Expr] = field(default_factory=dict)
    _picked_by: dict[str, tuple[expr.Expr, ...]] = field(default_factory=dict)
    _worked_out: dict[tuple[object, ...], Flow] = field(default_factory=dict)
    _down: bool = False

    @property
    def looks(self) -> tuple[Looks, ...]:
        """All that was looked at, by kind."""
        return self.cleared, self.approved, self.vouched, self.bounded, self.floored

    @looks.setter
    def looks(self, kinds: tuple[Looks, ...]) -> None:
        self.cleared, self.approved, self.vouched, self.bounded, self.floored = kinds

    def add_looks(self, kinds: tuple[Looks, ...]) -> None:
        """Add what was looked at, by kind."""
        self.looks = tuple(own | more for own, more in zip(self.looks, kinds, strict=True))

    @property
    def _sizes(self) -> Looks:
        return self.floored if self._down else self.bounded

    def put(self, name: str, flow: Flow) -> None:
        """Set the flow of a value that is made here."""
        self.flows[name] = flow
        self._worked_out.clear()

    def define(self, let: p.Let) -> None:
        """Define a let."""
        way = self.path(let.value)
        if way is not None:
            self.aliases[let.name] = way
            self._picked_by[let.name] = tuple(self._indices(let.value))
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
        for weaker, looks in ((checked, self.cleared), (limited, self._sizes)):
            for done in looks:
                if isinstance(done, tuple) and done[0] == way[0]:
                    flow = without(flow, () if leads(done, way) else done[1:], weaker)
        for part in way[1:]:
            flow = inside(flow, part)
        return flow

    def whole(self, name: str) -> Flow:
        """Return the flow of a name; that of a let is worked out, once for what was cleared."""
        value = self.lets.get(name)
        if value is None:
            return self.flows.get(name, NOTHING)
        key = (name, self.cleared, self._sizes, self._down)
        found = self._worked_out.get(key)
        if found is None:
            own = self.flows.get(name, NOTHING)  # it may be told later whose data it identifies
            found = self._worked_out[key] = joined(self.of(value), own)
        return found

    def of(self, node: expr.Expr) -> Flow:
        """Return the flow into the value of an expression."""
        way = self.path(node)
        if way is not None:
            flow = self.at(way)
            for index in self._indices(node) if any(x.startswith("[") for x in way) else ():
                flow = joined(flow, steered(node.type, self.of(index)))
            return flow
        if isinstance(node, expr.Const):
            return NOTHING
        flow = self._computed(node)
        if flow and (self.cleared or self._sizes):
            plain = self.plain(node)
            flow = without(flow, (), checked) if plain in self.cleared else flow
            flow = without(flow, (), limited) if plain in self._sizes else flow
        return flow

    def _indices(self, node: expr.Expr) -> Iterator[expr.Expr]:
        """Return what picks the elements on a path, through the lets that stand for one."""
        for part in expr.walk(node):
            if isinstance(part, expr.At) and not isinstance(part.index, expr.Const):
                yield part.index
            elif isinstance(part, expr.Read):
                yield from self._picked_by.get(part.name, ())

    def told(self, node: expr.Expr) -> Flow:
        """Return what the result of a test of a value tells of it."""
        return of_test(node.type, self.of(node))

    def limits(self, test: expr.Expr) -> Limits:
        """Return the numbers that a test bounds on every way on which it holds."""
        plain = self.plain(test)
        if any(
            isinstance(part, (expr.Compare, expr.Member, expr.Apply)) for part in expr.walk(plain)
        ):
            found = NumberBounds(self._is_bounded).judged(plain) or UNLIMITED
            return Limits(self._named(test, found.above), self._named(test, found.below))
        return UNLIMITED

    def _is_bounded(self, node: expr.Expr, up: bool) -> bool:
        before, self._down = self._down, not up
        found = not any_size(self.of(node))
        self._down = before
        return found

    def _reversed(self, node: expr.Expr) -> Flow:
        """Return the flow of a value that is read on its other side."""
        before, self._down = self._down, not self._down
        found = self.of(node)
        self._down = before
        return found

    def _assuming(
        self, test: expr.Expr, arm: Arm, of: Callable[[expr.Expr], Flow], value: expr.Expr
    ) -> Flow:
        """Return the flow of a value where a test takes an arm."""
        before = self.looks
        if any(isinstance(one, SeenInArm) for kind in before for one in kind):
            plain = self.plain(test)
            self.looks = tuple(assuming(kind, plain, arm) for kind in before)
        found = of(value)
        self.looks = before
        return found

    def _ways(self, node: expr.Choice | expr.Select, of: Callable[[expr.Expr], Flow]) -> Flow:
        """Return the flow of what a choice may come to, without that of what it chooses by."""
        if isinstance(node, expr.Choice):
            test = node.condition
            arms: list[tuple[Arm, expr.Expr]] = [(True, node.then), (False, node.otherwise)]
        else:
            test, arms = node.subject, list(arms_of(node))
        return joined(*(self._assuming(test, arm, of, value) for arm, value in arms))

    def _computed(self, node: expr.Expr) -> Flow:
        match node:
            case expr.IsPresent():
                return self.presence(node.target)
            case expr.Field():
                return inside(self.of(node.target), node.name)
            case expr.At():
                found = inside(self.of(node.target), ELEMENT)
                return joined(found, steered(node.type, self.of(node.index)))
            case expr.BudgetLeft():
                return self.spending.left(node)
            case expr.MakeList():
                return under(ELEMENT, joined(*map(self.of, node.items)))
            case expr.Concatenation():
                return joined(self.of(node.left), self.of(node.right))
            case expr.Comprehension():
                return self._comprehension(node)
            case expr.MakeRecord():
                return joined(*(under(name, self.of(value)) for name, value in node.fields))
            case expr.Choice():
                test = self.told(node.condition)
                return joined(self._ways(node, self.of), steered(node.type, test))
            case expr.Select():
                test = self.told(node.subject)
                return joined(self._ways(node, self.of), steered(node.type, test))
            case expr.Apply():
                return self._apply(node)
            case expr.Builtin(function="min" | "max"):
                flows = [self.of(part) for part in node.arguments]
                found = computed(node.type, joined(*flows))
                clamps = len(flows) > 1 and self._down is (node.function == "max")
                clamps = clamps and not all(map(any_size, flows))
                return without(found, (), limited) if clamps else found
            case expr.Builtin(function="first") if isinstance(node.type, ListType):
                found = self.of(node.arguments[0])
                counts = (self.of(part) for part in node.arguments[1:])
                return joined(found, *(steered(node.type, count) for count in counts))
            case expr.Negate():
                return computed(node.type, self._reversed(node.operand))
            case expr.Arithmetic(op="-"):
                return computed(node.type, joined(self.of(node.left), self._reversed(node.right)))
            case expr.Arithmetic(op="*" | "/"):
                return self._product(node)
            case _:
                return computed(node.type, joined(*(self._told(node, x) for x in expr.parts(node))))

    def _told(self, node: expr.Expr, part: expr.Expr) -> Flow:
        """Return what the result of a computation tells of a part."""
        return self.told(part) if node.type == BOOL else self.of(part)

    def _product(self, node: expr.Arithmetic) -> Flow:
        """Return the flow of a product or quotient: a factor below 0 turns the sides round, and
        what nobody outside picks is taken for a factor above it.
        """
        flows = []
        for one, other in ((node.left, node.right), (node.right, node.left)):
            turns = isinstance(other, expr.Const) and other.value < 0
            flows.append(self._reversed(one) if turns else self.of(one))
            if not isinstance(other, expr.Const) and any(marks_of(self.of(other), INFLUENCED)):
                flows.append(self._reversed(one))
        return computed(node.type, joined(*flows))

    def _comprehension(self, node: expr.Comprehension) -> Flow:
        """Return the flow into a list made of another: into an element, from an element of that.
        Which elements there are is steered by the condition, and by what the list is.
        """
        of = node.collection.type
        type = of.element if isinstance(of, ListType) else of
        element = expr.At(node.collection, _SOME, type, node.span)
        made = under(ELEMENT, self.of(expr.at_element(node.item, node.name, element)))
        made = joined(made, under(LENGTH, self.length(node.collection)))
        if node.condition is None:
            return made
        test = self.of(expr.at_element(node.condition, node.name, element))
        return joined(made, steered(node.type, test))

    def _apply(self, node: expr.Apply) -> Flow:
        function = self.program.functions[node.function]
        if function.body is None:
            told = joined(*(self._told(node, x) for x in node.arguments))
            found = spread(node.type, changed(told), chosen=True)
        else:
            names = (parameter.name for parameter in function.parameters)
            given = [self.of(argument) for argument in node.arguments]
            if self.bounded != self.floored:  # the function may turn the sides round
                other = map(self._reversed, node.arguments)
                given = [joined(*pair) for pair in zip(given, other, strict=True)]
            inner = Values(self.program, dict(zip(names, given, strict=False)))
            inner._down = self._down
            found = inner.of(function.body)
            self.declassified.update(inner.declassified)
        how = f", as `{function.name}` returns it"
        found = joined(found, source(function.name, function.returns, function.span, how))
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
                index = steered(BOOL, self.told(node.index))
                return joined(self.length(node.target), index, own)
            case expr.Choice():
                ways = self._ways(node, self.presence)
                return joined(ways, steered(BOOL, self.told(node.condition)))
            case expr.Select():
                ways = self._ways(node, self.presence)
                return joined(ways, steered(BOOL, self.told(node.subject)))
            case expr.Field() if present(node.target.type) == JSON:
                return steered(BOOL, self.told(node.target))
            case expr.Const():
                return NOTHING
            case expr.Read() if node.name in self.lets:
                return self.presence(self.lets[node.name])
            case expr.Read() if isinstance(part := self.plain(node), (expr.At, expr.Field)):
                return self.presence(part)
            case expr.Apply() if self.program.functions[node.function].body is not None:
                return self.presence(self.plain(node))
            case _:
                return inside(self.of(node), PRESENCE)

    def length(self, node: expr.Expr) -> Flow:
        """Return the marks of what decides how many elements a list has."""
        match node:
            case expr.MakeList() | expr.Const():
                return NOTHING
            case expr.Concatenation():
                return joined(self.length(node.left), self.length(node.right))
            case expr.Builtin(function="first"):
                counts = (steered(BOOL, self.told(part)) for part in node.arguments[1:])
                return joined(self.length(node.arguments[0]), *counts)
            case expr.Choice():
                ways = self._ways(node, self.length)
                return joined(ways, steered(BOOL, self.told(node.condition)))
            case expr.Select():
                ways = self._ways(node, self.length)
                return joined(ways, steered(BOOL, self.told(node.subject)))
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
        yield from marks_of(joined(*map(self._seen, looks)), *kinds)

    def _seen(self, one: Seen) -> Flow:
        if isinstance(one, SeenInArm):
            return self._seen(one.one)
        return self.at(one) if isinstance(one, tuple) else self.of(one)
