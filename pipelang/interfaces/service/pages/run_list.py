"""The page of runs: a live list with filters, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.api.requests import cursor_of, cursor_to
from pipelang.interfaces.service.backend import STATES, RunFilter
from pipelang.interfaces.service.pages.board import board_of, mark_of, parts_of_runs
from pipelang.interfaces.service.pages.rendering import render
from pipelang.interfaces.service.pages.words import (
    ago,
    as_moment,
    dollars,
    long_span,
    summary,
    took,
)
from pipelang.interfaces.text.number_format import plural

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

A_PAGE = 25
_LIST = "page"
SPANS = {
    "1h": ("The last hour", timedelta(hours=1)),
    "24h": ("The last day", timedelta(days=1)),
    "7d": ("The last week", timedelta(days=7)),
    "30d": ("The last month", timedelta(days=30)),
}
_FILTERS = ("status", "pipeline", "since", "reason", "thread")


def filters_of(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address; what is none of ours, or empty, is not there."""
    found = {name: query[name].strip() for name in _FILTERS if query.get(name, "").strip()}
    if found.get("status") not in (None, *STATES):
        del found["status"]
    if found.get("since") not in (None, *SPANS):
        del found["since"]
    return {name: text for name, text in found.items() if "\x00" not in text}


def filter_of(filters: Mapping[str, str], after: tuple[float, str] | None) -> RunFilter:
    """The runs that filters ask for, beyond a place in the list."""
    since = None
    if "since" in filters:
        since = datetime.now(UTC) - SPANS[filters["since"]][1]
    return RunFilter(
        pipeline=filters.get("pipeline"),
        status=filters.get("status"),
        reason=filters.get("reason"),
        thread=filters.get("thread"),
        since=since,
        after=after,
        limit=A_PAGE,
    )


async def runs_page(request: Request, service: Service, who: Principal) -> Response:
    """The list of runs."""
    filters = filters_of(request.query_params)
    query = dict(filters)
    if "cursor" in request.query_params:
        query["cursor"] = request.query_params["cursor"]
    after = cursor_of(query, _LIST)
    page = await service.runs(who, filter_of(filters, after))
    older = cursor_to(page.next, query, _LIST)
    now, cases = datetime.now(UTC), await board_of(request).cases(who)
    seen = mark_of((parts_of_runs(page.items), cases))
    return render(
        request,
        "runs.html",
        who,
        "runs",
        rows=[_row(run, now) for run in page.items],
        filters={name: filters.get(name, "") for name in _FILTERS},
        filtered=bool(filters),
        states=STATES,
        spans=[(key, title) for key, (title, _) in SPANS.items()],
        pipelines=sorted(service.pipelines),
        story=_story(page.items) if "thread" in filters and not (after or page.next) else "",
        older=older and "/?" + urlencode({**filters, "cursor": older}),
        later=after and ("/?" + urlencode(filters) if filters else "/"),
        may_start=who.has("caller", "operator"),
        open_cases=len(cases),
        stream=None if after else "/live?" + urlencode({"of": "runs", "seen": seen, **filters}),
    )


def _story(runs: Sequence[Mapping[str, Any]]) -> str:
    """The runs of a thread as one story: how many, since when, and what they cost together."""
    told = [run["cost"] for run in runs]
    cost = None if None in told else str(sum(map(Decimal, told), Decimal(0)))
    began = min((run["started"] for run in runs if run["started"]), default=None)
    first = as_moment(began)
    since = "" if first is None else f", the first one {ago(first, datetime.now(UTC))}"
    return f"{plural(len(runs), 'run')}{since}, {dollars(cost)} in all"


def _row(run: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A run as a row of the list."""
    started = as_moment(run["started"])
    return {
        "id": run["id"],
        "pipeline": run["pipeline"],
        "tenant": run["tenant"],
        "status": run["status"],
        "said": summary(run),
        "started": started,
        "took": time_taken(run, now),
        "cost": dollars(run["cost"]),
    }


def time_taken(run: Mapping[str, Any], now: datetime) -> str:
    """The time that a run took, or takes so far; empty before it begins."""
    started, ended = as_moment(run["started"]), as_moment(run["ended"])
    if started is None:
        return ""
    seconds = ((ended or now) - started).total_seconds()
    return took(seconds) if ended is not None else long_span(seconds)
