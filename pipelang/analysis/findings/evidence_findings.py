"""What thresholds cannot learn from their evidence file: rows of one kind only, none that pass."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.model.calibration import at_threshold
from pipelang.analysis.model.model import file_cuts, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.walk import all_items


def evidence_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding for each file with rows of one kind, and for each test that no row passes."""
    if not program.evidence:
        return
    model = make_model(program, pipeline, Parameters(program.evidence, lambda site: 0.5))
    lonely: set[str] = set()
    for _, name, cut, compare in file_cuts(model, list(all_items(model.pipeline.block))):
        file = program.evidence[name]
        seen = at_threshold(file, cut)
        rows = seen.right + seen.wrong
        if not (seen.right and seen.wrong) and name not in lonely:
            lonely.add(name)
            kind = "wrong" if seen.right else "right"
            yield report(codes.ONE_SIDED, compare.span, file=name, count=rows, kind=kind)
        if not seen.passed:
            most, line = _highest(file)
            yield report(codes.OUT_OF_REACH, compare.span, file=name, most=most, line=line)


def _highest(file: EvidenceFile) -> tuple[str, int]:
    """The highest confidence, and the first line that has it."""
    graded = [(row.confidence, -row.line) for row in file.rows if row.confidence is not None]
    most, line = max(graded)
    return f"{most:f}", -line
