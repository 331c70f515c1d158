"""The sentence on all that a report takes for granted, and on how much it could matter."""

from __future__ import annotations

import os

from pipelang.analysis.metrics.baseline_cost import asks_models
from pipelang.analysis.metrics.sensitivity import Sensitivity
from pipelang.analysis.model.parameters import BINS
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.hard import depends_on_hardness
from pipelang.semantics.metrics import ESCALATION, FAILURE, REJECTION, SILENT_ERROR, SUCCESS

SMALL = 0.0005
"""A change of less than a tenth of a point is none."""


def granted(view: View) -> str:
    """The sentence; empty where no model is asked, or where nothing is known of the outcomes."""
    if view.value(SUCCESS) is None or not asks_models(view.program, view.pipeline):
        return ""
    cases = "no case is harder than another"
    if depends_on_hardness(view.program, view.pipeline):
        cases = "cases are independent but for being hard"
    parts = [cases, *_evidence(view), "no outage outlasts a run"]
    said = f"taken for granted: {listed(parts)}"
    supposed = view.analysis.sensitivity
    return said if supposed is None else f"{said}; {_what_it_matters(view, supposed)}"


def _evidence(view: View) -> list[str]:
    """Whether figures are of what is asked today, as far as the files say so."""
    files = [name for name in view.program.evidence if _used(view, name)]
    if not files:
        declared = Basis.ASSUMED in view.analysis.bases.values()
        return ["what was declared is so"] if declared else []
    silent = [name for name in files if not _says(view, name)]
    if not silent:
        return ["evidence is of the prompts and models that it says"]
    folder = os.path.dirname(view.program.file)
    shown = [f"`{name.removeprefix(folder + '/')}`" for name in silent]
    if len(shown) > 2:
        return [f"{len(shown)} files that don't say of what they are evidence are of what is asked"]
    are, does = ("is", "doesn't say so") if len(shown) == 1 else ("are", "don't say so")
    return [f"{listed(shown)} {are} of what is asked today ({does})"]


def _used(view: View, file: str) -> bool:
    return file in view.analysis.bases or file + BINS in view.analysis.bases


def _says(view: View, file: str) -> bool:
    """Whether all rows of a file say which prompt and model they are of."""
    found = view.program.evidence[file]
    told = sum(one.count for one in found.origins if one.prompt and one.model)
    return told == len(found.rows)


def _what_it_matters(view: View, supposed: Sensitivity) -> str:
    """The points by which hard cases that nobody declared could move the outcomes."""
    moved = []
    for name, words in ENDS.items():
        now, then = view.value(name), supposed.outcomes[name].value
        if now is None or then is None or abs(then - now) < SMALL:
            continue
        points = f"{100 * abs(then - now):.1f} points"
        moved.append(f"{points} {'more' if then > now else 'fewer'} {words}")
    what = listed(moved) if moved else "no outcome would move by 0.1 points"
    return (
        f"if one case in {round(1 / supposed.hard)} were hard, and models {supposed.times} times as"
        f" often wrong there, {what}"
    )


ENDS = {
    SUCCESS: "would be answered right",
    SILENT_ERROR: "answered wrong",
    ESCALATION: "handed over",
    REJECTION: "rejected",
    FAILURE: "failed",
}
