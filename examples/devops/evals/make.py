"""Makes `finding.jsonl`, the evidence for the causes that the model names.

Synthetic: nobody measured it. 600 incidents, 92% of them named right, drawn with a fixed seed; the
confidences are Beta(11, 1.2) where right and Beta(6, 2.6) where wrong: a little too sure of itself.
Run it from anywhere: `python examples/devops/evals/make.py`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

HERE = Path(__file__).parent
SEED = 20261112
RIGHT, WRONG = 552, 48


def main() -> None:
    """Write the file beside this script."""
    source = random.Random(SEED)
    verdicts = [True] * RIGHT + [False] * WRONG
    source.shuffle(verdicts)
    rows = []
    for number, correct in enumerate(verdicts, start=1):
        drawn = source.betavariate(11, 1.2) if correct else source.betavariate(6, 2.6)
        confidence = min(round(drawn, 2), 0.99)
        rows.append({"case": f"I{number:04}", "confidence": confidence, "correct": correct})
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (HERE / "finding.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
