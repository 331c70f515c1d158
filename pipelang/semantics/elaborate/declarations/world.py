"""Elaboration of providers, tiers, roles, patterns and memories."""

from __future__ import annotations

import datetime
from decimal import Decimal

from pipelang.diagnostics import codes
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.options.options import no_duplicates, pick, rate_of, spread
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.quantities import show_value
from pipelang.semantics.symbols import Symbol
from pipelang.semantics.types import DURATION, INT, MONEY, NUMBER, TEXT, TOKENS
from pipelang.syntax import ast

DEFAULT_PROVIDER = "anthropic"


def provider(context: Context, file: str, key: str, decl: ast.ProviderDecl) -> p.Provider:
    no_duplicates(context, decl.options)
    kind = pick(decl.options, ast.Kind)
    reference = pick(decl.options, ast.Key)
    url = pick(decl.options, ast.BaseUrl)
    if reference is not None and not str(reference.reference.value).startswith(("env:", "file:")):
        context.tell(
            codes.TYPE_MISMATCH,
            reference.span,
            expected="a reference such as `env:ANTHROPIC_API_KEY` or `file:/run/secrets/key`",
            found="something else",
            help="a secret never stands in a .pipe file",
        )
    return p.Provider(
        name=key,
        kind=kind.name.text if kind else "anthropic",
        key=str(reference.reference.value) if reference else None,
        base_url=str(url.url.value) if url else None,
        available=rate_of(context, Scope(file), decl.options, ast.Available, key),
        span=decl.name.span,
    )


def tier(context: Context, file: str, key: str, decl: ast.TierDecl) -> p.Tier:
    no_duplicates(context, decl.options)
    scope = Scope(file)
    named = pick(decl.options, ast.Provider)
    symbol = context.find(file, named.name, "provider") if named else None
    model = pick(decl.options, ast.Model)
    latency = pick(decl.options, ast.Latency)
    size = pick(decl.options, ast.Context)
    found = p.Tier(
        name=key,
        provider=symbol.key if symbol else DEFAULT_PROVIDER,
        model=str(model.id.value) if model else None,
        prices=_prices(context, scope, pick(decl.options, ast.Price)),
        latency=spread(context, scope, latency.spread, "latency") if latency else None,
        transient=rate_of(context, scope, decl.options, ast.Transient, key),
        context=quantity(context, scope, size.size, TOKENS, "context", positive=True)
        if size
        else None,
        as_of=_date(context, pick(decl.options, ast.AsOf)),
        span=decl.name.span,
        stands_in=context.stand_ins.get(key),
    )
    if pick(decl.options, ast.Price) is not None or found.model is None or symbol is None:
        return found
    return _with_snapshot_price(found, symbol)


def _with_snapshot_price(tier: p.Tier, provider: Symbol) -> p.Tier:
    """A tier that declares no price, with that of the snapshot if it has the model.

    Where long prompts cost more, a tier without a `context` ends where they begin; one that
    declares more pays for all as for the longest.
    """
    from pipelang.semantics import price_snapshot

    assert isinstance(provider.declaration, ast.ProviderDecl)
    kind = pick(provider.declaration.options, ast.Kind)
    found = price_snapshot.priced(kind.name.text if kind else DEFAULT_PROVIDER, tier.model or "")
    if found is None:
        return tier
    size = found.context if tier.context is None else tier.context
    dear = found.beyond and found.context is not None and size is not None and size > found.context
    return replace(
        tier,
        prices=found.beyond if dear else found.prices,
        context=size,
        as_of=tier.as_of or price_snapshot.as_of(),
        priced_by=price_snapshot.source(),
    )


def _prices(context: Context, scope: Scope, price: ast.Price | None) -> dict[str, Decimal]:
    prices: dict[str, Decimal] = {}
    for item in price.items if price else ():
        amount = quantity(context, scope, item.amount, MONEY, "price")
        if item.kind in prices:
            context.tell(codes.DUPLICATE_OPTION, item.span, option=item.kind)
        if amount is not None:
            prices[item.kind] = amount
    return prices


def _date(context: Context, option: ast.AsOf | None) -> str | None:
    if option is None:
        return None
    written = str(option.date.value)
    try:
        datetime.date.fromisoformat(written)
    except ValueError:
        found = option.date.raw
        expected = 'a date like "2026-11-20"'
        context.tell(
            codes.UNIT_MISMATCH, option.date.span, option="as_of", expected=expected, found=found
        )
        return None
    return written


def role(context: Context, file: str, key: str, decl: ast.RoleDecl) -> p.Role:
    no_duplicates(context, decl.options)
    scope = Scope(file)
    people = pick(decl.options, ast.PeopleOption)
    handles = pick(decl.options, ast.Handles)
    responds = pick(decl.options, ast.Responds)
    hours = pick(decl.options, ast.Hours)
    differ = pick(decl.options, ast.MustDifferFrom)
    other = context.find(file, differ.role, "role") if differ else None
    if differ is not None and other is not None and other.key == key:
        what = f"`{decl.name.text}` cannot differ from itself"
        context.tell(codes.CONTRADICTION, differ.span, what=what)
    weight = pick(decl.options, ast.Weight)
    rushed = pick(decl.options, ast.Rushed)
    hourly = pick(decl.options, ast.CostAnHour)
    handling = (
        quantity(context, scope, handles.mean, DURATION, "handles", positive=True)
        if handles
        else None
    )
    shortest = (
        quantity(context, scope, rushed.duration, DURATION, "rushed", positive=True)
        if rushed
        else None
    )
    if rushed and handling is not None and shortest is not None and shortest >= handling:
        usual = show_value(handling, DURATION)
        what = f"`{decl.name.text}` takes {usual} for a case, and verdicts as quick count as rushed"
        help = "`rushed` is the time below which nobody can have looked: some seconds"
        context.tell(codes.RUSHED_AS_USUAL, rushed.span, what=what, help=help)
    heavy = None
    if weight is not None:
        heavy = quantity(context, scope, weight.weight, NUMBER, "weight", positive=True)
    day = None
    if hours is not None:
        day = quantity(context, scope, hours.count, NUMBER, "hours", positive=True, most=24)
    return p.Role(
        name=key,
        people=quantity(context, scope, people.count, INT, "people", positive=True)
        if people
        else None,
        handles=handling,
        responds=spread(context, scope, responds.spread, "responds") if responds else None,
        accuracy=rate_of(context, scope, decl.options, ast.Accuracy, key),
        hours=None if day is None else Decimal(day),
        must_differ_from=other.key if other else None,
        span=decl.name.span,
        weight=Decimal(1) if heavy is None else Decimal(heavy),
        rushed=shortest,
        cost=quantity(context, scope, hourly.amount, MONEY, "cost") if hourly else None,
    )


def patterns(context: Context, decl: ast.PatternsDecl) -> tuple[str, ...]:
    """RE2 patterns, each tried."""
    import re2

    from pipelang.semantics.patterns import compiled_pattern

    result = []
    for literal in decl.patterns:
        text = str(literal.value)
        try:
            compiled_pattern(text)
        except UnicodeEncodeError:
            pass  # half a character, which the parser has told
        except re2.error as error:
            why = error.args[0] if error.args else "it does not compile"
            if isinstance(why, bytes):
                why = why.decode("utf-8", "replace")
            context.tell(codes.BAD_PATTERN, literal.span, why=why)
        if "\\\\" in text:
            _tell_doubled(context, literal, text)
        result.append(text)
    return tuple(result)


def _tell_doubled(context: Context, literal: ast.Literal, text: str) -> None:
    from pipelang.semantics.elaborate.declarations.doubled_backslashes import doubled_backslash

    found = doubled_backslash(text)
    if found is not None:
        then = "any character" if found[-1] == "." else f"`{found[-1]}`"
        context.tell(codes.DOUBLED_BACKSLASH, literal.span, found=found, then=then, meant=found[1:])


def memory(context: Context, file: str, key: str, decl: ast.MemoryDecl) -> p.Memory:
    no_duplicates(context, decl.options)
    parameters, returns = signature(context, key)
    if len(parameters) != 1:
        context.tell(
            codes.ARGUMENTS,
            decl.name.span,
            what=f"memory `{key}` takes one key, found {len(parameters)}",
            help=f"write `memory {decl.name.text}(user: text) -> ...`",
        )
        parameters = (*parameters, p.Parameter("key", TEXT))
    keeps = pick(decl.options, ast.Keeps)
    duration = None
    if keeps is not None:
        scope = Scope(file)
        duration = quantity(context, scope, keeps.duration, DURATION, "keeps", positive=True)
    return p.Memory(key, parameters[0], returns, duration, decl.name.span)
