"""Tells the month week by week: what changes while an extractor silently gets worse.

    python examples/invoice_processing/weeks.py

Every figure but the last column is known without labels; the last one only people can tell.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # where run_example.py lies

import run_example  # noqa: E402

CHECKS = ("adds", "on_paper", "same_account", "ordered", "numbered")
"""The gates that compare what was read with something else."""


def weeks() -> list[str]:
    """The table, a line a week."""
    plan = json.loads((HERE / "example.json").read_text(encoding="utf-8"))
    results = asyncio.run(run_example.run_all(HERE, plan["file"], plan["runs"][1], False))
    lines = (HERE / "recordings/invoice_processing.jsonl").read_text(encoding="utf-8").split("\n")
    sure: dict[str, float] = {}
    for row in map(json.loads, filter(None, lines[1:])):
        if "answer" in row:
            sure.setdefault(row["args"]["id"], row["answer"]["confidence"])
    said = ["week  paid  to people  by a check  sent back  confidence  wrong and unnoticed"]
    for week in range(1, 5):
        ran = [(a, b) for a, b in results if a["case"].startswith(f"W{week}-")]
        ends = [run_example.how_it_ended(result, label, False) for label, result in ran]
        reasons = [getattr(result, "reason", "") for _, result in ran]
        again = sum(float(result.cost) > 1.4 * cheapest(results) for _, result in ran)
        mean = sum(sure[label["case"]] for label, _ in ran) / len(ran)
        paid = ends.count("success") + ends.count("silent_error")
        caught = sum(reason in CHECKS for reason in reasons)
        said.append(
            f"{week:4}{paid:6}{ends.count('escalation'):11}{caught:12}{again:11}{mean:12.1%}"
            f"{ends.count('silent_error'):21}"
        )
    return said


def cheapest(results: list[run_example.Any]) -> float:
    """What a run costs whose invoice is read once."""
    costs = sorted(float(result.cost) for _, result in results if result.cost)
    return costs[len(costs) // 4]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="pipelang-examples-") as state:
        os.environ.setdefault(run_example.STATE, state)
        print("\n".join(weeks()))
