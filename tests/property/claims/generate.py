"""Small random pipelines over few values, with claims about them, as text."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

HEAD = """
enum Colour { red green }
type Kind { ok: bool  colour: Colour  rank: int in 0..1 }
role staff { responds 1h median, 4h p95 accuracy 98% }
provider lab { available 99.9% }
tier model { provider lab price $1 in, $5 out transient 1% context 50k tokens }
tool send(what: int) -> int in 0..1 { effect write succeeds 99% }
tool look(what: int) -> int in 0..1 { effect read succeeds 99% }
prompt sort(a: bool, n: int) \"\"\"{{ a }} {{ n }}\"\"\"
"""

RATES = "{ catches 90% false_alarms 1% }"


@dataclass
class Maker:
    """Writes one pipeline. `values` are what is in scope, by type."""

    source: random.Random
    children: list[str]
    count: int = 0
    bools: list[str] = field(default_factory=lambda: ["a", "b"])
    numbers: list[str] = field(default_factory=lambda: ["n"])
    colours: list[str] = field(default_factory=lambda: ["c"])
    tests: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    second: bool = False  # also what sends back, and what is counted

    def name(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def condition(self, depth: int = 0) -> str:
        roll = self.source.random()
        if depth < 2 and roll < 0.35:
            word = self.source.choice(["and", "or"])
            return f"({self.condition(depth + 1)} {word} {self.condition(depth + 1)})"
        if roll < 0.45:
            return f"not {self.source.choice(self.bools)}"
        if roll < 0.6:
            return self.source.choice(self.bools)
        if roll < 0.8:
            op = self.source.choice(["==", "<", ">=", "!="])
            left = self.source.choice(self.numbers)
            right = self.source.choice(["0", "1", *self.numbers])
            return f"{left} {op} {right}"
        return f"{self.source.choice(self.colours)} == {self.source.choice(['red', 'green'])}"

    def outcome(self) -> str:
        options = ["return 0", "reject", "escalate to staff", 'fail "no"']
        return self.source.choice(options)

    def block(self, size: int, depth: int) -> list[str]:
        saved = (list(self.bools), list(self.numbers), list(self.colours))
        lines: list[str] = []
        for _ in range(size):
            lines += self.item(depth)
        if depth and self.source.random() < 0.3:
            lines.append(self.outcome())
        if depth:
            self.bools, self.numbers, self.colours = saved
        return lines

    def item(self, depth: int) -> list[str]:
        roll = self.source.random()
        if roll < 0.25:
            return self.ask()
        if self.second and self.source.random() < 0.25:
            return self.counted()
        if roll < 0.45:
            tool = self.source.choice(["send", "send", "look"])
            name = self.name("t")
            tail = self.source.choice(["", " else 0", f" else {self.outcome()}"])
            line = f"step {name} = call {tool}({self.source.choice(self.numbers)}){tail}"
            self.numbers.append(name)
            return [line]
        if roll < 0.65:
            name = self.name("g")
            self.tests.append(name)
            return [f"gate {name}: {self.condition()} {RATES} else {self.outcome()}"]
        if roll < 0.72:
            name = self.name("p")
            self.tests.append(name)
            when = f" when {self.condition()}" if self.source.random() < 0.4 else ""
            if self.source.random() < 0.5:
                return [f"approve {name} by staff{when} else {self.outcome()}"]
            return [f"hold {name} for 5m by staff{when} else {self.outcome()}"]
        if roll < 0.82 and depth < 2:
            lines = [f"when {self.condition()} {{", *self.block(2, depth + 1), "}"]
            if self.source.random() < 0.5:
                lines[-1:] = ["} else {", *self.block(1, depth + 1), "}"]
            return lines
        if roll < 0.86 and depth < 2:
            colour = self.source.choice(self.colours)
            lines = [f"match {colour} {{", "red {", *self.block(1, depth + 1), "}"]
            return [*lines, "else {", *self.block(1, depth + 1), "}", "}"]
        if roll < 0.96 and self.children:
            return self.run()
        name = self.name("l")
        line = f"let {name} = {self.condition()}"
        self.bools.append(name)
        return [line]

    def ask(self) -> list[str]:
        name = self.name("s")
        tail = self.source.choice(
            [
                "",
                f" else {self.outcome()}",
                " else {ok: true, colour: red, rank: 1} { accuracy 50% }",
            ]
        )
        who = "model"
        if self.second and self.source.random() < 0.2:
            who = "staff"
            self.tests.append(name)
        lines = [f"step {name}: Kind = ask sort(a, n) by {who}{tail}"]
        if self.second and self.source.random() < 0.4:
            gate, times = self.name("p"), self.source.choice([1, 1, 2])
            self.tests.append(gate)
            when = f" when {self.condition()}" if self.source.random() < 0.3 else ""
            back = f"redo {name} up to {times} else {self.outcome()}"
            lines.append(f"approve {gate} by staff{when} showing {name} else {back}")
        elif self.source.random() < 0.35:
            gate = self.name("r")
            self.tests.append(gate)
            test = self.source.choice([f"{name}.ok", f"{name}.rank > 0", f"{name}.colour != red"])
            end = f"else redo {name} up to 1 else {self.outcome()}"
            between = self.source.random() < 0.3
            if between:
                lines.append(f"let m{gate} = {name}.ok and b")
            lines.append(f"gate {gate}: {test} {RATES} {end}")
            if between:
                self.bools.append(f"m{gate}")
        self.bools.append(f"{name}.ok")
        self.numbers.append(f"{name}.rank")
        self.colours.append(f"{name}.colour")
        self.kinds.append(name)
        return lines

    def counted(self) -> list[str]:
        """Calls of which it matters how many they are."""
        name, number = self.name("t"), self.source.choice(self.numbers)
        match self.source.randrange(3):
            case 0:
                return [f"step {name} = call look({number}) {{ retry 1 }}"]
            case 1:
                need = self.source.choice(["", " { need any }"])
                order = self.source.choice(["", " ordered"])
                action = f"each x{name} in [{number}, 1]{order} {{ call look(x{name}) }}"
                return [f"step {name} = {action}{need}"]
            case _:
                kind = self.name("s")
                end = f"else redo {name} up to 1 else {self.outcome()}"
                gate = self.name("r")
                self.tests.append(gate)
                return [
                    f"step {name} = call look({number})",
                    f"step {kind}: Kind = ask sort(a, {name}) by model",
                    f"gate {gate}: {kind}.ok {RATES} {end}",
                ]

    def run(self) -> list[str]:
        child, name = self.source.choice(self.children), self.name("u")
        given = f"{self.source.choice(self.bools)}, {self.source.choice(self.numbers)}"
        tail = self.source.choice(["", " else 0", f" else {self.outcome()}"])
        if self.source.random() < 0.2:
            items = ", ".join(self.source.choice(self.bools) for _ in range(2))
            number = self.source.choice(self.numbers)
            action = f"each x{name} in [{items}] {{ run {child}(x{name}, {number}) }}"
            need = self.source.choice(["", " { need any }"])
            return [f"step {name} = {action}{need}"]
        self.numbers.append(name)
        return [f"step {name} = run {child}({given}){tail}"]


SECOND = 1_000
"""Seeds from here on have the second edition: approvals that send back, and claims that count."""


def program(seed: int) -> str:
    """A file with a pipeline `main`, one or two that it may run, and claims about it."""
    second = seed >= SECOND
    source = random.Random(seed)
    parts = [HEAD]
    children: list[str] = []
    gates: list[str] = []
    for number in range(source.choice([0, 1, 2])):
        maker = Maker(source, list(children), colours=["red_of(a)"], second=second)
        lines = maker.block(source.randint(1, 3), 0)
        name = f"child{number}"
        inner = "\n  ".join([*lines, "return 1"])
        parts.append(f"pipeline {name}(a: bool, n: int) -> int {{\n  let b = not a\n  {inner}\n}}")
        children.append(name)
        gates += [f"{name}.{test}" for test in maker.tests]
    parts.append("fn red_of(a: bool) -> Colour = if a then red else green")
    main = Maker(source, children, second=second)
    lines = main.block(source.randint(3, 6), 0)
    inner = "\n  ".join([*lines, "return 2"])
    parts.append(
        f"pipeline main(a: bool, b: bool, n: int in 0..1, c: Colour) -> int {{\n  {inner}\n}}"
    )
    for gate in [*main.tests, *(one for one in gates if f"run {one.split('.')[0]}(" in inner)]:
        parts.append(f"prove main: {source.choice(['send', 'send', 'look'])} only after {gate}")
    if second:
        parts += second_claims(source, main, Maker(source, []))
    for _ in range(3):
        parts.append(f"prove main: never {source.choice(['send', 'look'])} when {main.condition()}")
        parts.append(f"prove main: escalates when {main.condition()}")
    return "\n".join(parts)


def second_claims(source: random.Random, main: Maker, inputs: Maker) -> list[str]:
    """Claims that count, and claims that hold under a condition on the inputs."""
    tools = ["send", "look"]
    claims = [f"prove main: {source.choice(tools)} at most once"]
    claims += [
        f"prove main: {tool} at most {number} times" for tool in tools for number in (1, 2, 3)
    ]
    claims += [
        f"prove main: {source.choice(tools)} only after {gate} when {inputs.condition()}"
        for gate in main.tests
    ]
    return list(dict.fromkeys(claims))
