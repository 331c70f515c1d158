"""The part of a world that records nothing: what is reported to it, it does or lets go by."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelang.runtime.engine.budget import Reservation
    from pipelang.runtime.engine.events import Event
    from pipelang.runtime.engine.outcomes import Ended, Escalated
    from pipelang.runtime.engine.run import Run
    from pipelang.runtime.engine.world import Items, Left, Sampled, Waiting
    from pipelang.semantics import program as p


class ForgetfulWorld:
    """The base of worlds whose runs end with the process. `told` counts the events so far."""

    __slots__ = ("told",)
    lasting = False
    has_values = True

    def __init__(self) -> None:
        self.told = 0

    async def leave(self, run: Run, ended: Ended | None) -> None:
        return None

    async def hand_over(self, run: Run, result: Escalated) -> None:
        return None

    async def judge(self, run: Run, sampled: Sampled) -> None:
        return None

    async def finish(self, run: Run, answered: bool) -> None:
        return None

    async def close(self, run: Run) -> None:
        return None

    async def enter_region(self, run: Run, place: str, items: Items, whole: bool) -> Left | None:
        return None

    async def leave_region(
        self,
        run: Run,
        place: str,
        items: Items,
        values: Mapping[str, Any],
        end: Ended | Exception | None,
    ) -> None:
        return None

    async def keep(self, run: Run, step: p.Step, link: p.Link, answer: Any) -> None:
        return None

    async def keep_nothing(self, run: Run, step: p.Step, link: p.Link) -> None:
        return None

    async def reserved(self, run: Run, held: Reservation) -> None:
        return None

    async def take_up(self, run: Run) -> None:
        return None

    def used(self, run: Run, money: Decimal | None, tokens: int) -> None:
        return None

    async def intend(self, run: Run) -> None:
        return None

    def waiting_for(self, run: Run, role: str, seconds: float | None) -> Waiting:
        return nullcontext

    def tell(self, run: Run, event: Event) -> None:
        self.told += 1
        if run.trace is not None:
            run.trace.append(event)
        for sink in run.terms.sinks:
            sink(run.id, event)
