"""The section on evidence: which numbers were counted or measured, declared, or are bounds."""

from __future__ import annotations

import os
import re

from pipelang.analysis.model.calibration import calibration
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.parameters import BINS, without_limit
from pipelang.analysis.model.posterior import DRAWS
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed, percent, plural
from pipelang.interfaces.text.table import labelled
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import with_inner
from pipelang.semantics.metrics import COST_MEAN

_PLACE = re.compile(
    r"^(?P<name>.*?(?:@\d+\.\w+(?: if hard)?)?)@(?P<file>.+):(?P<at>\d+)$", re.DOTALL
)
_LINK = re.compile(r"\[(?P<index>\d+)\]@\d+")


def basis(view: View) -> list[str]:
    """The sources of the numbers, the weakest last."""
    parts = basis_parts(view)
    if not parts:
        return []
    head = view.heading("What the numbers rest on")
    return [head, *labelled(parts, view.paint, width=view.width, label="")]


def basis_parts(view: View) -> list[tuple[str, str]]:
    """A word for each kind of ground, and what stands on it."""
    analysis = view.analysis
    parts = []
    if analysis.counts:
        counted = [
            f"{_short(site, view)} ({good:,} of {total:,})"
            for site, (good, total) in analysis.counts.items()
        ]
        parts.append(("counted", listed(counted)))
    parts += _drift(view)
    parts += _calibration(view)
    assumed = [site for site, kind in analysis.bases.items() if kind is Basis.ASSUMED]
    if assumed:
        said = f"{plural(len(assumed), 'figure')} that somebody wrote down and nobody has measured"
        said += " (listed below)" if view.verbose else " (--verbose names them)"
        parts.append(("assumed", said))
    mean = view.number(COST_MEAN)
    if mean.basis is Basis.BOUND and mean.value:
        parts.append(("bounds", "costs: a length that nobody declared counts as its maximum"))
    if analysis.unknown:
        parts.append(("unknown", plural(analysis.undeclared, "figure") + " that nobody declared"))
    runs = [*with_inner(view.program, view.pipeline)]
    broken = [one.name for one in runs if one.breaker is not None]
    if broken:
        breakers = "the breaker of" if len(broken) == 1 else "the breakers of"
        were = "was" if len(broken) == 1 else "were"
        names = listed([f"`{name}`" for name in broken])
        parts.append(("breakers", f"{breakers} {names} {were} taken as closed"))
    quotas = [f"`{one.name}`" for one in runs if one.quota is not None]
    if quotas:
        said = "the quota of" if len(quotas) == 1 else "the quotas of"
        were = "was" if len(quotas) == 1 else "were"
        parts.append(("quotas", f"{said} {listed(quotas)} {were} taken as never spent"))
    if not parts or parts[0][0] == "unknown":
        return []
    fewer = f" (by {analysis.draws:,} draws, not {DRAWS:,})" if 0 < analysis.draws < DRAWS else ""
    if analysis.counts and not analysis.unknown:
        parts.append(("ranges", f"95% intervals: how much the counts leave open{fewer}"))
    elif analysis.counts and fewer:
        parts.append(("ranges", f"the widest 95% interval over what nobody declared{fewer}"))
    return parts


def _drift(view: View) -> list[tuple[str, str]]:
    """By how much what was measured may be off, file by file."""
    shifts: dict[str, float] = {}
    for site, shift in view.analysis.shifts.items():
        file = site.removesuffix(BINS)
        if file in view.program.evidence:
            shifts[file] = max(shifts.get(file, 0.0), shift)
    said = [f"{_short(file, view)} {percent(shift)}" for file, shift in shifts.items()]
    if not said:
        return []
    return [("shift", f"{listed(said)}, either way: as declared, in ranges and in no value")]


def _calibration(view: View) -> list[tuple[str, str]]:
    """Calibration of the confidences that are compared with thresholds."""
    said = []
    for name, answers in EvidenceTable(view.program.evidence).items():
        if f"{name}:bins" in view.analysis.bases:
            error = calibration(answers).ece
            if error is not None:
                said.append(f"{_short(name, view)} {percent(error)}")
    if not said:
        return []
    words = f"mean gap of confidence to accuracy (ECE): {listed(said)}"
    plain = (
        "scored on the rows of the evidence themselves; what was chosen on them flatters itself: "
        "`pipelang tune` scores it on rows that did not choose it"
    )
    return [
        ("calibration", f"{words}; `pipelang evidence show` draws it"),
        ("thresholds", plain),
    ]


def _short(site: str, view: View) -> str:
    """A parameter's name; files as they are written, beside the `.pipe` file."""
    name = site_name(site, view.pipeline.name)
    return name.removeprefix(os.path.dirname(view.program.file) + "/")


def parsed(site: str) -> tuple[str, int] | None:
    """The file and the place in it where a parameter was written down; None if nobody did."""
    found = _PLACE.match(site)
    return None if found is None else (found["file"], int(found["at"]))


def site_name(site: str, pipeline: str) -> str:
    """A parameter in words: `reply recovers`, `reply accuracy (else 1)`, `kind.dispute`."""
    found = _PLACE.match(site)
    name = found["name"] if found else site
    link = _LINK.search(name)
    name = _LINK.sub("", name).removeprefix(f"{pipeline}.").removeprefix(f"{pipeline}:")
    owner, dot, word = name.rpartition(".")
    if dot and word.removesuffix(IF_HARD) in WORDS and "/" not in owner:
        name = f"{without_limit(owner)} {word}"
    return f"{name} (else {link['index']})" if link and link["index"] != "0" else name


IF_HARD = " if hard"

WORDS = frozenset(
    "accuracy available catches correlation false_alarms hits recovers responds".split()
    + "succeeds transient".split()
)
"""The options that declare a share, as they are written."""
