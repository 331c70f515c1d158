"""Findings from the metrics: missed objectives, limits that are too low, missing evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipelang.analysis.budgets.unreservable import budget_findings
from pipelang.analysis.findings.dependence_findings import dependence_findings
from pipelang.analysis.findings.evidence_findings import evidence_findings
from pipelang.analysis.findings.quota_findings import quota_findings
from pipelang.analysis.findings.shared_providers import shared_providers
from pipelang.analysis.latency.timeouts import slow_attempts
from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.objectives import ObjectiveVerdict
from pipelang.analysis.metrics.readings import READINGS, MetricSource
from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import expressions as expr
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis, MeasuredShare
from pipelang.semantics.elaborate.options.evidence import confidence_step, cuts_of, opened
from pipelang.semantics.metrics import Unit, metric_of
from pipelang.semantics.quantities import apart, dollars_beside, plain, seconds_beside
from pipelang.semantics.walk import all_items, judged_links


def findings(program: p.Program, analysis: Analysis) -> Iterator[Diagnostic]:
    """Return all findings about the numbers of one pipeline."""
    pipeline = analysis.pipeline
    for verdict in analysis.slo:
        yield from _objective(verdict, analysis)
    yield from _uncalibrated(pipeline)
    yield from evidence_findings(program, pipeline)
    yield from dependence_findings(program, pipeline)
    if program.evidence:
        from pipelang.analysis.findings.origin_findings import origin_findings

        yield from origin_findings(program, pipeline)
    yield from shared_providers(program, pipeline)
    yield from slow_attempts(program, pipeline)
    yield from _cost(program, analysis)
    yield from budget_findings(program, pipeline)
    yield from quota_findings(analysis)


MEANS = (
    "declare means: `output N tokens mean`, and in `traffic` lengths of inputs and shares of bools"
)
"""The mend of a mean that is a bound."""


def _objective(verdict: ObjectiveVerdict, analysis: Analysis) -> Iterator[Diagnostic]:
    line = verdict.line
    if READINGS[metric_of(line.metric).name].source is MetricSource.LATER:
        yield report(codes.METRIC_UNDECIDED, line.span, metric=line.metric)
        return
    words: dict[str, Any] = {"metric": line.metric, "op": line.op, "target": line.target_text}
    if verdict.holds is False and verdict.number is not None:
        shown = _missed(line, verdict.number)
        yield report(codes.SLO_MISSED, line.span, value=f"it is {shown}", **words)
    elif verdict.holds is None:
        help = None
        number = verdict.number
        behind_cuts = verdict.cut and number is not None and number.value is None
        bound = number is not None and number.basis is Basis.BOUND
        if bound and _is_of_lengths(line.metric) and not behind_cuts:
            help = MEANS
        elif analysis.unknown:
            help = "nobody declared: " + ", ".join(
                list(dict.fromkeys(map(site_words, analysis.unknown)))[:4]
            )
        yield report(codes.SLO_UNDECIDED, line.span, why=verdict.why, help=help, **words)


def _is_of_lengths(metric: str) -> bool:
    """Whether a metric grows with the lengths of prompts and answers."""
    return metric.startswith((f"{m.COST}.", "tokens."))


def _missed(line: p.SloLine, number: Number) -> str:
    """The figure that misses a promise; of a range the end that comes nearest to it."""
    if number.value is not None:
        return _shown(line.metric, number.value, line.target)
    best = number.high if line.op in (">=", ">") else number.low
    if line.op == "==" and best is not None and Decimal(best) < line.target:
        best = number.high
    return "at best " + _shown(line.metric, best, line.target)


_SITE = re.compile(r"(?:\w+:)?(?P<what>.+?)(?: if (?:right|wrong))?(?:\[\d+\])*", re.DOTALL)
_ROWS = re.compile(r"(?P<file>.+\.jsonl?):(?P<kind>right|wrong)(?:\[\d+\])*")


def site_words(site: str) -> str:
    """Return a parameter's site in words: the declaration, the condition or the list that it
    belongs to, without its pipeline, its offset and its place in a row of shares.
    """
    rows = _ROWS.fullmatch(site)
    if rows is not None:
        return f"`{rows['file']}` (its {rows['kind']} rows)"
    found = _SITE.fullmatch(site.split("@")[0])
    name = site if found is None else found["what"]
    return f"`{name}`" + (f" ({site.rsplit('.', 1)[-1]})" if "@" in site else "")


def _shown(metric: str, value: float | None, target: Decimal) -> str:
    """A value with digits enough to see on which side of its target it is."""
    if value is None:
        return "unknown"
    match metric_of(metric).unit:
        case Unit.SHARE:
            text, exact = f"{value:.2%}", Decimal(repr(value))
            shown = Decimal(text[:-1]).scaleb(-2)
            if (shown < target, shown > target) == (exact < target, exact > target):
                return text
            return f"{plain(apart(value, target, 4).scaleb(2))}%"
        case Unit.MONEY:
            return dollars_beside(value, target)
        case Unit.TOKENS:
            return f"{apart(round(value), target, 17):,f} tokens"
        case Unit.DURATION:
            return seconds_beside(value, float(target))


def _uncalibrated(pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Report a gate over a model's own confidence without evidence or rates."""
    everything = list(all_items(pipeline.block))
    steps = {item.name: item for item in everything if isinstance(item, p.Step)}
    shares = {share.name for share in pipeline.traffic.names}
    conditions = {share.condition for share in pipeline.traffic.conditions}
    lets = opened({item.name: item.value for item in everything if isinstance(item, p.Let)})
    for item in everything:
        if not isinstance(item, p.Gate) or item.evidence is not None or item.name in shares:
            continue
        for part in expr.walk(item.condition):
            if not isinstance(part, (expr.Compare, expr.Builtin)) or part in conditions:
                continue
            found = {confidence_step(cut) for cut in cuts_of(part, lets)}
            step = steps.get(next(iter(found), None) or "")
            if step is not None and not any(
                isinstance(link.accuracy, MeasuredShare) for link in judged_links(step)
            ):
                yield report(codes.UNCALIBRATED, item.span, gate=item.name)
                break


def _cost(program: p.Program, analysis: Analysis) -> Iterator[Diagnostic]:
    pipeline, worst = analysis.pipeline, analysis.worst
    for tier in analysis.unpriced:
        span = program.tiers[tier].span
        if span.file == pipeline.span.file:
            yield report(codes.UNPRICED, span, name=tier)
        else:
            yield report(codes.UNPRICED, pipeline.span, name=tier)
    if worst is None:
        return
    budget = pipeline.budget
    if worst.tokens is None and not analysis.unpriced:
        rule = codes.UNBOUNDED
        if budget is not None and budget.money is not None:
            rule = codes.UNBOUNDED_BUDGET
        what = f"nothing bounds what a prompt or an answer of `{pipeline.name}` takes"
        help = "give its texts a `max`, its lists a `max`, and the tier a `context`"
        yield report(rule, pipeline.span, what=what, help=help)
        return
    if budget is None:
        return
    path = ", ".join(
        f"`{name}` {count} times" if count > 1 else f"`{name}` once" for name, count in worst.path
    )
    most = None if worst.cost is None or analysis.unpriced else Decimal(repr(worst.cost))
    if budget.money is not None and most is not None and most > budget.money:
        words: dict[str, Any] = {
            "worst": dollars_beside(most, budget.money),
            "budget": f"${plain(budget.money)}",
        }
        yield report(codes.OVER_BUDGET, budget.span, name=pipeline.name, path=path, **words)
    if budget.tokens is not None and worst.tokens is not None and worst.tokens > budget.tokens:
        words = {"worst": f"{worst.tokens:,} tokens", "budget": f"{budget.tokens:,} tokens"}
        yield report(codes.OVER_BUDGET, budget.span, name=pipeline.name, path=path, **words)
