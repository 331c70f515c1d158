"""How far off the two-class model is where difficulty is a matter of degree: `docs/model.md`.

The difficulty of a case is drawn from a Beta, which the model does not share: answers to a case are
right with its own probability. The model is fitted to files of 1,000 such cases in 20 worlds, and
what it then says of a chain and of votes is put beside the truth, and beside independence.

    python -m benchmarks.difficulty
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np

from pipelang.analysis.model.class_likelihood import NoFit
from pipelang.analysis.model.two_classes import fitted
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_rows import EvidenceRow

WORLDS, CASES = 20, 1_000
Figure = Callable[[Any], Any]


def vote(right: Any, calls: int) -> Any:
    """The share of majorities that are right."""
    wins = range(calls // 2 + 1, calls + 1)
    return sum(comb(calls, k) * right**k * (1 - right) ** (calls - k) for k in wins)


FIGURES: dict[str, Figure] = {
    "chain of 4": lambda right: right**4,
    "vote 3": lambda right: vote(right, 3),
    "vote 9": lambda right: vote(right, 9),
}


def world(seed: int, mean: float, correlation: float, files: int) -> list[EvidenceFile]:
    """Files of verdicts on the same cases, whose difficulty is a Beta."""
    rng = np.random.default_rng(seed)
    size = 1 / correlation - 1
    right = rng.beta(mean * size, (1 - mean) * size, CASES)
    return [
        EvidenceFile(
            f"{at}.jsonl",
            tuple(
                EvidenceRow(None, bool(one), case, f"c{case}")
                for case, one in enumerate(rng.random(CASES) < right, 1)
            ),
        )
        for at in range(files)
    ]


def predicted(files: list[EvidenceFile], figure: Figure) -> float:
    """A figure by the fitted classes, for steps that are as the files are on the mean."""
    found = fitted(files)
    easy = float(np.mean([file.easy.share for file in found.files]))
    hard = float(np.mean([file.hard.share for file in found.files]))
    share = found.hard.share
    return float((1 - share) * figure(easy) + share * figure(hard))


def main() -> None:
    for mean, correlation in ((0.9, 0.1), (0.9, 0.3), (0.8, 0.3)):
        size = 1 / correlation - 1
        right = np.random.default_rng(1).beta(mean * size, (1 - mean) * size, 2_000_000)
        for files in (3, 5):
            worlds = [world(seed, mean, correlation, files) for seed in range(WORLDS)]
            for name, figure in FIGURES.items():
                found = []
                for one in worlds:
                    try:
                        found.append(predicted(one, figure))
                    except NoFit:
                        continue
                print(
                    f"{mean} {correlation} {files} files, {name}: true {figure(right).mean():.4f},"
                    f" independent {figure(mean):.4f}, two classes {np.mean(found):.4f}"
                    f" ± {np.std(found):.4f} ({WORLDS - len(found)} without a fit)"
                )


if __name__ == "__main__":
    main()
