"""Answers of which some part is not what it should be: of another type, null, or not there.

No SDK validates what its server sends, and Google's fails in the middle of it. Whatever comes, an
attempt has an answer to rely on, or a fault that says what the server did and keeps what it cost;
never an exception of Python's, of which a person learns nothing.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from pipelang.runtime.providers import body_limits
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.runtime.providers.other.provider import OtherProvider
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelProvider, Usage
from pipelang.testing import streams
from pipelang.testing.dialects import (
    KEY,
    ChatDialect,
    Dialect,
    GoogleDialect,
    MessagesDialect,
    ResponsesDialect,
)
from pipelang.testing.fault_server import FaultServer
from pipelang.testing.provider_suite import LOOKUP, request
from pipelang.testing.replies import Reply

from .batch_servers import (
    AnthropicBatchServer,
    GoogleBatchServer,
    Lines,
    OpenAIBatchServer,
    Plan,
)

if TYPE_CHECKING:
    from aiohttp import web

Events = Callable[[dict[str, Any]], Iterator[streams.Event]]

MAKERS: dict[str, tuple[Any, Dialect, Events]] = {
    "anthropic": (AnthropicProvider, MessagesDialect(), streams.of_message),
    "openai": (OpenAIProvider, ResponsesDialect(), streams.of_response),
    "compatible": (OpenAICompatibleProvider, ChatDialect(), streams.of_completion),
    "google": (GoogleProvider, GoogleDialect(), streams.of_candidates),
    "other": (OtherProvider, ResponsesDialect(), streams.of_response),
}

ANSWER = Reply.answer({"topic": "billing", "sure": 0.9})
CALLS = Reply.tools(("look_up", {"word": "a"}), ("look_up", {"word": "b"}))

GONE = object()
ODD: tuple[Any, ...] = (None, -1, True, "x", 1e308, [], {}, [None], ["a"], [{}], "\ud800", GONE)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all parts of a JSON value, but for the whole of it."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        yield (*at, key)
        yield from places(part, (*at, key))


def changed(value: Any, at: tuple[Any, ...], odd: Any) -> Any:
    """A JSON value with another part in one place, or without it."""
    found = copy.deepcopy(value)
    holder = found
    for key in at[:-1]:
        holder = holder[key]
    if odd is GONE:
        del holder[at[-1]]
    else:
        holder[at[-1]] = odd
    return found


def bodies(maker: str, reply: Reply, *, streaming: bool) -> Iterator[tuple[str, Reply]]:
    """A maker's reply with one part odd, with words that say which."""
    _, dialect, events = MAKERS[maker]
    body = dialect.body(reply, {"model": "test-model"}, 1)
    sent: Any = [data for _, data in events(body)] if streaming else body
    names = [name for name, _ in events(body)] if streaming else []
    for number, at in enumerate(places(sent)):
        if streaming and len(at) == 1:
            continue  # an event is always an object
        # Each place has a few of them, and all of them come at a place of each kind.
        for odd in ODD[number % 4 :: 4]:
            made = changed(sent, at, odd)
            words = f"{at} is {'gone' if odd is GONE else ascii(odd)}"
            if streaming:
                raw = b"".join(streams.written(event) for event in zip(names, made, strict=True))
                yield words, Reply.raw(raw, "text/event-stream")
            else:
                yield words, Reply.raw(json.dumps(made).encode())


def doubted(answer: ModelAnswer) -> str | None:
    """What is wrong with an answer, if something is."""
    if not isinstance(answer.model, str) or not answer.model:
        return f"the model is {answer.model!r}"
    for call in answer.calls:
        if not (isinstance(call.id, str) and isinstance(call.name, str) and call.name):
            return f"a call is {call!r}"
        if not isinstance(call.arguments, dict):
            return f"arguments are {call.arguments!r}"
    json.dumps(answer.said)  # it is recorded
    return None if billed(answer.usage) else f"the usage is {answer.usage!r}"


def billed(usage: Usage) -> bool:
    """Whether a usage is counts."""
    counts = (usage.input, usage.output, usage.cache_write, usage.cache_read)
    return all(type(count) is int and count >= 0 for count in counts)


MOST_CONNECTIONS = 4
"""One, and what the server has not yet seen closed."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Let nothing go of what is only garbage: a large program collects it late."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


ASKED = [(maker, kind) for maker in MAKERS for kind in ("answer", "calls", "stream")]
ASKED.remove(("other", "stream"))  # which streams nothing


@pytest.mark.parametrize(("maker", "kind"), ASKED)
def test_no_part_of_an_answer_is_taken_for_granted(maker: str, kind: str) -> None:
    make, dialect, _ = MAKERS[maker]
    model = "openai-responses:test-model" if maker == "other" else "test-model"
    asked = request(model=model, tools=(LOOKUP,) if kind == "calls" else ())
    if maker == "other":
        pytest.importorskip("pydantic_ai", reason="an extra: pipelang-dsl[models]")
    if kind == "stream":
        asked = replace(asked, partial=lambda piece: None)
    script = list(bodies(maker, CALLS if kind == "calls" else ANSWER, streaming=kind == "stream"))

    async def one(provider: ModelProvider) -> str | None:
        try:
            return doubted(await provider.answer(asked))
        except ModelFault as fault:
            return None if fault.usage is None or billed(fault.usage) else f"{fault.usage!r}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    async def main(url: str) -> list[str]:
        provider = make(KEY, url)
        wrong: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: wrong.append(str(told)))
        for words, reply in script:
            server.script.clear()
            server.script.append(reply)
            found = await one(provider)
            if found is not None:
                wrong.append(f"{words}: {found}")
            if server.connections() > MOST_CONNECTIONS:
                wrong.append(f"{words}: a connection more is open")
                break
        await provider.close()
        return wrong

    free = patch.object(type(dialect), "problem", return_value=None)
    with free, FaultServer(dialect) as server, warnings.catch_warnings(), uncollected():
        warnings.simplefilter("ignore")  # the SDKs' own
        assert asyncio.run(main(server.url)) == []
    assert len(script) > 40


@pytest.mark.parametrize("maker", MAKERS)
def test_a_turn_with_one_id_for_two_calls_is_told_and_not_carried_out(maker: str) -> None:
    """No maker takes the results of such calls: both would act, and then the conversation ends.
    Google's calls have no ids of its own, and servers of chat completions often name all the same.
    """
    if maker == "other":
        pytest.importorskip("pydantic_ai", reason="an extra: pipelang-dsl[models]")
    make, dialect, _ = MAKERS[maker]
    model = "openai-responses:test-model" if maker == "other" else "test-model"
    body = json.dumps(dialect.body(CALLS, {"model": "test-model"}, 1)).replace('_1_1"', '_1_0"')

    async def main(url: str) -> ModelAnswer | ModelFault:
        provider: ModelProvider = make(KEY, url)
        try:
            return await provider.answer(request(model=model, tools=(LOOKUP,)))
        except ModelFault as fault:
            return fault
        finally:
            await provider.close()

    free = patch.object(type(dialect), "problem", return_value=None)
    with free, FaultServer(dialect, Reply.raw(body.encode())) as server:
        found = asyncio.run(main(server.url))
    if maker in ("google", "compatible"):
        assert isinstance(found, ModelAnswer)
        assert len({call.id for call in found.calls}) == 2
    else:
        assert isinstance(found, ModelFault)
        assert (found.kind, "the same id" in found.message) == ("misfit", True)
        assert found.usage is not None


class Counter(FaultServer):
    """A server whose counter of tokens answers what the script says."""

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/messages/count_tokens", self._handle)
        app.router.add_post("/v1/models/{model}:countTokens", self._handle)


@pytest.mark.parametrize("told", [True, -5, 0, "x", 1.5, None, [], {}])
@pytest.mark.parametrize(
    ("maker", "name"), [("anthropic", "input_tokens"), ("google", "totalTokens")]
)
def test_a_count_that_is_none_reserves_nothing(maker: str, name: str, told: Any) -> None:
    make, dialect, _ = MAKERS[maker]

    async def main(url: str) -> int | None:
        provider = make(KEY, url)
        try:
            found: int | None = await provider.count_tokens(request())
            return found
        finally:
            await provider.close()

    # A request to count has other parameters than what the dialect demands.
    told_so = Reply.raw(json.dumps({name: told}).encode())
    with (
        patch.object(type(dialect), "problem", return_value=None),
        Counter(dialect, told_so) as server,
    ):
        counted = asyncio.run(main(server.url))
    # Google's SDK takes `true` for 1, as it does in all of an answer.
    assert counted is None or (maker == "google" and told is True)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("server_of", "make"),
    [
        (OpenAIBatchServer, OpenAIProvider),
        (GoogleBatchServer, GoogleProvider),
        (AnthropicBatchServer, AnthropicProvider),
    ],
    ids=["openai", "google", "anthropic"],
)
def test_no_part_of_a_batch_is_taken_for_granted(server_of: Any, make: Any) -> None:
    asked = [request(answer=None, timeout=3.0, user=f"Say {number}.") for number in range(2)]
    lines: list[Any] = []

    def keep(told: list[Any]) -> list[Any]:
        lines.extend(told)
        return told

    async def batch(url: str) -> Any:
        provider = make(KEY, url)
        try:
            return await provider.batch(asked)
        finally:
            await provider.close()

    def results(plan: Plan) -> Any:
        with server_of(plan) as server:
            return asyncio.run(batch(server.url))

    results(Plan(looks=1, change=keep))
    kept = lines[1].get("custom_id") or lines[1]["metadata"]["key"]
    wrong = []
    for number, at in [(0, ()), *enumerate(places(lines[0]))]:
        for odd in ODD[number % 6 :: 6] if at else ODD[:-2]:
            made = changed(lines[0], at, odd) if at else odd
            try:
                found = results(Plan(looks=1, change=_always([made, lines[1]])))
            except Exception as error:
                wrong.append(f"{at} is {odd!r}: {type(error).__name__}: {error}")
                continue
            answered = [one for one in found if isinstance(one, ModelAnswer)]
            doubts = [doubt for one in answered if (doubt := doubted(one)) is not None]
            if doubts or not isinstance(found[int(kept)], ModelAnswer):
                wrong.append(f"{at} is {odd!r}: {doubts or 'the other is lost, too'}")
    assert wrong == []


def _always(lines: list[Any]) -> Lines:
    return lambda told: lines


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("maker", [maker for maker in MAKERS if maker != "other"])
def test_an_answer_that_is_too_large_is_broken_off(
    maker: str, streaming: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, dialect, events = MAKERS[maker]
    monkeypatch.setattr(body_limits, "LARGEST_ANSWER", 200_000)
    asked = request(answer=None, partial=(lambda piece: None) if streaming else None)

    def answer(size: int) -> Reply:
        body = dialect.body(Reply.answer("a" * size), {"model": "test-model"}, 1)
        if not streaming:
            return Reply.raw(json.dumps(body).encode())
        raw = b"".join(map(streams.written, events(body)))
        return Reply.raw(raw, "text/event-stream")

    async def main(url: str) -> tuple[ModelAnswer, ModelFault]:
        provider = make(KEY, url)
        small = await provider.answer(asked)
        with pytest.raises(ModelFault) as caught:
            await provider.answer(asked)
        await provider.close()
        return small, caught.value

    with FaultServer(dialect, answer(1_000), answer(250_000)) as server:
        small, fault = asyncio.run(main(server.url))
    assert small.value == "a" * 1_000
    assert (fault.kind, fault.usage) == ("server", None)
    assert "larger than" in fault.message
