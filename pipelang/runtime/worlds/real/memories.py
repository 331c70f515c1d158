"""Memories in the real world: values that outlive a run, read and written by tenant and key."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from pipelang.runtime.engine.interruption import foreign
from pipelang.runtime.engine.outcomes import Halted
from pipelang.runtime.engine.redaction import hide, may_hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, to_json
from pipelang.runtime.engine.world import AttemptFailed
from pipelang.runtime.shared.memory_store import MemoryStore, Place
from pipelang.runtime.shared.secret_stores import digest_of
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.registry import class_of, describe
from pipelang.runtime.worlds.real.cancellation import check_not_killed
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import ListType


class MemoryAccess:
    """Reads and writes the memories of a program, for any of its runs."""

    __slots__ = ("_services",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def recall(self, run: Run, step: p.Step, action: p.Recall) -> Any:
        memory = run.program.memories[action.memory]
        place = _place(run, memory, action.key)
        try:
            found = await self._do(run, memory, lambda store: store.read(place, _keeps(memory)))
            if isinstance(memory.returns, ListType):
                return self._services.types.check(memory.returns, found)
            return self._services.types.check(memory.returns, found[-1]) if found else None
        except Misfit as misfit:
            # What an older program remembered need not fit this one's types.
            raise _unreachable(run, step.name, misfit, f"what `{memory.name}` holds: ") from None
        except Halted:
            raise
        except Exception as error:
            raise _unreachable(run, step.name, error) from error

    async def remember(self, run: Run, item: p.Remember, key: str) -> None:
        """Write a value; `key` names the write where the run may do it again after a crash."""
        memory = run.program.memories[item.memory]
        type = memory.returns.element if isinstance(memory.returns, ListType) else memory.returns
        most = memory.returns.max_length if isinstance(memory.returns, ListType) else 1
        place, given = _place(run, memory, item.key), run.evaluate(item.value)
        again = (key,) if run.world.lasting else ()
        try:
            value = to_json(self._services.types.check(type, given))
            await self._do(
                run, memory, lambda store: store.write(place, value, most, _keeps(memory), *again)
            )
        except Halted:
            raise
        except Exception as error:
            raise _unreachable(run, memory.name, error) from error

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


def _place(run: Run, memory: p.Memory, key: expr.Expr) -> Place:
    """The place of a value. A key that may hold secrets is a digest."""
    text = json.dumps(to_json(run.evaluate(key)), sort_keys=True)
    return run.tenant, memory.name, digest_of(text) if may_hide(key.type) else text


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
