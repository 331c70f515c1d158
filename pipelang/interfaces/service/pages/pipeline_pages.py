"""The pages of pipelines: what is deployed, and what to expect of it."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.export.svg import without_style
from pipelang.interfaces.service.pages.board import board_of, paused_or_off
from pipelang.interfaces.service.pages.rendering import render
from pipelang.records import dataclass, replace

if TYPE_CHECKING:
    from pipelang.interfaces.report.html.page import Report, Section
    from pipelang.interfaces.report.html.parts import Finding
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service


@dataclass(frozen=True, slots=True)
class Expected:
    """The report of `check` on a pipeline, its people's load, and the findings in its file."""

    report: Report | None
    review: Section | None
    findings: tuple[Finding, ...]


_MADE: WeakKeyDictionary[Deployed, Expected] = WeakKeyDictionary()


async def expected(deployed: Deployed) -> Expected:
    """The report on a pipeline, which is worked out once."""
    if deployed not in _MADE:
        _MADE[deployed] = await asyncio.to_thread(_report, deployed)
    return _MADE[deployed]


def _report(deployed: Deployed) -> Expected:
    from pipelang.interfaces.report.html.page import pipeline_report, review_section
    from pipelang.interfaces.report.html.parts import finding

    checked, analysis = deployed.checked, deployed.analysis_result
    found = (finding(one, checked.sources) for one in checked.diagnostics)
    findings = tuple(replace(one, place=PurePath(one.place).name) for one in found)
    if analysis is None:
        return Expected(None, None, findings)
    made = pipeline_report(checked, analysis)
    sections = tuple(_for_page(section) for section in made.sections)
    report = replace(made, place=PurePath(made.place).name, sections=sections)
    return Expected(report, review_section([checked]), findings)


def _for_page(section: Section) -> Section:
    """A section whose pictures take their style from the page."""
    pictures = tuple(replace(one, image=without_style(one.image)) for one in section.pictures)
    return replace(section, pictures=pictures)


async def pipelines_page(request: Request, service: Service, who: Principal) -> Response:
    """What is deployed."""
    states = await paused_or_off(service)
    rows = []
    for one in service.pipelines.values():
        report = (await expected(one)).report
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
    states, found = await paused_or_off(service), await expected(deployed)
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
        may_observe=who.has("operator") and service.backend.source() is not None,
        may_start=who.has("caller", "operator"),
        open_cases=await board_of(request).open_cases(who),
    )
