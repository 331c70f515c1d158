"""The pages of pipelines: what is deployed, and what to expect of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.pages.board import board_of, mark_of, paused_or_off
from pipelang.interfaces.service.pages.observatory import Observed, observatory_of
from pipelang.interfaces.service.pages.pipeline_report import outlook_of
from pipelang.interfaces.service.pages.rendering import render

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service


async def pipelines_page(request: Request, service: Service, who: Principal) -> Response:
    """The pipelines that are deployed."""
    states = await paused_or_off(service)
    rows = []
    for one in service.pipelines.values():
        report = (await outlook_of(one)).report
        rows.append(
            {
                "name": one.name,
                "doc": one.doc,
                "sentence": "" if report is None else report.sentence,
                "shares": () if report is None else report.shares,
                "state": states.get("") or states.get(one.name),
            }
        )
    return render(
        request,
        "pipelines.html",
        who,
        "pipelines",
        pipelines=rows,
        may_start=who.has("caller", "operator"),
        open_cases=await board_of(request).open_cases(who),
    )


async def pipeline_page(request: Request, service: Service, who: Principal) -> Response:
    """A pipeline, with the report of `check`."""
    deployed = service.pipeline(request.path_params["name"])
    states, found = await paused_or_off(service), await outlook_of(deployed)
    # Figures over the runs of all tenants are for operators.
    observed, stream = Observed(), None
    if who.sees_all:
        board, observatory = board_of(request), observatory_of(request)
        seen = mark_of(((await board.depths()).parts, observatory.made))
        observed = await observatory.of(deployed)
        stream = f"/live?of=health&seen={seen}" if observed.pending else None
    return render(
        request,
        "pipeline.html",
        who,
        "pipelines",
        pipeline=deployed,
        state=states.get("") or states.get(deployed.name),
        report=found.report,
        review=found.review,
        findings=found.findings,
        observed=observed,
        stream=stream,
        may_start=who.has("caller", "operator"),
        open_cases=await board_of(request).open_cases(who),
    )
