"""The section `What to fix first`: changes with their effect, as the checked result has them."""

from __future__ import annotations

from pipelang.analysis.advice.advise import Advice
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import money, of_metric, percent
from pipelang.interfaces.text.table import Cell, Row, by_row, lay_out
from pipelang.semantics.metrics import SILENT_ERROR, SUCCESS

HARDLY = 0.00005
"""Of a share: a change that does less is not worth a line of a short list."""


def advice(view: View, legend: bool = True) -> list[str]:
    """A row a change, the one that buys most first; nothing where none helps."""
    if view.advice is None:
        return []
    found = [one for one in view.advice.changes if not _hardly(one)]
    if not found:
        return []
    goal = view.advice.goal
    rows: list[Row] = [
        [
            Cell("✓", "good") if one.reaches else "",
            one.change.words,
            f"{one.metric} {said(one.metric, one.before, one.after)}",
            _beside(one),
            Cell(_cost(one), "dim"),
        ]
        for one in found
    ]
    note = (
        "" if goal is None else f"towards {goal.line.metric} {goal.line.op} {goal.line.target_text}"
    )
    lines = lay_out(rows, "<<<<<", view.paint, width=view.width, whole=True)
    if len(lines) > len(rows):  # some row is folded
        lines = _in_two(rows, view)
    after = [*_roots(found), *([_legend(found, goal is not None)] if legend else [])]
    return [
        view.heading("What to fix first", note),
        *lines,
        *(view.paint(line, "dim") for text in after if text for line in wrap(text, view.width, 2)),
    ]


def _roots(found: list[Advice]) -> list[str]:
    """The effect of changes of a sub-pipeline on the other pipelines that run it."""
    told = []
    for one in found:
        for root, moved in one.roots.items():
            shown = [
                f"{name} {said(name, before, after)}"
                for name, (before, after) in moved.items()
                if name in (SUCCESS, SILENT_ERROR) and abs(after - before) >= HARDLY
            ]
            if shown:
                told.append(f"{one.change.words} also moves `{root}`: {', '.join(shown)}.")
    return told


def _in_two(rows: list[Row], view: View) -> list[str]:
    """The rows with what is changed on a line above what it does."""
    figures = by_row([["  ", *row[2:]] for row in rows], "<<<<", view.paint, width=view.width)
    lines = []
    for row, below in zip(rows, figures, strict=True):
        lines += [*lay_out([row[:2]], "<<", view.paint, width=view.width, whole=True), *below]
    return lines


def said(metric: str, before: float, after: float) -> str:
    """`3.1% → 1.9%`, with enough digits to tell the two apart."""
    show = of_metric(metric)
    if show not in (percent, money):
        return f"{show(before)} → {show(after)}"
    exact = percent if show is percent else money
    least = 1 if show is percent else 2
    told = (digits for digits in range(least, 6) if exact(before, digits) != exact(after, digits))
    digits = next(told, least)
    return f"{exact(before, digits)} → {exact(after, digits)}"


def _hardly(one: Advice) -> bool:
    return of_metric(one.metric) is percent and abs(one.after - one.before) < HARDLY


def _cost(one: Advice) -> str:
    """By how much a mean run gets dearer or cheaper, where that shows."""
    delta = one.cost_delta
    if delta is None:
        return "cost unknown"
    if abs(delta) < 5e-7:
        return ""
    return f"cost {'+' if delta > 0 else '−'}{money(abs(delta))}"


def _beside(one: Advice) -> Cell:
    """The effect of a change on the other one of success and silent error."""
    for metric in (SILENT_ERROR, SUCCESS):
        before, after = one.figures[metric]
        if metric != one.metric and abs(after - before) >= HARDLY:
            worse = (after < before) == (metric == SUCCESS)
            return Cell(f"{metric} {said(metric, before, after)}", "unsure" if worse else "dim")
    return Cell("")


def _legend(found: list[Advice], goal: bool) -> str:
    measured = any(not one.change.edits for one in found)
    text = "Each was made, and the pipeline worked out again with it"
    text += "; ✓ reaches the promise." if goal and any(one.reaches for one in found) else "."
    if measured:
        text += " What an evidence file says has to be measured anew."
    return text
