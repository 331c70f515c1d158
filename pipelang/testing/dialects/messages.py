"""Anthropic's Messages API."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import ClassVar

from pipelang.testing import streams
from pipelang.testing.dialects.dialect import (
    Body,
    Dialect,
    SeenMedium,
    bearer,
    listed,
    open_object,
    unknown,
)
from pipelang.testing.replies import Reply
from pipelang.testing.streams import Event


class MessagesDialect(Dialect):
    """Anthropic's Messages API."""

    path = "/v1/messages"
    _known: ClassVar = {
        "messages", "model", "output_config", "system", "tools", "tool_choice", "max_tokens",
        "metadata", "stop_sequences", "thinking", "stream",
    }  # fmt: skip

    def key(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-api-key") or bearer(headers)

    def problem(self, body: Body) -> str | None:
        if not isinstance(body.get("max_tokens"), int):
            return "max_tokens: Field required"
        budget = body.get("thinking", {}).get("budget_tokens")
        if budget is not None and not 1024 <= budget < body["max_tokens"]:
            return "thinking.enabled.budget_tokens: Input should be >= 1024 and < max_tokens"
        if open_object(self.schema(body)):
            return "output_config.format.schema: 'additionalProperties' must be false"
        return unknown(body, self._known)

    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        content: list[Body] = [{"type": "text", "text": reply.text}] if reply.text else []
        content += [
            {"type": "tool_use", "id": f"toolu_{number}_{place}", "name": name, "input": arguments}
            for place, (name, arguments) in enumerate(reply.calls)
        ]
        stops = {"calls": "tool_use", "refusal": "refusal", "cut_off": "max_tokens"}
        usage = reply.usage
        return {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": sent.get("model"),
            "content": content,
            "stop_reason": stops.get(reply.kind, "end_turn"),
            "stop_sequence": None,
            "usage": usage
            and {
                "input_tokens": usage.input,
                "output_tokens": usage.output,
                "cache_creation_input_tokens": usage.cache_write,
                "cache_read_input_tokens": usage.cache_read,
            },
        }

    def stream(self, sent: Body, body: Body) -> Iterable[Event] | None:
        return streams.of_message(body) if sent.get("stream") else None

    def error(self, code: int, message: str) -> Body:
        kinds = {429: "rate_limit_error", 529: "overloaded_error", 401: "authentication_error"}
        kind = kinds.get(code, "api_error" if code >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def texts(self, body: Body) -> list[str]:
        found = [block["text"] for block in body.get("system", [])]
        for message in body["messages"]:
            content = message["content"]
            parts = [{"text": content}] if isinstance(content, str) else content
            found += [part.get("text") or part.get("content") or "" for part in parts]
        return [text for text in found if isinstance(text, str) and text]

    def schema(self, body: Body) -> Body | None:
        found: Body | None = body.get("output_config", {}).get("format", {}).get("schema")
        return found

    def seen(self, body: Body) -> list[str | SeenMedium]:
        return [self._seen(block) for block in listed(body["messages"][0]["content"])]

    def _seen(self, block: Body) -> str | SeenMedium:
        if block["type"] == "text":
            if not block["text"].strip():
                raise ValueError("text content blocks must contain non-whitespace text")
            return str(block["text"])
        source, kinds = block["source"], {"image": "image/", "document": "application/pdf"}
        if source["type"] != "base64" or not source["media_type"].startswith(kinds[block["type"]]):
            raise ValueError("source: Input should be base64 of a type that fits")
        return source["media_type"], base64.b64decode(source["data"], validate=True)
