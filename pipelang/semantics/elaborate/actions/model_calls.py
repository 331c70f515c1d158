"""Elaboration of `ask` and `agent`: prompt, who answers, and the bounded loop of an agent."""

from __future__ import annotations

from pipelang.diagnostics import Span, codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import ByRates
from pipelang.semantics.elaborate.actions.answer_types import Made, needs_type
from pipelang.semantics.elaborate.actions.outcomes import ActionSite
from pipelang.semantics.elaborate.broken_parts import flawed
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.calls import Bound, bind
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.names.local_names import inner_name
from pipelang.semantics.elaborate.options.options import pick, rate_of
from pipelang.semantics.elaborate.options.quantity import MOST_ATTEMPTS, quantity
from pipelang.semantics.elaborate.reach.effects import tool_acts
from pipelang.semantics.types import ANSWERER, BOOL, ERROR, INT, Type
from pipelang.syntax import ast


def ask(
    context: Context,
    scope: Scope,
    place: ActionSite,
    link: ast.Link,
    action: ast.Ask,
    expected: Type | None,
    position: int,
) -> Made:
    prompt, arguments = _prompt(context, scope, action.prompt, action.arguments, action.span)
    expected = needs_type(context, place, expected, action.span)
    if isinstance(action.who, ast.Cascade):
        asked = p.AskTier(prompt, arguments, _NOBODY, expected)
        return _cascaded(context, scope, place, link, asked, action.who, position), expected
    who = elaborate(context, scope, action.who, ANSWERER)
    roles = _roles(context, who)
    if roles and isinstance(who, expr.Const):
        return p.AskRole(prompt, arguments, str(who.value), expected), expected
    if roles:
        context.tell(
            codes.TYPE_MISMATCH,
            roles[0].span,
            expected="tiers to choose from",
            found=f"the role `{roles[0].value}`",
            help="ask a person in a fallback, or behind a `match` over actions",
        )
    return p.AskTier(prompt, arguments, who, expected), expected


def agent(
    context: Context,
    scope: Scope,
    place: ActionSite,
    link: ast.Link,
    action: ast.Agent,
    expected: Type | None,
    position: int,
) -> Made:
    prompt, arguments = _prompt(context, scope, action.prompt, action.arguments, action.span)
    expected = needs_type(context, place, expected, action.span)
    tools, pipelines = _offered(context, scope, action)
    steps, turns = _turns(context, scope, place, link, action)
    loop = p.Agent(prompt, arguments, _NOBODY, tools, pipelines, steps, turns, expected)
    if isinstance(action.who, ast.Cascade):
        return _cascaded(context, scope, place, link, loop, action.who, position), expected
    who = elaborate(context, scope, action.who, ANSWERER)
    for role in _roles(context, who):
        context.tell(
            codes.WRONG_KIND, role.span, name=str(role.value), found="a role", expected="a tier"
        )
    return replace(loop, who=who), expected


_NOBODY = expr.Const(None, ANSWERER)
"""Answerer while it is not known yet, or where a cascade says it."""


def _offered(
    context: Context, scope: Scope, action: ast.Agent
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tools and the pipelines that an agent may call."""
    tools: list[str] = []
    pipelines: list[str] = []
    for name in action.tools:
        symbol = context.find(scope.file, name, "tool", "pipeline")
        if symbol is None:
            continue
        if symbol.key in (*tools, *pipelines):
            context.tell(codes.DUPLICATE, name.span, name=name.text, help="offer it once")
        elif symbol.kind == "pipeline":
            pipelines.append(symbol.key)
        else:
            tools.append(symbol.key)
            if tool_acts(context, symbol.key):
                context.tell(codes.AGENT_EFFECT, name.span, tool=name.text)
    return tuple(tools), tuple(pipelines)


def _turns(
    context: Context, scope: Scope, place: ActionSite, link: ast.Link, action: ast.Agent
) -> tuple[int, int | None]:
    """The most turns of an agent, and its typical number of turns."""
    limit, typical = pick(link.options, ast.Steps), pick(link.options, ast.Turns)
    steps: int | None = None
    if limit is not None:
        steps = quantity(
            context, scope, limit.count, INT, "steps", positive=True, most=MOST_ATTEMPTS
        )
    elif not flawed(link.options):
        context.tell(
            codes.MISSING_OPTION,
            action.span,
            what="the agent of",
            name=place.step,
            option="steps",
            help="say how many turns it may take at most: `{ steps 10 }`",
        )
    turns: int | None = None
    if typical is not None:
        turns = quantity(context, scope, typical.count, INT, "turns", positive=True)
        if turns is not None and steps is not None and turns > steps:
            what = f"it typically takes {turns} turns, and may take {steps}"
            context.tell(codes.CONTRADICTION, typical.span, what=what)
    return steps or 1, turns


def _cascaded(
    context: Context,
    scope: Scope,
    place: ActionSite,
    link: ast.Link,
    action: p.AskTier | p.Agent,
    who: ast.Cascade,
    position: int,
) -> p.Cascade:
    """An ask or an agent by several tiers."""
    tiers, until = _cascade(context, scope, who, action.answers)
    owner = f"{place.pipeline}.{place.step}[{position}]@{link.span.start}"
    rates = ByRates(
        rate_of(context, scope, link.options, ast.Catches, owner),
        rate_of(context, scope, link.options, ast.FalseAlarms, owner),
    )
    loop = action if isinstance(action, p.Agent) else None
    return p.Cascade(action.prompt, action.arguments, tiers, until, rates, action.answers, loop)


def _cascade(
    context: Context, scope: Scope, who: ast.Cascade, answers: Type
) -> tuple[tuple[str, ...], expr.Expr]:
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
    it = scope.inside().with_name("it", Local(answers, who.span))
    return tuple(seen), elaborate(context, it, who.until, BOOL)


def _roles(context: Context, who: expr.Expr) -> list[expr.Const]:
    """The roles that an expression after `by` names."""
    return [
        part
        for part in expr.walk(who)
        if isinstance(part, expr.Const)
        and part.type == ANSWERER
        and context.symbols.by_key[str(part.value)].kind == "role"
    ]


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
