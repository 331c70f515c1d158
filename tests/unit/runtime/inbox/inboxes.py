"""What tests of the inbox share: cases, runs that wait for them, and people who act."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelang import Case, Inbox, Runtime
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.host.handle import Handle

from ..stage import Models, left_over, load


def make_inbox(kind: str, folder: Path) -> Inbox:
    """An inbox of either kind."""
    return Inbox() if kind == "memory" else Inbox(folder / "inbox")


ROLES = "role clerk { people 2 must_differ_from boss }\n"


def ready(folder: Path, inbox: Inbox, body: str, head: str = "", **models: Any) -> Handle:
    text = f"{ROLES}{head}\npipeline main(x: text) -> text {{\n{body}\n  return x\n}}\n"
    runtime = Runtime(providers={"lab": Models(**models)}, people=inbox)
    return load(folder, text).pipeline("main", runtime=runtime)


APPROVE = 'approve ok by boss else escalate to boss "stopped"'


async def opened(inbox: Inbox, count: int = 1) -> tuple[Case, ...]:
    """The open cases, as soon as there are so many."""
    async with asyncio.timeout(10):
        while len(found := inbox.cases()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


def with_people(
    handle: Handle, inbox: Inbox, act: Callable[[Case], Awaitable[Any]], **inputs: Any
) -> Result:
    """A run whose first case these people act on."""

    async def main() -> Result:
        running = asyncio.ensure_future(handle.run(**(inputs or {"x": "hi"})))
        (case,) = await opened(inbox)
        await act(case)
        result = await asyncio.wait_for(running, 60)
        assert left_over() == []
        return result

    return asyncio.run(main())


def question(run_id: str = "r", kind: Any = "approve", case_id: str = "") -> Case:
    now = datetime.now(UTC)
    return Case(
        id=case_id, run_id=run_id, pipeline="p", kind=kind, name="ok", role="boss", opened_at=now
    )


def escalation() -> Case:
    return question(kind="escalation")
