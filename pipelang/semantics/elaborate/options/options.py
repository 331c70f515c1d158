"""Elaboration of options: picking one by kind, shares, spreads, retries, duplicates."""

from __future__ import annotations

from typing import Any, TypeVar

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, Declared, Undeclared
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.options.quantity import MOST_ATTEMPTS, quantity
from pipelang.semantics.elaborate.options.rates import chance
from pipelang.semantics.kernels.hard import HARD
from pipelang.semantics.types import DURATION, INT
from pipelang.syntax import ast
from pipelang.syntax.option_table import WORD_OF

O = TypeVar("O")  # noqa: E741  (an option)


def pick(options: tuple[Any, ...], kind: type[O]) -> O | None:
    """The option of a kind, if it is there. No kind of options is one of another kind."""
    for option in options:
        if option.__class__ is kind:
            found: O = option
            return found
    return None


ASSUMABLE = (
    *("accuracy", "available", "correlation", HARD, "hits", "recovers", "succeeds", "transient"),
)
"""Figures that can be assumed where nobody declared them: options, and how many cases are hard."""


def or_assumed(context: Context, word: str, chance: Chance) -> Chance:
    """A share that nobody declared, as what is assumed of all such."""
    share = context.assumed.get(word) if context.assumed else None
    if share is None or not isinstance(chance, Undeclared):
        return chance
    return Declared(share, chance.site)


def rate_of(
    context: Context,
    scope: Scope,
    options: tuple[ast.Option, ...],
    kind: type[Any],
    owner: str,
    default: Chance | None = None,
) -> Chance:
    """The share of an option, or what it counts as where it is not declared."""
    option, word = pick(options, kind), WORD_OF[kind]
    if option is None:
        return or_assumed(context, word, default or Undeclared(f"{owner}.{word}"))
    return chance(context, scope, option.rate, f"{owner}.{word}", word)


def spread(context: Context, scope: Scope, written: ast.Spread, option: str) -> p.Spread | None:
    """A median and a 95% quantile in seconds."""
    median = quantity(context, scope, written.median, DURATION, option, positive=True)
    p95 = None
    if written.p95 is not None:
        p95 = quantity(context, scope, written.p95, DURATION, option, positive=True)
        if median is not None and p95 is not None and p95 < median:
            context.tell(
                codes.CONTRADICTION,
                written.span,
                what="the 95% quantile is below the median",
                help="the median is what half of the cases stay under; p95 must be larger",
            )
            return None
    return None if median is None else p.Spread(median, p95)


def retry(context: Context, scope: Scope, option: ast.Retry | None) -> p.Retry | None:
    """`retry N backoff LOW..HIGH`, None where it is not written."""
    if option is None:
        return None
    count = quantity(context, scope, option.count, INT, "retry", most=MOST_ATTEMPTS)
    backoff = None
    if option.backoff is not None:
        low = quantity(context, scope, option.backoff[0], DURATION, "backoff")
        high = quantity(context, scope, option.backoff[1], DURATION, "backoff")
        if low is not None and high is not None:
            if low > high:
                context.tell(
                    codes.CONTRADICTION,
                    option.span,
                    what="the backoff starts above its own limit",
                )
            backoff = (low, high)
    return p.Retry(count or 0, backoff)


def no_duplicates(context: Context, options: tuple[ast.Option, ...]) -> None:
    """Report options that stand twice."""
    if len({WORD_OF.get(option.__class__) for option in options}) == len(options):
        return
    seen: dict[str, Span] = {}
    readable: list[ast.Option] = whole(options)
    for option in readable:
        name = option_word(option)
        if name in seen:
            label = Label(seen[name], "the first stands here")
            context.tell(codes.DUPLICATE_OPTION, option.span, option=name, labels=(label,))
        seen.setdefault(name, option.span)


def option_word(option: ast.Option) -> str:
    """The word by which an option is written."""
    return WORD_OF[type(option)]
