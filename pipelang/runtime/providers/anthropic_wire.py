"""Translation of requests to Anthropic's Messages API, and of its answers back.

Typed answers go through `messages.create` and not through `messages.parse`, although that is the
SDK's method for them. `parse` validates in a hook that runs before it returns: where the answer
is cut off at `max_tokens`, refused, or merely doesn't fit, it raises pydantic's ValidationError,
and the response, with its stop reason and the tokens that we were billed, is gone. A budget that
forgets the most expensive failures is none. So we send what `parse` would send (the schema as
the SDK's public `transform_schema` writes it, in `output_config.format`) and validate with the
same pydantic call, after the usage is safe. A test compares the two bodies.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pipelang.runtime.engine.world import ToolCall, Turn
from pipelang.runtime.providers.fitting import DoesNotFit, fit, shorten
from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelRequest,
    ToolSchema,
    Usage,
)

if TYPE_CHECKING:
    from anthropic.types import MessageParam, OutputConfigParam, TextBlockParam, ToolParam
    from pydantic import BaseModel

DEFAULT_MAX_TOKENS = 4096
"""Output limit in tokens where a step declares none. The API has no default of its own."""

_FEEDBACK_BYTES = 600
"""200 tokens at 3 bytes: what the analysis counts for `feedback`, so no attempt may send more."""

_SCHEMA_IN_WORDS = (
    "Answer with one JSON value and nothing else: no explanation, no code fence. "
    "It must fit this JSON Schema:\n"
)


@dataclass(frozen=True, slots=True)
class RequestParts:
    """The parts of a request that `create` and `count_tokens` have in common."""

    messages: list[MessageParam]
    system: list[TextBlockParam] | None
    output_config: OutputConfigParam | None
    tools: list[ToolParam] | None


def call_of(request: ModelRequest) -> RequestParts:
    """The arguments of the SDK's call for `request`. The SDK must be imported already."""
    config: OutputConfigParam = {}
    if request.effort is not None:
        config["effort"] = request.effort
    system = request.system
    if request.answer is not None:
        schema = _strict_schema(request.answer)
        if schema is not None:
            config["format"] = {"type": "json_schema", "schema": schema}
        else:
            words = _SCHEMA_IN_WORDS + json.dumps(request.answer.model_json_schema())
            system = f"{system}\n\n{words}" if system else words
    block: TextBlockParam | None = None
    if system:
        # The same for every call of the prompt, so worth caching. Below the model's minimum
        # length the API ignores the mark and bills nothing extra.
        block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
    return RequestParts(
        messages=_messages(request),
        system=[block] if block else None,
        output_config=config or None,
        tools=[_tool(tool) for tool in request.tools] or None,
    )


def _messages(request: ModelRequest) -> list[MessageParam]:
    """The prompt, and for an agent every turn with what its calls gave."""
    if not request.turns:
        return [{"role": "user", "content": _user_text(request)}]
    messages: list[Any] = [{"role": "user", "content": request.user}]
    for turn in request.turns:
        results: list[Any] = [
            {
                "type": "tool_result",
                "tool_use_id": result.call.id,
                "content": _as_text(result.value),
                "is_error": result.failed,
            }
            for result in turn.results
        ]
        messages += [
            {"role": "assistant", "content": turn.said or _said(turn)},
            {"role": "user", "content": results},
        ]
    if request.misfit:
        messages[-1]["content"].append({"type": "text", "text": _misfit(request.misfit)})
    return messages


def _said(turn: Turn) -> list[dict[str, Any]]:
    """A turn that another provider answered, a recording say, as the API would have written it."""
    return [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
        for call in turn.calls
    ]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tool(tool: ToolSchema) -> ToolParam:
    param: ToolParam = {"name": tool.name, "input_schema": dict(tool.input_schema)}
    if tool.description is not None:
        param["description"] = tool.description
    return param


def answer_of(request: ModelRequest, message: object) -> ModelAnswer:
    """The answer in the SDK's `message`. Raises ModelFault, with the usage wherever there is one.

    The SDK doesn't validate responses, it builds a `Message` from whatever JSON came, and hands
    back a `str` where a gateway sent no JSON at all. So nothing is taken for granted here.
    """
    usage = _usage(message)
    if usage is None:
        raise ModelFault("server", "the API's answer isn't a message with its usage")
    model = getattr(message, "model", None) or request.model
    stop = getattr(message, "stop_reason", None)
    # Before any look at the content: what was refused or cut off isn't JSON, and calling it a
    # misfit would have the model told of a mistake that it didn't make.
    if stop == "refusal":
        category = getattr(getattr(message, "stop_details", None), "category", None)
        reason = f" (`{category}`)" if category else ""
        raise ModelFault("refusal", f"`{model}` declined to answer{reason}", usage)
    if stop == "max_tokens":
        limit = max_tokens_of(request)
        raise ModelFault(
            "output_limit", f"the answer was cut off at the limit of {limit} tokens", usage
        )
    if stop == "model_context_window_exceeded":
        raise ModelFault(
            "output_limit", f"the answer was cut off where the context of `{model}` ends", usage
        )
    if stop == "tool_use" and request.tools:
        return _calls(message, usage, model)
    if stop not in ("end_turn", "stop_sequence"):
        raise ModelFault("misfit", f"the model stopped with `{stop}` and not at an end", usage)

    blocks = getattr(message, "content", None) or []
    # Thinking comes in blocks of its own, which are no part of the answer.
    text = "".join(block.text for block in blocks if getattr(block, "type", None) == "text")
    if not text.strip():
        raise ModelFault("misfit", "the answer is empty", usage)
    if request.answer is None:
        return ModelAnswer(text, usage, model)
    problem: str
    try:
        return ModelAnswer(fit(request.answer, _unfenced(text)), usage, model)
    except DoesNotFit as error:
        problem = str(error)
    raise ModelFault("misfit", problem, usage)


def _calls(message: object, usage: Usage, model: str) -> ModelAnswer:
    """A turn that asks for tools. All its blocks are kept, because the API wants them back."""
    blocks = list(getattr(message, "content", None) or [])
    calls = []
    for block in blocks:
        if getattr(block, "type", None) == "tool_use":
            given = getattr(block, "input", None)
            arguments = given if isinstance(given, dict) else {}
            calls.append(ToolCall(str(block.id), str(block.name), arguments))
    if not calls:
        raise ModelFault("misfit", "the model asked for a tool and named none", usage)
    said = [block.model_dump(mode="json", exclude_none=True) for block in blocks]
    return ModelAnswer(None, usage, model, calls=tuple(calls), said=said)


def max_tokens_of(request: ModelRequest) -> int:
    """The output limit that is sent, in tokens."""
    limit = request.max_output_tokens
    return DEFAULT_MAX_TOKENS if limit is None else limit


def _user_text(request: ModelRequest) -> str:
    if not request.misfit:
        return request.user
    return f"{request.user}\n\n{_misfit(request.misfit)}"


def _misfit(misfit: str) -> str:
    """The text for the model about an answer that did not fit."""
    feedback = f"Your former answer could not be used: {misfit}"
    ask = "\nAnswer again, so that it fits."
    return shorten(feedback, _FEEDBACK_BYTES - len(ask) - len("\n\n")) + ask


def _unfenced(text: str) -> str:
    """The JSON in `text`: models that were asked in words like to put it in a code fence."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3].strip()
    return text


def _usage(message: object) -> Usage | None:
    usage = getattr(message, "usage", None)
    counts: list[Any] = [getattr(usage, name, None) for name in ("input_tokens", "output_tokens")]
    counts += [getattr(usage, f"cache_{name}_input_tokens", None) or 0 for name in _CACHED]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        return None
    return Usage(*counts)


_CACHED = ("creation", "read")


# --- schemas --------------------------------------------------------------------------------

_schemas: WeakKeyDictionary[type[BaseModel], dict[str, Any] | None] = WeakKeyDictionary()
_schemas_lock = threading.Lock()


def _strict_schema(model: type[BaseModel]) -> dict[str, Any] | None:
    """The schema that the API enforces for `model`, or None where it can't.

    Two of our types are beyond it. `{text: T}` is an object with free keys: the SDK's
    `transform_schema` closes every object, and the model could then only ever answer `{}`, which
    would be wrong without anybody noticing. `json` has no type at all, which it refuses. For
    these the schema is put in words, and only our own validation stands behind it.
    """
    # Types live as long as their program; a schema takes a millisecond and is asked at each call.
    with _schemas_lock:
        if model in _schemas:
            return _schemas[model]
    from anthropic import transform_schema

    plain = model.model_json_schema()
    strict: dict[str, Any] | None = None
    if not _has_free_keys(plain):
        try:
            strict = transform_schema(_without_bounds(plain))
        except ValueError:
            strict = None
    with _schemas_lock:
        _schemas[model] = strict
    return strict


_IN_WORDS = frozenset({"minimum", "maximum", "maxItems"})
"""Bounds that the API doesn't enforce. The descriptions of our schemas say them already, and the
SDK would append them once more.
"""


def _without_bounds(schema: Any) -> Any:
    """A schema without the bounds that its descriptions tell."""
    if isinstance(schema, list):
        return [_without_bounds(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    described = isinstance(schema.get("description"), str)
    return {
        key: _without_bounds(part)
        for key, part in schema.items()
        if not (described and key in _IN_WORDS)
    }


def _has_free_keys(schema: object) -> bool:
    """Whether some object in `schema` allows keys that it doesn't name."""
    if not isinstance(schema, dict):
        return False
    if schema.get("additionalProperties") not in (None, False) or "patternProperties" in schema:
        return True
    inner: list[object] = [schema.get("items")]
    for group in ("properties", "$defs"):
        inner.extend(schema.get(group, {}).values())
    for choice in ("anyOf", "oneOf", "allOf", "prefixItems"):
        inner.extend(schema.get(choice, ()))
    return any(_has_free_keys(part) for part in inner)
