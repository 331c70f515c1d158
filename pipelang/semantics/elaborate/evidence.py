"""The evidence of gates: declared rates, a file, or the file of the step whose confidence is read."""

from __future__ import annotations

from pipelang.diagnostics import codes
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.chance import Undeclared
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.rates import chance, evidence_file, no_duplicates
from pipelang.semantics.elaborate.world import pick
from pipelang.syntax import ast


def gate_evidence(
    context: Context, file: str, pipeline: str, gate: ast.Gate, test: ir.Expr
) -> p.TestEvidence | None:
    """What a gate's own braces say. A step's file is taken later, by `inherited`."""
    options = gate.evidence
    no_duplicates(context, options)
    owner = f"{pipeline}.{gate.name.text}"
    measured = pick(options, ast.Evidence)
    catches, alarms = pick(options, ast.Catches), pick(options, ast.FalseAlarms)
    if measured is not None:
        if catches is not None or alarms is not None:
            context.tell(
                codes.CONTRADICTION,
                measured.span,
                what="a gate has rates or a file as its evidence, not both",
            )
        path = evidence_file(context, file, measured.path)
        if path is None:
            return None
        if not confidences(test):
            context.tell(
                codes.CONTRADICTION,
                measured.span,
                what=f"`{gate.name.text}` compares no confidence, so a file says nothing about it",
                help="compare `STEP.confidence` with a constant, or declare `catches`",
            )
            return None
        missing = next((row for row in context.evidence[path].rows if row.confidence is None), None)
        if missing is not None:
            context.tell(
                codes.BAD_FILE,
                measured.span,
                path=path,
                line=missing.line,
                why="a gate's evidence needs a `confidence` in every row",
            )
            return None
        return p.ByFile(path)
    if catches is None and alarms is None:
        return None
    return p.ByRates(
        chance(context, file, catches.rate, f"{owner}.catches")
        if catches
        else Undeclared(f"{owner}.catches"),
        chance(context, file, alarms.rate, f"{owner}.false_alarms")
        if alarms
        else Undeclared(f"{owner}.false_alarms"),
    )


def confidences(test: ir.Expr) -> list[ir.Compare]:
    """The comparisons of `STEP.confidence` with a constant or setting."""
    return [
        part
        for part in ir.walk(test)
        if isinstance(part, ir.Compare) and confidence_step(part) is not None
    ]


def confidence_step(compare: ir.Compare) -> str | None:
    """The step whose confidence is compared with a constant; None if it is something else."""
    for side, other in ((compare.left, compare.right), (compare.right, compare.left)):
        path = ir.path_of(side)
        if path is not None and len(path) == 2 and path[1] == "confidence":
            if isinstance(other, ir.Const):
                return path[0]
    return None
