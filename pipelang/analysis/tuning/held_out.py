"""Scores of chosen thresholds on rows that did not choose them.

A threshold that was chosen on some rows looks better on them than it will be. So the cases are
dealt into five folds, one division for all files: in the order of the hash of the case, so that
each fold has as many wrong rows of each file as the others, and as many right ones. Five times a
fold is left out, the thresholds are chosen again on the rest, as the printed ones were on all rows,
and what was chosen is worked out by the rows left out alone. The mean of these five is the score. A
file with fewer wrong rows than there are folds gives no score: some fold would have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice, product
from operator import eq, ne

from pipelang.analysis.model.intervals import compare
from pipelang.analysis.tuning.columns import Columns, Figures
from pipelang.analysis.tuning.dimensions import Assignment, moves
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_rows import EvidenceRow
from pipelang.semantics.metrics import COST_MEAN

FOLDS = 5
MOST_TRIED = 2_000
"""Combinations of thresholds that are chosen among, in each fold."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The mean figures of what each fold's other rows chose, by the rows of the fold; None where
    `thin` files have too few wrong rows. `files` are those that the thresholds are on.
    """

    files: tuple[str, ...]
    figures: Figures | None
    thin: tuple[str, ...] = ()


def held_out(
    worker: Columns, pipeline: p.Pipeline, best: Assignment, seen: Sequence[Assignment]
) -> HeldOut | None:
    """The score of the thresholds of an assignment; None where no threshold of evidence is set.
    `seen` are the assignments that were worked out.
    """
    files = tuple(dict.fromkeys(one.file for one in worker.thresholds if one.by in worker.cuts))
    if not files:
        return None
    evidence = worker.bench.program.evidence
    thin = tuple(name for name in files if _wrong(evidence[name]) < FOLDS)
    if thin:
        return HeldOut(files, None, thin)
    tried, now = _alike(worker, best, seen), tuple(one.now for one in worker.dimensions)
    folds = folds_of({name: evidence[name] for name in files})
    found: list[Figures] = []
    for fold in range(FOLDS):
        rest = _part(evidence, folds, partial(ne, fold))
        mine = _part(evidence, folds, partial(eq, fold))
        chosen = _chosen(pipeline, tried, worker.figures(tried, rest), now)
        score = None if chosen is None else worker.figures([chosen], mine)[0]
        if score is None:
            return HeldOut(files, None)
        found.append(score)
    shared = [name for name in found[0] if all(name in one for one in found)]
    return HeldOut(files, {name: sum(one[name] for one in found) / FOLDS for name in shared})


def folds_of(files: Mapping[str, EvidenceFile]) -> dict[str, dict[int, int]]:
    """The fold of each row, by the file's name and the row's line. Cases come in the order of their
    hash, those that are wrong somewhere first, each to the fold that has the fewest rows of its
    files with its verdicts.
    """
    verdicts: dict[str, list[tuple[str, bool]]] = {}
    for name, file in files.items():
        for row in file.rows:
            verdicts.setdefault(_case(name, row), []).append((name, row.correct))
    order = sorted(
        verdicts, key=lambda x: (all(v for _, v in verdicts[x]), sha256(x.encode()).digest())
    )
    counts: Counter[tuple[int, str, bool]] = Counter()
    dealt: dict[str, int] = {}
    for case in order:
        mine = verdicts[case]
        fold = min(range(FOLDS), key=lambda x: (sum(counts[x, *one] for one in mine), x))
        dealt[case] = fold
        counts.update((fold, *one) for one in mine)
    return {
        name: {row.line: dealt[_case(name, row)] for row in file.rows}
        for name, file in files.items()
    }


def _case(file: str, row: EvidenceRow) -> str:
    """The input that a row is about; a row that names none is a case of its own."""
    case = getattr(row, "case", None)
    return f"case {case}" if case is not None else f"{file}:{row.line}"


def _wrong(file: EvidenceFile) -> int:
    return len(file.rows) - file.right


def _part(
    evidence: Mapping[str, EvidenceFile],
    folds: Mapping[str, Mapping[int, int]],
    takes: Callable[[int], bool],
) -> dict[str, EvidenceFile]:
    """The evidence with the rows of some folds alone."""
    found = dict(evidence)
    for name, places in folds.items():
        file = evidence[name]
        rows = tuple(row for row in file.rows if takes(places[row.line]))
        found[name] = replace(file, rows=rows)
    return found


def _alike(worker: Columns, best: Assignment, seen: Sequence[Assignment]) -> list[Assignment]:
    """Assignments that differ from one only in thresholds: all of them where they are few, else
    those that were worked out, and each threshold moved by itself.
    """
    choices = [
        range(len(one.choices)) if at in worker.cuts else (best[at],)
        for at, one in enumerate(worker.dimensions)
    ]
    every = list(islice(product(*choices), MOST_TRIED + 1))
    if len(every) <= MOST_TRIED:
        return every
    found = {best: None}
    for at in sorted(worker.cuts):
        for choice in choices[at]:
            found[*best[:at], choice, *best[at + 1 :]] = None
    fixed = [at for at in range(len(best)) if at not in worker.cuts]
    for one in seen:
        if len(found) < MOST_TRIED and all(one[at] == best[at] for at in fixed):
            found[one] = None
    return list(found)


def _chosen(
    pipeline: p.Pipeline,
    tried: Sequence[Assignment],
    figures: Sequence[Figures | None],
    now: Assignment,
) -> Assignment | None:
    """The cheapest that keeps every promise by these figures; where none does, that which misses
    them by least. Of equals the nearest to what is written, as of all rows.
    """
    known = [(one, found) for one, found in zip(tried, figures, strict=True) if found is not None]
    if not known:
        return None

    def rank(pair: tuple[Assignment, Figures]) -> tuple[float, float, int, Assignment]:
        one, found = pair
        return missed(pipeline, found), found.get(COST_MEAN, 0.0), moves(one, now), one

    return min(known, key=rank)[0]


def missed(pipeline: p.Pipeline, figures: Figures) -> float:
    """By how much the promises are missed, together, each as a part of its target."""
    total = 0.0
    for line in pipeline.slo:
        value, target = figures.get(line.metric), float(line.target)
        if line.when is None and value is not None and not compare(value, line.op, target):
            total += abs(value - target) / (abs(target) or 1.0) + 1e-12
    return total
