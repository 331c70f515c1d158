"""The section for undeclared figures: results that some assumed accuracies would give."""

from __future__ import annotations

from math import ceil

from pipelang.analysis.advice.what_if import RequiredAccuracy, WhatIf
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.sections.undeclared import place_of
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed, percent, spread, value
from pipelang.interfaces.text.table import Row, lay_out

MOST_NAMED = 3


def conjecture(view: View) -> list[str]:
    """Success at assumed accuracies, the accuracy that promises need, unknowns to declare first."""
    found = None if view.advice is None else view.advice.what_if
    if found is None or not (found.rows or found.widening):
        return []
    rows: list[Row] = [
        [
            f"{row.accuracy:.0%}",
            f"answered right {value(row.success, percent)}",
            f"answered wrong {value(row.silent_error, percent)}",
        ]
        for row in found.rows
    ]
    lines = []
    if rows:
        lines.append(view.heading("If every undeclared step is right this often"))
        lines += lay_out(rows, "><<", view.paint, width=view.width, whole=True)
    else:
        lines.append(view.heading("What would tell most"))
    for text in (*map(_needed, found.needs), _widest(view, found), _hint(found)):
        lines += wrap(text, view.width, 2) if text else []
    return lines


def _needed(need: RequiredAccuracy) -> str:
    line = need.line
    promise = f"`{line.metric} {line.op} {line.target_text}`"
    best = ", with all else that is undeclared at its best" if need.at_best else ""
    if need.accuracy is None:
        return f"{promise} cannot be reached, even if each of them is always right{best}."
    least = ceil(need.accuracy * 1000 - 1e-6) / 1000
    return f"{promise} needs at least {percent(least)} of each{best}."


def _widest(view: View, found: WhatIf) -> str:
    """The unknowns to declare first."""
    places: dict[str, str] = {}
    for one in found.widening:
        # Several parameters may be of one figure, as the turns of an agent are.
        places.setdefault(place_of(view, one.site), spread(one.low, one.high, percent))
    named = [f"{place} ({effect})" for place, effect in places.items()][:MOST_NAMED]
    if not named:
        return ""
    these = "this" if len(named) == 1 else "these"
    return f"How often it is right hangs most on {listed(named)}: declare {these} first."


def _hint(found: WhatIf) -> str:
    return "`--assume accuracy=95%` works all of it out as if so." if found.rows else ""
