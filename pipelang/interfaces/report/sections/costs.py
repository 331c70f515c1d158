"""The section on cost: a mean run, a month of runs, and the most expensive run that can happen."""

from __future__ import annotations

from math import isclose

from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import (
    count,
    exact_money,
    interval,
    listed,
    money,
    percent,
    rate,
    times,
    value,
)
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import COST_MEAN, COST_MONTH, COST_P95
from pipelang.semantics.quantities import dollars_beside, plain


def costs(view: View) -> list[str]:
    """Mean, month, worst with its path."""
    head, rows = view.heading("Cost"), cost_rows(view)
    if not rows and is_free(view):
        return [head, f"  {NOTHING}"]
    lines = lay_out(rows, "<><", view.paint, width=view.width, whole=True)
    said = dearest_path(view)
    more = [view.paint(line, "dim") for line in wrap(said, view.width, 2)] if said else []
    return [head, *lines, *more] if lines else []


NOTHING = "nothing: no model is asked, and no tool that is called costs anything"


def is_free(view: View) -> bool:
    worst = view.analysis.worst
    return worst is not None and worst.cost == 0 and not view.analysis.unpriced


def cost_rows(view: View, compared: bool = True) -> list[Row]:
    """Rows of the table of costs: name, dollars, note; `compared` with what each tier would cost,
    which takes sweeps of its own.
    """
    if is_free(view):
        return []
    rows: list[Row] = []
    mean, month = view.number(COST_MEAN), view.number(COST_MONTH)
    if mean.value is not None or mean.high is not None:
        rows.append(["mean run", value(mean, money), _beside(mean)])
        rows += _cached(view)
    most = view.number(COST_P95)
    if most.value is not None and most.value != mean.value:
        rows.append(["95% of runs under", value(most, money), _beside(most)])
    if month.value is not None and view.pipeline.traffic.per_day is not None:
        label = f"a month at {rate(float(view.pipeline.traffic.per_day))} a day"
        rows.append([label, money(month.value), _beside(month)])
    return [*rows, *(_baselines(view) if compared else ()), *_worst(view)]


def _cached(view: View) -> list[Row]:
    """The mean run with what prompt caches are estimated to save of it."""
    found, mean = view.analysis.caching, view.number(COST_MEAN).value
    if found is None or mean is None or money(mean - found.saves) == money(mean):
        return []
    most = max(found.parts, key=lambda part: part.saves)
    turn = f", turn {most.turn}" if most.turn is not None else ""
    said = (
        f"{percent(most.read)} of the calls of `{most.step}`{turn} read {most.tokens:,.0f} tokens"
    )
    rate_ = view.pipeline.traffic.per_day
    when = "" if rate_ is None else f" at {rate(float(rate_))} runs a day, evenly"
    note = Cell(f"estimate: {said}{when}", "dim")
    return [[CACHED, f"about {money(mean - found.saves)}", note]]


def _beside(number: Number) -> Cell:
    """An amount's interval, and whether it is a bound."""
    bound = BOUND if number.basis is Basis.BOUND and number.value else ""
    return Cell(" ".join(filter(None, (interval(number, money), bound))), "dim")


CACHED = "mean run, prompts cached"

BOUND = "bound"
"""The word for an amount that is no mean but at most so much."""


def _baselines(view: View) -> list[Row]:
    """The mean run with every model call at one tier, beside the mean run as it is."""
    mean, found = view.number(COST_MEAN).value, view.analysis.baseline
    if not mean or len(found) < 2:
        return []
    rows: list[Row] = []
    for tier, number in found.items():
        if number.value is not None and not isclose(number.value, mean, rel_tol=1e-9):
            note = f"{number.value / mean:.2g} times the mean run" if number.value else ""
            label = f"mean run, all by `{tier}`"
            rows.append([label, value(number, money), Cell(note, "dim")])
    return rows


def _worst(view: View) -> list[Row]:
    """The dearest run beside the budget, in dollars and in tokens."""
    worst, budget = view.analysis.worst, view.pipeline.budget
    if worst is None:
        return []
    tokens = ""
    if worst.tokens is not None:
        limit = None if budget is None else budget.tokens
        of = "" if limit is None else f" of {limit:,}"
        tokens = f"{count(worst.tokens)} tokens{of}"
    if view.analysis.unpriced:
        cost, note = "?", f"no price for {listed([f'`{t}`' for t in view.analysis.unpriced])}"
    elif worst.cost is None:
        cost, note = "?", "nothing bounds its prompts or its answers"
    else:
        cost, note = exact_money(worst.cost), ""
        if budget is not None and budget.money is not None:
            if cost == exact_money(float(budget.money)):
                cost = dollars_beside(worst.cost, budget.money)
            note = f"of a budget of ${plain(budget.money)}"
    style = "unsure" if cost == "?" else "dim"
    return [["dearest run", cost, Cell("; ".join(filter(None, (note, tokens))), style)]]


def dearest_path(view: View) -> str:
    """The most expensive run in words: what happens in it."""
    worst = view.analysis.worst
    if worst is None or not worst.cost or not worst.path:
        return ""
    often = [(name, number) for name, number in worst.path if number > 1]
    rest = len(worst.path) - len(often)
    parts = [f"`{name}` {times(number)}" for name, number in often]
    if rest == 1:
        parts.append(f"`{next(name for name, number in worst.path if number == 1)}` once")
    elif rest:
        others = "the other" if often else "both" if rest == 2 else "all"
        counted = "steps" if others == "both" else f"{rest:,} steps"
        parts.append(f"{others} {counted} once")
    return f"The dearest run takes {listed(parts)}, with every prompt and answer at its longest."
