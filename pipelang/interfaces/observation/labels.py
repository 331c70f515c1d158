"""Labels: what people said of sampled answers, as far as it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from pipelang.interfaces.observation.records import day_of
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.inbox.cases import Case


@dataclass(frozen=True, slots=True)
class AnswerLabel:
    """A sampled answer and the verdict on it. `chance` is the share of runs that was sampled, `at`
    when the last verdict came; `step` is `child.step` of a sub-pipeline's. `place` says which
    answer of the step it is, `visit` how often that was done again before.
    """

    run: str
    step: str
    right: bool
    confidence: float | None
    chance: float
    at: float
    program: str
    place: str = ""
    visit: int = 0


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


def speaking(labels: Iterable[AnswerLabel], step: str) -> list[AnswerLabel]:
    """The labels of a step of which one speaks for each run, drawn by chance among those of the day
    on which its first ones came.

    Elements of one list, answers of a sub-pipeline that runs often, and answers that were done
    again are right or wrong together more often than answers of different runs are: a test that
    took them for independent would find changes that are none.
    """
    by_run: dict[str, list[AnswerLabel]] = {}
    for label in labels:
        if label.step == step:
            by_run.setdefault(label.run, []).append(label)
    found = []
    for mine in by_run.values():
        first = min(day_of(one.at) for one in mine)
        found.append(min((one for one in mine if day_of(one.at) == first), key=_lot))
    return sorted(found, key=lambda label: (label.at, label.run))


def _lot(label: AnswerLabel) -> bytes:
    text = f"{label.run}:{label.place}:{label.visit}"
    return sha256(text.encode(errors="surrogatepass")).digest()


def of_returned(labels: Iterable[AnswerLabel], step: str | None) -> list[AnswerLabel]:
    """Labels of a step that is returned, one for each run: right if the last answer at each place
    is, by the last verdict's time.
    """
    last: dict[str, dict[str, AnswerLabel]] = {}
    for label in labels:
        if label.step == step:
            places = last.setdefault(label.run, {})
            if label.place not in places or places[label.place].visit < label.visit:
                places[label.place] = label
    found = []
    for places in last.values():
        mine = list(places.values())
        latest = max(mine, key=lambda label: label.at)
        right = all(label.right for label in mine)
        found.append(replace(latest, right=right, chance=min(one.chance for one in mine)))
    return sorted(found, key=lambda label: (label.at, label.run))


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
                float(sure) if sure is not None and 0 <= sure <= 1 else None,
                one.share,
                when.get((one.run, one.answer[2]), 0.0),
                str(one.about.get("program") or ""),
                one.answer[2],
                one.visit,
            )
        )
    found.sort(key=lambda label: (label.at, label.run, label.step))
    return Labels(tuple(found), dict(judged.left_out), judged.waiting)


def _is_of(case: Case, release: str | None) -> bool:
    """Whether a label is of a release; one that does not say it is of any."""
    told = None if case.about is None else case.about.get("program")
    return release is None or told is None or release.startswith(str(told))
