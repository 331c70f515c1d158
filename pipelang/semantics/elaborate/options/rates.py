"""Shares in options: declared, counted, or measured in a file."""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import codes
from pipelang.semantics.chance import (
    ByCase,
    Chance,
    CountedShare,
    Declared,
    MeasuredShare,
    PlainChance,
    Undeclared,
)
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.loader import Unreadable
from pipelang.semantics.types import PROBABILITY
from pipelang.syntax import ast


def chance(context: Context, scope: Scope, rate: ast.Rate, name: str, word: str) -> Chance:
    """A share. A wrong one is reported and counts as undeclared.

    `name` says whose share of what it is; `word` is the option's own word, for messages.
    """
    if isinstance(rate, ast.RateByCase):
        return _by_case(context, scope, rate, name, word)
    return plain_chance(context, scope, rate, name, word)


def _by_case(context: Context, scope: Scope, rate: ast.RateByCase, name: str, word: str) -> Chance:
    """A share for each class of cases. A file has cases of both, so none stands here."""
    for part in (rate.easy, rate.hard):
        if isinstance(part, ast.FromFile):
            what = "a file holds all cases, so it can't stand beside a rate `if hard`"
            context.tell(codes.CONTRADICTION, part.span, what=what, help=SPLIT)
            return Undeclared(f"{name}@{scope.file}:{rate.span.start}")
    easy = plain_chance(context, scope, rate.easy, name, word)
    hard = plain_chance(context, scope, rate.hard, f"{name} if hard", word)
    return ByCase(easy, hard, easy.site)


SPLIT = (
    "`pipelang evidence fit FILE FILE FILE` splits files that share cases, and prints counted "
    'rates; a gate over a confidence keeps its file by `{ evidence from "FILE" }`'
)


def plain_chance(
    context: Context, scope: Scope, rate: ast.Rate, name: str, word: str
) -> PlainChance:
    """A share that is the same in all cases, or that of one class."""
    assert not isinstance(rate, ast.RateByCase)
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
        drift = shift(context, scope, rate.shift)
        return Undeclared(site) if evidence is None else MeasuredShare(evidence, evidence, drift)
    value = quantity(context, scope, rate, PROBABILITY, word)
    if value is None:
        return Undeclared(site)
    return Declared(value, site)


def shift(context: Context, scope: Scope, node: ast.Expr | None) -> Decimal:
    """The points by which the shares of a file may be off; a wrong figure is reported and is 0."""
    found = None if node is None else quantity(context, scope, node, PROBABILITY, "shift")
    return Decimal(0) if found is None else Decimal(found)


def of_tier(context: Context, scope: Scope, rate: ast.TierRate, name: str) -> Chance:
    """The accuracy of one tier. A `shift` is that of a file, and the grammar has it behind any."""
    share = rate.rate
    if rate.shift is not None:
        if isinstance(share, ast.FromFile):
            share = ast.FromFile(share.path, rate.shift, share.span)
        else:
            context.tell(
                codes.CONTRADICTION,
                rate.shift.span,
                what="`shift` says how far the rows of a file may be off, and here is no file",
                help='`from "FILE.jsonl" shift 3%`, or leave it out: a range is a `setting`',
            )
    return chance(context, scope, share, name, "accuracy")


def evidence_file(context: Context, file: str, path: ast.Literal) -> str | None:
    """Read an evidence file once; its path, or None if it is missing or malformed (reported)."""
    full = context.loader.beside(file, str(path.value))
    if full in context.evidence:
        return full
    from pipelang.semantics.evidence_file import FORM, Flaw, read_evidence, unreadable_help

    try:
        text = context.loader.read(full)
    except Unreadable as problem:
        help = unreadable_help(str(problem))
        context.tell(codes.NOT_TEXT, path.span, file=full, why=problem, help=help)
        return None
    if text is None:
        context.tell(codes.MISSING_FILE, path.span, path=full, help=FORM)
        return None
    found = read_evidence(full, text)
    if isinstance(found, Flaw):
        context.tell(
            codes.BAD_FILE,
            path.span,
            path=full,
            line=found.line,
            why=found.why,
            help=found.help,
        )
        return None
    context.evidence[full] = found
    return full
