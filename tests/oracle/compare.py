"""The numbers of a report beside the oracle's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .enumerate_runs import Reliability

TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Difference:
    metric: str
    expected: Fraction
    reported: float | None

    def __str__(self) -> str:
        if self.reported is None:
            return f"{self.metric}: expected {float(self.expected):.15g}, reported nothing"
        off = float(Fraction(self.reported) - self.expected)
        expected = float(self.expected)
        return (
            f"{self.metric}: expected {expected:.15g}, reported {self.reported:.15g} ({off:+.2g})"
        )


def differences(exact: Reliability, report: dict[str, Any]) -> list[Difference]:
    """Every number of one pipeline's report that is not the oracle's."""
    return [
        Difference(metric, expected, reported)
        for metric, expected, reported in _numbers(exact, report)
        if reported is None or abs(Fraction(reported) - expected) > TOLERANCE
    ]


def _numbers(
    exact: Reliability, report: dict[str, Any]
) -> Iterator[tuple[str, Fraction, float | None]]:
    for name, p in exact.outcomes.items():
        yield name, p, _value(report["outcomes"], name)
    # A name that is in one of the two alone stands for a probability of zero in the other.
    expected_by, reported_by = _by_gate(exact, report)
    for name in sorted({*expected_by, *reported_by}):
        yield (
            f"escalation.{name}",
            expected_by.get(name, Fraction(0)),
            reported_by.get(name, 0.0),
        )
    yield "wrong_effect", exact.wrong_effect, _value(report, "wrong_effect")
    yield "cost.mean", exact.cost_mean, _value(report["cost"], "mean")
    steps = {step["name"]: step for step in report["steps"]}
    for name, p in exact.reached.items():
        yield f"reached {name}", p, _value(steps.get(name, {}), "reached")


def _by_gate(
    exact: Reliability, report: dict[str, Any]
) -> tuple[dict[str, Fraction], dict[str, float | None]]:
    """Escalations by name: `GATE`, and `PIPELINE.GATE` of a sub-pipeline's, however deep."""
    reported = {name: _value(report["escalations"], name) for name in report["escalations"]}
    return exact.escalations, reported


def _value(numbers: dict[str, Any], name: str) -> float | None:
    """The `value` of a NUMBER; None where there is none, or where it is unknown."""
    number = numbers.get(name)
    return None if number is None else number["value"]
