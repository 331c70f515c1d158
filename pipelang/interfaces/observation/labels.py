"""Labels: what people said of sampled answers, as far as it counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipelang.records import dataclass
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.inbox.cases import Case


@dataclass(frozen=True, slots=True)
class Label:
    """A sampled answer and the verdict on it. `chance` is the share of runs that was sampled, `at`
    when the last verdict came.
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
    """The labels that count, and how many do not: `hurried` verdicts, answers on which people do
    not agree (`contradicting`), and `open` ones that nobody has judged.
    """

    labels: tuple[Label, ...]
    hurried: int
    contradicting: int
    open: int

    def of(self, step: str) -> list[Label]:
        return [label for label in self.labels if label.step == step]


def labels_from(
    program: p.Program, pipeline: str, cases: Iterable[Case], release: str | None = None
) -> Labels:
    """The labels of a pipeline's answers among the cases of its runs, of one release or of all.

    Verdicts in less than the role's `rushed` do not count; where several people judged one answer,
    the heavier side does, by the `weight` of their roles, and neither if both weigh the same.
    """
    verdicts: dict[tuple[str, str, int], list[tuple[float, Case]]] = defaultdict(list)
    hurried = waiting = 0
    for case in cases:
        about = case.about
        if case.kind != "label" or about is None:
            continue
        if release is not None and about.get("program") not in (release, None):
            continue
        if case.verdict is None:
            waiting += case.state == "open"
            continue
        role = program.roles.get(case.role)
        rushed = None if role is None else role.rushed
        seconds = case.verdict.seconds
        if rushed is not None and seconds is not None and seconds < rushed:
            hurried += 1
            continue
        weight = 1.0 if role is None else float(role.weight)
        child, step = str(about.get("pipeline", pipeline)), str(about.get("step", case.name))
        name = step if child == pipeline else f"{child}.{step}"
        key = (case.run_id, name, int(about.get("visit") or 0))
        verdicts[key].append((weight, case))
    found, contradicting = [], 0
    for (run, step, _), judged in verdicts.items():
        label = _agreed(run, step, judged)
        if label is None:
            contradicting += 1
        else:
            found.append(label)
    found.sort(key=lambda label: (label.at, label.run, label.step))
    return Labels(tuple(found), hurried, contradicting, waiting)


def _agreed(run: str, step: str, judged: Sequence[tuple[float, Case]]) -> Label | None:
    right = wrong = 0.0
    for weight, case in judged:
        assert case.verdict is not None
        if case.verdict.yes:
            right += weight
        else:
            wrong += weight
    if right == wrong:
        return None
    about = judged[0][1].about or {}
    moments = [case.verdict.at or case.closed_at for _, case in judged if case.verdict is not None]
    at = max((moment.timestamp() for moment in moments if moment is not None), default=0.0)
    sure = about.get("confidence")
    return Label(
        run,
        step,
        right > wrong,
        float(sure) if isinstance(sure, (int, float)) else None,
        float(about.get("share") or 1.0),
        at,
        str(about.get("program", "")),
    )
