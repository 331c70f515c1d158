"""Pipelines with their promises and limits, and what is claimed and tested of them, in the IR."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.ir.actions import chain_json, optional_outcome
from pipelang.interfaces.export.ir.expressions import expression_json
from pipelang.interfaces.export.ir.items import block_json
from pipelang.interfaces.export.ir.types import parameters_json, type_json
from pipelang.interfaces.export.ir.writer import Json, Writer, constant, exact
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def pipeline_json(writer: Writer, pipeline: p.Pipeline) -> Json:
    return {
        "parameters": parameters_json(pipeline.parameters),
        "returns": type_json(pipeline.returns),
        "budget": _budget(writer, pipeline.budget),
        "permits": list(pipeline.permits),
        "slo": [_slo(writer, line) for line in pipeline.slo],
        "watch": [_watch(writer, line) for line in pipeline.watch],
        "traffic": _traffic(writer, pipeline.traffic),
        "block": block_json(writer, pipeline.block),
        "breaker": _breaker(writer, pipeline.breaker),
        **_quota(writer, pipeline.quota),
        **_samples(writer, pipeline.samples),
        "doc": pipeline.doc,
        **writer.place(pipeline.span),
    }


def _budget(writer: Writer, budget: p.Budget | None) -> Json | None:
    if budget is None:
        return None
    return {
        "money": exact(budget.money),
        "seconds": exact(budget.seconds),
        "tokens": budget.tokens,
        "steps": budget.steps,
        "else": optional_outcome(writer, budget.otherwise),
        **writer.place(budget.span),
    }


def _samples(writer: Writer, samples: tuple[p.Sample, ...]) -> Json:
    if not samples:
        return {}
    said = [
        {
            "share": exact(sample.share),
            "steps": list(sample.steps),
            "role": sample.role,
            **writer.place(sample.span),
        }
        for sample in samples
    ]
    return {"samples": said}


def _breaker(writer: Writer, breaker: p.Breaker | None) -> Json | None:
    if breaker is None:
        return None
    return {
        "opens": [_opens(writer, reason) for reason in breaker.opens],
        "probes": exact(breaker.probes),
        "else": chain_json(writer, breaker.otherwise.chain),
        **writer.place(breaker.span),
    }


def _quota(writer: Writer, quota: p.Quota | None) -> Json:
    """The entry `quota`, or nothing where there is none."""
    if quota is None:
        return {}
    limits = [
        {
            "what": limit.what,
            "amount": exact(limit.amount),
            "period": limit.period,
            **writer.place(limit.span),
        }
        for limit in quota.limits
    ]
    otherwise = optional_outcome(writer, quota.otherwise)
    return {"quota": {"limits": limits, "else": otherwise, **writer.place(quota.span)}}


def _opens(writer: Writer, reason: p.OpensRejects | p.OpensMetric) -> Json:
    match reason:
        case p.OpensRejects():
            counted = {"kind": "rejects", "gate": reason.gate, "count": reason.count}
        case p.OpensMetric():
            counted = {
                "kind": "metric",
                "metric": reason.metric,
                "op": reason.op,
                "target": exact(reason.target),
                "runs": reason.runs,
            }
        case _:
            assert_never(reason)
    return {**counted, **writer.place(reason.span)}


def _slo(writer: Writer, line: p.SloLine) -> Json:
    return {
        "metric": line.metric,
        "op": line.op,
        "target": exact(line.target),
        "when": line.when,
        **writer.place(line.span),
    }


def _watch(writer: Writer, line: p.WatchLine) -> Json:
    tolerance = line.baseline
    return {
        "metric": line.metric,
        "op": line.op,
        "target": exact(line.target),
        "baseline": None
        if tolerance is None
        else {"amount": exact(tolerance.amount), "relative": tolerance.relative},
        "over": exact(line.over),
        "role": line.role,
        "text": line.alert,
        **writer.place(line.span),
    }


def _traffic(writer: Writer, traffic: p.Traffic) -> Json:
    return {
        "per_day": exact(traffic.per_day),
        "paths": [
            {
                "path": expression_json(writer, line.path),
                "shares": [
                    {"value": constant(value), "share": writer.chance(share)}
                    for value, share in line.shares
                ],
                **writer.place(line.span),
            }
            for line in traffic.paths
        ],
        "conditions": [
            {
                "condition": expression_json(writer, line.condition),
                "right": writer.chance(line.right),
                "wrong": writer.chance(line.wrong),
                **writer.place(line.span),
            }
            for line in traffic.conditions
        ],
        "names": [
            {
                "name": line.name,
                "right": writer.chance(line.right),
                "wrong": writer.chance(line.wrong),
                **writer.place(line.span),
            }
            for line in traffic.names
        ],
        "means": [
            {"path": list(line.path), "mean": exact(line.mean), **writer.place(line.span)}
            for line in traffic.means
        ],
        **_hard(writer, traffic.hard),
    }


def _hard(writer: Writer, hard: p.HardShare | None) -> Json:
    """The entry `hard`, or nothing where no line says how many inputs are hard."""
    if hard is None:
        return {}
    return {"hard": {"share": writer.chance(hard.share), **writer.place(hard.span)}}


def claim_json(writer: Writer, claim: p.Claim) -> Json:
    return {
        "pipeline": claim.pipeline,
        "text": claim.text,
        "claimed": _claimed(writer, claim.claimed),
        **writer.place(claim.span),
    }


def _claimed(writer: Writer, claimed: p.Claimed | None) -> Json | None:
    """A claim with its names resolved."""
    match claimed:
        case None:
            return None
        case p.OnlyAfter():
            where = {"pipeline": claimed.pipeline, "gate": claimed.gate}
            only = {"claim": "only_after", "tool": claimed.tool, **where}
            return {**only, **_when(writer, claimed.when)}
        case p.AtMost():
            return {"claim": "at_most", "tool": claimed.tool, "count": claimed.count}
        case p.Never():
            never = {"claim": "never", "tool": claimed.tool}
            return {**never, **_when(writer, claimed.when)}
        case p.Escalates():
            return {"claim": "escalates", "when": expression_json(writer, claimed.when)}
        case p.NeverReaches():
            target = {"prompt" if claimed.prompt else "tool": claimed.target}
            return {"claim": "never_reaches", "label": claimed.label, **target}
        case _:
            assert_never(claimed)


def _when(writer: Writer, condition: expr.Expr | None) -> Json:
    return {} if condition is None else {"when": expression_json(writer, condition)}


def test_json(writer: Writer, test: p.Test) -> Json:
    """The title and pipeline of a test: its body is no part of the program's meaning."""
    return {"title": test.title, "pipeline": test.pipeline, **writer.place(test.span)}
