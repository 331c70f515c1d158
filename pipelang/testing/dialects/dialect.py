"""A maker's wire format as a server speaks it, with what several have in common."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pipelang.testing.replies import Reply
from pipelang.testing.streams import Event

KEY = "sk-test-0123456789abcdef"

Body = dict[str, Any]

SeenMedium = tuple[str, bytes]
"""The media type and the bytes of a picture or document that a server was sent."""


class Dialect(ABC):
    """A maker's wire format: where requests come, what is wrong with one, and bodies of replies."""

    path: ClassVar[str]
    """The path of requests, as a pattern of aiohttp's router; `*` at the end takes any rest."""
    root: ClassVar[str] = ""
    """The part of the path that belongs to a provider's `base_url`."""

    def sent(self, path: str, body: Body) -> Body:
        """The request as a whole, where a part of it stands in the path."""
        return body

    @abstractmethod
    def key(self, headers: Mapping[str, str]) -> str | None:
        """The key that a request brings."""

    @abstractmethod
    def problem(self, body: Body) -> str | None:
        """The complaint of the real API about a request; None where it has none."""

    @abstractmethod
    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        """The body of a reply of kind answer, calls, refusal or cut_off."""

    @abstractmethod
    def error(self, code: int, message: str) -> Body:
        """The body of an error."""

    @abstractmethod
    def texts(self, body: Body) -> list[str]:
        """All texts of a request that the model reads, in order."""

    @abstractmethod
    def schema(self, body: Body) -> Body | None:
        """The schema that a request has enforced; None for none."""

    def stream(self, sent: Body, body: Body) -> Iterable[Event] | None:
        """The events of a body that a request wants streamed; None where it wants none."""
        return None

    def seen(self, body: Body) -> list[str | SeenMedium]:
        """The first message to the model, in order: texts, and the type and bytes of pictures and
        documents. Raises ValueError for what the real API would not take.
        """
        raise NotImplementedError


def open_object(schema: Any) -> bool:
    """Whether some object in a JSON Schema allows further keys, or leaves some out."""
    if isinstance(schema, list):
        return any(open_object(part) for part in schema)
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return True
    return any(open_object(part) for part in schema.values())


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization` header."""
    return headers.get("authorization", "").removeprefix("Bearer ") or None


def listed(content: Any) -> list[Body]:
    """The parts of a content, which is a text where it has only one."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def from_url(url: str) -> SeenMedium:
    """The medium of a data URL. Raises ValueError for any other."""
    head, _, data = url.partition(";base64,")
    if not head.startswith("data:"):
        raise ValueError("expected a base64-encoded data URL")
    return head.removeprefix("data:"), base64.b64decode(data, validate=True)


def unknown(body: Body, known: set[str]) -> str | None:
    """The complaint about a parameter that an API does not know; None where it knows all."""
    return next(
        (f"{name}: Extra inputs are not permitted" for name in body if name not in known), None
    )
