"""Translation of requests to the messages of pydantic-ai's model layer, and of answers back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.providers.answers import (
    ESTIMATED,
    arguments_of,
    count_of,
    cut_off,
    declined,
    fitted,
    input_bound,
    max_tokens_of,
    misfit_text,
    named_call,
    no_object,
    result_text,
    user_parts,
    with_schema_in_words,
)
from pipelang.runtime.providers.openai_wire import NAME, strict_schemas
from pipelang.runtime.providers.protocol import ModelAnswer, ModelRequest, Usage
from pipelang.runtime.providers.records import text_in

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse, UserPromptPart
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.settings import ModelSettings


def parameters_of(
    request: ModelRequest, *, native: bool
) -> tuple[ModelSettings, ModelRequestParameters]:
    """The settings and the tools of a request, with the answer's schema where the model's maker
    enforces one (`native`).
    """
    from pydantic_ai.messages import InstructionPart
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.tools import ToolDefinition

    settings = ModelSettings(max_tokens=max_tokens_of(request))
    if request.effort is not None:
        settings["thinking"] = request.effort
    schema = None
    if request.answer is not None and native and not request.tools:
        schema = strict_schemas.of(request.answer)
    system = request.system if schema is not None else with_schema_in_words(request.system, request)
    parameters = ModelRequestParameters(
        function_tools=[
            ToolDefinition(
                name=tool.name,
                description=tool.description,
                parameters_json_schema=dict(tool.input_schema),
            )
            for tool in request.tools
        ],
        instruction_parts=[InstructionPart(content=system)] if system else None,
    )
    if schema is not None:
        parameters.output_mode = "native"
        parameters.output_object = OutputObjectDefinition(
            json_schema=schema, name=NAME, strict=True
        )
    return settings, parameters


def messages_of(request: ModelRequest) -> list[ModelMessage]:
    """The conversation: what is asked, the turns so far, and what did not fit."""
    from pydantic_ai import messages as m

    if not request.turns:
        return [m.ModelRequest(parts=[_prompt(request)])]
    found: list[ModelMessage] = [m.ModelRequest(parts=[_prompt(request)])]
    for turn in request.turns:
        kept = _kept(turn.said)
        if kept is not None:
            found.append(kept)
        else:
            calls = [
                m.ToolCallPart(tool_name=call.name, args=dict(call.arguments), tool_call_id=call.id)
                for call in turn.calls
            ]
            found.append(m.ModelResponse(parts=calls))
        results: list[m.ModelRequestPart] = [
            m.ToolReturnPart(
                tool_name=result.call.name,
                content=result_text(result),
                tool_call_id=result.call.id,
            )
            for result in turn.results
        ]
        found.append(m.ModelRequest(parts=results))
    if request.misfit:
        text = misfit_text(request.misfit)
        found.append(m.ModelRequest(parts=[m.UserPromptPart(content=text)]))
    return found


def _prompt(request: ModelRequest) -> UserPromptPart:
    """The user text, and pictures and documents where they stand."""
    from pydantic_ai import messages as m

    parts = user_parts(request)
    if not request.content:
        return m.UserPromptPart(content=str(parts[0]))
    return m.UserPromptPart(
        content=[
            part
            if isinstance(part, str)
            else m.BinaryContent(data=part.data, media_type=part.media_type)
            for part in parts
        ]
    )


_OURS = "pydantic_ai"


def _said(response: ModelResponse) -> dict[str, Any]:
    """A turn in the library's own form, as JSON: records of runs hold it."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    return {_OURS: ModelMessagesTypeAdapter.dump_python([response], mode="json")}


def _kept(said: Any) -> ModelResponse | None:
    """A turn that this provider answered; None for another provider's."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse

    if not isinstance(said, dict) or _OURS not in said:
        return None
    (found,) = ModelMessagesTypeAdapter.validate_python(said[_OURS])
    return found if isinstance(found, ModelResponse) else None


def answer_of(request: ModelRequest, response: ModelResponse) -> ModelAnswer:
    """The answer in a response. Raises ModelFault."""
    from pydantic_ai.messages import TextPart, ToolCallPart

    model = text_in(response, "model_name") or request.model
    texts = (part for part in response.parts if isinstance(part, TextPart))
    text = "".join(text_in(part, "content") or "" for part in texts)
    asked = [part for part in response.parts if isinstance(part, ToolCallPart)]
    usage, note = _usage(request, response, text)
    if response.finish_reason == "content_filter":
        raise declined(model, usage, "content_filter")
    if response.finish_reason == "length":
        raise cut_off(request, usage)
    if request.tools and asked:
        calls: list[ToolCall] = []
        for part in asked:
            name, identity = named_call(part, "tool_name", "tool_call_id", usage, calls)
            arguments = arguments_of(part.args if part.args is not None else "{}")
            if arguments is None:
                raise no_object(name, usage)
            calls.append(ToolCall(identity, name, arguments))
        said = _said(response)
        return ModelAnswer(
            None, usage, model, note, tuple(calls), said=said, estimated=note is not None
        )
    found = fitted(request, text, usage, model)
    return ModelAnswer(found.value, usage, model, note, estimated=note is not None)


def _usage(request: ModelRequest, response: Any, text: str) -> tuple[Usage, str | None]:
    """The usage; where the maker told none, the most that the texts can be."""
    told = response.usage
    names = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens")
    taken, given, written, read = (count_of(told, name) for name in names)
    known = taken and not getattr(told, "unmeasured_requests", 0)
    if known and given is not None and written is not None and read is not None:
        # The library counts what was cached among the input.
        return Usage(max(0, (taken or 0) - read - written), given, written, read), None
    said = max(1, len(text.encode(errors="replace")))
    return Usage(input_bound(request), min(said, max_tokens_of(request))), ESTIMATED
