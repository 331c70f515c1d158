"""Operations on pipelines: what is served, and what was found out about it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.api.models import (
    AnalysisModel,
    DeployedModel,
    PipelineList,
    SchemaModel,
    pipeline_view,
)
from pipelang.interfaces.service.api.operations import ApiOperation, JsonAnswer
from pipelang.interfaces.service.api.requests import query_of, service_of, who_asks
from pipelang.interfaces.service.api.runs import NAME
from pipelang.interfaces.service.deployment import Deployed


async def listed(request: Request) -> Response:
    """The pipelines that are served."""
    who_asks(request)
    query_of(request)
    items = [pipeline_view(one) for one in service_of(request).pipelines.values()]
    return JsonAnswer({"items": items, "next": None})


def _asked(request: Request) -> Deployed:
    who_asks(request)
    query_of(request)
    return service_of(request).pipeline(request.path_params["name"])


async def one(request: Request) -> Response:
    """A pipeline."""
    return JsonAnswer(pipeline_view(_asked(request)))


async def analysis(request: Request) -> Response:
    """The report of `check` about a pipeline."""
    return JsonAnswer(await _asked(request).prepared("report"))


async def graph(request: Request) -> Response:
    """A pipeline as a picture."""
    # Its style is inside it: nothing else may be loaded or run from it.
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    found = _asked(request)
    return Response(await found.prepared("graph"), media_type="image/svg+xml", headers=headers)


async def schema(request: Request) -> Response:
    """The schemas of a pipeline."""
    found = _asked(request)
    return JsonAnswer(
        {
            "pipeline": found.name,
            "program": found.program,
            "input": await found.prepared("input_schema"),
            "result": await found.prepared("result_schema"),
        }
    )


_PROBLEMS = (400, 401, 404)

OPERATIONS = (
    ApiOperation(
        "listPipelines",
        "GET",
        "/v1/pipelines",
        "List what is served.",
        listed,
        {200: PipelineList},
        problems=(400, 401),
    ),
    ApiOperation(
        "getPipeline",
        "GET",
        "/v1/pipelines/{name}",
        "Look at a pipeline.",
        one,
        {200: DeployedModel},
        (NAME,),
        problems=_PROBLEMS,
    ),
    ApiOperation(
        "getAnalysis",
        "GET",
        "/v1/pipelines/{name}/analysis",
        "Say how a pipeline behaves: the report of `pipelang check`.",
        analysis,
        {200: AnalysisModel},
        (NAME,),
        problems=_PROBLEMS,
    ),
    ApiOperation(
        "getGraph",
        "GET",
        "/v1/pipelines/{name}/graph.svg",
        "Draw a pipeline.",
        graph,
        {200: "image/svg+xml"},
        (NAME,),
        problems=_PROBLEMS,
    ),
    ApiOperation(
        "getSchema",
        "GET",
        "/v1/pipelines/{name}/schema",
        "Say what goes in and what comes out, as JSON Schema.",
        schema,
        {200: SchemaModel},
        (NAME,),
        problems=_PROBLEMS,
    ),
)
