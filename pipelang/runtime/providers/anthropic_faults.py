"""Exceptions of the Anthropic SDK, translated to `ModelFault`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.runtime.providers.http_faults import (
    Redact,
    broken_by,
    clean,
    connection_fault,
    kind_of_status,
    local_fault,
    said_in,
    status_fault,
    timed_out,
)
from pipelang.runtime.providers.protocol import FaultKind, ModelFault

if TYPE_CHECKING:
    from anthropic import APIStatusError

# These come as 429 and won't pass by waiting: somebody has to raise a limit.
_SPENT = frozenset({"contract_spend_limit_reached", "enforced_spend_limit_reached"})


def fault_of(error: Exception, redact: Redact) -> ModelFault | None:
    """The fault that `error` is, or None where it is none of the API's, the network's or the
    request's, and hence our own defect.

    Raise it outside of the `except`: the SDK's exceptions hold the request with its headers, and
    mustn't travel along as `__context__`.
    """
    import anthropic

    match error:
        case anthropic.APITimeoutError():
            return timed_out()
        case anthropic.APIStatusError():
            return _of_status(error, redact)
        case anthropic.APIConnectionError():
            return connection_fault(error)
        case anthropic.APIResponseValidationError():
            return ModelFault("server", "the API's answer isn't a message")
        case anthropic.AnthropicError():
            return ModelFault("rejected", clean(str(error), redact))
        case _:
            return local_fault(error)


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


def _of_status(error: APIStatusError, redact: Redact) -> ModelFault:
    status, headers = error.status_code, error.response.headers
    # Bedrock has it one level up.
    said = error.api_message or said_in(error.body)
    if 200 <= status < 300:  # an event in a stream that had begun well
        return broken_by(kind_of_type(error.type), error.type, said, redact)
    kind = kind_of_status(status, headers.get("x-should-retry"))
    if error.error_code in _SPENT:
        kind = "rejected"
    elif kind != "rejected" and error.type == "overloaded_error":
        kind = "overloaded"
    return status_fault(
        kind,
        status,
        headers,
        redact,
        code=error.type,
        said=said,
        request=error.request_id,
    )
