"""Formulas over the variables of a model, and probabilities made of its constants, as texts.

A formula remembers which variables it reads: what nothing reads any more is forgotten (`dead`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelang.records import dataclass

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Formula:
    """A condition or a number in PRISM's words."""

    text: str
    reads: frozenset[str] = _NOTHING


TRUE = Formula("true")
FALSE = Formula("false")


def number(value: int) -> Formula:
    return Formula(str(value))


def variable(name: str) -> Formula:
    return Formula(name, frozenset({name}))


def compared(left: Formula, op: str, right: Formula) -> Formula:
    """`left op right`; both sides are short or stand in parentheses."""
    return Formula(f"{_part(left)}{op}{_part(right)}", left.reads | right.reads)


def is_(name: str, value: int) -> Formula:
    return compared(variable(name), "=", number(value))


def is_not(name: str, value: int) -> Formula:
    return compared(variable(name), "!=", number(value))


def more(name: str) -> Formula:
    """One more than the variable is now."""
    return Formula(f"{name}+1", frozenset({name}))


def all_of(parts: Iterable[Formula]) -> Formula:
    """All of them hold; true if there is none."""
    return _joined(parts, " & ", neutral=TRUE, decides=FALSE)


def any_of(parts: Iterable[Formula]) -> Formula:
    """One of them holds; false if there is none."""
    return _joined(parts, " | ", neutral=FALSE, decides=TRUE)


def no(formula: Formula) -> Formula:
    if formula == TRUE:
        return FALSE
    if formula == FALSE:
        return TRUE
    comparison = _COMPARISON.match(formula.text)
    if comparison is not None:
        name, op, value = comparison.groups()
        return Formula(f"{name}{_OPPOSITE[op]}{value}", formula.reads)
    return Formula(f"!({formula.text})", formula.reads)


_COMPARISON = re.compile(r"^(\w+)(!=|<=|>=|=|<|>)(\d+)$")
_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def chosen(test: Formula, then: Formula, otherwise: Formula) -> Formula:
    """`test ? then : otherwise`."""
    if test in (TRUE, FALSE):
        return then if test == TRUE else otherwise
    text = f"({_part(test)} ? {_part(then)} : {_part(otherwise)})"
    return Formula(text, test.reads | then.reads | otherwise.reads)


def same(left: Formula, right: Formula) -> Formula:
    """Two conditions that hold or fail together."""
    return any_of([all_of([left, right]), all_of([no(left), no(right)])])


def _joined(parts: Iterable[Formula], sign: str, neutral: Formula, decides: Formula) -> Formula:
    kept = [part for part in dict.fromkeys(parts) if part != neutral]
    if decides in kept:
        return decides
    if not kept:
        return neutral
    if len(kept) == 1:
        return kept[0]
    reads = frozenset[str]().union(*(part.reads for part in kept))
    return Formula(sign.join(map(_part, kept)), reads)


def _part(formula: Formula) -> str:
    """The text, in parentheses where something could tear it apart."""
    text = formula.text
    return f"({text})" if " " in text and not _closed(text) else text


def _closed(text: str) -> bool:
    """Whether the text is one pair of parentheses, with or without a `!` before it."""
    inner = text.removeprefix("!")
    if not (inner.startswith("(") and inner.endswith(")")):
        return False
    depth = 0
    for at, sign in enumerate(inner):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and at < len(inner) - 1:
            return False
    return True


# ------------------------------------------------------------------------------ probabilities


def rest(share: str) -> str:
    """1 minus a probability."""
    if share in ("0", "1"):
        return "1" if share == "0" else "0"
    if share.startswith("1-") and share[2:].isidentifier():
        return share[2:]
    return f"1-{share}" if share.isidentifier() else f"1-({share})"


def product(*shares: str) -> str:
    """Probabilities multiplied; what is certain or impossible is left out."""
    if "0" in shares:
        return "0"
    kept = [share for share in shares if share != "1"]
    texts = [f"({s})" if "+" in s or "-" in s else s for s in kept]
    return "*".join(texts) if texts else "1"
