"""The application: routes of the API and the pages, and what stands before all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelang.interfaces.service.api.mcp_endpoint import McpEndpoint
from pipelang.interfaces.service.api.routes import api_routes
from pipelang.interfaces.service.guards import BodyLimit, EarlyAnswers, HostGuard, SafeHeaders
from pipelang.interfaces.service.pages.routes import page_routes, problem_page
from pipelang.interfaces.service.problems import PROBLEM_JSON, Problem
from pipelang.interfaces.service.service import Service
from pipelang.runtime.durable.address import StoreProblem

if TYPE_CHECKING:
    from pipelang.interfaces.service.backend import Backend
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.sessions import Authenticator
    from pipelang.interfaces.service.watching import ServiceWatch

LOG = logging.getLogger("pipelang.serve")

API = ("/v1/", "/openapi.json", "/healthz", "/readyz", "/metrics", "/mcp")
"""The beginnings of paths whose problems are JSON."""


def make_app(
    backend: Backend,
    pipelines: Mapping[str, Deployed],
    gate: Authenticator,
    *,
    grace: float = 30.0,
    watch: ServiceWatch | None = None,
) -> Starlette:
    """The application of a server. `request.app.state` has `service` and `gate`, and `refused` with
    what is wrong with a store that keeps it from serving; `grace` are the seconds that runs have to
    finish when the server stops; `watch` looks at what they keep.
    """
    service = Service(backend, pipelines)
    endpoint = McpEndpoint(service, gate)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            await backend.open(service.pipelines, service.metrics)
        except StoreProblem as problem:
            app.state.refused = problem
            raise
        looking = None
        if watch is not None:
            looking = asyncio.create_task(watch.run(backend, service.pipelines))
        try:
            async with endpoint.running():
                yield
        finally:
            service.stopping.ask()
            if looking is not None:
                looking.cancel()
            await backend.close(grace)

    app = Starlette(
        routes=[*api_routes(), Route("/mcp", endpoint), *page_routes()],
        middleware=[
            Middleware(EarlyAnswers),
            Middleware(SafeHeaders),
            Middleware(HostGuard, any_host=gate.tokens is not None),
            Middleware(BodyLimit),
        ],
        exception_handlers={
            Problem: _problem,
            HTTPException: _http_exception,
            Exception: _broken,
        },
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.gate = gate
    app.state.refused = None
    return app


def told(request: Request, problem: Problem) -> Response:
    """A problem as JSON, or as a page where a person looks."""
    if f"{request.url.path}/".startswith(API):
        return JSONResponse(
            problem.as_json(), problem.status, headers=problem.headers, media_type=PROBLEM_JSON
        )
    return problem_page(request, problem)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return told(request, error)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "method" if error.status_code == 405 else "unknown"
    detail = (
        f"{request.method} is not allowed here" if code == "method" else "there is no such path"
    )
    return told(request, Problem(error.status_code, code, detail, headers=error.headers))


async def _broken(request: Request, error: Exception) -> Response:
    # What went wrong is for the log: its text may hold anything.
    LOG.error("%s %s broke", request.method, request.url.path, exc_info=error)
    return told(request, Problem(500, "broken", "the server made a mistake; its log says which"))
