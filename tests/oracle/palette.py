"""The world that a generated pipeline lives in, and the numbers that it is given.

Certain numbers (0% and 100%) come often: they prune the tree of runs, which leaves room for more
structure within the same number of runs. Everything else is a percentage with one decimal at most,
so that no rounding can hide in how a literal is read.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypeVar

from . import model as m
from .expressions import Path

Value = TypeVar("Value")

TEXT = "text max 20 tokens"
KINDS = {"Kind": ("plain", "tricky", "hard"), "Mood": ("calm", "angry")}


def percents(text: str) -> list[Fraction]:
    return [Fraction(word) / 100 for word in text.split()]


ACCURACIES = percents("60 75 80 90 92.5 95 99.9 100")
SURE = percents("100 100 99 90 70 95.5")
TRANSIENTS = percents("0 0 0.5 5 10 20 33.3")
AVAILABLE = percents("100 99.5 99 95 90")
CALM_SURE = percents("100 100 100 100 90")
CALM_TRANSIENTS = percents("0 0 0 5 10")
CALM_AVAILABLE = percents("100 100 100 95")
SHARES = percents("0 5 12.5 30 50 70 90 99.9 100")
RECOVERS = percents("0 10 20 35.5 50")
CORRELATIONS = percents("0 0 30 50 82.5 100")
CATCHES = percents("50 70 80 90 97.5 100")
FALSE_ALARMS = percents("0 3 5 10 25")
CONFIDENCES = percents("50 62 65 70 75 80 85 90 93 95 99")
THRESHOLDS = percents("60 65 70 75 80 85 90 95")
COSTS = [Fraction(text) for text in ("0", "0.01", "0.02", "0.125", "1")]


class Palette:
    """`calm` makes faults rare: for models whose runs branch enough without them."""

    def __init__(self, rng: random.Random, calm: bool) -> None:
        self.rng = rng
        self._sure = CALM_SURE if calm else SURE
        transients = CALM_TRANSIENTS if calm else TRANSIENTS
        available = CALM_AVAILABLE if calm else AVAILABLE
        self.tools: list[m.Tool] = []
        self.files: list[m.EvidenceFile] = []
        self.shares: dict[Path, m.PathShare] = {}
        self.providers = tuple(
            m.Provider(f"provider_{i}", rng.choice(available)) for i in range(rng.randint(1, 3))
        )
        self.tiers = tuple(
            m.Tier(f"tier_{i}", rng.choice(self.providers).name, rng.choice(transients))
            for i in range(rng.randint(2, 4))
        )
        self.roles = tuple(
            m.Role(f"role_{i}", *rng.choice([(60, 900), (900, 7200)]), rng.choice(ACCURACIES))
            for i in range(2)
        )
        self.enums = tuple(m.Enum(name, members) for name, members in KINDS.items())
        self.records = (
            self._record("Answer", "Kind"),
            self._record("Note", "Mood"),
            self._record("Question", "Kind"),
            m.Record("Output", (m.Field("parts", f"[{TEXT}] max 9"),)),
        )

    def _record(self, name: str, kind: str) -> m.Record:
        """`flag` and `kind` get shares in `traffic`; `ok` never does, it is judged as a whole."""
        fields = [("flag", "bool"), ("ok", "bool"), ("kind", kind), ("confidence", "probability")]
        return m.Record(name, tuple(m.Field(n, t) for n, t in [*fields, ("body", TEXT)]))

    def one_in(self, number: int) -> bool:
        return self.rng.randrange(number) == 0

    def some(self, choices: Sequence[Value], least: int, most: int) -> list[Value]:
        """A few different ones; the later ones of a list, which were made last, more often."""
        left = list(choices)
        taken: list[Value] = []
        for _ in range(min(len(left), self.rng.randint(least, most))):
            weights = [1 + 2 * i for i in range(len(left))]
            at = self.rng.choices(range(len(left)), weights)[0]
            taken.append(left.pop(at))
        return taken

    def members(self, record: str) -> tuple[str, ...]:
        return KINDS["Mood" if record == "Note" else "Kind"]

    def tool(self, params: int, result: str, writes: bool) -> m.Tool:
        """A tool of this shape, one that is there already now and then."""
        effect: Literal["read", "write", "irreversible"] = "read"
        if writes:
            effect = "write" if self.one_in(2) else "irreversible"
        shape = ((TEXT,) * params, result, effect)
        alike = [tool for tool in self.tools if (tool.params, tool.result, tool.effect) == shape]
        if alike and self.one_in(3):
            return self.rng.choice(alike)
        tool = m.Tool(
            f"tool_{len(self.tools)}",
            *shape,
            succeeds=self.rng.choice(self._sure),
            accuracy=self.rng.choice(self._sure),
            cost=self.rng.choice(COSTS),
        )
        self.tools.append(tool)
        return tool

    def evidence(self) -> str:
        """A file in which both kinds of row occur, some of them right on a threshold."""
        rows = [
            m.Row(self.rng.choice(CONFIDENCES[3:]), True) for _ in range(self.rng.randint(4, 12))
        ]
        rows += [
            m.Row(self.rng.choice(CONFIDENCES[:8]), False) for _ in range(self.rng.randint(1, 5))
        ]
        self.rng.shuffle(rows)
        path = f"evidence/file_{len(self.files)}.jsonl"
        self.files.append(m.EvidenceFile(path, tuple(rows)))
        return path

    def for_child(self) -> Palette:
        """The same world, with nothing said yet in `traffic`."""
        other = copy.copy(self)
        other.shares = {}
        return other

    def said(self, path: Path, share: Fraction | m.Mean) -> Path:
        """A path of another kind, with a share from now on."""
        if path not in self.shares:
            self.shares[path] = m.PathShare(path, share)
        return path

    def flag(self, value: str) -> Path:
        """The bool path of a value, with a share from now on."""
        path = Path(value, "flag")
        if path not in self.shares:
            self.shares[path] = m.PathShare(path, self.rng.choice(SHARES))
        return path

    def kind(self, value: str, record: str) -> Path:
        """The enum path of a value, with shares in tenths or halves of a percent."""
        path = Path(value, "kind")
        if path not in self.shares:
            members = self.members(record)
            cuts = sorted(self.rng.choice([0, 100, 125, 300, 500, 700, 905]) for _ in members[1:])
            ends = zip([0, *cuts], [*cuts, 1000], strict=True)
            parts = [Fraction(end - start, 1000) for start, end in ends]
            self.shares[path] = m.PathShare(path, tuple(zip(members, parts, strict=True)))
        return path
