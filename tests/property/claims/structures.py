"""Random pipelines over all constructs, with claims, and random runs of them that are watched.

Unlike `generate`, whose pipelines are small enough for every run, these have optional values, json,
money that rounds, budgets that are read, memories, agents, lists, and children that run twice.
"""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import RULES
from pipelang.interfaces.loading import load
from pipelang.runtime.engine.budget import Reservation
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import Attempt, AttemptFailed, ToolCall, ToolResult, Turn
from pipelang.runtime.host.handle import LoadedProgram, Runtime
from pipelang.runtime.host.pipeline_tests import TestHandle, _stand_ins
from pipelang.semantics import program as p

from ...memory import MemoryLoader
from .generate import Maker
from .observe import Script, Scripted, Watch

HEAD = """
enum Colour { red green }
type Kind { ok: bool  colour: Colour  rank: int in 0..1  note: int?  data: json  cost: money }
role staff { responds 1h median, 4h p95 accuracy 98% }
provider lab { available 99.9% }
tier model { provider lab price $1 in, $5 out transient 1% context 50k tokens }
tool send(what: int) -> int in 0..1 { effect write succeeds 99% }
tool look(what: int) -> int in 0..1 { effect read succeeds 99% }
prompt sort(a: bool, n: int) \"\"\"{{ a }} {{ n }}\"\"\"
memory past(who: int) -> int { keeps 24h }
memory seen(who: int) -> [int] max 2 { keeps 24h }
fn third(m: money) -> money = m / 3
fn red_of(a: bool) -> Colour = if a then red else green
"""
INPUTS = "a: bool, b: bool, n: int in 0..1, c: Colour, o: bool?, k: int?, j: json, m: money"


class Wide(Maker):
    """Writes pipelines with everything. `counts` are optional whole numbers, `sums` are money."""

    def __init__(self, source: random.Random, children: list[str], *, budget: bool) -> None:
        super().__init__(source, children)
        self.budget = budget
        self.counts = ["k"]
        self.flags = ["o"]
        self.data = ["j"]
        self.sums = ["m"]

    def condition(self, depth: int = 0) -> str:
        roll = self.source.random()
        pick = self.source.choice
        if roll < 0.6:
            return super().condition(depth)
        if roll < 0.68:
            count = pick(self.counts)
            return pick(
                [
                    f"{count} == {pick([*self.counts, *self.numbers])}",
                    f"({count}?)",
                    f"({count}? and {count} > 0)",
                    f"(not ({count}?) and {count} == {pick(self.counts)})",
                ]
            )
        if roll < 0.74:
            flag = pick(self.flags)
            return pick([f"{flag} == {pick(self.bools)}", f"({flag}?)", f"({flag}? and {flag})"])
        if roll < 0.84:
            field = f"{pick(self.data)}.{pick('xy')}"
            return pick(
                [
                    f"({field}?)",
                    f"{field} == {pick(['true', '1', *self.bools])}",
                    f"{field} == {pick(self.data)}.x",
                    f"(not ({field}?) and {field} == {pick(self.flags)})",
                ]
            )
        sums = pick(self.sums)
        return pick(
            [
                f"third({sums}) + third({sums}) + third({sums}) < {sums}",
                f"third({sums}) * 3 == {sums}",
                f"{sums} {pick(['<', '>=', '=='])} {pick(['$1', '$100', *self.sums])}",
            ]
        )

    def block(self, size: int, depth: int) -> list[str]:
        saved = list(self.counts), list(self.flags), list(self.data), list(self.sums)
        lines = super().block(size, depth)
        if depth:
            self.counts, self.flags, self.data, self.sums = saved
        return lines

    def item(self, depth: int) -> list[str]:
        roll = self.source.random()
        number = self.source.choice(self.numbers)
        if roll < 0.08:
            return [f"remember {self.source.choice(['past', 'seen'])}({number}) = {number}"]
        if roll < 0.14:
            name = self.name("q")
            line = f"step {name} = recall past({number})"
            self.counts.append(name)
            return [line]
        if roll < 0.18:
            name = self.name("v")
            line = f"step {name} = recall seen({number})"
            self.counts += [f"{name}[0]", f"{name}[1]"]
            return [line]
        if roll < 0.25:
            return self.agent()
        if roll < 0.31:
            name, second = self.name("f"), self.name("f")
            value = self.source.choice([f"third({self.source.choice(self.sums)})", "$33.33"])
            self.sums += [name]
            return [f"let {name} = {value}", f"let {second} = {self.condition()}"]
        if roll < 0.4 and self.children:
            return [*self.run(), *self.run()]
        if roll < 0.46 and self.budget:
            name, limit = self.name("z"), self.source.choice(["$0.5", "$0.9", "$2.5", "$2.9"])
            self.bools.append(name)
            return [f"step {name}: bool = budget.remaining < {limit}"]
        return super().item(depth)

    def agent(self) -> list[str]:
        name = self.name("w")
        tools = self.source.sample(["look", *self.children, *self.children], 1)
        tail = self.source.choice(["", f" else {self.outcome()}"])
        asks = f"agent sort(a, n) by model with {tools[0]} {{ steps 3 }}"
        line = f"step {name}: Kind = {asks}{tail}"
        self._kind(name)
        return [line]

    def ask(self) -> list[str]:
        before = len(self.kinds)
        lines = [line.replace("rank: 1}", "rank: 1, data: {}, cost: $1}") for line in super().ask()]
        for name in self.kinds[before:]:
            self._kind(name, again=True)
        return lines

    def _kind(self, name: str, again: bool = False) -> None:
        self.counts.append(f"{name}.note")
        self.data.append(f"{name}.data")
        self.sums.append(f"{name}.cost")
        if not again:
            self.bools.append(f"{name}.ok")


def twice(source: random.Random) -> str:
    """A child that reads its budget and runs twice: both readings may differ."""
    limits = [source.choice(["$0.9", "$0.95"]) for _ in range(2)]
    values = source.choice(["01", "10", "11"])
    reads = f"budget.remaining > {limits[0]}"
    return f"""{HEAD}
pipeline child0(a: bool, n: int) -> int {{
  budget $1
  step s: Kind = ask sort(a, n) by model else {{ok: a, colour: red, rank: 0, data: {{}}, cost: $1}}
  step rich: int = if {reads} then 1 else 0
  return rich
}}
pipeline main({INPUTS}) -> int {{
  budget $3
  step u = run child0(a, n)
  step v = run child0(a, {source.choice(["n", "1"])})
  when u == {values[0]} and v == {values[1]} {{ step t = call send(n) else fail "no" }}
  step left: bool = budget.remaining > {limits[1]}
  when left {{ step w = call look(n) else fail "no" }}
  return 2
}}
prove main: never send when true
prove main: never look when true
prove main: escalates when a and not b"""


def program(seed: int) -> str:
    """A file with a pipeline `main`, children that it may run, and claims about it."""
    source = random.Random(seed)
    if seed % 10 == 9:
        return twice(source)
    parts = [HEAD]
    children: list[str] = []
    gates: list[str] = []
    for number in range(source.choice([0, 1, 2, 2])):
        budget = source.random() < 0.4
        maker = Wide(source, list(children), budget=budget)
        maker.colours, maker.counts, maker.flags = ["red_of(a)"], ["k"], ["o"]
        maker.data, maker.sums = ["j"], ["m"]
        lines = maker.block(source.randint(1, 3), 0)
        name = f"child{number}"
        back = source.choice(["1", "n"])
        if budget and source.random() < 0.7:
            lines.append("step rich: int = if budget.remaining > $0.9 then 1 else 0")
            back = "rich"
        limits = "  budget $1\n" if budget else ""
        inner = "\n  ".join([*lines, f"return {back}"])
        lets = (
            "let b = not a\n  let o: bool? = none\n  let k: int? = n\n"
            "  let j: json = {x: a, y: n}\n  let m = $100"
        )
        parts.append(f"pipeline {name}(a: bool, n: int) -> int {{\n{limits}  {lets}\n  {inner}\n}}")
        children.append(name)
        gates += [f"{name}.{test}" for test in maker.tests]
    budget = source.random() < 0.4
    main = Wide(source, children, budget=budget)
    lines = main.block(source.randint(3, 7), 0)
    limits = "  budget $3\n" if budget else ""
    inner = "\n  ".join([*lines, "return 2"])
    parts.append(f"pipeline main({INPUTS}) -> int {{\n{limits}  {inner}\n}}")
    for gate in [*main.tests, *(one for one in gates if f"run {one.split('.')[0]}(" in inner)]:
        parts.append(f"prove main: {source.choice(['send', 'send', 'look'])} only after {gate}")
    main.bools, main.numbers, main.colours = ["a", "b"], ["n"], ["c"]
    main.counts, main.flags, main.data, main.sums = ["k"], ["o"], ["j"], ["m"]
    for _ in range(3):
        parts.append(f"prove main: never {source.choice(['send', 'look'])} when {main.condition()}")
        parts.append(f"prove main: escalates when {main.condition()}")
    parts.append("prove main: never send when true")
    return "\n".join(parts)


class Drawn(Script):
    """Choices drawn at random."""

    def __init__(self, source: random.Random) -> None:
        super().__init__()
        self.source = source

    def pick(self, options: int) -> int:
        return self.source.randrange(options)


JSONS: list[Any] = [{}, {"x": True}, {"x": 1, "y": True}, {"x": None, "y": False}, None, 1]
MONEY = ["0", "1", "100", "100", "33.33", "7", "0.01"]


def inputs(source: random.Random) -> dict[str, Any]:
    return {
        "a": source.random() < 0.5,
        "b": source.random() < 0.5,
        "n": source.randrange(2),
        "c": source.choice(["red", "green"]),
        "o": source.choice([None, True, False]),
        "k": source.choice([None, 0, 1]),
        "j": source.choice(JSONS),
        "m": Decimal(source.choice(MONEY)),
    }


class AtRandom(Scripted):
    """Answers at random, and costs something."""

    def __init__(self, loaded: LoadedProgram, source: random.Random, watch: Watch) -> None:
        super().__init__(loaded, Drawn(source), watch)
        self.source = source

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        held = await run.budget.reserve(Decimal("0.2"), 10)
        try:
            if isinstance(attempt.action, p.Call):
                return await super().attempt(run, attempt)
            return self._kind(attempt.action.answers)
        finally:
            self._settle(run, held)

    def _settle(self, run: Run, held: Reservation) -> None:
        run.budget.settle(held, Decimal(self.source.choice(["0", "0.02", "0.2"])), 10)

    def _kind(self, type: Any) -> Any:
        if self.source.random() < 0.2:
            raise AttemptFailed("by chance", kind="mock")
        answer = {
            "ok": self.source.random() < 0.5,
            "colour": self.source.choice(["red", "green"]),
            "rank": self.source.randrange(2),
            "note": self.source.choice([None, 0, 1]),
            "data": self.source.choice(JSONS),
            "cost": Decimal(self.source.choice(MONEY)),
        }
        return self._types.check(type, answer)

    async def turn(
        self, run: Run, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]
    ) -> Turn:
        held = await run.budget.reserve(Decimal("0.2"), 10)
        self._settle(run, held)
        if self.source.random() < 0.4:
            return Turn(self._kind(agent.answers))
        name = self.source.choice([*agent.tools, *agent.pipelines])
        given = {"what": 1} if name in agent.tools else {"a": self.source.random() < 0.5, "n": 1}
        return Turn(None, (ToolCall(str(len(turns)), name, given),))

    async def use_tool(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        self.watch.call(run, call.name)
        return ToolResult(call, 1)

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Any) -> Any:
        if self.source.random() < 0.3:
            found = [self.source.randrange(2) for _ in range(self.source.randrange(3))]
            return found if action.memory == "seen" else next(iter(found), None)
        return await super().recall(run, step, action, subjects)


def broken_claims(text: str, seed: int, runs: int) -> set[str]:
    """The claims that one of so many random runs of `main` breaks."""
    loaded = load("case.pipe", loader=MemoryLoader({"case.pipe": text}), allow=RULES)
    handle = TestHandle(
        loaded, loaded.program.pipelines["main"], Runtime(trace=False), _stand_ins(loaded.program)
    )
    watch, source = Watch(loaded.program), random.Random(seed)

    async def all_runs() -> None:
        for _ in range(runs):
            watch.begin()
            run = handle.start(inputs(source), world=AtRandom(loaded, source, watch))
            watch.root = run
            watch.end(await run_pipeline(run))

    asyncio.run(all_runs())
    return watch.broken
