"""Replay of counterexamples: a claim counts as refuted when a run of the interpreter breaks it.

The run has the inputs of the counterexample. A scripted world answers for models, tools, people,
caches and memories with the counterexample's values, and follows its path: where that falls back an
attempt fails, where it says no a person does. What the path leaves open is a choice, and the last
choice that has another option takes it in the next run, until a run breaks the claim or `MOST_RUNS`
are over. Then other numbers and texts are tried, where something hangs on them that the analysis
does not look into. Nothing outside is called, neither the tools nor a `fn` in Python: these may
answer any value of their types.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from pipelang.analysis.claims.counterexamples import Counterexample
from pipelang.analysis.claims.properties import OnPaths, Property
from pipelang.interfaces.check.strands import PassedTests
from pipelang.runtime.engine.budget import BudgetSpent, RunBudget, quota_of
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Answered, Escalated, Rejected, Result
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, to_json
from pipelang.runtime.engine.world import (
    NOTHING,
    Attempt,
    AttemptFailed,
    Decision,
    Question,
    Subjects,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.host.handle import Handle, InputError, LoadedProgram, NotRunnable, Runtime
from pipelang.runtime.prompts.templates import RenderError
from pipelang.runtime.providers.pricing import ask_for, reservation
from pipelang.runtime.tools.binding import ToolMissing
from pipelang.runtime.tools.prepared import checked_arguments
from pipelang.runtime.tools.registry import Toolbox
from pipelang.runtime.worlds.mocked import MockedWorld
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import CALLS_A_TURN
from pipelang.semantics.sizes import output_limit
from pipelang.semantics.types import ListType, Type

MOST_RUNS = 300
MOST_CALLS = 3
"""The most turns in which an agent calls something."""


class Replayer:
    """Runs the counterexamples of one program."""

    def __init__(self, program: p.Program) -> None:
        self._loaded = LoadedProgram(program)
        self._withheld = False

    def __call__(self, found: Counterexample) -> Counterexample | None:
        """Return the counterexample, or a variation of it, if some run of it breaks the claim."""
        return asyncio.run(self._search(found))

    async def _search(self, found: Counterexample) -> Counterexample | None:
        pipeline = self._loaded.program.pipelines[found.claim.pipeline]
        self._withheld = False
        if await self._scripted(found):
            return found
        if self._withheld and await self._scripted(apart := found.apart(pipeline)):
            return apart
        for other in found.varied():
            if await self._run(other, _Script()):
                return other
        return None

    async def _scripted(self, found: Counterexample) -> bool:
        """Run a counterexample with one script of choices after the other."""
        script = _Script()
        for _ in range(MOST_RUNS):
            if await self._run(found, script):
                return True
            if not script.advance():
                break
        return False

    async def _run(self, found: Counterexample, script: _Script) -> bool:
        program = self._loaded.program
        pipeline = program.pipelines[found.claim.pipeline]
        guide = _Guide(found, script)
        stand_ins: dict[str, Callable[..., Any]] = dict.fromkeys(program.tools, _never)
        for function in program.functions.values():
            if function.body is None:
                stand_ins[function.name] = guide.function(function)
        try:
            handle = Handle(self._loaded, pipeline, Runtime(trace=False), stand_ins)
            world = _ReplayWorld(self._loaded, guide)
            run = handle.start(found.inputs(pipeline), world=world)
        except (InputError, NotRunnable, ToolMissing):
            return False
        world.root = run
        result = await run_pipeline(run)
        world.ended(result)
        self._withheld |= world.withheld
        return world.broken


def _never(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("a replay calls no tool")


class _Script:
    """Choices, made in the same order again, up to where another one is tried."""

    def __init__(self) -> None:
        self._taken: list[list[int]] = []
        self._at = 0

    def pick(self, options: int) -> int:
        if options <= 1:
            return 0
        if self._at == len(self._taken):
            self._taken.append([0, options])
        self._at += 1
        return self._taken[self._at - 1][0]

    def advance(self) -> bool:
        """Go on to the next script; False if there is none."""
        del self._taken[self._at :]
        self._at = 0
        while self._taken and self._taken[-1][0] + 1 == self._taken[-1][1]:
            self._taken.pop()
        if not self._taken:
            return False
        self._taken[-1][0] += 1
        return True


class _Guide:
    """Choices of a counterexample: the most likely option comes first."""

    def __init__(self, found: Counterexample, script: _Script) -> None:
        self.found = found
        self.script = script
        self._texts = [event.text for event in found.events]
        self._subjects = found.subjects()
        self._answers: dict[str, Any] = {}

    def says(self, pattern: str) -> bool:
        """Whether an event of the path matches a pattern."""
        return any(re.search(pattern, text) for text in self._texts)

    def reads_budget(self) -> bool:
        """Whether the path depends on what is left of a budget, and so on what calls cost."""
        return any(name.startswith("?budget.remaining") for name in self.found.case.numbers)

    def either(self, first: bool) -> bool:
        """Choose between two options, `first` first."""
        return first if self.script.pick(2) == 0 else not first

    def fails(self, step: p.Step, link: p.Link) -> bool:
        """Whether an attempt fails: where the path falls back behind its link, or ends there."""
        name = re.escape(step.name.split(" ")[0])
        falls = sum(bool(re.match(rf"`{name}( \(\d+\))?` falls back", t)) for t in self._texts)
        at = next((n for n, one in enumerate(step.chain.links) if one is link), 0)
        likely = at < falls or self.says(rf"^`{name}( \(\d+\))?` (has nothing left|is tried again)")
        return self.either(likely)

    def value(self, run: Run, name: str, type: Type) -> Any:
        """Return the value that the path has for a step."""
        for known in self._names(run, name):
            if known in self._subjects:
                return self.found.value(known, type)
        return self.found.value(name, type)

    def _names(self, run: Run, name: str) -> Iterable[str]:
        """Return the names under which the walk may know a value of a run."""
        own = [name, *(f"{name} ({number})" for number in (2, 3))]
        prefixes = self._prefixes(run)
        if run.redoing:
            yield from (f"{prefix}again {one}" for prefix in prefixes for one in own)
        yield from (f"{prefix}{one}" for prefix in prefixes for one in own)

    def _prefixes(self, run: Run) -> list[str]:
        if run.parent is None:
            return ["", "~"]
        step = run.path.rstrip("/").split("/")[-1].split("[")[0]
        before = self._prefixes(run.parent)
        places = [f"{step}.{link}" for link in range(4)]
        places += [f"{place}.{turn}" for place in places for turn in (1, 2, 3)]
        places += [f"{place} again" for place in places[:4]]
        return [f"{one}{place}.{run.pipeline.name}." for one in before for place in places]

    def function(self, function: p.Function) -> Callable[..., Any]:
        """Return a function that has one answer for the same arguments, whichever it is."""

        def answer(*values: Any) -> Any:
            key = f"{function.name}{[to_json(value) for value in values]!r}"
            if key not in self._answers:
                self._answers[key] = self._any(function)
            found = self._answers[key]
            if found is NOTHING:
                raise NoValue(f"`{function.name}` has no value")
            return found

        return answer

    def _any(self, function: p.Function) -> Any:
        values = [self.found.value(name, function.returns) for name in self._questions(function)]
        values += [self.found.value(f"?any {function.name}", function.returns)]
        if isinstance(values[0], bool):
            values = list(dict.fromkeys([*values, True, False]))
        if self.says("cannot be worked out"):
            values.insert(0, NOTHING)
        return values[self.script.pick(len(values))]

    def _questions(self, function: p.Function) -> list[str]:
        start = f"?{function.name}("
        case = self.found.case
        names = [*case.truths, *case.numbers, *case.texts]
        return list(dict.fromkeys(name for name in names if name.startswith(start)))[:4]


def _may_follow(found: Any, own: Any, type: Type) -> bool:
    """Whether a memory may hold something behind what a run has written to it itself. Other runs
    replace a value, or append to a list, whose oldest entries are dropped when it is full.
    """
    if not isinstance(type, ListType):
        return found is not None or own is None
    if type.max_length is not None and len(found) >= type.max_length:
        return True
    ahead = iter(found)
    return all(any(one == entry for one in ahead) for entry in own)


class _ReplayWorld(MockedWorld):
    """A world that answers by a guide, and watches whether the claim is broken. `withheld` says
    that the guide had an answer which cannot be given, after what the run did before.
    """

    def __init__(self, loaded: LoadedProgram, guide: _Guide) -> None:
        super().__init__(loaded.types, Toolbox(loaded.program, {}), {}, {})
        self.guide = guide
        self.root: Run | None = None
        self.broken = False
        claimed = guide.found.claim.claimed
        assert isinstance(claimed, OnPaths)
        self._watched = Property(claimed)
        self._state = 0
        self._tests = PassedTests()
        self._pure: dict[str, Any] = {}
        self.withheld = False
        self._cuts = guide.says("the budget is spent|takes longer than it has")
        self._spent_later = guide.says("the quota is spent behind")
        self._reads_budget = guide.reads_budget()
        self._moved = _reads_only(loaded.program, claimed)
        self._count = claimed.count if isinstance(claimed, p.AtMost) else 0

    # ------------------------------------------------------------------------------- the monitor

    def call(self, run: Run, step: p.Step, tool: str, span: Any) -> None:
        at = run  # the element of a list knows its value, the run around it does not
        while at.parent is not None:
            at = at.parent
        state, claimed = self._state, self._watched.claimed
        if isinstance(claimed, p.OnlyAfter):
            state = self._tests.before(run, step.name, claimed.pipeline, claimed.gate)
        if self._watched.broken_by_call(tool, state, span) and self._holds(at):
            self.broken = True
        self._state = self._watched.called(tool, self._state)

    def passed(self, run: Run, name: str) -> None:
        self._tests.record(run, name)

    def ended(self, result: Result) -> None:
        kind = {Answered: "answered", Rejected: "rejected", Escalated: "escalated"}
        name = kind.get(type(result), "failed")
        assert self.root is not None
        if self._watched.broken_by_end(name, self._state) and self._holds(self.root):
            self.broken = True

    def _holds(self, run: Run) -> bool:
        when = self._watched.when
        return when is None or certainly(run, when)

    # --------------------------------------------------------------------------------- the world

    async def admit(self, run: Run) -> bool:
        quota = run.pipeline.quota
        at_start = quota is not None and self.guide.says("the quota is spent$")
        if quota is not None and at_start and self.guide.either(True):
            raise BudgetSpent(run.budget, quota_of(quota.limits[0].text))
        if run.pipeline.breaker is None:
            return True
        return self.guide.either(not self.guide.says("the breaker is open"))

    async def enter_child(self, run: Run, child: Run, subjects: Subjects) -> None:
        await super().enter_child(run, child, subjects)
        self._tests.enter(child)

    async def holds(self, run: Run, item: Any, test: expr.Expr) -> bool:
        holds = await super().holds(run, item, test)
        if isinstance(item, p.Gate) and holds:
            self.passed(run, item.name)
        return holds

    async def decide(self, run: Run, question: Question) -> Decision | None:
        name = question.person.name
        says_no = self.guide.says(rf"(does not approve|stops|back for) `{re.escape(name)}`$")
        yes = self.guide.either(not (says_no and not self.guide.says("nobody stops")))
        if yes:
            self.passed(run, name)
        return Decision(yes, by="replay")

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        return NOTHING

    def _cut(self, run: Run) -> None:
        """Spend a budget, where the path does and the run has one."""
        limited = [budget for budget in run.budget.chain() if budget.limits is not None]
        if self._cuts and limited:
            at = self.guide.script.pick(len(limited) + 1)
            if at:
                raise BudgetSpent(limited[at - 1], _dimension(limited[at - 1]))

    def _spend_quota(self, run: Run) -> None:
        """Spend a quota behind a wait for people, where the path does and a pipeline has one."""
        at: Run | None = run if self._spent_later else None
        while at is not None:
            quota = at.pipeline.quota
            if quota is not None and self.guide.either(True):
                raise BudgetSpent(at.budget, quota_of(quota.limits[0].text))
            at = at.parent

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        self._cut(run)
        self._spend_quota(run)
        action, program = attempt.action, run.program
        try:
            if isinstance(action, p.Call):
                tool = program.tools[action.tool]
                checked_arguments(self._types, tool, attempt.arguments)
                needs: tuple[Decimal | None, int] | None = tool.cost, 0
            elif isinstance(action, p.AskRole):
                needs = None
            else:
                assert attempt.tier is not None
                tier = program.tiers[attempt.tier]
                ask = ask_for(program.prompts[action.prompt], action, attempt, self._types)
                limit = output_limit(attempt.link, action.answers)
                needs = reservation(tier, ask, attempt, limit, None)
        except (RenderError, Misfit) as error:
            raise AttemptFailed(str(error), kind="argument", retryable=False) from None
        held = None if needs is None else await run.budget.reserve(*needs)
        if isinstance(action, p.Call):
            self.call(run, attempt.step, action.tool, attempt.link.span)
        type = program.tools[action.tool].returns if isinstance(action, p.Call) else action.answers
        try:
            answer = self._answer(run, attempt, type)
            if isinstance(action, p.AskRole):
                self.passed(run, attempt.step.name)
            return answer
        finally:
            if held is not None:
                full = not self._reads_budget or self.guide.either(True)
                run.budget.settle(
                    held, held.money if full or held.money is None else Decimal(0), held.tokens
                )

    def _answer(self, run: Run, attempt: Attempt, type: Type) -> Any:
        step, link, action = attempt.step, attempt.link, attempt.action
        if self.guide.fails(step, link):
            raise AttemptFailed("by the replay", kind="replay")
        try:
            answer = self._types.check(type, self.guide.value(run, step.name, type))
        except Misfit as misfit:
            raise AttemptFailed(str(misfit), kind="misfit") from None
        if isinstance(action, p.Call) and run.program.tools[action.tool].pure:
            # One answer to the same arguments, whichever step asks.
            given = {name: to_json(value) for name, value in attempt.arguments.items()}
            first = self._pure.setdefault(f"{action.tool}{given!r}", answer)
            self.withheld |= first != answer
            return first
        return answer

    async def turn(
        self, run: Run, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]
    ) -> Turn:
        self._cut(run)
        named = [name for name in (*agent.tools, *agent.pipelines) if self.guide.says(f"`{name}`")]
        most = max(MOST_CALLS, self._count + 1)
        options: list[str | None] = [*named, None] if len(turns) < most else [None]
        if len(turns) >= max(len(named), self._count + 1 if named else 0):
            options.reverse()
        name = options[self.guide.script.pick(len(options))]
        if name is None:
            return Turn(self._answer(run, attempt, agent.answers))
        given: dict[str, Any] = {}
        if name in agent.pipelines:
            place = f"{attempt.step.name}.0.{len(turns) + 1}.{name}."
            for one in run.program.pipelines[name].parameters:
                given[one.key] = self.guide.found.value(f"{place}{one.name}", one.type)
        often = min(CALLS_A_TURN, self._count + 1)  # a claim that counts is broken soonest so
        calls = (ToolCall(f"{len(turns)}.{number}", name, given) for number in range(often))
        return Turn(None, tuple(calls))

    async def use_tool(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        self.call(run, attempt.step, call.name, attempt.link.span)
        return ToolResult(call, None)

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        if not self.guide.says(rf"^`{re.escape(step.name)}( \(\d+\))?` is answered from its cache"):
            return NOTHING
        if not self.guide.either(True):
            return NOTHING
        return self._types.check(
            step.type, self.guide.value(run, f"?cached {step.name}", step.type)
        )

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        if self.guide.fails(step, step.chain.links[0]):
            raise AttemptFailed("by the replay", kind="replay")
        own = await super().recall(run, step, action, subjects)
        if self.guide.either(True):
            try:
                value = self.guide.value(run, step.name, step.type)
                found = self._types.check(step.type, value)
            except Misfit as misfit:
                raise AttemptFailed(str(misfit), kind="misfit") from None
            if _may_follow(found, own, step.type):
                return found
            self.withheld = True
        return own

    async def remember(self, run: Run, item: p.Remember, place: str) -> Mapping[str, Any]:
        if self.guide.says("cannot be written") and self.guide.either(True):
            raise AttemptFailed("by the replay", kind="replay")
        return await super().remember(run, item, place)

    async def first(self, tasks: Iterable[asyncio.Task[Any]]) -> Iterable[asyncio.Task[Any]]:
        """One task at a time; in which order matters only for tools that read."""
        waiting = list(tasks)
        at = self.guide.script.pick(len(waiting)) if self._moved else 0
        await asyncio.wait([waiting[at]])
        return [waiting[at]]


def _reads_only(program: p.Program, claimed: OnPaths) -> bool:
    """Whether a claim is about a tool that only reads, whose calls have no order."""
    return not isinstance(claimed, p.Escalates) and not program.tools[claimed.tool].acts


def _dimension(budget: RunBudget) -> str:
    assert budget.limits is not None
    return "time" if budget.limits.seconds is not None else "money"


def certainly(run: Run, node: expr.Expr, positive: bool = True) -> bool:
    """Whether a condition is certainly so (or not so) by the values that a run has made."""
    match node:
        case expr.Not():
            return certainly(run, node.operand, not positive)
        case expr.Logic():
            # One after the other: the left side may say that what the right one reads is there.
            sides = (certainly(run, side, positive) for side in (node.left, node.right))
            return all(sides) if (node.op == "and") is positive else any(sides)
        case _:
            if any(name not in run.values for name in expr.mentions(node)):
                return False
            try:
                return bool(run.evaluate(node)) is positive
            except NoValue:
                return False
