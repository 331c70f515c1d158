"""The evidence of gates: declared rates, or a file of answers with their confidence."""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.diagnostics import codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, Undeclared
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.options.options import no_duplicates, pick
from pipelang.semantics.elaborate.options.rates import chance, evidence_file, shift
from pipelang.syntax import ast


def gate_evidence(
    context: Context,
    scope: Scope,
    pipeline: str,
    gate: ast.Gate,
    test: expr.Expr,
    lets: Mapping[str, expr.Expr],
) -> p.TestEvidence | None:
    """The evidence in the braces of a gate; that of a step's file is added by the analysis."""
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
                help="keep the file: it was measured",
            )
        return _file(context, scope, gate, measured, expr.substitute(test, opened(lets)))
    if catches is None and alarms is None:
        return None

    def rate(option: ast.Catches | ast.FalseAlarms | None, word: str) -> Chance:
        name = f"{owner}.{word}"
        if option is None:
            return Undeclared(name)
        return chance(context, scope, option.rate, name, word)

    return p.ByRates(rate(catches, "catches"), rate(alarms, "false_alarms"))


def _file(
    context: Context, scope: Scope, gate: ast.Gate, measured: ast.Evidence, test: expr.Expr
) -> p.ByFile | None:
    path = evidence_file(context, scope.file, measured.path)
    drift = shift(context, scope, measured.shift)
    if path is None:
        return None
    steps = {confidence_step(compare) for compare in confidences(test)}
    if len(steps) != 1:
        found = "no confidence" if not steps else "more than one confidence"
        help = "compare one `STEP.confidence` with a constant, or declare `catches`"
        if not steps and any(map(_is_confidence, expr.walk(test))):
            found = "a confidence with what is no literal, setting or choice among such"
            help = "make it a literal, a setting, or a `match` or `if` whose arms are such,"
            help += " or declare `catches` and `false_alarms`"
        context.tell(
            codes.CONTRADICTION,
            measured.span,
            what=f"`{gate.name.text}` compares {found}, so a file says nothing about it",
            help=help,
        )
        return None
    missing = context.evidence[path].columns.ungraded
    if missing is not None:
        why = "a gate's evidence needs a `confidence` in every row"
        context.tell(codes.BAD_FILE, measured.span, path=path, line=missing, why=why)
        return None
    return p.ByFile(path, drift)


def _is_confidence(node: expr.Expr) -> bool:
    path = expr.place_of(node)
    return path is not None and path[1:] == ("confidence",)


def opened(lets: Mapping[str, expr.Expr]) -> dict[str, expr.Expr]:
    """The values of lets in writing order, each with those before it put in."""
    done: dict[str, expr.Expr] = {}
    for name, value in lets.items():
        done[name] = expr.substitute(value, done)
    return done


def cuts_of(test: expr.Expr, lets: Mapping[str, expr.Expr]) -> list[expr.Compare]:
    """The comparisons of a confidence with a constant that a test stands for: itself, or one for
    each case of a threshold that differs by case.
    """
    return confidences(expr.substitute(test, lets))


def confidences(test: expr.Expr) -> list[expr.Compare]:
    """The comparisons of `STEP.confidence` with a constant or setting; also those of the lowest
    confidence in a list.
    """
    found: list[expr.Compare] = []
    for part in expr.walk(test):
        compare = part if isinstance(part, expr.Compare) else expr.of_lowest(part)
        if compare is not None and confidence_step(compare) is not None:
            found.append(compare)
    return found


def confidence_step(compare: expr.Compare) -> str | None:
    """The step whose confidence is compared with a constant; None if it is something else."""
    if compare.op == "==":
        return None
    for side, other in ((compare.left, compare.right), (compare.right, compare.left)):
        path = expr.path_of(side)
        if path is not None and path[1:] == ("confidence",) and isinstance(other, expr.Const):
            return path[0]
    return None
