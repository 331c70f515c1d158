"""The world of recorded runs: what was recorded is given back, anything else is done and recorded.

Of work that may act or ask people every outcome is recorded by itself, of pure and reading work a
region as a whole (`strands.Unit`). An intent is written before a call that acts: where a former
process left one without an outcome nobody knows what became of it, so only an idempotent tool is
called again. Inputs that may be others next time (what a budget has left, what a `fn` in Python
says, the jitter of a wait) are recorded by their number in the strand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

from pipelang.runtime.engine.budget import BudgetSpent, Reservation, RunBudget
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.outcomes import Ended, Escalated, Halted
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import (
    Arms,
    Attempt,
    AttemptFailed,
    Decision,
    Items,
    Left,
    Question,
    Subjects,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.mcp.sessions import Lost
from pipelang.runtime.worlds.real.world import Performers, RealWorld
from pipelang.runtime.worlds.recorded import encoding as enc
from pipelang.runtime.worlds.recorded.inputs import (
    InputExpressions,
    pass_from,
    pass_json,
    restore_verdicts,
    verdicts_json,
)
from pipelang.runtime.worlds.recorded.ledger import Ledger
from pipelang.runtime.worlds.recorded.record import Record
from pipelang.runtime.worlds.recorded.strands import Unit, plus
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL, Type

SHORTEST_TIMER = 1.0
"""Seconds: a shorter wait is not recorded, but waited again."""

UNKNOWN = "effect_unknown"


class RecordingWorld(RealWorld):
    """Carries out one run and records it, or goes on with one from its record."""

    lasting = True

    def __init__(
        self, performers: Performers, root: RunBudget, record: Record, program: p.Program
    ) -> None:
        super().__init__(performers, root)
        self._ledger = Ledger(record, lambda: time.monotonic() - self._began)
        self._ledger.charge(root)
        self._inputs = InputExpressions(program)
        self._types = performers.services.types

    # -------------------------------------------------------------------------- units and inputs

    async def _once(
        self,
        run: Run,
        place: str,
        work: Callable[[], Awaitable[Any]],
        codec: enc.Codec,
        tool: p.Tool | None = None,
    ) -> Any:
        """The outcome of a unit: as it is recorded, else as it comes out now. `tool` is what it
        calls, if that acts.
        """
        ledger, strand = self._ledger, self._ledger.strand
        if strand.unit is not None:
            return await work()
        row = ledger.row(place)
        if row is not None:
            return self._given(run, row, codec)
        unit = strand.unit = ledger.unit(run, place, tool is not None)
        try:
            if unit.begun and tool is not None and not tool.idempotent:
                raise Halted(UNKNOWN, f"`{tool.name}` was called, and its outcome was lost")
            try:
                result = await work()
            finally:
                strand.unit = None
            value = {"value": codec[0](result)}
        except BaseException as error:
            strand.unit = None
            if tool is not None and _is_unknown(error, unit, tool):
                ledger.drop(unit)
                raise Halted(UNKNOWN, f"`{tool.name}` was called: {error}") from error
            failure = enc.encode_failure(error, run.budget)
            if failure is None or isinstance(error, Halted):
                ledger.drop(unit)
                raise
            await ledger.write(run, place, "done", failure, unit)
            raise
        await ledger.write(run, place, "done", value, unit)
        return result

    def _given(self, run: Run, row: dict[str, Any], codec: enc.Codec) -> Any:
        """The outcome that a row has."""
        self._resume(run, row)
        if "value" not in row:
            raise enc.decode_failure(row, run.budget)
        return codec[1](row["value"])

    def _resume(self, run: Run, row: dict[str, Any]) -> None:
        """Take over what a row says; the run's time goes on from there."""
        ahead = self._ledger.resume(run, row) - self.since_start(run)
        if ahead > 0:
            self._began -= ahead

    async def _input(self, run: Run, work: Awaitable[Any], type: Type | None = None) -> Any:
        """An input: as it is recorded, else as it is now. Inside a unit it is a part of that."""
        ledger, strand = self._ledger, self._ledger.strand
        if strand.unit is not None:
            return await work
        place = strand.next_input()
        row = ledger.row(place)
        codec = self._codec(type)
        if row is not None:
            assert isinstance(work, Coroutine)
            work.close()
            return self._given(run, row, codec)
        try:
            result = await work
        except Exception as error:
            failure = enc.encode_failure(error, run.budget)
            if failure is not None:
                await ledger.write_fact(run, place, "input", failure)
            raise
        await ledger.write_fact(run, place, "input", {"value": codec[0](result)})
        return result

    def _codec(self, type: Type | None) -> enc.Codec:
        """Values of a type; of None plain JSON."""
        if type is None:
            return _same, _same
        known = type
        return (
            lambda value: enc.encode(known, value),
            lambda data: enc.decode(self._types, known, data),
        )

    # --------------------------------------------------------------------------------- pipelines

    async def admit(self, run: Run) -> bool:
        if run.pipeline.breaker is None:
            return await super().admit(run)
        admit, began = super().admit, self.since_start

        async def work() -> Any:
            await admit(run)
            return pass_json(run, began(run))

        given = await self._once(run, f"{run.where}admit", work, (_same, _same))
        if run.frame is None:
            run.frame = pass_from(run, given, self.since_start(run))
            self._guards = True
        return run.frame is not None

    async def leave(self, run: Run, ended: Ended | None) -> None:
        if run.frame is None or ended is None:
            return await super().leave(run, ended)
        leave = super().leave
        await self._once(run, f"{run.where}leave", lambda: leave(run, ended), (_same, _same))

    async def hand_over(self, run: Run, result: Escalated) -> None:
        hand_over = super().hand_over
        await self._once(run, "handover", lambda: hand_over(run, result), (_same, _same))

    async def finish(self, run: Run, answered: bool) -> None:
        finish = super().finish
        await self._once(run, "finish", lambda: finish(run, answered), (_same, _same))

    async def close(self, run: Run) -> None:
        if self._ledger.row("end") is None:
            await self._ledger.write_fact(run, "end", "end", {})

    # ------------------------------------------------------------------------------- expressions

    async def value(self, run: Run, node: expr.Expr) -> Any:
        work = super().value(run, node)
        return await (self._input(run, work, node.type) if node in self._inputs else work)

    async def route(self, run: Run, node: expr.Expr, arms: Arms = ()) -> Any:
        work = super().route(run, node, arms)
        return await (self._input(run, work, node.type) if node in self._inputs else work)

    async def accepts(self, run: Run, step: p.Step, action: p.Cascade, answer: Any) -> bool:
        work = super().accepts(run, step, action, answer)
        is_input = action.until in self._inputs
        return bool(await (self._input(run, work, BOOL) if is_input else work))

    # ----------------------------------------------------------------------------------- regions

    async def enter_region(self, run: Run, place: str, items: Items, whole: bool) -> Left | None:
        ledger, strand = self._ledger, self._ledger.strand
        if strand.unit is not None:
            return None
        row = ledger.row(place)
        if row is not None:
            self._resume(run, row)
            return self._left(run, items, row)
        if whole:
            strand.unit = ledger.unit(run, place)
        else:
            ledger.begin(place, run)
        return None

    def _left(self, run: Run, items: Items, row: dict[str, Any]) -> Left:
        given = row["values"]
        values = {
            item.name: enc.decode(self._types, item.type, given[item.name])
            for item in items
            if item.name in given
        }
        run.partial.update(row.get("partial", {}))
        run.unfinished.update(row.get("unfinished", {}))
        restore_verdicts(run, row.get("verdicts"))
        if "kept" in row:
            self._answers().keep_again(row["kept"])
        end: Ended | Exception | None = None
        if "ended" in row:
            end = enc.decode_ended(self._types, run.pipeline, row["ended"])
        elif "cut" in row:
            end = enc.decode_failure(row["cut"], run.budget)
        return Left(values, end)

    async def leave_region(
        self,
        run: Run,
        place: str,
        items: Items,
        values: Mapping[str, Any],
        end: Ended | Exception | None,
    ) -> None:
        ledger, strand = self._ledger, self._ledger.strand
        unit = strand.unit
        if unit is not None and unit.place != place:
            return  # it is a part of what is recorded as a whole
        row: dict[str, Any] = {
            "values": {
                item.name: enc.encode(item.type, values[item.name])
                for item in items
                if item.name in values
            }
        }
        if isinstance(end, Ended):
            row["ended"] = enc.encode_ended(run.pipeline, end)
        elif end is not None:
            row["cut"] = enc.encode_failure(end, run.budget)
        names = {item.name for item in items}
        for what, found in (("partial", run.partial), ("unfinished", run.unfinished)):
            mine = {name: part for name, part in found.items() if name in names}
            if mine:
                row[what] = mine
        verdicts = verdicts_json(run)
        if verdicts is not None:
            row["verdicts"] = verdicts
        if self._cached is not None and (kept := self._cached.kept()):
            row["kept"] = kept
        strand.unit = None
        await ledger.write(run, place, "region", row, unit or ledger.end(place))

    async def enter_child(self, run: Run, child: Run, subjects: Subjects) -> None:
        self._ledger.charge(child.budget)
        if self._ledger.strand.unit is None and child.budget.timed():
            began = await self._input(run, _given_later(child.budget.began))
            child.budget.began = began
            if child.budget.parent is not run.budget and child.budget.parent is not None:
                child.budget.parent.began = began  # that of the link's timeout
        await super().enter_child(run, child, subjects)

    # ---------------------------------------------------------------- models, tools and memories

    def attempt(self, run: Run, attempt: Attempt) -> Coroutine[Any, Any, Any]:
        work, action, tool = super().attempt, attempt.action, None
        if isinstance(action, p.Call):
            called = run.program.tools[action.tool]
            type, tool = called.returns, called if called.acts else None
        else:
            type = action.answers
        place = f"{run.at(attempt.step.name)}{attempt.part}@{attempt.number}"
        return self._once(run, place, lambda: work(run, attempt), self._codec(type), tool)

    async def turn(
        self, run: Run, attempt: Attempt, agent: p.Agent, turns: tuple[Turn, ...]
    ) -> Turn:
        turn, action = super().turn, attempt.action
        assert isinstance(action, p.AskTier)
        place = f"{run.at(attempt.step.name)}{attempt.part}:turn{len(turns)}@{attempt.number}"
        codec = enc.turn_codec(self._types, action.answers)
        made: Turn = await self._once(run, place, lambda: turn(run, attempt, agent, turns), codec)
        return made

    async def use_tool(self, run: Run, attempt: Attempt, call: ToolCall) -> ToolResult:
        use, tool = super().use_tool, run.program.tools[call.name]
        place = f"{run.at(attempt.step.name)}{attempt.part}@"
        codec = enc.result_codec(call)
        acts = tool if tool.acts else None
        made: ToolResult = await self._once(
            run, place, lambda: use(run, attempt, call), codec, acts
        )
        return made

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        recall, strand = super().recall, self._ledger.strand
        place = "" if strand.unit is not None else strand.next_input()
        codec = self._codec(run.program.memories[action.memory].returns)
        return await self._once(run, place, lambda: recall(run, step, action, subjects), codec)

    async def remember(self, run: Run, item: p.Remember, place: str) -> None:
        remember = super().remember
        await self._once(run, place, lambda: remember(run, item, place), (_same, _same))

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        codec = enc.found_codec(self._codec(enc.type_of(run.program, link.action)))
        look_up, strand = super().look_up, self._ledger.strand
        place = "" if strand.unit is not None else strand.next_input()
        return await self._once(run, place, lambda: look_up(run, step, link, subjects), codec)

    # ------------------------------------------------------------------------------------ people

    async def decide(self, run: Run, question: Question) -> Decision | None:
        decide = super().decide
        made: Decision | None = await self._once(
            run, question.place, lambda: decide(run, question), enc.DECISION
        )
        return made

    # ----------------------------------------------------------------------------- usage, events

    async def reserved(self, run: Run, held: Reservation) -> None:
        unit = self._ledger.strand.unit
        if unit is None or not unit.reserve(run.budget, held):
            return
        if unit.begun or not unit.acts:  # else its intent will say so
            await self._ledger.write_ahead(run, unit, intent=False)

    def settle(self, run: Run, held: Reservation, money: Decimal, tokens: int) -> None:
        super().settle(run, held, money, tokens)
        unit = self._ledger.strand.unit
        if unit is not None:
            unit.used = plus(unit.used, (money, tokens, 1))

    async def intend(self, run: Run) -> None:
        unit = self._ledger.strand.unit
        if unit is not None and not unit.begun:
            await self._ledger.write_ahead(run, unit, intent=True)

    def tell(self, run: Run, event: Event) -> None:
        self._ledger.tell(run, event)

    # -------------------------------------------------------------------------------------- time

    async def jitter(self, run: Run, longest: float) -> float:
        return float(await self._input(run, super().jitter(run, longest)))

    async def sleep(self, run: Run, seconds: float) -> None:
        if seconds >= SHORTEST_TIMER:
            now = self._ledger.record.now
            due = await self._input(run, _given_later(now() + seconds))
            seconds = min(max(due - now(), 0.0), seconds)
        await super().sleep(run, seconds)

    def spawn(self, work: Coroutine[Any, Any, Any], place: str) -> asyncio.Task[Any]:
        task = super().spawn(work, place)
        self._ledger.follow(task, place)
        return task


async def _given_later(value: float) -> float:
    return value


def _same(value: Any) -> Any:
    return value


def _is_unknown(error: BaseException, unit: Unit, tool: p.Tool) -> bool:
    """Whether nobody knows if a call that began took effect: only the tool itself can tell."""
    if tool.idempotent or not unit.begun:
        return False
    if isinstance(error, AttemptFailed):
        return error.kind == "timeout" or isinstance(error.__cause__, Lost)
    return isinstance(error, BudgetSpent)
