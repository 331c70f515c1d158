"""Labels: what people said of sampled answers, as far as it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pipelang.records import dataclass
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.inbox.cases import Case


@dataclass(frozen=True, slots=True)
class AnswerLabel:
    """A sampled answer and the verdict on it. `chance` is the share of runs that was sampled, `at`
    when the last verdict came; `step` is `child.step` of a sub-pipeline's.
    """

    run: str
    step: str
    right: bool
    confidence: float | None
    chance: float
    at: float
    program: str


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that count, how many verdicts do not for which reason, and how many answers wait
    for one.
    """

    labels: tuple[AnswerLabel, ...]
    left_out: Mapping[str, int]
    open: int

    def of(self, step: str) -> list[AnswerLabel]:
        return [label for label in self.labels if label.step == step]


def labels_from(
    program: p.Program, pipeline: str, cases: Iterable[Case], release: str | None = None
) -> Labels:
    """The labels of a pipeline's answers among the cases of its runs, of one release or of all.

    Which verdicts count is the same as for `evidence pull` (`interfaces/labels`).
    """
    from pipelang.interfaces.labels.verdicts import verdicts

    every = [case for case in cases if case.kind != "label" or _is_of(case, release)]
    judged = verdicts(program, every)
    when: dict[tuple[str, str], float] = {}
    for case in every:
        if case.kind == "label" and case.verdict is not None and case.verdict.at is not None:
            key = (case.run_id, case.name)
            when[key] = max(when.get(key, 0.0), case.verdict.at.timestamp())
    found = []
    for one in judged.judged:
        name = one.step if one.pipeline == pipeline else f"{one.pipeline}.{one.step}"
        sure = one.about.get("confidence")
        found.append(
            AnswerLabel(
                one.run,
                name,
                one.right,
                float(sure) if isinstance(sure, (int, float)) else None,
                one.share,
                when.get((one.run, one.answer[2]), 0.0),
                str(one.about.get("program") or ""),
            )
        )
    found.sort(key=lambda label: (label.at, label.run, label.step))
    return Labels(tuple(found), dict(judged.left_out), judged.waiting)


def _is_of(case: Case, release: str | None) -> bool:
    """Whether a label is of a release; one that does not say it is of any."""
    told = None if case.about is None else case.about.get("program")
    return release is None or told is None or release.startswith(str(told))
