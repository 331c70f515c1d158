"""Chat completions, as many servers speak them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import ClassVar

from pipelang.testing import streams
from pipelang.testing.dialects.dialect import (
    Body,
    Dialect,
    SeenMedium,
    bearer,
    from_url,
    listed,
    unknown,
)
from pipelang.testing.dialects.strict import strict_problem
from pipelang.testing.replies import Reply
from pipelang.testing.streams import Event


class ChatDialect(Dialect):
    """Chat completions, as OpenAI defined them and many servers speak them."""

    path = "/v1/chat/completions"
    root = "/v1"
    _known: ClassVar = {
        "messages", "model", "max_tokens", "response_format", "reasoning_effort", "tools",
        "stream", "stream_options", "logprobs",
    }  # fmt: skip

    def key(self, headers: Mapping[str, str]) -> str | None:
        return bearer(headers)

    def problem(self, body: Body) -> str | None:
        schema = self.schema(body)
        wrong = None if schema is None else strict_problem(schema)
        return wrong or unknown(body, self._known)

    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        stops = {"calls": "tool_calls", "cut_off": "length", "refusal": "content_filter"}
        message: Body = {"role": "assistant", "content": reply.text or None}
        if reply.calls:
            message["tool_calls"] = [
                {
                    "id": f"call_{number}_{place}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments)},
                }
                for place, (name, arguments) in enumerate(reply.calls)
            ]
        usage = reply.usage
        return {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 1,
            "model": sent.get("model"),
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "finish_reason": stops.get(reply.kind, "stop"),
                    "logprobs": None,
                }
            ],
            "usage": usage
            and {
                "prompt_tokens": usage.input + usage.cache_read + usage.cache_write,
                "completion_tokens": usage.output,
                "total_tokens": usage.input + usage.output,
                "prompt_tokens_details": {
                    "cached_tokens": usage.cache_read,
                    "cache_write_tokens": usage.cache_write,
                },
            },
        }

    def stream(self, sent: Body, body: Body) -> Iterable[Event] | None:
        return streams.of_completion(body) if sent.get("stream") else None

    def error(self, code: int, message: str) -> Body:
        return {"error": {"message": message, "type": "error", "code": code}}

    def texts(self, body: Body) -> list[str]:
        parts = [part for one in body["messages"] for part in listed(one.get("content"))]
        return [part["text"] for part in parts if "text" in part]

    def seen(self, body: Body) -> list[str | SeenMedium]:
        asked = next(one for one in body["messages"] if one["role"] == "user")
        return [self._seen(part) for part in listed(asked["content"])]

    def _seen(self, part: Body) -> str | SeenMedium:
        match part["type"]:
            case "text":
                return str(part["text"])
            case "image_url":
                return from_url(part["image_url"]["url"])
            case "file" if part["file"]["filename"].endswith(".pdf"):
                return from_url(part["file"]["file_data"])
            case kind:
                raise ValueError(f"Invalid value: '{kind}'")

    def schema(self, body: Body) -> Body | None:
        found: Body | None = body.get("response_format", {}).get("json_schema", {}).get("schema")
        return found
