"""The demand that a threshold on a model's own statement rests on evidence.

A threshold is a comparison by size (`<`, `<=`, `>`, `>=`) of a number in a model's answer, directly
or through values computed from it. A limit on an input or on a tool's result is a rule of the
business and needs no evidence. Evidence is a declaration, count or measurement of the test:
`catches` and `false_alarms`, a file, a share in `traffic`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.analysis.production.failing import models_inside
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare, Undeclared
from pipelang.semantics.elaborate.options.evidence import confidence_step, opened
from pipelang.semantics.walk import all_items, inner_links


def thresholds_have_evidence(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A gate, a branch, a person's `when` and a cascade's `until` that compare by size."""
    items = list(all_items(pipeline.block))
    steps = {item.name: item for item in items if isinstance(item, p.Step)}
    guesses = _from_models(program, items)
    named = {share.name for share in pipeline.traffic.names}
    lets = opened({item.name: item.value for item in items if isinstance(item, p.Let)})
    conditions = [share.condition for share in pipeline.traffic.conditions]
    shared = {*conditions, *(expr.substitute(condition, lets) for condition in conditions)}

    def bare(test: expr.Expr) -> bool:
        """Whether a test compares a number without evidence. A threshold that a `let` chooses by
        case is looked at where it stands: a file is cut at each of its arms.
        """
        return any(
            part not in shared and not _is_measured(part, steps)
            for part in thresholds(expr.substitute(test, lets), guesses)
        )

    at_gate = "add `catches` and `false_alarms` in braces, or `evidence from` a file"
    at_branch = "give the condition a share in `traffic`"
    for item in items:
        match item:
            case p.Gate(evidence=None) if item.name not in named and bare(item.condition):
                yield report(codes.NO_EVIDENCE, item.span, what=item.name, help=at_gate)
            case p.When() if item.name not in named and bare(item.condition):
                what = item.name or "when"
                yield report(codes.NO_EVIDENCE, item.span, what=what, help=at_branch)
            case p.Person(when=test) if test is not None and bare(test):
                yield report(codes.NO_EVIDENCE, item.span, what=item.name, help=at_branch)
            case p.Step():
                for link in inner_links(item.chain):
                    if isinstance(link.action, p.Cascade) and _is_unrated(link.action):
                        help = "add `catches` and `false_alarms` to its options"
                        yield report(codes.NO_EVIDENCE, link.span, what="until", help=help)
            case _:
                pass


def thresholds(test: expr.Expr, guesses: frozenset[str]) -> list[expr.Expr]:
    """Return the comparisons by size that read a number from a model."""
    return [
        part
        for part in expr.walk(test)
        if isinstance(part, expr.Compare) and part.op != "==" and expr.mentions(part) & guesses
    ]


def _from_models(program: p.Program, items: list[p.Item]) -> frozenset[str]:
    """The names whose value a model may have made, or that were computed from such a value."""
    names: set[str] = set()
    for item in items:
        match item:
            case p.Step() if models_inside(program, item.chain):
                names.add(item.name)
            case p.Let() if expr.mentions(item.value) & names:
                names.add(item.name)
            case _:
                pass
    return frozenset(names)


def _is_measured(part: expr.Expr, steps: Mapping[str, p.Step]) -> bool:
    """Whether the step's own evidence file holds the confidence that is compared."""
    step = steps.get(confidence_step(part) or "") if isinstance(part, expr.Compare) else None
    return step is not None and any(
        isinstance(link.accuracy, MeasuredShare) for link in step.chain.links
    )


def _is_unrated(cascade: p.Cascade) -> bool:
    parts = expr.walk(cascade.until)
    compares = any(isinstance(part, expr.Compare) and part.op != "==" for part in parts)
    rates = (cascade.rates.catches, cascade.rates.false_alarms)
    return compares and any(isinstance(rate, Undeclared) for rate in rates)
