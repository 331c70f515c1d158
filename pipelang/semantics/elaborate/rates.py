"""Shares in options: declared, counted, or measured in a file."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import codes
from pipelang.semantics.chance import (
    Chance,
    CountedShare,
    Declared,
    EvidenceFile,
    MeasuredShare,
    Row,
    Undeclared,
)
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.quantity import quantity
from pipelang.semantics.loading import Unreadable
from pipelang.semantics.types import PROBABILITY
from pipelang.syntax import ast


def chance(context: Context, scope: Scope, rate: ast.Rate, name: str, word: str) -> Chance:
    """A share. What is wrong with it is told, and it counts as undeclared then.

    `name` says whose share of what it is; `word` is the option's own word, for messages.
    """
    site = f"{name}@{scope.file}:{rate.span.start}"
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
        evidence = evidence_file(context, scope.file, rate.path)
        return Undeclared(site) if evidence is None else MeasuredShare(evidence, evidence)
    value = quantity(context, scope, rate, PROBABILITY, word)
    if value is None:
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
    try:
        rows = evidence_rows(text)
    except BadRow as bad:
        context.tell(codes.BAD_FILE, path.span, path=full, line=bad.line, why=bad)
        return None
    context.evidence[full] = EvidenceFile(full, rows)
    return full


class BadRow(ValueError):
    """A line of an evidence file that is no row, and why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def evidence_rows(text: str) -> tuple[Row, ...]:
    """The rows of an evidence file, JSON Lines. Raises `BadRow`."""
    rows = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        row, why = _row(line, number)
        if row is None:
            raise BadRow(number, why)
        rows.append(row)
    if not rows:
        raise BadRow(1, "there are no rows")
    return tuple(rows)


def _row(line: str, number: int) -> tuple[Row | None, str]:
    try:
        value: Any = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:]
        return None, f"this is no JSON: {why} at column {error.colno}"
    except (ArithmeticError, RecursionError):
        return None, "this is no JSON that can be read"
    if not isinstance(value, dict):
        return None, 'a row looks like {"confidence": 0.93, "correct": true}'
    if "correct" not in value:
        return None, "a row needs `correct`: true or false"
    correct = value["correct"]
    if not isinstance(correct, bool):
        return None, "`correct` must be true or false"
    confidence = value.get("confidence")
    if confidence is not None and (not isinstance(confidence, Decimal) or not 0 <= confidence <= 1):
        return None, "`confidence` must be a number between 0 and 1"
    return Row(confidence, correct, number), ""
