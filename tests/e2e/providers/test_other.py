"""Makers by the model layer of pydantic-ai: its test models, and the suite by its OpenAI model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

pytest.importorskip("pydantic_ai", reason="an extra: pipelang-dsl[models]")

from pydantic_ai.exceptions import (
    ModelAuthenticationError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    UserError,
)
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RequestUsage

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.cli.commands import group
from pipelang.runtime.engine.world import ToolResult, Turn
from pipelang.runtime.providers.other.provider import OtherProvider
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.testing import ChatDialect, provider_suite
from pipelang.testing.dialects import KEY
from pipelang.testing.provider_suite import GOOD, LOOKUP, request

Answering = Callable[[list[ModelMessage], AgentInfo], ModelResponse]


class LooserChatDialect(ChatDialect):
    """Chat completions with what that library sends as well."""

    _known: ClassVar = ChatDialect._known | {"max_completion_tokens", "stream", "tool_choice"}


class _AsNamed(OtherProvider):
    """Asks for the suite's model, which names no maker, at a server of chat completions."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        return await super().answer(replace(request, model=f"openai-chat:{request.model}"))


def by_openai(url: str) -> OtherProvider:
    return _AsNamed(KEY, url)


TestByOpenAI = provider_suite(by_openai, LooserChatDialect())


def answer(model: Model, asked: ModelRequest | None = None) -> ModelAnswer:
    async def main() -> ModelAnswer:
        provider = OtherProvider(None, make_model=lambda name: model)
        try:
            return await provider.answer(asked or request())
        finally:
            await provider.close()

    return asyncio.run(main())


def says(*parts: Any, usage: RequestUsage | None = None, **more: Any) -> FunctionModel:
    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=list(parts), usage=usage or RequestUsage(), **more)

    return FunctionModel(reply)


def test_its_test_model_answers_a_text() -> None:
    found = answer(TestModel(custom_output_text="Hello."), request(answer=None))
    assert found.value == "Hello."
    assert found.model == "test"


@pytest.mark.parametrize("native", [True, False])
def test_a_typed_answer_is_asked_for_and_checked(native: bool) -> None:
    seen: list[AgentInfo] = []

    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(info)
        text = '{"topic": "billing", "sure": 0.9, "amount": "12.50", "tags": ["a"]}'
        used = RequestUsage(input_tokens=30, cache_read_tokens=20, output_tokens=7)
        return ModelResponse(parts=[TextPart(text)], usage=used)

    found = answer(FunctionModel(reply, profile={"supports_json_schema_output": native}))
    assert found.value == GOOD
    assert found.usage == Usage(10, 7, 0, 20)
    # By the maker's own mode where it has one, else in words.
    schema = seen[0].model_request_parameters.output_object
    assert (schema is not None) == native
    assert ("JSON Schema" in str(seen[0].instructions)) != native
    assert seen[0].model_settings is not None
    assert seen[0].model_settings["max_retries"] == 0
    with pytest.raises(ModelFault, match="misfit"):
        answer(says(TextPart('{"topic": "weather"}')))


def test_a_usage_that_is_not_told_is_the_most_that_it_can_be() -> None:
    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart("Hello.")], usage=RequestUsage(output_tokens=3))

    found = answer(FunctionModel(reply), request(answer=None))
    assert found.usage.input >= len("You sort tickets.My bill is wrong.")
    assert found.note is not None


@pytest.mark.parametrize(
    ("stop", "kind"), [("length", "output_limit"), ("content_filter", "refusal")]
)
def test_answers_that_ended_early(stop: Any, kind: str) -> None:
    with pytest.raises(ModelFault) as caught:
        answer(says(TextPart("{"), finish_reason=stop))
    assert caught.value.kind == kind
    assert caught.value.usage is not None


def test_tools_and_their_results() -> None:
    seen: list[list[ModelMessage]] = []

    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(messages)
        assert [tool.name for tool in info.function_tools] == ["look_up"]
        if len(messages) > 1:
            return ModelResponse(parts=[TextPart("Done.")])
        calls = [ToolCallPart("look_up", '{"word": "a"}'), ToolCallPart("look_up", {"word": "b"})]
        return ModelResponse(parts=calls)

    first = answer(FunctionModel(reply), request(answer=None, tools=(LOOKUP,)))
    assert [dict(call.arguments) for call in first.calls] == [{"word": "a"}, {"word": "b"}]
    results = tuple(ToolResult(call, "a letter", failed=False) for call in first.calls)
    turn = Turn(calls=first.calls, results=results, said=first.said)
    second = answer(FunctionModel(reply), request(answer=None, tools=(LOOKUP,), turns=(turn,)))
    assert second.value == "Done."
    assert str(seen[-1]).count("a letter") == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelRateLimitError("m", "slow down"), "rate_limited"),
        (ModelQuotaExceededError("m", "spent"), "rejected"),
        (ModelOverloadedError("m", "busy"), "overloaded"),
        (ModelAuthenticationError("m", "who?"), "rejected"),
        (UserError("set MISTRAL_API_KEY"), "rejected"),
        (ImportError("pip install mistralai"), "rejected"),
    ],
)
def test_exceptions_of_the_library_are_faults(error: Exception, kind: str) -> None:
    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        raise error

    with pytest.raises(ModelFault) as caught:
        answer(FunctionModel(reply))
    assert caught.value.kind == kind
    assert str(error).split()[-1] in caught.value.message


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("mistral-large", "names no maker"),
        ("nobody:x", "no maker `nobody`"),
    ],
)
def test_names_that_are_none(model: str, told: str) -> None:
    with pytest.raises(ModelFault, match=told) as caught:
        asyncio.run(OtherProvider(None).answer(request(model=model)))
    assert caught.value.kind == "rejected"


def test_a_maker_whose_package_or_key_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    with pytest.raises(ModelFault) as caught:
        asyncio.run(OtherProvider(None).answer(request(model="mistral:mistral-large-latest")))
    assert caught.value.kind == "rejected"
    assert "mistral" in caught.value.message.casefold()


WHOLE = """
provider lab { kind other }
tier small { provider lab model "MODEL" price $1 in, $5 out context 8k tokens }
prompt say(q: text max 20 tokens) \"\"\"{{ q }}\"\"\"
pipeline main(q: text max 20 tokens) -> text max 20 tokens {
  step a: text max 20 tokens = ask say(q) by small { accuracy 90% timeout 9s } else fail "no"
  return a
}
"""


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("mistral-large", "names no maker"),
        ("nobody:x", "no maker `nobody`"),
        ("openai:gpt-4o", "OPENAI_API_KEY"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_runs(
    model: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where another kind lacks its key or its package: the run went on to its `else`."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    file = tmp_path / "main.pipe"
    file.write_text(WHOLE.replace("MODEL", model))
    loaded = pipelang.load(file, allow=RULES)
    with pytest.raises(pipelang.NotRunnable, match=told):
        asyncio.run(loaded.pipeline("main").run(q="x"))
    asked = CliRunner().invoke(group, ["run", str(file), "--input", '{"q": "x"}'])
    assert asked.exit_code == 2
    assert told in asked.output
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    if model.startswith("openai"):
        program = loaded.program
        pipelang.Runtime().require_models(program, program.pipelines["main"])
