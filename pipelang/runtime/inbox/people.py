"""People: who answers approvals, holds and asks. A host plugs in its own."""

from __future__ import annotations

from typing import Any, Protocol

from pipelang.runtime.engine.world import Decision, Question


class People(Protocol):
    """Reaches people. May wait as long as it likes; the run stops waiting when time is up."""

    async def decide(self, run_id: str, question: Question) -> Decision | None:
        """A yes or a no, None if nobody will answer."""

    async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
        """A person's answer to an `ask ... by ROLE`, as JSON; None if nobody will answer."""


class Nobody:
    """No people are plugged in. A hold waits its time out and passes; an approval is not given.

    With `skip_waits`, a hold passes at once: for runs that only show what would happen.
    """

    def __init__(self, skip_waits: bool = False) -> None:
        self.skip_waits = skip_waits

    async def decide(self, run_id: str, question: Question) -> Decision | None:
        import asyncio

        person = question.person
        if person.kind == "hold" and person.seconds is not None and not self.skip_waits:
            await asyncio.sleep(float(person.seconds))
        return None

    async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
        return None
