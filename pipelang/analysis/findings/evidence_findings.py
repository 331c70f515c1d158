"""Findings about thresholds and their evidence files: rows of one kind only, thresholds that no row
reaches.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.model.calibration import at_threshold
from pipelang.analysis.model.model import (
    PipelineModel,
    confidence_cut,
    deciding,
    file_cuts,
    make_model,
)
from pipelang.analysis.model.parameters import point_parameters
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.walk import all_items


def evidence_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding for each file with rows of one kind, and for each test that no row passes."""
    if not program.evidence:
        return
    model = make_model(program, pipeline, point_parameters(program))
    yield from _ungraded(model)
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


def _ungraded(model: PipelineModel) -> Iterator[Diagnostic]:
    """A finding for each file that says nothing about a threshold because some rows have no
    confidence, at the first such threshold.
    """
    told: set[str] = set()
    for test, own in deciding(model.program, list(all_items(model.pipeline.block))):
        for part in expr.walk(model.expand(test)) if own is None else ():
            cut = confidence_cut(part) if isinstance(part, expr.Compare) else None
            if cut is None or cut[0] not in model.steps or model.file_of(cut[0]) is not None:
                continue
            for link in model.steps[cut[0]].chain.links:
                if isinstance(link.accuracy, MeasuredShare) and link.accuracy.file not in told:
                    told.add(link.accuracy.file)
                    yield from _rows_without(model, link.accuracy.file, part)


def _rows_without(model: PipelineModel, name: str, part: expr.Expr) -> Iterator[Diagnostic]:
    answers = model.parameters.evidence[name]
    if not answers.graded:
        return  # a file of verdicts alone claims nothing about confidences
    line = next(row.line for row in answers.file.rows if row.confidence is None)
    missing = answers.total - answers.graded
    count, have = ("1 row", "has") if missing == 1 else (f"{missing:,} rows", "have")
    yield report(codes.UNGRADED_ROWS, part.span, file=name, line=line, count=count, have=have)
