"""Problems: what the service refuses, as `application/problem+json` with a `code` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"

TITLES = {
    "bad_body": "The body cannot be read",
    "bad_query": "The query cannot be read",
    "bad_cursor": "The cursor is none of this list",
    "bad_key": "The idempotency key cannot be used",
    "bad_shape": "The body has another shape",
    "input": "The input does not fit",
    "answer": "The answer does not fit",
    "not_recordable": "The run cannot be recorded",
    "no_token": "A token is needed",
    "bad_token": "The token is not valid",
    "foreign_page": "The request comes from another page",
    "forbidden": "The token does not allow this",
    "must_differ": "Somebody else must decide",
    "unknown": "It is not there",
    "method": "The method is not allowed here",
    "key_conflict": "The key was used with another body",
    "decided": "The case is closed",
    "verdict": "The case wants another verdict",
    "shown": "Something else was shown",
    "ended": "The run has ended",
    "too_large": "The request is too large",
    "slow": "The request is too slow",
    "media_type": "The body must be JSON",
    "host": "This host is not served",
    "too_many": "Too many attempts",
    "quota": "The quota is spent",
    "queue_full": "The queue is full",
    "store": "The store is away",
    "late": "It is not ready",
    "not_runnable": "The pipeline cannot run here",
    "not_installed": "It is not installed",
    "stopping": "The server is stopping",
    "broken": "The server made a mistake",
}
"""The title of each code, in words that hold for every instance of it."""


class Problem(Exception):
    """A request that is refused. `detail` says why in this instance, and never holds a path or a
    secret; `more` are further members of the answer, `headers` go with it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def as_json(self) -> dict[str, Any]:
        """The members of the answer."""
        return {
            "type": "about:blank",
            "title": TITLES.get(self.code) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.more,
        }


def unknown(what: str, id: str) -> Problem:
    """The problem of what is not there, or not for the eyes of who asks: they look the same."""
    return Problem(404, "unknown", f"there is no {what} `{shortened(id)}`")


def shortened(text: str, most: int = 80) -> str:
    """A text of somebody else's in a message, without what acts on a terminal."""
    plain = "".join(sign if sign.isprintable() else "\ufffd" for sign in text[: most + 1])
    return plain if len(plain) <= most else plain[:most] + "..."
