"""Servers of chat completions deviate from OpenAI's; answers are read all the same."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pipelang.runtime.providers.openai import OpenAICompatibleProvider
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.testing import ChatDialect, FaultServer, Reply
from pipelang.testing.provider_suite import GOOD, LOOKUP, request


def completion(message: dict[str, Any], **more: Any) -> Reply:
    """A completion with this message; None in `more` leaves a field out."""
    body: dict[str, Any] = {
        "id": "x",
        "object": "chat.completion",
        "model": "test-model",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46},
    }
    body = {name: value for name, value in (body | more).items() if value is not None}
    return Reply.raw(json.dumps(body).encode())


def answers(*script: Reply, asked: ModelRequest | None = None) -> tuple[ModelAnswer, FaultServer]:
    async def main(url: str) -> ModelAnswer:
        provider = OpenAICompatibleProvider(None, url)
        try:
            return await provider.answer(asked or request())
        finally:
            await provider.close()

    with FaultServer(ChatDialect(), *script, key=None) as server:
        return asyncio.run(main(server.url)), server


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD)}\n```",
        f"<think>\nIs it {{billing}}?\n</think>\n\n{json.dumps(GOOD)}",
        [{"type": "text", "text": json.dumps(GOOD)}],
        [json.dumps(GOOD)],
    ],
)
def test_content_in_any_shape(content: Any) -> None:
    found, _ = answers(completion({"role": "assistant", "content": content}))
    assert found.value == GOOD


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    ],
)
def test_a_usage_that_is_left_out_is_bounded_from_above_and_told(usage: Any) -> None:
    text = json.dumps(GOOD)
    found, server = answers(completion({"role": "assistant", "content": text}, usage=usage))
    sent = sum(len(part.encode()) for part in server.dialect.texts(server.last.body))
    assert found.usage.input >= sent
    assert 1 <= found.usage.output <= 200
    assert found.note is not None


@pytest.mark.parametrize(
    ("counts", "thought", "output"),
    [
        ({"completion_tokens": 9, "total_tokens": 135}, 94, 103),  # Grok: beside the output
        ({"completion_tokens": 9, "total_tokens": 135}, None, 103),  # Gemini: without details
        ({"completion_tokens": 103, "total_tokens": 135}, 94, 103),  # OpenAI: among it
        ({"completion_tokens": 9}, 94, 103),  # more thoughts than output cannot be among it
        ({"completion_tokens": 103}, 94, 103),
        ({"completion_tokens": 103, "total_tokens": 0}, "94", 103),
        ({"completion_tokens": 103, "total_tokens": 99}, 0, 103),  # a total that is none
        ({"completion_tokens": 103, "total_tokens": "135"}, 94, 103),
    ],
)
def test_thoughts_count_as_output_wherever_a_server_counts_them(
    counts: dict[str, Any], thought: Any, output: int
) -> None:
    """Those of Grok and Gemini cost nothing, and no budget knew of them."""
    told = {
        "prompt_tokens": 32,
        "prompt_tokens_details": {"cached_tokens": 6},
        **counts,
    }
    if thought is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": thought}
    message = {"role": "assistant", "content": json.dumps(GOOD)}
    found, _ = answers(completion(message, usage=told))
    assert found.usage == Usage(26, output, cache_read=6)
    assert found.note is None


def test_a_server_without_schemas_is_asked_in_words_and_remembered() -> None:
    async def main(url: str) -> None:
        provider = OpenAICompatibleProvider(None, url)
        for _ in range(2):
            assert (await provider.answer(request())).value == GOOD
        await provider.close()

    refused = Reply.status(400, "response_format of type json_schema is not supported")
    script = (refused, Reply.answer(GOOD), Reply.answer(GOOD))
    with FaultServer(ChatDialect(), *script, key=None) as server:
        asyncio.run(main(server.url))
    forms = ["response_format" in seen.body for seen in server.requests]
    assert forms == [True, False, False]
    assert "JSON Schema" in server.dialect.texts(server.last.body)[0]


def test_a_wrong_model_is_not_taken_for_a_server_without_schemas() -> None:
    with pytest.raises(ModelFault) as caught:
        answers(Reply.status(404, "model 'x' not found, try pulling it first"))
    assert caught.value.kind == "rejected"
    assert "try pulling it" in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "model \'x\' not found"}',
        b'{"detail": "model \'x\' not found"}',
        b'{"detail": [{"loc": ["body"], "msg": "model \'x\' not found"}]}',
        b'{"object": "error", "message": "model \'x\' not found", "code": 404}',
        b"model 'x' not found",
    ],
)
def test_errors_in_any_shape_are_explained(body: bytes) -> None:
    with pytest.raises(ModelFault) as caught:
        answers(Reply.raw(body, code=404))
    assert "model 'x' not found" in caught.value.message


def test_an_error_with_a_status_of_success() -> None:
    with pytest.raises(ModelFault) as caught:
        answers(Reply.raw(b'{"error": {"message": "upstream is down", "code": 502}}'))
    assert caught.value.kind == "server"
    assert "upstream is down" in caught.value.message


@pytest.mark.parametrize("arguments", ['{"word": "a"}', {"word": "a"}])
@pytest.mark.parametrize("name", [None, "", "call_7"])
def test_calls_without_ids_with_arguments_in_any_shape(arguments: Any, name: Any) -> None:
    call = {"type": "function", "function": {"name": "look_up", "arguments": arguments}}
    calls = [call | ({} if name is None else {"id": f"{name}{n}" if name else ""}) for n in (1, 2)]
    found, _ = answers(
        completion({"role": "assistant", "content": None, "tool_calls": calls}),
        asked=request(answer=None, tools=(LOOKUP,)),
    )
    assert [call.arguments for call in found.calls] == [{"word": "a"}] * 2
    assert len({call.id for call in found.calls}) == 2


@pytest.mark.parametrize("arguments", ["", " ", "null", '""', '"{}"', "{}", {}, None])
def test_a_call_without_arguments_in_any_shape(arguments: Any) -> None:
    function = {"name": "look_up", "arguments": arguments}
    call = {"id": "a", "type": "function", "function": function}
    found, _ = answers(
        completion({"role": "assistant", "content": None, "tool_calls": [call]}),
        asked=request(answer=None, tools=(LOOKUP,)),
    )
    assert [call.arguments for call in found.calls] == [{}]


def test_arguments_that_are_no_json_are_a_misfit() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": "{word"}}
    with pytest.raises(ModelFault) as caught:
        answers(
            completion({"role": "assistant", "content": None, "tool_calls": [call]}),
            asked=request(answer=None, tools=(LOOKUP,)),
        )
    assert caught.value.kind == "misfit"
    assert caught.value.usage is not None


@pytest.mark.parametrize("body", [b'{"choices": []}', b'{"choices": null}', b'{"choices": [{}]}'])
def test_a_completion_without_a_message(body: bytes) -> None:
    with pytest.raises(ModelFault) as caught:
        answers(Reply.raw(body))
    assert caught.value.kind in ("server", "misfit")


def test_no_key_of_the_environment_goes_to_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody-elses")
    _, server = answers(Reply.answer(GOOD))
    assert "sk-somebody-elses" not in str(server.last.headers)


END = json.dumps(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        f"{END} x" + "</s> " * 100_000 + "x",
        " " * 300_000 + f"{END}x",
        "<|im_end|> " * 50_000 + f"{END}x",
        f"{END}<|" + "a" * 1_000_000 + "|>",
        "<think>" * 100_000 + END,
        "a" * 3_000_000,
    ],
    ids=["ends", "blanks", "tokens", "a long token", "thinking that never ends", "one word"],
)
def test_a_text_without_end_is_read_at_once(text: str) -> None:
    """A model that repeats itself, or whoever stands behind an address, holds nobody up: what is
    taken away from a text was looked for at each of its places, up to its end.
    """
    with pytest.raises(ModelFault) as caught:
        answers(completion({"role": "assistant", "content": text}))
    assert caught.value.kind == "misfit"


def test_calls_in_a_text_without_end_are_read_at_once() -> None:
    call = '<tool_call>{"name": "look_up", "arguments": {"word": "a"}}</tool_call>'
    asked = request(answer=None, tools=(LOOKUP,))
    for more in ("<tool_call>" * 100_000, "<tool_call>{" * 50_000, "<tool_call>{}" * 50_000):
        message = {"role": "assistant", "content": call + more}
        found, _ = answers(completion(message), asked=asked)
        assert [one.name for one in found.calls] == ["look_up"]
