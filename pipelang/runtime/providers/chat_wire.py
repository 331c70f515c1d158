"""Translation of requests to chat completions, as many servers speak them, and of answers back.

They deviate: arguments of a call come as a text or as an object, calls come without an id, with a
finish reason of `stop`, content comes as a text or in parts, with the model's thinking in it, and
the usage is left out. What can be read is read; what is missing is never made up in one's favour.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from pipelang.runtime.engine.world import ToolCall, Turn
from pipelang.runtime.media.medium import Media
from pipelang.runtime.providers.answers import (
    UNKNOWN_TOKENS,
    arguments_of,
    cut_off,
    data_url,
    declined,
    fitted,
    max_tokens_of,
    media_in,
    misfit_text,
    result_text,
    user_parts,
    with_schema_in_words,
)
from pipelang.runtime.providers.http_faults import said_in
from pipelang.runtime.providers.log_probabilities import tokens_in, weighed
from pipelang.runtime.providers.openai_wire import (
    DETAIL,
    FILE_NAME,
    NAME,
    strict_schemas,
    usage_in,
)
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.providers.records import field_of
from pipelang.semantics.kernels.media import IMAGE

ESTIMATED = "the server told no usage: the most that the texts can be was taken"

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
    return _assistant(list(turn.calls), None)


def _assistant(calls: list[ToolCall], text: str | None) -> dict[str, Any]:
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


def answer_of(request: ModelRequest, completion: object) -> ModelAnswer:
    """The answer in the SDK's `completion`. Raises ModelFault."""
    choices = field_of(completion, "choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if choice is None:
        raise _no_choice(completion)
    named = field_of(completion, "model")
    model = named if isinstance(named, str) and named else request.model
    message = field_of(choice, "message")
    text = _text(field_of(message, "content"))
    usage, note = _usage(request, completion, message)
    stop = field_of(choice, "finish_reason")
    refused = field_of(message, "refusal")
    if stop == "content_filter" or (isinstance(refused, str) and refused):
        raise declined(model, usage, "content_filter" if stop == "content_filter" else None)
    if stop == "length":
        raise cut_off(request, usage)
    calls = field_of(message, "tool_calls")
    if request.tools and isinstance(calls, list) and calls:
        return _calls(request, calls, text, usage, model, note)
    said = _THINKING.sub("", text, count=1)
    found = replace(fitted(request, said, usage, model), note=note)
    if not request.choices:
        return found
    told = field_of(field_of(choice, "logprobs"), "content")
    return weighed(found, tokens_in(told if isinstance(told, list) else ()), said)


def _no_choice(completion: object) -> ModelFault:
    """A gateway's error with a status of success, or no completion at all."""
    error = field_of(completion, "error")
    said = field_of(error, "message") if error is not None else None
    if error is not None:
        told = said if isinstance(said, str) else str(error)
        return ModelFault("server", f"the server answered with an error: {told}"[:400])
    return ModelFault("server", "the server's answer isn't a completion with a choice")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part if isinstance(part, str) else field_of(part, "text") for part in content]
    return "".join(part for part in parts if isinstance(part, str))


def _calls(
    request: ModelRequest,
    calls: list[Any],
    text: str,
    usage: Usage,
    model: str,
    note: str | None,
) -> ModelAnswer:
    found = []
    turn = len(request.turns)
    for number, call in enumerate(calls):
        function = field_of(call, "function")
        name, arguments = field_of(function, "name"), arguments_of(field_of(function, "arguments"))
        if not isinstance(name, str) or not name:
            raise ModelFault("misfit", "the model asked for a tool and named none", usage)
        if arguments is None:
            raise ModelFault("misfit", f"the arguments of `{name}` are no JSON object", usage)
        given = field_of(call, "id")
        # Some servers give none; the place is as good, and the same in a replay.
        identity = given if isinstance(given, str) and given else f"call_{turn}_{number}"
        found.append(ToolCall(identity, name, arguments))
    said = _assistant(found, text or None)
    return ModelAnswer(None, usage, model, note, calls=tuple(found), said=said)


def _usage(request: ModelRequest, completion: object, message: object) -> tuple[Usage, str | None]:
    """The usage, with a note where the server told none: a token is at least a byte of text, so
    the bytes are an upper bound, and a budget is not passed by a server that says nothing.
    """
    told = usage_in(field_of(completion, "usage"), "prompt", "completion")
    if told is not None:
        return told, None
    texts = replace(request, content=())  # with pictures and documents in words
    sent = create_arguments(texts, frozenset({SCHEMA}))
    size = len(json.dumps([sent["messages"], sent.get("tools")], ensure_ascii=False).encode())
    size += sum(UNKNOWN_TOKENS * (one.pages or 1) for one in media_in(request))
    said = len(_text(field_of(message, "content")).encode(errors="replace"))
    called = field_of(message, "tool_calls")
    said += len(str(called).encode(errors="replace")) if called else 0
    return Usage(size, min(max(said, 1), max_tokens_of(request))), ESTIMATED
