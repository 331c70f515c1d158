"""Memories in the real world: values that outlive a run, read and written by tenant and key."""

from __future__ import annotations

import json
from typing import Any

from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import Misfit, to_json
from pipelang.runtime.engine.world import AttemptFailed
from pipelang.runtime.shared.memory_store import Place
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.registry import describe
from pipelang.runtime.worlds.real.cancellation import check_not_killed
from pipelang.semantics import program as p
from pipelang.semantics.types import ListType


class MemoryAccess:
    """Reads and writes the memories of a program, for any of its runs."""

    __slots__ = ("_services",)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def recall(self, run: Run, step: p.Step, action: p.Recall) -> Any:
        check_not_killed(self._services.switches, run)
        memory = run.program.memories[action.memory]
        key = run.evaluate(action.key)
        try:
            found = await self._services.tools.threads.run(
                lambda: self._services.memories.read(_place(run, memory, key), _keeps(memory))
            )
            if isinstance(memory.returns, ListType):
                return self._services.types.check(memory.returns, found)
            return self._services.types.check(memory.returns, found[-1]) if found else None
        except Misfit as misfit:
            # What an older program remembered need not fit this one's types.
            raise _unreachable(run, step.name, f"what `{memory.name}` holds: {misfit}") from None
        except Exception as error:
            raise _unreachable(run, step.name, describe(error)) from error

    async def remember(self, run: Run, item: p.Remember) -> None:
        check_not_killed(self._services.switches, run)
        memory = run.program.memories[item.memory]
        type = memory.returns.element if isinstance(memory.returns, ListType) else memory.returns
        most = memory.returns.max_length if isinstance(memory.returns, ListType) else 1
        key, given = run.evaluate(item.key), run.evaluate(item.value)
        try:
            value = to_json(self._services.types.check(type, given))
            await self._services.tools.threads.run(
                lambda: self._services.memories.write(
                    _place(run, memory, key), value, most, _keeps(memory)
                )
            )
        except Misfit as misfit:
            raise _unreachable(run, memory.name, str(misfit)) from None
        except Exception as error:
            raise _unreachable(run, memory.name, describe(error)) from error


def _place(run: Run, memory: p.Memory, key: Any) -> Place:
    return run.tenant, memory.name, json.dumps(to_json(key), sort_keys=True)


def _keeps(memory: p.Memory) -> float | None:
    return None if memory.keeps is None else float(memory.keeps)


def _unreachable(run: Run, name: str, message: str) -> AttemptFailed:
    message = hide(run, message)
    run.emit("failed", name, why="memory", message=message)
    return AttemptFailed(message, kind="memory", retryable=False)
