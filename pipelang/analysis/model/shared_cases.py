"""Evidence files that share cases: whether their verdicts hang together, by permutation.

If answers are independent, it does not matter which of a file's verdicts belongs to which case. So
the verdicts of each file are permuted over the cases that it shares, and the number of pairs of
wrong verdicts on one case is compared. The p-value is exact for any rates and any number of cases,
where a likelihood-ratio test is not: its null lies on the border of the two-class model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass
from pipelang.semantics.chance import EvidenceFile

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PERMUTATIONS = 9_999
SEED = 20261121
MOST_NUMBERS = 4_000_000
"""Verdicts that are permuted at once."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """The result of a test: cases that at least two files share, pairs of wrong verdicts on one
    case as found and as expected, and the p-value; `stopped` early it is only an estimate.
    """

    cases: int
    together: int
    expected: float
    p: float
    stopped: bool = False


def verdicts(file: EvidenceFile) -> dict[str, bool]:
    """Whether the first answer to each case is right."""
    found: dict[str, tuple[int, bool]] = {}
    for row in file.rows:
        if row.case is not None:
            known = found.get(row.case)
            if known is None or row.attempt < known[0]:
                found[row.case] = (row.attempt, row.correct)
    return {case: correct for case, (_, correct) in found.items()}


def shared_cases(files: Sequence[EvidenceFile]) -> list[str]:
    """The cases that at least two files have, in the order in which they are met."""
    counts: Counter[str] = Counter()
    for file in files:
        counts.update(verdicts(file).keys())
    return [case for case, count in counts.items() if count > 1]


def dependence(files: Sequence[EvidenceFile], level: float | None = None) -> Dependence | None:
    """Test whether the verdicts of some files are independent; None where they share no case. With
    a `level` the test stops as soon as the p-value cannot be below it.
    """
    import numpy as np

    cases = shared_cases(files)
    if not cases:
        return None
    place = {case: at for at, case in enumerate(cases)}
    columns: list[tuple[Array, Array]] = []
    for file in files:
        mine = [(place[case], not right) for case, right in verdicts(file).items() if case in place]
        if mine:
            places, wrong = zip(*mine, strict=True)
            columns.append((np.array(places), np.array(wrong)))
    observed = int(
        _together(_counts(columns, [wrong[None] for _, wrong in columns], len(cases)))[0]
    )
    generator = np.random.Generator(np.random.PCG64(SEED))
    rows = max(1, min(500, MOST_NUMBERS // len(cases)))
    done, reached, total = 0, 0, 0.0
    stops = None if level is None else level * (PERMUTATIONS + 1) - 1
    while done < PERMUTATIONS and (stops is None or reached < stops):
        count = min(rows, PERMUTATIONS - done)
        moved = [
            generator.permuted(np.broadcast_to(wrong, (count, len(wrong))), axis=1)
            for _, wrong in columns
        ]
        found = _together(_counts(columns, moved, len(cases)))
        reached += int((found >= observed).sum())
        total += float(found.sum())
        done += count
    p = (1 + reached) / (PERMUTATIONS + 1)
    return Dependence(len(cases), observed, total / done, p, done < PERMUTATIONS)


def _counts(columns: Sequence[tuple[Array, Array]], wrong: Sequence[Array], cases: int) -> Array:
    """For each permutation and case, the number of wrong verdicts."""
    import numpy as np

    found = np.zeros((len(wrong[0]), cases), dtype=np.int32)
    for (places, _), values in zip(columns, wrong, strict=True):
        found[:, places] += values
    return found


def _together(counts: Array) -> Array:
    """The number of pairs of wrong verdicts on one case."""
    pairs: Array = (counts * (counts - 1) // 2).sum(axis=1)
    return pairs
