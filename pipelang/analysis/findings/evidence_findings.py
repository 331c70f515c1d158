"""Findings about thresholds and their evidence files: rows of one kind only, thresholds that no row
reaches or that are no constants.
"""

from __future__ import annotations

from collections import Counter
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
from pipelang.semantics.quantities import show_share
from pipelang.semantics.walk import all_items


def evidence_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding for each file with rows of one kind, and for each test that no row passes."""
    if not program.evidence:
        return
    model = make_model(program, pipeline, point_parameters(program))
    yield from _ungraded(model)
    yield from _by_value(model)
    lonely: set[str] = set()
    found = list(file_cuts(model, list(all_items(model.pipeline.block))))
    spans = Counter(compare.span for _, _, _, compare in found)
    for _, name, cut, compare in found:
        answers = model.parameters.evidence[name]
        seen = at_threshold(answers, cut)
        rows = seen.right + seen.wrong
        if not (seen.right and seen.wrong) and name not in lonely:
            lonely.add(name)
            kind = "wrong" if seen.right else "right"
            yield report(codes.ONE_SIDED, compare.span, file=name, count=rows, kind=kind)
        if not seen.passed:
            most, line = answers.highest()
            # A threshold by case is several cuts at one place, and other cuts may be passed.
            several = spans[compare.span] > 1
            test = f"this test at {show_share(cut[0])}" if several else "this test"
            yield report(
                codes.OUT_OF_REACH,
                compare.span,
                file=name,
                test=test,
                most=f"{most:f}",
                line=line,
            )


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


def _by_value(model: PipelineModel) -> Iterator[Diagnostic]:
    """A finding for each test that compares a confidence with evidence to what nobody can cut it
    at: a threshold that is no constant and no choice among constants.
    """
    told = {*model.conditions}
    for test, own in deciding(model.program, list(_undeclared(model))):
        for part in expr.walk(model.expand(test)):
            if not isinstance(part, expr.Compare) or part.op == "==" or part in told:
                continue
            for side, other in ((part.left, part.right), (part.right, part.left)):
                path = expr.path_of(side) or ()
                if path[1:] != ("confidence",) or path[0] not in model.steps:
                    continue
                file = own or model.file_of(path[0])
                if file is None or isinstance(other, expr.Const):
                    continue
                told.add(part)
                shown = expr.show(other)
                value = f"`{shown}`" if "`" not in shown and len(shown) < 60 else "another value"
                yield report(
                    codes.THRESHOLD_BY_VALUE, part.span, file=file, step=path[0], other=value
                )
                break


def _undeclared(model: PipelineModel) -> Iterator[p.Item]:
    """The items about whose tests as a whole nothing is declared."""
    for item in all_items(model.pipeline.block):
        declared = isinstance(item, p.Gate) and isinstance(item.evidence, p.ByRates)
        if not declared and getattr(item, "name", None) not in model.names:
            yield item


def _rows_without(model: PipelineModel, name: str, part: expr.Expr) -> Iterator[Diagnostic]:
    answers = model.parameters.evidence[name]
    if not answers.graded:
        return  # a file of verdicts alone claims nothing about confidences
    line = answers.file.columns.ungraded
    missing = answers.total - answers.graded
    count, have = ("1 row", "has") if missing == 1 else (f"{missing:,} rows", "have")
    yield report(codes.UNGRADED_ROWS, part.span, file=name, line=line, count=count, have=have)
