"""Routes of the API, from its operations."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipelang.interfaces.service.api import cases, health, pipelines, runs, switches
from pipelang.interfaces.service.api.openapi import openapi
from pipelang.interfaces.service.api.operations import Answerer, ApiOperation, JsonAnswer
from pipelang.interfaces.service.api.requests import service_of

OPERATIONS: tuple[ApiOperation, ...] = (
    *pipelines.OPERATIONS,
    *runs.OPERATIONS,
    *cases.OPERATIONS,
    *switches.OPERATIONS,
    *health.OPERATIONS,
)


async def document(request: Request) -> Response:
    """The OpenAPI document."""
    pipelines = service_of(request).pipelines
    state = request.app.state
    if not hasattr(state, "openapi"):
        state.openapi = await asyncio.to_thread(openapi, OPERATIONS, pipelines)
    return JsonAnswer(state.openapi)


def api_routes() -> list[BaseRoute]:
    """The routes of the API."""
    made: list[BaseRoute] = [Route("/openapi.json", document, methods=["GET"])]
    paths = dict.fromkeys(one.path for one in OPERATIONS)
    for path in paths:
        here = [one for one in OPERATIONS if one.path == path]
        methods = {one.method: one.answer for one in here}
        made.append(Route(path, _by_method(methods), methods=list(methods)))
    return made


def _by_method(methods: Mapping[str, Answerer]) -> Answerer:
    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method](request)

    return answer
