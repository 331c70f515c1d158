"""Translation of requests to OpenAI's Responses API, and of its answers back.

Nothing is stored at OpenAI (`store` is false): a turn of an agent is sent back as it came, with the
encrypted reasoning that the API hands out for that.
"""

from __future__ import annotations

import json
from typing import Any

from pipelang.runtime.engine.world import ToolCall, Turn
from pipelang.runtime.media.medium import Media
from pipelang.runtime.providers.answers import (
    arguments_of,
    count_of,
    cut_off,
    data_url,
    declined,
    fitted,
    kept_items,
    misfit_text,
    named_call,
    no_object,
    result_text,
    user_parts,
    with_schema_in_words,
)
from pipelang.runtime.providers.http_faults import kind_of_status
from pipelang.runtime.providers.protocol import (
    FaultKind,
    ModelAnswer,
    ModelFault,
    ModelRequest,
    Usage,
)
from pipelang.runtime.providers.records import as_sent, field_of, list_of, text_in
from pipelang.runtime.providers.schemas import Schema, StrictSchemas, closed
from pipelang.semantics.kernels.answer_schemas import beyond_openai
from pipelang.semantics.kernels.media import IMAGE

NAME = "answer"
"""The name of a schema; the API wants one."""

_KEYWORDS = frozenset(
    {"description", "pattern", "format", "minimum", "maximum", "minItems", "maxItems"}
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "uuid"})


def create_arguments(request: ModelRequest) -> dict[str, Any]:
    """The arguments of the SDK's `responses.create` for `request`."""
    system = request.system
    arguments: dict[str, Any] = {"model": request.model, "store": False}
    if request.answer is not None:
        schema = strict_schemas.of(request.answer)
        if schema is None:
            system = with_schema_in_words(system, request)
        else:
            form = {"type": "json_schema", "name": NAME, "schema": schema, "strict": True}
            arguments["text"] = {"format": form}
    if system:
        arguments["instructions"] = system
    if request.effort is not None:
        arguments["reasoning"] = {"effort": request.effort}
    if request.max_output_tokens is not None:
        arguments["max_output_tokens"] = request.max_output_tokens
    if request.tools:
        arguments["include"] = ["reasoning.encrypted_content"]
        arguments["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.input_schema),
                # Strict parameters know no defaults; our own check says what does not fit.
                "strict": False,
            }
            for tool in request.tools
        ]
    arguments["input"] = _input(request)
    return arguments


def _input(request: ModelRequest) -> list[dict[str, Any]]:
    """The prompt, and for an agent every turn with what its calls gave."""
    if not request.turns:
        return [{"role": "user", "content": user_content(request)}]
    items: list[dict[str, Any]] = [{"role": "user", "content": user_content(request)}]
    for turn in request.turns:
        items += _said(turn)
        items += [
            {
                "type": "function_call_output",
                "call_id": result.call.id,
                "output": result_text(result),
            }
            for result in turn.results
        ]
    if request.misfit:
        items.append({"role": "user", "content": misfit_text(request.misfit)})
    return items


def user_content(request: ModelRequest) -> Any:
    """The user text; where there are pictures or documents, parts in their order."""
    parts = user_parts(request)
    return [_part(part) for part in parts] if request.content else parts[0]


def _part(part: str | Media) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    if part.kind == IMAGE:
        return {"type": "input_image", "image_url": data_url(part), "detail": DETAIL}
    return {"type": "input_file", "filename": FILE_NAME, "file_data": data_url(part)}


DETAIL = "high"
"""The resolution at which pictures are read: the one that the bounds on their tokens are of."""

FILE_NAME = "document.pdf"
"""The name of every document; the API wants one, and nobody's name of a file is told."""


def _said(turn: Turn) -> list[dict[str, Any]]:
    """A turn as the API wrote it; one that another provider answered as it would have."""
    if kept_items(turn.said, "function_call"):
        return list(turn.said)
    return [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": json.dumps(dict(call.arguments), ensure_ascii=False),
        }
        for call in turn.calls
    ]


def answer_of(request: ModelRequest, response: object) -> ModelAnswer:
    """The answer in the SDK's `response`. Raises ModelFault, with the usage wherever there is one.

    The SDK doesn't validate responses, so nothing is taken for granted.
    """
    usage = _usage(response)
    model = text_in(response, "model") or request.model
    status = field_of(response, "status")
    if status == "failed":
        raise _failed(response, usage)
    if usage is None:
        raise ModelFault("server", "the API's answer isn't a response with its usage")
    if status == "incomplete":
        reason = field_of(field_of(response, "incomplete_details"), "reason")
        if reason == "content_filter":
            raise declined(model, usage, reason)
        if reason == "max_output_tokens":
            raise cut_off(request, usage)
        raise ModelFault("misfit", f"the model stopped with `{reason}` and not at an end", usage)
    if status not in ("completed", None):
        raise ModelFault("misfit", f"the response is `{status}` and not at an end", usage)
    output = list_of(response, "output")
    if request.tools and any(field_of(item, "type") == "function_call" for item in output):
        return _calls(output, usage, model)
    parts = [
        part
        for item in output
        if field_of(item, "type") == "message"
        for part in list_of(item, "content")
    ]
    if any(field_of(part, "type") == "refusal" for part in parts):
        raise declined(model, usage)
    text = "".join(
        text_in(part, "text") or "" for part in parts if field_of(part, "type") == "output_text"
    )
    return fitted(request, text, usage, model)


def _calls(output: list[Any], usage: Usage, model: str) -> ModelAnswer:
    """A turn that asks for tools. All its items are kept, because the API wants them back."""
    calls: list[ToolCall] = []
    for item in output:
        if field_of(item, "type") == "function_call":
            name, identity = named_call(item, "name", "call_id", usage, calls)
            arguments = arguments_of(field_of(item, "arguments"))
            if arguments is None:
                raise no_object(name, usage)
            calls.append(ToolCall(identity, name, arguments))
    return ModelAnswer(None, usage, model, calls=tuple(calls), said=as_sent(output))


_FAILED: dict[str, FaultKind] = {
    "rate_limit_exceeded": "rate_limited",
    "server_error": "server",
    "server_is_overloaded": "overloaded",
    "slow_down": "overloaded",
    "vector_store_timeout": "timeout",
}


def kind_of_failure(*names: object) -> FaultKind:
    """The kind of fault of a response that failed after it had begun, by the names of the error."""
    told = [name for name in names if isinstance(name, str)]
    known = (_FAILED[name] for name in told if name in _FAILED)
    return next(known, "rejected" if told else "server")


def _failed(response: object, usage: Usage | None) -> ModelFault:
    error = getattr(response, "error", None)
    code = getattr(error, "code", None)
    kind = kind_of_failure(code)
    said = getattr(error, "message", None)
    why = f"the response failed with `{code}`" + (f": {said}" if isinstance(said, str) else "")
    return ModelFault(kind, why[:400], usage)


def _usage(response: object) -> Usage | None:
    told = getattr(response, "usage", None)
    found = usage_in(told, "input", "output")
    if found is None and field_of(told, "input_tokens") == 0:
        # A gateway that counts nothing: the answer is as good, its usage is estimated.
        return Usage(0, count_of(told, "output_tokens") or 0)
    return found


def usage_in(usage: object, taken_as: str, given_as: str) -> Usage | None:
    """The usage that OpenAI's wire tells by two names of counts, of which the first holds what was
    read from and written to the cache, with its details beside it.

    None where a count is none or left out, or no prompt was counted: an unknown is never free.
    """
    details = field_of(usage, f"{taken_as}_tokens_details")
    taken, given = count_of(usage, f"{taken_as}_tokens"), count_of(usage, f"{given_as}_tokens")
    read, written = count_of(details, "cached_tokens"), count_of(details, "cache_write_tokens")
    if not taken or given is None or field_of(usage, f"{given_as}_tokens") is None:
        return None
    given = _with_thoughts(usage, taken, given, given_as)
    read, written = read or 0, written or 0
    if read + written > taken:  # more than there was: all of it counts as input
        read = written = 0
    return Usage(taken - read - written, given, cache_write=written, cache_read=read)


def _with_thoughts(usage: object, taken: int, given: int, given_as: str) -> int:
    """The tokens of an output with those of its thoughts, which are billed as it is.

    OpenAI counts them among the output, servers of Grok and Gemini beside it: the total tells, and
    without one that there are more thoughts than output.
    """
    total = count_of(usage, "total_tokens")
    if total:
        return max(given, total - taken)
    thought = count_of(field_of(usage, f"{given_as}_tokens_details"), "reasoning_tokens")
    return given + thought if thought is not None and thought > given else given


# A 429 that waiting does not mend: an account without money, a spent quota. Of limits on what is
# spent the code says whose (`project_spend_limit_exceeded`), and the type that it is one of these.
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


def is_spent(*names: object) -> bool:
    """Whether an error with such a code or type is one of an account with nothing left."""
    return any(isinstance(name, str) and name in _SPENT for name in names)


def kind_of(status: int, *names: object, should_retry: str | None = None) -> FaultKind:
    """The kind of fault of an error status with the API's names of it, its code and its type."""
    if is_spent(*names):
        return "rejected"
    kind = kind_of_status(status, should_retry)
    # 503 is OpenAI's word for overloaded.
    return "overloaded" if status == 503 else kind


def _strict(plain: Schema) -> Schema | None:
    if beyond_openai(plain) is not None:
        return None
    found = closed(plain, _KEYWORDS)
    return None if found is None or found.get("type") != "object" else _supported(found)


def _supported(schema: Any) -> Any:
    """A schema without patterns and formats that the API refuses: it knows no lookaround."""
    if isinstance(schema, list):
        return [_supported(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, part in schema.items():
        if key == "pattern" and isinstance(part, str) and "(?" in part:
            continue
        if key == "format" and isinstance(part, str) and part not in _FORMATS:
            continue
        if key == "properties" and isinstance(part, dict):
            kept[key] = {name: _supported(inner) for name, inner in part.items()}
        else:
            kept[key] = _supported(part)
    return kept


strict_schemas = StrictSchemas(_strict)
