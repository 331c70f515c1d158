"""The pages of cases: what waits for people, and the form that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.backend import CaseFilter
from pipelang.interfaces.service.pages.access import form_of
from pipelang.interfaces.service.pages.board import board_of, mark_of
from pipelang.interfaces.service.pages.forms import (
    ROOT,
    Flat,
    Problems,
    Schema,
    changed_rows,
    field_of,
    label_of,
    value_of,
)
from pipelang.interfaces.service.pages.rendering import render, see_other
from pipelang.interfaces.service.pages.words import one_line, shown_value, value_line
from pipelang.interfaces.service.problems import Problem
from pipelang.interfaces.service.service import shown_hash

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service
    from pipelang.runtime.inbox.cases import Case

A_PAGE = 200
SOON = 1800.0
"""Seconds before it is too late from which a case is marked."""

KINDS = {
    "approve": "Approval",
    "hold": "Veto",
    "ask": "Question",
    "escalation": "Handed over",
    "label": "Sampled answer",
}
_STATES = {"decided": "Decided", "expired": "Expired", "withdrawn": "Withdrawn"}


async def cases_page(request: Request, service: Service, who: Principal) -> Response:
    """The list of cases."""
    # Looked at before the list: what is told twice is no harm, what is missed is.
    known = await board_of(request).cases(who)
    query = request.query_params
    role, closed = query.get("role") or None, query.get("state") == "closed"
    more = False
    if closed:
        found = await service.closed_cases(who, role, A_PAGE)
    else:
        page = await service.case_page(who, CaseFilter(role=role, limit=A_PAGE))
        found, more = page.items, page.more
    now = datetime.now(UTC)
    roles = {name for one in service.pipelines.values() for name in one.roles}
    return render(
        request,
        "cases.html",
        who,
        "cases",
        cases=[_row(case, now) for case in found],
        left_out=0 if role else len(known) - len(found),
        more=more,
        role=role or "",
        roles=sorted(roles | {case.role for case in found}),
        closed=closed,
        may_decide=who.has("approver"),
        open_cases=len(known),
        stream=f"/live?of=cases&seen={mark_of(known)}",
    )


def _row(case: Case, now: datetime) -> dict[str, Any]:
    asked = case.prompt or _about(case)
    return {
        "case": case,
        "question": question(case),
        "kind": KINDS[case.kind],
        "about": one_line(asked, 110) if asked else value_line(_found_out(case), 110),
        "by": case.verdict.by if case.verdict is not None else case.state,
        "soon": _is_soon(case, now),
    }


def _found_out(case: Case) -> Any:
    """The part of a case that tells it from others; of a handoff what the run was given."""
    shown = case.shown
    if not isinstance(shown, Mapping):
        return shown
    match case.kind:
        case "escalation":
            return shown.get("input") or shown.get("values")
        case "label":
            return shown.get("answer")
        case _:
            return shown


def _about(case: Case) -> str | None:
    """The text of a case, unless its question or its name says the same."""
    known = (
        question(case),
        question(case).removeprefix("Take over: "),
        case.name.rpartition("/")[2],
    )
    return None if case.text in known else case.text


def _is_soon(case: Case, now: datetime) -> bool:
    return case.due_at is not None and (case.due_at - now).total_seconds() < SOON


def question(case: Case) -> str:
    """The question of a case, in a line."""
    name = label_of(case.name.rpartition("/")[2])
    match case.kind:
        case "escalation":
            return f"Take over: {one_line(case.text, 90) if case.text else name}"
        case "ask":
            return one_line(case.text, 110) if case.text else f"{name}?"
        case "label":
            return f"Is this answer right: {name}"
        case "approve" | "hold":
            text = case.text if case.text and case.text != case.name else ""
            verb = "Approve" if case.kind == "approve" else "Let it go on"
            return one_line(text, 110) or f"{verb}: {name}"


async def case_page(request: Request, service: Service, who: Principal) -> Response:
    """A case, with all that was found out."""
    case = await service.look(who, request.path_params["id"])
    return await _shown(request, who, case, {}, {})


async def _shown(
    request: Request,
    who: Principal,
    case: Case,
    flat: Flat,
    problems: Problems,
    problem: Problem | None = None,
) -> Response:
    now, verdict = datetime.now(UTC), case.verdict
    known = await board_of(request).cases(who)
    agree = (case.id in known) == (case.state == "open")
    seen = mark_of(known if agree else ())
    asks = case.kind in ("ask", "label")
    form = field_of(_asked(case), flat, problems) if asks else None
    from pipelang.runtime.inbox.cases import verdict_words

    detail = "" if problem is None else f"{problem.detail[:1].upper()}{problem.detail[1:]}."
    return render(
        request,
        "case.html",
        who,
        "cases",
        status=200 if problem is None else problem.status,
        case=case,
        question=question(case),
        about=_about(case),
        kind=KINDS[case.kind],
        soon=case.state == "open" and _is_soon(case, now),
        shown=None if case.shown is None else shown_value(case.shown),
        shown_hash=shown_hash(case),
        closing=_STATES.get(case.state, ""),
        verdict="" if verdict is None else verdict_words(case),
        answer=shown_value(verdict.answer) if verdict is not None and verdict.has_answer else None,
        form=form,
        sure=SURE,
        chosen=flat.get("sure", ""),
        reason=flat.get("reason", ""),
        problem=detail,
        may_decide=who.has("approver"),
        open_cases=len(known),
        stream=f"/live?of=cases&seen={seen}" if case.state == "open" else None,
    )


def _asked(case: Case) -> Schema:
    """The schema of the form: a record's own, or one with the answer alone."""
    shape: Schema = case.shape or {}
    if "properties" in shape:
        return shape
    return {"type": "object", "properties": {_ALONE: shape}, "required": [_ALONE]}


_ALONE = "your_answer"
_DONE = {
    "approve": "decided",
    "hold": "decided",
    "ask": "answered",
    "escalation": "closed",
    "label": "labelled",
}


async def decide(request: Request, service: Service, who: Principal) -> Response:
    """Decide a case, or change the rows of its form."""
    flat = await form_of(request)
    case = await service.case(who, request.path_params["id"])
    edited = changed_rows(flat)
    if edited is not None:
        return await _shown(request, who, case, edited, {})
    verdict, answer, problems = _verdict(flat), None, Problems()
    if verdict == "answer" and case.state == "open":
        if case.kind not in ("ask", "label"):
            raise Problem(422, "bad_shape", "this case wants a yes or a no")
        given = value_of(_asked(case), flat, problems, ROOT)
        if problems:
            wrong = Problem(422, "answer", "something in the answer is missing or does not fit")
            return await _shown(request, who, case, flat, problems, wrong)
        answer = given if "properties" in (case.shape or {}) else given[_ALONE]
    reason, shown = flat.get("reason", "").strip(), flat.get("shown_hash", "")
    try:
        if case.kind == "label":
            await service.label(
                who,
                case.id,
                right=verdict == "yes",
                answer=answer,
                answered=verdict == "answer",
                sure=_sure(flat),
                reason=reason,
                shown=shown,
            )
        else:
            await service.decide(who, case.id, verdict, reason=reason, answer=answer, shown=shown)
    except Problem as problem:
        if problem.status not in (403, 409, 422):
            raise
        case = await service.case(who, case.id)
        return await _shown(request, who, case, flat, problems, problem)
    done = "declined" if case.kind == "ask" and verdict == "no" else _DONE[case.kind]
    return see_other(f"/cases?done={done}")


SURE = {"1": "Certain", "0.9": "Quite", "0.7": "Rather", "0.5": "Guessing"}
"""Words for how sure somebody is of a verdict on an answer."""


def _sure(flat: Flat) -> float | None:
    text = flat.get("sure", "")
    return float(text) if text in SURE else None


def _verdict(flat: Flat) -> Literal["yes", "no", "answer"]:
    """The verdict of the button that was pressed. Raises `Problem`."""
    match flat.get("verdict"):
        case "yes":
            return "yes"
        case "no":
            return "no"
        case "answer":
            return "answer"
        case _:
            raise Problem(422, "bad_shape", "press one of the buttons: yes, no or answer")
