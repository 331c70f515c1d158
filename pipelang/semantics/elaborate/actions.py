"""Actions: what a link of a chain does, and the type of what it answers."""

from __future__ import annotations

from typing import assert_never

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.chance import ByRates
from pipelang.semantics.elaborate.acts import pipeline_acts, tool_acts
from pipelang.semantics.elaborate.calls import Bound, bind
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions import elaborate
from pipelang.semantics.elaborate.links import chain, make_link
from pipelang.semantics.elaborate.locals import inner_name
from pipelang.semantics.elaborate.options import pick, rate_of
from pipelang.semantics.elaborate.outcomes import Place
from pipelang.semantics.elaborate.patterns import elaborate_patterns
from pipelang.semantics.elaborate.quantity import quantity
from pipelang.semantics.elaborate.rates import chance
from pipelang.semantics.elaborate.signatures import signature
from pipelang.semantics.elaborate.whole import flawed, whole
from pipelang.semantics.kernels.regions import action_is_barrier
from pipelang.semantics.reads import argument_reads, chain_reads
from pipelang.semantics.reads import outcome_reads as outcome_reads
from pipelang.semantics.types import (
    ANSWERER,
    BOOL,
    ERROR,
    INT,
    ErrorType,
    ListType,
    NothingType,
    OptionalType,
    Type,
    fits,
    optional,
    quoted,
)
from pipelang.syntax import ast

Made = tuple[p.Action, Type]


def elaborate_action(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    expected: Type | None,
    position: int,
) -> Made:
    """The action of a link at a position of its chain, and the type of its answer."""
    action = link.action
    match action:
        case ast.Ask():
            return _ask(context, scope, place, link, action, expected)
        case ast.CallTool():
            return _call(context, scope, action, expected)
        case ast.Pure():
            value = elaborate(context, scope, action.value, expected)
            return p.Value(value), value.type
        case ast.MatchAction():
            return _choose(context, scope, place, action, expected, position)
        case ast.Agent():
            return _agent(context, scope, place, link, action, expected)
        case ast.RunPipeline():
            return _run(context, scope, place, action, expected)
        case ast.Recall():
            return _recall(context, scope, place, action, expected)
        case ast.Each():
            return _each(context, scope, place, link, action, expected)
        case _:
            assert_never(action)


def _broken(context: Context, scope: Scope, arguments: tuple[ast.Argument, ...]) -> Made:
    """Something that was already told; its arguments are still looked at."""
    values = [elaborate(context, scope, argument.value, ERROR) for argument in arguments]
    reads = frozenset[str]().union(*map(ir.mentions, values))
    return p.Unsupported("a broken action", reads, False), ERROR


def _fits(context: Context, found: Type, expected: Type | None, span: Span) -> None:
    if expected is None or fits(found, expected):
        return
    help = None
    if isinstance(found, OptionalType) and fits(found.inner, expected):
        help = f"it may answer nothing: give the step the type {quoted(found)}"
    context.tell(
        codes.TYPE_MISMATCH, span, help=help, expected=quoted(expected), found=quoted(found)
    )


def _needs_type(context: Context, place: Place, expected: Type | None, span: Span) -> Type:
    """The type that a model's answer is asked for; `ERROR` (told) if nothing says it."""
    if expected is None or isinstance(expected, NothingType):
        help = f"write it down: `step {place.step}: TYPE = ...`"
        context.tell(codes.NEEDS_TYPE, span, name=place.step, help=help)
        return ERROR
    return expected


def _call(context: Context, scope: Scope, action: ast.CallTool, expected: Type | None) -> Made:
    symbol = context.find(scope.file, action.tool, "tool")
    if symbol is None:
        return _broken(context, scope, action.arguments)
    parameters, returns = signature(context, symbol.key)
    name = action.tool.text
    arguments = bind(context, scope, name, parameters, action.arguments, action.span, checked=True)
    _fits(context, returns, expected, action.span)
    return p.Call(symbol.key, arguments), returns


def _prompt(
    context: Context,
    scope: Scope,
    name: ast.Name,
    arguments: tuple[ast.Argument, ...],
    span: Span,
) -> tuple[str, Bound]:
    symbol = context.find(scope.file, name, "prompt")
    if symbol is None:
        for argument in arguments:
            elaborate(context, scope, argument.value, ERROR)
        return name.text, ()
    parameters, _ = signature(context, symbol.key)
    return symbol.key, bind(context, scope, name.text, parameters, arguments, span, checked=True)


def _ask(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    action: ast.Ask,
    expected: Type | None,
) -> Made:
    prompt, arguments = _prompt(context, scope, action.prompt, action.arguments, action.span)
    expected = _needs_type(context, place, expected, action.span)
    if isinstance(action.who, ast.Cascade):
        tiers, until = _cascade(context, scope, action.who, expected)
        owner = f"{place.pipeline}.{place.step}@{action.span.start}"
        rates = ByRates(
            rate_of(context, scope, link.options, ast.Catches, owner),
            rate_of(context, scope, link.options, ast.FalseAlarms, owner),
        )
        return p.Cascade(prompt, arguments, tiers, until, rates, expected), expected
    who = elaborate(context, scope, action.who, ANSWERER)
    roles = _roles(context, who)
    if roles and isinstance(who, ir.Const):
        return p.AskRole(prompt, arguments, str(who.value), expected), expected
    if roles:
        context.tell(
            codes.TYPE_MISMATCH,
            roles[0].span,
            expected="tiers to choose from",
            found=f"the role `{roles[0].value}`",
            help="ask a person in a fallback, or behind a `match` over actions",
        )
    if any(isinstance(part, ir.BudgetLeft) for part in ir.walk(who)):
        place.leave_open("a route that reads the budget", action.who.span)
    return p.AskTier(prompt, arguments, who, expected), expected


def _roles(context: Context, who: ir.Expr) -> list[ir.Const]:
    """The roles that an expression after `by` names."""
    return [
        part
        for part in ir.walk(who)
        if isinstance(part, ir.Const)
        and part.type == ANSWERER
        and context.symbols.by_key[str(part.value)].kind == "role"
    ]


def _cascade(
    context: Context, scope: Scope, who: ast.Cascade, answers: Type
) -> tuple[tuple[str, ...], ir.Expr]:
    """The tiers of a cascade, and its test, which reads the answer as `it`."""
    seen: dict[str, None] = {}
    for name in who.tiers:
        symbol = context.find(scope.file, name, "tier")
        if symbol is not None and symbol.key in seen:
            help = "a cascade asks each tier once; `retry` asks again"
            context.tell(codes.DUPLICATE, name.span, name=name.text, help=help)
        if symbol is not None:
            seen[symbol.key] = None
    inner_name(context, scope, ast.Name("it", who.until.span))
    it = scope.with_name("it", Local(answers, who.span))
    return tuple(seen), elaborate(context, it, who.until, BOOL)


def _agent(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    action: ast.Agent,
    expected: Type | None,
) -> Made:
    place.leave_open("`agent`", action.span)
    _, arguments = _prompt(context, scope, action.prompt, action.arguments, action.span)
    expected = _needs_type(context, place, expected, action.span)
    reads = argument_reads(arguments)
    if isinstance(action.who, ast.Cascade):
        _, until = _cascade(context, scope, action.who, expected)
        reads |= ir.mentions(until) - {"it"}
    else:
        who = elaborate(context, scope, action.who, ANSWERER)
        reads |= ir.mentions(who)
        for role in _roles(context, who):
            context.tell(
                codes.WRONG_KIND, role.span, name=str(role.value), found="a role", expected="a tier"
            )
    acts = False
    for name in action.tools:
        symbol = context.find(scope.file, name, "tool", "pipeline")
        if symbol is None:
            continue
        if symbol.kind == "tool" and tool_acts(context, symbol.key):
            context.tell(codes.AGENT_EFFECT, name.span, tool=name.text)
        acts = acts or pipeline_acts(context, symbol.key)
    if pick(link.options, ast.Steps) is None and not flawed(link.options):
        context.tell(
            codes.MISSING_OPTION,
            action.span,
            what="the agent of",
            name=place.step,
            option="steps",
            help="say how many turns it may take at most: `{ steps 10 }`",
        )
    return p.Unsupported("`agent`", reads, acts), expected


def _run(
    context: Context,
    scope: Scope,
    place: Place,
    action: ast.RunPipeline,
    expected: Type | None,
) -> Made:
    place.leave_open("`run`", action.span)
    symbol = context.find(scope.file, action.pipeline, "pipeline")
    if symbol is None:
        return _broken(context, scope, action.arguments)
    parameters, returns = signature(context, symbol.key)
    name = action.pipeline.text
    arguments = bind(context, scope, name, parameters, action.arguments, action.span, checked=True)
    _fits(context, returns, expected, action.span)
    acts = pipeline_acts(context, symbol.key)
    return p.Unsupported("`run`", argument_reads(arguments), acts), returns


def _recall(
    context: Context, scope: Scope, place: Place, action: ast.Recall, expected: Type | None
) -> Made:
    place.leave_open("`recall`", action.span)
    symbol = context.find(scope.file, action.memory, "memory")
    if symbol is None:
        elaborate(context, scope, action.key, ERROR)
        return p.Unsupported("a broken action", frozenset(), False), ERROR
    parameters, returns = signature(context, symbol.key)
    key = elaborate(context, scope, action.key, parameters[0].type if parameters else None)
    answer = returns if isinstance(returns, ListType) else optional(returns)
    _fits(context, answer, expected, action.span)
    return p.Unsupported("`recall`", ir.mentions(key), False), answer


def _choose(
    context: Context,
    scope: Scope,
    place: Place,
    action: ast.MatchAction,
    expected: Type | None,
    position: int,
) -> Made:
    subject = elaborate(context, scope, action.subject)
    patterns = elaborate_patterns(context, subject, action.arms, action.subject.span)
    arms = []
    type = expected
    for arm in whole(action.arms):
        made, found = make_link(context, scope, place, arm.link, type, position)
        if type is None and not isinstance(found, ErrorType):
            type = found
        arms.append(made)
    if patterns is None:
        reads = frozenset[str]().union(*(arm.reads for arm in arms))
        return p.Unsupported("a broken action", reads, False), type or ERROR
    return p.Choose(subject, tuple(zip(patterns, arms, strict=True))), type or ERROR


def _each(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    action: ast.Each,
    expected: Type | None,
) -> Made:
    place.leave_open("`each`", action.span)
    elements = elaborate(context, scope, action.elements)
    element: Type = ERROR
    length = None
    match elements.type:
        case ListType() as type:
            element, length = type.element, type.max_length
            if length is None:
                context.tell(
                    codes.NOT_BOUNDED,
                    action.elements.span,
                    what="a list that `each` goes through",
                    bound="`max`",
                    help="give its type a `max`: `[T] max 50`",
                )
        case ErrorType():
            pass
        case type:
            context.tell(
                codes.TYPE_MISMATCH, action.elements.span, expected="a list", found=quoted(type)
            )
    need = pick(link.options, ast.Need)
    if need is not None and need.share is not None:
        chance(context, scope, need.share, f"{place.pipeline}.{place.step}.need", "need")
    parallel = pick(link.options, ast.Parallel)
    if parallel is not None:
        quantity(context, scope, parallel.count, INT, "parallel", positive=True)
    wanted = expected.element if isinstance(expected, ListType) else None
    partial = need is not None and need.kind != "all"
    if partial and isinstance(wanted, OptionalType):
        wanted = wanted.inner
    inner_name(context, scope, action.variable)
    inner = scope.with_name(action.variable.text, Local(element, action.variable.span))
    body, answered = chain(context, inner, place, action.body, wanted)
    answer = ListType(optional(answered) if partial else answered, length)
    _fits(context, answer, expected, action.span)
    reads = chain_reads(body) - {action.variable.text} | ir.mentions(elements)
    acts = any(
        action_is_barrier(made.action, lambda key: tool_acts(context, key)) for made in body.links
    )
    return p.Unsupported("`each`", reads, acts), answer
