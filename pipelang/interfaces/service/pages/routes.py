"""Routes of the pages, and how a problem is shown on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipelang.interfaces.service.pages.access import (
    for_known,
    log_in,
    log_out,
    login_page,
    session,
)
from pipelang.interfaces.service.pages.case_pages import case_page, cases_page, decide
from pipelang.interfaces.service.pages.live import live
from pipelang.interfaces.service.pages.operating_pages import health_page, switches_page, turn
from pipelang.interfaces.service.pages.pipeline_pages import pipeline_page, pipelines_page
from pipelang.interfaces.service.pages.rendering import refused, static_file
from pipelang.interfaces.service.pages.run_list import runs_page
from pipelang.interfaces.service.pages.run_page import cancel, run_page
from pipelang.interfaces.service.pages.start_pages import form_page, start, start_page

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Right
    from pipelang.interfaces.service.problems import Problem


def page_routes() -> list[BaseRoute]:
    """The routes of the pages; `request.app.state` has `service` and `gate`."""
    may_start: tuple[Right, ...] = ("caller", "operator")
    return [
        Route("/", for_known(runs_page), methods=["GET"]),
        Route("/runs/{id}", for_known(run_page), methods=["GET"]),
        Route("/runs/{id}/cancel", for_known(cancel, *may_start), methods=["POST"]),
        Route("/cases", for_known(cases_page), methods=["GET"]),
        Route("/cases/{id}", for_known(case_page), methods=["GET"]),
        Route("/cases/{id}", for_known(decide, "approver"), methods=["POST"]),
        Route("/start", for_known(start_page, *may_start), methods=["GET"]),
        Route("/start/{name}", for_known(form_page, *may_start), methods=["GET"]),
        Route("/start/{name}", for_known(start, *may_start), methods=["POST"]),
        Route("/pipelines", for_known(pipelines_page), methods=["GET"]),
        Route("/pipelines/{name}", for_known(pipeline_page), methods=["GET"]),
        Route("/health", for_known(health_page, "operator"), methods=["GET"]),
        Route("/switches", for_known(switches_page, "operator"), methods=["GET"]),
        Route("/switches", for_known(turn, "operator"), methods=["POST"]),
        Route("/login", login_page, methods=["GET"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
        Route("/session", session, methods=["GET"]),
        Route("/live", live, methods=["GET"]),
        Route("/static/{name}", static_file, methods=["GET"]),
    ]


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page, for paths outside the API."""
    try:
        who = request.app.state.gate.of_page(request)
    except Exception:  # who asks cannot be looked up: that may be the problem itself
        who = None
    return refused(request, problem, who)
