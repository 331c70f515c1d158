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
from pipelang.semantics.metrics import ESCALATION, SILENT_ERROR, SUCCESS

SMALL = 0.0005
"""A change of less than a tenth of a point is none."""


def granted(view: View) -> str:
    """The sentence; empty where no model is asked, or where nothing is known of the outcomes."""
    if view.value(SUCCESS) is None or not asks_models(view.program, view.pipeline):
        return ""
    cases = "no case is harder"
    if depends_on_hardness(view.program, view.pipeline):
        cases = "cases are alike but for being hard"
    parts = [cases, *_evidence(view), "no outage outlasts a run"]
    said = f"taken for granted: {listed(parts)}"
    supposed = view.analysis.sensitivity
    return said if supposed is None else f"{said}; {_what_it_matters(view, supposed)}"


def _evidence(view: View) -> list[str]:
    """Whether figures are of what is asked today, as far as the files say so."""
    files = [name for name in view.program.evidence if _used(view, name)]
    if not files:
        declared = Basis.ASSUMED in view.analysis.bases.values()
        return ["what is declared holds"] if declared else []
    silent = [name for name in files if not _says(view, name)]
    if not silent:
        return ["evidence holds"]
    if len(silent) > 1:
        return [f"{len(silent)} files without origin hold"]
    folder = os.path.dirname(view.program.file)
    return [f"`{silent[0].removeprefix(folder + '/')}` holds (it has no origin)"]


def _used(view: View, file: str) -> bool:
    return file in view.analysis.bases or file + BINS in view.analysis.bases


def _says(view: View, file: str) -> bool:
    """Whether all rows of a file say which prompt and model they are of."""
    found = view.program.evidence[file]
    told = sum(one.count for one in found.origins if one.prompt and one.model)
    return told == len(found.rows)


def _what_it_matters(view: View, supposed: Sensitivity) -> str:
    """The points by which hard cases that nobody declared could move the outcomes."""
    moved: list[str] = []
    for name, words in ENDS.items():
        now, then = view.value(name), supposed.outcomes[name].value
        if now is None or then is None or abs(then - now) < SMALL:
            continue
        points = f"{100 * (then - now):+.1f}".replace("-", "−")
        moved.append(f"{points}{'' if moved else ' points'} {words}")
    what = ", ".join(moved) if moved else "nothing would move by 0.1 points"
    share = round(1 / supposed.hard)
    return f"were 1 in {share} hard (models {supposed.times} times as wrong): {what}"


ENDS = {SUCCESS: "right", SILENT_ERROR: "wrong", ESCALATION: "to people"}
