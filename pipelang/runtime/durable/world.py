"""The world of a leg: a recorded one that tells when all that its run does is wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from decimal import Decimal
from functools import partial
from typing import Any

from pipelang.runtime.durable.activity import Activity, LongWait
from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import Waiting
from pipelang.runtime.shared.quotas import Quotas
from pipelang.runtime.worlds.real.attempts import time_left
from pipelang.runtime.worlds.real.world import Performers
from pipelang.runtime.worlds.recorded.encoding import Codec
from pipelang.runtime.worlds.recorded.record import RunRecord
from pipelang.runtime.worlds.recorded.recorder import ActingCall
from pipelang.runtime.worlds.recorded.world import RecordingWorld
from pipelang.semantics import program as p


class JournaledWorld(RecordingWorld):
    """Carries out a leg of a run, or what is left of the run."""

    def __init__(
        self,
        activity: Activity,
        performers: Performers,
        root: RunBudget,
        record: RunRecord,
        program: p.Program,
        quotas: Quotas | None = None,
    ) -> None:
        super().__init__(performers, root, record, program)
        self._activity = activity
        self._leg_quotas = quotas
        self._staked: dict[str, RunBudget] = {}

    # --------------------------------------------------------------------------------- quotas

    def _quotas(self) -> Quotas:
        return super()._quotas() if self._leg_quotas is None else self._leg_quotas

    async def admit(self, run: Run) -> bool:
        try:
            return await super().admit(run)
        finally:
            if run.budget.stake is not None:
                self._staked[run.where] = run.budget

    async def leave(self, run: Run, ended: Ended | None) -> None:
        if run.parent is not None or run.frame is not None:
            await super().leave(run, ended)

    async def _settled(self, run: Run) -> None:
        """A sub-pipeline's claim ends with it, that of the run with its outcome."""
        if run.parent is not None:
            await super()._settled(run)
            self._staked.pop(run.where, None)

    def spent(self) -> dict[str, tuple[Decimal, int]]:
        """Dollars and tokens that the pipelines with a quota took, which go on, by their places."""
        return {place: (one.money, one.tokens) for place, one in self._staked.items()}

    # ---------------------------------------------------------------------------------- waits

    async def _once(
        self,
        run: Run,
        place: str,
        work: Callable[[], Awaitable[Any]],
        codec: Codec,
        call: ActingCall | None = None,
    ) -> Any:
        with self._activity.working():
            return await super()._once(run, place, work, codec, call)

    def waiting_for(self, run: Run, role: str, seconds: float | None) -> Waiting:
        # A leg ends only inside: one that ended while the case is opened or looked at would leave a
        # run that waits for somebody who was never asked, or has answered.
        unit = self._ledger.strand.unit
        if unit is not None and unit.whole:  # what is done around it would be lost
            return nullcontext
        due = None if seconds is None else self._ledger.record.now() + seconds
        return partial(self._activity.waiting, LongWait("person", role, due))

    async def _let_pass(self, run: Run, seconds: float) -> None:
        activity = self._activity
        if self._ledger.strand.unit is not None:  # what is done around it would be lost
            with activity.working():
                return await super()._let_pass(run, seconds)
        left = time_left(run)
        longest = seconds if left is None else min(seconds, max(left[0], 0.0))
        due = self._ledger.record.now() + longest
        with activity.working(), activity.waiting(LongWait("time", run.pipeline.name, due)):
            await super()._let_pass(run, seconds)
