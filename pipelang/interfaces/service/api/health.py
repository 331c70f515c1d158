"""Operations for those who watch the server: is it alive, is it ready, what has it counted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.api.models import HealthModel
from pipelang.interfaces.service.api.operations import ApiOperation, JsonAnswer
from pipelang.interfaces.service.api.requests import query_of, service_of, who_asks
from pipelang.interfaces.service.metrics import MEDIA_TYPE
from pipelang.interfaces.service.problems import Problem


async def alive(request: Request) -> Response:
    """Whether the process answers at all."""
    return JsonAnswer({"status": "ok", "detail": None, "skew": 0.0})


async def ready(request: Request) -> Response:
    """Whether runs can be started and done."""
    service = service_of(request)
    found = await service.backend.health()
    late = "it is stopping" if service.stopping.asked else found.late
    if late is not None:
        raise Problem(503, "late", late, headers={"Retry-After": "5"})
    return JsonAnswer({"status": "ok", "detail": None, "skew": round(found.skew, 3)})


async def metrics(request: Request) -> Response:
    """The counts, in OpenMetrics."""
    who = who_asks(request)
    query_of(request)
    text = await service_of(request).openmetrics(who)
    return Response(text, headers={"Content-Type": MEDIA_TYPE})


OPERATIONS = (
    ApiOperation(
        "isAlive",
        "GET",
        "/healthz",
        "Say whether the server answers.",
        alive,
        {200: HealthModel},
        public=True,
    ),
    ApiOperation(
        "isReady",
        "GET",
        "/readyz",
        "Say whether runs can be started and done.",
        ready,
        {200: HealthModel},
        problems=(503,),
        public=True,
    ),
    ApiOperation(
        "getMetrics",
        "GET",
        "/metrics",
        "Give what was counted, in OpenMetrics.",
        metrics,
        {200: "application/openmetrics-text"},
        problems=(400, 401, 403, 503),
    ),
)
