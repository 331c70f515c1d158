"""The sentence on all that a report takes for granted, and on how much it could matter."""

from __future__ import annotations

from pipelang.analysis.metrics.sensitivity import Sensitivity
from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.check.taken_for_granted import taken_for_granted
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed
from pipelang.semantics.metrics import ESCALATION, SILENT_ERROR, SUCCESS

SMALL = 0.0005
"""A change of less than a tenth of a point is none."""


def granted(view: View) -> str:
    """The sentence; empty where no model is asked."""
    parts = taken_for_granted(view.program, view.analysis)
    if not parts:
        return ""
    said = f"taken for granted: {listed(parts)}"
    supposed = view.analysis.sensitivity
    return said if supposed is None else f"{said}; {_what_it_matters(view, supposed)}"


def _what_it_matters(view: View, supposed: Sensitivity) -> str:
    """The points by which hard cases that nobody declared could move the outcomes."""
    moved: list[str] = []
    for name, words in ENDS.items():
        points = _points(supposed.changes[name])
        if points:
            moved.append(f"{points}{'' if moved else ' points'} {words}")
    what = ", ".join(moved) if moved else "nothing would move by 0.1 points"
    share = round(1 / supposed.hard)
    whole = ", without cuts" if view.analysis.cut is not None else ""
    return f"were 1 in {share} hard (models {supposed.times} times as wrong{whole}): {what}"


def _points(change: Number) -> str:
    """A change in points, or the range of one; nothing where it is small whatever it is."""
    low, high = change.low or 0.0, change.high or 0.0
    if max(-low, high) < SMALL:
        return ""
    ends = [f"{100 * end:+.1f}".replace("-", "−") for end in (low, high)]
    ends = ["0" if end[1:] == "0.0" else end for end in ends]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


ENDS = {SUCCESS: "right", SILENT_ERROR: "wrong", ESCALATION: "to people"}
