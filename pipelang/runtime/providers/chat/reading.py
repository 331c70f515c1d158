"""Answers of chat completions, as many servers write them.

They deviate: content comes as a text, in parts or as an object, with the model's thinking in it or
its special tokens behind it; arguments of a call as a text, an object or a text in a text; calls
without ids, or with the same; reasons to finish under many names or none; errors with a status of
success; the usage not at all. What can be read is read; what is missing is never made up in one's
favour.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pipelang.records import replace
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.providers.answers import (
    ESTIMATED,
    UNKNOWN_TOKENS,
    arguments_of,
    cut_off,
    declined,
    fitted,
    max_tokens_of,
    media_in,
    no_object,
    unnamed,
)
from pipelang.runtime.providers.chat.asking import SCHEMA, assistant_turn, create_arguments
from pipelang.runtime.providers.http_faults import said_in
from pipelang.runtime.providers.log_probabilities import tokens_in, weighed
from pipelang.runtime.providers.openai_wire import kind_of, usage_in
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.providers.records import field_of

_CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "max_length", "model_length"})
_DECLINED = frozenset(
    {"content_filter", "safety", "refusal", "recitation", "blocklist", "prohibited_content", "spii"}
)
_FAILED = frozenset({"error", "abort", "aborted", "cancelled", "canceled", "timeout"})
"""Reasons to finish that are none of the model's, by the names that servers have for them."""

_THOUGHTS = ("thinking", "reasoning", "thought")
# Of texts of any length and of anybody's making: nothing here tries every place of one against all
# that follows, and every pattern has an end in sight.

_THINKING = re.compile(r"\s*<(think|thinking)>")
"""The beginning of the thinking in front of an answer."""

_FINAL = "<|channel|>final<|message|>"
"""The words of a server behind which an answer begins."""

_END = re.compile(r"(?:</s>|<\|[a-z_]{1,40}\|>|<(?:eos|end_of_turn)>)\Z")
"""A special token that some servers do not take away from the end of a text."""
_LONGEST_END = 50

_CALL, _CALLED = "<tool_call>", "</tool_call>"
"""The words around a call that a server left in the text."""


def answer_of(request: ModelRequest, completion: object) -> ModelAnswer:
    """The answer in the SDK's `completion`. Raises ModelFault."""
    if isinstance(completion, str):  # its type said that it is no JSON
        completion = _parsed(completion)
    choice = _choice(completion)
    if choice is None:
        raise _no_choice(completion, None)
    named = field_of(completion, "model")
    model = named if isinstance(named, str) and named else request.model
    message = _message(choice)
    text = text_of(field_of(message, "content"))
    calls = _called(message, text) if request.tools else []
    usage, note = _usage(request, completion, text, calls)
    given = field_of(choice, "finish_reason")
    stop = given.casefold() if isinstance(given, str) else None
    refused = field_of(message, "refusal")
    if stop in _DECLINED or (isinstance(refused, str) and refused):
        raise declined(model, usage, given if stop in _DECLINED else None)
    if stop in _CUT_OFF:
        raise cut_off(request, usage)
    if stop in _FAILED or field_of(completion, "error"):
        # Where nothing was written, an estimate of what was read would be billed for nothing.
        used = usage if text or note is None else None
        raise _no_choice(choice if field_of(choice, "error") else completion, used, given)
    if calls:
        return _calls(request, calls, text, usage, model, note)
    said = _without_ends(_without_thinking(text.rpartition(_FINAL)[2])).lstrip("\ufeff")
    found = replace(fitted(request, said, usage, model), note=note, estimated=note is not None)
    if not request.choices:
        return found
    told = field_of(field_of(choice, "logprobs"), "content")
    return weighed(found, tokens_in(told if isinstance(told, list) else ()), said)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _choice(completion: object) -> Any:
    """The first choice by its index: the one that was asked for, where a server gives several."""
    choices = field_of(completion, "choices")
    if not isinstance(choices, list) or not choices:
        return None
    return next((one for one in choices if field_of(one, "index") == 0), choices[0])


def _message(choice: object) -> Any:
    """The message of a choice, under the names of completions, of streams and of older servers."""
    for name in ("message", "delta"):
        found = field_of(choice, name)
        if found is not None:
            return {"content": found} if isinstance(found, str) else found
    return {"content": field_of(choice, "text")}


def _no_choice(found: object, usage: Usage | None, stop: object = None) -> ModelFault:
    """A gateway's error with a status of success, or no completion at all."""
    error = field_of(found, "error")
    code = field_of(error, "code") or field_of(found, "code")
    said = said_in(found) if not isinstance(found, str) else None
    if error is not None and said is None:
        said = str(error)
    if said is None and stop is not None:
        said = f"it stopped with `{stop}`"
    if said is None:
        return ModelFault("server", "the server's answer isn't a completion with a choice", usage)
    known = isinstance(code, int) and 400 <= code < 600
    kind = kind_of(code, field_of(error, "type")) if known else "server"
    return ModelFault(kind, f"the server answered with an error: {said}"[:400], usage)


def text_of(content: Any) -> str:
    """The text of a content, without what the model thinks."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        inner = content.get("text")
        return inner if isinstance(inner, str) else json.dumps(content, ensure_ascii=False)
    if not isinstance(content, list):
        return ""
    parts = [
        part if isinstance(part, str) else field_of(part, "text")
        for part in content
        if field_of(part, "type") not in _THOUGHTS
    ]
    return "".join(part for part in parts if isinstance(part, str))


def _without_thinking(text: str) -> str:
    """An answer without the thinking in front of it; some servers leave out where that begins."""
    begun = _THINKING.match(text)
    if begun is not None:
        _, closed, rest = text[begun.end() :].partition(f"</{begun[1]}>")
        if closed:
            return rest
    before, closed, rest = text.partition("</think>")
    return rest if closed and "<think>" not in before else text


def _without_ends(text: str) -> str:
    """A text without the special tokens at its end."""
    end = len(text)
    while True:
        before = end
        while before and text[before - 1].isspace():
            before -= 1
        token = _END.search(text[max(0, before - _LONGEST_END) : before])
        if token is None:
            return text if end == len(text) else text[:before]
        end = before - len(token[0])


def _left_calls(text: str) -> tuple[list[str], str]:
    """The calls that a server left in a text, and the text without them."""
    rest, *parts = text.split(_CALL)
    calls: list[str] = []
    for part in parts:
        inner, closed, after = part.partition(_CALLED)
        call = inner.strip()
        if closed and call.startswith("{") and call.endswith("}"):
            calls.append(call)
            rest += after
        else:
            rest += _CALL + part
    return calls, rest


def _called(message: object, text: str) -> list[Any]:
    """The calls of a message, wherever a server puts them."""
    calls = field_of(message, "tool_calls")
    if isinstance(calls, dict):
        return [calls]
    if isinstance(calls, list) and calls:
        return calls
    older = field_of(message, "function_call")
    if older is not None:
        return [{"function": older}]
    return [{"function": _parsed(found)} for found in _left_calls(text)[0]]


def _calls(
    request: ModelRequest,
    calls: list[Any],
    text: str,
    usage: Usage,
    model: str,
    note: str | None,
) -> ModelAnswer:
    found: list[ToolCall] = []
    turn = len(request.turns)
    for number, call in enumerate(calls):
        function = field_of(call, "function")
        name, given = field_of(function, "name"), field_of(function, "arguments")
        if not isinstance(name, str) or not name.strip():
            raise unnamed(usage)
        arguments = {} if given is None else arguments_of(given)
        if arguments is None:
            raise no_object(name, usage)
        identity = field_of(call, "id")
        # Some servers give none, or all the same; the place is as good, and the same in a replay.
        if not (isinstance(identity, str) and identity) or any(c.id == identity for c in found):
            identity = f"call_{turn}_{number}"
        found.append(ToolCall(identity, name.strip(), arguments))
    said = assistant_turn(found, _left_calls(text)[1].strip() or None)
    estimated = note is not None
    return ModelAnswer(None, usage, model, note, calls=tuple(found), said=said, estimated=estimated)


def _usage(
    request: ModelRequest, completion: object, text: str, calls: list[Any]
) -> tuple[Usage, str | None]:
    """The usage, with a note where the server told none, or nothing of what it wrote: a token is at
    least a byte of text, so the bytes are an upper bound, and a budget is not passed by a server
    that says nothing.
    """
    told = usage_in(field_of(completion, "usage"), "prompt", "completion")
    if told is not None and (told.output or not (text or calls)):
        return told, None
    said = len(text.encode(errors="replace")) + len(str(calls or "").encode(errors="replace"))
    output = min(max(said, 1), max_tokens_of(request))
    if told is not None:
        return replace(told, output=output), ESTIMATED
    texts = replace(request, content=())  # with pictures and documents in words
    sent = create_arguments(texts, frozenset({SCHEMA}))
    size = len(json.dumps([sent["messages"], sent.get("tools")], ensure_ascii=False).encode())
    size += sum(UNKNOWN_TOKENS * (one.pages or 1) for one in media_in(request))
    return Usage(size, output), ESTIMATED
