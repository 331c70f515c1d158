"""The page of a run: where it stands, its timeline, its trace, what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.backend import ENDED
from pipelang.interfaces.service.pages.access import form_of
from pipelang.interfaces.service.pages.board import board_of, mark_of, parts_of_run
from pipelang.interfaces.service.pages.rendering import render, see_other
from pipelang.interfaces.service.pages.run_list import time_taken
from pipelang.interfaces.service.pages.standing import run_picture
from pipelang.interfaces.service.pages.timeline import (
    GROUPS,
    TimelineRow,
    TraceNode,
    timeline,
    trace,
)
from pipelang.interfaces.service.pages.words import ShownValue, as_moment, shown_value
from pipelang.records import dataclass
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.redaction import may_hide

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service
    from pipelang.semantics import program as p

MOST_EVENTS = 1500
"""Events of a run of which the page shows the trace; of more, the last ones."""

MOST_ROWS = 300
"""Rows of the timeline; of more, the last ones."""

ROW_STYLES = {
    "done": "good",
    "working": "plain",
    "waiting": "people",
    "failed": "bad",
    "stopped": "bad",
}


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The parts of the page that are made of events."""

    rows: list[TimelineRow]
    rows_cut: int
    trace: tuple[TraceNode, ...]
    picture: str | None
    cut: int


async def run_page(request: Request, service: Service, who: Principal) -> Response:
    """A run."""
    id = request.path_params["id"]
    run = await service.run(who, id)
    found = [
        Event(one.kind, one.name, one.at, dict(one.data), None, one.number or 0)
        for one in await service.recorded(who, id)
    ]
    cases = () if run["status"] in ENDED else await service.open_cases_of(who, id)
    hidden, ended = _hidden(request), run["status"] in ENDED
    program = _program(service, run)
    drawn = await asyncio.to_thread(_draw, program, run, found, hidden, ended)
    waiting_for = run["waiting_for"] or {}
    last = found[-1].number if found else -1
    seen = mark_of(parts_of_run(run, cases))
    stream = urlencode({"of": "run", "id": id, "after": last if found else "", "seen": seen})
    return render(
        request,
        "run.html",
        who,
        "runs",
        run=run,
        started=as_moment(run["started"]),
        took=time_taken(run, datetime.now(UTC)),
        due=as_moment(waiting_for.get("due")),
        waiting=cases,
        result=_result(run),
        input=shown_value(shown_input(program, run["pipeline"], await service.input_of(who, id))),
        picture=drawn.picture,
        rows=drawn.rows,
        rows_cut=drawn.rows_cut,
        row_styles=ROW_STYLES,
        trace=drawn.trace,
        cut=drawn.cut,
        groups=[*((key, title) for key, (title, _) in GROUPS.items()), ("other", "The rest")],
        hidden=hidden,
        link=str(request.url.replace(query="", fragment="")),
        may_start=who.has("caller", "operator") and run["pipeline"] in service.pipelines,
        may_cancel=who.has("caller", "operator") and not ended,
        may_decide=who.has("approver"),
        open_cases=await board_of(request).open_cases(who),
        stream=None if ended else f"/live?{stream}",
    )


def _program(service: Service, run: Mapping[str, Any]) -> p.Program | None:
    """The program of a run, if it is the one that is served."""
    deployed = service.pipelines.get(run["pipeline"])
    if deployed is None or deployed.program != run["program"]:
        return None
    return deployed.loaded.program


HIDDEN = "(secret)"


def shown_input(
    program: p.Program | None, pipeline: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The input of a run, without what may be labelled `secret`. Runs of another program are in a
    store, where no secrets are.
    """
    if program is None:
        return dict(given)
    secret = {one.key for one in program.pipelines[pipeline].parameters if may_hide(one.type)}
    return {key: HIDDEN if key in secret else value for key, value in given.items()}


def _draw(
    program: p.Program | None,
    run: Mapping[str, Any],
    events: Sequence[Event],
    hidden: frozenset[str],
    ended: bool,
) -> _Drawn:
    """Draw what is made of the events; takes a while for a run of many."""
    picture = None
    if program is not None:
        picture = run_picture(program, run["pipeline"], events, ended)
    rows = timeline(events, ended)
    left_out = max(0, len(rows) - MOST_ROWS)
    cut = MOST_EVENTS if len(events) > MOST_EVENTS else 0
    shown = trace(events[-MOST_EVENTS:], hidden)
    return _Drawn(rows[left_out:], left_out, shown, picture, cut)


def _hidden(request: Request) -> frozenset[str]:
    """The groups of events that are not to be shown."""
    query = request.query_params
    if "chosen" not in query:
        return frozenset()
    return frozenset((*GROUPS, "other")) - {*query.getlist("show")}


def _result(run: Mapping[str, Any]) -> ShownValue | None:
    """The value that a run gave, or that it hands over, to look at."""
    result = run["result"]
    if result is None:
        return None
    match run["status"]:
        case "answered":
            return shown_value(result["value"])
        case "escalated":
            return handed_over(result["handoff"])
        case "failed":
            return handed_over(result["partial"])
        case _:
            return None


def handed_over(handoff: Any) -> ShownValue | None:
    """A handoff without what the page says anyway; None if nothing is left."""
    if not isinstance(handoff, Mapping):
        return shown_value(handoff)
    known = ("pipeline", "run", "reason", "text", "input")
    left = {key: part for key, part in handoff.items() if key not in known and part}
    if [*left] == ["values"]:
        return shown_value(left["values"])
    return shown_value(left) if left else None


async def cancel(request: Request, service: Service, who: Principal) -> Response:
    """Cancel a run."""
    await form_of(request)
    id = request.path_params["id"]
    await service.cancel(who, id)
    return see_other(f"/runs/{quote(id, safe='')}?done=cancelled")
