"""Values, figures and conditions of the texts of `generate_mixed`."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SHARES = "0 10 25 30 50 70 90 100".split()
ACCURACIES = "60 75 80 90 100 100 100".split()
RECOVERS = "0 20 50".split()
TEXT = "text max 9 tokens"
OPTIONAL = "text? max 9 tokens"
KINDS = ("plain", "tricky", "odd")


@dataclass
class MixedScope:
    """What may be mentioned: names by type, and which of them have paths that are drawn."""

    types: dict[str, str]
    traffic: dict[str, str]
    made: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    bools: list[str] = field(default_factory=list)
    window: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    by_route: bool = False
    alias: dict[str, str] = field(default_factory=dict)

    def inside(self) -> MixedScope:
        return MixedScope(
            dict(self.types),
            self.traffic,
            list(self.made),
            dict(self.files),
            list(self.bools),
            [],
            list(self.optional),
            set(self.open),
            alias=dict(self.alias),
        )

    def say(self, name: str, path: str, share: str) -> None:
        """Has a path of a value a share, said of what the name stands for."""
        key = path.replace(name + ".", self.alias.get(name, name) + ".")
        self.traffic.setdefault(key, share)

    def of(self, *kinds: str) -> list[str]:
        return [name for name, kind in self.types.items() if kind in kinds]


class MixedTests:
    """Makes conditions over what is in scope, and says their shares."""

    def __init__(self, seed: int, *, cached: bool = False, measured: bool = True) -> None:
        self.rng = random.Random(f"mixed {seed}")
        rng = self.rng
        self.cached, self.measured = cached, measured
        self.hard = rng.randrange(3) == 0
        self.number = 0
        self.prompts: dict[str, str] = {}
        self.files: dict[str, list[tuple[str, bool]]] = {}
        self.children: list[tuple[str, list[tuple[str, str]], str, bool]] = []
        self.texts: list[str] = []
        self.left = 0
        self.budget = 0.0
        self.acts = True
        self.in_child = False

    # ------------------------------------------------------------------ small things

    def one_in(self, n: int) -> bool:
        return self.rng.randrange(n) == 0

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}_{self.number}"

    def rate(self, choices: list[str]) -> str:
        rng = self.rng
        one = rng.choice(choices)
        if self.hard and self.one_in(3):
            return f"{one}%, {rng.choice(choices)}% if hard"
        if one not in ("0", "100") and self.one_in(5) and self.measured:
            return f"{one} of 100"
        return f"{one}%"

    def share(self) -> str:
        one = self.rng.choice(SHARES)
        if self.hard and self.one_in(4):
            return f"{one}%, {self.rng.choice(SHARES)}% if hard"
        return f"{one}%"

    def kinds(self) -> str:
        a, b, c = self.rng.choice(
            [(30, 30, 40), (0, 50, 50), (100, 0, 0), (20, 80, 0), (10, 20, 70)]
        )
        return f"plain {a}%, tricky {b}%, odd {c}%"

    def atom(self, s: MixedScope) -> str:
        rng = self.rng
        whole = [name for name in s.of("Q", "A") if name not in s.open]
        decisions = [name for name in s.of("D") if name not in s.open]
        ways = ["flag"] * 3 + ["kind", "inner", "mood", "note", "setting", "fn", "optional"]
        if s.bools:
            ways += ["bool"] * 3
        if decisions:
            ways += ["decision"] * 3
        if self.budget and s.by_route:
            ways += ["budget"] * 3
        way = rng.choice(ways)
        if way == "bool":
            return rng.choice(s.bools)
        if way == "budget":
            test = f"budget.remaining < ${rng.choice(['1', '2'])}"
            s.traffic.setdefault(test, self.share())
            return test
        if way == "setting":
            return "(level > 1)"
        if way == "decision":
            name = rng.choice(decisions)
            s.say(name, f"{name}.value", self.kinds())
            return f"{name}.value == {rng.choice(KINDS)}"
        if way == "optional" and s.optional:
            name = rng.choice(s.optional)
            s.traffic.setdefault(f"{name}?", self.share())
            return f"{name}?"
        if not whole:
            return "(level > 1)"
        name = rng.choice(whole)
        if way == "kind":
            s.say(name, f"{name}.kind", self.kinds())
            return rng.choice(
                [
                    f"{name}.kind == {rng.choice(KINDS)}",
                    f"{name}.kind in [{', '.join(rng.sample(KINDS, 2))}]",
                    f"not ({name}.kind == {rng.choice(KINDS)})",
                ]
            )
        if way == "inner":
            s.say(name, f"{name}.inner.hot", self.share())
            return f"{name}.inner.hot"
        if way == "mood":
            s.say(
                name,
                f"{name}.inner.mood",
                rng.choice(["calm 30%, angry 70%", "calm 100%, angry 0%"]),
            )
            return f"{name}.inner.mood == {rng.choice(['calm', 'angry'])}"
        if way == "note" and s.types[name] == "Q":
            s.say(name, f"{name}.note?", self.share())
            return f"{name}.note?"
        if way == "fn":
            if self.one_in(2):
                s.say(name, f"is_odd({name}.kind)", self.share())
                return f"is_odd({name}.kind)"
            test = f"mood_of({name}.kind, {name}.inner.hot) == angry"
            s.say(name, test, self.share())
            return test
        s.say(name, f"{name}.flag", self.share())
        return f"{name}.flag"

    def condition(self, s: MixedScope, depth: int = 0) -> str:
        rng = self.rng
        if depth > 1 or self.one_in(2):
            return self.atom(s)
        a, b = self.condition(s, depth + 1), self.condition(s, depth + 1)
        match rng.choice([0, 1, 2, 3, 5, 6, 7]):
            case 0:
                return f"({a} and {b})"
            case 1:
                return f"({a} or {b})"
            case 2:
                return f"not ({a})"
            case 3:
                return f"any(x for x in [{a}, {b}])"
            case 5:
                return f"(if {a} then {b} else {self.atom(s)})"
            case 6:
                return f"all(not x for x in [{a}, {b}])"
            case _:
                return f"not ({a} and not ({b}))"

    def confidence(self, s: MixedScope) -> str | None:
        names = [name for name in s.files if name not in s.open]
        if not names:
            return None
        name = self.rng.choice(names)
        threshold = self.rng.choice(["70%", "80%", "floor", "90%"])
        if self.one_in(3):
            other = self.rng.choice(["70%", "90%"])
            threshold = f"(if {self.condition(s, 1)} then {other} else {threshold})"
        compared = f"{name}.confidence {self.rng.choice(['>=', '>=', '>', '<'])} {threshold}"
        if self.one_in(4):
            return f"{compared} {self.rng.choice(['and', 'or'])} {self.atom(s)}"
        return compared
