"""Items of a pipeline: steps, gates, people, branches; and the blocks that they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_never

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions import (
    Place,
    chain,
    chain_reads,
    outcome,
)
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.evidence import gate_evidence
from pipelang.semantics.elaborate.expressions import condition, elaborate
from pipelang.semantics.elaborate.narrowing import known_if_false, known_if_true
from pipelang.semantics.elaborate.patterns import elaborate_patterns
from pipelang.semantics.elaborate.rates import quantity
from pipelang.semantics.elaborate.signatures import signature
from pipelang.semantics.elaborate.types import elaborate_type
from pipelang.semantics.kernels.redo import reruns
from pipelang.semantics.kernels.regions import is_barrier, segments
from pipelang.semantics.symbols import style, suggestion
from pipelang.semantics.types import DURATION, ERROR, INT, ListType
from pipelang.syntax import ast

_SETTINGS_ITEMS = (ast.Budget, ast.Permits, ast.Slo, ast.Traffic, ast.Watch, ast.Breaker)


def block(
    context: Context,
    scope: Scope,
    place: Place,
    items: tuple[ast.Item, ...],
    taken: dict[str, Span],
    judged: frozenset[str] = frozenset(),
) -> tuple[p.Block, Scope, bool]:
    """A block, the scope at its end, and whether every way through it ends the run.

    `taken` are the names of everything around it and in it: no name is used twice.
    """
    made: list[p.Item] = []
    places: dict[str, int] = {}
    steps = frozenset(judged)
    later = _names(items)
    ended = False
    told = False
    scope = replace(scope, later=scope.later | frozenset(later))
    for item in items:
        if isinstance(item, _SETTINGS_ITEMS):
            continue
        if ended and not told:
            context.tell(codes.UNREACHABLE, item.span)
            told = True
        typed, scope, ends = _item(context, scope, place, item, made, places, taken, steps)
        if typed is not None:
            if isinstance(typed, (p.Step, p.Let)):
                places[typed.name] = len(made)
            steps |= steps_in(typed)
            made.append(typed)
        ended = ended or ends
    acts = tool_acts(context)
    return p.Block(tuple(made), segments(made, acts)), scope, ended


def steps_in(item: p.Item) -> frozenset[str]:
    """The steps of an item, those of its branches included."""
    match item:
        case p.Step():
            return frozenset((item.name,))
        case p.When():
            inner = (*item.then.items, *item.otherwise.items)
        case p.MatchBranch():
            inner = tuple(part for _, arm in item.arms for part in arm.items)
        case _:
            return frozenset()
    return frozenset[str]().union(*map(steps_in, inner))


def tool_acts(context: Context) -> Any:
    """A function that says whether a tool, by its key, changes the world."""

    def acts(key: str) -> bool:
        declaration = context.symbols.by_key[key].declaration
        return isinstance(declaration, ast.ToolDecl) and any(
            isinstance(option, ast.Effect) and option.kind in ("write", "irreversible")
            for option in declaration.options
        )

    return acts


def _names(items: tuple[ast.Item, ...]) -> set[str]:
    return {item.name.text for item in items if isinstance(item, (ast.Step, ast.Let))}


def _claim(context: Context, name: ast.Name, taken: dict[str, Span], what: str) -> None:
    """Take a name for a thing of this pipeline; tell if it is taken already."""
    if name.text in taken:
        label = Label(taken[name.text], "it is taken here")
        context.tell(codes.DUPLICATE, name.span, name=name.text, labels=(label,))
    elif not name.text.islower() and name.text.strip("_"):
        context.diagnostics.append(style(name, what, pascal=False))
    taken.setdefault(name.text, name.span)


Made = tuple[p.Item | None, Scope, bool]


def _item(
    context: Context,
    scope: Scope,
    place: Place,
    item: ast.Item,
    made: list[p.Item],
    places: dict[str, int],
    taken: dict[str, Span],
    steps: frozenset[str],
) -> Made:
    match item:
        case ast.Step():
            return _step(context, scope, place, item, taken)
        case ast.Let():
            return _let(context, scope, item, taken)
        case ast.Gate():
            return _gate(context, scope, place, item, made, places, taken)
        case ast.Approve() | ast.Hold():
            return _person(context, scope, place, item, taken, steps)
        case ast.When():
            return _when(context, scope, place, item, taken, steps)
        case ast.MatchItem():
            return _match(context, scope, place, item, taken, steps)
        case ast.Remember():
            return _remember(context, scope, place, item)
        case ast.Return() | ast.Escalate() | ast.Reject() | ast.Fail():
            made_outcome = outcome(context, scope, place, item)
            return p.End(made_outcome, item.span), scope, True
        case ast.Budget() | ast.Permits() | ast.Slo() | ast.Traffic() | ast.Watch() | ast.Breaker():
            context.tell(codes.UNREACHABLE, item.span)
            return None, scope, False
        case _:
            assert_never(item)


def _step(
    context: Context, scope: Scope, place: Place, item: ast.Step, taken: dict[str, Span]
) -> Made:
    name = item.name.text
    _claim(context, item.name, taken, "step")
    expected = None
    if item.type is not None:
        expected = elaborate_type(context, scope.file, item.type)
    inner = Place(place.pipeline, name, place.returns, place.open_ends)
    asking = replace(scope, budget=True)
    links, type = chain(context, asking, inner, item.chain, expected)
    step = p.Step(name, type, links, chain_reads(links), item.doc, item.name.span)
    return step, _with(scope, name, type, item.name.span), False


def _with(scope: Scope, name: str, type: Any, span: Span) -> Scope:
    scope = scope.with_name(name, Local(type, span))
    return replace(scope, later=scope.later - {name})


def _let(context: Context, scope: Scope, item: ast.Let, taken: dict[str, Span]) -> Made:
    name = item.name.text
    _claim(context, item.name, taken, "let")
    expected = None
    if item.type is not None:
        expected = elaborate_type(context, scope.file, item.type)
    value = elaborate(context, scope, item.value, expected)
    type = expected or value.type
    let = p.Let(name, type, value, ir.mentions(value), item.name.span)
    return let, _with(scope, name, type, item.name.span), False


def _gate(
    context: Context,
    scope: Scope,
    place: Place,
    item: ast.Gate,
    made: list[p.Item],
    places: dict[str, int],
    taken: dict[str, Span],
) -> Made:
    name = item.name.text
    _claim(context, item.name, taken, "gate")
    test = condition(context, scope, item.condition)
    inner = Place(place.pipeline, name, place.returns, place.open_ends)
    evidence = gate_evidence(context, scope.file, place.pipeline, item, test)
    gate = p.Gate(name, test, evidence, _NO_OUTCOME, ir.mentions(test), item.doc, item.name.span)
    if isinstance(item.otherwise, ast.Redo):
        redo = _redo(context, scope, inner, item, item.otherwise, [*made, gate], places)
        gate = replace(gate, otherwise=redo)
    else:
        gate = replace(gate, otherwise=outcome(context, scope, inner, item.otherwise))
    return gate, scope.knowing(known_if_true(test)), False


_NO_OUTCOME = p.Fail("", "", Span("", 0, 0))


def _redo(
    context: Context,
    scope: Scope,
    place: Place,
    item: ast.Gate,
    redo: ast.Redo,
    made: list[p.Item],
    places: dict[str, int],
) -> p.Redo | p.Outcome:
    times = quantity(context, scope.file, redo.times, INT, "up to") or 0
    because = None
    if redo.because is not None:
        from pipelang.semantics.types import TEXT

        because = elaborate(context, scope, redo.because, TEXT)
    otherwise = outcome(context, scope, place, redo.otherwise)
    name = redo.step.text
    start = places.get(name)
    if start is None or not isinstance(made[start], p.Step):
        if name in scope.names or name in scope.gone:
            why = "it stands in another block"
            context.tell(codes.BAD_REDO, redo.step.span, name=name, why=why)
        else:
            steps = [n for n, at in places.items() if isinstance(made[at], p.Step)]
            help = suggestion(name, steps)
            context.tell(codes.UNKNOWN_NAME, redo.step.span, what="step", name=name, help=help)
        return otherwise
    for between in made[start:-1]:
        why = _no_redo_over(context, between)
        if why is not None:
            span = between.span
            label = Label(span, why)
            context.tell(codes.BAD_REDO, redo.step.span, name=name, why=why, labels=(label,))
            return otherwise
    again = reruns(made, start, len(made) - 1)
    if again[-1] != len(made) - 1:
        context.tell(codes.REDO_IS_USELESS, redo.step.span, gate=item.name.text, name=name)
        return otherwise
    return p.Redo(name, times, because, again, otherwise)


def _no_redo_over(context: Context, item: p.Item) -> str | None:
    """Why an item between a step and its gate cannot be run again; None if it can."""
    if isinstance(item, (p.Let, p.Gate)):
        return None
    if isinstance(item, p.Step):
        if is_barrier(item, tool_acts(context)):
            return f"`{item.name}` acts on the world or asks a person"
        return None
    return "there is a person, an effect or a branch between it and the gate"


def _person(
    context: Context,
    scope: Scope,
    place: Place,
    item: ast.Approve | ast.Hold,
    taken: dict[str, Span],
    steps: frozenset[str],
) -> Made:
    name = item.name.text
    kind = "approve" if isinstance(item, ast.Approve) else "hold"
    _claim(context, item.name, taken, kind)
    symbol = context.find(scope.file, item.role, "role")
    written = item.within if isinstance(item, ast.Approve) else item.duration
    seconds = None
    if written is not None:
        seconds = quantity(context, scope.file, written, DURATION, kind, positive=True)
    when = None if item.when is None else condition(context, scope, item.when)
    showing = None if item.showing is None else elaborate(context, scope, item.showing)
    judges = steps if showing is None else ir.mentions(showing)
    inner = Place(place.pipeline, name, place.returns, place.open_ends)
    person = p.Person(
        name=name,
        kind=kind,
        role=symbol.key if symbol else item.role.text,
        when=when,
        seconds=seconds,
        showing=showing,
        judges=judges,
        otherwise=outcome(context, scope, inner, item.otherwise),
        doc=item.doc,
        span=item.name.span,
    )
    return person, scope, False


def _closed(scope: Scope, items: tuple[ast.Item, ...]) -> Scope:
    """The scope after a branch: what was made inside is gone."""
    return replace(scope, gone=scope.gone | frozenset(_names(items)))


def _branch(
    context: Context,
    scope: Scope,
    place: Place,
    items: tuple[ast.Item, ...],
    taken: dict[str, Span],
    steps: frozenset[str],
) -> tuple[p.Block, bool]:
    made, _, ends = block(context, scope, place, items, dict(taken), steps)
    return made, ends


def _when(
    context: Context,
    scope: Scope,
    place: Place,
    item: ast.When,
    taken: dict[str, Span],
    steps: frozenset[str],
) -> Made:
    name = None
    inner = place
    if item.name is not None:
        name = item.name.text
        _claim(context, item.name, taken, "when")
        inner = Place(place.pipeline, name, place.returns, place.open_ends)
    test = condition(context, scope, item.condition)
    yes = scope.knowing(known_if_true(test))
    no = scope.knowing(known_if_false(test))
    then, then_ends = _branch(context, yes, inner, item.then, taken, steps)
    otherwise, otherwise_ends = _branch(context, no, inner, item.otherwise or (), taken, steps)
    after = _closed(scope, (*item.then, *(item.otherwise or ())))
    if then_ends and not otherwise_ends:
        after = after.knowing(known_if_false(test))
    elif otherwise_ends and not then_ends:
        after = after.knowing(known_if_true(test))
    span = item.name.span if item.name is not None else item.condition.span
    return p.When(name, test, then, otherwise, span), after, then_ends and otherwise_ends


def _match(
    context: Context,
    scope: Scope,
    place: Place,
    item: ast.MatchItem,
    taken: dict[str, Span],
    steps: frozenset[str],
) -> Made:
    subject = elaborate(context, scope, item.subject)
    patterns = elaborate_patterns(
        context, subject.type, [arm.pattern for arm in item.arms], item.subject.span
    )
    arms = []
    all_end = True
    after = scope
    for values, arm in zip(patterns, item.arms, strict=True):
        made, ends = _branch(context, scope, place, arm.items, taken, steps)
        arms.append((values, made))
        all_end = all_end and ends
        after = _closed(after, arm.items)
    branch = p.MatchBranch(subject, tuple(arms), item.subject.span)
    return branch, after, all_end and bool(arms)


def _remember(context: Context, scope: Scope, place: Place, item: ast.Remember) -> Made:
    place.open_ends.append(("`remember`", item.span))
    symbol = context.find(scope.file, item.memory, "memory")
    key_type, value_type = ERROR, ERROR
    if symbol is not None:
        parameters, returns = signature(context, symbol.key)
        key_type = parameters[0].type if parameters else ERROR
        value_type = returns.element if isinstance(returns, ListType) else returns
    key = elaborate(context, scope, item.key, key_type)
    value = elaborate(context, scope, item.value, value_type)
    memory = symbol.key if symbol else item.memory.text
    reads = ir.mentions(key) | ir.mentions(value)
    return p.Remember(memory, key, value, reads, item.span), scope, False
