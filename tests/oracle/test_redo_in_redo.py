"""A gate that a redo judges again takes a redo of its own, of a step that the outer one left alone.

What stands between and reads that step must be made anew before the outer gate is judged. Every
sequence of draws is played by a few lines that follow the language's words for a redo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from pipelang.analysis.metrics.analyse import analyse
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

ITEMS = ("s0", "s1", "gi", "gj", "u", "gk")
READS = {"s0": (), "s1": (), "u": ("s0",), "gi": ("s0", "s1"), "gj": ("s1",), "gk": ("u", "s1")}
REDOES = {"gi": "s0", "gj": "s1", "gk": "s1"}
RATES = {
    "gi": (Fraction(6, 10), Fraction(15, 100)),
    "gj": (Fraction(7, 10), Fraction(1, 10)),
    "gk": (Fraction(8, 10), Fraction(5, 100)),
}
ACCURACY = Fraction(9, 10)
TEXT = """
tool t(a: int) -> int {{ python "m:f" effect read succeeds 100% accuracy 90% }}
role desk {{ }}
pipeline main(x: int) -> int {{
  step s0 = call t(x) {{ correlation {0}% }}
  step s1 = call t(x) {{ correlation {1}% }}
  gate gi: s0 + s1 > 0 {{ catches 60% false_alarms 15% }}
    else redo s0 up to 1 else escalate to desk
  gate gj: s1 > 1 {{ catches 70% false_alarms 10% }} else redo s1 up to 1 else escalate to desk
  step u = call t(s0) {{ correlation {2}% }}
  gate gk: u + s1 > 2 {{ catches 80% false_alarms 5% }} else redo s1 up to 1 else escalate to desk
  return u
}}
"""


class Undecided(Exception):
    pass


class Ended(Exception):
    pass


def readers(first: int, last: int, changed: set[str]) -> set[int]:
    names, found = set(changed), set()
    for index in range(first, last + 1):
        if set(READS[ITEMS[index]]) & names:
            found.add(index)
            names.add(ITEMS[index])
    return found


class Play:
    """One run; `decide` says what a draw of this probability comes to."""

    def __init__(
        self, decide: Callable[[Fraction], bool], copies: dict[str, Fraction], times: int
    ) -> None:
        self.decide, self.copies, self.times = decide, copies, times
        self.right: dict[str, bool] = {}
        self.latent: dict[str, bool] = {}
        self.version: dict[str, int] = defaultdict(int)
        self.verdicts: dict[tuple[str, tuple[int, ...]], bool] = {}
        self.used: dict[str, int] = defaultdict(int)

    def whole(self) -> str:
        try:
            self.go(set(range(len(ITEMS))), len(ITEMS), set())
        except Ended as ended:
            return str(ended)
        return "success" if self.right["u"] else "silent_error"

    def go(self, chosen: set[int], stop: int, renewed: set[str]) -> None:
        for index in range(stop):
            name = ITEMS[index]
            if index not in chosen:
                continue
            if name not in REDOES:
                self.make(name)
                renewed.add(name)
                continue
            again: set[str] = set()
            self.judge(index, again)
            chosen |= readers(index + 1, stop - 1, again)
            renewed |= again

    def make(self, name: str) -> None:
        if name not in self.latent or not self.decide(self.copies[name]):
            self.latent[name] = self.decide(ACCURACY)
        self.right[name] = self.latent[name] and all(self.right[read] for read in READS[name])
        self.version[name] += 1

    def judge(self, index: int, renewed: set[str]) -> None:
        name = ITEMS[index]
        while True:
            key = (name, tuple(self.version[read] for read in READS[name]))
            if key not in self.verdicts:
                catches, alarms = RATES[name]
                right = all(self.right[read] for read in READS[name])
                self.verdicts[key] = self.decide(1 - (alarms if right else catches))
            if self.verdicts[key]:
                return
            if self.used[name] >= self.times:
                raise Ended(name)
            self.used[name] += 1
            step = ITEMS.index(REDOES[name])
            self.go({step} | readers(step + 1, index - 1, {REDOES[name]}), index, renewed)


def enumerated(copies: dict[str, Fraction]) -> dict[str, Fraction]:
    ends: dict[str, Fraction] = defaultdict(Fraction)
    todo: list[tuple[bool, ...]] = [()]
    while todo:
        prefix = todo.pop()
        made, weight = 0, Fraction(1)

        def decide(chance: Fraction, prefix: tuple[bool, ...] = prefix) -> bool:
            nonlocal made, weight
            if chance in (0, 1):
                return chance == 1
            if made == len(prefix):
                raise Undecided
            made += 1
            weight *= chance if prefix[made - 1] else 1 - chance
            return prefix[made - 1]

        try:
            end = Play(decide, copies, 1).whole()
        except Undecided:
            todo += [(*prefix, True), (*prefix, False)]
        else:
            ends[end] += weight
    return ends


@pytest.mark.parametrize("correlations", [(0, 0, 0), (20, 0, 40)])
def test_nothing_stale_survives(correlations: tuple[int, int, int], tmp_path: Path) -> None:
    file = tmp_path / "redo.pipe"
    file.write_text(TEXT.format(*correlations), encoding="utf-8")
    program = build(str(file), DiskLoader()).program
    assert program is not None
    found = analyse(program, program.pipelines["main"])
    shares = dict(zip(("s0", "s1", "u"), (Fraction(c, 100) for c in correlations), strict=True))
    for name, chance in enumerated(shares).items():
        number = found.escalations.get(name) or found.numbers[name]
        assert number.value == pytest.approx(float(chance), abs=1e-12), name
