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

from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass
from pipelang.runtime.engine.world import ToolCall, Turn
from pipelang.runtime.providers.answers import (
    arguments_of,
    as_text,
    count_of,
    cut_off,
    declined,
    fitted,
    in_base64,
    kept_items,
    misfit_text,
    named_call,
    no_object,
    unnamed,
    user_parts,
    with_schema_in_words,
)
from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelRequest,
    ToolSchema,
    Usage,
)
from pipelang.runtime.providers.records import as_sent, field_of, list_of, text_in
from pipelang.runtime.providers.schemas import StrictSchemas
from pipelang.semantics.kernels.thinking import takes_budget

if TYPE_CHECKING:
    from anthropic.types import (
        MessageParam,
        OutputConfigParam,
        TextBlockParam,
        ThinkingConfigParam,
        ToolParam,
    )


@dataclass(frozen=True, slots=True)
class RequestParts:
    """The parts of a request that `create` and `count_tokens` have in common."""

    messages: list[MessageParam]
    system: list[TextBlockParam] | None
    output_config: OutputConfigParam | None
    tools: list[ToolParam] | None
    thinking: ThinkingConfigParam | None = None


def call_of(request: ModelRequest) -> RequestParts:
    """The arguments of the SDK's call for `request`. The SDK must be imported already."""
    config: OutputConfigParam = {}
    if request.effort is not None:
        config["effort"] = request.effort
    system = request.system
    if request.answer is not None:
        schema = _schemas.of(request.answer)
        if schema is not None:
            config["format"] = {"type": "json_schema", "schema": schema}
        else:
            system = with_schema_in_words(system, request)
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
        thinking=_thinking(request),
    )


def _thinking(request: ModelRequest) -> ThinkingConfigParam | None:
    """The budget of what the model thinks; models that take none decide by themselves, within the
    limit of the whole output.
    """
    if request.thinking is None:
        return None
    turns = request.turns
    if turns and not kept_items(turns[-1].said, *_THOUGHTS):
        return None  # the API refuses a turn without its thoughts, such as another provider's
    if takes_budget(request.model):
        return {"type": "enabled", "budget_tokens": request.thinking}
    return {"type": "adaptive"}


_THOUGHTS = ("thinking", "redacted_thinking")


def _messages(request: ModelRequest) -> list[MessageParam]:
    """The prompt, and for an agent every turn with what its calls gave."""
    if not request.turns:
        return [{"role": "user", "content": _content(request)}]
    messages: list[Any] = [{"role": "user", "content": _content(request)}]
    for turn in request.turns:
        results: list[Any] = [
            {
                "type": "tool_result",
                "tool_use_id": result.call.id,
                "content": as_text(result.value),
                "is_error": result.failed,
            }
            for result in turn.results
        ]
        messages += [
            {"role": "assistant", "content": _said(turn)},
            {"role": "user", "content": results},
        ]
    if request.misfit:
        messages[-1]["content"].append({"type": "text", "text": misfit_text(request.misfit)})
    return messages


def _content(request: ModelRequest) -> Any:
    """The user text; where there are pictures or documents, blocks in their order."""
    parts = user_parts(request)
    if not request.content:
        return parts[0]
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, str):
            if part.strip():  # the API refuses blocks of blanks
                blocks.append({"type": "text", "text": part})
            continue
        source = {"type": "base64", "media_type": part.media_type, "data": in_base64(part)}
        blocks.append({"type": part.kind, "source": source})
    return blocks


def _said(turn: Turn) -> list[dict[str, Any]]:
    """A turn as the API wrote it; one that another provider answered as it would have."""
    if kept_items(turn.said, "tool_use"):
        return list(turn.said)
    return [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
        for call in turn.calls
    ]


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
    model = text_in(message, "model") or request.model
    stop = field_of(message, "stop_reason")
    # Before any look at the content: what was refused or cut off isn't JSON, and calling it a
    # misfit would have the model told of a mistake that it didn't make.
    if stop == "refusal":
        raise declined(model, usage, text_in(field_of(message, "stop_details"), "category"))
    if stop == "max_tokens":
        raise cut_off(request, usage)
    if stop == "model_context_window_exceeded":
        raise cut_off(request, usage, model)
    if stop == "tool_use" and request.tools:
        return _calls(message, usage, model)
    if stop not in ("end_turn", "stop_sequence"):
        raise ModelFault("misfit", f"the model stopped with `{stop}` and not at an end", usage)

    blocks = list_of(message, "content")
    # Thinking comes in blocks of its own, which are no part of the answer.
    text = "".join(
        text_in(block, "text") or "" for block in blocks if field_of(block, "type") == "text"
    )
    return fitted(request, text, usage, model)


def _calls(message: object, usage: Usage, model: str) -> ModelAnswer:
    """A turn that asks for tools. All its blocks are kept, because the API wants them back."""
    blocks = list_of(message, "content")
    calls: list[ToolCall] = []
    for block in blocks:
        if field_of(block, "type") == "tool_use":
            name, identity = named_call(block, "name", "id", usage, calls)
            # Gateways hand on the text that the model wrote, also where it is no JSON.
            given = field_of(block, "input")
            arguments = {} if given is None else arguments_of(given)
            if arguments is None:
                raise no_object(name, usage)
            calls.append(ToolCall(identity, name, arguments))
    if not calls:
        raise unnamed(usage)
    return ModelAnswer(None, usage, model, calls=tuple(calls), said=as_sent(blocks))


def _usage(message: object) -> Usage | None:
    usage = field_of(message, "usage")
    taken, given = (field_of(usage, f"{name}_tokens") for name in ("input", "output"))
    if taken is None or given is None:
        return None
    names = ("input_tokens", "output_tokens", *_CACHED)
    counts = [count for name in names if (count := count_of(usage, name)) is not None]
    return Usage(*counts) if len(counts) == len(names) else None


_CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")


# --- schemas --------------------------------------------------------------------------------

_IN_WORDS = frozenset({"minimum", "maximum", "maxItems"})
"""Bounds that the API doesn't enforce. The descriptions of our schemas say them already, and the
SDK would append them once more.
"""


def _strict(plain: dict[str, Any]) -> dict[str, Any] | None:
    """The schema as the SDK's public `transform_schema` writes it, which closes every object."""
    from anthropic import transform_schema

    try:
        return transform_schema(_without_bounds(plain))
    except ValueError:
        return None


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


_schemas = StrictSchemas(_strict)
