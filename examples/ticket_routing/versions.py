"""Tells six months of versions: an A/B, a promotion, and a canary that is taken back.

    python examples/ticket_routing/versions.py

What becomes of a ticket is drawn from what `pipelang check` predicts for each version, 280 a day,
all of them labelled; the guards and the tests are those of `pipelang release`. v2 lowers the
threshold of `sure` so that fewer tickets go to people, v3 was taught by its own outputs and is
wrong in silence twice as often. v2 is promoted once it is proved that fewer tickets go to people,
and that it is wrong in silence by less than two points more: the promise of 6% has room for that.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from pipelang.runtime.durable.versions.guards import ALPHA, LAST_LOOK, ShareGuard
from pipelang.runtime.durable.versions.releases import Guard
from pipelang.statistics.fisher import runs_for_look
from pipelang.statistics.two_samples import TwoShares

HERE = Path(__file__).parent
FILE = "ticket_routing.pipe"
A_DAY = 280
SURE, LOWER = "one.confidence >= 85% for one", "one.confidence >= 80% for one"
PROVED = 20.0
ROOM = 0.02

Outcomes = dict[str, float]


def predicted(text: str) -> Outcomes:
    """The shares of the outcomes that `pipelang check` predicts."""
    with tempfile.TemporaryDirectory(prefix="pipelang-versions-") as name:
        folder = Path(name)
        (folder / FILE).write_text(text, encoding="utf-8")
        (folder / "evals").symlink_to(HERE / "evals")
        done = subprocess.run(
            [sys.executable, "-m", "pipelang", "check", "--format", "json", FILE],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout:
            raise SystemExit(done.stderr)
        found = json.loads(done.stdout)["pipelines"]["route_ticket"]["outcomes"]
        return {outcome: number["value"] for outcome, number in found.items()}


def versions() -> dict[str, Outcomes]:
    """The outcomes of the three versions."""
    text = (HERE / FILE).read_text(encoding="utf-8")
    assert SURE in text
    second = predicted(text.replace(SURE, LOWER))
    wrong = second["silent_error"]
    third = {**second, "silent_error": 2 * wrong, "success": second["success"] - wrong}
    return {"v1": predicted(text), "v2": second, "v3": third}


def months(known: dict[str, Outcomes], seed: int = 1) -> list[str]:
    """The story, a line an event and a month."""
    chance = random.Random(seed)
    said = []
    current, canary, share = "v1", "", 0.0
    fewer, no_worse = TwoShares(), TwoShares(1.0, -ROOM)
    guard = ShareGuard(_silent(known["v2"]), ALPHA)
    begun = met = 0
    tally: Counter[str] = Counter()
    for day in range(1, 181):
        if day == 61:
            canary, share, begun = "v2", 0.5, day
            said.append(f"day {day}: v2 is out for 50%: fewer tickets for people")
        if day == 121:
            canary, share, begun, met = "v3", 0.1, day, 0
            said.append(f"day {day}: v3 is out for 10%, guarded on silent errors")
        today: dict[bool, list[str]] = {False: [], True: []}
        for _ in range(A_DAY):
            is_canary = bool(canary) and chance.random() < share
            version = known[canary if is_canary else current]
            outcome = chance.choices([*version], [*version.values()])[0]
            today[is_canary].append(outcome)
            tally[outcome] += 1
            if canary == "v3":
                met += is_canary
                guard.add(is_canary, outcome == "silent_error")
                if guard.state().is_worse:
                    after = day - begun + 1
                    said.append(f"day {day}: v3 is rolled back after {after} days, {met} tickets")
                    said.append(f"  {guard.state().why}")
                    canary = ""
        if canary == "v2":
            new, old = today[True], today[False]
            fewer.add(_count(new, "escalation"), _count(old, "escalation"))
            no_worse.add(_count(new, "silent_error"), _count(old, "silent_error"))
            if min(fewer.value, no_worse.value) >= PROVED:
                said.append(f"day {day}: v2 is promoted, proved after {day - begun + 1} days")
                current, canary = "v2", ""
        if day % 30 == 0:
            shares = ", ".join(
                f"{tally[name] / tally.total():.1%} {words}"
                for name, words in (("escalation", "to people"), ("silent_error", "wrong"))
            )
            said.append(f"month {day // 30}: {current}, {shares}")
            tally.clear()
    return said


def _silent(outcomes: Outcomes) -> Guard:
    share = outcomes["silent_error"]
    return Guard("silent_error", labels=runs_for_look(share, 2 * share, ALPHA * LAST_LOOK, 0.975))


def _count(outcomes: list[str], which: str) -> tuple[int, int]:
    return outcomes.count(which), len(outcomes)


if __name__ == "__main__":
    print("\n".join(months(versions())))
