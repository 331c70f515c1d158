"""Random pipelines with what came later: decisions, cascades and votes, thresholds by case, quotas
and breakers, samples, pictures, people who answer and who send back, claims that count.
"""

from __future__ import annotations

import random

from . import wide
from .generate import Maker, second_claims
from .wide import INPUTS, REST, Wide

NEWER = 10_000_000
"""Seeds from here on have this edition."""

HEAD = f"""{wide.HEAD}
tier better {{ provider lab price $2 in, $9 out transient 1% context 50k tokens }}
setting bar: probability in 50%..99% = 80%
prompt see(pic: image) \"\"\"{{{{ pic }}}}\"\"\"
prompt list_them(these: [int] max 9) \"\"\"{{% for one in these %}}{{{{ one }}}}{{% endfor %}}\"\"\"
"""
BARS = ["70%", "bar", "(if b then 90% else 60%)", "(if n > 0 then bar else 55%)"]
"""Thresholds: plain, a setting, and such that differ by case."""


class Newer(Wide):
    """Writes pipelines with everything, what came later included."""

    head = HEAD
    inputs = f"{INPUTS}, pic: image?"

    def __init__(self, source: random.Random, children: list[str], *, budget: bool) -> None:
        super().__init__(source, children, budget=budget)
        self.second = True
        self.sampled: list[str] = []
        self.deep = 0

    def limits(self) -> str:
        pick, lines = self.source.choice, list[str]()
        ends = pick(["else return 5", "else reject", 'else fail "full"', "else escalate to staff"])
        if self.source.random() < 0.3:
            lines.append(f"quota {pick([3, 8, 20])} runs/hour per tenant {ends}")
        lines += [f"sample 50% of {name} by staff" for name in self.sampled[:1]]
        gates = [one for one in self.tests if one[0] in "gre"]  # else people, or their steps
        if gates and self.source.random() < 0.3:
            answer = pick(["4", "call look(n)", "call send(n)"])
            lines.append(f"breaker {{ opens when {gates[0]} rejects 2 in a row }} else {answer}")
        return "".join(f"  {line}\n" for line in lines)

    def counting(self) -> list[str]:
        inputs = Maker(self.source, [])
        return second_claims(self.source, self, inputs)

    def block(self, size: int, depth: int) -> list[str]:
        before, self.deep = self.deep, depth
        lines = super().block(size, depth)
        self.deep = before
        return lines

    def item(self, depth: int) -> list[str]:
        roll = self.source.random()
        if roll < 0.1:
            return self.decision()
        if roll < 0.16:
            return self.several()
        if roll < 0.19:
            return self.picture()
        if roll < 0.24:
            return self.chosen()
        if roll < 0.29 and self.children:
            return self.elements_run()
        return super().item(depth)

    def decision(self) -> list[str]:
        """A decision, and a gate at how sure it is."""
        pick, name, gate = self.source.choice, self.name("e"), self.name("eg")
        kind, value = pick([("Colour", "red"), ("bool", "true")])
        tail = pick(["", f" else {{value: {value}, confidence: 50%}} {{ accuracy 50% }}"])
        lines = [f"step {name}: decision {kind} = ask sort(a, n) by model{tail}"]
        if not self.deep:
            self.sampled.append(name)
        end = self.outcome()
        end = pick([end, f"redo {name} up to {pick([1, 2])} else {end}"])
        if self.source.random() < 0.7:
            self.tests.append(gate)
            lines.append(f"gate {gate}: {name}.confidence >= {pick(BARS)} {RATES} else {end}")
        if kind == "bool":
            self.bools.append(f"{name}.value")
        else:
            self.colours.append(f"{name}.value")
        self.bools += [f"({name}.confidence {pick(['>=', '<'])} {pick([*BARS, '71%'])})"]
        return lines

    def several(self) -> list[str]:
        """An answer of several tiers or calls."""
        pick, name = self.source.choice, self.name("ca")
        until = pick(["it.ok", "it.rank > 0", "it.colour == red and it.ok", "it.score > 0.1"])
        asked = pick(
            [f"ask sort(a, n) by cascade(model, better) until {until}", "ask sort(a, n) by model"]
        )
        votes = "" if "cascade" in asked else pick([" { vote 3 }", " { vote lead 2 of 5 }"])
        cached = votes or pick(["", "", " { cache 1h by n }"])
        tail = pick(["", f" else {self.outcome()}"])
        self._kind(name)
        self.numbers.append(f"{name}.rank")
        return [f"step {name}: Kind = {asked}{cached}{tail}"]

    def picture(self) -> list[str]:
        """A question about a picture, which may be absent."""
        name = self.name("pc")
        if self.is_main:
            line = f"step {name}: decision bool = ask see(pic) by model else {self.outcome()}"
            return [
                "when pic? {",
                line,
                f"when {name}.value {{",
                *Maker.block(self, 1, 2),
                "}",
                "}",
            ]
        return [f"step {name}: int in 0..1 = ask list_them([n, 1]) by model else 0"]

    @property
    def is_main(self) -> bool:
        """Whether the inputs are those of the pipeline itself."""
        return self.colours[0] == "c"

    def chosen(self) -> list[str]:
        """An action that is picked by a value."""
        pick, name = self.source.choice, self.name("ch")
        fixed = f"{{ok: true, colour: green, rank: 1, {REST}}}"
        arms = [f"ask sort(a, n) by {pick(['model', 'better'])}", fixed]
        self.source.shuffle(arms)
        tail = pick(["", f" else {self.outcome()}"])
        self._kind(name)
        self.numbers.append(f"{name}.rank")
        colour = pick(self.colours)
        return [
            f"step {name}: Kind = match {colour} {{ red => {arms[0]}  green => {arms[1]} }}{tail}"
        ]

    def elements_run(self) -> list[str]:
        """Children side by side or one after the other, of which some may fail."""
        pick, name = self.source.choice, self.name("er")
        child, flag = pick(self.children), pick(self.bools)
        order = pick(["", "", " ordered"])
        need = "" if order else pick(["", " { need any }", " { need 50% }"])
        kind = "int?" if need else "int"
        run = f"each y{name} in {pick(self.lists)}{order} {{ run {child}({flag}, y{name}) }}{need}"
        tail = pick(["", f" else {self.outcome()}"])
        self.bools.append(f"(len({name}) > 1)")
        if kind == "int":
            self.lists.append(name)
        return [f"step {name}: [{kind}] max 9 = {run}{tail}"]


RATES = "{ catches 90% false_alarms 1% }"


def program(seed: int) -> str:
    """A file with a pipeline `main`, children that it may run, and claims about it."""
    if seed < NEWER or seed % 10 in (8, 9):
        return wide.program(seed)
    return wide.written(seed, random.Random(seed), Newer)
