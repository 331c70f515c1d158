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
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))  # where example_data.py lies

from example_data import confidences, write_lines  # noqa: E402

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


HARD = 0.12
"""The share of the tickets that are hard: two issues in one, sarcasm, another language."""
WRONG_ON_HARD = {"kind": 22, "reply": 26}
"""How many of the wrong answers are about hard tickets."""


def about_tickets(
    source: random.Random, rows: list[dict[str, Any]], hard: list[int], others: list[int], on: int
) -> list[dict[str, Any]]:
    """The rows, each about a ticket; `on` of the wrong ones are about hard tickets."""
    wrong = [row for row in rows if not row["correct"]]
    right = [row for row in rows if row["correct"]]
    source.shuffle(wrong)
    for_hard = wrong[:on] + right[: len(hard) - on]
    for_others = wrong[on:] + right[len(hard) - on :]
    source.shuffle(for_hard)
    source.shuffle(for_others)
    said = {**dict(zip(hard, for_hard, strict=True)), **dict(zip(others, for_others, strict=True))}
    return [{"case": f"E{number:04}", **said[number]} for number in sorted(said)]


def main() -> None:
    """Write both files beside this script: the replies are to the first of the tickets sorted."""
    source = random.Random(f"{SEED}-tickets")
    most = max(shape.right + shape.wrong for shape in SHAPES.values())
    hard = set(source.sample(range(1, most + 1), round(HARD * most)))
    for name, shape in SHAPES.items():
        rows = confidences(random.Random(f"{SEED}-{name}"), *shape)
        tickets = range(1, len(rows) + 1)
        odd = [number for number in tickets if number in hard]
        plain = [number for number in tickets if number not in hard]
        said = about_tickets(source, rows, odd, plain, WRONG_ON_HARD[name])
        write_lines(HERE / f"{name}.jsonl", said)


if __name__ == "__main__":
    main()
