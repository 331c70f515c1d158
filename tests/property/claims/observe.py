"""Every run of a small pipeline, in the real interpreter, and whether one of them breaks a claim.

A world answers from a script of choices; when a run is over, the last choice that had another
option takes it, until there is none left.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import Any

from pipelang.diagnostics import RULES
from pipelang.interfaces.check.strands import PassedTests
from pipelang.interfaces.loading import load
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Answered, Rejected
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import NOTHING, AttemptFailed, Decision
from pipelang.runtime.host.handle import LoadedProgram, Runtime
from pipelang.runtime.host.pipeline_tests import TestHandle, _stand_ins
from pipelang.runtime.tools.registry import Toolbox
from pipelang.runtime.worlds.mocked import MockedWorld
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

from ...memory import MemoryLoader

KINDS = [
    {"ok": ok, "colour": colour, "rank": rank}
    for ok in (True, False)
    for colour in ("red", "green")
    for rank in (0, 1)
]


class Script:
    """Choices, made in the same order again, up to where another one is tried."""

    def __init__(self) -> None:
        self.taken: list[list[int]] = []
        self.at = 0

    def pick(self, options: int) -> int:
        if self.at == len(self.taken):
            self.taken.append([0, options])
        self.at += 1
        return self.taken[self.at - 1][0]

    def advance(self) -> bool:
        """Go on to the next script; False if there is none."""
        del self.taken[self.at :]
        self.at = 0
        while self.taken and self.taken[-1][0] + 1 == self.taken[-1][1]:
            self.taken.pop()
        if not self.taken:
            return False
        self.taken[-1][0] += 1
        return True


class Scripted(MockedWorld):
    """Answers by the script, and keeps what a claim may ask about."""

    def __init__(self, loaded: LoadedProgram, script: Script, watch: Watch) -> None:
        super().__init__(loaded.types, Toolbox(loaded.program, {}), {}, {})
        self.script = script
        self.watch = watch

    async def attempt(self, run: Run, attempt: Any) -> Any:
        action = attempt.action
        if isinstance(action, p.Call):
            self.watch.call(run, attempt.step.name, action.tool)
            choice = self.script.pick(3)
            if choice == 2:
                raise AttemptFailed("by the script", kind="mock")
            return choice
        choice = self.script.pick(len(KINDS) + 1)
        if choice == len(KINDS):
            raise AttemptFailed("by the script", kind="mock")
        if isinstance(action, p.AskRole):
            self.watch.test(run, attempt.step.name, True)
        return self._types.check(action.answers, KINDS[choice])

    async def enter_child(self, run: Run, child: Run, subjects: Any) -> None:
        await super().enter_child(run, child, subjects)
        self.watch.enter(child)

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        return NOTHING

    async def holds(self, run: Run, item: Any, test: expr.Expr) -> bool:
        holds = await super().holds(run, item, test)
        if isinstance(item, p.Gate):
            self.watch.test(run, item.name, holds)
        return holds

    async def decide(self, run: Run, question: Any) -> Decision | None:
        yes = self.script.pick(2) == 0
        self.watch.test(run, question.person.name, yes)
        return Decision(yes, by="script")


def holds(run: Run, node: expr.Expr, positive: bool = True) -> bool:
    """Whether a condition is certainly so (or not so) by the values that a run has made."""
    match node:
        case expr.Not():
            return holds(run, node.operand, not positive)
        case expr.Logic():
            # One after the other: the left side may say that what the right one reads is there.
            sides = (holds(run, side, positive) for side in (node.left, node.right))
            return all(sides) if (node.op == "and") is positive else any(sides)
        case _:
            if any(name not in run.values for name in expr.mentions(node)):
                return False
            return bool(run.evaluate(node)) is positive


class Watch:
    """What of the claims a run has broken. Runs of a sub-pipeline are told apart."""

    def __init__(self, program: p.Program) -> None:
        self.claims = [claim for claim in program.claims if claim.claimed is not None]
        self.broken: set[str] = set()
        self.root: Run | None = None
        self.tests = PassedTests()
        self.called: Counter[str] = Counter()

    def begin(self) -> None:
        self.root, self.tests, self.called = None, PassedTests(), Counter()

    def enter(self, run: Run) -> None:
        self.tests.enter(run)

    def test(self, run: Run, name: str, passed: bool) -> None:
        if passed:
            self.tests.record(run, name)

    def call(self, run: Run, step: str, tool: str) -> None:
        self.called[tool] += 1
        outermost = run
        while outermost.parent is not None:
            outermost = outermost.parent
        for claim in self.claims:
            match claim.claimed:
                case p.AtMost(tool=own, count=most) if own == tool:
                    if self.called[tool] > most:
                        self.broken.add(claim.text)
                case p.OnlyAfter(tool=own, pipeline=pipeline, gate=gate, when=when) if own == tool:
                    if when is not None and not holds(outermost, when):
                        continue
                    if not self.tests.before(run, step, pipeline, gate):
                        self.broken.add(claim.text)
                case p.Never(tool=own, when=when) if own == tool:
                    assert self.root is not None
                    if when is None or holds(self.root, when):
                        self.broken.add(claim.text)
                case _:
                    pass

    def end(self, result: Any) -> None:
        assert self.root is not None
        for claim in self.claims:
            match claim.claimed:
                case p.Escalates(when=when):
                    if isinstance(result, (Answered, Rejected)) and holds(self.root, when):
                        self.broken.add(claim.text)
                case p.Never(tool=own, when=when):
                    if self.called[own] and (when is None or holds(self.root, when)):
                        self.broken.add(claim.text)
                case _:
                    pass


def broken_claims(text: str, most: int) -> tuple[set[str], bool]:
    """The claims that some run of `main` breaks, and whether all runs were tried."""
    loaded = load("case.pipe", loader=MemoryLoader({"case.pipe": text}), allow=RULES)
    pipeline = loaded.program.pipelines["main"]
    handle = TestHandle(loaded, pipeline, Runtime(), _stand_ins(loaded.program))
    watch, tried = Watch(loaded.program), 0

    async def all_runs() -> bool:
        nonlocal tried
        colours = ("red", "green")
        for a, b, n, c in itertools.product((True, False), (True, False), (0, 1), colours):
            script = Script()
            while True:
                tried += 1
                if tried > most:
                    return False
                watch.begin()
                world = Scripted(loaded, script, watch)
                run = handle.start({"a": a, "b": b, "n": n, "c": c}, world=world)
                watch.root = run
                watch.end(await run_pipeline(run))
                if not script.advance():
                    break
        return True

    complete = asyncio.run(all_runs())
    return watch.broken, complete
