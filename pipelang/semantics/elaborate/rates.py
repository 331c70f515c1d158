"""Shares and quantities in options: declared, counted, or measured in a file."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics.chance import (
    Chance,
    CountedShare,
    Declared,
    EvidenceFile,
    MeasuredShare,
    Row,
    Undeclared,
)
from pipelang.semantics.elaborate.constants import constant
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.loading import Unreadable
from pipelang.semantics.types import PROBABILITY, Type, show
from pipelang.syntax import ast


def chance(context: Context, file: str, rate: ast.Rate, option: str) -> Chance:
    """A share of an option. What is wrong with it is told, and it counts as undeclared then."""
    site = f"{option}@{file}:{rate.span.start}"
    if isinstance(rate, ast.Counted):
        if rate.total == 0 or rate.good > rate.total:
            context.tell(
                codes.OUT_OF_RANGE,
                rate.span,
                what="a count",
                range="K of N with K at most N and N at least 1",
                found=f"{rate.good} of {rate.total}",
            )
            return Undeclared(site)
        return CountedShare(rate.good, rate.total, site)
    if isinstance(rate, ast.FromFile):
        evidence = evidence_file(context, file, rate.path)
        return Undeclared(site) if evidence is None else MeasuredShare(evidence, evidence)
    value = constant(context, file, rate, PROBABILITY)
    if value is None:
        return Undeclared(site)
    if not 0 <= value <= 1:
        context.tell(
            codes.OUT_OF_RANGE,
            rate.span,
            what=f"`{option}`",
            range="between 0% and 100%",
            found=f"{value * 100}%",
        )
        return Undeclared(site)
    return Declared(value, site)


def evidence_file(context: Context, file: str, path: ast.Literal) -> str | None:
    """Read an evidence file once; its path, or None if it is missing or malformed (told)."""
    full = context.loader.beside(file, str(path.value))
    if full in context.evidence:
        return full
    try:
        text = context.loader.read(full)
    except Unreadable as problem:
        context.tell(codes.NOT_TEXT, path.span, file=full, why=problem)
        return None
    if text is None:
        help = 'JSON Lines, one answer a line: {"confidence": 0.93, "correct": true}'
        context.tell(codes.MISSING_FILE, path.span, path=full, help=help)
        return None
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        row, why = _row(line, number)
        if row is None:
            context.tell(codes.BAD_FILE, path.span, path=full, line=number, why=why)
            return None
        rows.append(row)
    if not rows:
        context.tell(codes.BAD_FILE, path.span, path=full, line=1, why="there are no rows")
        return None
    context.evidence[full] = EvidenceFile(full, tuple(rows))
    return full


def _row(line: str, number: int) -> tuple[Row | None, str]:
    try:
        value: Any = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    except json.JSONDecodeError as error:
        return None, f"this is no JSON: {error.msg}"
    if not isinstance(value, dict):
        return None, 'a row looks like {"confidence": 0.93, "correct": true}'
    correct = value.get("correct")
    if not isinstance(correct, bool):
        return None, "`correct` must be true or false"
    confidence = value.get("confidence")
    if confidence is not None:
        if not isinstance(confidence, Decimal) or not 0 <= confidence <= 1:
            return None, "`confidence` must be a number between 0 and 1"
    return Row(confidence, correct, number), ""


def quantity(
    context: Context,
    file: str,
    expr: ast.Expr,
    type: Type,
    option: str,
    *,
    positive: bool = False,
) -> Any:
    """A constant quantity of a type, not negative (and not zero if `positive`); None if told."""
    before = len(context.diagnostics)
    value = constant(context, file, expr, type)
    if value is None:
        if len(context.diagnostics) == before:
            context.tell(
                codes.UNIT_MISMATCH, expr.span, option=option, expected=show(type), found="nothing"
            )
        return None
    if value < 0 or (positive and value == 0):
        wanted = "more than 0" if positive else "at least 0"
        context.tell(codes.OUT_OF_RANGE, expr.span, what=f"`{option}`", range=wanted, found=value)
        return None
    return value


def no_duplicates(context: Context, options: tuple[ast.Option, ...]) -> None:
    """Tell options that stand twice."""
    seen: dict[str, Span] = {}
    for option in options:
        name = option_word(option)
        if name in seen:
            context.tell(codes.DUPLICATE_OPTION, option.span, option=name)
        seen[name] = option.span


_WORDS = {
    "AccuracyByTier": "accuracy",
    "VoteLead": "vote",
    "PythonBinding": "python",
    "McpBinding": "mcp",
    "FalseAlarms": "false_alarms",
    "BaseUrl": "base_url",
    "AsOf": "as_of",
    "RateLimit": "rate",
    "MustDifferFrom": "must_differ_from",
}


def option_word(option: ast.Option) -> str:
    """The word by which an option is written."""
    name = type(option).__name__
    return _WORDS.get(name, name.lower())
