"""The lines of `slo`: met or not, how sure that is, and the figure behind it."""

from __future__ import annotations

from pipelang.analysis.metrics.objectives import UNANSWERED, UNFINISHED, ObjectiveVerdict
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import (
    Show,
    against,
    interval,
    of_metric,
    percent,
    value,
)
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import WORST

_MARKS = {True: Cell("✓", "good"), False: Cell("✗", "bad"), None: Cell("?", "unsure")}


def promises(view: View) -> list[str]:
    """A row a promise; none if the pipeline promises nothing."""
    if not view.analysis.slo:
        return [
            view.heading("Promises (slo)"),
            view.paint("  none: an `slo` block says what must hold, and `check` proves it", "dim"),
        ]
    lines = lay_out(promise_rows(view), "<<<>><", view.paint, width=view.width, whole=True)
    return [view.heading("Promises (slo)"), *lines]


def promise_rows(view: View) -> list[Row]:
    """Mark, metric, target, figure, interval, how sure."""
    rows: list[Row] = []
    for verdict in view.analysis.slo:
        line, show = verdict.line, of_metric(verdict.line.metric)
        metric = line.metric if line.when is None else f"{line.metric} when {line.when}"
        rows.append(
            [
                _MARKS[verdict.holds],
                metric,
                f"{line.op} {line.target_text}",
                _value(verdict, show),
                Cell(_interval(verdict, show), "dim"),
                _sure(verdict, view),
            ]
        )
    return rows


def _value(verdict: ObjectiveVerdict, show: Show) -> str:
    number = verdict.number
    if number is None or (number.value is None and number.low is None):
        return "–"
    if number.value is None:
        return value(number, show)
    if show is percent:
        return against(number.value, float(verdict.line.target))
    return show(number.value)


def _interval(verdict: ObjectiveVerdict, show: Show) -> str:
    return "" if verdict.number is None else interval(verdict.number, show)


def _sure(verdict: ObjectiveVerdict, view: View) -> str:
    """The probability of the verdict, in words."""
    number, chance = verdict.number, verdict.probability
    if verdict.holds is None:
        if verdict.number is not None and verdict.cut:
            return "undecided: the budget may cut runs short"
        if verdict.line.when is not None and number is None:
            return f"undecided: {verdict.why}"
        if verdict.why == UNANSWERED:
            return "undecided: no run is answered"
        if number is None or (number.value is None and number.low is None):
            return "undecided: not worked out yet"
        if verdict.why == UNFINISHED:
            return f"undecided: {verdict.why}"
        if number.value is None:
            return "undecided until more is declared"
        return f"undecided: {verdict.why}"
    word = "met" if verdict.holds else "missed"
    if number is not None and number.low is not None and number.low == number.high:
        if number.basis is Basis.BOUND and not verdict.holds:
            worst = verdict.line.metric.endswith(f".{WORST}")
            return f"{word}, at {'the greatest' if worst else 'any'} lengths"
        return f"{word}, {_GROUND[number.basis]}"
    if chance is None:
        return word
    sure = chance if verdict.holds else 1 - chance
    if number is not None and number.value is None:
        if chance is not None and 0.0 < chance < 1.0:
            return f"{word}, {_how_sure(chance if verdict.holds else 1 - chance)}"
        if view.analysis.cut is not None and not view.analysis.unknown:
            return f"{word}, whatever runs spend"
        return f"{word}, whatever is undeclared"
    return f"{word}, {_how_sure(sure)}"


def _how_sure(sure: float) -> str:
    return "more than 99.9% sure" if sure > 0.999 else f"{percent(sure)} sure"


_GROUND = {
    Basis.EXACT: "for certain",
    Basis.MEASURED: "as measured",
    Basis.ASSUMED: "if the declared figures hold",
    Basis.BOUND: "even at the greatest lengths",
    Basis.UNKNOWN: "whatever is undeclared",
}
