"""Exceptions of the Anthropic SDK, translated to `ModelFault`.

The kind decides what the interpreter does next, so it follows what helps and not merely the
status: a 429 for a spend limit isn't a rate limit that passes in a moment, and the API's own
`x-should-retry` knows more than any table. Messages keep the API's explanation, since it is what
a person needs to repair the request, and lose anything that looks like the key.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pipelang.runtime.providers.fitting import shorten
from pipelang.runtime.providers.protocol import FaultKind, ModelFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anthropic import APIStatusError

_MESSAGE_BYTES = 400

# These come as 429 and won't pass by waiting: somebody has to raise a limit.
_SPENT = frozenset({"contract_spend_limit_reached", "enforced_spend_limit_reached"})


def fault_of(error: Exception, redact: Callable[[str], str]) -> ModelFault | None:
    """The fault that `error` is, or None where it is none of the API's, the network's or the
    request's, and hence our own defect.

    Raise it outside of the `except`: the SDK's exceptions hold the request with its headers, and
    mustn't travel along as `__context__`.
    """
    import anthropic

    fault: ModelFault | None
    match error:
        case TimeoutError() | anthropic.APITimeoutError():
            fault = ModelFault("timeout", "no answer within the step's timeout")
        case anthropic.APIStatusError():
            fault = _of_status(error, redact)
        case anthropic.APIConnectionError():
            # The cause's text may quote headers; its class says enough.
            cause = type(error.__cause__ or error).__name__
            fault = ModelFault("connection", f"the connection to the API failed ({cause})")
        case anthropic.APIResponseValidationError():
            fault = ModelFault("server", "the API's answer isn't a message")
        case anthropic.AnthropicError():
            fault = ModelFault("rejected", _clean(str(error), redact))
        case UnicodeEncodeError():
            # A lone surrogate, which JSON can smuggle in. Not `server`: it will never pass.
            fault = ModelFault("rejected", "the prompt holds characters that aren't valid Unicode")
        case ValueError():
            # `response.json()` on a body that is cut off or no JSON; the SDK lets it through.
            fault = ModelFault("server", "the API's answer isn't JSON")
        case _:
            fault = None
    return fault


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds the headers ask to wait, at least 0, or None.

    `retry-after-ms` is Anthropic's own and finer; `retry-after` is seconds or a date (RFC 9110).
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    if until.tzinfo is None:  # "-0000": the sender's zone is unknown, the standard says UTC
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def kind_of_type(name: object) -> FaultKind:
    """The kind of an error by the API's own name of it, where it comes without a status."""
    match name:
        case "overloaded_error":
            return "overloaded"
        case "rate_limit_error":
            return "rate_limited"
        case "timeout_error":
            return "timeout"
        case "api_error" | None:
            return "server"
        case _:
            return "rejected"


def _of_status(error: APIStatusError, redact: Callable[[str], str]) -> ModelFault:
    status, headers = error.status_code, error.response.headers
    said = error.api_message
    message = f"the API answered {status}"
    if isinstance(error.type, str):
        message += f" `{error.type}`"
    if isinstance(said, str) and said:
        message += f": {said}"
    if isinstance(error.request_id, str):
        message += f" (request {error.request_id})"
    return ModelFault(
        _kind(error, status, headers.get("x-should-retry")),
        _clean(message, redact),
        retry_after=retry_after_of(headers),
    )


def _kind(error: APIStatusError, status: int, should_retry: str | None) -> FaultKind:
    if should_retry == "false" or error.error_code in _SPENT:
        return "rejected"
    if status == 529 or error.type == "overloaded_error":
        return "overloaded"
    if status == 429:
        return "rate_limited"
    if status in (408, 504):
        return "timeout"
    # 409: a lock that somebody else held; the SDK retries it as well.
    if status >= 500 or status == 409 or should_retry == "true":
        return "server"
    return "rejected"


def _clean(text: str, redact: Callable[[str], str]) -> str:
    return shorten(redact(text), _MESSAGE_BYTES)
