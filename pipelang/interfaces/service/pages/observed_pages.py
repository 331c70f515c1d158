"""The dashboard of a pipeline: what its runs did, beside the prediction, and what is watched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.export.svg import without_style
from pipelang.interfaces.service.pages.board import board_of
from pipelang.interfaces.service.pages.rendering import render
from pipelang.interfaces.service.problems import Problem
from pipelang.records import replace

if TYPE_CHECKING:
    from pipelang.interfaces.report.html.page import Report
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

PERIODS = {"1d": 1, "7d": 7, "30d": 30}


async def observed_page(request: Request, service: Service, who: Principal) -> Response:
    """The runs of a pipeline beside its prediction."""
    deployed = service.pipeline(request.path_params["name"])
    period = request.query_params.get("since", "7d")
    if period not in PERIODS:
        raise Problem(422, "bad_shape", f"`since` is one of {', '.join(PERIODS)}")
    report = await asyncio.to_thread(_observed, service, deployed, PERIODS[period])
    return render(
        request,
        "observed.html",
        who,
        "pipelines",
        pipeline=deployed,
        report=report,
        period=period,
        periods=list(PERIODS),
        open_cases=await board_of(request).open_cases(who),
    )


def _observed(service: Service, deployed: Deployed, days: int) -> Report | None:
    """The dashboard; None where no runs are kept, or nothing is predicted."""
    from pipelang.interfaces.observation.observation import observe
    from pipelang.interfaces.observation.records import DAY
    from pipelang.interfaces.report.observed.dashboard import dashboard_report

    source, analysis = service.backend.source(), deployed.analysis_result
    if source is None or analysis is None:
        return None
    since = source.now() - days * DAY
    found = observe(deployed.loaded.program, analysis, source, since, deployed.program)
    made = dashboard_report(found)
    standing = _alerts(service, deployed)
    sections = tuple(
        replace(
            section,
            pictures=tuple(
                replace(one, image=without_style(one.image)) for one in section.pictures
            ),
        )
        for section in made.sections
    )
    return replace(made, sections=sections, notes=(*standing, *made.notes))


def _alerts(service: Service, deployed: Deployed) -> list[str]:
    """The alerts that stand, as the last look of a watch left them."""
    from pipelang.interfaces.observation.observation import moment
    from pipelang.interfaces.watching.evaluation import WatchState, name_of

    source = service.backend.source()
    if source is None:
        return []
    state = WatchState.read(source.recall(name_of(deployed.name, deployed.program)))
    found = [record["alert"] for record in state.lines.values() if record.get("alert")]
    return [f"alert since {moment(one['since'])}: `{one['line']}` does not hold" for one in found]
