"""A figure lies between its ends: the value of every figure of a small file with counted shares.

What was counted is far from 0 and from all of a few cases, so that no posterior lies beside its
count; what is left is the arithmetic, and where a lattice's masses are taken to stand.
`INTERVAL_SEEDS=1000` tries more.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from pipelang.interfaces.check.check import check_file, report_json

from ..oracle.test_mutants import numbers

SEEDS = int(os.environ.get("INTERVAL_SEEDS", "24"))
BATCH = 8
CHOSEN = (37, 96, 263, 370, 615, 683, 1383)
"""Files in which a value of dollars lay beside its interval, by up to 3%: a mass that stood alone
on one lattice and not on another, and shares that come near to 99% and never reach it.
"""


def _likely(pick: Random, least: float) -> str:
    return _of(pick, pick.uniform(least, 0.999), (50, 200, 1000, 1000, 5000, 20000))


def _rare(pick: Random) -> str:
    cases = (50, 200, 1000, 5000, 20000)
    return _of(pick, pick.choice((0.002, 0.01, 0.02, 0.05, 0.2, 0.4)), cases)


def _of(pick: Random, share: float, cases: tuple[int, ...]) -> str:
    total = pick.choice(cases)
    return f"{min(total - 1, max(1, round(total * share)))} of {total}"


def _tier(pick: Random, number: int) -> list[str]:
    available = _likely(pick, 0.9) if pick.random() < 0.5 else "99.9%"
    transient = _rare(pick) if pick.random() < 0.6 else pick.choice(("1%", "5%"))
    return [
        f"provider maker_{number} {{ kind simulated available {available} }}",
        f'tier tier_{number} {{ provider maker_{number} model "m"',
        f"  price ${pick.choice((0, 1, 3))} in, ${pick.choice((1, 5, 15))} out",
        f"  latency {pick.choice((200, 600, 1500))}ms median, {pick.choice((2, 4, 9))}s p95",
        f"  transient {transient} context 100k tokens }}",
    ]


def _tool(pick: Random, number: int) -> list[str]:
    succeeds = _likely(pick, 0.8) if pick.random() < 0.7 else "99%"
    cost = pick.choice((0.001, 0.01, 0.5, 0.0037))
    return [
        f"tool tool_{number}(q: text) -> [text max 50 tokens] max 3 {{",
        f'  python "tools:t" effect read timeout 5s cost ${cost}',
        f"  succeeds {succeeds} latency 100ms median, 900ms p95 }}",
    ]


def _step(pick: Random, number: int, tiers: int) -> list[str]:
    ask = "ask say(x) by tier_{} {{ accuracy {} timeout 20s output {} tokens mean, 100 tokens max"
    first = ask.format(pick.randrange(tiers), _likely(pick, 0.5), pick.choice((20, 50)))
    correlation = pick.choice(("0%", "30%", "10 of 50"))
    retry = pick.randint(0, 3)
    lines = [f"step r{number}: Out = {first} correlation {correlation} retry {retry} }}"]
    if pick.random() < 0.6:
        lines.append("  else " + ask.format(pick.randrange(tiers), _likely(pick, 0.5), 30) + " }")
    lines.append('  else escalate to people "none"')
    if pick.random() < 0.6:
        rates = f"catches {_likely(pick, 0.3)} false_alarms {_rare(pick)}"
        lines += [
            f"gate g{number}: r{number}.confidence >= 80% {{ {rates} }}",
            f"  else redo r{number} up to {pick.randint(1, 3)}",
            '  else escalate to people "low"',
        ]
    return lines


def small_file(seed: int) -> str:
    """One or two answers behind up to two paid tools, of which some shares are counted."""
    pick = Random(seed)
    tiers, tools = pick.randint(1, 3), pick.randint(0, 2)
    lines = [
        "type In { body: text max 200 tokens }",
        "type Out { body: text max 100 tokens confidence: probability }",
        "role people { responds 15m median, 2h p95 accuracy 98% }",
        *(line for number in range(tiers) for line in _tier(pick, number)),
        *(line for number in range(tools) for line in _tool(pick, number)),
        'prompt say(x: In) """',
        "Say {{ x.body }} {% if feedback %}{{ feedback }}{% endif %}",
        '"""',
        "pipeline main(x: In) -> Out {",
    ]
    for number in range(tools):
        lines.append(
            f"step d{number} = call tool_{number}(x.body) {{ retry {pick.randint(0, 3)} }}"
        )
        lines.append(f"  else [] {{ accuracy {_likely(pick, 0.5)} }}")
    for number in range(pick.randint(1, 2)):
        lines += _step(pick, number, tiers)
    return "\n".join([*lines, "return r0", "}"]) + "\n"


def beside(text: str, path: Path) -> list[str]:
    """The figures of a file that lie beside their intervals."""
    path.write_text(text, encoding="utf-8")
    checked = check_file(str(path))
    reports = report_json([checked]).get("pipelines") or {}
    assert reports, [found.message for found in checked.diagnostics]
    return [
        f"{where}: {number}"
        for where, number in numbers(reports)
        if number["value"] is not None
        and not (
            (number["low"] is None or number["low"] <= number["value"])
            and (number["high"] is None or number["value"] <= number["high"])
        )
    ]


@pytest.mark.parametrize(
    "seeds", [CHOSEN, *(range(first, first + BATCH) for first in range(0, SEEDS, BATCH))]
)
def test_every_value_lies_in_its_interval(seeds: Sequence[int], tmp_path: Path) -> None:
    failures = []
    for seed in seeds:
        told = beside(small_file(seed), tmp_path / f"seed_{seed}.pipe")
        failures += [f"seed {seed}{one}" for one in told]
    assert not failures, "\n".join(failures)
