"""Pipelines as tools of MCP: answered, escalated and rejected are structured results, not errors.

Only `_meta["pipelang/key"]` makes two calls one run; whatever else looks alike is called again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipelang.interfaces.service.problems import Problem
from pipelang.runtime.engine.events import Event
from pipelang.runtime.host.progress import Progress
from pipelang.version import __version__

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from pipelang.interfaces.service.backend import RunJson
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

LOG = logging.getLogger("pipelang.serve")

KEY = "pipelang/key"
"""The key of a call's `_meta` that says which run it is."""
MOST_KEY = 255

OUTCOMES = ("answered", "escalated", "rejected", "failed")


def output_schema(one: Deployed) -> dict[str, Any]:
    """The JSON Schema of what a call gives: the outcome, with what belongs to it."""
    result = dict(one.result_schema)
    definitions = result.pop("$defs", {})
    for key in ("$schema", "$comment"):
        result.pop(key, None)
    text = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    return {
        "type": "object",
        "properties": {
            "outcome": {"type": "string", "enum": list(OUTCOMES)},
            "run_id": {"type": "string"},
            "value": result | {"description": "What was answered."},
            "role": {"type": "string", "description": "Who takes over, where it escalated."},
            "reason": {"type": "string", "description": "The step or gate that decided."},
            "text": text,
            "code": {"type": "string", "description": "Why it failed."},
            "handoff": {"type": "object", "description": "What whoever takes over is given."},
        },
        "required": ["outcome", "run_id"],
        **({"$defs": definitions} if definitions else {}),
    }


def structured(run: RunJson) -> dict[str, Any]:
    """A run that has ended, as a call gives it."""
    result = run["result"] or {}
    made = {"outcome": run["status"], "run_id": run["id"]}
    return made | {key: value for key, value in result.items() if key != "partial"}


def tools_server(service: Service, who_calls: Callable[[Any], Principal]) -> Server[Any]:
    """A server of MCP whose tools are the pipelines. `who_calls` says whose call a context is."""
    import mcp.types as types
    from mcp.server.lowlevel import Server

    def tool(one: Deployed) -> types.Tool:
        about = one.doc or f"Runs the pipeline `{one.name}`."
        return types.Tool(
            name=one.name,
            description=about,
            input_schema=one.input_schema,
            output_schema=output_schema(one),
        )

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        who_calls(context)
        tools = await asyncio.to_thread(lambda: [tool(o) for o in service.pipelines.values()])
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        who = who_calls(context)
        try:
            run = await _run(service, who, context, params)
            who_calls(context)  # their token may have been revoked meanwhile
        except Problem as problem:
            said = f"{problem.code}: {problem.detail}"
            return types.CallToolResult(
                content=[types.TextContent(type="text", text=said)], is_error=True
            )
        made = structured(run)
        text = json.dumps(made, ensure_ascii=False, default=str)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)],
            structured_content=json.loads(text),
            is_error=run["status"] == "failed",
        )

    return Server("pipelang", version=__version__, on_list_tools=list_tools, on_call_tool=call_tool)


async def _run(service: Service, who: Principal, context: Any, params: Any) -> RunJson:
    """Run a pipeline for a call, and tell how it goes on."""
    key = dict(context.meta or {}).get(KEY)
    if key is not None and not _is_key(key):
        raise Problem(
            400, "bad_key", f"`{KEY}` is a text of 1 to {MOST_KEY} characters, without NUL"
        )
    id = await service.start(who, params.name, params.arguments or {}, key=key)
    try:
        await _tell(service, who, context, service.pipeline(params.name), id)
        run = await service.run(who, id)
    except asyncio.CancelledError:
        if key is None:  # nobody can ask for this run again
            with contextlib.suppress(Problem):
                await asyncio.shield(service.cancel(who, id))
        raise
    if run["status"] not in OUTCOMES:
        raise Problem(503, "stopping", f"the server is stopping; run {id} may go on without it")
    return run


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key) <= MOST_KEY and "\x00" not in key


async def _tell(service: Service, who: Principal, context: Any, one: Deployed, id: str) -> None:
    """Report the progress of a run until it has ended, or the server is about to."""
    progress, last = Progress(one.pipeline), -1
    async for occurrence in service.stopping.ending(await service.follow(who, id)):
        if occurrence is None or occurrence.number is None:
            continue
        event = Event(occurrence.kind, occurrence.name, occurrence.at, dict(occurrence.data))
        update = progress.update(event)
        if update is None or update.progress <= last:
            continue
        last = update.progress
        said = " ".join(filter(None, (update.phase, update.step)))
        with contextlib.suppress(Exception):  # who does not listen loses nothing
            await context.session.report_progress(float(last), 100.0, said)
