"""Texts and answers of a request that are the same for every maker's wire format."""

from __future__ import annotations

import base64
import json
from typing import Any

from pipelang.records import replace
from pipelang.runtime.engine.world import ToolCall, ToolResult, Turn
from pipelang.runtime.media.medium import Media
from pipelang.runtime.providers.fitting import DoesNotFit, fit, shorten
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.providers.records import field_of, text_in

DEFAULT_MAX_TOKENS = 4096
"""Output limit in tokens where a step declares none, for APIs that want one."""

FEEDBACK_BYTES = 600
"""200 tokens at 3 bytes: what the analysis counts for `feedback`, so no attempt may send more."""

_SCHEMA_IN_WORDS = (
    "Answer with one JSON value and nothing else: no explanation, no code fence. "
    "It must fit this JSON Schema:\n"
)


def max_tokens_of(request: ModelRequest) -> int:
    """The output limit that is sent, in tokens."""
    limit = request.max_output_tokens
    return DEFAULT_MAX_TOKENS + (request.thinking or 0) if limit is None else limit


def user_text(request: ModelRequest) -> str:
    """The user text, and behind it what did not fit of the former answer."""
    if not request.misfit:
        return request.user
    return f"{request.user}\n\n{misfit_text(request.misfit)}"


def user_parts(request: ModelRequest) -> tuple[str | Media, ...]:
    """The user text with pictures and documents where they stand, and behind it what did not fit of
    the former answer; one text where there are none.
    """
    if not request.content:
        return (request.user if request.turns else user_text(request),)
    if not request.misfit or request.turns:
        return request.content
    return (*request.content, misfit_text(request.misfit))


UNKNOWN_TOKENS = 10_000
"""Tokens of a picture or page where a server tells no usage: more than any maker counts for one by
the rules that are known, but for the oldest small model.
"""


def media_in(request: ModelRequest) -> tuple[Media, ...]:
    """The pictures and documents that a request shows."""
    return tuple(part for part in request.content if isinstance(part, Media))


def in_base64(medium: Media) -> str:
    """The bytes of a picture or document as makers take them."""
    return base64.b64encode(medium.data).decode("ascii")


def data_url(medium: Media) -> str:
    """The bytes of a picture or document as an address."""
    return f"data:{medium.media_type};base64,{in_base64(medium)}"


def misfit_text(misfit: str) -> str:
    """The text for the model about an answer that did not fit."""
    feedback = f"Your former answer could not be used: {misfit}"
    ask = "\nAnswer again, so that it fits."
    return shorten(feedback, FEEDBACK_BYTES - len(ask) - len("\n\n")) + ask


def with_schema_in_words(system: str | None, request: ModelRequest) -> str | None:
    """The system text, and behind it the schema of the answer, where no API enforces it."""
    if request.answer is None:
        return system
    words = _SCHEMA_IN_WORDS + json.dumps(request.answer.model_json_schema())
    return f"{system}\n\n{words}" if system else words


def as_text(value: Any) -> str:
    """The result of a tool as text for a model."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def result_text(result: ToolResult) -> str:
    """The result of a call as text for a model, on a wire that has no place for failures."""
    text = as_text(result.value)
    return f"The call failed: {text}" if result.failed else text


def arguments_of(text: object) -> dict[str, Any] | None:
    """The arguments of a call, which most makers send as a JSON text; None if they are none. A call
    without any may have an empty text or null.
    """
    if isinstance(text, dict):
        return text
    if not isinstance(text, str):
        return None
    try:
        value = json.loads(text.strip() or "{}", parse_constant=_no_constant)
        if isinstance(value, str):  # some write the text of a text
            value = json.loads(value.strip() or "{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if value is None:
        return {}
    return value if isinstance(value, dict) else None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def fitted(request: ModelRequest, text: str, usage: Usage, model: str) -> ModelAnswer:
    """The answer in a text. Raises ModelFault (`misfit`), with the usage."""
    if not text.strip():
        raise ModelFault("misfit", "the answer is empty", usage)
    if request.answer is None:
        return ModelAnswer(text, usage, model)
    problem: str
    try:
        return ModelAnswer(fit(request.answer, _unfenced(text)), usage, model)
    except DoesNotFit as error:
        problem = str(error)
    # Outside of `except`: the text of an answer must not travel as context.
    raise ModelFault("misfit", problem, usage)


def cut_off(request: ModelRequest, usage: Usage | None, model: str | None = None) -> ModelFault:
    """The fault of an answer that its limit cut off; `model` where its context ended first."""
    if model is not None:
        why = f"the answer was cut off where the context of `{model}` ends"
    else:
        why = f"the answer was cut off at the limit of {max_tokens_of(request)} tokens"
    return ModelFault("output_limit", why, usage)


def declined(model: str, usage: Usage | None, reason: object = None) -> ModelFault:
    """The fault of a model, or of its maker's filter, that will not answer."""
    named = f" (`{reason}`)" if isinstance(reason, str) and reason else ""
    return ModelFault("refusal", f"`{model}` declined to answer{named}", usage)


def unnamed(usage: Usage) -> ModelFault:
    """The fault of a model that asks for a tool and does not say for which."""
    return ModelFault("misfit", "the model asked for a tool and named none", usage)


def no_object(tool: str, usage: Usage) -> ModelFault:
    """The fault of a model that calls a tool with what is no object: no call is made with other
    arguments than were meant.
    """
    return ModelFault("misfit", f"the arguments of `{tool}` are no JSON object", usage)


def named_call(
    call: object, name: str, identity: str, usage: Usage, before: list[ToolCall]
) -> tuple[str, str]:
    """The tool that a call names in one field, and what the call itself is called in another.
    Raises ModelFault where one of them is missing, or where a call `before` it is called the same.

    Results go back by the id of their call, so no maker takes a turn in which two have one: both
    would be carried out, and the conversation would end there. Nobody can tell whether one call
    came twice or two were meant, so none is made, and the next attempt is told.
    """
    tool, own = text_in(call, name), text_in(call, identity)
    if tool is None or own is None:
        raise unnamed(usage)
    if any(one.id == own for one in before):
        raise ModelFault("misfit", "the model gave two calls the same id", usage)
    return tool, own


def count_of(value: object, name: str) -> int | None:
    """A count of tokens in a usage of whatever came; 0 where it is left out, None if it is none."""
    found = field_of(value, name)
    if found is None:
        return 0
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def ids_of(turns: tuple[Turn, ...]) -> dict[str, str]:
    """The name of the tool of each call of former turns, by the call's id."""
    return {call.id: call.name for turn in turns for call in turn.calls}


def kept_items(said: Any, *kinds: str) -> bool:
    """Whether a turn in its provider's own form is one of this wire: it has items of some kind."""
    return isinstance(said, list) and any(
        isinstance(item, dict) and item.get("type") in kinds for item in said
    )


def _unfenced(text: str) -> str:
    """The JSON in `text`: models that were asked in words like to put it in a code fence."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3].strip()
    return text


# ------------------------------------------------------------------ usages that nobody counted

ESTIMATED = "the server told no usage: the most that the texts can be was taken"
"""The note on a usage that is the most that it can be: a token is at least a byte of text."""


def tells_input(usage: Usage) -> bool:
    """Whether a usage counts the prompt."""
    return usage.input + usage.cache_read + usage.cache_write > 0


def uncounted(fault: ModelFault) -> ModelFault:
    """A fault of an answer, without a usage that counts nothing that was read."""
    if fault.usage is None or tells_input(fault.usage):
        return fault
    return ModelFault(fault.kind, fault.message, None, fault.retry_after)


def input_bound(request: ModelRequest) -> int:
    """The most tokens that a request can have."""
    sent = [request.system, request.user, request.misfit]
    tools = [dict(tool.input_schema) | {"?": tool.description} for tool in request.tools]
    schema = None if request.answer is None else request.answer.model_json_schema()
    turns = [
        [[call.name, dict(call.arguments)] for call in turn.calls]
        + [as_text(one.value) for one in turn.results]
        for turn in request.turns
    ]
    told = json.dumps([sent, tools, schema, turns], ensure_ascii=False, default=str)
    seen = sum(UNKNOWN_TOKENS * (one.pages or 1) for one in media_in(request))
    return len(told.encode(errors="replace")) + seen


def with_estimate(request: ModelRequest, answer: ModelAnswer) -> ModelAnswer:
    """An answer whose usage, where its server counted nothing that was read or nothing that was
    written, is estimated there, with a note that says so.
    """
    usage = answer.usage
    if not tells_input(usage):
        usage = replace(usage, input=input_bound(request))
    if not usage.output:
        written = [[call.name, dict(call.arguments)] for call in answer.calls] or answer.value
        said = json.dumps(written, ensure_ascii=False, default=str).encode(errors="replace")
        usage = replace(usage, output=min(len(said), max_tokens_of(request)))
    if usage is answer.usage:
        return answer
    return replace(answer, usage=usage, note=answer.note or ESTIMATED, estimated=True)
