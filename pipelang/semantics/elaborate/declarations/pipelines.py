"""Pipelines: parameters, items, and the promises and limits around them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.links import chain
from pipelang.semantics.elaborate.actions.outcomes import ActionSite, outcome
from pipelang.semantics.elaborate.broken_parts import flawed
from pipelang.semantics.elaborate.broken_parts import whole as readable
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.constants import folded
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.items.items import WHOLE, Around, block
from pipelang.semantics.elaborate.names.local_names import take
from pipelang.semantics.elaborate.names.named_items import Contents, contents_of
from pipelang.semantics.elaborate.options.conflicting_rates import one_source
from pipelang.semantics.elaborate.options.options import pick
from pipelang.semantics.elaborate.options.quantity import BUDGET, quantity, wrong_unit
from pipelang.semantics.elaborate.promises.metrics import Named
from pipelang.semantics.elaborate.promises.objectives import opens, slo, watch
from pipelang.semantics.elaborate.promises.sampling import sample
from pipelang.semantics.elaborate.promises.traffic import EMPTY, elaborate_traffic
from pipelang.semantics.elaborate.reach.effects import doings, named, reached
from pipelang.semantics.reads import chain_reads
from pipelang.semantics.types import DURATION, INT, MONEY, TOKENS, ErrorType, Scalar
from pipelang.syntax import ast


def pipeline(context: Context, file: str, key: str, decl: ast.PipelineDecl) -> p.Pipeline:
    """A pipeline as a whole. Errors in it are reported; the rest is there."""
    parameters, returns = signature(context, key)
    taken: dict[str, Span] = {}
    locals: dict[str, Local] = {}
    for parameter, written in zip(parameters, decl.params, strict=False):
        if written.name.text not in taken:
            take(context, file, written.name, taken, "parameter", value=True)
            locals[parameter.name] = Local(parameter.type, written.name.span)
    scope = Scope(file, dict(locals))
    place = ActionSite(key, key, returns)
    made, ends = block(Around(context, place, ChainMap(taken)), scope, decl.items, inner=False)
    parts = doings(decl.items)
    unread = flawed(parts)
    if unread:
        context.flawed.add(key)
    endless, answers = not ends and not unread, unread or _can_answer(parts)
    # What could not be read may have been its `return`, also where nothing stands in its place.
    if (endless or not answers) and not context.misread(decl.span):
        if endless:
            context.tell(codes.NO_OUTCOME, decl.name.span, name=decl.name.text)
        if not answers:
            why = "it has no `return`"
            context.tell(codes.NEVER_ANSWERS, decl.name.span, name=decl.name.text, why=why)
    contents = contents_of(made, locals, flawed=unread)
    whole = _Whole(context, file, place, scope, contents)
    for item in decl.items:
        _about_whole(whole, item)
    one_source(context, contents, whole.traffic)
    if whole.quota is not None:
        from pipelang.semantics.elaborate.promises.quotas import fits_budget

        fits_budget(context, key, whole.quota, whole.budget, whole.unread_budget)
    _permits(context, file, key, parts, whole)
    return p.Pipeline(
        name=key,
        parameters=parameters,
        returns=returns,
        block=made,
        budget=whole.budget,
        permits=tuple(whole.permits),
        slo=whole.slo,
        traffic=whole.traffic,
        doc=decl.doc,
        span=decl.name.span,
        breaker=whole.breaker,
        quota=whole.quota,
        watch=whole.watch,
        samples=tuple(whole.samples),
    )


def _can_answer(parts: Sequence[ast.Action | ast.Item]) -> bool:
    """Whether a `return` stands anywhere in a pipeline, at the end of a chain or as an item."""
    for part in parts:
        match part:
            case ast.Return():
                return True
            case ast.Step(chain=written) | ast.Breaker(otherwise=written):
                if isinstance(written.end, ast.Return):
                    return True
            case (
                ast.Gate(otherwise=ast.Redo(otherwise=end))
                | ast.Approve(otherwise=ast.Redo(otherwise=end))
            ):
                if isinstance(end, ast.Return):
                    return True
            case ast.Gate(otherwise=end) | ast.Approve(otherwise=end) | ast.Hold(otherwise=end):
                if isinstance(end, ast.Return):
                    return True
            case _:
                pass
    return False


class _Whole:
    """The items that are about the pipeline as a whole, gathered one after the other."""

    def __init__(
        self, context: Context, file: str, place: ActionSite, scope: Scope, contents: Contents
    ) -> None:
        self.context = context
        self.file = file
        self.place = place
        self.scope = scope
        self.contents = contents
        self.budget: p.Budget | None = None
        self.breaker: p.Breaker | None = None
        self.quota: p.Quota | None = None
        self.unread_budget = False
        self.permits: dict[str, Span] = {}
        self.slo: tuple[p.SloLine, ...] = ()
        self.watch: tuple[p.WatchLine, ...] = ()
        self.traffic: p.Traffic = EMPTY
        self.samples: list[p.Sample] = []
        self.seen: dict[str, Span] = {}

    @property
    def names(self) -> Named:
        exits = frozenset((self.place.pipeline, *self.contents.exits))
        return Named(frozenset(self.contents.steps), exits, self.contents.flawed)


def _about_whole(whole: _Whole, item: ast.Item) -> None:
    context, file = whole.context, whole.file
    if not isinstance(item, WHOLE):
        return
    if isinstance(item, ast.Sample):
        made = sample(context, file, item, whole.contents, whole.samples)
        whole.samples.extend(made)
        return
    word = type(item).__name__.lower()
    if word in whole.seen:
        label = Label(whole.seen[word], "the first stands here")
        context.tell(codes.DUPLICATE_OPTION, item.span, option=word, labels=(label,))
        return
    whole.seen[word] = item.span
    everything = Scope(file, whole.contents.values)
    match item:
        case ast.Budget():
            whole.budget = _budget(whole, item)
        case ast.Quota():
            from pipelang.semantics.elaborate.promises.quotas import quota

            whole.quota = quota(context, whole.scope, whole.place.at("quota"), item)
        case ast.Permits():
            for name in item.names:
                if str(name.value) in whole.permits:
                    context.tell(codes.DUPLICATE_OPTION, name.span, option=name.raw)
                whole.permits.setdefault(str(name.value), name.span)
        case ast.Slo():
            whole.slo = slo(context, everything, item, whole.names)
        case ast.Traffic():
            known = Scope(file, {**whole.contents.elements, **whole.contents.values})
            whole.traffic = elaborate_traffic(context, known, whole.contents, item)
        case ast.Watch():
            whole.watch = watch(context, everything, item, whole.names)
        case ast.Breaker():
            whole.breaker = _breaker(whole, item)


_DIMENSIONS = {MONEY: "money", DURATION: "time", TOKENS: "tokens"}


def _budget(whole: _Whole, item: ast.Budget) -> p.Budget:
    context, scope = whole.context, Scope(whole.file)
    amounts: dict[str, Any] = {}
    for amount in item.amounts:
        found = _amount(context, scope, amount)
        if found is None:
            whole.unread_budget = True
            continue
        kind, value = found
        if kind in amounts:
            context.tell(codes.DUPLICATE_OPTION, amount.span, option=f"budget of {kind}")
        amounts.setdefault(kind, value)
    otherwise = None
    if item.otherwise is not None:
        otherwise = outcome(context, whole.scope, whole.place.at("budget"), item.otherwise)
    return p.Budget(
        amounts.get("money"),
        amounts.get("time"),
        amounts.get("tokens"),
        amounts.get("steps"),
        otherwise,
        item.span,
    )


def _amount(
    context: Context, scope: Scope, amount: ast.Expr | ast.StepsAmount
) -> tuple[str, Any] | None:
    """One limit of a budget with its dimension, None if it was reported."""
    if isinstance(amount, ast.StepsAmount):
        count = quantity(context, scope, amount.count, INT, "budget", positive=True)
        return None if count is None else ("steps", count)
    typed = elaborate(context, scope, amount)
    if isinstance(typed.type, ErrorType):
        return None
    if not isinstance(typed.type, Scalar) or typed.type not in _DIMENSIONS:
        wrong_unit(context, "budget", BUDGET, typed, amount.span)
        return None
    if folded(context, typed, typed.type, amount.span) is None:
        return None
    late = typed.type == DURATION  # a limit of no time cuts every run
    value = quantity(context, scope, amount, typed.type, "budget", positive=late)
    return None if value is None else (_DIMENSIONS[typed.type], value)


_PROBES = Decimal(300)
"""Seconds between probes where a breaker does not say."""


def _breaker(whole: _Whole, item: ast.Breaker) -> p.Breaker:
    context, file = whole.context, whole.file
    lines: list[ast.OpensRejects | ast.OpensMetric] = readable(item.opens)
    gates = frozenset(whole.contents.gates)
    reasons = [opens(context, file, written, whole.names, gates) for written in lines]
    if not item.opens and not whole.contents.flawed:
        help = "`opens when GATE rejects 10 in a row`, `opens when error_rate > 5% over 100 runs`"
        context.tell(
            codes.MISSING_OPTION,
            item.span,
            what="the breaker of",
            name=whole.place.pipeline,
            option="opens when",
            help=help,
        )
    probes: Decimal | None = None
    if item.probes is not None:
        probes = quantity(
            context, Scope(file), item.probes, DURATION, "probes after", positive=True
        )
    returns = whole.place.returns
    inner = ActionSite(whole.place.pipeline, "breaker", returns)
    made, _ = chain(context, whole.scope, inner, item.otherwise, returns)
    step = p.Step("breaker", returns, made, chain_reads(made), item.doc, item.span)
    told = tuple(reason for reason in reasons if reason is not None)
    return p.Breaker(told, probes or _PROBES, step, item.span)


def _permits(
    context: Context,
    file: str,
    key: str,
    parts: Sequence[ast.Action | ast.Item],
    whole: _Whole,
) -> None:
    """Every tool that a pipeline calls, also through others, needs its permit among those that the
    pipeline lists; one that nobody needs is reported.
    """
    first: dict[str, Span] = {}
    for part in parts:
        for called, name in named(context, file, part):
            first.setdefault(called, name.span)
    needed: set[str] = set()
    told: set[str] = set()
    for called, span in first.items():
        for permit, tool in _permits_of(context, called):
            needed.add(permit)
            if permit not in whole.permits and permit not in told:
                told.add(permit)
                listed = ", ".join(f'"{one}"' for one in (*whole.permits, permit))
                context.tell(
                    codes.PERMIT,
                    span,
                    tool=tool,
                    permit=permit,
                    name=key,
                    help=f"add it: `permits {listed}`",
                )
    for permit, span in whole.permits.items():
        if permit not in needed and not whole.contents.flawed:
            context.tell(codes.UNUSED_PERMIT, span, name=key, permit=permit)


def _permits_of(context: Context, key: str) -> Iterator[tuple[str, str]]:
    """The permits that a tool or pipeline needs, each with the tool that needs it."""
    for name in sorted(reached(context, key)):
        declaration = context.symbols.by_key[name].declaration
        if isinstance(declaration, ast.ToolDecl):
            permit = pick(declaration.options, ast.Permit)
            if permit is not None:
                yield str(permit.name.value), declaration.name.text
