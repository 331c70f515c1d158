"""Looks for planted wrong numbers in `data/sentences.jsonl`, and tells both rates."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from figures import offenders  # noqa: E402  (found beside this file only after the line above)


def rates() -> Counter[tuple[str, bool]]:
    """How many sentences of each kind are complained of; tells what was taken wrongly."""
    source = json.loads((HERE / "data" / "facts.json").read_text(encoding="utf-8"))
    counted: Counter[tuple[str, bool]] = Counter()
    for line in (HERE / "data" / "sentences.jsonl").read_text(encoding="utf-8").split("\n"):
        if line:
            row = json.loads(line)
            found = offenders(row["body"], source["facts"], source["years"])
            counted[row.get("kind", "right"), bool(found)] += 1
            if bool(found) != row["wrong"]:
                print(f"{row['case']} is taken wrongly, {found}: {row['body']!r}")
    return counted


def main() -> int:
    """Print the rates; 1 where a wrong number was not seen."""
    counted = rates()
    kinds = sorted({kind for kind, _ in counted} - {"right"})
    for kind in kinds:
        total = counted[kind, True] + counted[kind, False]
        print(f"{kind}: caught {counted[kind, True]} of {total}")
    alarms = counted["right", True]
    print(f"false alarms: {alarms} of {alarms + counted['right', False]} right sentences")
    return int(any(counted[kind, False] for kind in kinds))


if __name__ == "__main__":
    sys.exit(main())
