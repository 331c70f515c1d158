"""Budgets raised along with a change, so that they cut no run that they did not cut before.

A change may make the worst run longer than a budget allows. Its figures would then be bounds, so it
is advised together with the limit that the worst run needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

from pipelang.analysis.advice.changes import Change
from pipelang.analysis.advice.trying import Bench, cuts_of
from pipelang.analysis.advice.written import declaration, page
from pipelang.analysis.budgets.cuts import Cut
from pipelang.analysis.budgets.limits import MONEY, STEPS, TIME, TOKENS
from pipelang.diagnostics import Edit, Span
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.quantities import plain, show_duration
from pipelang.syntax import ast

MOST_ROUNDS = 3
"""Rounds of raising: a larger budget of a sub-pipeline makes the worst run of its callers worse."""

FIGURES = 3
"""Figures of a raised limit, which is rounded up."""

_KINDS = {
    ast.LiteralKind.MONEY: MONEY,
    ast.LiteralKind.DURATION: TIME,
    ast.LiteralKind.TOKENS: TOKENS,
}


def with_budgets(
    bench: Bench, change: Change, pipelines: Sequence[str]
) -> tuple[Change, p.Program] | None:
    """A change with the budgets that it needs, and the changed program; None where that does not
    build, or where budgets may cut runs of these pipelines all the same.
    """
    raised: dict[tuple[str, str], Decimal] = {}
    program: p.Program | None = None
    for _ in range(MOST_ROUNDS):
        more = _edits(bench, raised)
        if more is None:
            return None
        if program is None or any(program.pipelines[name].quota for name, _ in raised):
            program = bench.rebuilt((*change.edits, *more)).program  # a quota holds a budget
        else:
            program = _with_limits(program, raised)
        if program is None:
            return None
        found = [
            cut
            for name in pipelines
            for cut in cuts_of(
                program, program.pipelines[name], bench.model(program, name), to_raise=True
            )
        ]
        if not found:
            words = ", ".join((change.words, *_words(raised, pipelines[0])))
            return replace(change, words=words, edits=(*change.edits, *more)), program
        if not _raise(raised, found):
            return None
    return None


def _with_limits(program: p.Program, raised: dict[tuple[str, str], Decimal]) -> p.Program:
    """A program with limits raised: what building its text with them would make, for a number in a
    budget says nothing to the rest but to a quota.
    """
    pipelines = dict(program.pipelines)
    for (name, dimension), limit in raised.items():
        budget = pipelines[name].budget
        assert budget is not None, "a cut is one of its limits"
        if dimension == MONEY:
            budget = replace(budget, money=limit)
        elif dimension == TIME:
            budget = replace(budget, seconds=limit)
        elif dimension == TOKENS:
            budget = replace(budget, tokens=int(limit))
        else:
            budget = replace(budget, steps=int(limit))
        pipelines[name] = replace(pipelines[name], budget=budget)
    return replace(program, pipelines=pipelines)


def _raise(raised: dict[tuple[str, str], Decimal], cuts: Iterable[Cut]) -> bool:
    """Note what each limit must be; whether all are bounded."""
    for cut in cuts:
        if cut.most is None:
            return False
        key = (cut.pipeline, cut.dimension)
        raised[key] = max(raised.get(key, Decimal(0)), _rounded(cut.dimension, cut.most))
    return True


def _rounded(dimension: str, most: Decimal) -> Decimal:
    """A limit as somebody would write it: no less than what is needed."""
    figure = most.adjusted() + 1 - FIGURES
    unit = Decimal(1)
    if dimension == TOKENS:
        unit = Decimal(1).scaleb(max(0, figure))
    elif dimension in (MONEY, TIME):
        unit = Decimal(1).scaleb(min(0, figure))
    return most.quantize(unit, rounding=ROUND_CEILING)


def _written(dimension: str, limit: Decimal) -> str:
    if dimension == MONEY:
        return f"${plain(limit)}"
    return show_duration(limit) if dimension == TIME else f"{plain(limit)} {dimension}"


def _words(raised: dict[tuple[str, str], Decimal], own: str) -> list[str]:
    """The limits, as they are told beside a change."""
    limits: dict[str, list[str]] = {}
    for (pipeline, dimension), limit in raised.items():
        limits.setdefault(pipeline, []).append(_written(dimension, limit))
    return [
        f"and budget {', '.join(mine)}{'' if pipeline == own else f' of `{pipeline}`'}"
        for pipeline, mine in limits.items()
    ]


def _edits(bench: Bench, raised: dict[tuple[str, str], Decimal]) -> list[Edit] | None:
    """The edits that raise limits; None where one is not written as a number."""
    found = []
    for (name, dimension), limit in raised.items():
        span = _place(bench, bench.program.pipelines[name], dimension)
        if span is None:
            return None
        found.append(Edit(span, _written(dimension, limit)))
    return found


def _place(bench: Bench, pipeline: p.Pipeline, dimension: str) -> Span | None:
    """The place of a limit that is written as a number, in a file that may be edited."""
    mine = page(bench.sources, pipeline.span.file)
    written = None if mine is None else declaration(mine, pipeline)
    for item in () if written is None else written.items:
        for amount in item.amounts if isinstance(item, ast.Budget) else ():
            if isinstance(amount, ast.StepsAmount):
                if dimension == STEPS and isinstance(amount.count, ast.Literal):
                    return amount.span
            elif isinstance(amount, ast.Literal) and _KINDS.get(amount.kind) == dimension:
                return amount.span
    return None
