"""Faults of an HTTP API by status and headers, as every maker's server has them.

The kind decides what the interpreter does next, so it follows what helps and not merely the
status: a 429 for a spent quota isn't a rate limit that passes in a moment, and a server's own
`x-should-retry` knows more than any table. Messages keep the server's explanation, since it is what
a person needs to repair the request, and lose anything that looks like the key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipelang.runtime.providers.body_limits import LARGEST_ANSWER, TOO_LARGE
from pipelang.runtime.providers.fitting import shorten
from pipelang.runtime.providers.protocol import FaultKind, ModelFault, Usage
from pipelang.runtime.providers.records import field_of

MESSAGE_BYTES = 400

Redact = Callable[[str], str]


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds the headers ask to wait, at least 0, or None.

    `retry-after-ms` is finer than `retry-after`, which is seconds or a date (RFC 9110).
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
    except (ValueError, OverflowError):  # of a day, a year or a zone that C has no number for
        return None
    if until.tzinfo is None:  # "-0000": the sender's zone is unknown, the standard says UTC
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def kind_of_status(status: int, should_retry: str | None = None) -> FaultKind:
    """The kind of fault of an error status; `should_retry` is the server's `x-should-retry`."""
    if should_retry == "false":
        return "rejected"
    if status == 529:
        return "overloaded"
    if status == 429:
        return "rate_limited"
    if status in (408, 504):
        return "timeout"
    # 409: a lock that somebody else held; the SDKs retry it as well.
    if status >= 500 or status == 409 or should_retry == "true":
        return "server"
    return "rejected"


def status_fault(
    kind: FaultKind,
    status: int,
    headers: Mapping[str, str],
    redact: Redact,
    *,
    code: object = None,
    said: object = None,
    request: object = None,
) -> ModelFault:
    """The fault of an answer with an error status: its code, what the server said, its request."""
    message = f"the API answered {status}"
    if isinstance(code, str) and code:
        message += f" `{code}`"
    if isinstance(said, str) and said:
        message += f": {said}"
    if isinstance(request, str):
        message += f" (request {request})"
    mend = _MENDS.get(status, "")
    told = shorten(redact(message), MESSAGE_BYTES - len(mend)) + mend
    return ModelFault(kind, told, retry_after=retry_after_of(headers))


def broken_by(kind: FaultKind, code: object, said: object, redact: Redact) -> ModelFault:
    """The fault of a stream that had begun and ends with the server's own word of what failed; the
    status of its answer was one of success.
    """
    message = "the API broke the answer off"
    if isinstance(code, str) and code:
        message += f" with `{code}`"
    if isinstance(said, str) and said:
        message += f": {said}"
    return ModelFault(kind, clean(message, redact))


_MENDS = {
    401: "; is the provider's `key` that of this API?",
    403: "; may the provider's `key` ask for this?",
    404: "; are the tier's `model` and the provider's `base_url` right?",
}
"""The options that are to be looked at, by the status of an answer."""


def said_in(body: object) -> str | None:
    """The explanation in an error's body, under the names that servers have for it."""
    if isinstance(body, str):
        return body[:400] or None
    for name in ("message", "error", "detail"):
        found = field_of(body, name)
        if isinstance(found, dict):
            found = said_in(found)
        elif isinstance(found, list):
            found = "; ".join(str(field_of(part, "msg") or part) for part in found)
        if isinstance(found, str) and found:
            return found
    return None


def connection_fault(error: BaseException) -> ModelFault:
    """The fault of a connection that failed. The cause's text may quote headers; its class says
    enough. Where none was made, nothing was asked, and nothing is billed.
    """
    cause = type(error.__cause__ or error).__name__
    if cause == TOO_LARGE:
        size = LARGEST_ANSWER // 2**20
        return ModelFault("server", f"the API's answer is larger than {size} MB")
    used = Usage(0, 0) if cause in _NEVER_MADE else None
    return ModelFault("connection", f"the connection to the API failed ({cause})", used)


_NEVER_MADE = frozenset({"ConnectError", "ConnectTimeout", "ClientConnectorError"})
"""Classes of exceptions, by their names in three transports, of connections that were refused."""


def local_fault(error: Exception) -> ModelFault | None:
    """The fault of an exception of the standard library out of an SDK's call; None if it is none
    of the API's, the network's or the request's, and hence our own defect.
    """
    match error:
        case TimeoutError():
            return timed_out()
        case UnicodeEncodeError():
            # A lone surrogate, which JSON can smuggle in. Not `server`: it will never pass.
            return ModelFault("rejected", "the prompt holds characters that aren't valid Unicode")
        case ValueError() | RecursionError():
            # `response.json()` on a body that is cut off or no JSON; the SDKs let it through.
            return ModelFault("server", "the API's answer isn't JSON")
        case _:
            return None


def timed_out() -> ModelFault:
    """The fault of an attempt that took longer than its step allows."""
    return ModelFault("timeout", "no answer within the step's timeout")


def clean(text: str, redact: Redact) -> str:
    """A message without the key, short enough for a line of a trace."""
    return shorten(redact(text), MESSAGE_BYTES)
