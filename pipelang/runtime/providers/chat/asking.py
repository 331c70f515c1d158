"""Translation of requests to chat completions."""

from __future__ import annotations

import json
import re
from typing import Any

from pipelang.runtime.engine.world import ToolCall, Turn
from pipelang.runtime.media.medium import Media
from pipelang.runtime.providers.answers import (
    data_url,
    max_tokens_of,
    misfit_text,
    result_text,
    user_parts,
    with_schema_in_words,
)
from pipelang.runtime.providers.http_faults import said_in
from pipelang.runtime.providers.openai_wire import (
    DETAIL,
    FILE_NAME,
    NAME,
    strict_schemas,
)
from pipelang.runtime.providers.protocol import ModelRequest
from pipelang.semantics.kernels.media import IMAGE

_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


SCHEMA, STREAM, LOGPROBS = "response_format", "stream", "logprobs"
"""Parts of a request without which a server can be asked as well."""

_ABOUT = {
    LOGPROBS: ("logprobs", "log prob", "log_prob", "logit"),
    STREAM: ("stream",),
    SCHEMA: ("response_format", "json_schema", "schema", "guided", "grammar", "structured"),
}
"""Words by which a server's complaint is about a part."""


def refused_part(status: int, body: object, sent: dict[str, Any]) -> str | None:
    """The part of a request that a server refused by an error about it; None for any other."""
    if status not in (400, 404, 415, 422, 500, 501):
        return None
    said = (said_in(body) or str(body or "")).casefold()
    return next(
        (part for part in _ABOUT if part in sent and any(word in said for word in _ABOUT[part])),
        None,
    )


def create_arguments(
    request: ModelRequest, refused: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The arguments of the SDK's `chat.completions.create` for `request`, without the parts that
    its server `refused`: a schema is put into the system text then.
    """
    system = request.system
    # The older name of the limit is the one that all servers know.
    arguments: dict[str, Any] = {"model": request.model, "max_tokens": max_tokens_of(request)}
    if request.answer is not None:
        schema = None if SCHEMA in refused else strict_schemas.of(request.answer)
        if schema is None:
            system = with_schema_in_words(system, request)
        else:
            form = {"name": NAME, "schema": schema, "strict": True}
            arguments[SCHEMA] = {"type": "json_schema", "json_schema": form}
    if request.effort is not None:
        arguments["reasoning_effort"] = request.effort
    if request.tools:
        arguments["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "parameters": dict(tool.input_schema),
                    **({} if tool.description is None else {"description": tool.description}),
                },
            }
            for tool in request.tools
        ]
    if request.choices and LOGPROBS not in refused:
        arguments[LOGPROBS] = True
    if request.partial is not None and STREAM not in refused:
        arguments |= {STREAM: True, "stream_options": {"include_usage": True}}
    arguments["messages"] = _messages(request, system)
    return arguments


def _messages(request: ModelRequest, system: str | None) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    if not request.turns:
        return [*messages, {"role": "user", "content": _content(request)}]
    messages.append({"role": "user", "content": _content(request)})
    for turn in request.turns:
        messages.append(_said(turn))
        messages += [
            {
                "role": "tool",
                "tool_call_id": result.call.id,
                "content": result_text(result),
            }
            for result in turn.results
        ]
    if request.misfit:
        messages.append({"role": "user", "content": misfit_text(request.misfit)})
    return messages


def _content(request: ModelRequest) -> Any:
    """The user text; where there are pictures or documents, parts in their order."""
    parts = user_parts(request)
    return [_part(part) for part in parts] if request.content else parts[0]


def _part(part: str | Media) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if part.kind == IMAGE:
        return {"type": "image_url", "image_url": {"url": data_url(part), "detail": DETAIL}}
    return {"type": "file", "file": {"filename": FILE_NAME, "file_data": data_url(part)}}


def _said(turn: Turn) -> dict[str, Any]:
    """A turn as the server wrote it; one that another provider answered as it would have."""
    if isinstance(turn.said, dict) and turn.said.get("role") == "assistant":
        return dict(turn.said)
    return assistant_turn(list(turn.calls), None)


def assistant_turn(calls: list[ToolCall], text: str | None) -> dict[str, Any]:
    """A turn that asks for tools, as the wire has it."""
    return {
        "role": "assistant",
        "content": text,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
                },
            }
            for call in calls
        ],
    }
