"""Operators in templates and what they work on: a run refuses all but `+` for what is no number."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.semantics.program import TemplatePart, TemplateValue
from pipelang.semantics.types import (
    BOOL,
    DURATION,
    INT,
    JSON,
    MONEY,
    NUMBER,
    PROBABILITY,
    TEXT,
    TIME,
    ErrorType,
    Type,
)
from pipelang.syntax.templates.nodes import TemplateConst, TemplateExpr

SIGNS = frozenset(("+", "-", "*", "/", "//", "%"))
"""The signs of the operators over numbers."""

_NUMBERS = (INT, NUMBER, PROBABILITY, BOOL)
_OPEN = (*_NUMBERS, JSON, MONEY, DURATION, TIME)
"""Types that may be a number in a template."""


def are_numbers(types: Sequence[Type]) -> bool:
    """Whether the value of an operator over such operands is a number."""
    return all(type in _NUMBERS for type in types)


def misused(sign: str, types: Sequence[Type]) -> Type | None:
    """The first operand that an operator does not work on; `+` also joins texts and lists."""
    if sign == "+":
        return None
    return next((t for t in types if t not in _OPEN and not isinstance(t, ErrorType)), None)


def kind(node: TemplateExpr, parts: Sequence[TemplatePart]) -> str:
    """Whether what an expression puts into a prompt is a `number`, a `text`, or something else."""
    if isinstance(node, TemplateConst) and isinstance(node.value, (int, float)):
        return "number"
    types = [part.type for part in parts if isinstance(part, TemplateValue)]
    if len(types) == len(parts) and are_numbers(types):
        return "number"
    return "text" if TEXT in types or not types else "other"
