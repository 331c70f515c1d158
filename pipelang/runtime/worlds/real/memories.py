"""Memories in the real world: values that outlive a run, read and written by tenant and key.

A write that hangs on what the same pipeline recalled from the same place is an update: it is made
only if the place still holds that. If another run wrote meanwhile, it is worked out again from what
is there now, as far as it is worked out at all; else it fails, and writes nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from pipelang.records import dataclass
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.interruption import foreign
from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.engine.redaction import hide, may_hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, to_json
from pipelang.runtime.engine.world import AttemptFailed
from pipelang.runtime.shared.memory_store import MemoryStore, Place
from pipelang.runtime.shared.secret_stores import digest_of
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.binding import describe
from pipelang.runtime.tools.registry import class_of
from pipelang.runtime.worlds.real.cancellation import check_not_killed
from pipelang.runtime.worlds.real.renewal import Outdated, renew
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.updates import recalls_behind
from pipelang.semantics.types import ListType

_MOST_SWAPS = 1000
"""Tries of an update while other runs are always faster."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The values that a run knows to be at a place, as the store gave them. `fixed` means that they
    are not what a step holds, but one of several, or what the run wrote itself.
    """

    found: list[Any]
    fixed: bool


class MemoryAccess:
    """Reads and writes the memories of a program, for any of its runs."""

    __slots__ = ("_behind", "_services", "_turns")

    def __init__(self, services: Services) -> None:
        if not hasattr(services.memories, "swap"):
            name = type(services.memories).__name__
            raise TypeError(f"the store of memories `{name}` has no `swap`, by which updates go")
        self._services = services
        self._behind: dict[int, tuple[p.Remember, frozenset[str]]] = {}
        self._turns: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, Place], asyncio.Lock]
        self._turns = WeakValueDictionary()

    async def recall(self, run: Run, step: p.Step, action: p.Recall) -> Any:
        memory = run.program.memories[action.memory]
        place = _place(run, memory, action.key)
        try:
            found = await self._do(run, memory, lambda store: store.read(place, _keeps(memory)))
            if isinstance(memory.returns, ListType):
                return self._services.types.check(memory.returns, found)
            value = self._value(memory, found)
        except Misfit as misfit:
            # What an older program remembered need not fit this one's types.
            raise _unreachable(run, step.name, misfit, f"what `{memory.name}` holds: ") from None
        except Halted:
            raise
        except Exception as error:
            raise _unreachable(run, step.name, error) from error
        visit = (step.name, run.visit(step.name))
        run.notes.recalled.setdefault(visit, {})[place] = _Known(found[-1:], fixed=run.index != "")
        return value

    async def remember(self, run: Run, item: p.Remember, key: str) -> Mapping[str, Any]:
        """Write a value; `key` names the write where the run may do it again after a crash."""
        memory = run.program.memories[item.memory]
        place, given = _place(run, memory, item.key), run.evaluate(item.value)
        again = (key,) if run.world.lasting else ()
        try:
            if isinstance(memory.returns, ListType):
                value = to_json(self._services.types.check(memory.returns.element, given))
                await self._write(run, memory, place, value, memory.returns.max_length, again)
                return {}
            value, new = self._json(memory, given), dict[str, Any]()
            known = self._known(run, item, place)
            if known:
                new, value = await self._update(run, item, place, value, known, again)
            else:
                await self._write(run, memory, place, value, 1, again)
        except (Halted, AttemptFailed, NoValue):
            raise
        except Exception as error:
            raise _unreachable(run, memory.name, error) from error
        for there in run.notes.recalled.values():
            if place in there:
                there[place] = _Known([value], fixed=True)
        return new

    # -------------------------------------------------------------------------------- updates

    def _known(self, run: Run, item: p.Remember, place: Place) -> dict[str, _Known]:
        """The knowledge of a run about a place, by the steps that a write there hangs on."""
        kept = self._behind.get(id(item))
        if kept is None:
            kept = self._behind[id(item)] = (item, recalls_behind(run.pipeline, item))
        known = {}
        for step in kept[1]:
            there = run.notes.recalled.get((step, run.visit(step)))
            if there is None and run.world.lasting:
                there = _recalled_before(run, item.memory, step)
            if there is not None and place in there:
                known[step] = there[place]
        return known

    async def _update(
        self,
        run: Run,
        item: p.Remember,
        place: Place,
        value: Any,
        known: dict[str, _Known],
        again: tuple[str, ...],
    ) -> tuple[dict[str, Any], Any]:
        """Write a value in place of what is known; the values that are new, and what was written.
        Raises `AttemptFailed` if it cannot be worked out again.
        """
        memory = run.program.memories[item.memory]
        expected, *others = (one.found for one in known.values())
        if all(other == expected for other in others):
            there = await self._swap(run, memory, place, expected, value, again)
        else:
            there = await self._do(run, memory, lambda store: store.read(place, _keeps(memory)))
        if there is None:
            return {}, value
        async with self._turn(place):  # those of this process do not get into each other's way
            for _ in range(_MOST_SWAPS):
                new = self._renewed(run, item, place, known, there)
                values = {**run.values, **new}
                value = self._json(memory, run.terms.expressions.evaluate(item.value, values))
                there = await self._swap(run, memory, place, there, value, again)
                if there is None:
                    return new, value
        raise _outdated(run, memory, f"{_MOST_SWAPS} times")

    def _renewed(
        self, run: Run, item: p.Remember, place: Place, known: dict[str, _Known], there: list[Any]
    ) -> dict[str, Any]:
        memory = run.program.memories[item.memory]
        for step, one in known.items():
            if one.fixed:
                raise _outdated(run, memory, f"`{step}` was made of what it held then")
        value = self._value(memory, there)
        try:
            new = renew(run, item, dict.fromkeys(known, value))
        except Outdated as outdated:
            why = f"`{outdated.by}` was made of what it held then"
            raise _outdated(run, memory, why) from None
        if _place(run, memory, item.key, {**run.values, **new}) != place:
            raise _outdated(run, memory, "the key was made of what it held then")
        return new

    def _turn(self, place: Place) -> asyncio.Lock:
        key = (asyncio.get_running_loop(), place)
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = asyncio.Lock()
        return turn

    # ------------------------------------------------------------------------------ the store

    def _value(self, memory: p.Memory, found: list[Any]) -> Any:
        return self._services.types.check(memory.returns, found[-1]) if found else None

    def _json(self, memory: p.Memory, value: Any) -> Any:
        return to_json(self._services.types.check(memory.returns, value))

    async def _swap(
        self,
        run: Run,
        memory: p.Memory,
        place: Place,
        found: list[Any],
        value: Any,
        again: tuple[str, ...],
    ) -> list[Any] | None:
        there: list[Any] | None = await self._do(
            run, memory, lambda store: store.swap(place, found, value, _keeps(memory), *again)
        )
        return there

    async def _write(
        self,
        run: Run,
        memory: p.Memory,
        place: Place,
        value: Any,
        most: int | None,
        again: tuple[str, ...],
    ) -> None:
        await self._do(
            run, memory, lambda store: store.write(place, value, most, _keeps(memory), *again)
        )

    async def _do(self, run: Run, memory: p.Memory, work: Callable[[MemoryStore], Any]) -> Any:
        """Read or write a memory in a thread, unless the run is switched off. A memory that may
        hold secrets never leaves the process.
        """
        services = self._services
        store = services.secrets.memories if may_hide(memory.returns) else services.memories
        check = partial(check_not_killed, services.switches, run)
        check()
        with run.budget.at_work():
            return await foreign(services.tools.threads.run(lambda: work(store), "", check))


def _place(
    run: Run, memory: p.Memory, key: expr.Expr, values: Mapping[str, Any] | None = None
) -> Place:
    """The place of a value, among these values. A key that may hold secrets is a digest."""
    found = run.evaluate(key) if values is None else run.terms.expressions.evaluate(key, values)
    text = json.dumps(to_json(found), sort_keys=True)
    return run.terms.tenant, memory.name, digest_of(text) if may_hide(key.type) else text


def _recalled_before(run: Run, memory: str, name: str) -> dict[Place, _Known] | None:
    """The finding of a step that recalled in another process: its value is all that is left."""
    step = run.made.get(name)
    action = step.chain.links[0].action if step is not None and step.chain.links else None
    if not isinstance(action, p.Recall) or action.memory != memory:
        return None
    value = run.values[name]
    found = [] if value is None else [to_json(value)]
    return {_place(run, run.program.memories[memory], action.key): _Known(found, fixed=False)}


def _keeps(memory: p.Memory) -> float | None:
    return None if memory.keeps is None else float(memory.keeps)


def _unreachable(run: Run, name: str, error: Exception, before: str = "") -> AttemptFailed:
    """Record that a memory could not be used; the exception to raise for it."""
    if isinstance(error, Misfit):
        message = hide(run, f"{before}{error}")
        run.emit("failed", name, why="memory", message=message)
        return AttemptFailed(message, kind="memory", retryable=False)
    message = hide(run, describe(error))
    run.emit("failed", name, content=message, why="memory", error=class_of(error))
    return AttemptFailed(message, kind="memory", retryable=False, quotes=True)


def _outdated(run: Run, memory: p.Memory, why: str) -> AttemptFailed:
    """Record that another run's write came first; the exception to raise for it."""
    message = f"another run has written `{memory.name}` since it was recalled: {why}"
    run.emit("failed", memory.name, why="outdated", message=message)
    return AttemptFailed(message, kind="outdated", retryable=False)
