"""The words that reports have for every metric of `semantics/metrics.py`.

How a value is written hangs on the unit alone: `interfaces/text/number_format.of_metric`. What
stands here is what a reader is told of the metric itself.
"""

from __future__ import annotations

from pipelang.records import dataclass
from pipelang.semantics import metrics as m


@dataclass(frozen=True, slots=True)
class MetricWords:
    """The words for a metric.

    `label` names a row of runs, painted in `style`, and `column` a column of them; `verbs` say the
    same of one run and of several. `derived` says how the number adds up, above its derivation. A
    metric that is `beside` others follows from them, so a comparison leaves it
    out unless everything is wanted.
    """

    label: str = ""
    style: str = ""
    verbs: tuple[str, str] = ("", "")
    derived: str = ""
    beside: bool = False
    column: str = ""


_NONE = MetricWords()
_BESIDE = MetricWords(beside=True)
_CALLS = "What each call costs, times how many there are in a mean run"

WORDS: dict[str, MetricWords] = {
    m.SUCCESS: MetricWords(
        "answered right",
        "good",
        ("is answered right", "are answered right"),
        "Begin with all runs, and take off at each item those that are right no longer.",
        column="right",
    ),
    m.SILENT_ERROR: MetricWords(
        "answered wrong",
        "bad",
        (
            "is answered wrong without anybody noticing",
            "are answered wrong without anybody noticing",
        ),
        "Begin with none; add at each item what goes wrong, take off what is caught.",
        column="wrong",
    ),
    m.ESCALATION: MetricWords(
        "to a person",
        "people",
        ("goes to a person", "go to a person"),
        "Add up the runs that each item sends to a person.",
        column="to people",
    ),
    m.REJECTION: MetricWords(
        "rejected",
        "",
        ("is rejected", "are rejected"),
        "Add up the runs that each item rejects.",
        column="rejected",
    ),
    m.FAILURE: MetricWords(
        "failed",
        "bad",
        ("fails", "fail"),
        "Add up the runs that fail at each item.",
        column="failed",
    ),
    m.COVERAGE: MetricWords(
        derived="Begin with all runs, and take off at each item those that end without an answer.",
        beside=True,
    ),
    m.AVAILABILITY: MetricWords(
        derived="Begin with all runs, and take off at each item those that fail.", beside=True
    ),
    m.WRONG_EFFECT: MetricWords(
        derived="Add up the runs in which an item does something with a wrong value."
    ),
    m.SELECTIVE_RISK: MetricWords(
        derived="The wrong answers (first column), divided by all answers."
    ),
    m.COST_MEAN: MetricWords(derived=f"{_CALLS}."),
    m.COST: MetricWords(derived=f"{_CALLS}."),
    m.COST_MONTH: MetricWords(derived=f"{_CALLS}; then the month."),
    m.COST_WORST: MetricWords(
        derived="Every prompt and answer at its longest, times every try on the dearest path."
    ),
    m.COST_BASELINE: _NONE,
    m.TOKENS_MEAN: MetricWords(
        derived="Tokens that a call reads and writes, times how many there are in a mean run."
    ),
    m.TOKENS_WORST: _NONE,
    **{f"{family}.{m.MEAN}": _NONE for family in (m.LATENCY, m.TURNAROUND)},
    **{f"{family}.{m.WORST}": _NONE for family in (m.LATENCY, m.TURNAROUND)},
    **{f"{family}.{m.P95}": _NONE for family in (m.COST, m.LATENCY, m.TURNAROUND)},
    # The middle and the far end of a distribution move with its 95%.
    **{
        f"{family}.{read}": _BESIDE
        for family in (m.COST, m.LATENCY, m.TURNAROUND)
        for read in (m.P50, m.P99)
    },
    m.REVIEW_LOAD: _NONE,
    **dict.fromkeys((m.ACCURACY, m.CALIBRATION, m.ERROR_RATE, m.LATENCY, m.TURNAROUND), _NONE),
}
"""The words for every metric, by its name."""


def words_of(name: str) -> MetricWords:
    """The words for a metric as a report names it, with its argument."""
    return WORDS[m.metric_of(name).name]
