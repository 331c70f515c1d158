"""The inbox: questions to people wait here as cases until somebody decides them.

One side is the run's: `wait` opens a case and gives it back closed. The other is people's: `cases`
lists, `decide` and `answer` close. A case counts as decided from the moment that the store has it;
the run looks once more when its time is up, so that what was accepted is never lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import uuid
import weakref
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelang.records import replace
from pipelang.runtime.inbox.cases import (
    NOT_WAITED_FOR,
    Case,
    InboxBroken,
    Refused,
    Verdict,
    decided,
    expired,
    looked_at,
    withdrawn,
)
from pipelang.runtime.inbox.memory import InMemoryCases
from pipelang.runtime.inbox.store import CaseStore, WatchedStore
from pipelang.runtime.inbox.wakeups import Wakeups
from pipelang.runtime.tools.threads import Threads

if TYPE_CHECKING:
    from pipelang.runtime.inbox.webhook import Webhook

Listener = Callable[[Case], None]
"""Gets every case that opens. Must be quick."""

T = TypeVar("T")

LOG = logging.getLogger("pipelang.inbox")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Inbox:
    """The cases that wait for people, in memory, or in a folder that several processes share.

    `webhook` posts every case that opens, `listeners` are called with it. `store` makes another
    store of cases, from a function that tells whether this process waits for one. May be used from
    several threads and event loops.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        webhook: Webhook | None = None,
        listeners: Iterable[Listener] = (),
        clock: Callable[[], datetime] = utc_now,
        store: Callable[[Callable[[str], bool]], WatchedStore] | None = None,
    ) -> None:
        self.webhook = webhook
        self._listeners = (*listeners, *([webhook.send] if webhook is not None else []))
        self._clock = clock
        self._threads = Threads()
        self._kept: set[str] = set()
        self._store: CaseStore
        self._wakeups: Wakeups
        if store is not None:
            watched: WatchedStore
            self._wakeups = Wakeups(lambda: watched.watch())
            watched = self._store = store(self._wakeups.is_waited_for)
        elif folder is None:
            self._wakeups = Wakeups()
            self._store = InMemoryCases(clock, self._wakeups.is_waited_for)
        else:
            from pipelang.runtime.inbox.folder import FolderCases

            self._wakeups = Wakeups(lambda: cases.watch())
            cases = self._store = FolderCases(Path(folder), clock, self._wakeups.is_waited_for)

    # ------------------------------------------------------------------------- people's side

    def cases(
        self, *, role: str | None = None, tenant: str | None = None, closed: bool = False
    ) -> tuple[Case, ...]:
        """Return the open cases, oldest first; with `closed` all of them. Raises `InboxBroken`."""
        return tuple(
            case
            for case in self._store.all(closed)
            if role in (None, case.role) and tenant in (None, case.tenant)
        )

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The files that `cases` found last and that hold no case (broken, foreign or no files),
        or the rows of a store.
        """
        return getattr(self._store, "unreadable", ())

    def case(self, case_id: str) -> Case:
        """Return the case of this id, or the only one whose id begins so. Raises `Refused`."""
        return self._store.get(case_id)

    async def decide(self, case_id: str, *, yes: bool, by: str, reason: str = "") -> Case:
        """Say yes or no to an approval or a hold, close an escalation with a note (yes), or decline
        to answer an ask (no). Return the case, decided. Raises `Refused`, which says why the answer
        cannot count, and `InboxBroken`.
        """
        return await self.rule(case_id, Verdict(yes=yes, by=by, reason=reason))

    async def answer(self, case_id: str, answer: Any, *, by: str, reason: str = "") -> Case:
        """Answer an ask with a JSON value, and return the case, decided.

        Raises `Refused`; the case stays open if the answer does not fit. Raises `InboxBroken`.
        """
        verdict = Verdict(yes=True, by=by, reason=reason, answer=answer, answered=True)
        return await self.rule(case_id, verdict)

    async def label(
        self,
        case_id: str,
        *,
        right: bool,
        by: str,
        answer: Any = None,
        answered: bool = False,
        sure: float | None = None,
        seconds: float | None = None,
        reason: str = "",
    ) -> Case:
        """Say of a sampled answer whether it is right; of a wrong one perhaps the corrected
        `answer` (with `answered` also where that is null), how `sure` you are (0 to 1), and how
        many `seconds` it took (else since `look`). Raises `Refused` and `InboxBroken`.
        """
        verdict = Verdict(
            yes=right,
            by=by,
            reason=reason,
            answer=answer,
            sure=sure,
            seconds=seconds,
            answered=answered,
        )
        return await self.rule(case_id, verdict)

    async def look(self, case_id: str, by: str) -> Case:
        """Take note that somebody begins to look at a case, and return it: how long a verdict took
        is counted from there. Raises `Refused` and `InboxBroken`.
        """
        found = await self._do(lambda: self._store.get(case_id))
        if found.kind != "label" or looked_at(found, by, self._clock()) == found:
            return found
        now = self._clock()
        return await self._do(
            lambda: self._store.change(found.id, lambda case, _: looked_at(case, by, now))
        )

    async def rule(self, case_id: str, verdict: Verdict) -> Case:
        """Close a case by a verdict, and return it. Raises `Refused` and `InboxBroken`."""
        answers = verdict.has_answer

        def rule(case: Case, run: tuple[Case, ...]) -> Case:
            if answers and case.kind == "label":
                return decided(case, replace(verdict, yes=False), run, self._clock())
            if verdict.sure is not None and case.kind != "label":
                raise Refused(f"case `{case.id}` does not ask how sure you are")
            if answers and case.kind != "ask":
                raise Refused(f"case `{case.id}` wants a yes or a no, not an answer")
            if not answers and verdict.yes and case.kind == "ask" and case.state == "open":
                raise Refused(f"case `{case.id}` wants an answer, not a yes")
            return decided(case, verdict, run, self._clock())

        closed = await _surely(self._do(lambda: self._store.change(case_id, rule)))
        self._wakeups.wake(closed.id)
        return closed

    async def withdraw(self, run_id: str, why: str) -> None:
        """Withdraw the open cases that a run waits for; it wakes up."""
        for case in self.cases():
            if case.run_id == run_id and case.kind not in NOT_WAITED_FOR:
                await self._close(case.id, lambda one: withdrawn(one, self._clock(), why))

    # -------------------------------------------------------------------------- the run's side

    async def wait(
        self,
        case: Case,
        seconds: float | None,
        waiting: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> Case:
        """Open a case and wait until it is closed, at most so long. The case, closed. Who stops
        waiting withdraws it. What `waiting` makes is entered while the case is known to be open
        and nothing is done but wait: not while it is opened or looked at.
        """
        case = self._stamped(case, seconds)
        changed = self._wakeups.register(case.id)
        try:
            found = await self._open(case)
            if found.due_at is not None:  # the time of a case that was found open goes on
                seconds = max((found.due_at - self._clock()).total_seconds(), 0.0)
            try:
                async with asyncio.timeout(seconds):
                    while found.state == "open":
                        with waiting():
                            await changed.wait()
                        changed.clear()
                        found = await self._do(lambda: self._store.get(case.id))
                    return found
            except TimeoutError:
                return await self._close(case.id, lambda one: expired(one, self._clock()))
        except asyncio.CancelledError:
            if not case.lasting:
                with contextlib.suppress(Refused, InboxBroken):  # it may never have been opened
                    why = "the run stopped waiting"
                    await self._close(case.id, lambda one: withdrawn(one, self._clock(), why))
            raise
        finally:
            self._wakeups.unregister(case.id)

    async def file(self, case: Case) -> Case:
        """Open a case that no run waits for: an escalation, or an answer that is to be judged."""
        return await self._open(self._stamped(case, None))

    async def _open(self, case: Case) -> Case:
        """Open a case, also for a run that is asked to stop meanwhile: where its case is `lasting`
        it goes on elsewhere, and somebody has to be asked.
        """
        return await _surely(self._opened(case))

    async def _opened(self, case: Case) -> Case:
        """The case, open. One that a run opened before it crashed is found as it stands."""
        if case.lasting:
            with contextlib.suppress(Refused):
                return await self._do(lambda: self._store.get(case.id))
        await self._do(lambda: self._store.add(case))
        self._announce(case)
        return case

    def keep_for(self, owner: object, run_id: str) -> None:
        """Keep a run's closed cases at least as long as its owner lives."""
        if run_id not in self._kept:
            self._kept.add(run_id)
            weakref.finalize(owner, self._forget, run_id).atexit = False

    def _forget(self, run_id: str) -> None:
        self._kept.discard(run_id)
        self._store.forget(run_id)

    def _stamped(self, case: Case, seconds: float | None) -> Case:
        now = self._clock()
        holder = None if case.kind in NOT_WAITED_FOR or case.lasting else self._store.holder
        try:
            due = None if seconds is None else now + timedelta(seconds=seconds)
        except OverflowError:
            due = None
        id = case.id or uuid.uuid4().hex[:12]
        return replace(case, id=id, opened_at=now, due_at=due, holder=holder)

    async def _close(self, case_id: str, change: Callable[[Case], Case]) -> Case:
        closed = await _surely(
            self._do(lambda: self._store.change(case_id, lambda case, run: change(case)))
        )
        self._wakeups.wake(closed.id)
        return closed

    def _announce(self, case: Case) -> None:
        for listener in self._listeners:
            try:
                listener(case)
            except Exception:
                LOG.warning("a listener failed for case %s", case.id, exc_info=True)

    async def _do(self, work: Callable[[], T]) -> T:
        if not self._store.blocks:
            return work()
        done: T = await self._threads.run(work)
        return done


async def _surely(work: Awaitable[T]) -> T:
    """Finish `work` even if the caller is cancelled; the cancellation is raised after it."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:
            break
    if cancelled is not None:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()
