"""What a run costs: the mean one, a month of them, and the dearest that can happen."""

from __future__ import annotations

from pipelang.interfaces.report.table import Cell, Row, lay_out, wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.report.words import (
    count,
    exact_money,
    interval,
    listed,
    money,
    plural,
    times,
)
from pipelang.semantics.quantities import plain


def costs(view: View) -> list[str]:
    """Mean, month, worst with its path."""
    rows: list[Row] = []
    mean, month = view.number("cost.mean"), view.number("cost.month")
    if mean.value is not None:
        rows.append(["mean run", money(mean.value), Cell(interval(mean, money), "dim")])
    if month.value is not None and view.pipeline.traffic.per_day is not None:
        label = f"a month at {view.pipeline.traffic.per_day:,f} a day"
        rows.append([label, money(month.value), Cell(interval(month, money), "dim")])
    lines = [
        view.heading("Cost"),
        *lay_out([*rows, *_worst(view)], "<><", view.paint, width=view.width),
    ]
    return [*lines, *dearest_path(view)]


def _worst(view: View) -> list[Row]:
    """The dearest run beside the budget, in dollars and in tokens."""
    worst, budget = view.analysis.worst, view.pipeline.budget
    if worst is None:
        return []
    unpriced = listed([f"`{tier}`" for tier in view.analysis.unpriced])
    if unpriced:
        cost: Row = ["dearest run", "?", Cell(f"no price for {unpriced}", "unsure")]
    elif worst.cost is None:
        cost = ["dearest run", "?", Cell("nothing bounds its prompts or answers", "unsure")]
    else:
        money_limit = None if budget is None else budget.money
        note = "" if money_limit is None else f"of a budget of ${plain(money_limit)}"
        cost = ["dearest run", exact_money(worst.cost), Cell(note, "dim")]
    if worst.tokens is None:
        return [cost]
    limit = None if budget is None else budget.tokens
    note = "tokens" if limit is None else f"tokens of a budget of {limit:,}"
    return [cost, ["", count(worst.tokens), Cell(note, "dim")]]


def dearest_path(view: View) -> list[str]:
    """How the dearest run comes about, in words."""
    worst = view.analysis.worst
    if worst is None or not worst.cost or not worst.path:
        return []
    often = [(name, number) for name, number in worst.path if number > 1]
    rest = len(worst.path) - len(often)
    parts = [f"`{name}` {times(number)}" for name, number in often]
    if rest:
        others = "the other " if often else ("all " if rest > 1 else "the ")
        parts.append(f"{others}{plural(rest, 'step')} once")
    said = f"The dearest run takes {listed(parts)}, with every prompt and answer at its longest."
    return [view.paint(line, "dim") for line in wrap(said, view.width, 2)]
