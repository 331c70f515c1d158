"""The provider `other`: makers without a kind of their own, by the model layer of pydantic-ai.

The model is named `maker:model`, such as `mistral:mistral-large-latest`. The key is looked for
where that library looks for it, in the maker's usual variable, unless the provider names one. Each
maker's own package has to be installed beside it, and the message of a call says which.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from pipelang.runtime.providers.body_limits import hooks
from pipelang.runtime.providers.http_faults import clean, local_fault, timed_out
from pipelang.runtime.providers.other import wire
from pipelang.runtime.providers.protocol import FaultKind, ModelAnswer, ModelFault, ModelRequest
from pipelang.runtime.providers.sdk_provider import (
    DEFAULT_TIMEOUT,
    SdkProvider,
    well_formed,
)

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from pydantic_ai.models import Model

    Keep = Callable[[AsyncClient], object]

NAMED = "name the model `maker:model`, such as `mistral:mistral-large-latest`"


class Models:
    """The models of one event loop by their names, with their connections."""

    def __init__(self, make: Callable[[str, Keep], Model]) -> None:
        self._make = make
        self._models: dict[str, Model] = {}
        self._open = AsyncExitStack()

    async def get(self, name: str) -> Model:
        """The model of a name, made on first use."""
        if name not in self._models:
            # The library leaves a transport that it was given to its owner.
            model = self._make(name, lambda one: self._open.push_async_callback(one.aclose))
            self._models[name] = await self._open.enter_async_context(model)
        return self._models[name]

    async def close(self) -> None:
        """Close the connections of all models."""
        self._models.clear()
        await self._open.aclose()


class OtherProvider(SdkProvider[Models]):
    """Answers requests with any model that pydantic-ai knows.

    `make_model` makes one of its models from a name; without it, it is that of the name.
    """

    name = "other"
    sdk = "pydantic_ai.models"
    extra = "models"
    key_variable = "the maker's own"
    default_base_url = "https://nowhere.invalid"
    needs_key = False

    def __init__(
        self,
        key: str | None,
        base_url: str | None = None,
        make_model: Callable[[str], Model] | None = None,
    ) -> None:
        super().__init__(key, base_url)
        self._given_url = base_url
        self._make_model = make_model
        self._sound: set[str] = set()

    def problem_of(self, model: str) -> str | None:
        """The reason why a model cannot be asked from here: a name that is none, a maker whose
        package or key is missing. The library says it when the model is made.
        """
        if self._make_model is not None or model in self._sound:
            return None
        try:
            if ":" not in model:
                raise ModelFault("rejected", f"`{model}` names no maker: {NAMED}")
            self._model(model, lambda transport: None)
        except Exception as error:
            fault = self._fault_of(error)
            if fault is None:
                raise
            return fault.message
        self._sound.add(model)
        return None

    async def _send(self, client: Models, request: ModelRequest) -> Any:
        from pydantic_ai.direct import model_request

        if self._make_model is None and ":" not in request.model:
            raise ModelFault("rejected", f"`{request.model}` names no maker: {NAMED}")
        model = await client.get(request.model)
        native = bool(model.profile.get("supports_json_schema_output"))
        settings, parameters = wire.parameters_of(request, native=native)
        settings["timeout"] = request.timeout or DEFAULT_TIMEOUT
        settings["max_retries"] = 0
        messages = wire.messages_of(request)
        asked = model_request(
            model, messages, model_settings=settings, model_request_parameters=parameters
        )
        return await well_formed(asked)

    def _answer_of(self, request: ModelRequest, response: Any) -> ModelAnswer:
        return wire.answer_of(request, response)

    def _fault_of(self, error: Exception) -> ModelFault | None:
        from pydantic_ai import exceptions as e

        if isinstance(error, ModelFault):
            return error
        kinds: tuple[tuple[type[Exception], FaultKind], ...] = (
            (e.ModelTimeoutError, "timeout"),
            (e.ModelRequestTimeout, "timeout"),
            (e.ModelConnectionError, "connection"),
            (e.ModelQuotaExceededError, "rejected"),
            (e.ModelRateLimitError, "rate_limited"),
            (e.ModelUnavailableError, "overloaded"),
            (e.ModelServerError, "server"),
            (e.ModelRequestRejectedError, "rejected"),
            (e.ContentFilterError, "refusal"),
            (e.ModelAPIError, "server"),
            (e.OutputTokenLimitExceeded, "output_limit"),
            (e.UnexpectedModelBehavior, "server"),
            (e.UserError, "rejected"),
            (ImportError, "rejected"),
        )
        for one, kind in kinds:
            if isinstance(error, one):
                if kind == "timeout":
                    return timed_out()
                wait = getattr(error, "retry_after", None)
                said = clean(_said(error), self._redact)
                return ModelFault(kind, said, retry_after=wait)
        return local_fault(error)

    def _new_client(self) -> Models:
        given = self._make_model
        return Models(self._model if given is None else lambda name, keep: given(name))

    async def _close_client(self, client: Models) -> None:
        await client.close()

    def _model(self, name: str, keep: Keep) -> Model:
        """The model of a name, with the key and address that the program names; what is opened for
        it is given to `keep`, which closes it.
        """
        import httpx2
        from pydantic_ai.models import infer_model
        from pydantic_ai.providers import infer_provider_class

        given = {"api_key": self._key, "base_url": self._given_url}
        wanted: dict[str, Any] = {key: value for key, value in given.items() if value}

        def make(maker: str) -> Any:
            try:
                kind: Any = infer_provider_class(maker)
            except ValueError:
                unknown = f"pydantic-ai knows no maker `{maker}`: {NAMED}"
                raise ModelFault("rejected", unknown) from None
            takes = inspect.signature(kind.__init__).parameters
            missing = [key for key in wanted if key not in takes]
            if missing:
                takes_no = " or ".join(f"`{_OPTION[key]}`" for key in missing)
                raise ModelFault("rejected", f"a provider of `{maker}` takes no {takes_no}")
            if "http_client" in takes:
                # Redirects are not followed: prompts and key are for the host that is named.
                transport = httpx2.AsyncClient(follow_redirects=False, event_hooks=hooks())
                keep(transport)
                return kind(**wanted, http_client=transport)
            return kind(**wanted)

        return infer_model(name, make)


def _said(error: Exception) -> str:
    """The words of an exception, which the library makes out of what a server sent."""
    try:
        return str(error)
    except TypeError:
        return type(error).__name__


_OPTION = {"api_key": "key", "base_url": "base_url"}
