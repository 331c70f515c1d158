"""Elaboration of chains and links: an action with its options."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, Declared, Undeclared, always, never
from pipelang.semantics.elaborate.actions.outcomes import ActionSite, outcome
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.options.options import (
    no_duplicates,
    option_word,
    or_assumed,
    pick,
    rate_of,
    retry,
)
from pipelang.semantics.elaborate.options.quantity import MOST_ATTEMPTS, quantity
from pipelang.semantics.elaborate.options.rates import of_tier
from pipelang.semantics.elaborate.reach.effects import first_act, tool_pure
from pipelang.semantics.kernels.chain import can_fail
from pipelang.semantics.reads import action_reads
from pipelang.semantics.types import (
    ANSWERER,
    DURATION,
    ERROR,
    INT,
    TOKENS,
    ErrorType,
    Type,
    with_length,
)
from pipelang.semantics.walk import agent_of
from pipelang.syntax import ast
from pipelang.syntax.option_table import OF_MODELS, words_of

_ALLOWED: Mapping[type[ast.Action], frozenset[str]] = {
    ast.Ask: words_of("ask"),
    ast.Agent: words_of("agent"),
    ast.CallTool: words_of("call"),
    ast.RunPipeline: words_of("run"),
    ast.Recall: frozenset(),
    ast.Each: words_of("each"),
    ast.MatchAction: frozenset(),
    ast.Pure: words_of("value"),
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


def chain(
    context: Context, scope: Scope, place: ActionSite, written: ast.Chain, expected: Type | None
) -> tuple[p.Chain, Type]:
    """A chain and the type of its answers. Every link must fit the type of the first."""
    links: list[p.Link] = []
    type = expected
    answers: list[Type] = []
    pure = partial(tool_pure, context)
    for position, link in enumerate(written.links):
        if links and not can_fail(links[-1], pure):
            label = Label(links[-1].span, "this always answers")
            context.tell(codes.UNREACHABLE, link.span, labels=(label,))
        made, found = make_link(context, scope, place, link, type, position)
        if type is None or isinstance(type, ErrorType):
            type = found
        answers.append(found)
        links.append(made)
    end = None if written.end is None else outcome(context, scope, place, written.end)
    if end is not None and links and not can_fail(links[-1], pure):
        label = Label(links[-1].span, "this always answers")
        context.tell(codes.UNREACHABLE, end.span, labels=(label,))
    return p.Chain(tuple(links), end), with_length(type or ERROR, answers)


def make_link(
    context: Context,
    scope: Scope,
    place: ActionSite,
    link: ast.Link,
    expected: Type | None,
    position: int,
) -> tuple[p.Link, Type]:
    """A link at a position of its chain, and the type of what it answers."""
    from pipelang.semantics.elaborate.actions.actions import elaborate_action

    no_duplicates(context, link.options)
    action, found = elaborate_action(context, scope, place, link, expected, position)
    owner = f"{place.pipeline}.{place.step}[{position}]@{link.span.start}"
    options = link.options
    if not options:
        return _without_options(context, action, link.span, owner, position), found
    _allowed(context, link, action)
    output = _output(context, scope, pick(options, ast.Output))
    timeout = pick(options, ast.Timeout)
    effort, thinking = pick(options, ast.Effort), pick(options, ast.Thinking)
    default = _default_accuracy(context, action, owner, position)
    cache = _cache(context, scope, options, owner, action)
    keys = cache.keys if cache is not None else ()
    made = p.Link(
        action=action,
        retry=retry(context, scope, pick(options, ast.Retry)) or _declared_retry(context, action),
        timeout=quantity(context, scope, timeout.after, DURATION, "timeout", positive=True)
        if timeout
        else None,
        accuracy=rate_of(context, scope, options, ast.Accuracy, owner, default),
        accuracy_by_tier=_accuracy_by_tier(context, scope, link, action, owner),
        recovers=rate_of(
            context, scope, options, ast.Recovers, owner, _recovers(context, action, owner)
        ),
        correlation=rate_of(
            context, scope, options, ast.Correlation, owner, _correlation(context, action, owner)
        ),
        output_mean=output[0],
        output_max=output[1],
        effort=effort.level if effort else None,
        reads=action_reads(action).union(*map(expr.mentions, keys)),
        span=link.span,
        vote=_vote(context, scope, options),
        cache=cache,
        batch=_batch(context, scope, options),
        thinking=quantity(context, scope, thinking.most, TOKENS, "thinking", positive=True)
        if thinking
        else None,
    )
    return made, found


def _without_options(
    context: Context, action: p.Action, span: Span, owner: str, position: int
) -> p.Link:
    """The link of an action alone, which most are."""
    correlation = _correlation(context, action, owner) or Undeclared(f"{owner}.correlation")
    accuracy = _default_accuracy(context, action, owner, position)
    return p.Link(
        action,
        _declared_retry(context, action),
        None,
        or_assumed(context, "accuracy", accuracy),
        {},
        or_assumed(context, "recovers", _recovers(context, action, owner)),
        or_assumed(context, "correlation", correlation),
        None,
        None,
        None,
        action_reads(action),
        span,
    )


def _correlation(context: Context, action: p.Action, owner: str) -> Chance | None:
    """A pure tool never errs, so it has no fault that it could repeat."""
    if isinstance(action, p.Call) and tool_pure(context, action.tool):
        return never(f"{owner}.correlation")
    return None


def _allowed(context: Context, link: ast.Link, action: p.Action) -> None:
    """Report the options that say nothing about an action of this kind."""
    allowed, what = _ALLOWED[type(link.action)], _WHAT[type(link.action)]
    by_person = isinstance(action, p.AskRole)
    written = link.action
    cascade = isinstance(written, (ast.Ask, ast.Agent)) and isinstance(written.who, ast.Cascade)
    readable: list[ast.Option] = whole(link.options)
    for option in readable:
        word = option_word(option)
        if word not in allowed:
            context.tell(codes.WRONG_OPTION, option.span, option=word, what=what)
        elif by_person and (word in OF_MODELS or isinstance(option, ast.AccuracyByTier)):
            what_else = "an `ask` of a person"
            context.tell(codes.WRONG_OPTION, option.span, option=word, what=what_else)
        elif word in ("catches", "false_alarms") and not cascade:
            what_else = f"{what} without a cascade"
            context.tell(codes.WRONG_OPTION, option.span, option=word, what=what_else)
    hits = pick(link.options, ast.Hits)
    if hits is not None and pick(link.options, ast.Cache) is None:
        context.tell(codes.WRONG_OPTION, hits.span, option="hits", what="an action without `cache`")


def _output(
    context: Context, scope: Scope, output: ast.Output | None
) -> tuple[int | None, int | None]:
    """The mean and the largest length of an answer, in tokens."""
    if output is None:
        return None, None
    mean = most = None
    if output.mean is not None:
        mean = quantity(context, scope, output.mean, TOKENS, "output")
    if output.maximum is not None:
        most = quantity(context, scope, output.maximum, TOKENS, "output", positive=True)
    if mean is not None and most is not None and mean > most:
        what = "the mean length is above the maximum"
        context.tell(codes.CONTRADICTION, output.span, what=what)
    return mean, most


def _accuracy_by_tier(
    context: Context, scope: Scope, link: ast.Link, action: p.Action, owner: str
) -> dict[str, Chance]:
    rates = pick(link.options, ast.AccuracyByTier)
    found: dict[str, Chance] = {}
    if rates is None:
        return found
    asked = _asked(context, scope, link.action, action)
    # Where every tier that is asked has its rate, those of others say what changing it would do.
    named = {rate.tier.text for rate in rates.rates}
    missing = asked is not None and not asked <= named
    for rate in rates.rates:
        symbol = context.find(scope.file, rate.tier, "tier")
        if symbol is None:
            continue
        if symbol.key in found:
            context.tell(codes.DUPLICATE_OPTION, rate.tier.span, option=rate.tier.text)
        elif missing and asked is not None and symbol.key not in asked:
            what = f"`{rate.tier.text}` is not asked here"
            help = "asked are: " + ", ".join(sorted(asked)) if asked else None
            context.tell(codes.CONTRADICTION, rate.tier.span, what=what, help=help)
        name = f"{owner}.accuracy"
        found[symbol.key] = of_tier(context, scope, rate, name)
    return found


def _asked(
    context: Context, scope: Scope, written: ast.Action, action: p.Action
) -> set[str] | None:
    """The tiers that an `ask` names, by their keys; None for another action."""
    if isinstance(action, p.AskTier):
        parts = expr.walk(action.who)
        consts = [part for part in parts if isinstance(part, expr.Const) and part.type == ANSWERER]
        return {str(part.value) for part in consts}
    if isinstance(written, ast.Ask) and isinstance(written.who, ast.Cascade):
        symbols = (context.symbols.find(scope.file, name.text) for name in written.who.tiers)
        return {symbol.key for symbol in symbols if symbol is not None}
    return None


def _declared_retry(context: Context, action: p.Action) -> p.Retry:
    return _of_tool(context, action.tool)[1] if isinstance(action, p.Call) else p.NO_RETRY


def _of_tool(context: Context, key: str) -> tuple[Chance, p.Retry]:
    """The accuracy and the retry that a tool declares, worked out once for all its calls."""
    known: tuple[Chance, p.Retry] | None = context.answering.get(key)
    if known is None:
        symbol = context.symbols.by_key[key]
        assert isinstance(symbol.declaration, ast.ToolDecl)
        options, scope = symbol.declaration.options, Scope(symbol.file)
        accuracy = rate_of(context, scope, options, ast.Accuracy, key, always(f"{key}.accuracy"))
        again = retry(context, scope, pick(options, ast.Retry)) or p.NO_RETRY
        known = context.answering[key] = (accuracy, again)
    return known


def _of_role(context: Context, key: str) -> Chance:
    """The accuracy that a role declares, worked out once for all that it is asked."""
    known: Chance | None = context.answering.get(key)
    if known is None:
        symbol = context.symbols.by_key[key]
        assert isinstance(symbol.declaration, ast.RoleDecl)
        options, scope = symbol.declaration.options, Scope(symbol.file)
        known = context.answering[key] = rate_of(context, scope, options, ast.Accuracy, key)
    return known


def _default_accuracy(context: Context, action: p.Action, owner: str, position: int) -> Chance:
    """The accuracy of an action whose options do not give one."""
    match action:
        case p.Call():
            return _of_tool(context, action.tool)[0]
        case p.AskRole():
            return _of_role(context, action.role)
        case p.Value() if position == 0:
            return always(f"{owner}.value")
        case p.Choose() | p.RunPipeline() | p.Recall() | p.Each():
            return always(f"{owner}.choice")
        case _:
            return Undeclared(f"{owner}.accuracy")


def _recovers(context: Context, action: p.Action, owner: str) -> Chance:
    """The share of right answers to something wrong, where options give none: never, or as
    often as is assumed of all models.
    """
    site = f"{owner}.recovers"
    if "recovers" in context.assumed and isinstance(action, (p.AskTier, p.Cascade, p.Agent)):
        return Declared(context.assumed["recovers"], site)
    return never(site)


def _cache(
    context: Context,
    scope: Scope,
    options: tuple[ast.Option, ...],
    owner: str,
    action: p.Action,
) -> p.Cache | None:
    written = pick(options, ast.Cache)
    if written is None:
        return None
    _left_out_on_a_hit(context, written, action)
    keeps = quantity(context, scope, written.keeps, DURATION, "cache", positive=True)
    keys = tuple(elaborate(context, scope, key) for key in written.keys)
    for key, node in zip(keys, written.keys, strict=True):
        if any(isinstance(part, expr.BudgetLeft) for part in expr.walk(key)):
            what = "what is left of the budget: it changes while the answer is made"
            context.tell(codes.WRONG_OPTION, node.span, option="by", what=what)
    hits = rate_of(context, scope, options, ast.Hits, owner)
    return p.Cache(keeps or Decimal(0), keys, hits)


def _left_out_on_a_hit(context: Context, written: ast.Cache, action: p.Action) -> None:
    """Report what an action does besides answering: on a hit nothing of it is done."""
    if isinstance(action, p.RunPipeline):
        done = first_act(context, action.pipeline)
        if done is not None:
            context.tell(
                codes.CACHED_RUN_ACTS,
                written.span,
                name=action.pipeline,
                what=done.what,
                labels=(Label(done.span, "this"),),
            )
        return
    agent = agent_of(action)
    names = [action.tool] if isinstance(action, p.Call) else [*agent.pipelines] if agent else []
    for name in names:
        done = first_act(context, name)
        if done is not None:
            context.tell(codes.CACHED_EFFECT, written.span, what=done.what)


def _batch(context: Context, scope: Scope, options: tuple[ast.Option, ...]) -> Decimal | None:
    """The longest time of a batch in seconds; None where the answer is wanted at once."""
    written = pick(options, ast.Batch)
    if written is None:
        return None
    within: Decimal | None = quantity(
        context, scope, written.within, DURATION, "batch", positive=True
    )
    return within


def _vote(context: Context, scope: Scope, options: tuple[ast.Option, ...]) -> p.Vote | None:
    """`vote N` or `vote lead K of N`; None where neither is written."""
    plain, ahead = pick(options, ast.Vote), pick(options, ast.VoteLead)
    if plain is not None:
        calls = _count(context, scope, plain.count, "vote")
        return None if calls is None else p.Majority(calls)
    if ahead is None:
        return None
    lead = _count(context, scope, ahead.lead, "vote lead")
    most = _count(context, scope, ahead.count, "vote lead")
    if lead is None or most is None:
        return None
    if lead > most:
        what = f"nobody can lead by {lead} in {most} calls"
        context.tell(codes.CONTRADICTION, ahead.span, what=what)
    return p.Lead(lead, most)


def _count(context: Context, scope: Scope, count: ast.Expr, option: str) -> int | None:
    number: int | None = quantity(
        context, scope, count, INT, option, positive=True, most=MOST_ATTEMPTS
    )
    return number
