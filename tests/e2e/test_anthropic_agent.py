"""An agent over the real SDK and a local server: tools out, calls back, results in."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from pipelang import Answered
from pipelang.runtime.host.handle import Runtime
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.protocol import ModelAnswer, ModelRequest
from pipelang.runtime.providers.replay import RecordingProvider, ReplayProvider
from tests.e2e.messages_server import KEY, MessagesServer, Reply
from tests.unit.runtime.stage import load

PROGRAM = """
## Looks a word up.
tool look(q: text, most: int = 2) -> text { effect read timeout 1s }
pipeline main(x: text) -> Answer {
  step s: Answer = agent say(x) by small with look { steps 4 retry 1 output 200 tokens max }
  return s
}
"""
LOOK = {"type": "tool_use", "id": "tu_1", "name": "look", "input": {"q": "word"}}
BROKEN = {"type": "tool_use", "id": "tu_2", "name": "look", "input": {"most": 1}}


def asks(*blocks: dict[str, Any]) -> Reply:
    content = [{"type": "text", "text": "Let me look."}, *blocks]
    return Reply.answer("", stop_reason="tool_use", extra={"content": content})


def test_a_model_calls_a_tool_and_answers(tmp_path: Path) -> None:
    good = {"value": "found", "confidence": 0.9}
    script = (asks(LOOK, BROKEN), Reply.answer({"value": 1}), Reply.answer(good))
    with MessagesServer(*script) as server:
        runtime = Runtime(providers={"lab": AnthropicProvider(KEY, server.url)})
        ready = load(tmp_path, PROGRAM).pipeline(
            "main", tools={"look": lambda q, most: q.upper() * most}, runtime=runtime
        )
        result = asyncio.run(ready.run(x="q"))
        bodies = [sent.body for sent in server.requests]
    assert isinstance(result, Answered), result
    assert result.value.value == "found"
    first, second, third = bodies
    (tool,) = first["tools"]
    assert tool["name"] == "look"
    assert tool["description"] == "Looks a word up."
    assert tool["input_schema"]["required"] == ["q"]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    assert second["messages"][1]["content"][1:] == [LOOK, BROKEN]
    results = second["messages"][2]["content"]
    assert [one["tool_use_id"] for one in results] == ["tu_1", "tu_2"]
    assert results[0]["content"] == "WORDWORD"
    assert not results[0]["is_error"]
    assert results[1]["is_error"]
    # The answer that did not fit is told of behind the results, in the same turn.
    assert third["messages"][2]["content"][-1]["text"].startswith("Your former answer")
    assert result.tokens == 3 * (12 + 34)


def test_a_recorded_agent_is_played_back(tmp_path: Path) -> None:
    good = {"value": "found", "confidence": 0.9}
    script = (asks(LOOK, BROKEN), Reply.status(529), Reply.answer(good))
    path = tmp_path / "agent.jsonl"

    def run(provider: Any) -> Any:
        ready = load(tmp_path, PROGRAM).pipeline(
            "main",
            tools={"look": lambda q, most: q.upper() * most},
            runtime=Runtime(providers={"lab": provider}),
        )
        return asyncio.run(ready.with_options(run_id="same").run(x="q"))

    def told(result: Any) -> list[Any]:
        unlike = {"started", "seconds", "provider", "note", "wait", "message"}
        return [
            (event.kind, event.name, {k: v for k, v in event.data.items() if k not in unlike})
            for event in result.trace
        ]

    with MessagesServer(*script) as server:
        real = run(RecordingProvider(AnthropicProvider(KEY, server.url), path))
    played = run(ReplayProvider(path))
    assert isinstance(real, Answered), real
    assert played.value.value == real.value.value == "found"
    assert (played.cost, played.tokens) == (real.cost, real.tokens)
    assert told(played) == told(real)


def test_the_rest_of_a_recorded_conversation_goes_to_the_api(tmp_path: Path) -> None:
    path = tmp_path / "agent.jsonl"
    first = {"prompt": "say", "calls": [{"id": "tu_1", "name": "look", "args": {"q": "word"}}]}
    path.write_text(json.dumps(first) + "\n", encoding="utf-8")
    played = ReplayProvider(path)

    class First:
        """The recording at the first turn, the API then."""

        name = "both"

        async def answer(self, request: ModelRequest) -> ModelAnswer:
            return await (real if request.turns else played).answer(request)

        async def count_tokens(self, request: ModelRequest) -> int | None:
            return None

        async def close(self) -> None:
            return None

    with MessagesServer(Reply.answer({"value": "found", "confidence": 0.9})) as server:
        real = AnthropicProvider(KEY, server.url)
        ready = load(tmp_path, PROGRAM).pipeline(
            "main",
            tools={"look": lambda q, most: q.upper() * most},
            runtime=Runtime(providers={"lab": First()}),
        )
        result = asyncio.run(ready.run(x="q"))
        said = server.last.body["messages"][1]["content"]
    assert isinstance(result, Answered), result
    assert said == [LOOK]
