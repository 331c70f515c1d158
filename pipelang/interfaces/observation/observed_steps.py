"""Steps as observed beside their declarations, and the differences that chance does not explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.model.beta import jeffreys
from pipelang.analysis.model.intervals import Number, certain
from pipelang.interfaces.observation.comparison import ObservedMetric, observed_share
from pipelang.interfaces.observation.predicted_steps import only, predicted_steps
from pipelang.interfaces.observation.step_tallies import Attempts, StepTally, Tallies
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis, Chance, CountedShare, Declared, MeasuredShare
from pipelang.semantics.quantities import show_seconds
from pipelang.semantics.walk import all_items, judged_links
from pipelang.statistics.beta import at_least
from pipelang.statistics.fit import holm
from pipelang.statistics.intervals import (
    mean_interval,
    quantile_at,
    share_p_value,
    student_p_value,
)

FEWEST = 20
"""Values of which a mean is compared at least."""


@dataclass(frozen=True, slots=True)
class StepDifference:
    """Something that is not as declared: of which step, in words, and how likely by chance."""

    place: str
    words: str
    p_value: float
    order: int

    def as_json(self) -> dict[str, Any]:
        return {"where": self.place, "what": self.words, "p_value": self.p_value}


@dataclass(frozen=True, slots=True)
class WhoAnswers:
    """A tool or tier at one link of a step: attempts, the share that failed beside the declared
    one, seconds and tokens beside theirs.
    """

    who: str
    link: int
    made: int
    failed: ObservedMetric
    unfit: int
    median: float | None
    p95: float | None
    declared_p95: float | None
    tokens_out: float | None
    declared_tokens: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "who": self.who,
            "link": self.link,
            "attempts": self.made,
            "failed": self.failed.as_json(),
            "unfit": self.unfit,
            "seconds": {"median": self.median, "p95": self.p95, "declared_p95": self.declared_p95},
            "tokens_out": {"mean": self.tokens_out, "declared": self.declared_tokens},
        }


@dataclass(frozen=True, slots=True)
class ObservedStep:
    """A step as observed; `confidence` is the mean of its answers and of its evidence."""

    name: str
    reached: ObservedMetric
    visits: int
    retries: int
    fallbacks: int
    used_up: int
    redone: int
    cached: int
    cost_mean: float | None
    predicted_cost: Number | None
    who: tuple[WhoAnswers, ...]
    confidence: tuple[float | None, float | None]
    confidences: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "reached": self.reached.as_json(),
            "visits": self.visits,
            "retried": self.retries,
            "fallback": self.fallbacks,
            "used_up": self.used_up,
            "redone": self.redone,
            "cached": self.cached,
            "cost_mean": self.cost_mean,
            "predicted_cost_mean": None
            if self.predicted_cost is None
            else self.predicted_cost.as_json(),
            "attempts": [one.as_json() for one in self.who],
            "confidence": {
                "mean": self.confidence[0],
                "evidence": self.confidence[1],
                "bins": list(self.confidences),
            },
        }


def number_of(chance: Chance, program: p.Program) -> Number | None:
    """A declared chance with what is known of it; None where nobody declared it, or where it
    differs by case.
    """
    match chance:
        case Declared():
            return certain(float(chance.share), Basis.ASSUMED)
        case CountedShare():
            return jeffreys(chance.good, chance.total)
        case MeasuredShare():
            file = program.evidence.get(chance.file)
            return None if file is None else jeffreys(file.right, len(file.rows))
        case _:
            return None


def complement(number: Number | None) -> Number | None:
    """The number of what does not happen."""
    if number is None or number.value is None or number.low is None or number.high is None:
        return None
    mean = None if number.mean is None else 1 - number.mean
    return Number(1 - number.value, 1 - number.high, 1 - number.low, mean, number.basis)


def observed_steps(
    program: p.Program, analysis: Analysis, tallies: Tallies, stories: int
) -> tuple[list[ObservedStep], list[StepDifference]]:
    """The steps in writing order, and how they differ from what is declared of them: what is told
    holds at 5% over all comparisons together (Holm).
    """
    rows, found = [], []
    for order, (name, said) in enumerate(predicted_steps(program, analysis).items()):
        tally = tallies.steps.get(name) or StepTally(name)
        steps, reached = said.steps, said.reached
        seen = observed_share(
            f"reached({name})",
            min(tally.runs, tallies.runs),
            tallies.runs,
            max(1, min(stories, tallies.runs)),
            reached,
        )
        who = []
        for (link, answers), attempts in sorted(tally.attempts.items()):
            one, differences = _who(program, name, steps, link, answers, attempts)
            who.append(one)
            found += [StepDifference(name, words, p_value, order) for words, p_value in differences]
        evidence = only({_evidence_mean(program, step) for step in steps})
        mean = fmean(tally.confidences) if tally.confidences else None
        found += _confidence(name, tally.confidences, evidence, order)
        if seen.verdict.value == "differs" and reached is not None and reached.value is not None:
            words = f"`{name}` is reached by {_percent(seen.value)} of the runs, predicted " + (
                _percent(reached.value)
            )
            p_value = share_p_value(tally.runs, tallies.runs, min(max(reached.value, 0), 1))
            found.append(StepDifference(name, words, p_value, order))
        rows.append(
            ObservedStep(
                name,
                seen,
                tally.visits,
                tally.retries,
                sum(tally.fallbacks.values()),
                tally.used_up,
                tally.redone,
                tally.cached,
                None if tally.cost is None else tally.cost / max(1, tallies.runs),
                said.cost_mean,
                tuple(who),
                (mean, None if evidence is None else evidence[0]),
                _bins(tally.confidences),
            )
        )
    told = holm([one.p_value for one in found])
    differs = [one for one, holds in zip(found, told, strict=True) if holds]
    return rows, sorted(differs, key=lambda one: (one.order, one.p_value))


def _who(
    program: p.Program,
    name: str,
    steps: Sequence[p.Step],
    link: int,
    who: str,
    attempts: Attempts,
) -> tuple[WhoAnswers, list[tuple[str, float]]]:
    """A row of who answers, and what differs from the declaration, with p-values."""
    tool, tier = program.tools.get(who), program.tiers.get(who)
    if tool is not None:
        declared = complement(number_of(tool.succeeds, program))
        latency = tool.latency
    elif tier is not None:
        declared, latency = number_of(tier.transient, program), tier.latency
    else:
        declared, latency = None, None
    made, bad = attempts.made, attempts.failed
    failed = observed_share(f"failed({name})", bad, made, made, declared, "attempts")
    told: list[tuple[str, float]] = []
    at = f"`{name}`" if link == 0 and who == name else f"`{name}` at `{who}`"
    if declared is not None and declared.value is not None and made:
        # Against the end of the declared range that is nearest to what was seen.
        nearest = min(max(bad / made, declared.low or 0.0), declared.high or 1.0)
        p_value = share_p_value(bad, made, nearest)
        words = f"{at} fails {_percent(bad / made)}, declared {_percent(declared.value)}"
        told.append((words, p_value))
    seconds = sorted(attempts.seconds)
    p95 = None if latency is None or latency.p95 is None else float(latency.p95)
    if p95 is not None and len(seconds) >= FEWEST:
        slow = sum(one > p95 for one in seconds)
        words = (
            f"{at} takes 95% under {show_seconds(quantile_at(seconds, 0.95))}, declared "
            f"{show_seconds(p95)}"
        )
        told.append((words, at_least(slow, len(seconds), 0.05)))
    tokens = [float(one) for one in attempts.tokens_out]
    expected = only({_output_mean(step, link) for step in steps})
    if expected is not None and len(tokens) >= FEWEST:
        mean, p_value = _mean_p_value(tokens, float(expected))
        words = f"{at} answers with {mean:,.0f} tokens, declared {expected:,}"
        told.append((words, p_value))
    return (
        WhoAnswers(
            who,
            link,
            made,
            failed,
            attempts.unfit,
            quantile_at(seconds, 0.5) if seconds else None,
            quantile_at(seconds, 0.95) if seconds else None,
            p95,
            fmean(tokens) if tokens else None,
            expected,
        ),
        told,
    )


def _output_mean(step: p.Step, link: int) -> int | None:
    links = list(judged_links(step))
    return links[link].output_mean if link < len(links) else None


def _mean_p_value(values: Sequence[float], expected: float) -> tuple[float, float]:
    """The mean, and Student's two-sided p-value of its being another one."""
    mean, low, high = mean_interval(values)
    half = (high - low) / 2
    if half == 0:
        return mean, 1.0 if mean == expected else 0.0
    n = len(values)
    spread = sum((value - mean) ** 2 for value in values) / (n - 1)
    return mean, student_p_value((mean - expected) / (spread / n) ** 0.5, n - 1)


def _evidence_mean(program: p.Program, step: p.Step) -> tuple[float, float, int] | None:
    """Mean, variance and number of the confidences in a step's evidence."""
    for link in judged_links(step):
        if isinstance(link.accuracy, MeasuredShare):
            file = program.evidence.get(link.accuracy.file)
            rows = [] if file is None else file.rows
            sure = [float(row.confidence) for row in rows if row.confidence is not None]
            if len(sure) >= FEWEST:
                mean = fmean(sure)
                return mean, sum((one - mean) ** 2 for one in sure) / (len(sure) - 1), len(sure)
    return None


def _confidence(
    name: str, values: Sequence[float], evidence: tuple[float, float, int] | None, order: int
) -> list[StepDifference]:
    """Welch's test of the mean confidence of answers against that of the evidence."""
    if evidence is None or len(values) < FEWEST:
        return []
    mean = fmean(values)
    variance = sum((one - mean) ** 2 for one in values) / (len(values) - 1)
    one, other = variance / len(values), evidence[1] / evidence[2]
    if one + other == 0:
        return []
    degrees = (one + other) ** 2 / (one**2 / (len(values) - 1) + other**2 / (evidence[2] - 1))
    p_value = student_p_value((mean - evidence[0]) / (one + other) ** 0.5, max(1, int(degrees)))
    words = f"`{name}` is {_percent(mean)} sure on average, its evidence {_percent(evidence[0])}"
    return [StepDifference(name, words, p_value, order)]


def _bins(values: Sequence[float]) -> tuple[int, ...]:
    from pipelang.statistics.calibration import BINS, bin_of

    counts = [0] * BINS
    for value in values:
        counts[bin_of(value)] += 1
    return tuple(counts) if values else ()


def _percent(share: float | None) -> str:
    from pipelang.interfaces.text.number_format import percent

    return "?" if share is None else percent(share)


def gates_of(pipeline: p.Pipeline, tallies: Tallies) -> Mapping[str, tuple[int, int]]:
    """The gates of a pipeline in writing order: how often asked, and passed."""
    names = [item.name for item in all_items(pipeline.block) if isinstance(item, p.Gate)]
    return {
        name: (tallies.gates[name][0], tallies.gates[name][1])
        for name in names
        if name in tallies.gates
    }


def failing_together(tallies: Tallies, runs: int) -> list[tuple[str, str, float]]:
    """Pairs of steps that fail in the same runs more or less often than independence allows, at 5%
    over all pairs together.
    """
    from pipelang.statistics.fit import independence_p_value

    steps = [tally for tally in tallies.steps.values() if len(tally.failed_in) >= 3]
    pairs = [(one, other) for at, one in enumerate(steps) for other in steps[at + 1 :]]
    p_values = [
        independence_p_value(
            len(one.failed_in & other.failed_in), len(one.failed_in), len(other.failed_in), runs
        )
        for one, other in pairs
    ]
    return [
        (one.name, other.name, p_value)
        for (one, other), p_value, told in zip(pairs, p_values, holm(p_values), strict=True)
        if told
    ]
