"""The suite that every model provider passes: answers, usage, tools, and the faults of a server.

It needs pytest and aiohttp (`pip install 'pipelang-dsl[test]'`), no network and no key.
"""

from __future__ import annotations

import asyncio
import gc
import json
import traceback
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pipelang.runtime.engine.world import ToolCall, ToolResult, Turn
from pipelang.runtime.media.medium import stand_ins
from pipelang.runtime.providers.protocol import (
    FaultKind,
    ModelAnswer,
    ModelFault,
    ModelProvider,
    ModelRequest,
    ToolSchema,
    Usage,
)
from pipelang.testing.dialects import KEY, Dialect
from pipelang.testing.fault_server import FaultServer
from pipelang.testing.replies import Reply

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T")

MakeProvider = Callable[[str], ModelProvider]

GOOD = {"topic": "billing", "sure": 0.9, "amount": "12.50", "tags": ["a"]}
LOOKUP = ToolSchema(
    "look_up",
    "Looks a word up.",
    {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
)


def request(**changes: Any) -> ModelRequest:
    """A request for a typed answer, with some of its fields changed."""
    fields: dict[str, Any] = {
        "prompt": "classify",
        "step": "kind",
        "tier": "small",
        "model": "test-model",
        "system": "You sort tickets.",
        "user": "My bill is wrong.",
        "answer": answer_type(),
        "arguments": {},
        "max_output_tokens": 200,
        "effort": None,
        "timeout": 10.0,
        "misfit": None,
        "call": 0,
    }
    return ModelRequest(**(fields | changes))


@cache
def answer_type() -> type[BaseModel]:
    """The type of answers that the suite asks for: an enum, a share, an amount that may be missing,
    a list.
    """
    from pydantic import BaseModel, Field

    class SortedTicket(BaseModel):
        topic: Literal["billing", "access"] = Field(description="what it is about")
        sure: float = Field(ge=0, le=1)
        amount: Decimal | None = None
        tags: list[str] = []

    return SortedTicket


def provider_suite(
    make_provider: MakeProvider,
    dialect: Dialect,
    *,
    tools: bool = True,
    key: str | None = KEY,
    streaming: bool = False,
) -> type:
    """A class of pytest cases for the providers that `make_provider` makes for a server's address.

    `dialect` is the server's wire format; `tools` says whether the provider lets models call tools.
    `key` is the one that the server demands; None demands none. `streaming` has every request
    listen to its answer, and demands that the provider tells what comes of it.
    """

    class ProviderSuite(_Suite):
        pass

    ProviderSuite.make = staticmethod(make_provider)
    ProviderSuite.dialect = dialect
    ProviderSuite.tools = tools
    ProviderSuite.key = key
    ProviderSuite.streaming = streaming
    return ProviderSuite


class _Suite:
    make: MakeProvider
    dialect: Dialect
    tools: bool
    key: str | None
    streaming: bool = False

    # ------------------------------------------------------------------------- ways to ask

    def _server(self, *script: Reply) -> FaultServer:
        return FaultServer(self.dialect, *script, key=self.key)

    def _with(self, url: str, work: Callable[[ModelProvider], Awaitable[T]]) -> T:
        async def main() -> T:
            provider = type(self).make(url)
            try:
                return await work(provider)
            finally:
                await provider.close()
                await provider.close()  # safe to call twice

        return asyncio.run(main())

    def _answer(self, server: FaultServer, asked: ModelRequest | None = None) -> ModelAnswer:
        told = asked or request()
        if self.streaming and told.partial is None:
            told = replace(told, partial=lambda piece: None)
        return self._with(server.url, lambda provider: provider.answer(told))

    def _fault(self, *script: Reply, asked: ModelRequest | None = None) -> ModelFault:
        with self._server(*script) as server:
            found = self._caught(lambda: self._answer(server, asked))
            # Whatever happens, the provider doesn't try again: that is the step's own business.
            assert len(server.requests) == 1, "one request is one attempt"
            return found

    def _caught(self, work: Callable[[], Any]) -> ModelFault:
        try:
            work()
        except ModelFault as fault:
            told = "".join(traceback.format_exception(fault)) + repr(fault) + repr(vars(fault))
            assert not self.key or self.key not in told, "a fault shows the key"
            assert fault.__cause__ is None, "the SDK's exception travels along, with its request"
            assert fault.__context__ is None, "the SDK's exception travels along, with its request"
            return fault
        raise AssertionError("expected a ModelFault")

    def _kind(
        self, kind: FaultKind, *script: Reply, asked: ModelRequest | None = None
    ) -> ModelFault:
        fault = self._fault(*script, asked=asked)
        assert fault.kind == kind, f"expected `{kind}`, found {fault}"
        return fault

    # ------------------------------------------------------------------------- answers

    def test_typed_answer_with_usage(self) -> None:
        usage = Usage(312, 41, cache_read=2000)
        with self._server(Reply.answer(GOOD, usage)) as server:
            found = self._answer(server)
            assert found.value == GOOD
            assert found.usage == usage
            assert found.model == "test-model"
            texts = self.dialect.texts(server.last.body)
            assert any("You sort tickets." in text for text in texts)
            assert any("My bill is wrong." in text for text in texts)

    def test_text_answer(self) -> None:
        with self._server(Reply.answer("Hello.")) as server:
            found = self._answer(server, request(answer=None))
            assert found.value == "Hello."
            assert self.dialect.schema(server.last.body) is None

    def test_pieces_of_an_answer_are_told_as_they_come(self) -> None:
        heard: list[str] = []
        with self._server(Reply.answer(GOOD)) as server:
            found = self._answer(server, request(partial=heard.append))
        assert found.value == GOOD
        assert found.usage == Usage(12, 34)
        assert not heard or json.loads("".join(heard)) == GOOD
        assert len(heard) > 2 or not self.streaming

    def test_json_in_a_fence_is_read(self) -> None:
        text = '```json\n{"topic": "access", "sure": 1, "tags": []}\n```'
        with self._server(Reply.answer(text)) as server:
            assert self._answer(server).value["topic"] == "access"

    def test_null_for_a_field_with_a_default_is_no_misfit(self) -> None:
        with self._server(Reply.answer(GOOD | {"amount": None})) as server:
            assert self._answer(server).value["amount"] is None

    def test_misfit_names_fields_and_no_values(self) -> None:
        fault = self._kind("misfit", Reply.answer({"topic": "s3cret", "sure": 2}))
        assert "topic" in fault.message
        assert "s3cret" not in fault.message
        assert fault.usage == Usage(12, 34)
        assert fault.retryable

    def test_the_former_misfit_is_told(self) -> None:
        with self._server(Reply.answer(GOOD)) as server:
            self._answer(server, request(misfit="`topic`: no such topic"))
            told = self.dialect.texts(server.last.body)
            assert any("no such topic" in text for text in told)

    def test_prose_is_a_misfit(self) -> None:
        self._kind("misfit", Reply.answer("I would say billing."))

    def test_an_empty_answer_is_a_misfit(self) -> None:
        fault = self._kind("misfit", Reply.answer(""))
        assert fault.usage is not None

    def test_refusal(self) -> None:
        fault = self._kind("refusal", Reply.refusal())
        assert not fault.retryable

    def test_an_answer_that_its_limit_cut_off(self) -> None:
        fault = self._kind("output_limit", Reply.cut_off())
        assert fault.usage == Usage(12, 34), "what was cut off is billed"

    def test_a_usage_that_is_missing_is_never_free(self) -> None:
        with self._server(Reply.answer(GOOD, None)) as server:
            try:
                found = self._answer(server)
            except ModelFault as fault:
                assert fault.kind == "server"
                return
            assert found.usage.input > 0
            assert found.usage.output > 0

    # ------------------------------------------------------------------------- faults

    def test_rate_limit_with_retry_after(self) -> None:
        fault = self._kind("rate_limited", Reply.status(429, retry_after="17"))
        assert fault.retry_after == 17.0
        assert fault.retryable

    def test_overload_and_server_errors_may_be_tried_again(self) -> None:
        for code in (500, 502, 503):
            fault = self._fault(Reply.status(code))
            assert fault.kind in ("server", "overloaded")
            assert fault.retryable

    def test_a_wrong_request_is_rejected_with_the_reason(self) -> None:
        fault = self._kind("rejected", Reply.status(404, "the model does not exist"))
        assert "the model does not exist" in fault.message
        assert not fault.retryable

    def test_a_server_that_hangs(self) -> None:
        fault = self._kind("timeout", Reply.hang(), asked=request(timeout=0.5))
        assert fault.usage is None

    def test_a_server_that_drips(self) -> None:
        self._kind("timeout", Reply.drip(), asked=request(timeout=0.5))

    def test_a_connection_that_breaks(self) -> None:
        fault = self._fault(Reply.cut())
        assert fault.kind in ("connection", "server")

    def test_json_that_breaks_off(self) -> None:
        assert self._fault(Reply.raw(b'{"id": "x", "cho')).kind == "server"

    def test_a_page_of_a_gateway(self) -> None:
        fault = self._fault(Reply.raw(b"<html>Bad gateway</html>", "text/html", 502))
        assert fault.kind in ("server", "overloaded")

    def test_a_page_instead_of_an_answer(self) -> None:
        assert self._fault(Reply.raw(b"<html>Log in</html>", "text/html")).kind == "server"

    def test_json_that_is_no_answer(self) -> None:
        for body in (b"{}", b"[]", b"null", b'"text"', b'{"choices": [], "output": 3}'):
            assert self._fault(Reply.raw(body)).kind in ("server", "misfit")

    def test_a_redirect_is_not_followed(self) -> None:
        with self._server(Reply.answer(GOOD)) as other, self._server() as server:
            server.script.append(
                Reply("raw", code=307, headers={"location": other.url + "/elsewhere"})
            )
            self._caught(lambda: self._answer(server))
            assert not other.requests

    def test_nobody_is_there(self) -> None:
        with self._server() as server:
            url = server.url
        fault = self._caught(
            lambda: self._with(url, lambda provider: provider.answer(request(timeout=5.0)))
        )
        assert fault.kind == "connection", str(fault)

    def test_characters_that_are_no_unicode(self) -> None:
        with self._server(Reply.answer(GOOD)) as server:
            try:
                self._answer(server, request(user="half a \ud800 pair"))
            except ModelFault as fault:
                assert fault.kind in ("rejected", "server")

    def test_cancelling_leaves_nothing_running(self) -> None:
        async def main(provider: ModelProvider) -> None:
            before = asyncio.all_tasks()
            task = asyncio.ensure_future(provider.answer(request()))
            await asyncio.to_thread(server.arrived.wait, 10)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            else:
                raise AssertionError("cancelling was swallowed")
            for _ in range(100):
                if asyncio.all_tasks() <= before:
                    return
                await asyncio.sleep(0.02)
            raise AssertionError(f"still running: {asyncio.all_tasks() - before}")

        with self._server(Reply.hang()) as server:
            self._with(server.url, main)

    def test_two_loops_one_provider(self) -> None:
        with self._server(Reply.answer(GOOD), Reply.answer(GOOD)) as server:
            provider = type(self).make(server.url)
            for _ in range(2):
                assert asyncio.run(provider.answer(request())).value == GOOD

    def test_closing_leaves_no_connection_open(self) -> None:
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("ignore")
            gc.collect()  # what earlier tests left is theirs
            warnings.simplefilter("always", ResourceWarning)
            with self._server(Reply.answer(GOOD)) as server:
                self._answer(server)
            for wrong in (Reply.status(500), Reply.raw(b"<html>", "text/html"), Reply.cut()):
                self._fault(wrong)
            gc.collect()
        assert not [str(one.message) for one in left]

    # ------------------------------------------------------------------ pictures and documents

    def test_pictures_and_documents_stand_where_they_are_named(self) -> None:
        shown = stand_ins()
        asked = request(content=("Before ", shown["image"], " and ", shown["document"], " after"))
        with self._server(Reply.answer(GOOD)) as server:

            async def main(provider: ModelProvider) -> bool:
                if set(getattr(provider, "takes", ())) < set(shown):
                    return False
                await provider.answer(asked)
                return True

            if self._with(server.url, main):
                picture, document = shown["image"], shown["document"]
                assert [self._plain(part) for part in self.dialect.seen(server.last.body)] == [
                    "Before",
                    (picture.media_type, picture.data),
                    "and",
                    (document.media_type, document.data),
                    "after",
                ]

    def test_what_did_not_fit_is_told_behind_pictures(self) -> None:
        picture = stand_ins()["image"]
        asked = request(content=("Look: ", picture), misfit="`topic`: no such topic")
        with self._server(Reply.answer(GOOD)) as server:

            async def main(provider: ModelProvider) -> bool:
                if "image" not in getattr(provider, "takes", ()):
                    return False
                await provider.answer(asked)
                return True

            if self._with(server.url, main):
                first, second, third = self.dialect.seen(server.last.body)
                assert (self._plain(first), second) == ("Look:", ("image/png", picture.data))
                assert "no such topic" in third

    def _plain(self, part: Any) -> Any:
        return part.strip() if isinstance(part, str) else part

    # ------------------------------------------------------------------------- tools

    def test_calls_of_tools_in_parallel_and_their_results(self) -> None:
        if not self.tools:
            return
        asked = request(answer=None, tools=(LOOKUP,))
        calls = ("look_up", {"word": "a"}), ("look_up", {"word": "b"})
        with self._server(Reply.tools(*calls), Reply.answer("Done.")) as server:

            async def main(provider: ModelProvider) -> tuple[ModelAnswer, ModelAnswer]:
                first = await provider.answer(asked)
                results = tuple(
                    ToolResult(call, f"meaning of {call.arguments['word']}", failed=place == 1)
                    for place, call in enumerate(first.calls)
                )
                turn = Turn(calls=first.calls, results=results, said=first.said)
                second = await provider.answer(request(answer=None, tools=(LOOKUP,), turns=(turn,)))
                return first, second

            first, second = self._with(server.url, main)
            assert [(call.name, call.arguments) for call in first.calls] == list(calls)
            assert len({call.id for call in first.calls}) == 2
            assert second.value == "Done."
            told = " ".join(self.dialect.texts(server.last.body))
            assert "meaning of a" in told
            assert "meaning of b" in told

    def test_a_turn_of_another_provider_can_be_gone_on_with(self) -> None:
        if not self.tools:
            return
        call = ToolCall("elsewhere_1", "look_up", {"word": "a"})
        turn = Turn(calls=(call,), results=(ToolResult(call, "a letter", failed=False),), said=None)
        with self._server(Reply.answer("Done.")) as server:
            self._answer(server, request(answer=None, tools=(LOOKUP,), turns=(turn,)))
            assert "a letter" in " ".join(self.dialect.texts(server.last.body))
