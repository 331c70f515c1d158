"""Scripted replies of a fault server: what to do with one request, whatever the wire format."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pipelang.runtime.providers.protocol import Usage

USAGE = Usage(12, 34)


@dataclass(frozen=True)
class Reply:
    """One reply. Made by the class methods; `Dialect` puts it on the wire."""

    kind: Literal["answer", "calls", "refusal", "cut_off", "status", "raw", "hang", "drip", "cut"]
    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    usage: Usage | None = USAGE
    code: int = 200
    message: str = "scripted"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def answer(cls, value: Any, usage: Usage | None = USAGE) -> Reply:
        """An answer whose text is `value`, as JSON unless it is a text already. Without a usage
        the server tells none.
        """
        return cls(
            "answer", text=value if isinstance(value, str) else json.dumps(value), usage=usage
        )

    @classmethod
    def tools(cls, *calls: tuple[str, dict[str, Any]]) -> Reply:
        """A turn that asks for tools, by name and arguments."""
        return cls("calls", calls=calls)

    @classmethod
    def refusal(cls) -> Reply:
        """A model that declines."""
        return cls("refusal", text="I can't help with that.")

    @classmethod
    def cut_off(cls) -> Reply:
        """An answer that its limit cuts off in the middle of its JSON."""
        return cls("cut_off", text='{"topic": "bil')

    @classmethod
    def status(cls, code: int, message: str = "scripted", **headers: str) -> Reply:
        """An error as the API writes it; headers with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls("status", code=code, message=message, headers=named)

    @classmethod
    def raw(cls, body: bytes, content_type: str = "application/json", code: int = 200) -> Reply:
        """A body as it is, such as JSON that breaks off or a gateway's page."""
        return cls("raw", body=body, code=code, headers={"content-type": content_type})

    @classmethod
    def hang(cls) -> Reply:
        """No answer at all, on an open connection."""
        return cls("hang")

    @classmethod
    def drip(cls) -> Reply:
        """A blank every 50 ms for ever: each read succeeds, the answer never comes."""
        return cls("drip")

    @classmethod
    def cut(cls) -> Reply:
        """A connection that breaks in the middle of the answer."""
        return cls("cut")

    def with_headers(self, **headers: str) -> Reply:
        """The same reply with more headers."""
        return replace(self, headers=self.headers | headers)
