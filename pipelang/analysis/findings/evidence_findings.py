"""Findings about thresholds and their evidence files: rows of one kind only, thresholds that no row
reaches.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.model.calibration import at_threshold
from pipelang.analysis.model.model import file_cuts, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items


def evidence_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding for each file with rows of one kind, and for each test that no row passes."""
    if not program.evidence:
        return
    model = make_model(program, pipeline, point_parameters(program))
    lonely: set[str] = set()
    for _, name, cut, compare in file_cuts(model, list(all_items(model.pipeline.block))):
        answers = model.parameters.evidence[name]
        seen = at_threshold(answers, cut)
        rows = seen.right + seen.wrong
        if not (seen.right and seen.wrong) and name not in lonely:
            lonely.add(name)
            kind = "wrong" if seen.right else "right"
            yield report(codes.ONE_SIDED, compare.span, file=name, count=rows, kind=kind)
        if not seen.passed:
            most, line = answers.highest()
            yield report(codes.OUT_OF_REACH, compare.span, file=name, most=f"{most:f}", line=line)
