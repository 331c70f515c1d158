"""Recording itself: units that are done once, inputs that are taken once, and what they use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.budget import BudgetSpent, Reservation, RunBudget
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import AttemptFailed
from pipelang.runtime.mcp.faults import Lost
from pipelang.runtime.tools.under_way import named_call
from pipelang.runtime.worlds.real.world import Performers, RealWorld
from pipelang.runtime.worlds.recorded import encoding as enc
from pipelang.runtime.worlds.recorded.inputs import InputExpressions
from pipelang.runtime.worlds.recorded.ledger import Ledger
from pipelang.runtime.worlds.recorded.record import RunRecord
from pipelang.runtime.worlds.recorded.strands import WorkUnit, plus
from pipelang.semantics import program as p
from pipelang.semantics.types import Type

UNKNOWN = "effect_unknown"

_QUIET = 25
"""Turns of the loop without a row given back, after which strands stand where their record ends: a
task that ends is noticed, and the next one begun, within a few.
"""


@dataclass(frozen=True, slots=True)
class ActingCall:
    """A call that acts: its tool, and the key by which the outside may know it."""

    tool: p.Tool
    key: str

    def as_json(self) -> dict[str, str]:
        return {"tool": self.tool.name, "key": self.key}

    def __str__(self) -> str:
        return f"`{self.tool.name}` was called with the key `{self.key}`"


class RecorderWorld(RealWorld):
    """Does things once: what it is asked for is given back from the record, or done and
    recorded.
    """

    lasting = True

    def __init__(
        self, performers: Performers, root: RunBudget, record: RunRecord, program: p.Program
    ) -> None:
        super().__init__(performers)
        self._ledger = Ledger(record, lambda: time.monotonic() - self._began)
        self._ledger.charge(root)
        self._is_lost = False
        self._once_only: dict[str, ActingCall] = {}
        self._given_back = 0
        self._inputs = InputExpressions(program)
        self._types = enc.Restoring(performers.services.types, record.medium)

    # -------------------------------------------------------------------------- units and inputs

    async def _once(
        self,
        run: Run,
        place: str,
        work: Callable[[], Awaitable[Any]],
        codec: enc.Codec,
        call: ActingCall | None = None,
    ) -> Any:
        """The outcome of a unit: as it is recorded, else as it comes out now. `call` is what it
        does, if that acts.
        """
        ledger, strand = self._ledger, self._ledger.strand
        if strand.unit is not None:
            return await work()
        row = ledger.row(place)
        if row is not None:
            return self._given(run, row, codec)
        if call is not None and not call.tool.idempotent:
            self._once_only[place] = call
        await self._goes_beyond(place)
        unit = strand.unit = ledger.unit(run, place, None if call is None else call.as_json())
        try:
            if unit.begun and place in self._once_only:
                await self._others_to_their_ends()
                text = f"{call}, and its outcome was lost"
                raise Halted(UNKNOWN, text + self._unknown_beside(place))
            try:
                result = await work()
            finally:
                strand.unit = None
            value = {"value": codec[0](result)}
        except BaseException as error:
            strand.unit = None
            if call is not None and _is_unknown(error, unit, call.tool):
                ledger.drop(unit)
                text = f"{call}: {error}"
                raise Halted(UNKNOWN, text + self._unknown_beside(place)) from error
            failure = enc.encode_failure(error, run.budget)
            if failure is None or isinstance(error, Halted):
                ledger.drop(unit)
                raise
            await ledger.write(run, place, "done", failure, unit)
            raise
        await ledger.write(run, place, "done", value, unit)
        return result

    async def _goes_beyond(self, place: str) -> None:
        """Go on with what the record does not have, unless the run is about to end: then nothing
        new is begun, and the strand is cancelled where it stands.
        """
        self._anew(place)
        if self._is_lost and self._ledger.is_beside_others():
            await asyncio.Event().wait()

    async def _others_to_their_ends(self) -> None:
        """Have what goes on side by side come to where its record ends, before a run ends whose
        effect is unknown: what was done and recorded belongs to what is known.
        """
        self._is_lost, quiet = True, 0
        while quiet < _QUIET:
            seen = self._given_back
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._given_back == seen else 0

    def _unknown_beside(self, place: str) -> str:
        """The other calls that have no outcome, side by side with the call of a place: the run
        ends, and who takes over has to ask for all of it.
        """
        row = self._ledger.row
        others = [
            named_call(call.tool.name, call.key)
            for at, call in self._once_only.items()
            if at != place and row(f"{at}!") is not None and row(at) is None
        ]
        return f"; also unknown: {', '.join(others)}" if others else ""

    def _anew(self, place: str) -> None:
        """Take note that something is done that the record does not have."""

    def _given(self, run: Run, row: dict[str, Any], codec: enc.Codec) -> Any:
        """The outcome that a row has."""
        self._resume(run, row)
        if "value" not in row:
            raise enc.decode_failure(row, run.budget)
        return codec[1](row["value"])

    def _resume(self, run: Run, row: dict[str, Any]) -> None:
        """Take over what a row says; the run's time goes on from there."""
        self._given_back += 1
        self._go_on_at(run, self._ledger.resume(run, row))

    def _go_on_at(self, run: Run, since_start: float) -> None:
        """Have the run's time go on from there, unless it is later."""
        ahead = since_start - self.since_start(run)
        if ahead > 0:
            self._began -= ahead

    def _next_row(self) -> dict[str, Any] | None:
        """The row of the input that is taken next, if it is recorded."""
        strand = self._ledger.strand
        return None if strand.unit is not None else self._ledger.row(strand.place_of_next())

    async def _input(self, run: Run, work: Awaitable[Any], type: Type | None = None) -> Any:
        """An input: as it is recorded, else as it is now. Inside a unit it is a part of that."""
        ledger, strand = self._ledger, self._ledger.strand
        if strand.unit is not None:
            return await work
        place = strand.next_input()
        row = ledger.row(place)
        codec = self._codec(type)
        assert isinstance(work, Coroutine)
        if row is not None:
            work.close()
            return self._given(run, row, codec)
        try:
            await self._goes_beyond(place)
        except BaseException:
            work.close()
            raise
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
            return same, same
        known = type
        return (
            lambda value: enc.encode(known, value),
            lambda data: enc.decode(self._types, known, data),
        )

    # ----------------------------------------------------------------------------- usage, events

    async def reserved(self, run: Run, held: Reservation) -> None:
        unit = self._ledger.strand.unit
        if unit is None or not unit.reserve(run.budget, held):
            return
        if unit.begun or unit.call is None:  # else its intent will say so
            await self._ledger.write_ahead(run, unit, intent=False)

    def used(self, run: Run, money: Decimal | None, tokens: int) -> None:
        unit = self._ledger.strand.unit
        if unit is not None:
            unit.used = plus(unit.used, (money, tokens, 1))

    async def intend(self, run: Run) -> None:
        unit = self._ledger.strand.unit
        if unit is not None and not unit.begun:
            await self._ledger.write_ahead(run, unit, intent=True)

    def tell(self, run: Run, event: Event) -> None:
        self._go_on_at(run, self._ledger.tell(run, event))


def same(value: Any) -> Any:
    """JSON as it is."""
    return value


def _is_unknown(error: BaseException, unit: WorkUnit, tool: p.Tool) -> bool:
    """Whether nobody knows if a call that began took effect: only the tool itself can tell."""
    if tool.idempotent or not unit.begun:
        return False
    if isinstance(error, AttemptFailed):
        return error.kind == "timeout" or isinstance(error.__cause__, Lost)
    return isinstance(error, BudgetSpent)
