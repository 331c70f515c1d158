"""Routes of the pages, and how a problem is shown on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from pipelang.interfaces.service.problems import Problem


def page_routes() -> list[BaseRoute]:
    """The routes of the pages; `request.app.state` has `service` and `gate`."""
    return [Route("/", _start, methods=["GET"])]


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page, for paths outside the API."""
    return PlainTextResponse(problem.detail + "\n", problem.status, headers=problem.headers)


async def _start(request: Request) -> Response:
    service = request.app.state.service
    names = "\n".join(service.pipelines)
    return PlainTextResponse(f"pipelang serves:\n{names}\n\nsee /openapi.json\n")
