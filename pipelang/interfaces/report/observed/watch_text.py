"""The state of watched lines as text."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.text.colours import Paint
from pipelang.interfaces.text.number_format import of_metric, percent, spread
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.interfaces.watching.alerts import alert_words, needs_words
from pipelang.interfaces.watching.evaluation import LineState, LineStatus
from pipelang.semantics.watched.line_measures import LineMeasure

_STYLES = {
    LineState.QUIET: "good",
    LineState.ALERT: "bad",
    LineState.RECOVERED: "good",
    LineState.WAITING: "unsure",
    LineState.UNMEASURED: "unsure",
}


def watch_text(
    pipeline: str, statuses: Sequence[LineStatus], where: str, paint: Paint, width: int
) -> str:
    """The lines of a pipeline, with what is told of alerts below them; ends with a line feed."""
    note = "" if not any(one.watched.is_default for one in statuses) else ", by default"
    lines = [f"{paint(pipeline, 'title')}  watched{note} in {where}"]
    rows: list[Row] = [[Cell(text, "dim") for text in ("line", "", "now", "95% interval", "")]]
    rows += [watch_row(one) for one in statuses]
    lines += lay_out(rows, "<<>><", paint, width=width, whole=True)
    for one in statuses:
        if one.state not in (LineState.ALERT, LineState.RECOVERED):
            continue
        style = _STYLES[one.state]
        lines += [paint(line, style) for line in wrap(alert_words(one), width, 2)]
        for change in (one.alert or {}).get("changed", ()):
            if one.state is LineState.ALERT:
                lines += wrap(change, width, 4)
    return "\n".join(lines) + "\n"


def watch_row(one: LineStatus) -> Row:
    """A watched line: itself, its state, what is observed with its interval, a note."""
    quantile = one.watched.measure in (LineMeasure.QUANTILE, LineMeasure.WORST)
    show = percent if quantile else of_metric(one.watched.line.metric)
    value = "" if one.value is None else show(one.value)
    between = ""
    if one.low is not None and one.high is not None and isfinite(one.high):
        between = spread(max(0.0, one.low), one.high, show)
    note = one.note or needs_words(one.days, one.changed_to, quantile)
    if quantile and value:
        value += " beyond"
    return [one.watched.line.text, Cell(one.state.value, _STYLES[one.state]), value, between, note]
