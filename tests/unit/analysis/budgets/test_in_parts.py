"""Sheets over many columns are swept some columns at a time: nothing changes by that, and nothing
holds all columns but the shares of runs at the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.budgets import arithmetic, enclosures
from pipelang.analysis.frontier.totals import Totals
from pipelang.analysis.sweep import sweep as sweeping
from pipelang.interfaces.check.check import check_file, report_json

from ..one_lab import WORLD

PIPELINE = """
pipeline main(ticket: text max 200 tokens) -> Answer {
  budget $0.004, 3 steps else escalate to desk "spent"
  step one: Answer = ask say(ticket) by model { FIRST output 20 tokens mean, 100 tokens max }
    else escalate to desk "none"
  gate sure: one.confidence >= 80% { RATES } else redo one up to 3
    else escalate to desk "unsure"
  step two: Answer = ask say(one.body) by model { accuracy 90% output 20 tokens mean }
    else escalate to desk "none"
  return two
}
"""
COUNTED, RATES = "accuracy 91 of 100", "catches 80 of 100 false_alarms 40 of 200"
FILES = {"draws": (COUNTED, RATES), "grid": ("", ""), "draws at points": (COUNTED, "")}


def text_of(kind: str) -> str:
    first, rates = FILES[kind]
    return WORLD + PIPELINE.replace("FIRST", first).replace("RATES", rates)


def report(text: str, folder: Path) -> Any:
    path = folder / "main.pipe"
    path.write_text(text, encoding="utf-8")
    return report_json([check_file(str(path))])


@pytest.mark.parametrize("kind", FILES)
def test_parts_of_the_columns_say_what_all_say(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    plain = sweeping.sweep

    def watched(model: Any, **more: Any) -> Totals:
        found = plain(model, **more)
        shares = [one for _, weight in found.endings.values() for one in columns_of(weight)]
        sizes.append(max(shares, default=1))
        return found

    def columns_of(weight: Any) -> list[int]:
        return [getattr(one, "size", 1) for one in getattr(weight, "entries", {}).values()]

    monkeypatch.setattr(enclosures, "sweep", watched)
    monkeypatch.setattr(arithmetic, "MOST_NUMBERS", 10**12)
    whole = report(text_of(kind), tmp_path)
    at_once = max(sizes)
    assert whole["pipelines"]["main"]["cut"], whole
    sizes.clear()
    monkeypatch.setattr(arithmetic, "MOST_NUMBERS", 1)
    monkeypatch.setattr(arithmetic, "LEAST_COLUMNS", 3)
    assert report(text_of(kind), tmp_path) == whole
    assert len(sizes) > 1
    assert max(sizes) < at_once
