"""Limits on how deep declarations refer to one another: types to types, settings to settings.

They are computed on first need, one inside the other, and nobody writes fifty levels of them by
hand. The limit is the same in whatever order they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelang.diagnostics import Span, codes
from pipelang.semantics.elaborate.context import Context

DEEPEST = 50


@contextmanager
def inside(context: Context, key: str, span: Span) -> Iterator[bool]:
    """While a declaration is computed: whether it may be, or is nested too deep (reported)."""
    if len(context.pending) >= DEEPEST:
        _tell(context, key, span)
        yield False
        return
    context.pending.append(key)
    context.depths[key] = 1
    try:
        yield True
    finally:
        context.pending.pop()
        if context.depths[key] > DEEPEST:
            _tell(context, key, span)
        hangs_on(context, key)


def hangs_on(context: Context, key: str) -> None:
    """Remember that what is being computed hangs on a declaration that was computed."""
    if context.pending and key in context.depths:
        above = context.pending[-1]
        context.depths[above] = max(context.depths[above], context.depths[key] + 1)


def _tell(context: Context, key: str, span: Span) -> None:
    context.depths[key] = 1  # told once, not again for everything above it
    context.tell(codes.TOO_DEEP, span, limit=DEEPEST)
