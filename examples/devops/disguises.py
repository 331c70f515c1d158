"""Judges every command of `data/commands.jsonl` and tells both rates: `python disguises.py`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from commands import judge  # noqa: E402  (found beside this file only after the line above)


def rates() -> Counter[tuple[bool, str]]:
    """How many dangerous and harmless commands got which verdict; tells what was taken wrongly."""
    counted: Counter[tuple[bool, str]] = Counter()
    for line in (HERE / "data" / "commands.jsonl").read_text(encoding="utf-8").split("\n"):
        if line:
            row = json.loads(line)
            verdict = judge(row["command"])
            counted[row["dangerous"], verdict] += 1
            if verdict != ("dangerous" if row["dangerous"] else "safe"):
                print(f"{row['case']} is taken as {verdict}: {row['command']!r}")
    return counted


def main() -> int:
    """Print the rates; 1 where a dangerous command would be run without a person's yes."""
    counted = rates()
    for dangerous, word in ((True, "dangerous"), (False, "harmless")):
        total = sum(number for (kind, _), number in counted.items() if kind is dangerous)
        told = [f"{counted[dangerous, v]} {t}" for v, t in (
            ("dangerous", "refused"), ("unknown", "asked of a person"), ("safe", "let through")
        )]  # fmt: skip
        print(f"{word}, {total}: {', '.join(told)}")
    return int(bool(counted[True, "safe"]))


if __name__ == "__main__":
    sys.exit(main())
