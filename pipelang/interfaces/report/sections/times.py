"""The section on time: machine time, and turnaround where a run waits for people."""

from __future__ import annotations

from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed, value
from pipelang.interfaces.text.table import Cell, Row, lay_out
from pipelang.semantics.metrics import LATENCY, QUANTILES, TURNAROUND, WORST
from pipelang.semantics.quantities import show_seconds

_HEAD = ("", "mean", "50% under", "95% under", "99% under", "at most")


def times(view: View) -> list[str]:
    """A row for machine time, and one with people where that differs; what most of it goes by."""
    rows = time_rows(view)
    if not rows:
        return []
    lines = lay_out(rows, "<>>>>>", view.paint, width=view.width, whole=True)
    said = most_time(view)
    more = [view.paint(line, "dim") for line in wrap(said, view.width, 2)] if said else []
    return [view.heading("Time"), *lines, *more]


def time_rows(view: View) -> list[Row]:
    """A head, machine time, and time with people where that differs."""
    machine, whole = _clocks(view, LATENCY), _clocks(view, TURNAROUND)
    if all(number.high == 0 for number in whole):
        return []
    rows: list[Row] = [[Cell(text, "dim") for text in _HEAD]]
    rows.append(["machine", *map(_shown, machine)])
    if whole != machine:
        rows.append(["with people", *map(_shown, whole)])
    return rows


def _clocks(view: View, metric: str) -> list[Number]:
    """The figures of a clock. Quantiles are good to 1%, so that a bound on one may be above the
    longest run there is; that one is exact.
    """
    found = [view.number(f"{metric}.{read}") for read in QUANTILES]
    most = found[-1].high
    if most is None:
        return found
    return [
        number._replace(high=most)
        if number.value is None and number.high is not None and number.high > most
        else number
        for number in found
    ]


def _shown(number: Number) -> Cell | str:
    if number.value is None and number.high is None:
        if number.low:
            return Cell(f"≥ {show_seconds(number.low)}", "unsure")
        return Cell("?", "unsure")
    return value(number, show_seconds)


def most_time(view: View) -> str:
    """The steps that most of the time is spent in, and the limit that ends runs early."""
    people = _clocks(view, LATENCY) != _clocks(view, TURNAROUND)
    said = []
    for name, words in ((LATENCY, "machine time"), (TURNAROUND, "time with people")):
        path = view.analysis.critical.get(name, ())
        if path and (people or name == LATENCY):
            said.append(f"most of the {words} is spent in {listed([f'`{step}`' for step in path])}")
    limit = cut_after(view)
    ended = f"The budget ends a run after {limit} of machine time; these are times without it."
    if not said:
        return ended if limit else ""
    text = f"{said[0][0].upper()}{'; '.join(said)[1:]}."
    if limit:
        text += f" {ended}"
    if any(not view.number(f"{LATENCY}.{read}").tight for read in QUANTILES[:-1]):
        text += " These are upper bounds: more runs side by side than they take into account."
    return text


def cut_after(view: View) -> str:
    """The time limit of the pipeline's budget, in words, where the longest run would pass it: times
    are those of runs without cuts. Empty where it would not.
    """
    budget, longest = view.pipeline.budget, view.number(f"{LATENCY}.{WORST}")
    if budget is None or budget.seconds is None:
        return ""
    inside = longest.high is not None and longest.high <= float(budget.seconds)
    return "" if inside else show_seconds(float(budget.seconds))
