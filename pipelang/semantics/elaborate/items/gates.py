"""Elaboration of gates and of people who are asked: condition, and outcome or redo otherwise."""

from __future__ import annotations

from pipelang.diagnostics import Label, Span, codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.outcomes import ActionSite, outcome
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.expressions import condition, elaborate
from pipelang.semantics.elaborate.expressions.narrowing import known_if_true
from pipelang.semantics.elaborate.items.items import Around, Made
from pipelang.semantics.elaborate.options.evidence import gate_evidence
from pipelang.semantics.elaborate.options.quantity import MOST_ATTEMPTS, quantity
from pipelang.semantics.elaborate.reach.effects import acts
from pipelang.semantics.kernels.redo import reruns
from pipelang.semantics.kernels.regions import action_is_barrier, is_barrier
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import DURATION, INT, JSON, TEXT
from pipelang.semantics.walk import inner_links
from pipelang.syntax import ast

_NO_OUTCOME = p.Fail("", "", Span("", 0, 0))


def gate(around: Around, scope: Scope, item: ast.Gate) -> Made:
    """A gate; its condition narrows what follows."""
    context, name = around.context, item.name.text
    around.claim(item.name, "gate", value=False)
    test = condition(context, scope, item.condition)
    place = around.place.at(name)
    evidence = gate_evidence(context, scope, place.pipeline, item, test, around.lets)
    made = p.Gate(name, test, evidence, _NO_OUTCOME, expr.mentions(test), item.doc, item.name.span)
    if isinstance(item.otherwise, ast.Redo):
        otherwise = _redo(around, scope, place, item.otherwise, made)
    else:
        otherwise = outcome(context, scope, place, item.otherwise)
    return replace(made, otherwise=otherwise), scope.knowing(known_if_true(test)), False


def person(around: Around, scope: Scope, item: ast.Approve | ast.Hold) -> Made:
    """An approval or a hold."""
    context, name = around.context, item.name.text
    approves = isinstance(item, ast.Approve)
    kind = "approve" if approves else "hold"
    around.claim(item.name, kind, value=False)
    symbol = context.find(scope.file, item.role, "role")
    written = item.within if isinstance(item, ast.Approve) else item.duration
    word = "within" if approves else "for"
    seconds = None
    if written is not None:
        seconds = quantity(context, scope, written, DURATION, word, positive=True)
    test = None if item.when is None else condition(context, scope, item.when)
    showing = None if item.showing is None else elaborate(context, scope, item.showing, JSON)
    judges = frozenset(around.steps) if showing is None else expr.mentions(showing)
    place = around.place.at(name)
    made = p.Person(
        name=name,
        kind=kind,
        role=symbol.key if symbol else item.role.text,
        when=test,
        seconds=seconds,
        showing=showing,
        judges=judges,
        otherwise=_NO_OUTCOME,
        doc=item.doc,
        span=item.name.span,
    )
    if isinstance(item.otherwise, ast.Redo):
        otherwise = _redo(around, scope, place, item.otherwise, made)
    else:
        otherwise = outcome(context, scope, place, item.otherwise)
    return replace(made, otherwise=otherwise), scope, False


def _redo(
    around: Around, scope: Scope, place: ActionSite, redo: ast.Redo, gate: p.Gate | p.Person
) -> p.Redo | p.Outcome:
    context, name = around.context, redo.step.text
    times = quantity(context, scope, redo.times, INT, "up to", positive=True, most=MOST_ATTEMPTS)
    because = None
    if redo.because is not None:
        because = elaborate(context, scope, redo.because, TEXT)
    otherwise = outcome(context, scope, place, redo.otherwise)
    start = around.places.get(name)
    if start is None or not isinstance(around.made[start], p.Step):
        _no_step(around, scope, redo.step)
        return otherwise
    items = [*around.made, gate]
    for between in items[start:-1]:
        why = _no_redo_over(context, name, between)
        if why is not None:
            label = Label(between.span, "it stands here")
            context.tell(codes.BAD_REDO, redo.step.span, name=name, why=why, labels=(label,))
            return otherwise
    again = reruns(items, start, len(items) - 1)
    if again[-1] != len(items) - 1:
        context.tell(codes.REDO_IS_USELESS, redo.step.span, gate=gate.name, name=name)
        return otherwise
    return p.Redo(name, times or 1, because, again, otherwise)


def _no_step(around: Around, scope: Scope, name: ast.Name) -> None:
    """Report why a redo does not find its step in this block."""
    context, place = around.context, around.places.get(name.text)
    if place is not None:
        why = "it is a `let`, which is worked out again by itself"
        context.tell(codes.BAD_REDO, name.span, name=name.text, why=why)
    elif name.text in scope.names or scope.is_gone(name.text):
        why = "it is no step of this block"
        context.tell(codes.BAD_REDO, name.span, name=name.text, why=why)
    elif scope.is_later(name.text):
        context.tell(codes.NOT_YET, name.span, name=name.text)
    else:
        made = around.made
        steps = [name for name, at in around.places.items() if isinstance(made[at], p.Step)]
        help = suggestion(name.text, steps)
        context.tell(codes.UNKNOWN_NAME, name.span, what="step", name=name.text, help=help)


def _only_asks(context: Context, step: p.Step) -> bool:
    """Whether a step is a barrier by nothing but asks of a role: people may be asked again."""
    return all(
        isinstance(link.action, (p.AskRole, p.Choose))
        or not action_is_barrier(link.action, lambda key: acts(context, key))
        for link in inner_links(step.chain)
    )


def _no_redo_over(context: Context, redone: str, item: p.Item) -> str | None:
    """Reason why an item between a step and its gate cannot be run again; None if it can."""
    match item:
        case p.Let() | p.Gate():
            return None
        case p.Step():
            here = item.name == redone and _only_asks(context, item)
            if here or not is_barrier(item, lambda key: acts(context, key)):
                return None
            who = "it" if item.name == redone else f"`{item.name}`, between it and the gate,"
            return f"{who} acts on the world or asks a person"
        case p.Person():
            return f"`{item.name}`, between it and the gate, asks a person"
        case p.Remember():
            return f"`{item.memory}` is written between it and the gate"
        case p.When() | p.MatchBranch() | p.End():
            return "a branch or an outcome stands between it and the gate"
