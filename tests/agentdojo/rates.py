"""The rates of `docs/agentdojo.md`: `python -m tests.agentdojo.rates`, some 20 seconds.

The same tables stand in the page; a test compares them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

from .acting import READERS, play, play_agent
from .effects import effect
from .pipelines import planned
from .reaching import gets_in, told_of, told_of_agent, verdicts
from .tasks import Suite, suites

Row = tuple[str, ...]


def _of(some: int, all: int) -> str:
    return f"{some} of {all}"


def _table(head: Row, rows: Iterable[tuple[str, list[tuple[int, int]]]]) -> str:
    """A table of shares by suite, with their sums."""
    found = list(rows)
    columns = zip(*(shares for _, shares in found), strict=True)
    sums = [(sum(some for some, _ in one), sum(all for _, all in one)) for one in columns]
    lines = [head, tuple("---" for _ in head)]
    for name, shares in [*found, ("**all**", sums)]:
        lines.append((name, *(_of(*share) for share in shares)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def ungated(suite: Suite) -> list[tuple[int, int]]:
    """Pipelines that the check flags, of those that an attack aims at, where one has its whole call
    within reach, where text from outside gets in at all, and where it does not.
    """
    of = verdicts(suite, "ungated")
    shut = frozenset(of.tasks) - of.open
    kinds = (of.aimed, of.reached, of.open, shut)
    return [(len(kind & of.flagged), len(kind)) for kind in kinds]


def gated(suite: Suite) -> list[tuple[int, int]]:
    """Pipelines that the check flags once gated: all, those that act, and those that only read."""
    of = verdicts(suite, "gated")
    reading = frozenset(of.tasks) - of.acting
    kinds = (frozenset(of.tasks), of.acting, reading)
    return [(len(kind & of.flagged), len(kind)) for kind in kinds]


def calls(suite: Suite) -> list[tuple[int, int]]:
    """Acting calls that the check flags in the third form, of the open ones and of the others; and
    the pipelines around acting tools that an agent has, without and with an approval.
    """
    told, count = told_of(suite, "parted"), Counter[tuple[bool, bool]]()
    for task in suite.users:
        for step in planned(suite, task, "parted"):
            if step.call.acts:
                is_open = gets_in(suite, step)
                count[is_open, step.at in told[task.id]] += 1
    acting = sum(effect(name) != "read" for name in suite.tools)
    return [
        (count[True, True], count[True, True] + count[True, False]),
        (count[False, True], count[False, True] + count[False, False]),
        (len(told_of_agent(suite, gated=False)), acting),
        (len(told_of_agent(suite, gated=True)), acting),
    ]


@cache
def attacked(suite: Suite) -> Counter[str]:
    """Runs of every user task under every attack that acts, by what became of it."""
    count = Counter[str]()
    for task in suite.users:
        for attack in (one for one in suite.attacks if one.acts):
            count["pairs"] += 1
            count["ungated"] += bool(play(suite, task, "ungated", attack, "signs all").forged)
            count["agent"] += bool(play_agent(suite, task, attack).forged)
            for reader in READERS:
                played = play(suite, task, "gated", attack, reader)
                count[reader] += bool(played.forged)
                if reader == READERS[0] and not played.forged:
                    count[f"by {played.refused_by or 'nothing there'}"] += 1
    return count


def refused(suite: Suite) -> list[tuple[int, int]]:
    """Attacked runs: refused in all, and by what."""
    count = attacked(suite)
    kinds = ("by nothing there", "by named", "by meant")
    shares = [(count["pairs"] - count["reads all"], count["pairs"])]
    return shares + [(count[kind], count["pairs"]) for kind in kinds]


def performed(suite: Suite) -> list[tuple[int, int]]:
    """Attacked runs in which something was performed that the user did not mean."""
    count = attacked(suite)
    return [(count[kind], count["pairs"]) for kind in ("ungated", "agent", *READERS)]


def benign(suite: Suite) -> list[tuple[int, int]]:
    """Runs without an attack that did all that the user meant, and nothing else."""
    all = len(suite.users)
    return [
        (sum(play(suite, one, "gated", None, "reads all").done for one in suite.users), all),
        (sum(play_agent(suite, one, None).done for one in suite.users), all),
    ]


TABLES = {
    "Check, ungated": (
        ("aimed at", "whole attack in reach", "text gets in", "nothing gets in"),
        ungated,
    ),
    "Check, gated": (("all", "that act", "that only read"), gated),
    "Check, call by call": (
        ("open calls", "closed calls", "agent's tools", "agent's tools, approved"),
        calls,
    ),
    "Run, benign": (("gated", "agent with least permits"), benign),
    "Run, attacked: refused": (("refused", "no such call", "gate", "approval"), refused),
    "Run, attacked: performed": (("ungated", "agent with least permits", *READERS), performed),
}


def report() -> dict[str, str]:
    """All tables by their titles."""
    return {
        title: _table(("suite", *head), [(one.name, counted(one)) for one in suites()])
        for title, (head, counted) in TABLES.items()
    }


def main() -> None:
    for title, table in report().items():
        print(f"{title}\n\n{table}")


if __name__ == "__main__":
    main()
