"""The providers `openai` and `openai_compatible`: the official SDK, at OpenAI and elsewhere.

OpenAI itself is asked by the Responses API. Servers that speak its older chat completions (vLLM,
Ollama, llama.cpp, LM Studio and many gateways) are `openai_compatible`, with their `base_url`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelang.runtime.providers import openai_decisions, openai_wire
from pipelang.runtime.providers.batches.waiting import run_batches
from pipelang.runtime.providers.body_limits import hooks
from pipelang.runtime.providers.chat import asking, reading
from pipelang.runtime.providers.chat.streaming import whole_or_stream
from pipelang.runtime.providers.http_faults import (
    broken_by,
    clean,
    connection_fault,
    local_fault,
    said_in,
    status_fault,
    timed_out,
)
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest
from pipelang.runtime.providers.sdk_provider import CONNECT_TIMEOUT, DEFAULT_TIMEOUT, SdkProvider
from pipelang.runtime.providers.streams.openai import response_of
from pipelang.runtime.providers.streams.reading import read
from pipelang.semantics.kernels.decisions import decides, tells_log_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai import APIStatusError, AsyncOpenAI

DEFAULT_BASE_URL = "https://api.openai.com/v1"
LOCAL_BASE_URL = "http://localhost:8000/v1"
"""Address of vLLM and others on one's own machine."""


class OpenAISdkProvider(SdkProvider["AsyncOpenAI"]):
    """The client and the faults of OpenAI's SDK, whoever answers by it."""

    sdk = "openai"
    extra = "openai"
    key_variable = "OPENAI_API_KEY"

    def _fault_of(self, error: Exception) -> ModelFault | None:
        import openai

        match error:
            case openai.APITimeoutError():
                # A connection that is refused comes as a timeout of it by the aiohttp transport.
                refused = type(error.__cause__).__name__ == "ConnectTimeout"
                return connection_fault(error) if refused else timed_out()
            case openai.APIStatusError():
                return self._of_status(error)
            case openai.APIConnectionError():
                return connection_fault(error)
            case openai.APIResponseValidationError():
                return ModelFault("server", "the API's answer isn't a response")
            case openai.APIError():  # of an event in a stream that had begun well
                code = error.code or error.type
                kind = openai_wire.kind_of_failure(error.code, error.type)
                return broken_by(kind, code, said_in(error.body) or error.message, self._redact)
            case openai.OpenAIError():
                return ModelFault("rejected", clean(str(error), self._redact))
            case _:
                return local_fault(error)

    def _of_status(self, error: APIStatusError) -> ModelFault:
        headers = error.response.headers
        code = error.code or error.type
        should_retry = headers.get("x-should-retry")
        kind = openai_wire.kind_of(
            error.status_code, error.code, error.type, should_retry=should_retry
        )
        return status_fault(
            kind,
            error.status_code,
            headers,
            self._redact,
            code=code,
            said=said_in(error.body),
            request=error.request_id,
        )

    def _new_client(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI, DefaultAioHttpClient, DefaultAsyncHttpxClient

        # Redirects are not followed: prompts and key are for the host that the program names.
        try:
            transport = DefaultAioHttpClient(follow_redirects=False, event_hooks=hooks())
        except (ImportError, RuntimeError):  # its transport isn't installed
            transport = DefaultAsyncHttpxClient(follow_redirects=False, event_hooks=hooks())
        return AsyncOpenAI(
            # Without a key the SDK would take the environment's, whoever the server is.
            api_key=self._key or "none",
            base_url=self._base_url,
            max_retries=0,
            http_client=transport,
        )

    async def _close_client(self, client: AsyncOpenAI) -> None:
        await client.close()


class OpenAIProvider(OpenAISdkProvider):
    """Answers requests with OpenAI's models, by the Responses API."""

    name = "openai"
    default_base_url = DEFAULT_BASE_URL

    async def _send(self, client: AsyncOpenAI, request: ModelRequest) -> Any:
        if self._decides(request):
            asked = openai_decisions.create_arguments(request)
            return await client.decisions.create(**asked, timeout=_limit(request))
        arguments = self._arguments_of(request)
        if request.partial is None:
            return await client.responses.create(**arguments, timeout=_limit(request))
        async with await client.responses.create(
            **arguments, stream=True, timeout=_limit(request)
        ) as events:
            return await read(response_of(events, request.partial))

    async def batch(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelFault]:
        """The answer or fault of each request of a batch, in order. Raises ModelFault."""
        client = await self._client()
        from pipelang.runtime.providers.batches.openai import ResponseBatches

        made = ResponseBatches(client, self._redact, self._arguments_of, self._read)
        return await run_batches(made, requests, self._fault_of)

    def _arguments_of(self, request: ModelRequest) -> dict[str, Any]:
        arguments = openai_wire.create_arguments(request)
        if self._weighs(request):
            arguments["include"] = [*arguments.get("include", ()), openai_decisions.WEIGHED]
        return arguments

    def _answer_of(self, request: ModelRequest, response: Any) -> ModelAnswer:
        if self._decides(request):
            return openai_decisions.answer_of(request, response)
        return self._read(request, response)

    def _read(self, request: ModelRequest, response: Any) -> ModelAnswer:
        """Read a response, which batches have for decisions as well: there is no batch of
        `/v1/decisions`.
        """
        answer = openai_wire.answer_of(request, response)
        return openai_decisions.weigh(answer, response) if self._weighs(request) else answer

    def _decides(self, request: ModelRequest) -> bool:
        """Whether a request is put to the API of decisions, which answers with probabilities."""
        return bool(request.choices) and decides(self.name, request.model)

    def _weighs(self, request: ModelRequest) -> bool:
        """Whether the confidence of an answer is read off its log-probabilities."""
        return bool(request.choices) and tells_log_probabilities(self.name, request.model)


class OpenAICompatibleProvider(OpenAISdkProvider):
    """Answers requests with whatever a server of chat completions serves, with or without a key.

    A server that refuses a part of a request that it can be asked without is asked again at once,
    and without it from then on: a refused request is no attempt and costs nothing.
    """

    name = "openai_compatible"
    default_base_url = LOCAL_BASE_URL
    needs_key = False

    def __init__(self, key: str | None, base_url: str | None = None) -> None:
        super().__init__(key, base_url)
        self._refused: dict[str, frozenset[str]] = {}
        """By model, the parts of a request that its server refused."""

    async def _send(self, client: AsyncOpenAI, request: ModelRequest) -> Any:
        import openai

        refused = self._refused.get(request.model, frozenset())
        while True:
            arguments = asking.create_arguments(request, refused)
            try:
                completion = await self._complete(client, request, arguments)
            except openai.APIStatusError as error:
                more = asking.refused_part(error.status_code, error.body, arguments)
                if more is None:
                    raise
                refused |= {more}
            else:
                self._refused[request.model] = refused
                return completion

    async def _complete(
        self, client: AsyncOpenAI, request: ModelRequest, arguments: dict[str, Any]
    ) -> Any:
        create: Any = client.chat.completions.create
        answered = await create(**arguments, timeout=_limit(request))
        if not arguments.get("stream"):
            return answered
        assert request.partial is not None
        return await read(whole_or_stream(answered, request.partial))

    def _answer_of(self, request: ModelRequest, response: Any) -> ModelAnswer:
        return reading.answer_of(request, response)


def _limit(request: ModelRequest) -> Any:
    from openai import Timeout

    limit = DEFAULT_TIMEOUT if request.timeout is None else max(request.timeout, 0.001)
    return Timeout(limit, connect=min(limit, CONNECT_TIMEOUT))
