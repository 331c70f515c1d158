"""An analysis as the documented JSON."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.analyse import Analysis
from pipelang.analysis.sweep import OUTCOMES
from pipelang.semantics import program as p


def analysis_json(analysis: Analysis, claims: tuple[p.Claim, ...]) -> dict[str, Any]:
    """The entry of a pipeline under `pipelines`."""
    numbers = {name: number.as_json() for name, number in analysis.numbers.items()}

    def group(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): number
            for name, number in numbers.items()
            if name.startswith(prefix)
        }

    def critical(name: str) -> dict[str, Any]:
        return {"critical_path": list(analysis.critical.get(name, ()))}

    return {
        "outcomes": {name: numbers[name] for name in OUTCOMES},
        "coverage": numbers["coverage"],
        "selective_risk": numbers.get("selective_risk"),
        "availability": numbers["availability"],
        "wrong_effect": numbers["wrong_effect"],
        "escalations": {name: n.as_json() for name, n in analysis.escalations.items()},
        "cost": {
            **group("cost."),
            "baseline": {tier: number.as_json() for tier, number in analysis.baseline.items()},
        },
        "latency": {**group("latency."), **critical("latency")},
        "turnaround": {**group("turnaround."), **critical("turnaround")},
        "tokens": group("tokens."),
        "slo": [verdict.as_json() for verdict in analysis.slo],
        "steps": [
            {
                "name": row.name,
                "reached": row.reached.as_json(),
                "importance": {
                    "success": row.importance_success.as_json(),
                    "silent_error": row.importance_silent_error.as_json(),
                },
                "cost_mean": row.cost_mean.as_json(),
            }
            for row in analysis.steps
        ],
        "claims": [
            {"claim": claim.text, "verdict": "undecided", "by": [], "path": []} for claim in claims
        ],
        "advice": [],
        "what_if": [],
    }
