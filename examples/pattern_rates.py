"""Tries the patterns of an example on texts that somebody wrote to get past them.

    python examples/pattern_rates.py moderation

`example.json` names under `patterns` the `data`, a line a text:
{"set": "third", "case": "O301", "pattern": "speaks_to_us", "body": "...", "found": true}, where
`found` says whether it should be; and under `through` the function that a text goes through before
it is matched, if there is one. Told are both rates by set, and what is taken wrongly. The sets were
written one after the other, each before it was tried; its README says how the first tries went.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import re2

import pipelang

HERE = Path(__file__).resolve().parent


def rates(name: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The rates of an example as lines of text, and the rows that are taken wrongly."""
    folder = HERE / name
    plan = json.loads((folder / "example.json").read_text(encoding="utf-8"))
    patterns = pipelang.load(folder / plan["file"]).program.patterns
    through: Callable[[str], str] = str
    if "through" in plan["patterns"]:
        module, _, function = plan["patterns"]["through"].partition(":")
        sys.path.insert(0, str(folder))
        through = getattr(importlib.import_module(module), function)
    counted: Counter[tuple[str, str, bool, bool]] = Counter()
    wrong = []
    text = (folder / plan["patterns"]["data"]).read_text(encoding="utf-8")
    for row in map(json.loads, filter(None, text.split("\n"))):
        body = through(row["body"])
        found = any(re2.search(one, body) for one in patterns[row["pattern"]])
        counted[row["pattern"], row["set"], row["found"], found] += 1
        if found != row["found"]:
            wrong.append(row)
    told = []
    for pattern, group in dict.fromkeys(key[:2] for key in counted):
        caught, missed = (counted[pattern, group, True, found] for found in (True, False))
        alarms, passed = (counted[pattern, group, False, found] for found in (True, False))
        told.append(
            f"{pattern}, {group} set: found {caught} of {caught + missed},"
            f" false alarms {alarms} of {alarms + passed}"
        )
    return told, wrong


def main() -> int:
    """Print the rates of one example, or of all that have patterns to try."""
    joined = sorted(
        path.parent.name
        for path in HERE.glob("*/example.json")
        if "patterns" in json.loads(path.read_text(encoding="utf-8"))
    )
    parser = argparse.ArgumentParser(description="Try the patterns of examples on texts.")
    parser.add_argument("names", nargs="*", choices=[*joined, []], metavar="NAME")
    for name in parser.parse_args().names or joined:
        told, wrong = rates(name)
        print(f"{name}: patterns over written texts")
        for line in told:
            print(f"  {line}")
        for row in wrong:
            print(f"  {row['case']} is taken wrongly: {row['body']!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
