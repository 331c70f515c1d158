"""Tests as random draws: the outcome of an expression, given rightness and earlier draws.

An expression is decomposed into atoms. A path with shares is drawn once per version of its value,
and everything made of such paths is computed from the joint draw. A confidence with evidence is
drawn once as the bin between the thresholds of all tests. A condition with a share of its own is
one draw. The rest is opaque: it has the rates that its gate declares, or unknown ones. The same
expression over the same versions is one draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.frontier.table import Table, assign
from pipelang.analysis.model.model import (
    RIGHT,
    PipelineModel,
    confidence_cut,
    latent_key,
    test_key,
    value_key,
)
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.arms import OTHER, arm_test, is_closed, is_drawn_whole
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import EnumType

Outcomes = Callable[[bool], Iterable[tuple[Any, Any]]]


@dataclass(frozen=True, slots=True)
class Draw:
    """A variable that is drawn when it is first needed; `outcomes` gets whether all of `given` are
    right.

    `shared`: the draw is about the values that its expression mentions, not the verdict of one
    test; `known`: its distribution is declared.
    """

    key: Key
    given: tuple[Key, ...]
    outcomes: Outcomes
    shared: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """A plan for evaluating an expression: draw these, then compute the value from their values.

    Where they are many, `parts` say how to test it one operand after the other instead.
    """

    draws: tuple[Draw, ...]
    compute: Callable[[dict[Key, Any]], Any]
    parts: TestParts | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(draw.key for draw in self.draws)

    def uses(self) -> set[Key]:
        """Every variable that evaluating reads."""
        return {key for draw in self.draws for key in (draw.key, *draw.given)}


@dataclass(frozen=True, slots=True)
class TestParts:
    """A test of many draws, as its operands: `and`, `or`, `not`, or `if` with the condition first.
    Each of `later` are the variables that the operands behind that one read.
    """

    op: str
    operands: tuple[EvaluationPlan, ...]
    later: tuple[frozenset[Key], ...]


FEW_DRAWS = 6
"""Up to so many are drawn together: 64 states of each."""


def perform(table: Table, plan: EvaluationPlan) -> Table:
    """Draw what a plan needs and what was not drawn before."""
    for draw in plan.draws:
        table = _ensure(table, draw)
    return table


def _ensure(table: Table, draw: Draw) -> Table:
    at = table.index(draw.key)
    if at is not None and all(state[at] is not None for state in table.states):
        return table
    given = len(draw.given)

    def outcomes(seen: tuple[Any, ...]) -> Iterable[tuple[tuple[Any, ...], Any]]:
        if seen[given] is not None:
            return [((seen[given],), 1)]
        right = all(bit in (RIGHT, None) for bit in seen[:given])
        return [((value,), chance) for value, chance in draw.outcomes(right)]

    return assign(table, (draw.key,), (*draw.given, draw.key), outcomes)


def gate_plan(model: PipelineModel, gate: p.Gate) -> EvaluationPlan:
    """The plan of a gate: by its own rates, by the share of its name, or by its expression; made
    once for a model.
    """
    known: EvaluationPlan | None = model.prepared.get(id(gate))
    if known is None:
        known = model.prepared[id(gate)] = _plan_of_gate(model, gate)
    return known


def _plan_of_gate(model: PipelineModel, gate: p.Gate) -> EvaluationPlan:
    condition = model.expand(gate.condition)
    evidence = gate.evidence
    if isinstance(evidence, p.ByRates):
        catches = model.parameters.value(evidence.catches)
        alarms = model.parameters.value(evidence.false_alarms)
        return _opaque(model, condition, lambda right: 1 - (alarms if right else catches))
    own = evidence.file if isinstance(evidence, p.ByFile) else None
    return test_plan(model, condition, gate.name, own)


def test_plan(
    model: PipelineModel, condition: expr.Expr, name: str | None, own: str | None = None
) -> EvaluationPlan:
    """The plan of a test: by the share of its name if there is one, else by its expression. It is
    made once for a model: a sub-pipeline is swept for every situation in which it is run.
    """
    key = ("test", id(condition), name, own)
    known: tuple[expr.Expr, EvaluationPlan] | None = model.prepared.get(key)
    if known is None:
        plan = _plan_of_test(model, condition, name, own)
        known = model.prepared[key] = (condition, plan)  # kept, so that its id stays its own
    return known[1]


def _plan_of_test(
    model: PipelineModel, condition: expr.Expr, name: str | None, own: str | None
) -> EvaluationPlan:
    place = condition.span.start
    condition = model.expand(condition)
    if name is not None and name in model.names:
        share = model.names[name]
        right = model.parameters.value(share.right)
        wrong = model.parameters.value(share.wrong)
        return _opaque(model, condition, lambda is_right: right if is_right else wrong)
    return expression_plan(model, condition, own, place)


def _opaque(
    model: PipelineModel, condition: expr.Expr, holds: Callable[[bool], Any]
) -> EvaluationPlan:
    key = test_key(condition)

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        share = holds(right)
        return [(True, share), (False, 1 - share)]

    draw = Draw(key, model.given(condition), outcomes)
    return EvaluationPlan((draw,), lambda values: values[key])


def expression_plan(
    model: PipelineModel, node: expr.Expr, own: str | None = None, place: int | None = None
) -> EvaluationPlan:
    """A plan for any expression over bools, enums and tiers; `place` is where it is written."""
    at = node.span.start if place is None else place
    return _planned(model, model.expand(node), own, at, {})


def _planned(
    model: PipelineModel,
    node: expr.Expr,
    own: str | None,
    place: int,
    known: dict[int, EvaluationPlan],
) -> EvaluationPlan:
    """The plan of an expression that is written out; `known` are those of its parts."""
    if id(node) not in known:
        draws = _Draws(place)
        compute = _compile(model, node, own, draws)
        parts = None
        if len(draws) > FEW_DRAWS:
            op, operands = expr.operands_of(node)
            plans = tuple(_planned(model, one, own, place, known) for one in operands)
            later = [frozenset[Key]()]
            for plan in reversed(plans[1:]):
                later.append(later[-1] | plan.uses())
            parts = TestParts(op, plans, tuple(reversed(later))) if plans else None
        known[id(node)] = EvaluationPlan(tuple(draws.values()), compute, parts)
    return known[id(node)]


def subject_plan(
    model: PipelineModel, subject: expr.Expr, taken: Iterable[tuple[Any, ...] | None]
) -> EvaluationPlan:
    """The plan for the subject of a `match`, made once for a model: its value, or one that the arm
    it takes has.
    """
    patterns = tuple(taken)
    key = ("subject", id(subject), patterns)
    known: tuple[expr.Expr, EvaluationPlan] | None = model.prepared.get(key)
    if known is None:
        draws = _Draws(subject.span.start)
        compute = _subject(model, model.expand(subject), patterns, None, draws)
        plan = EvaluationPlan(tuple(draws.values()), compute)
        known = model.prepared[key] = (subject, plan)
    return known[1]


def _subject(
    model: PipelineModel,
    subject: expr.Expr,
    taken: Iterable[tuple[Any, ...] | None],
    own: str | None,
    draws: _Draws,
) -> Compute:
    if is_closed(subject):
        return _compile(model, subject, own, draws)
    try:
        constant = fold(subject)
    except NotConstant:
        pass
    else:
        return lambda values: constant
    tests = [
        (values[0], _compile(model, arm_test(subject, values), own, draws))
        for values in taken
        if values
    ]

    def first(values: dict[Key, Any]) -> Any:
        return next((value for value, test in tests if test(values)), OTHER)

    return first


def inherited_plan(model: PipelineModel, node: expr.Expr, told: Draw) -> EvaluationPlan:
    """A plan for what a sub-pipeline draws about its argument: by the caller's shares, else by its
    own.
    """
    plan = expression_plan(model, node)
    if not told.known or all(draw.known for draw in plan.draws):
        return plan
    whole = model.expand(node)
    given = model.given(whole) if told.given else ()
    draw = Draw((told.key[0], whole), given, told.outcomes, shared=True)
    return EvaluationPlan((draw,), lambda values: values[draw.key])


Compute = Callable[[dict[Key, Any]], Any]


class _Draws(dict[Key, Draw]):
    """The draws behind an expression, and what its parts were compiled to: a part that is mentioned
    twice, as through a `let`, is compiled once. `place` is where the expression is written.
    """

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place
        self.compiled: dict[int, _Shared] = {}


class _Shared:
    """A part of an expression as a function of the values drawn; of one that is mentioned more than
    once, the value is kept beside them.
    """

    __slots__ = ("compute", "node", "often")

    def __init__(self, node: expr.Expr, compute: Compute) -> None:
        self.node, self.compute, self.often = node, compute, False

    def __call__(self, values: dict[Key, Any]) -> Any:
        if not self.often:
            return self.compute(values)
        key = ("computed", id(self.node))
        if key not in values:
            values[key] = self.compute(values)
        return values[key]


def _compile(model: PipelineModel, node: expr.Expr, own: str | None, draws: _Draws) -> Compute:
    known = draws.compiled.get(id(node))
    if known is not None:
        known.often = True
        return known
    compute = _compiled(model, node, own, draws)
    if not isinstance(node, _COMPOUND):
        return compute
    made = draws.compiled[id(node)] = _Shared(node, compute)
    return made


_COMPOUND = (expr.Not, expr.Logic, expr.Choice, expr.Select, expr.Compare, expr.Member)


def _compiled(model: PipelineModel, node: expr.Expr, own: str | None, draws: _Draws) -> Compute:
    try:
        constant = fold(node)
    except NotConstant:
        pass
    else:
        return lambda values: constant
    atom = _atom(model, node, own, draws)
    if atom is not None:
        return atom
    match node:
        case expr.Not():
            inner = _compile(model, node.operand, own, draws)
            return lambda values: not inner(values)
        case expr.Logic():
            left = _compile(model, node.left, own, draws)
            right = _compile(model, node.right, own, draws)
            if node.op == "and":
                return lambda values: left(values) and right(values)
            return lambda values: left(values) or right(values)
        case expr.Choice():
            test = _compile(model, node.condition, own, draws)
            then = _compile(model, node.then, own, draws)
            otherwise = _compile(model, node.otherwise, own, draws)
            return lambda values: then(values) if test(values) else otherwise(values)
        case expr.Select():
            patterns = [taken for taken, _ in node.arms]
            subject = _subject(model, node.subject, patterns, own, draws)
            arms = [(taken, _compile(model, arm, own, draws)) for taken, arm in node.arms]

            def select(values: dict[Key, Any]) -> Any:
                seen = subject(values)
                for taken, arm in arms:
                    if taken is None or seen in taken:
                        return arm(values)
                raise LookupError(f"no arm takes {seen!r}")

            return select
        case expr.Compare(op="==") if is_closed(node.left) and is_closed(node.right):
            left = _compile(model, node.left, own, draws)
            right = _compile(model, node.right, own, draws)
            return lambda values: left(values) == right(values)
        case expr.Member() if is_closed(node.item) and isinstance(node.collection, expr.MakeList):
            item = _compile(model, node.item, own, draws)
            members = [_compile(model, part, own, draws) for part in node.collection.items]
            return lambda values: item(values) in [member(values) for member in members]
        case _:
            return _unknown(model, node, draws)


def _atom(model: PipelineModel, node: expr.Expr, own: str | None, draws: _Draws) -> Compute | None:
    """The draw behind an expression that has one of its own; None if it must be taken apart."""
    if node in model.conditions:
        return _add(draws, _condition_draw(model, node, model.conditions[node], draws.place))
    if isinstance(node, expr.Compare):
        opposite = _opposite(node)
        if opposite in model.conditions:
            assert opposite is not None
            holds_not = _compile(model, opposite, own, draws)
            return lambda values: not holds_not(values)
        cut = confidence_cut(node)
        if cut is not None and cut[0] in model.steps:
            file = own or model.file_of(cut[0])
            if file is not None:
                return _bin(model, draws, cut[0], file, cut[1], cut[2])
    compare = expr.of_lowest(node)
    cut = None if compare is None else confidence_cut(compare)
    if cut is not None and cut[0] in model.lowest:
        file = own or model.file_of(cut[0])
        if file in model.lowest[cut[0]]:
            return _lowest(model, draws, cut[0], file, cut[1], cut[2])
    return _path(model, node, draws) if node in model.paths or is_drawn_whole(node) else None


def _condition_draw(
    model: PipelineModel, node: expr.Expr, share: p.ConditionShare, place: int
) -> Draw:
    right = model.parameters.value(share.right)
    wrong = model.parameters.value(share.wrong)

    def holds(is_right: bool) -> list[tuple[Any, Any]]:
        chance = right if is_right else wrong
        return [(True, chance), (False, 1 - chance)]

    again = _looked_before(model, node, place)
    key = (*test_key(node), again) if again else test_key(node)
    return Draw(key, model.given(node), holds, shared=True)


def _path_draw(model: PipelineModel, node: expr.Expr, share: p.PathShares) -> Draw:
    shares = [(value, model.parameters.value(chance)) for value, chance in share.shares]
    return Draw(("path", node), (), lambda right: shares, shared=True)


def _opposite(node: expr.Compare) -> expr.Compare | None:
    """`b <= a` for `a < b`, and the other way round: what holds when this does not."""
    if node.op == "==":
        return None
    op = "<=" if node.op == "<" else "<"
    return expr.Compare(op, node.right, node.left, node.type, node.span)


def _add(draws: _Draws, draw: Draw) -> Compute:
    draws.setdefault(draw.key, draw)
    key = draw.key
    return lambda values: values[key]


def _bin(
    model: PipelineModel,
    draws: _Draws,
    step: str,
    file: str,
    cut: tuple[Any, bool],
    holds_if_reached: bool,
) -> Compute:
    cuts = model.cuts[step, file]
    rank = cuts.index(cut)
    key: Key = ("bin", step, file)
    if key not in draws:
        shares = {right: model.parameters.bin_shares(file, right, cuts) for right in (True, False)}
        draws[key] = Draw(key, (value_key(step),), lambda right: list(enumerate(shares[right])))
    return lambda values: (values[key] > rank) is holds_if_reached


def _lowest(
    model: PipelineModel,
    draws: _Draws,
    step: str,
    file: str,
    cut: tuple[Any, bool],
    holds_if_reached: bool,
) -> Compute:
    """A test of the lowest confidence among the elements of a list, which was drawn with them."""
    rank, place = model.cuts[step, file].index(cut), model.lowest[step].index(file)
    key = latent_key(step)

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        raise AssertionError(f"the elements of `{step}` were not drawn")

    draws.setdefault(key, Draw(key, (value_key(step),), outcomes))
    return lambda values: (values[key][place] > rank) is holds_if_reached


def _path(model: PipelineModel, node: expr.Expr, draws: _Draws) -> Compute:
    """A path to a bool or enum, or a call that answers an enum: by its shares; without any, by
    unknown ones given rightness.
    """
    key: Key = ("path", node)
    given = model.given(node)
    if node in model.paths:
        return _add(draws, _path_draw(model, node, model.paths[node]))
    members = node.type.members if isinstance(node.type, EnumType) else (True, False)
    shown = f"{model.pipeline.name}:{expr.show(node)}"

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        site = f"{shown} if {'right' if right else 'wrong'}"
        return list(zip(members, model.parameters.stick(site, len(members)), strict=True))

    return _add(draws, Draw(key, given, outcomes, shared=True, known=False))


def _unknown(model: PipelineModel, node: expr.Expr, draws: _Draws) -> Compute:
    """A test that nobody said anything about: unknown rates, one if right and one if wrong."""
    shown = f"{model.pipeline.name}:{expr.brief(node)}"
    key = test_key(node)
    again = _looked_before(model, node, draws.place)
    if again:
        key = (*key, again)

    def outcomes(right: bool) -> list[tuple[Any, Any]]:
        site = f"{shown} if {'right' if right else 'wrong'}"
        share = model.parameters.open(f"{site}[{again}]" if again else site)
        return [(True, share), (False, 1 - share)]

    return _add(draws, Draw(key, model.given(node), outcomes, shared=True, known=False))


def _looked_before(model: PipelineModel, node: expr.Expr, place: int) -> int:
    """The number of places before this one that ask how much of a budget is left by the same test:
    at each it may come out otherwise. 0 for another test, which comes out alike everywhere.
    """
    if not any(isinstance(part, expr.BudgetLeft) for part in expr.walk(node)):
        return 0
    places: list[int] = model.prepared.setdefault(("budget", node), [])
    if place not in places:
        places.append(place)
    return places.index(place)
