"""The world of a simulation: attempts, tests and people, answered from declared numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Coroutine, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass, field
from pipelang.runtime.engine.world import (
    NOTHING,
    Arguments,
    Arms,
    Attempt,
    AttemptFailed,
    Decision,
    Question,
    Subjects,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.worlds.forgetful import ForgetfulWorld
from pipelang.runtime.worlds.simulation.budgets import NOTHING_HELD, SimulatedBudgets, Spending
from pipelang.runtime.worlds.simulation.declared_chances import DeclaredChances
from pipelang.runtime.worlds.simulation.frames import (
    Chances,
    DrawnPrompt,
    LatentVerdicts,
    SimulatedFrame,
)
from pipelang.runtime.worlds.simulation.virtual_clock import Task, VirtualLoop
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.kernels.timeouts import call_limit
from pipelang.semantics.sizes import value_size
from pipelang.semantics.types import Type

if TYPE_CHECKING:
    from pipelang.runtime.engine.budget import RunBudget
    from pipelang.runtime.engine.run import Run

Z95 = 1.644854


@dataclass(frozen=True, slots=True)
class SimulatedValue:
    """A value of a simulation: only whether it is right, and the latent verdicts behind that. As a
    text it is as long as a text of its `type` may be.
    """

    right: bool
    latent: tuple[bool, bool] | None = field(default=None, repr=False, compare=False)
    type: Type | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        if self.type is None:
            return ""
        bound = value_size(self.type).bound
        return "." * (LONG if bound is None else min(LONG, 3 * bound))


LONG = 600
"""Bytes of a text that nothing bounds: as much as a gate's feedback may have."""


class SimulatedWorld(ForgetfulWorld):
    """One simulated run. `wrong_effect` says whether something was done with a wrong value,
    `reached` which steps of the pipeline itself were begun; with `people` its clock goes on while
    somebody is waited for.

    Budgets are obeyed as in a real run; only while people are simulated, time is none of theirs.
    """

    has_values = False

    def __init__(
        self,
        facts: DeclaredChances,
        chance: random.Random,
        spending: Spending,
        people: bool = False,
    ) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.people = people
        self.budgets = SimulatedBudgets(self.loop, timed=not people)
        self.chances = Chances(chance)
        self.wrong_effect = False
        self.reached: set[str] = set()
        self.cost = 0.0
        self.tokens = 0.0
        self._root = SimulatedFrame(facts, self.chances, spending)

    def _frame(self, run: Run) -> SimulatedFrame:
        frame: SimulatedFrame = run.frame or self._root
        if frame.left is None:
            frame.left = run.evaluate
        return frame

    # ----------------------------------------------------------------------- values and tests

    async def admit(self, run: Run) -> bool:
        return True  # breakers and kills are off: the analysis knows nothing of them

    async def value(self, run: Run, node: expr.Expr) -> Any:
        return SimulatedValue(self._right(run, (node,)), type=node.type)

    def arguments(self, run: Run, given: Arguments) -> dict[str, Any]:
        return {name: SimulatedValue(self._right(run, (node,))) for name, node in given}

    async def recorded_arguments(self, run: Run, given: Arguments) -> dict[str, Any]:
        return self.arguments(run, given)

    async def route(self, run: Run, node: expr.Expr, arms: Arms = ()) -> Any:
        return self._subject(run, node, arms)

    def _subject(self, run: Run, node: expr.Expr, arms: Arms = ()) -> Any:
        return (frame := self._frame(run)).subject(frame.facts.open(node), arms)

    async def link_value(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        """A value that was written down: right with its accuracy, if what it mentions is right."""
        assert isinstance(link.action, p.Value)
        frame = self._frame(run)
        right = self._right(run, (link.action.value, *subjects))
        odds = frame.facts.odds.of(link.accuracy)
        answer = self._answer(frame, step.name, link, odds, 0.0, right)
        frame.make(step.name, answer)
        frame.elements[step.name] = []
        return SimulatedValue(answer)

    def fitted_answer(self, run: Run, value: Any) -> Any:
        return value

    def _right(self, run: Run, exprs: Iterable[expr.Expr]) -> bool:
        """Whether expressions are right, and all that the place they stand in hangs on."""
        frame = self._frame(run)
        return frame.around and all(map(frame.is_right, (*exprs, *run.notes.conditions)))

    async def holds(self, run: Run, item: p.Gate | p.When | p.Person, test: expr.Expr) -> bool:
        evidence = item.evidence if isinstance(item, p.Gate) else None
        name = None if isinstance(item, p.Person) else item.name
        return self._frame(run).judge(test, name, evidence)

    # ------------------------------------------------------------------------------- attempts

    def begin(self, run: Run, step: p.Step) -> None:
        if run.parent is None:
            self.reached.add(step.name)
        latents = self._frame(run).latents.get(step.name)
        if latents is not None:
            latents.former, latents.link = latents.last, None

    async def attempt(self, run: Run, attempt: Attempt) -> Any:
        action, link, frame = attempt.action, attempt.link, self._frame(run)
        odds, flip = frame.facts.odds, self.chances.flip
        given = [value for _, value in action.arguments]
        right = self._right(run, (*given, *attempt.subjects))
        accuracy, recovers = link.accuracy, 0.0
        match action:
            case p.AskTier():
                assert attempt.tier is not None
                accuracy = link.accuracy_by_tier.get(attempt.tier, accuracy)
                recovers = odds.of(link.recovers)
                await self._call_model(run, attempt, 1)
            case p.Call():
                tool = run.program.tools[action.tool]
                await self._call_tool(run, tool, link)
                if not flip(odds.of(tool.succeeds)):
                    raise AttemptFailed("simulated")
            case p.AskRole():
                recovers = odds.of(link.recovers)
                role = run.program.roles[action.role]
                if not await self._in_time(frame, role, link.timeout):
                    raise AttemptFailed("simulated")
        answer = self._answer(frame, attempt.step.name, link, odds.of(accuracy), recovers, right)
        if isinstance(action, p.Call) and run.program.tools[action.tool].acts and not answer:
            self.wrong_effect = True
        frame.make(attempt.step.name, answer)
        return SimulatedValue(answer, frame.latents[attempt.step.name].last)

    async def _call_model(self, run: Run, attempt: Attempt, turn: int) -> None:
        """One attempt at a model. Raises `AttemptFailed`."""
        assert attempt.tier is not None
        frame = self._frame(run)
        tier = run.program.tiers[attempt.tier]
        if frame.free:
            if self.chances.flip(frame.facts.odds.of(tier.transient)):
                raise AttemptFailed("simulated")
            return
        out = frame.out(run.program.providers[tier.provider])
        told, again = attempt.feedback is not None, attempt.number > 0
        dollars, tokens = 0.0, 0.0
        limits = run.budget.limited()
        most = NOTHING_HELD
        if limits:
            most = frame.spending.reserved(attempt.step, attempt.link, tier.name, turn, told, again)
        held = await self.budgets.hold(run, *most)
        try:
            await self.budgets.let_pass(run, self._duration(tier.latency, attempt.link.timeout))
            if not out:
                drawn = DrawnPrompt(frame, attempt.feedback)
                dollars, tokens = frame.spending.attempt(
                    attempt.step, attempt.link, tier.name, turn, told, drawn
                )
                self.cost += dollars
                self.tokens += tokens
        finally:
            self.budgets.settle(run, held, Decimal(repr(dollars)) if limits else Decimal(0), tokens)
        if out or self.chances.flip(frame.facts.odds.of(tier.transient)):
            raise AttemptFailed("simulated")

    async def _call_tool(self, run: Run, tool: p.Tool, link: p.Link | None) -> None:
        """One attempt at a tool, as far as it takes time and money."""
        if self._frame(run).free:
            return
        held = await self.budgets.hold(run, tool.cost, 0)
        try:
            await self.budgets.let_pass(run, self._duration(tool.latency, call_limit(link, tool)))
            self.cost += float(tool.cost)
        finally:
            self.budgets.settle(run, held, tool.cost, 0)

    def _answer(
        self,
        frame: SimulatedFrame,
        step: str,
        link: p.Link,
        accuracy: float,
        recovers: float,
        right: bool,
    ) -> bool:
        flip = self.chances.flip
        latents = frame.latents.setdefault(step, LatentVerdicts())
        former = latents.last if latents.link is link else latents.former
        if former is not None and flip(frame.facts.odds.of(link.correlation)):
            latent = former
        else:
            latent = (flip(accuracy), flip(recovers))
        latents.last, latents.link = latent, link
        return latent[0] if right else latent[1]

    async def turn(
        self, run: Run, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]
    ) -> Turn:
        """A turn that asks for nothing, or the answer once there were as many as typical. Who is
        asked at the next one is drawn then, where that is declared.
        """
        if chosen_by_turn(agent):
            self._frame(run).forget_left(agent.who)
        number = len(turns) + 1
        await self._call_model(run, attempt, number)
        frame = self._frame(run)
        odds = frame.facts.odds
        typical = agent.turns
        if typical is None:
            typical = 1 if odds.open(f"{attempt.step.name}.turns") else agent.steps
        if number < typical:
            await self._use_a_tool(run, agent)
            return Turn(calls=(ToolCall("simulated", "", {}),))
        link = attempt.link
        given = [value for _, value in attempt.action.arguments]
        right = self._right(run, (*given, *attempt.subjects))
        accuracy = odds.of(link.accuracy_by_tier.get(attempt.tier or "", link.accuracy))
        recovers = odds.of(link.recovers)
        answer = self._answer(frame, attempt.step.name, link, accuracy, recovers, right)
        frame.make(attempt.step.name, answer)
        return Turn(SimulatedValue(answer, frame.latents[attempt.step.name].last))

    async def _use_a_tool(self, run: Run, agent: p.Agent) -> None:
        """One call between two turns, of each tool as often, with the tool's own retries; a
        pipeline takes no time here.
        """
        names = [*agent.tools, *agent.pipelines]
        tool = run.program.tools.get(self.chances.source.choice(names)) if names else None
        if tool is None:
            return
        odds = self._frame(run).facts.odds
        for left in range(tool.retry.count, -1, -1):
            await self._call_tool(run, tool, None)
            if not left or self.chances.flip(odds.of(tool.succeeds)):
                return

    async def use_tool(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        return ToolResult(call, None)

    def vote_decided(self, run: Run, step: p.Step, answer: Any) -> None:
        frame = self._frame(run)
        frame.right[step.name] = answer.right
        frame.latents[step.name].last = answer.latent

    async def accepts(self, run: Run, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        frame = self._frame(run)
        names = frame.facts.mentions(action.until) - {"it"}
        others = all(map(frame.is_right_by_name, names))
        odds = frame.facts.odds
        alarms, catches = odds.of(action.rates.false_alarms), odds.of(action.rates.catches)
        return self.chances.flip(1 - (alarms if answer.right and others else catches))

    # ------------------------------------------------------------ sub-pipelines and lists

    def stand_in(self, run: Run, step: p.Step, action: p.Action) -> Any:
        return NOTHING

    async def enter_child(self, run: Run, child: Run, subjects: Subjects) -> None:
        caller = self._frame(run)
        action = child.action
        assert action is not None, "an agent of a simulation calls nothing"
        around = self._right(run, subjects)
        child.frame = SimulatedFrame(
            caller.facts.inside(run.program, child.pipeline),
            self.chances,
            caller.spending.child(action),
            right={name: around and child.values[name].right for name, _ in action.arguments},
            around=around,
            caller=caller,
            arguments=caller.facts.arguments(action),
            free=caller.free,
        )

    def child_answered(self, run: Run, step: p.Step, value: Any) -> None:
        self._made_anew(self._frame(run), step.name, value.right)

    async def elements(self, run: Run, step: p.Step, each: p.Each, subjects: Subjects) -> list[Any]:
        frame = self._frame(run)
        right = frame.is_right(each.elements)
        return [SimulatedValue(right)] * frame.length(each.elements, each.most)

    async def enter_element(self, run: Run, inside: Run, each: p.Each, subjects: Subjects) -> None:
        outside = self._frame(run)
        inside.frame = SimulatedFrame(
            outside.facts,
            self.chances,
            outside.spending,
            right={each.variable: outside.is_right(each.elements)},
            around=self._right(run, subjects),
            outside=outside,
            variable=each.variable,
            free=outside.free,
        )

    def gathered(self, run: Run, step: p.Step, answers: list[Any]) -> Any:
        frame = self._frame(run)
        frame.elements[step.name] = [answer.right for answer in answers if answer is not None]
        right = all(frame.elements[step.name])
        self._made_anew(frame, step.name, right)
        return SimulatedValue(right)

    def _made_anew(self, frame: SimulatedFrame, step: str, right: bool) -> None:
        """Set whether a step's value is right that is no single answer: none copies it later."""
        frame.latents.pop(step, None)
        frame.make(step, right)

    # -------------------------------------------------------------------- memories and caches

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        right = self._right(run, (action.key, *subjects))
        self._made_anew(self._frame(run), step.name, right)
        return SimulatedValue(right)

    async def remember(self, run: Run, item: p.Remember, place: str) -> Mapping[str, Any]:
        if not self._right(run, (item.key, item.value)):
            self.wrong_effect = True
        return {}

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        """A hit, as right as a fresh answer: the action is gone through where nothing fails."""
        from pipelang.runtime.worlds.simulation.cache_hits import answered_before, cached

        assert link.cache is not None
        frame = self._frame(run)
        if not self.chances.flip(frame.facts.odds.of(link.cache.hits)):
            return NOTHING
        action = link.action
        if isinstance(action, p.RunPipeline):
            running = action

            async def begin(budget: RunBudget) -> Run:
                pipeline = run.program.pipelines[running.pipeline]
                given = self.arguments(run, running.arguments)
                child = run.child(pipeline, budget, given, step.name, "", 0, running)
                await self.enter_child(run, child, subjects)
                return child

            kept = await answered_before(begin)
            if kept is not NOTHING:
                self._made_anew(frame, step.name, kept.right)
            return kept
        assert isinstance(action, (p.AskTier, p.AskRole, p.Call, p.Cascade, p.Agent))
        given = [value for _, value in action.arguments]
        right = self._right(run, (*given, *subjects))
        tier, by_turn = None, None
        if isinstance(action, p.Agent) and chosen_by_turn(action):
            agent = action

            def by_turn() -> str:
                frame.forget_left(agent.who)
                return str(self._subject(run, agent.who))

        elif isinstance(action, (p.AskTier, p.Agent)):
            tier = self._subject(run, action.who)
        found = cached(frame, run, link, tier, right, by_turn)
        if found is None:
            return NOTHING
        answer, frame.latents[step.name] = found
        frame.make(step.name, answer)
        return SimulatedValue(answer)

    # --------------------------------------------------------------------------------- people

    async def decide(self, run: Run, question: Question) -> Decision | None:
        person, frame = question.person, self._frame(run)
        role = run.program.roles[person.role]
        if person.kind == "hold":
            return await self._vetoed(frame, role, person)
        if not await self._in_time(frame, role, person.seconds):
            return None
        return self._verdict(frame, role, person)

    async def _vetoed(
        self, frame: SimulatedFrame, role: p.Role, person: p.Person
    ) -> Decision | None:
        """A hold that nobody vetoes lasts to its end."""
        assert person.seconds is not None
        limit = float(person.seconds)
        seconds = self._response(frame, role, limit)
        decision = self._verdict(frame, role, person) if seconds <= limit else None
        await self._wait_for_people(limit if decision is None or decision.yes else seconds)
        return decision

    def _verdict(self, frame: SimulatedFrame, role: p.Role, person: p.Person) -> Decision:
        if person.showing is not None:
            right = frame.is_right(person.showing)
        else:
            right = all(frame.right[name] for name in person.judges if name in frame.right)
        accuracy = frame.facts.odds.of(role.accuracy)
        return Decision(self.chances.flip(accuracy if right else 1 - accuracy))

    async def _in_time(self, frame: SimulatedFrame, role: p.Role, limit: Decimal | None) -> bool:
        """Wait for a person's answer, at most to the limit; whether there is one."""
        longest = math.inf if limit is None else float(limit)
        seconds = self._response(frame, role, longest)
        await self._wait_for_people(min(seconds, longest))
        return seconds <= longest

    def _response(self, frame: SimulatedFrame, role: p.Role, limit: float) -> float:
        """Seconds until a person answers; beyond the limit for no answer in time."""
        if role.responds is not None and role.responds.p95 is not None:
            return self._lognormal(role.responds)
        if limit == math.inf or self.chances.flip(frame.facts.odds.open(f"{role.name}.responds")):
            return 0.0
        return math.inf

    async def _wait_for_people(self, seconds: float) -> None:
        if self.people:
            await self.loop.sleep(seconds)

    # ----------------------------------------------------------------------------------- time

    def _duration(self, latency: p.Spread | None, limit: Decimal | None) -> float:
        if latency is None or latency.p95 is None:
            return 0.0
        seconds = self._lognormal(latency)
        return seconds if limit is None else min(seconds, float(limit))

    def _lognormal(self, spread: p.Spread) -> float:
        assert spread.p95 is not None
        sigma = math.log(spread.p95 / spread.median) / Z95
        return float(spread.median) * math.exp(sigma * self.chances.source.gauss(0.0, 1.0))

    async def sleep(self, run: Run, seconds: float) -> None:
        if self._frame(run).free:
            return
        await self.budgets.let_pass(run, seconds)

    def since_start(self, run: Run) -> float:
        return self.loop.now

    def elapsed(self, run: Run) -> float:
        return self.loop.now

    async def jitter(self, run: Run, longest: float) -> float:
        return self.chances.source.uniform(0.0, longest)

    # --------------------------------------------------------------------------- side by side

    def spawn(self, work: Coroutine[Any, Any, Any], place: str) -> Task:
        return self.loop.spawn(work)

    async def first(self, tasks: Iterable[Task]) -> Iterable[Task]:
        return await self.loop.first(tasks)

    async def cancel(self, tasks: Iterable[Task]) -> None:
        await self.loop.stop(tasks)
