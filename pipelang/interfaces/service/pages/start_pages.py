"""The pages that start runs: a form from the input's schema, also one that was filled in before."""

from __future__ import annotations

import hashlib
import json
import re
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.backend import NORMAL
from pipelang.interfaces.service.pages.access import form_of
from pipelang.interfaces.service.pages.board import board_of, paused_or_off
from pipelang.interfaces.service.pages.forms import (
    ROOT,
    Flat,
    Problems,
    Schema,
    changed_rows,
    field_of,
    flat_of,
    value_of,
)
from pipelang.interfaces.service.pages.rendering import render, see_other
from pipelang.interfaces.service.problems import Problem
from pipelang.interfaces.service.service import HIGHEST_PRIORITY, LONGEST_DELAY
from pipelang.records import replace
from pipelang.runtime.engine.redaction import may_hide
from pipelang.runtime.engine.values import to_json
from pipelang.semantics.jsonschema import parameters_schema

if TYPE_CHECKING:
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

LONGEST_THREAD = 200


async def start_page(request: Request, service: Service, who: Principal) -> Response:
    """The pipelines that can be started."""
    if len(service.pipelines) == 1:
        return see_other(f"/start/{quote(next(iter(service.pipelines)), safe='')}")
    return render(
        request,
        "start.html",
        who,
        "start",
        pipelines=list(service.pipelines.values()),
        open_cases=await board_of(request).open_cases(who),
    )


async def form_page(request: Request, service: Service, who: Principal) -> Response:
    """The form of a pipeline, filled in with its defaults, or as for another run."""
    deployed = service.pipeline(request.path_params["name"])
    source = request.query_params.get("from", "")
    given = _defaults(deployed)
    if source:
        run = await service.run(who, source)
        if run["pipeline"] == deployed.name:
            before = await service.input_of(who, source)
            secret = {one.key for one in deployed.pipeline.parameters if may_hide(one.type)}
            given |= {key: value for key, value in before.items() if key not in secret}
    flat = flat_of(input_schema(deployed), given)
    return await _shown(request, service, who, deployed, flat, {}, source)


def input_schema(deployed: Deployed) -> Schema:
    """The schema of a pipeline's inputs, with the limits of each in words."""
    program = deployed.loaded.program
    # What has a default is filled in with it, and is not to be left out then.
    parameters = [replace(one, has_default=False) for one in deployed.pipeline.parameters]
    return parameters_schema(parameters, program.patterns)


def _defaults(deployed: Deployed) -> dict[str, Any]:
    """The inputs that have a default, as JSON."""
    parameters = deployed.pipeline.parameters
    return {one.key: to_json(one.default) for one in parameters if one.has_default}


async def _shown(
    request: Request,
    service: Service,
    who: Principal,
    deployed: Deployed,
    flat: Flat,
    problems: Problems,
    source: str,
    problem: Problem | None = None,
) -> Response:
    states = await paused_or_off(service)
    options = {
        "thread": flat.get("thread", ""),
        "priority": flat.get("priority", str(NORMAL)),
        "delay": flat.get("delay", ""),
    }
    said = "" if problem is None else f"{problem.detail[:1].upper()}{problem.detail[1:]}."
    page = render(
        request,
        "start_form.html",
        who,
        "start",
        status=200 if problem is None else problem.status,
        pipeline=deployed,
        form=field_of(input_schema(deployed), flat, problems),
        options=options,
        more=bool(options["thread"] or options["delay"]),
        key=flat.get("key") or token_hex(8),
        source=source,
        problem=said,
        paused=states.get("") or states.get(deployed.name),
        open_cases=await board_of(request).open_cases(who),
    )
    if problem is not None:
        page.headers.update(problem.headers)
    return page


async def start(request: Request, service: Service, who: Principal) -> Response:
    """Start a run of what the form says, or change the rows of the form."""
    flat = await form_of(request)
    deployed = service.pipeline(request.path_params["name"])
    source, problems = flat.get("from", ""), Problems()
    edited = changed_rows(flat)
    if edited is not None:
        return await _shown(request, service, who, deployed, edited, {}, source)
    schema = input_schema(deployed)
    given = value_of(schema, flat, problems)
    try:
        if problems:
            raise Problem(422, "input", "something is missing, or is not what it should be")
        id = await service.start(
            who,
            deployed.name,
            given,
            key=_key(flat, given),
            thread=_thread(flat),
            priority=_number(flat, "priority", NORMAL, 1, HIGHEST_PRIORITY),
            delay=_number(flat, "delay", 0, 0, int(LONGEST_DELAY)),
        )
    except Problem as problem:
        if problem.status not in (409, 422, 429, 503):
            raise
        _mark(schema, problem.detail, problems)
        return await _shown(request, service, who, deployed, flat, problems, source, problem)
    return see_other(f"/runs/{quote(id, safe='')}")


def _key(flat: Flat, given: Any) -> str:
    """The key of the run: a form that is sent twice starts one run, an edited one another."""
    options = [flat.get(name, "") for name in ("thread", "priority", "delay")]
    text = json.dumps([flat.get("key", ""), given, options], sort_keys=True)
    return "page:" + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _thread(flat: Flat) -> str | None:
    text = flat.get("thread", "").strip()
    if len(text) > LONGEST_THREAD:
        raise Problem(422, "input", f"a thread has at most {LONGEST_THREAD} letters")
    if any(letter < " " or letter == "\x7f" for letter in text):
        raise Problem(422, "input", "a thread is a text in one line, without control characters")
    return text or None


def _number(flat: Flat, name: str, default: int, low: int, high: int) -> int:
    text = flat.get(name, "").strip()
    if not text:
        return default
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 12 and low <= int(text) <= high:
        return int(text)
    raise Problem(422, "input", f"`{name}` is a whole number from {low} to {high}")


_INPUT = re.compile(r"input `([^`]+)`")


def _mark(schema: Schema, detail: str, problems: Problems) -> None:
    """Mark the field that a message is about."""
    found = _INPUT.search(detail)
    keys = list(schema["properties"])
    if found is not None and found[1] in keys and not problems:
        problems[f"{ROOT}.{keys.index(found[1])}"] = detail.partition(": ")[2] or detail
