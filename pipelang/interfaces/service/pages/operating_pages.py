"""The pages of operators: how the service does, and its switches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.pages.access import form_of
from pipelang.interfaces.service.pages.board import board_of, mark_of
from pipelang.interfaces.service.pages.observatory import Observed, observatory_of
from pipelang.interfaces.service.pages.rendering import render, see_other
from pipelang.interfaces.service.problems import Problem

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

MOST_SKEW = 2.0
"""Seconds by which a clock may differ from the store's before somebody should look."""
LONGEST_REASON = 500


async def health_page(request: Request, service: Service, who: Principal) -> Response:
    """The health of the service, as it is now."""
    observatory, stands = observatory_of(request), await board_of(request).depths()
    seen = mark_of((stands.parts, observatory.made))
    health = stands.health
    skew = ""
    if abs(health.skew) > MOST_SKEW:
        skew = f"The clock of this machine and that of the store differ by {health.skew:.1f} s."
    observed: list[tuple[str, Observed]] = []
    for name, one in service.pipelines.items():
        found = await observatory.of(one)
        if found.report is not None or found.pending:
            observed.append((name, found))
    return render(
        request,
        "health.html",
        who,
        "health",
        late=health.late,
        skew=skew,
        where=service.backend.where,
        depths=[
            {
                "name": name,
                "depth": depth,
                "state": stands.states.get("") or stands.states.get(name),
            }
            for name, depth in stands.depths.items()
        ],
        observed=observed,
        open_cases=await board_of(request).open_cases(who),
        stream=f"/live?of=health&seen={seen}",
    )


async def switches_page(request: Request, service: Service, who: Principal) -> Response:
    """The switches, with what is off."""
    known = {(one.what, one.name or ""): one for one in await service.switches(who)}

    def row(what: str, name: str, title: str) -> dict[str, Any]:
        state = known.get((what, name))
        return {
            "what": what,
            "name": name,
            "title": title,
            "state": None if state is None else state.state,
            "reason": "" if state is None else state.reason,
        }

    others = await service.backend.others("pipeline")

    def names(what: str, *served: str) -> list[str]:
        """Names that are served, that are switched, or of which runs are open."""
        more = {name for kind, name in known if kind == what}
        if what == "pipeline":
            more |= others
        return [*served, *sorted(more - set(served))]

    return render(
        request,
        "switches.html",
        who,
        "switches",
        everything=row("everything", "", "Everything"),
        pipelines=[row("pipeline", name, name) for name in names("pipeline", *service.pipelines)],
        tools=[row("tool", name, name) for name in names("tool", *service.tools())],
        open_cases=await board_of(request).open_cases(who),
    )


async def turn(request: Request, service: Service, who: Principal) -> Response:
    """Kill, pause or restore something."""
    flat = await form_of(request)
    what, name = flat.get("what"), flat.get("name", "")
    if what not in ("everything", "pipeline", "tool") or (what != "everything" and not name):
        raise Problem(422, "bad_shape", "a switch is of everything, a pipeline or a tool")
    names = {what: name} if what != "everything" else {}
    said = flat.get("reason", "").replace("\x00", " ")  # a form that no browser sends
    reason = " ".join(said.split())[:LONGEST_REASON]
    match flat.get("to"):
        case "kill":
            await service.turn(who, "kill", reason=reason, **names)
            done = "killed"
        case "pause":
            await service.turn(who, "pause", reason=reason, **names)
            done = "paused"
        case "restore":
            await service.turn(who, "restore", **names)
            done = "restored"
        case _:
            raise Problem(422, "bad_shape", "a switch is killed, paused or restored")
    return see_other(f"/switches?done={done}")
