"""Limits on how deep declarations refer to one another: types to types, settings to settings.

They are computed on first need, one inside the other, and nobody writes fifty levels of them by
hand. The limit is the same in whatever order they are written.
"""

from __future__ import annotations

from pipelang.diagnostics import Span, codes
from pipelang.semantics.elaborate.context import Context

DEEPEST = 50


class BeingComputed:
    """While a declaration is computed: whether it may be, or is nested too deep (reported)."""

    __slots__ = ("_context", "_key", "_may", "_span")

    def __init__(self, context: Context, key: str, span: Span) -> None:
        self._context = context
        self._key = key
        self._span = span
        self._may = len(context.pending) < DEEPEST

    def __enter__(self) -> bool:
        if self._may:
            self._context.pending.append(self._key)
            self._context.depths[self._key] = 1
        else:
            _tell(self._context, self._key, self._span)
        return self._may

    def __exit__(self, *raised: object) -> None:
        if not self._may:
            return
        context, key = self._context, self._key
        context.pending.pop()
        if context.depths[key] > DEEPEST:
            _tell(context, key, self._span)
        hangs_on(context, key)


def hangs_on(context: Context, key: str) -> None:
    """Remember that what is being computed hangs on a declaration that was computed."""
    if context.pending and key in context.depths:
        above = context.pending[-1]
        context.depths[above] = max(context.depths[above], context.depths[key] + 1)


def _tell(context: Context, key: str, span: Span) -> None:
    context.depths[key] = 1  # told once, not again for everything above it
    context.tell(codes.TOO_DEEP, span, limit=DEEPEST)
