"""Goodness of fit: whether runs behave as the model says they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.observation.observed_metrics import ended_runs, stories_of
from pipelang.interfaces.observation.records import ENDINGS, ESCALATED, ObservedRun, day_of
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.statistics.fit import chi_square_p_value, fit_p_value

LEVEL = 0.01


@dataclass(frozen=True, slots=True)
class GoodnessOfFit:
    """Tests of the model on runs: `outcomes` are how they ended against the predicted shares,
    `days` whether the share of escalations stays the same from day to day, `together` pairs of
    steps that fail in the same runs. None where there are too few. `said` is what is rejected, in
    words.
    """

    outcomes: float | None
    days: float | None
    together: tuple[tuple[str, str, float], ...]
    said: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "outcomes_p_value": self.outcomes,
            "days_p_value": self.days,
            "fail_together": [
                {"steps": [one, other], "p_value": p_value} for one, other, p_value in self.together
            ],
            "rejected": list(self.said),
        }


def goodness_of_fit(
    runs: Sequence[ObservedRun],
    numbers: Mapping[str, Number],
    together: Sequence[tuple[str, str, float]],
    hard_is_declared: bool,
) -> GoodnessOfFit:
    """Test how runs ended, day by day, and whether steps fail independently.

    Runs of one thread are not independent: the counts are those of as many runs as there are
    threads. Predicted shares are taken for exact, so that evidence that is short makes a rejection
    likelier: the metrics' own intervals say by how much.
    """
    ended = ended_runs(runs)
    scale = stories_of(ended) / len(ended) if ended else 1.0
    outcomes = _outcomes(ended, numbers, scale)
    days = _days(ended, scale)
    said = []
    if outcomes is not None and outcomes < LEVEL:
        said.append("runs do not end in the predicted shares")
    if days is not None and days < LEVEL:
        said.append(
            "escalations come and go by days more than independent runs would: intervals are too "
            "narrow"
        )
    if not hard_is_declared:
        said += [
            f"`{one}` and `{other}` do not fail independently of each other, as the model says: "
            "`traffic { hard: 15% }` can say it"
            for one, other, _ in together
        ]
    return GoodnessOfFit(outcomes, days, tuple(together), tuple(said))


def _outcomes(
    ended: Sequence[ObservedRun], numbers: Mapping[str, Number], scale: float
) -> float | None:
    shares = {}
    for name, metrics in (
        ("answered", (m.COVERAGE,)),
        ("escalated", (m.ESCALATION,)),
        ("rejected", (m.REJECTION,)),
        ("failed", (m.FAILURE,)),
    ):
        found = [numbers.get(metric) for metric in metrics]
        if any(number is None or number.value is None for number in found):
            return None
        shares[name] = sum(max(0.0, number.value or 0.0) for number in found if number is not None)
    counted = Counter(run.outcome for run in ended)
    counts = {name: round(counted[name] * scale) for name in ENDINGS}
    return fit_p_value(counts, shares)


def _days(ended: Sequence[ObservedRun], scale: float) -> float | None:
    """Pearson's test that the share of escalations is the same on all days with enough runs."""
    by_day: dict[int, list[int]] = {}
    for run in ended:
        count = by_day.setdefault(day_of(run.started), [0, 0])
        count[0] += run.outcome == ESCALATED
        count[1] += 1
    total = sum(count[1] for count in by_day.values())
    hits = sum(count[0] for count in by_day.values())
    if not total or hits in (0, total):
        return None
    share = hits / total
    days = [count for count in by_day.values() if count[1] * min(share, 1 - share) * scale >= 5]
    if len(days) < 3:
        return None
    share = sum(count[0] for count in days) / sum(count[1] for count in days)
    statistic = sum(
        scale * (hits - share * runs) ** 2 / (runs * share * (1 - share)) for hits, runs in days
    )
    return chi_square_p_value(statistic, len(days) - 1)
