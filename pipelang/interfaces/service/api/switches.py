"""Operations on switches: kill, pause and restore a tool, a pipeline, or everything."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.api.models import (
    EverythingSwitchBody,
    PipelineSwitchBody,
    SwitchList,
    ToolSwitchBody,
)
from pipelang.interfaces.service.api.operations import ApiOperation, JsonAnswer
from pipelang.interfaces.service.api.requests import body_of, query_of, service_of, who_asks
from pipelang.interfaces.service.principals import Principal
from pipelang.interfaces.service.service import Service, must

SwitchBody = ToolSwitchBody | PipelineSwitchBody | EverythingSwitchBody

BODIES: dict[str, type[SwitchBody]] = {
    "tool": ToolSwitchBody,
    "pipeline": PipelineSwitchBody,
    "all": EverythingSwitchBody,
}
"""The bodies by the field that only they have."""


async def listed(request: Request) -> Response:
    """Everything that is switched off."""
    who = who_asks(request)
    query_of(request)
    return await _all(service_of(request), who)


async def turn(request: Request) -> Response:
    """Turn a switch; what is switched off then."""
    who, service = who_asks(request), service_of(request)
    query_of(request)
    must(who, "operator")
    body: SwitchBody = await body_of(request, BODIES)
    tool = body.tool if isinstance(body, ToolSwitchBody) else None
    pipeline = body.pipeline if isinstance(body, PipelineSwitchBody) else None
    await service.turn(who, body.action, tool=tool, pipeline=pipeline, reason=body.reason)
    return await _all(service, who)


async def _all(service: Service, who: Principal) -> Response:
    items = [
        {"what": one.what, "name": one.name, "state": one.state, "reason": one.reason}
        for one in await service.switches(who)
    ]
    return JsonAnswer({"items": items, "next": None})


OPERATIONS = (
    ApiOperation(
        "listSwitches",
        "GET",
        "/v1/switches",
        "List what is switched off.",
        listed,
        {200: SwitchList},
        problems=(400, 401, 403, 503),
    ),
    ApiOperation(
        "turnSwitch",
        "POST",
        "/v1/switches",
        "Kill, pause or restore a tool, a pipeline, or everything.",
        turn,
        {200: SwitchList},
        body=tuple(BODIES.values()),
        problems=(400, 401, 403, 404, 413, 415, 422, 503),
    ),
)
