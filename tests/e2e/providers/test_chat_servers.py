"""Servers of chat completions as they are: each reply ends as an answer or as a fault that is told,
within its time, and none is billed as nothing.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from pipelang.runtime.providers.chat.streaming import _lines
from pipelang.runtime.providers.openai import OpenAICompatibleProvider
from pipelang.runtime.providers.protocol import ModelFault
from pipelang.testing import ChatDialect, FaultServer, Reply
from pipelang.testing.provider_suite import GOOD, LOOKUP, request

TEXT = json.dumps(GOOD)
USED = {"prompt_tokens": 12, "completion_tokens": 34}


def whole(message: Any = None, **more: Any) -> bytes:
    """A completion with this message; `choice` changes its choice, None takes a part away."""
    said = {"role": "assistant", "content": TEXT} if message is None else message
    choice: dict[str, Any] = {"index": 0, "message": said, "finish_reason": "stop"}
    choice |= more.pop("choice", {})
    choice = {name: value for name, value in choice.items() if value != "left out"}
    body: dict[str, Any] = {"id": "x", "model": "m", "choices": [choice], "usage": USED}
    return json.dumps(body | more).encode()


def said(content: Any, **more: Any) -> bytes:
    return whole({"role": "assistant", "content": content}, **more)


def stopped(reason: Any, content: Any = TEXT) -> bytes:
    return said(content, choice={"finish_reason": reason})


def outcomes(
    replies: dict[str, bytes],
    content_type: str = "application/json",
    code: int = 200,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """By name, what each reply ends as: `(value, tokens in, out, told)`, or the fault."""

    async def main(url: str) -> dict[str, Any]:
        provider = OpenAICompatibleProvider(None, url)
        found: dict[str, Any] = {}
        for name in replies:
            try:
                answer = await provider.answer(request(timeout=20.0, **more))
            except ModelFault as fault:
                found[name] = fault
            else:
                value = answer.calls or ("good" if answer.value == GOOD else answer.value)
                usage, told = answer.usage, answer.note is None
                found[name] = value, usage.input, usage.output, told
        await provider.close()
        return found

    script = [
        Reply.raw(body, content_type, code).with_headers(**(headers or {}))
        for body in replies.values()
    ]
    with FaultServer(ChatDialect(), *script, key=None) as server:
        found = asyncio.run(main(server.url))
        assert len(server.requests) == len(replies), "each reply is one attempt"
    return found


def kinds(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: one.kind if isinstance(one, ModelFault) else one[0] for name, one in found.items()
    }


GOOD_ONE = ("good", 12, 34, True)


def test_what_can_be_read_is_read() -> None:
    half = len(TEXT) // 2
    other = {"index": 1, "message": {"content": "other"}, "finish_reason": "stop"}
    mine = json.loads(whole())["choices"]
    replies = {
        "parts": said([{"type": "text", "text": part} for part in (TEXT[:half], TEXT[half:])]),
        "thoughts in parts": said([{"type": "reasoning", "text": "{"}, {"text": TEXT}]),
        "parts that are none": said([None, 5, {"text": None}, {"type": "text", "text": TEXT}]),
        "an object": said(GOOD),
        "reasoning beside": whole({"content": TEXT, "reasoning_content": "because {"}),
        "<think>": said(f"<think>{{}}</think>\n{TEXT}"),
        "<thinking>": said(f"<thinking>{{}}</thinking>{TEXT}"),
        "its begin left out": said(f"so {{}} then\n</think>\n\n{TEXT}"),
        "channels": said(f"<|channel|>analysis<|message|>{{}}<|end|><|start|>assistant"
                         f"<|channel|>final<|message|>{TEXT}<|return|>"),
        "</s>": said(f"{TEXT}</s>"),
        "<|im_end|>": said(f"{TEXT}\n<|im_end|>\n"),
        "a mark in front": said(f"\ufeff{TEXT}"),
        "a mark before all": b"\xef\xbb\xbf" + whole(),
        "line ends": whole().replace(b'"choices": [', b'"choices":\r\n[\r\n') + b"\r\n\r\n",
        "no reason": whole(choice={"finish_reason": "left out"}),
        **{str(reason): stopped(reason) for reason in (None, "eos", "eos_token", "end_turn", 2)},
        "two": whole(choices=[*mine, other]),
        "two, the other way round": whole(choices=[other, *mine]),
        "an older server": whole(choice={"message": "left out", "text": TEXT}),
        "a delta": whole(choice={"message": "left out", "delta": {"content": TEXT}}),
        "a text for a message": whole(choice={"message": TEXT}),
        "no id": json.dumps({"choices": mine, "usage": USED}).encode(),
        "no error": whole(error=None),
        "a model that is a number": whole(model=7),
        "a key twice": b'{"choices": [], ' + whole()[1:],
    }  # fmt: skip
    found = outcomes(replies)
    assert {name: one for name, one in found.items() if one != GOOD_ONE} == {}
    assert outcomes({"as text": whole()}, "text/plain") == {"as text": GOOD_ONE}


def test_a_usage_is_read_or_bounded_and_told_but_never_nothing() -> None:
    usages: dict[str, Any] = {
        "null": None,
        "a text": "12",
        "floats": {"prompt_tokens": 12.0, "completion_tokens": 34.0},
        "below nothing": {"prompt_tokens": -12, "completion_tokens": -34},
        "a sum alone": {"total_tokens": 46},
        "no completion": {"prompt_tokens": 12},
        "other names": {"input_tokens": 12, "output_tokens": 34},
        "no numbers": {"prompt_tokens": float("nan"), "completion_tokens": float("inf")},
        "zeros": {"prompt_tokens": 0, "completion_tokens": 0},
    }
    found = outcomes({name: whole(usage=usage) for name, usage in usages.items()})
    for name, (value, taken, given, told) in found.items():
        assert (value, told) == ("good", False), name
        assert taken > 100, name
        assert given == len(TEXT), name
    nothing = {"prompt_tokens": 12, "completion_tokens": 0}
    assert outcomes({"x": whole(usage=nothing)})["x"] == ("good", 12, len(TEXT), False)
    cached = USED | {"prompt_tokens_details": {"cached_tokens": 99}}
    assert outcomes({"x": whole(usage=cached)})["x"] == GOOD_ONE, "no more is cheap than there was"


def test_an_answer_that_did_not_end_by_itself_is_none() -> None:
    cut = ("length", "max_tokens", "MAX_TOKENS", "model_length")
    refused = ("content_filter", "safety", "SAFETY", "RECITATION")
    failed = ("error", "abort", "cancelled")
    expected = (
        dict.fromkeys(cut, "output_limit")
        | dict.fromkeys(refused, "refusal")
        | dict.fromkeys(failed, "server")
    )
    found = outcomes({reason: stopped(reason) for reason in expected})
    assert kinds(found) == expected
    assert {fault.usage.input for fault in found.values()} == {12}, "they are billed"


def test_errors_with_a_status_of_success_are_told_by_their_code() -> None:
    down = {"message": "upstream is down"}
    replies = {
        "a text": (b'{"error": "upstream is down"}', "server"),
        "429": (json.dumps({"error": down | {"code": 429}}).encode(), "rate_limited"),
        "401": (json.dumps({"error": down | {"code": 401}}).encode(), "rejected"),
        "503": (json.dumps({"error": down | {"code": 503}}).encode(), "overloaded"),
        "no choices": (json.dumps({"error": down, "choices": []}).encode(), "server"),
        "a choice": (said("", choice={"finish_reason": "error", "error": down}), "server"),
        "beside an answer": (whole(error=down), "server"),
        "a detail": (b'{"detail": "upstream is down"}', "server"),
        "vLLM's": (b'{"object": "error", "message": "upstream is down", "code": 400}', "rejected"),
    }
    found = outcomes({name: body for name, (body, _) in replies.items()})
    assert kinds(found) == {name: kind for name, (_, kind) in replies.items()}
    assert all("upstream is down" in fault.message for fault in found.values())


def test_what_is_no_completion_is_a_fault_of_the_server() -> None:
    replies = {
        "nothing": b"",
        "something behind": whole() + b"}",
        "two": whole() + whole(),
        "an event": b"data: " + whole() + b"\n\n",
        "latin": whole().replace(b"billing", b"b\xefling"),
        "deep": b"[" * 100_000,
        "choices by name": whole(choices={"0": {}}),
        "success: false": b'{"success": false}',
        "a number": b"NaN",
    }
    found = outcomes(replies)
    assert kinds(found) == dict.fromkeys(replies, "server")
    assert {fault.usage for fault in found.values()} == {None}, "what they used nobody knows"


def test_what_is_no_answer_is_a_misfit_that_is_billed() -> None:
    replies = {
        "thoughts alone": whole({"content": None, "reasoning_content": TEXT}),
        "thoughts without an end": said(f"<think>{TEXT}"),
        "true": said(True),
        "prose": said(f"Here you are: {TEXT}"),
        "half a character": said(TEXT[:-1] + ', "x": "\ud800"}'),
    }
    found = outcomes(replies)
    assert kinds(found) == dict.fromkeys(replies, "misfit")
    assert {fault.usage.output for fault in found.values()} == {34}


def called(function: Any, content: Any = None, **more: Any) -> bytes:
    call = {"id": "c1", "type": "function", "function": function} | more
    return whole({"role": "assistant", "content": content, "tool_calls": [call]})


def test_calls_of_tools_in_any_shape() -> None:
    arguments = '{"word": "a"}'
    full = {"name": "look_up", "arguments": arguments}
    replies = {
        "": called(full, ""),
        "object": called(full | {"arguments": {"word": "a"}}),
        "text in a text": called(full | {"arguments": json.dumps(arguments)}),
        "name with blanks": called(full | {"name": " look_up\n"}),
        "no list": whole({"content": None, "tool_calls": {"id": "c1", "function": full}}),
        "the older one": whole({"content": None, "function_call": full}),
        "in the text": said(f'Well.\n<tool_call>\n{{"name": "look_up", "arguments": {arguments}}}\n'
                            "</tool_call>"),
    }  # fmt: skip
    found = outcomes(replies, answer=None, tools=(LOOKUP,))
    for name, one in found.items():
        ((call,), *_) = one
        assert (call.name, dict(call.arguments)) == ("look_up", {"word": "a"}), name
    empty = {
        "null": called(full | {"arguments": None}),
        "none": called({"name": "look_up"}),
        "blank": called(full | {"arguments": ""}),
    }
    for (call,), *_ in outcomes(empty, answer=None, tools=(LOOKUP,)).values():
        assert dict(call.arguments) == {}
    twice = whole({"content": None, "tool_calls": [{"id": "c1", "function": full}] * 3})
    (calls, *_) = outcomes({"x": twice}, answer=None, tools=(LOOKUP,))["x"]
    assert len({call.id for call in calls}) == 3
    wrong = {
        "NaN": called(full | {"arguments": '{"word": NaN}'}),
        "torn": called(full | {"arguments": '{"word": '}),
        "a list": called(full | {"arguments": "[]"}),
        "nobody": called({"arguments": arguments}),
        "null": whole({"content": None, "tool_calls": [None]}),
    }
    assert kinds(outcomes(wrong, answer=None, tools=(LOOKUP,))) == dict.fromkeys(wrong, "misfit")


# ---------------------------------------------------------------------------------- streams


def chunk(content: Any = None, stop: Any = None, **more: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    return {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": stop}]} | more


PIECES = (chunk(TEXT[:20]), chunk(TEXT[20:]), chunk(None, "stop"))
FULL = (*PIECES, {"choices": [], "usage": USED})


def sent(*chunks: Any, end: str = "\n", done: bool = True) -> bytes:
    lines = [json.dumps(one) for one in chunks] + (["[DONE]"] if done else [])
    return "".join(f"data: {line}{end}{end}" for line in lines).encode()


def test_streams_of_all_kinds() -> None:
    second = {"index": 1, "delta": {"content": "zzz"}}
    both = {**chunk(TEXT), "choices": [*chunk(TEXT)["choices"], second]}
    named = b"".join(
        b"event: chunk\nid: 7\ndata: " + json.dumps(one).encode() + b"\n\n" for one in FULL
    )
    replies = {
        "plain": sent(*FULL),
        "no end": sent(*FULL, done=False),
        "CRLF": sent(*FULL, end="\r\n"),
        "CR": sent(*FULL, end="\r"),
        "comments": b": hello\n\n: ping\n\nretry: 100\n\n\n" + sent(*FULL) + b": bye\n\n",
        "names": named,
        "no blank": sent(*FULL).replace(b"data: ", b"data:"),
        "end without a line": sent(*FULL, done=False) + b"data:[DONE]",
        "something behind the end": sent(*FULL) + b"data: {nonsense\n\n",
        "a mark": b"\xef\xbb\xbf" + sent(*FULL),
        "usage in the last piece": sent(*PIECES[:2], chunk(None, "stop", usage=USED)),
        "usage null before": sent(*(one | {"usage": None} for one in PIECES), FULL[3]),
        "usage that grows": sent(chunk(TEXT, usage={"prompt_tokens": 12}), *PIECES[2:], FULL[3]),
        "no reason": sent(*PIECES[:2], FULL[3]),
        "eos": sent(*PIECES[:2], chunk(None, "eos"), FULL[3]),
        "a blank reason": sent(chunk(TEXT, ""), *FULL[2:]),
        "parts": sent(chunk([{"type": "text", "text": TEXT}]), *FULL[2:]),
        "reasoning": sent({"choices": [{"delta": {"reasoning_content": "{"}}]}, *FULL),
        "two": sent(both, *FULL[2:]),
        "messages": sent({"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}],
                          "usage": USED}),
        "nulls": sent(None, 5, [], {"choices": None}, {"choices": [{"delta": None}]}, *FULL),
        "in one piece": whole(),
        "over lines": b"data: {\ndata:  " + json.dumps(FULL[0]).encode()[1:] + b"\n\n"
                      + sent(*FULL[1:]),
        "U+2028 in a text": sent(*FULL).replace(b'"m"', '"m\u2028"'.encode()),
    }  # fmt: skip
    found = outcomes(replies, "text/event-stream", partial=lambda piece: None)
    assert {name: one for name, one in found.items() if one != GOOD_ONE} == {}
    estimated = outcomes({"x": sent(*PIECES)}, "text/event-stream", partial=lambda piece: None)["x"]
    assert estimated[0] == "good"
    assert estimated[2:] == (len(TEXT), False)


def test_streams_that_do_not_end_well() -> None:
    died = {"error": {"message": "upstream died"}}
    replies = {
        "cut": (sent(*PIECES[:2], done=False), "connection"),
        "cut in a line": (sent(*PIECES[:2], done=False) + b'data: {"choi', "server"),
        "cut before a blank line": (sent(*PIECES[:2], done=False)[:-2], "connection"),
        "nothing": (b"", "connection"),
        "an end alone": (sent(), "connection"),
        "nonsense": (sent(FULL[0]) .replace(b"[DONE]", b"{nonsense"), "server"),
        "an error": (sent(FULL[0], died), "server"),
        "an error by name": (b"event: error\n" + sent(died), "server"),
        "an error that is a text": (sent({"error": "upstream died"}), "server"),
        "an error at once": (sent({"error": {"message": "slow", "code": 429}}), "rate_limited"),
    }  # fmt: skip
    found = outcomes(
        {name: body for name, (body, _) in replies.items()},
        "text/event-stream",
        partial=lambda piece: None,
    )
    assert kinds(found) == {name: kind for name, (_, kind) in replies.items()}
    assert "upstream died" in found["an error"].message
    assert found["an error at once"].usage is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_do_not_depend_on_how_they_come(size: int) -> None:
    data = b"\xef\xbb\xbfone\r\ntwo\rthree\n\n\r\n\rfour"

    async def main() -> list[bytes]:
        async def pieces() -> Any:
            for place in range(0, len(data), size):
                yield data[place : place + size]

        return [line async for line in _lines(pieces())]

    assert asyncio.run(main()) == [b"one", b"two", b"three", b"", b"", b"", b"four"]


# ---------------------------------------------------------------------------------- statuses


def test_a_date_to_come_back_at() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    headers = {"retry-after": later}
    fault = outcomes({"x": b'{"error": "slow down"}'}, code=429, headers=headers)["x"]
    assert fault.kind == "rate_limited"
    assert 60 < fault.retry_after <= 90


@pytest.mark.parametrize("told", ["soon", "", "-5", "NaN", "Tue, 99 Foo 2026", "1e400"])
def test_a_nonsense_to_come_back_at(told: str) -> None:
    found = outcomes({"x": b"{}"}, code=429, headers={"retry-after": told})["x"]
    assert found.kind == "rate_limited"
    assert found.retry_after in (None, 0.0)
