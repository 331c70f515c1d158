"""The ledger of a recorded run: rows that are written, and what a row gives back.

Beside its value a row has all that the run would have otherwise without it: the time when it was
written, what was used, the waits for people, the counts of prompts, and the events that are told
with it. An event gets its number with the row that has it, and is told when that is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pipelang.records import replace
from pipelang.runtime.engine.budget import PeopleWaits, RunBudget
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.secrets import notations, redacted_json, secrets_behind
from pipelang.runtime.worlds.recorded.encoding import decode_event, encode_event
from pipelang.runtime.worlds.recorded.record import Kind, PastRecord, RunRecord
from pipelang.runtime.worlds.recorded.strands import (
    NONE,
    Amount,
    Strand,
    WorkUnit,
    amount_from,
    amount_json,
    is_inside,
    plus,
)

Clock = Callable[[], float]

_Waiting = tuple[Strand | WorkUnit | None, int, Event]
"""An event that no row has yet: who told it, which of its events it is, and the event."""


def charged(rows: Mapping[str, tuple[Kind, Any]], place: str) -> RunBudget:
    """A budget with what the pipeline at a place of a run has used by its rows. A call that was cut
    off counts with all that it may have used.
    """
    budget = RunBudget(None, place=place)
    Ledger(PastRecord(rows), lambda: 0.0).charge(budget)
    return budget


class Ledger:
    """The rows of one run. `clock` gives the seconds since it began."""

    def __init__(self, record: RunRecord, clock: Clock) -> None:
        self.record = record
        self._clock = clock
        self._rows = dict(record.rows())
        self._root = Strand("")
        self._here: dict[asyncio.Task[Any], Strand] = {}
        self._beside: set[asyncio.Task[Any]] = set()
        self._muted: dict[str, int] = {}
        self._reached: dict[str, float] = {}
        self._waiting: list[_Waiting] = []
        self._numbered = self._heard = 0
        self._turn = asyncio.Lock()
        self._live: Callable[[Event], None] | None = getattr(record, "live", None)
        self._secrets: list[str] | None = None
        self._old: list[Event] | None = []
        left = [place for place, (kind, _) in self._rows.items() if kind == "region"]
        self._open = {
            place[:-1]: {at: amount_from(amount) for at, amount in value["ahead"].items()}
            for place, (kind, value) in self._rows.items()
            if kind in ("intent", "ahead")
            and place[:-1] not in self._rows
            and (kind == "ahead" or f"{place[:-1]}$" not in self._rows)
            and not any(is_inside(place, outer) for outer in left)
        }
        self._used = [
            (place, amount_from(value["used"]))
            for place, (_, value) in self._rows.items()
            if "used" in value
            and not any(place != outer and is_inside(place, outer) for outer in left)
        ]
        self._due: dict[str, Amount] = {}
        for amounts in self._open.values():
            for at, amount in amounts.items():
                self._due[at] = plus(amount, self._due.get(at, NONE))
        for _, value in self._rows.values():
            for place, count in value.get("strands", {}).items():
                self._muted[place] = max(count, self._muted.get(place, 0))
                self._reached[place] = max(_reached(value), self._reached.get(place, 0.0))
            for number, event in value.get("events", ()):
                self._old.append(decode_event(event, number))
                self._numbered = max(self._numbered, number + 1)
            self._heard = max(self._heard, value.get("heard", 0))

    def row(self, place: str) -> dict[str, Any] | None:
        """The value of a row, None if there is none."""
        found = self._rows.get(place)
        return None if found is None else found[1]

    # ------------------------------------------------------------------------------- strands

    @property
    def strand(self) -> Strand:
        """The strand that runs now."""
        task = asyncio.current_task()
        return self._root if task is None else self._here.get(task, self._root)

    def begin(self, place: str, run: Run) -> None:
        """Begin a strand inside the one that runs now."""
        task = asyncio.current_task()
        assert task is not None
        self._here[task] = Strand(place, self.strand, calls=dict(run.calls))

    def end(self, place: str) -> Strand:
        """End the strand of a place, and what was begun in it."""
        task = asyncio.current_task()
        assert task is not None
        ended = self.strand
        while ended.place != place:
            assert ended.outer is not None
            ended = ended.outer
        assert ended.outer is not None
        self._here[task] = ended.outer
        return ended

    def follow(self, task: asyncio.Task[Any], place: str) -> None:
        """A task begins a strand inside the one that runs now."""
        outer = self.strand
        self._here[task] = Strand(place, outer, outer.unit)
        self._beside.add(task)
        task.add_done_callback(self._left_behind)

    def _left_behind(self, task: asyncio.Task[Any]) -> None:
        self._here.pop(task, None)
        self._beside.discard(task)

    def is_beside_others(self) -> bool:
        """Whether what runs now is a task that others run beside, and that ends with them."""
        return asyncio.current_task() in self._beside

    # --------------------------------------------------------------------------------- units

    def unit(self, run: Run, place: str, call: dict[str, str] | None = None) -> WorkUnit:
        """A unit that begins now. What a former process may have used in it counts as used."""
        unit = WorkUnit(place, dict(run.calls), call)
        intent = self.row(f"{place}!")
        if intent is not None:
            unit.begun, unit.muted = True, intent["told"]
        unit.ahead = self._open.pop(place, {})
        unit.used = unit.ahead.get(run.budget.place, NONE)
        return unit

    def charge(self, budget: RunBudget) -> None:
        """Charge a budget that begins with what former processes used of it, or may have used: with
        all of it at once, because what is left is shared by what goes on side by side.
        """
        budget.charge(*self._due.get(budget.place, NONE))
        for place, amount in self._used:
            if place.startswith(budget.place):
                budget.charge(*amount)

    def drop(self, unit: WorkUnit) -> None:
        """A unit is cut short: what it used counts, and its events are told with the next row. They
        mean nothing later.
        """
        self.strand.add(unit.used)
        self._waiting = [
            (None if owner is unit else owner, count, event)
            for owner, count, event in self._waiting
        ]

    async def write_ahead(self, run: Run, unit: WorkUnit, intent: bool) -> None:
        """Write what a unit may use, or that it begins what cannot be taken back."""
        ahead = {at: amount_json(amount) for at, amount in unit.ahead.items()}
        if not intent:
            cut = await self._write(f"{unit.place}$", "ahead", {"ahead": ahead})
            if cut is not None:
                raise cut
            return
        value: dict[str, Any] = {"ahead": ahead, "told": unit.told}
        if unit.call is not None:
            value["call"] = unit.call
        await self._told(run, f"{unit.place}!", "intent", value, unit)
        unit.begun = True  # not before it is written: what is cut off here was never called

    # ---------------------------------------------------------------------------------- rows

    async def write(
        self, run: Run, place: str, kind: Kind, value: dict[str, Any], unit: WorkUnit | Strand
    ) -> None:
        """Write the outcome of a unit or of a strand."""
        value["at"] = self._clock()
        if isinstance(unit, Strand):
            for at in [at for at in self._open if is_inside(at, place)]:
                unit.add(self._open.pop(at).get(run.budget.place, NONE))
        value["used"] = amount_json(unit.used)
        asked = {name: count for name, count in run.calls.items() if unit.calls.get(name) != count}
        if asked:
            value["asked"] = asked
        chain = run.budget.chain()
        if any(budget.waits is not None for budget in chain):
            value["waits"] = [b.waits.seconds() if b.waits is not None else 0.0 for b in chain]
        if isinstance(unit, WorkUnit):
            self.strand.add(unit.used)
        await self._told(run, place, kind, value, unit if isinstance(unit, WorkUnit) else None)

    async def write_fact(self, run: Run, place: str, kind: Kind, value: dict[str, Any]) -> None:
        """Write a row that used nothing."""
        value["at"] = self._clock()
        await self._told(run, place, kind, value, None)

    async def _told(
        self, run: Run, place: str, kind: Kind, value: dict[str, Any], unit: WorkUnit | None
    ) -> None:
        """Write a row with the events that wait, and tell them."""
        async with self._turn:  # so that no number is left out if one of two rows is lost
            mine: list[_Waiting] = []
            others: list[_Waiting] = []
            for one in self._waiting:
                (mine if not isinstance(one[0], WorkUnit) or one[0] is unit else others).append(one)
            self._waiting = others
            told: list[Event] = []
            strands: dict[str, int] = {}
            for owner, count, event in mine:
                told.append(replace(event, number=self._numbered))
                self._numbered += 1
                if isinstance(owner, Strand):
                    strands[owner.place] = count
            if told:
                value["events"] = [
                    [one.number, self._clean(run, encode_event(one))] for one in told
                ]
                value["heard"] = self._heard
            if strands:
                value["strands"] = strands
            cut = await self._write(place, kind, value)
            for event in told:
                self._deliver(run, event)
                self._heard = max(self._heard, event.number + 1)
        if cut is not None:
            raise cut

    async def _write(
        self, place: str, kind: Kind, value: dict[str, Any]
    ) -> asyncio.CancelledError | None:
        """Write a row. Whoever is cancelled meanwhile is so when it is written, for the caller to
        raise: given up in between, nobody would know whether the row and its events are there.
        """
        assert kind == "ahead" or place not in self._rows, f"`{place}` is recorded twice"
        self._rows[place] = kind, value
        writing = asyncio.ensure_future(self.record.write(place, kind, value))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError as cut:
            await asyncio.wait({writing})
            writing.result()
            return cut
        return None

    def resume(self, run: Run, row: dict[str, Any]) -> float:
        """Take over what a row says beside its value; the time when it was written, which is none
        before that of its events.
        """
        used = amount_from(row["used"]) if "used" in row else NONE
        self.strand.add(used)
        for name, count in row.get("asked", {}).items():
            run.calls[name] = max(count, run.calls.get(name, 0))
        for budget, seconds in zip(run.budget.chain(), row.get("waits", ()), strict=False):
            if seconds:
                if budget.waits is None:
                    budget.waits = PeopleWaits()
                budget.waits.restore(seconds)
        at: float = row["at"]
        return max(at, _reached(row))

    # -------------------------------------------------------------------------------- events

    def _clean(self, run: Run, event: list[Any]) -> Any:
        """An event without the secrets behind references: nothing stored has them."""
        if self._secrets is None:
            self._secrets = notations(secrets_behind(run.terms.references or ()))
        return redacted_json(event, self._secrets)

    def tell(self, run: Run, event: Event) -> float:
        """Keep an event until a row has it. One that a former process told is told no more; with
        the last of these the run is where that process was: the time that it had then.
        """
        if self._old is not None:
            old, self._old = sorted(self._old, key=lambda one: one.number), None
            if run.trace is not None:
                run.trace.extend(old)
            for one in old:
                if one.number >= self._heard:  # nobody knows whether it was delivered
                    self._send(run, one)
        strand = self.strand
        unit = strand.unit
        if unit is not None:
            unit.told += 1
            if unit.told > unit.muted:
                self._wait(unit, unit.told, event)
            return _reached(self._rows[f"{unit.place}!"][1]) if unit.told == unit.muted else 0.0
        strand.told += 1
        muted = self._muted.get(strand.place, 0)
        if strand.told > muted:
            self._wait(strand, strand.told, event)
        return self._reached[strand.place] if strand.told == muted else 0.0

    def _wait(self, owner: Strand | WorkUnit, count: int, event: Event) -> None:
        """Have an event wait for its row. Whoever looks on may hear it before: it is in progress,
        and after a crash it may come otherwise.
        """
        self._waiting.append((owner, count, event))
        if self._live is not None:
            self._live(event)

    def _deliver(self, run: Run, event: Event) -> None:
        if run.trace is not None:
            run.trace.append(event)
        self._send(run, event)

    def _send(self, run: Run, event: Event) -> None:
        for sink in run.terms.sinks:
            sink(run.id, event)


def _reached(row: Mapping[str, Any]) -> float:
    """The latest time of the events that are told with a row."""
    times: list[float] = [event[2] for _, event in row.get("events", ())]
    return max(times, default=0.0)
