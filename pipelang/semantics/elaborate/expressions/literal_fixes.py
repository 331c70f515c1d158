"""Fixes of literals that are certain enough for `check --fix`."""

from __future__ import annotations

from pipelang.diagnostics import Help, SafeFix
from pipelang.semantics import expressions as expr
from pipelang.semantics.types import INT, NUMBER, TEXT, EnumType


def as_share(typed: expr.Expr, words: str) -> Help:
    """A number where a share is expected: `70` is 70%, `0.7` too; `1` may be either."""
    if not isinstance(typed, expr.Const) or typed.setting is not None:
        return words
    value = typed.value
    if typed.type == INT and 1 < value <= 100:
        return SafeFix(words, str(value), f"{value}%")
    if typed.type == NUMBER and 0 < value < 1:
        return SafeFix(words, str(value), f"{(value * 100).normalize():f}%")
    return words


def as_member(typed: expr.Expr, type: EnumType, words: str) -> Help:
    """A text where a member of an enum is expected, and it is the value of one of them."""
    if isinstance(typed, expr.Const) and typed.type == TEXT and typed.value in type.members:
        return SafeFix(words, f'"{typed.value}"', type.name_of(typed.value))
    return words
