"""Makes `kind.jsonl` and `reply.jsonl`, the evidence that the example's analysis reads.

The rows are synthetic: nobody measured them. They are drawn, with a fixed seed, so that they look
like what teams report: a classifier that is right 94 times of 100 and a little too sure of itself,
and replies that are right 92 times of 100 and careful, since their prompt asks for it. Your own
rows come from people who look at a sample of runs; then delete this script.

Run it from anywhere: `python examples/support/evals/make.py`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))  # where example_data.py lies

from example_data import confidences, numbered, write_lines  # noqa: E402

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


def main() -> None:
    """Write both files beside this script."""
    for name, shape in SHAPES.items():
        random_source = random.Random(f"{SEED}-{name}")
        rows = confidences(random_source, *shape)
        write_lines(HERE / f"{name}.jsonl", numbered(name[0].upper(), rows))


if __name__ == "__main__":
    main()
