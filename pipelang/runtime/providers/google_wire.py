"""Translation of requests to Google's `generateContent`, and of its answers back."""

from __future__ import annotations

from typing import Any

from pipelang.runtime.engine.world import ToolCall, Turn
from pipelang.runtime.providers.answers import (
    arguments_of,
    as_text,
    count_of,
    cut_off,
    declined,
    fitted,
    ids_of,
    max_tokens_of,
    misfit_text,
    no_object,
    unnamed,
    user_parts,
    with_schema_in_words,
)
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.providers.schemas import StrictSchemas, closed
from pipelang.semantics.kernels.thinking import takes_budget

_KEYWORDS = frozenset({"description", "minimum", "maximum", "minItems", "maxItems"})

_DECLINED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MODEL_ARMOR",
    }
)


def config_of(request: ModelRequest) -> dict[str, Any]:
    """The `config` of the SDK's `generate_content` for `request`."""
    config: dict[str, Any] = {}
    system = request.system
    if request.answer is not None:
        schema = strict_schemas.of(request.answer)
        if schema is None or request.tools:
            system = with_schema_in_words(system, request)
        else:
            config["response_mime_type"] = "application/json"
            config["response_json_schema"] = schema
    if system:
        config["system_instruction"] = system
    if request.max_output_tokens is not None or request.thinking is not None:
        config["max_output_tokens"] = max_tokens_of(request)
    thinking = _thinking(request)
    if thinking:
        config["thinking_config"] = thinking
    if request.tools:
        config["automatic_function_calling"] = {"disable": True}
        config["tools"] = [
            {
                "function_declarations": [
                    {
                        "name": tool.name,
                        "parameters_json_schema": dict(tool.input_schema),
                        **({} if tool.description is None else {"description": tool.description}),
                    }
                    for tool in request.tools
                ]
            }
        ]
    return config


def _thinking(request: ModelRequest) -> dict[str, Any]:
    """The level of what the model thinks, or its budget; models that take none decide by
    themselves, within the limit of the whole output.
    """
    config: dict[str, Any] = {}
    if request.effort is not None:
        config["thinking_level"] = request.effort.upper()
    if request.thinking is not None and takes_budget(request.model):
        config["thinking_budget"] = request.thinking
    return config


def contents_of(request: ModelRequest) -> list[dict[str, Any]]:
    """The prompt, and for an agent every turn with what its calls gave."""
    if not request.turns:
        return [_user(*_parts(request))]
    contents = [_user(*_parts(request))]
    names = ids_of(request.turns)
    for turn in request.turns:
        contents.append(_said(turn))
        contents.append(
            _user(
                *(
                    {
                        "function_response": {
                            "name": names[result.call.id],
                            "response": {
                                "error" if result.failed else "output": as_text(result.value)
                            },
                        }
                    }
                    for result in turn.results
                )
            )
        )
    if request.misfit:
        contents[-1]["parts"].append({"text": misfit_text(request.misfit)})
    return contents


def _parts(request: ModelRequest) -> list[dict[str, Any]]:
    """The user text, and pictures and documents where they stand."""
    return [
        {"text": part}
        if isinstance(part, str)
        else {"inline_data": {"mime_type": part.media_type, "data": part.data}}
        for part in user_parts(request)
    ]


def _user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def _said(turn: Turn) -> dict[str, Any]:
    """A turn as the API wrote it; one that another provider answered as it would have."""
    if isinstance(turn.said, dict) and turn.said.get("role") == "model":
        return dict(turn.said)
    calls = [{"function_call": {"name": c.name, "args": dict(c.arguments)}} for c in turn.calls]
    return {"role": "model", "parts": calls}


def answer_of(request: ModelRequest, response: object) -> ModelAnswer:
    """The answer in the SDK's `response`. Raises ModelFault, with the usage where there is one."""
    usage = _usage(response)
    named = getattr(response, "model_version", None)
    model = named if isinstance(named, str) and named else request.model
    candidates = getattr(response, "candidates", None) or []
    if not candidates:
        feedback = getattr(response, "prompt_feedback", None)
        blocked = _name(getattr(feedback, "block_reason", None))
        if blocked:
            raise declined(model, usage, blocked)
        raise ModelFault("server", "the API's answer has no candidate", usage)
    if usage is None:
        raise ModelFault("server", "the API's answer tells no usage")
    stop = _name(getattr(candidates[0], "finish_reason", None))
    content = getattr(candidates[0], "content", None)
    parts = list(getattr(content, "parts", None) or [])
    if stop in _DECLINED:
        raise declined(model, usage, stop)
    if stop == "MAX_TOKENS":
        raise cut_off(request, usage)
    if request.tools and any(getattr(part, "function_call", None) for part in parts):
        return _calls(request, content, parts, usage, model)
    if stop not in ("STOP", None):
        raise ModelFault("misfit", f"the model stopped with `{stop}` and not at an end", usage)
    text = "".join(
        part.text
        for part in parts
        if isinstance(getattr(part, "text", None), str) and not getattr(part, "thought", None)
    )
    return fitted(request, text, usage, model)


def _calls(
    request: ModelRequest, content: Any, parts: list[Any], usage: Usage, model: str
) -> ModelAnswer:
    """A turn that asks for tools; its parts are kept, with signatures that the API wants back."""
    calls: list[ToolCall] = []
    for part in parts:
        call = getattr(part, "function_call", None)
        if not call:
            continue
        name, given = getattr(call, "name", None), getattr(call, "args", None)
        if not isinstance(name, str) or not name:
            raise unnamed(usage)
        arguments = {} if given is None else arguments_of(given)
        if arguments is None:
            raise no_object(name, usage)
        # The API needs no ids; the place is one, and the same in a replay.
        calls.append(ToolCall(f"call_{len(request.turns)}_{len(calls)}", name, arguments))
    said = content.model_dump(mode="json", exclude_none=True)
    return ModelAnswer(None, usage, model, calls=tuple(calls), said=said)


def _usage(response: object) -> Usage | None:
    told = getattr(response, "usage_metadata", None)
    if told is None or getattr(told, "prompt_token_count", None) is None:
        return None
    names = ("prompt", "tool_use_prompt", "candidates", "thoughts")
    taken, tool, given, thought = (count_of(told, f"{name}_token_count") for name in names)
    cached = count_of(told, "cached_content_token_count")
    if None in (taken, tool, given, thought, cached):
        return None
    assert taken is not None and tool is not None and given is not None
    assert thought is not None and cached is not None
    cached = min(cached, taken)
    # Thoughts are billed as output, and counted beside it; of what is told of neither is the total.
    given = max(given + thought, (count_of(told, "total_token_count") or 0) - taken - tool)
    return Usage(taken - cached + tool, given, cache_read=cached)


def _name(value: object) -> str | None:
    """The name of an enum's member, or of one that the SDK does not know yet."""
    found = getattr(value, "value", value)
    return found if isinstance(found, str) and found else None


strict_schemas = StrictSchemas(lambda plain: closed(plain, _KEYWORDS))
