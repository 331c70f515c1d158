"""The world of recorded runs: what was recorded is given back, anything else is done and recorded.

Of work that may act or ask people every outcome is recorded by itself, of pure and reading work a
region as a whole (`strands.WorkUnit`). An intent is written before a call that acts: where a former
process left one without an outcome nobody knows what became of it, so only an idempotent tool is
called again. Inputs that may be others next time (what a budget has left, what a `fn` in Python
says, the jitter of a wait) are recorded by their number in the strand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from pipelang.runtime.engine.outcomes import Ended, Escalated
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import (
    Arguments,
    Arms,
    Attempt,
    Decision,
    Items,
    Left,
    Question,
    Sampled,
    Subjects,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.tools.idempotency import key_of
from pipelang.runtime.worlds.recorded import encoding as enc
from pipelang.runtime.worlds.recorded.inputs import (
    pass_from,
    pass_json,
    quota_from,
    quota_json,
    restore_verdicts,
    verdicts_json,
)
from pipelang.runtime.worlds.recorded.recorder import ActingCall, RecorderWorld, same
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.kept_answers import kept_type
from pipelang.semantics.types import BOOL
from pipelang.semantics.walk import all_items

SHORTEST_TIMER = 1.0
"""Seconds: a shorter wait is not recorded, but waited again."""


class RecordingWorld(RecorderWorld):
    """Carries out one run and records it, or goes on with one from its record."""

    # --------------------------------------------------------------------------------- pipelines

    async def admit(self, run: Run) -> bool:
        breaker, quota = run.pipeline.breaker, run.pipeline.quota
        if breaker is None and quota is None:
            return await super().admit(run)
        admit, began = super().admit, self.since_start

        async def work() -> Any:
            await admit(run)
            given = pass_json(run, began(run))
            return given if quota is None else {"pass": given, "quota": quota_json(run)}

        given = await self._once(run, f"{run.where}admit", work, (same, same))
        if quota is not None:
            if run.budget.stake is None:
                quota_from(run, given["quota"], self._quotas())
            given = given["pass"]
        if breaker is None:
            return True
        if run.frame is None:
            run.frame = pass_from(run, given, self.since_start(run))
        return run.frame is not None

    async def leave(self, run: Run, ended: Ended | None) -> None:
        if (run.frame is None and run.budget.stake is None) or ended is None:
            return  # one that was cut short goes on with its pass in another process
        leave = super().leave
        await self._once(run, f"{run.where}leave", lambda: leave(run, ended), (same, same))

    async def hand_over(self, run: Run, result: Escalated) -> None:
        hand_over = super().hand_over
        await self._once(run, "handover", lambda: hand_over(run, result), (same, same))

    async def judge(self, run: Run, sampled: Sampled) -> None:
        judge, place = super().judge, f"{sampled.place}:label:{sampled.role}"
        await self._once(run, place, lambda: judge(run, sampled), (same, same))

    async def finish(self, run: Run, answered: bool) -> None:
        finish = super().finish
        await self._once(run, "finish", lambda: finish(run, answered), (same, same))

    async def close(self, run: Run) -> None:
        if self._ledger.row("end") is None:
            self._anew("end")
            await self._ledger.write_fact(run, "end", "end", {})

    # ------------------------------------------------------------------------------- expressions

    async def value(self, run: Run, node: expr.Expr) -> Any:
        work = super().value(run, node)
        return await (self._input(run, work, node.type) if node in self._inputs else work)

    async def recorded_arguments(self, run: Run, given: Arguments) -> dict[str, Any]:
        return {name: await self.value(run, node) for name, node in given}

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
        await self._goes_beyond(place)
        if whole:
            strand.unit = ledger.unit(run, place)
            strand.unit.whole = True
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
        run.notes.partial.update(row.get("partial", {}))
        run.notes.unfinished.update(row.get("unfinished", {}))
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
        for what, found in (("partial", run.notes.partial), ("unfinished", run.notes.unfinished)):
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
        work, action, call = super().attempt, attempt.action, None
        if isinstance(action, p.Call):
            tool = run.program.tools[action.tool]
            type, call = tool.returns, _acting(tool, run, attempt)
        else:
            type = action.answers
        place = f"{run.at(attempt.step.name)}{attempt.part}@{attempt.number}"
        return self._once(run, place, lambda: work(run, attempt), self._codec(type), call)

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
        acting = _acting(tool, run, attempt)
        made: ToolResult = await self._once(
            run, place, lambda: use(run, attempt, call), codec, acting
        )
        return made

    async def recall(self, run: Run, step: p.Step, action: p.Recall, subjects: Subjects) -> Any:
        recall, strand = super().recall, self._ledger.strand
        place = "" if strand.unit is not None else strand.next_input()
        codec = self._codec(run.program.memories[action.memory].returns)
        return await self._once(run, place, lambda: recall(run, step, action, subjects), codec)

    async def remember(self, run: Run, item: p.Remember, place: str) -> Mapping[str, Any]:
        remember = super().remember
        types = {
            one.name: one.type
            for one in all_items(run.pipeline.block)
            if isinstance(one, (p.Step, p.Let))
        }

        def encode(new: Mapping[str, Any]) -> Any:
            return {name: self._codec(types[name])[0](value) for name, value in new.items()}

        def decode(row: Mapping[str, Any] | None) -> Any:
            return {name: self._codec(types[name])[1](one) for name, one in (row or {}).items()}

        made: Mapping[str, Any] = await self._once(
            run, place, lambda: remember(run, item, place), (encode, decode)
        )
        return made

    async def look_up(self, run: Run, step: p.Step, link: p.Link, subjects: Subjects) -> Any:
        codec = enc.found_codec(self._codec(kept_type(run.program, link.action)))
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

    # -------------------------------------------------------------------------------------- time

    async def jitter(self, run: Run, longest: float) -> float:
        return float(await self._input(run, super().jitter(run, longest)))

    async def sleep(self, run: Run, seconds: float) -> None:
        if seconds >= SHORTEST_TIMER:
            now, row = self._ledger.record.now, self._next_row()
            due = await self._input(run, _given_later(now() + seconds))
            left = min(max(due - now(), 0.0), seconds)
            if row is not None:  # what passed of it in no process takes time as well
                self._go_on_at(run, row["at"] + seconds - left)
            seconds = left
        await self._let_pass(run, seconds)

    async def _let_pass(self, run: Run, seconds: float) -> None:
        """Wait for what is left of a timer."""
        await super().sleep(run, seconds)

    def spawn(self, work: Coroutine[Any, Any, Any], place: str) -> asyncio.Task[Any]:
        task = super().spawn(work, place)
        self._ledger.follow(task, place)
        return task


def _acting(tool: p.Tool, run: Run, attempt: Attempt) -> ActingCall | None:
    """The call of a tool that acts; None of one that only reads."""
    return ActingCall(tool, key_of(run, attempt)) if tool.acts else None


async def _given_later(value: float) -> float:
    return value


class NotRecorded(Exception):
    """A run that is gone through from its record alone came to a place that this does not have."""


class ReplayingWorld(RecordingWorld):
    """Goes through a run from its record, and does nothing: what is not recorded is an error."""

    def _anew(self, place: str) -> None:
        raise NotRecorded(f"`{place}` is not recorded")
