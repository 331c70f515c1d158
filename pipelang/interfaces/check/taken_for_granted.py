"""Assumptions that a prediction stands on, in words: of the cases, the evidence, the outages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.baseline_cost import asks_models
from pipelang.analysis.model.parameters import BINS
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.hard import depends_on_hardness

if TYPE_CHECKING:
    from pipelang.semantics.evidence_rows import EvidenceOrigin


def taken_for_granted(program: p.Program, analysis: Analysis) -> list[str]:
    """The assumptions; none where no model is asked."""
    if not asks_models(program, analysis.pipeline):
        return []
    cases = "no case is harder"
    if depends_on_hardness(program, analysis.pipeline):
        cases = "cases are alike but for being hard"
    return [cases, *_evidence(program, analysis), "no outage outlasts a run"]


def _evidence(program: p.Program, analysis: Analysis) -> list[str]:
    """Whether figures are of what is asked today, as far as the files say so."""
    files = [name for name in program.evidence if _used(analysis, name)]
    if not files:
        declared = Basis.ASSUMED in analysis.bases.values()
        counted = Basis.MEASURED in analysis.bases.values()
        return ["what is declared holds"] if declared or counted else []
    silent = {name: rows for name in files if (rows := _silent(program, name)) > 0}
    if not silent:
        return ["evidence holds"]
    partly = any(rows < len(program.evidence[name].rows) for name, rows in silent.items())
    if len(silent) > 1:
        return [f"{len(silent)} files {'with rows ' if partly else ''}without origin hold"]
    ((file, rows),) = silent.items()
    why = "it has no origin"
    if partly:
        have = "has" if rows == 1 else "have"
        why = f"{rows:,} of {len(program.evidence[file].rows):,} rows {have} no origin"
    return [f"`{file.removeprefix(os.path.dirname(program.file) + '/')}` holds ({why})"]


def _used(analysis: Analysis, file: str) -> bool:
    return file in analysis.bases or file + BINS in analysis.bases


def _silent(program: p.Program, file: str) -> int:
    """The rows of a file that do not say of which prompt and model they are, as far as what they
    are evidence for has any: a tool has neither, people answer a prompt and are no model.
    """
    from pipelang.analysis.findings.evidence_uses import evidence_uses

    found = program.evidence[file]
    uses = [
        use
        for pipeline in program.pipelines.values()
        for use in evidence_uses(program, pipeline)
        if use.file == file
    ]
    prompt = any(use.prompts for use in uses)
    model = any(use.models(program) for use in uses)
    told = sum(
        one.count
        for one in found.origins
        if (one.prompt or not prompt) and (one.model or not model) and any(_said(one))
    )
    return len(found.rows) - told


def _said(origin: EvidenceOrigin) -> tuple[str | None, ...]:
    """The words of rows about where they come from."""
    return origin.prompt, origin.model, origin.as_of
