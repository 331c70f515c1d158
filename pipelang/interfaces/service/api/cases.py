"""Operations on cases: list, look, decide."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.api.models import CaseList, CaseModel, DecisionBody, case_view
from pipelang.interfaces.service.api.operations import ApiOperation, ApiParameter, JsonAnswer
from pipelang.interfaces.service.api.requests import (
    body_of,
    cursor_of,
    cursor_to,
    flag_of,
    number_of,
    query_of,
    service_of,
    who_asks,
)
from pipelang.interfaces.service.api.runs import LIMIT
from pipelang.interfaces.service.backend import CaseFilter, place_of


async def listed(request: Request) -> Response:
    """A page of cases."""
    who, service = who_asks(request), service_of(request)
    query = query_of(request, "role", "run", "closed", "cursor", "limit")
    wanted = CaseFilter(
        role=query.get("role"),
        run=query.get("run"),
        closed=flag_of(query, "closed"),
        after=cursor_of(query, "cases"),
        limit=number_of(query, "limit", 1, 200, 50),
    )
    page = await service.case_page(who, wanted)
    more = place_of(page.items[-1]) if page.more and page.items else None
    items = [case_view(case) for case in page.items]
    return JsonAnswer({"items": items, "next": cursor_to(more, query, "cases")})


async def one(request: Request) -> Response:
    """A case."""
    who = who_asks(request)
    query_of(request)
    return JsonAnswer(case_view(await service_of(request).look(who, request.path_params["id"])))


async def decide(request: Request) -> Response:
    """Decide a case."""
    who = who_asks(request)
    query_of(request)
    body = await body_of(request, DecisionBody)
    closed = await service_of(request).decide(
        who,
        request.path_params["id"],
        body.verdict,
        reason=body.reason,
        answer=body.answer,
        shown=body.shown_hash,
    )
    return JsonAnswer(case_view(closed))


_ID = ApiParameter("id", "path", {"type": "string", "minLength": 1}, "The id of the case.")

OPERATIONS = (
    ApiOperation(
        "listCases",
        "GET",
        "/v1/cases",
        "List what waits for people, oldest first.",
        listed,
        {200: CaseList},
        (
            ApiParameter("role", "query", {"type": "string"}, "Only what waits for this role."),
            ApiParameter("run", "query", {"type": "string"}, "Only cases of this run."),
            ApiParameter("closed", "query", {"type": "boolean"}, "Also what is closed."),
            ApiParameter("cursor", "query", {"type": "string"}, "The `next` of the page before."),
            LIMIT,
        ),
        problems=(400, 401, 404, 503),
    ),
    ApiOperation(
        "getCase",
        "GET",
        "/v1/cases/{id}",
        "Look at a case.",
        one,
        {200: CaseModel},
        (_ID,),
        problems=(400, 401, 404, 503),
    ),
    ApiOperation(
        "decideCase",
        "POST",
        "/v1/cases/{id}/decision",
        "Decide a case, in the name of the token.",
        decide,
        {200: CaseModel},
        (_ID,),
        DecisionBody,
        (400, 401, 403, 404, 409, 413, 415, 422, 503),
    ),
)
