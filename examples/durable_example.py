"""Runs an example in a store, with two workers under load, of which one is killed on the way.

    python examples/durable_example.py moderation
    python examples/durable_example.py ticket_routing --store postgresql://USER@HOST/DATABASE

All runs that `example.json` names under `durable` are submitted at once, twice (for two tenants);
people decide as the labels say, and let a hold pass. Exit code 1 where a run was lost or failed, or
where what is recorded of one is no whole chain. Needs `pip install 'pipelang-dsl[durable]'`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TENANTS = ("north", "south")
PIPELANG = (sys.executable, "-m", "pipelang")
LONGEST = 300.0
"""Seconds until what is still open counts as lost."""


def lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            yield json.loads(line)


def call(place: Path, *words: str) -> str:
    """The output of a command; ends this one where it fails."""
    done = subprocess.run([*PIPELANG, *words], cwd=place, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"pipelang {' '.join(words)}: {done.stderr}")
    return done.stdout


def workers(place: Path, file: Path, store: str, count: int) -> list[subprocess.Popen[str]]:
    """Start workers, and wait until they are ready."""
    line = [*PIPELANG, "worker", str(file), "--store", store, "--log-level", "error"]
    started = []
    for _ in range(count):
        log = (place / "workers.log").open("a")
        started.append(
            subprocess.Popen(line, cwd=place, stdout=subprocess.PIPE, stderr=log, text=True)
        )
    for one in started:
        assert one.stdout is not None
        one.stdout.readline()
    return started


class Desk:
    """The people of an example: they say what the labels say of a run."""

    def __init__(self, store: Any, words: Mapping[str, Mapping[str, Any]]) -> None:
        from pipelang.runtime.durable.cases import inbox_of

        self._inbox, self._words, self._met = inbox_of(store), words, set[str]()
        self.decided = 0

    def work(self) -> None:
        """Decide what waits."""
        for case in self._inbox.cases():
            if case.id not in self._met and case.kind in ("approve", "hold", "ask"):
                self._met.add(case.id)
                asyncio.run(self._decide(case))

    async def _decide(self, case: Any) -> None:
        from pipelang.runtime.inbox.cases import Refused

        words = self._words.get(case.run_id, {})
        with contextlib.suppress(Refused):
            if case.kind == "ask":
                if case.role not in words:
                    return
                await self._inbox.answer(case.id, words[case.role], by=case.role)
            else:
                yes = words.get(case.name, case.kind == "hold")
                await self._inbox.decide(case.id, yes=yes, by=case.role)
            self.decided += 1


def run_durably(name: str, run: Mapping[str, str], file: str, place: Path, store: str) -> bool:
    """Do one of an example's runs in a store; whether all went well."""
    from pipelang.runtime.durable import listing
    from pipelang.runtime.durable.history import auditing
    from pipelang.runtime.durable.store import Store

    folder = HERE / name
    labels = list(lines(folder / run["labels"]))
    given = str(folder / run["data"])
    ids: list[str] = []
    for tenant in TENANTS:
        words = ("submit", str(folder / file), run["pipeline"], "--input", f"@{given}")
        ids += call(place, *words, "--store", store, "--tenant", tenant).split()
    people = {
        id: label.get("people", {}) for id, label in zip(ids, [*labels, *labels], strict=True)
    }
    opened = Store.open(store)
    desk, two = Desk(opened, people), workers(place, folder / file, store, 2)
    end, killed = time.monotonic() + LONGEST, False
    try:
        while True:
            desk.work()
            found = {one["id"]: one for one in listing.runs(opened, ids)}
            ended = [one for one in found.values() if one["status"] in listing.ENDED]
            if len(ended) == len(ids) or time.monotonic() > end:
                break
            if not killed and 3 * len(ended) >= len(ids):
                two.pop().kill()  # as a machine dies: nothing is said to anybody
                two += workers(place, folder / file, store, 1)
                killed = True
            time.sleep(0.5)
    finally:
        for one in two:
            one.terminate()
            one.wait()
        chains = auditing.verify(opened)
        opened.close()
    broken = [] if isinstance(chains, auditing.WholeChains) else [str(chains)]
    return told(name, run, [found[id] for id in ids], desk.decided, killed, broken)


def told(
    name: str,
    run: Mapping[str, str],
    found: Sequence[Mapping[str, Any]],
    decided: int,
    killed: bool,
    broken: Sequence[str],
) -> bool:
    """Print how runs ended; whether all went well."""
    half = len(found) // 2
    counts = Counter(one["status"] for one in found)
    cost = sum(float(one["cost"]) for one in found)
    said = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    print(f"{name}: {run['pipeline']} in a store, {len(found)} runs on two workers")
    print(f"  {said}; people decided {decided}; ${cost:.4f}")
    print(f"  one worker was killed and replaced: {'yes' if killed else 'no, all was done before'}")
    wrong = [
        f"{one['id']} is {one['status']}: {one['result'] or one['waiting_for']}"
        for one in found
        if one["status"] not in ("answered", "escalated", "rejected")
    ]
    others = sum(
        one["status"] != other["status"]
        for one, other in zip(found[:half], found[half:], strict=True)
    )
    if others:  # which of a thread's came first decides what the next one remembers
        print(f"  {others} of {half} inputs ended otherwise for the other tenant")
    wrong += broken
    for problem in wrong:
        print(f"  BROKEN: {problem}")
    return not wrong


def main(names: Sequence[str] | None = None, store: str | None = None) -> int:
    """Run the examples that are named, or all that have a `durable`."""
    plans = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(HERE.glob("*/example.json"))
    }
    joined = [name for name, plan in plans.items() if plan.get("durable")]
    if names is None:
        parser = argparse.ArgumentParser(description="Run examples in a store.")
        parser.add_argument("names", nargs="*", choices=[*joined, []], metavar="NAME")
        parser.add_argument("--store", metavar="URL", help="Default: a file of SQLite, new.")
        options = parser.parse_args()
        names, store = options.names, options.store
    good = True
    for name in names or joined:
        plan = plans[name]
        for run in plan["runs"]:
            if run["pipeline"] in plan.get("durable", ()):
                with tempfile.TemporaryDirectory(prefix="pipelang-durable-") as folder:
                    os.environ["PIPELANG_EXAMPLE_STATE"] = folder
                    url = store or f"sqlite:///{folder}/runs.db"
                    file = run.get("file", plan["file"])
                    good = run_durably(name, run, file, Path(folder), url) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
