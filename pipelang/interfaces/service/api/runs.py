"""Operations on runs: start, list, look, cancel, follow."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.api.events import event_stream
from pipelang.interfaces.service.api.models import RunList, RunModel, StartBody
from pipelang.interfaces.service.api.operations import ApiOperation, ApiParameter, JsonAnswer
from pipelang.interfaces.service.api.requests import (
    body_of,
    cursor_of,
    cursor_to,
    number_of,
    query_of,
    service_of,
    who_asks,
)
from pipelang.interfaces.service.backend import ENDED, STATES, RunFilter
from pipelang.interfaces.service.problems import Problem
from pipelang.interfaces.service.service import LONGEST_WAIT

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def start(request: Request) -> Response:
    """Start a run: 202, or 200 with one that has ended within `?wait`."""
    who, service = who_asks(request), service_of(request)
    name = request.path_params["name"]
    service.pipeline(name)
    query = query_of(request, "wait")
    wait = number_of(query, "wait", 0, int(LONGEST_WAIT), 0)
    keys = request.headers.getlist("idempotency-key")
    if len(keys) > 1:  # the first is no more meant than the last
        raise Problem(400, "bad_key", "`Idempotency-Key` is there twice")
    key = keys[0] if keys else None
    if key is not None and _KEY.fullmatch(key) is None:
        raise Problem(
            400, "bad_key", "`Idempotency-Key` is 1 to 255 visible characters of ASCII, no blanks"
        )
    body = await body_of(request, StartBody)
    id = await service.start(
        who,
        name,
        body.inputs,
        key=key,
        thread=body.thread,
        priority=body.priority,
        delay=body.delay,
    )
    run = await (service.wait(who, id, wait) if wait else service.run(who, id))
    who_asks(request)  # its token may have been revoked meanwhile
    status = 200 if run["status"] in ENDED else 202
    return JsonAnswer(run, status, headers={"Location": f"/v1/runs/{id}"})


async def listed(request: Request) -> Response:
    """A page of runs."""
    who, service = who_asks(request), service_of(request)
    query = query_of(request, "pipeline", "status", "since", "reason", "thread", "cursor", "limit")
    status = query.get("status")
    if status is not None and status not in STATES:
        raise Problem(400, "bad_query", f"`status` is one of {', '.join(STATES)}")
    wanted = RunFilter(
        pipeline=query.get("pipeline"),
        status=status,
        reason=query.get("reason"),
        thread=query.get("thread"),
        since=_since(query.get("since")),
        after=cursor_of(query, "runs"),
        limit=number_of(query, "limit", 1, 200, 50),
    )
    page = await service.runs(who, wanted)
    return JsonAnswer({"items": list(page.items), "next": cursor_to(page.next, query, "runs")})


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    plain = re.sub(r"(\.\d{6})\d+", r"\1", text.upper()).replace(":60", ":59")
    try:
        at = datetime.fromisoformat(plain)
        if at.utcoffset() is not None:
            return at.astimezone(UTC)
    except OverflowError:  # before the first day, or after the last
        return None if plain.startswith("0") else datetime.max.replace(tzinfo=UTC)
    except ValueError:
        pass
    raise Problem(
        400, "bad_query", "`since` is a time with its offset, such as 2026-11-29T09:30:00Z"
    )


async def one(request: Request) -> Response:
    """A run."""
    who = who_asks(request)
    query_of(request)
    return JsonAnswer(await service_of(request).run(who, request.path_params["id"]))


async def cancel(request: Request) -> Response:
    """Cancel a run."""
    who = who_asks(request)
    query_of(request)
    return JsonAnswer(await service_of(request).cancel(who, request.path_params["id"]))


async def events(request: Request) -> Response:
    """Follow a run."""
    who, service = who_asks(request), service_of(request)
    query_of(request)
    said = request.headers.get("last-event-id")
    if said is not None and not (said.isascii() and said.isdigit() and len(said) < 10):
        raise Problem(400, "bad_query", "`Last-Event-ID` is the `id` of an event of this run")
    id = request.path_params["id"]
    found = await service.follow(who, id, -1 if said is None else int(said))
    holds = request.app.state.gate.holds(request, who)
    return event_stream(service, who, id, found, holds, request.method == "HEAD")


def _id(what: str) -> ApiParameter:
    return ApiParameter("id", "path", {"type": "string", "minLength": 1}, f"The id of the {what}.")


_TEXT: dict[str, Any] = {"type": "string"}
_CURSOR = ApiParameter("cursor", "query", _TEXT, "The `next` of the page before.")
LIMIT = ApiParameter(
    "limit",
    "query",
    {"type": "integer", "minimum": 1, "maximum": 200},
    "Items on a page, 50 without.",
)
NAME = ApiParameter("name", "path", {"type": "string", "minLength": 1}, "The name of the pipeline.")

OPERATIONS = (
    ApiOperation(
        "startRun",
        "POST",
        "/v1/pipelines/{name}/runs",
        "Start a run.",
        start,
        {200: RunModel, 202: RunModel},
        (
            NAME,
            ApiParameter(
                "wait",
                "query",
                {"type": "integer", "minimum": 0, "maximum": int(LONGEST_WAIT)},
                "Seconds to wait for the end of the run.",
            ),
            ApiParameter(
                "Idempotency-Key",
                "header",
                {"type": "string", "pattern": "^[!-~]{1,255}$"},
                "The same key, pipeline and tenant mean the same run, as long as it is kept.",
            ),
        ),
        StartBody,
        (400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    ),
    ApiOperation(
        "listRuns",
        "GET",
        "/v1/runs",
        "List runs, newest first.",
        listed,
        {200: RunList},
        (
            ApiParameter("pipeline", "query", _TEXT, "Only runs of this pipeline."),
            ApiParameter(
                "status", "query", {"type": "string", "enum": list(STATES)}, "Only in this state."
            ),
            ApiParameter(
                "since",
                "query",
                {"type": "string", "format": "date-time"},
                "Only what was started from then on.",
            ),
            ApiParameter("reason", "query", _TEXT, "Only runs that ended for this reason."),
            ApiParameter("thread", "query", _TEXT, "Only runs of this thread."),
            _CURSOR,
            LIMIT,
        ),
        problems=(400, 401, 404, 503),
    ),
    ApiOperation(
        "getRun",
        "GET",
        "/v1/runs/{id}",
        "Look at a run.",
        one,
        {200: RunModel},
        (_id("run"),),
        problems=(400, 401, 404, 503),
    ),
    ApiOperation(
        "cancelRun",
        "POST",
        "/v1/runs/{id}/cancel",
        "End a run as failed with the code `cancelled`.",
        cancel,
        {200: RunModel},
        (_id("run"),),
        problems=(400, 401, 403, 404, 409, 503),
    ),
    ApiOperation(
        "followRun",
        "GET",
        "/v1/runs/{id}/events",
        "Follow a run. Recorded events have an `id` and come in order; those in progress are "
        "`event: live`; the last one is `event: end` with the run.",
        events,
        {200: "text/event-stream"},
        (
            _id("run"),
            ApiParameter(
                "Last-Event-ID",
                "header",
                {"type": "string", "pattern": "^[0-9]{1,9}$"},
                "Go on after this event.",
            ),
        ),
        problems=(400, 401, 404, 503),
    ),
)
