"""Makes `finding.jsonl`, the evidence for the causes that the model names.

Synthetic: nobody measured it. 600 incidents, 92% of them named right, drawn with a fixed seed; the
confidences are Beta(11, 1.2) where right and Beta(6, 2.6) where wrong: a little too sure of itself.
Run it from anywhere: `python examples/devops/evals/make.py`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))  # where example_data.py lies

from example_data import confidences, numbered, write_lines  # noqa: E402

SEED = 20261112
RIGHT, WRONG = 552, 48


def main() -> None:
    """Write the file beside this script."""
    source = random.Random(SEED)
    rows = confidences(source, RIGHT, WRONG, when_right=(11, 1.2), when_wrong=(6, 2.6))
    write_lines(HERE / "finding.jsonl", numbered("I", rows))


if __name__ == "__main__":
    main()
