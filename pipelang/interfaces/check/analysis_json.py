"""An analysis as the documented JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.analysis.claims.verdicts import Proof
from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.model.parameters import BINS
from pipelang.diagnostics import Sources
from pipelang.semantics.metrics import (
    COST,
    COST_MEAN,
    LATENCY,
    OUTCOMES,
    SHARES,
    SILENT_ERROR,
    SUCCESS,
    TURNAROUND,
)


def analysis_json(
    analysis: Analysis, proofs: tuple[Proof, ...], sources: Sources
) -> dict[str, Any]:
    """The entry of a pipeline under `pipelines`."""
    numbers = {name: number.as_json() for name, number in analysis.numbers.items()}

    def group(family: str) -> dict[str, Any]:
        return {
            name.removeprefix(f"{family}."): number
            for name, number in numbers.items()
            if name.startswith(f"{family}.")
        }

    def critical(name: str) -> dict[str, Any]:
        return {"critical_path": list(analysis.critical.get(name, ()))}

    work: dict[str, Any] = {}
    if analysis.reached:
        work["work"] = {
            "ended_by": "clock" if analysis.late else "units",
            "reached": [
                {
                    "part": one.part.name.lower(),
                    "where": one.where or None,
                    "wanted": one.wanted,
                    "limit": one.limit,
                }
                for one in analysis.reached
            ],
        }
    return {
        "outcomes": {name: numbers[name] for name in OUTCOMES},
        **{name: numbers[name] for name in SHARES if name not in OUTCOMES},
        "escalations": {name: n.as_json() for name, n in analysis.escalations.items()},
        COST: {
            **group(COST),
            "baseline": {tier: number.as_json() for tier, number in analysis.baseline.items()},
            **_caching(analysis),
        },
        LATENCY: {**group(LATENCY), **critical(LATENCY)},
        TURNAROUND: {**group(TURNAROUND), **critical(TURNAROUND)},
        "tokens": group("tokens"),
        "slo": [verdict.as_json() for verdict in analysis.slo],
        "steps": [
            {
                "name": row.name,
                "reached": row.reached.as_json(),
                "importance": {
                    SUCCESS: row.importance_success.as_json(),
                    SILENT_ERROR: row.importance_silent_error.as_json(),
                },
                "cost_mean": row.cost_mean.as_json(),
            }
            for row in (*analysis.steps, *analysis.inner)
        ],
        "claims": [_claim(proof, sources) for proof in proofs],
        "advice": [],
        "what_if": [],
        "sensitivity": None if analysis.sensitivity is None else analysis.sensitivity.as_json(),
        **({"shifts": _by_file(analysis.shifts)} if analysis.shifts else {}),
        **({} if analysis.cut is None else {"cut": analysis.cut.as_json()}),
        **work,
    }


def _by_file(shifts: Mapping[str, float]) -> dict[str, float]:
    """By how many points the shares of each file may be off: the largest that is declared."""
    found: dict[str, float] = {}
    for site, shift in shifts.items():
        file = site.removesuffix(BINS)
        found[file] = max(found.get(file, 0.0), shift)
    return found


def _claim(proof: Proof, sources: Sources) -> dict[str, Any]:
    """A verdict; the steps of its path with their places, the last ones what breaks the claim."""
    path = []
    for event in proof.path:
        source = sources.get(event.span.file)
        line = None if source is None else source.position(event.span.start).line
        path.append({"step": event.text, "file": event.span.file, "line": line})
    found: dict[str, Any] = {
        "claim": proof.claim.text,
        "verdict": proof.verdict,
        "by": list(proof.by),
        "path": path,
    }
    if proof.claimed_by:
        found["claimed_by"] = list(proof.claimed_by)
    if proof.example:
        found["example"] = list(proof.example)
    if proof.why:
        found["why"] = proof.why
    return found


def _caching(analysis: Analysis) -> dict[str, Any]:
    """The estimate of what prompt caches save; nothing where none is made."""
    found, mean = analysis.caching, analysis.numbers[COST_MEAN].value
    if found is None or mean is None:
        return {}
    calls = [
        {
            "step": part.step,
            "tier": part.tier,
            **({} if part.turn is None else {"turn": part.turn}),
            "calls": part.calls,
            "tokens": part.tokens,
            "read": part.read,
            "saves": part.saves,
        }
        for part in found.parts
    ]
    estimated = {"value": mean - found.saves, "basis": "estimate"}
    return {"cached": {"mean": estimated, "saves": found.saves, "calls": calls}}
