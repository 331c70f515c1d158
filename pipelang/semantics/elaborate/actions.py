"""Actions, links, chains and outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, Undeclared, always, never
from pipelang.semantics.elaborate.calls import bind
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions import elaborate
from pipelang.semantics.elaborate.patterns import elaborate_patterns
from pipelang.semantics.elaborate.rates import (
    chance,
    no_duplicates,
    option_word,
    quantity,
)
from pipelang.semantics.elaborate.signatures import signature
from pipelang.semantics.elaborate.world import pick, rate_of, retry
from pipelang.semantics.types import (
    ANSWERER,
    BOOL,
    DURATION,
    ERROR,
    INT,
    TOKENS,
    ErrorType,
    ListType,
    NothingType,
    OptionalType,
    Type,
    fits,
    show,
)
from pipelang.syntax import ast

_ASK = "retry timeout output effort cache hits batch vote accuracy recovers correlation".split()
_ALLOWED = {
    ast.Ask: {*_ASK, "catches", "false_alarms"},
    ast.Agent: {*_ASK, "steps", "turns"},
    ast.CallTool: {"retry", "timeout", "cache", "hits", "accuracy", "correlation"},
    ast.RunPipeline: {"timeout", "retry"},
    ast.Recall: set(),
    ast.Each: {"parallel", "need"},
    ast.MatchAction: set(),
    ast.Pure: {"accuracy", "correlation"},
}
_WHAT = {
    ast.Ask: "an `ask`",
    ast.Agent: "an `agent`",
    ast.CallTool: "a `call`",
    ast.RunPipeline: "a `run`",
    ast.Recall: "a `recall`",
    ast.Each: "an `each`",
    ast.MatchAction: "a `match` over actions",
    ast.Pure: "a value",
}


@dataclass(slots=True)
class Place:
    """Where an action stands: its pipeline, its step, and what upper layers leave open there."""

    pipeline: str
    step: str
    returns: Type
    open_ends: list[tuple[str, Span]] = field(default_factory=list)


def chain(
    context: Context, scope: Scope, place: Place, written: ast.Chain, expected: Type | None
) -> tuple[p.Chain, Type]:
    """A chain and the type of its answers. Every link must fit the type of the first."""
    links: list[p.Link] = []
    type = expected
    for position, link in enumerate(written.links):
        made, found = _link(context, scope, place, link, type, position)
        if type is None and not isinstance(found, ErrorType):
            type = found
        links.append(made)
    end = None if written.end is None else outcome(context, scope, place, written.end)
    return p.Chain(tuple(links), end), type or ERROR


def _link(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    expected: Type | None,
    position: int,
) -> tuple[p.Link, Type]:
    options = link.options
    no_duplicates(context, options)
    for option in options:
        if option_word(option) not in _ALLOWED[type(link.action)]:
            word, what = option_word(option), _WHAT[type(link.action)]
            context.tell(codes.WRONG_OPTION, option.span, option=word, what=what)
    action, found = _action(context, scope, place, link, expected)
    owner = f"{place.pipeline}.{place.step}[{position}]@{link.span.start}"
    tool = action if isinstance(action, p.Call) else None
    return _with_options(context, scope, place, link, action, owner, position, tool), found


def _with_options(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    action: p.Action,
    owner: str,
    position: int,
    call: p.Call | None,
) -> p.Link:
    file, options = scope.file, link.options
    for kind, word in ((ast.Cache, "cache"), (ast.Batch, "batch")):
        option = pick(options, kind)
        if option is not None:
            place.open_ends.append((f"`{word}`", option.span))
    output = pick(options, ast.Output)
    lengths = [None, None]
    if output is not None:
        for index, length in enumerate((output.mean, output.maximum)):
            if length is not None:
                lengths[index] = quantity(context, file, length, TOKENS, "output")
        if lengths[0] is not None and lengths[1] is not None and lengths[0] > lengths[1]:
            context.tell(
                codes.CONTRADICTION, output.span, what="the mean length is above the maximum"
            )
    timeout = pick(options, ast.Timeout)
    effort = pick(options, ast.Effort)
    by_tier: dict[str, Chance] = {}
    rates = pick(options, ast.AccuracyByTier)
    for rate in rates.rates if rates else ():
        symbol = context.find(file, rate.tier, "tier")
        if symbol is not None:
            by_tier[symbol.key] = chance(context, file, rate.rate, f"{owner}.accuracy")
    default = _default_accuracy(context, action, owner, position, call)
    reads = action_reads(action)
    return p.Link(
        action=action,
        retry=retry(context, file, pick(options, ast.Retry)) or _tool_retry(context, call),
        timeout=quantity(context, file, timeout.after, DURATION, "timeout", positive=True)
        if timeout
        else None,
        accuracy=rate_of(context, file, options, ast.Accuracy, owner, default),
        accuracy_by_tier=by_tier,
        recovers=rate_of(context, file, options, ast.Recovers, owner, never(f"{owner}.recovers")),
        correlation=rate_of(context, file, options, ast.Correlation, owner),
        output_mean=lengths[0],
        output_max=lengths[1],
        effort=effort.level if effort else None,
        reads=reads,
        span=link.span,
    )


def _tool_retry(context: Context, call: p.Call | None) -> p.Retry:
    if call is None:
        return p.NO_RETRY
    declaration = context.symbols.by_key[call.tool].declaration
    assert isinstance(declaration, ast.ToolDecl)
    file = context.symbols.by_key[call.tool].file
    return retry(context, file, pick(declaration.options, ast.Retry)) or p.NO_RETRY


def _default_accuracy(
    context: Context, action: p.Action, owner: str, position: int, call: p.Call | None
) -> Chance:
    """What an action's accuracy is where its options do not say."""
    if call is not None:
        symbol = context.symbols.by_key[call.tool]
        assert isinstance(symbol.declaration, ast.ToolDecl)
        options = symbol.declaration.options
        default = always(f"{call.tool}.accuracy")
        return rate_of(context, symbol.file, options, ast.Accuracy, call.tool, default)
    if isinstance(action, p.AskRole):
        symbol = context.symbols.by_key[action.role]
        assert isinstance(symbol.declaration, ast.RoleDecl)
        options = symbol.declaration.options
        return rate_of(context, symbol.file, options, ast.Accuracy, action.role)
    if isinstance(action, p.Value) and position == 0:
        return always(f"{owner}.value")
    if isinstance(action, (p.Choose,)):
        return always(f"{owner}.choice")
    return Undeclared(f"{owner}.accuracy")


def action_reads(action: p.Action) -> frozenset[str]:
    """Every name that an action mentions, routes included."""
    match action:
        case p.AskTier():
            parts = [value for _, value in action.arguments]
            return frozenset().union(*map(ir.mentions, [*parts, action.who]))
        case p.AskRole() | p.Call():
            return frozenset().union(*(ir.mentions(value) for _, value in action.arguments))
        case p.Value():
            return ir.mentions(action.value)
        case p.Choose():
            inner = [link.reads for _, link in action.arms]
            return frozenset().union(ir.mentions(action.subject), *inner)
        case p.Unsupported():
            return action.reads
        case _:
            assert_never(action)


def _action(
    context: Context, scope: Scope, place: Place, link: ast.Link, expected: Type | None
) -> tuple[p.Action, Type]:
    action = link.action
    match action:
        case ast.Ask():
            return _ask(context, scope, place, link, action, expected)
        case ast.CallTool():
            symbol = context.find(scope.file, action.tool, "tool")
            if symbol is None:
                return _broken(scope, action.arguments, context)
            parameters, returns = signature(context, symbol.key)
            arguments = bind(
                context, scope, action.tool.text, parameters, action.arguments, action.span
            )
            _fits(context, returns, expected, action.span)
            return p.Call(symbol.key, arguments), returns
        case ast.Pure():
            value = elaborate(context, scope, action.value, expected)
            return p.Value(value), value.type
        case ast.MatchAction():
            return _choose(context, scope, place, action, expected)
        case ast.Agent():
            place.open_ends.append(("`agent`", action.span))
            _, arguments = _prompt(context, scope, action.prompt, action.arguments, action.span)
            if not isinstance(action.who, ast.Cascade):
                elaborate(context, scope, action.who, ANSWERER)
            for name in action.tools:
                context.find(scope.file, name, "tool", "pipeline")
            if expected is None:
                context.tell(codes.NEEDS_TYPE, action.span, name=place.step)
            if pick(link.options, ast.Steps) is None:
                context.tell(
                    codes.MISSING_OPTION, action.span, what="step", name=place.step, option="steps"
                )
            reads = _all_reads(arguments)
            return p.Unsupported("`agent`", reads, True), expected or ERROR
        case ast.RunPipeline():
            place.open_ends.append(("`run`", action.span))
            symbol = context.find(scope.file, action.pipeline, "pipeline")
            if symbol is None:
                return _broken(scope, action.arguments, context)
            parameters, returns = signature(context, symbol.key)
            arguments = bind(
                context, scope, action.pipeline.text, parameters, action.arguments, action.span
            )
            _fits(context, returns, expected, action.span)
            return p.Unsupported("`run`", _all_reads(arguments), True), returns
        case ast.Recall():
            place.open_ends.append(("`recall`", action.span))
            symbol = context.find(scope.file, action.memory, "memory")
            if symbol is None:
                return _broken(scope, (), context)
            parameters, returns = signature(context, symbol.key)
            key = elaborate(context, scope, action.key, parameters[0].type if parameters else None)
            answer = returns if isinstance(returns, ListType) else OptionalType(returns)
            _fits(context, answer, expected, action.span)
            return p.Unsupported("`recall`", ir.mentions(key), False), answer
        case ast.Each():
            return _each(context, scope, place, link, action, expected)
        case _:
            assert_never(action)


def _broken(
    scope: Scope, arguments: tuple[ast.Argument, ...], context: Context
) -> tuple[p.Action, Type]:
    """Something that was already told; its arguments are still looked at."""
    values = [elaborate(context, scope, argument.value, ERROR) for argument in arguments]
    reads = frozenset[str]().union(*map(ir.mentions, values))
    return p.Unsupported("a broken action", reads, False), ERROR


def _all_reads(arguments: tuple[tuple[str, ir.Expr], ...]) -> frozenset[str]:
    return frozenset[str]().union(*(ir.mentions(value) for _, value in arguments))


def _fits(context: Context, found: Type, expected: Type | None, span: Span) -> None:
    if expected is not None and not fits(found, expected):
        context.tell(
            codes.TYPE_MISMATCH, span, expected=f"`{show(expected)}`", found=f"`{show(found)}`"
        )


def _prompt(
    context: Context,
    scope: Scope,
    name: ast.Name,
    arguments: tuple[ast.Argument, ...],
    span: Span,
) -> tuple[str, tuple[tuple[str, ir.Expr], ...]]:
    symbol = context.find(scope.file, name, "prompt")
    if symbol is None:
        for argument in arguments:
            elaborate(context, scope, argument.value, ERROR)
        return name.text, ()
    parameters, _ = signature(context, symbol.key)
    return symbol.key, bind(context, scope, name.text, parameters, arguments, span)


def _ask(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    action: ast.Ask,
    expected: Type | None,
) -> tuple[p.Action, Type]:
    prompt, arguments = _prompt(context, scope, action.prompt, action.arguments, action.span)
    if expected is None or isinstance(expected, NothingType):
        context.tell(codes.NEEDS_TYPE, action.span, name=place.step)
        expected = ERROR
    for kind, word in ((ast.Vote, "vote"), (ast.VoteLead, "vote")):
        option = pick(link.options, kind)
        if option is not None:
            place.open_ends.append((f"`{word}`", option.span))
    if isinstance(action.who, ast.Cascade):
        place.open_ends.append(("`cascade`", action.who.span))
        for name in action.who.tiers:
            context.find(scope.file, name, "tier")
        it = scope.with_name("it", Local(expected, action.who.span))
        elaborate(context, it, action.who.until, BOOL)
        return p.Unsupported("`cascade`", _all_reads(arguments), False), expected
    who = elaborate(context, scope, action.who, ANSWERER)
    names = [part for part in ir.walk(who) if isinstance(part, ir.Const) and part.type == ANSWERER]
    roles = [name for name in names if context.symbols.by_key[str(name.value)].kind == "role"]
    if roles and isinstance(who, ir.Const):
        role = str(who.value)
        return p.AskRole(prompt, arguments, role, expected), expected
    if roles:
        context.tell(
            codes.TYPE_MISMATCH,
            action.who.span,
            expected="tiers to choose from",
            found=f"the role `{roles[0].value}`",
            help="ask a person in a fallback, or behind a `match` over actions",
        )
    if any(isinstance(part, ir.BudgetLeft) for part in ir.walk(who)):
        place.open_ends.append(("a route that reads the budget", action.who.span))
    return p.AskTier(prompt, arguments, who, expected), expected


def _choose(
    context: Context,
    scope: Scope,
    place: Place,
    action: ast.MatchAction,
    expected: Type | None,
) -> tuple[p.Action, Type]:
    subject = elaborate(context, scope, action.subject)
    patterns = elaborate_patterns(
        context, subject.type, [arm.pattern for arm in action.arms], action.span
    )
    arms = []
    type = expected
    for values, arm in zip(patterns, action.arms, strict=True):
        made, found = _link(context, scope, place, arm.link, type, 0)
        type = type or found
        arms.append((values, made))
    return p.Choose(subject, tuple(arms)), type or ERROR


def _each(
    context: Context,
    scope: Scope,
    place: Place,
    link: ast.Link,
    action: ast.Each,
    expected: Type | None,
) -> tuple[p.Action, Type]:
    place.open_ends.append(("`each`", action.span))
    elements = elaborate(context, scope, action.elements)
    element: Type = ERROR
    length = None
    if isinstance(elements.type, ListType):
        element, length = elements.type.element, elements.type.max_length
        if length is None:
            context.tell(
                codes.NOT_BOUNDED,
                action.elements.span,
                what="a list that `each` goes through",
                help="give its type a `max`: `[T] max 50`",
            )
    elif not isinstance(elements.type, ErrorType):
        context.tell(
            codes.TYPE_MISMATCH,
            action.elements.span,
            expected="a list",
            found=f"`{show(elements.type)}`",
        )
    need = pick(link.options, ast.Need)
    if need is not None and need.share is not None:
        chance(context, scope.file, need.share, "need")
    parallel = pick(link.options, ast.Parallel)
    if parallel is not None:
        quantity(context, scope.file, parallel.count, INT, "parallel", positive=True)
    wanted = expected.element if isinstance(expected, ListType) else None
    partial = need is not None and need.kind != "all"
    if partial and isinstance(wanted, OptionalType):
        wanted = wanted.inner
    inner = scope.with_name(action.variable.text, Local(element, action.variable.span))
    body, type = chain(context, inner, place, action.body, wanted)
    answer = ListType(OptionalType(type) if partial else type, length)
    _fits(context, answer, expected, action.span)
    reads = chain_reads(body) - {action.variable.text} | ir.mentions(elements)
    return p.Unsupported("`each`", reads, True), answer


def chain_reads(made: p.Chain) -> frozenset[str]:
    """Every name that a chain mentions, in any link or in its outcome."""
    reads = frozenset[str]().union(*(link.reads for link in made.links))
    return reads if made.end is None else reads | outcome_reads(made.end)


def outcome_reads(made: p.Outcome) -> frozenset[str]:
    """The names that an outcome mentions."""
    match made:
        case p.Return():
            return ir.mentions(made.value)
        case p.Escalate():
            return frozenset() if made.value is None else ir.mentions(made.value)
        case p.Reject() | p.Fail():
            return frozenset()
        case _:
            assert_never(made)


CODES = frozenset(
    "chain_exhausted budget_exceeded max_steps timeout unpriced cancelled killed".split()
)


def outcome(context: Context, scope: Scope, place: Place, written: ast.Outcome) -> p.Outcome:
    """An outcome; its reason is the name of the step or gate that takes it."""
    match written:
        case ast.Return():
            value = elaborate(context, scope, written.value, place.returns)
            return p.Return(value, written.span)
        case ast.Escalate():
            symbol = context.find(scope.file, written.role, "role")
            role = symbol.key if symbol else written.role.text
            handed = None
            if written.value is not None:
                handed = elaborate(context, scope, written.value)
            return p.Escalate(role, place.step, written.text, handed, written.span)
        case ast.Reject():
            return p.Reject(place.step, written.text, written.span)
        case ast.Fail():
            if written.code in CODES:
                context.tell(
                    codes.SHADOWING,
                    written.span,
                    name=written.code,
                    help="this code is pipelang's own; choose another",
                )
            return p.Fail(written.code, place.step, written.span)
        case _:
            assert_never(written)
