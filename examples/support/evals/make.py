"""Makes `kind.jsonl` and `reply.jsonl`, the evidence that the example's analysis reads.

The rows are synthetic: nobody measured them. They are drawn, with a fixed seed, so that they look
like what teams report: a classifier that is right 94 times of 100 and a little too sure of itself,
and replies that are right 92 times of 100 and careful, since their prompt asks for it. Your own
rows come from people who look at a sample of runs; then delete this script.

Run it from anywhere: `python examples/support/evals/make.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SEED = 20261105


class Shape(NamedTuple):
    """How many rows there are, and the Beta distributions of the confidences in them."""

    right: int
    wrong: int
    when_right: tuple[float, float]
    when_wrong: tuple[float, float]


SHAPES = {
    "kind": Shape(right=602, wrong=38, when_right=(9, 0.35), when_wrong=(5, 1.5)),
    "reply": Shape(right=552, wrong=48, when_right=(17, 2.9), when_wrong=(8, 2.8)),
}


def rows(shape: Shape, random_source: random.Random) -> Iterator[dict[str, float | bool]]:
    """The rows of one file, right and wrong ones mixed."""
    verdicts = [True] * shape.right + [False] * shape.wrong
    random_source.shuffle(verdicts)
    for correct in verdicts:
        alpha, beta = shape.when_right if correct else shape.when_wrong
        confidence = min(round(random_source.betavariate(alpha, beta), 2), 0.99)
        yield {"confidence": confidence, "correct": correct}


def main() -> None:
    """Write both files beside this script."""
    for name, shape in SHAPES.items():
        random_source = random.Random(f"{SEED}-{name}")
        lines = (json.dumps(row) + "\n" for row in rows(shape, random_source))
        (HERE / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
