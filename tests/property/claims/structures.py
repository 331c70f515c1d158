"""Random runs of random pipelines (`wide`), watched for claims that they break."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any

from pipelang.runtime.engine.budget import Reservation
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import (
    NOTHING,
    Attempt,
    AttemptFailed,
    Subjects,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.host.handle import LoadedProgram, Runtime
from pipelang.runtime.host.pipeline_tests import TestHandle, _stand_ins
from pipelang.semantics import program as p
from pipelang.semantics.types import Scalar, choices_of

from .observe import Script, Scripted, Watch


class Drawn(Script):
    """Choices drawn at random."""

    def __init__(self, source: random.Random) -> None:
        super().__init__()
        self.source = source

    def pick(self, options: int) -> int:
        return self.source.randrange(options)


JSONS: list[Any] = [{}, {"x": True}, {"x": 1, "y": True}, {"x": None, "y": False}, None, 1]
MONEY = ["0", "1", "100", "100", "33.33", "7", "0.01"]
SECONDS = ["90", "60", "1", "100", "0.1"]
SCORES = [0.1, 0.3, 1.0, 0.0, 1e17, 1 / 3]
COLOURS = ["very red", "green"]
SURE = ["0", "0.5", "0.55", "0.6", "0.7", "0.705", "0.8", "0.9", "1"]
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)


def items(source: random.Random) -> list[dict[str, Any]]:
    return [
        {"n": Decimal(source.choice(MONEY)), "amount": source.randrange(3)}
        for _ in range(source.randrange(3))
    ]


def inputs(source: random.Random, *, pictures: bool = False) -> dict[str, Any]:
    return {
        "a": source.random() < 0.5,
        "b": source.random() < 0.5,
        "m": source.randrange(2),
        "c": source.choice(COLOURS),
        "o": source.choice([None, True, False]),
        "k": source.choice([None, 0, 1]),
        "j": source.choice(JSONS),
        "n": Decimal(source.choice(MONEY)),
        "d": Decimal(source.choice(SECONDS)),
        "x": source.choice(SCORES),
        "q": Decimal(source.choice(["0", "0.3", "1", "0.7"])),
        "ns": [source.randrange(3) for _ in range(source.randrange(4))],
        "all_items": items(source),
        **({"pic": source.choice([None, PNG])} if pictures else {}),
    }


class AtRandom(Scripted):
    """Answers at random, and costs something."""

    def __init__(self, loaded: LoadedProgram, source: random.Random, watch: Watch) -> None:
        super().__init__(loaded, Drawn(source), watch)
        self.source = source

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        if isinstance(attempt.action, p.AskRole):
            answer = self._kind(attempt.action.answers)
            self.watch.test(run, attempt.step.name, True)
            return answer
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
        if isinstance(type, Scalar):
            return self._types.check(type, self.source.randrange(2))
        among = choices_of(type)
        if among:
            value = self.source.choice([*among] if True in among else COLOURS)
            sure = Decimal(self.source.choice(SURE))
            return self._types.check(type, {"value": value, "confidence": sure})
        answer = {
            "is-ok": self.source.random() < 0.5,
            "colour": self.source.choice(COLOURS),
            "rank": self.source.randrange(2),
            "a note": self.source.choice([None, 0, 1]),
            "data": self.source.choice(JSONS),
            "cost": Decimal(self.source.choice(MONEY)),
            "the-marks": [self.source.randrange(3) for _ in range(self.source.randrange(4))],
            "took": Decimal(self.source.choice(SECONDS)),
            "score": self.source.choice(SCORES),
            "items": items(self.source),
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
        self.watch.call(run, attempt.step.name, call.name)
        return ToolResult(call, 1)

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Any) -> Any:
        if self.source.random() < 0.3:
            found = [self.source.randrange(2) for _ in range(self.source.randrange(3))]
            return found if action.memory == "seen" else next(iter(found), None)
        return await super().recall(run, step, action, subjects)

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        if link.cache is None or self.source.random() < 0.6:
            return NOTHING
        try:
            return self._kind(step.type)
        except AttemptFailed:
            return NOTHING


def broken_claims(program: p.Program, seed: int, runs: int) -> set[str]:
    """The claims that one of so many random runs of `main` breaks."""
    loaded = LoadedProgram(program)
    handle = TestHandle(
        loaded, program.pipelines["main"], Runtime(trace=False), _stand_ins(program)
    )
    watch, source = Watch(program), random.Random(seed)
    pictures = any(one.name == "pic" for one in program.pipelines["main"].parameters)

    async def all_runs() -> None:
        for _ in range(runs):
            watch.begin()
            given = inputs(source, pictures=pictures)
            run = handle.start(given, world=AtRandom(loaded, source, watch))
            watch.root = run
            watch.end(await run_pipeline(run))

    asyncio.run(all_runs())
    return watch.broken
