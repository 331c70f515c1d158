"""Acts of people and programs at the service, each with its right. API, page and MCP call these."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pipelang.interfaces.service.backend import (
    NORMAL,
    Backend,
    CaseFilter,
    CasePage,
    Occurrence,
    RunFilter,
    RunJson,
    RunOrder,
    RunPage,
    SwitchKind,
)
from pipelang.interfaces.service.deployment import Deployed
from pipelang.interfaces.service.metrics import ServiceMetrics
from pipelang.interfaces.service.principals import Principal, Right
from pipelang.interfaces.service.problems import Problem, shortened, unknown
from pipelang.interfaces.service.stopping import Stopping
from pipelang.records import dataclass, replace

if TYPE_CHECKING:
    from pipelang.runtime.inbox.cases import Case

TurnTo = Literal["kill", "pause", "restore"]

LONGEST_WAIT = 300.0
"""Seconds that `?wait` may ask for."""
LONGEST_DELAY = 366 * 86_400.0
HIGHEST_PRIORITY = 2**31 - 1
_VERDICTS = {
    "approve": ("yes", "no"),
    "hold": ("yes", "no"),
    "ask": ("answer", "no"),
    "escalation": ("yes",),
    "label": ("yes", "no", "answer"),
}
_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")
"""The form of ids: nothing else is looked up."""


@dataclass(frozen=True, slots=True)
class SwitchState:
    """Something that is switched off or paused: `what` is `tool`, `pipeline` or `everything`."""

    what: str
    name: str | None
    state: Literal["killed", "paused"]
    reason: str


class Service:
    """Acts of principals. Everything raises `Problem`: 403 without the right,
    404 for what is not theirs, 503 where the store is away.
    """

    def __init__(
        self,
        backend: Backend,
        pipelines: Mapping[str, Deployed],
        metrics: ServiceMetrics | None = None,
    ) -> None:
        self.backend = backend
        self.metrics = metrics or ServiceMetrics()
        self.pipelines = dict(pipelines)
        self.stopping = Stopping()

    # ------------------------------------------------------------------------------ pipelines

    def pipeline(self, name: str) -> Deployed:
        """A pipeline that is served."""
        found = self.pipelines.get(name)
        if found is None:
            raise unknown("pipeline", name)
        return found

    # ----------------------------------------------------------------------------------- runs

    async def start(
        self,
        who: Principal,
        pipeline: str,
        inputs: Mapping[str, Any],
        *,
        key: str | None = None,
        thread: str | None = None,
        priority: int = NORMAL,
        delay: float = 0.0,
    ) -> str:
        """Start a run; its id. The same key, tenant and pipeline give the same run. Raises
        `Problem`: 422 `input` for inputs that do not fit, 409 `key_conflict`, 429 for a full queue
        or a spent quota.
        """
        must(who, "caller", "operator")
        found = self.pipeline(pipeline)
        if self.stopping.asked:
            raise Problem(503, "stopping", "the server is stopping", headers={"Retry-After": "5"})
        order = RunOrder(found.name, inputs, who.tenant, key, thread, priority, delay)
        with _as_problems():
            id, is_new = await self.backend.start(order)
        if is_new:
            self.metrics.started(found.name)
        elif key is not None:
            made = await self.backend.run(id)
            if made is not None and made["thread"] != thread:
                raise Problem(
                    409, "key_conflict", f"key `{shortened(key)}` was used in another thread"
                )
        return id

    async def run(self, who: Principal, id: str) -> RunJson:
        """A run."""
        found = await self.backend.run(id) if _ID.fullmatch(id) else None
        if found is None or not who.sees(found["tenant"]):
            raise unknown("run", id)
        return found

    async def input_of(self, who: Principal, id: str) -> dict[str, Any]:
        """The input of a run, to begin another one with."""
        await self.run(who, id)
        return await self.backend.input_of(id) or {}

    async def runs(self, who: Principal, wanted: RunFilter) -> RunPage:
        """A page of the runs that are shown to somebody, newest first."""
        given = (wanted.pipeline, wanted.reason, wanted.thread)
        if any(one is not None and "\x00" in one for one in given):  # nothing is named so
            return RunPage((), None)
        return await self.backend.runs(replace(wanted, all_tenants=who.sees_all, tenant=who.tenant))

    async def wait(self, who: Principal, id: str, seconds: float) -> RunJson:
        """A run when it has ended, or as it is after so many seconds, or when the server stops. One
        of a pipeline that is paused is not waited for.
        """
        run = await self.run(who, id)
        if run["status"] == "queued" and run["pipeline"] in await self.backend.paused():
            return run
        waiting = self.backend.wait(id, min(seconds, LONGEST_WAIT))
        found = await self.stopping.first(waiting)
        return found if found is not None else await self.run(who, id)

    async def cancel(self, who: Principal, id: str) -> RunJson:
        """Cancel a run. Raises `Problem`: 409 `ended` if it has ended."""
        must(who, "caller", "operator")
        await self.run(who, id)
        await self.backend.cancel(id)
        return await self.run(who, id)

    async def recorded(self, who: Principal, id: str) -> tuple[Occurrence, ...]:
        """The recorded events of a run."""
        await self.run(who, id)
        return await self.backend.recorded(id)

    async def follow(
        self, who: Principal, id: str, after: int = -1
    ) -> AsyncIterator[Occurrence | None]:
        """The events of a run as they come, see `Backend.follow`."""
        await self.run(who, id)
        return self.backend.follow(id, after)

    # ---------------------------------------------------------------------------------- cases

    async def case_page(self, who: Principal, wanted: CaseFilter) -> CasePage:
        """A page of the cases that are shown to somebody, oldest first."""
        page = await self.backend.case_page(
            replace(wanted, all_tenants=who.sees_all, tenant=who.tenant)
        )
        return replace(page, items=tuple(one for one in page.items if who.sees(one.tenant)))

    async def open_case_ids(self, who: Principal) -> tuple[str, ...]:
        """The ids of the open cases that are shown to somebody."""
        return await self.backend.open_case_ids(who.sees_all, who.tenant)

    async def open_cases_of(self, who: Principal, run: str) -> tuple[Case, ...]:
        """The open cases of a run, oldest first."""
        found = await self.backend.open_cases_of(run)
        return tuple(case for case in found if who.sees(case.tenant))

    async def closed_cases(self, who: Principal, role: str | None, most: int) -> tuple[Case, ...]:
        """The closed cases of the newest runs that somebody is shown, at most so many."""
        return await self.backend.closed_cases(who.sees_all, who.tenant, role, most)

    async def case(self, who: Principal, id: str) -> Case:
        """A case."""
        found = await self.backend.case(id) if _ID.fullmatch(id) else None
        if found is None or not who.sees(found.tenant):
            raise unknown("case", id)
        return found

    async def decide(
        self,
        who: Principal,
        id: str,
        verdict: Literal["yes", "no", "answer"],
        *,
        reason: str = "",
        answer: Any = None,
        shown: str | None = None,
    ) -> Case:
        """Decide a case in the name of `who`. `shown` is the `shown_hash` of what they were shown.
        Raises `Problem`: 409 `shown` if that is not what the case shows, 409 `decided` if it is
        closed, 409 `verdict` for a yes or no to an ask and the like, 403 `must_differ` if somebody
        else must, 422 `answer` if that does not fit.
        """
        case = await self.case(who, id)
        must(who, "approver")
        if verdict not in _VERDICTS[case.kind]:
            wanted = " or ".join(f"`{one}`" for one in _VERDICTS[case.kind])
            raise Problem(409, "verdict", f"this case wants {wanted}, not `{verdict}`")
        by = who.name
        with _deciding(case, shown):
            if verdict == "answer":
                closed = await self.backend.answer(id, answer, by=by, reason=reason)
            else:
                yes = verdict == "yes"
                closed = await self.backend.decide(id, yes=yes, by=by, reason=reason)
        if closed.closed_at is not None:
            waited = (closed.closed_at - closed.opened_at).total_seconds()
            self.metrics.waited(closed.pipeline, max(0.0, waited))
        return closed

    async def openmetrics(self, who: Principal) -> str:
        """The metrics, as text."""
        must(who, "operator")
        depths, health = await self.backend.depths(), await self.backend.health()
        return self.metrics.render(depths, health)

    async def look(self, who: Principal, id: str) -> Case:
        """A case that somebody who may decide it begins to look at: the time that a verdict on a
        sampled answer takes is counted from there.
        """
        case = await self.case(who, id)
        if case.kind != "label" or case.state != "open" or not who.has("approver"):
            return case
        return await self.backend.look(id, who.name)

    async def label(
        self,
        who: Principal,
        id: str,
        *,
        right: bool,
        answer: Any = None,
        answered: bool = False,
        sure: float | None = None,
        reason: str = "",
        shown: str | None = None,
    ) -> Case:
        """Say whether a sampled answer is right, of a wrong one perhaps what is. Raises `Problem`
        as `decide`.
        """
        from pipelang.runtime.inbox.cases import Verdict

        case = await self.case(who, id)
        must(who, "approver")
        with _deciding(case, shown):
            said = Verdict(yes=right, by=who.name, reason=reason, answer=answer, answered=answered)
            return await self.backend.label(id, replace(said, sure=sure))

    # ------------------------------------------------------------------------------- switches

    async def switches(self, who: Principal) -> tuple[SwitchState, ...]:
        """Everything that is switched off or paused."""
        must(who, "operator")
        off = await self.backend.switches()
        killed = [SwitchState(one.kind, one.name or None, "killed", off[one]) for one in off]
        paused = await self.backend.paused()
        return (
            *killed,
            *(SwitchState("pipeline", name, "paused", why) for name, why in paused.items()),
        )

    async def turn(
        self,
        who: Principal,
        to: TurnTo,
        *,
        tool: str | None = None,
        pipeline: str | None = None,
        reason: str = "",
    ) -> bool:
        """Kill, pause or restore a tool, a pipeline, or everything if neither is named; whether
        that changed anything. Runs of a program that is served no more have switches, too. Raises
        `Problem`: 422 for what cannot be paused.
        """
        must(who, "operator")
        if pipeline is not None and pipeline not in self.pipelines:
            await self._must_be_elsewhere("pipeline", pipeline)
        if tool is not None and tool not in self.tools():
            await self._must_be_elsewhere("tool", tool)
        match to:
            case "kill":
                await self.backend.kill(tool, pipeline, reason)
                return True
            case "pause" if tool is not None:
                raise Problem(422, "bad_shape", "a tool is killed and restored, never paused")
            case "pause":
                await self.backend.pause(pipeline, reason)
                return True
            case "restore":
                return await self.backend.restore(tool, pipeline)

    async def _must_be_elsewhere(self, what: SwitchKind, name: str) -> None:
        off = {(one.kind, one.name) for one in await self.backend.switches()}
        off |= {("pipeline", one) for one in await self.backend.paused()}
        if (what, name) not in off and name not in await self.backend.others(what):
            raise unknown(what, name)

    def tools(self) -> tuple[str, ...]:
        """The tools of all programs that are served."""
        programs = [one.loaded.program for one in self.pipelines.values()]
        return tuple(dict.fromkeys(name for program in programs for name in program.tools))


def must(who: Principal, *rights: Right) -> None:
    """Raise `Problem` (403) if somebody has none of these rights."""
    if not who.has(*rights):
        listed = " or ".join(f"`{one}`" for one in rights)
        raise Problem(403, "forbidden", f"this needs a token with the role {listed}")


def shown_hash(case: Case) -> str:
    """The hash of what a case shows: whoever decides says what they decided on."""
    text = json.dumps(
        [case.text, case.shown, case.prompt, case.shape],
        sort_keys=True,
        default=str,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when trying again makes sense."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


@contextmanager
def _deciding(case: Case, shown: str | None) -> Iterator[None]:
    """Tell what is wrong with a decision as a `Problem`, and refuse one about something else than
    what the case shows.
    """
    from pipelang.runtime.inbox.cases import CaseClosed, MustDiffer, Refused

    if shown is not None and shown != shown_hash(case):
        raise Problem(
            409, "shown", "the case shows something else than what this decision is about"
        )
    try:
        yield
    except CaseClosed as late:
        raise Problem(409, "decided", str(late)) from late
    except MustDiffer as same:
        raise Problem(403, "must_differ", str(same)) from same
    except Refused as refused:
        raise Problem(422, "answer", str(refused)) from refused


@contextmanager
def _as_problems() -> Iterator[None]:
    """Tell what a handle raises before a run begins as a `Problem`."""
    from pipelang.runtime.host.handle import InputError, NotRunnable, SettingError
    from pipelang.runtime.tools.binding import ToolMissing
    from pipelang.runtime.worlds.recorded.refusals import NotRecordable

    try:
        yield
    except InputError as error:
        raise Problem(422, "input", str(error)) from error
    except NotRecordable as error:
        raise Problem(422, "not_recordable", str(error)) from error
    except (NotRunnable, SettingError, ToolMissing) as error:
        # What is missing on this machine is for its operator, in the log, not for callers.
        raise Problem(503, "not_runnable", "the pipeline cannot run here now") from error
