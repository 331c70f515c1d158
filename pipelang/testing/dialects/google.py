"""Google's Gemini API."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import ClassVar

from pipelang.testing import streams
from pipelang.testing.dialects.dialect import (
    Body,
    Dialect,
    SeenMedium,
    unknown,
)
from pipelang.testing.replies import Reply
from pipelang.testing.streams import Event

_FROM_URL_SAFE = str.maketrans("-_", "+/")


class GoogleDialect(Dialect):
    """Google's `generateContent` of the Gemini API."""

    path = "/v1/models/{model}:{how:generateContent|streamGenerateContent}"
    _known: ClassVar = {
        "contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "stream",
    }  # fmt: skip

    def key(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-goog-api-key")

    def problem(self, body: Body) -> str | None:
        if not body.get("contents"):
            return "* GenerateContentRequest.contents: contents is not specified"
        return unknown(body, self._known)

    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        stops = {"cut_off": "MAX_TOKENS", "refusal": "SAFETY"}
        parts: list[Body] = [{"text": reply.text}] if reply.text else []
        parts += [
            {"functionCall": {"name": name, "args": arguments}, "thoughtSignature": "c2lnbmVk"}
            for name, arguments in reply.calls
        ]
        usage = reply.usage
        body: Body = {
            "candidates": [
                {
                    "content": {"role": "model", "parts": parts},
                    "finishReason": stops.get(reply.kind, "STOP"),
                    "index": 0,
                }
            ],
            "responseId": f"r{number}",
        }
        if usage is not None:
            body["usageMetadata"] = {
                "promptTokenCount": usage.input + usage.cache_read,
                "cachedContentTokenCount": usage.cache_read,
                "candidatesTokenCount": usage.output,
                "totalTokenCount": usage.input + usage.output,
            }
        return body

    def sent(self, path: str, body: Body) -> Body:
        return {**body, "stream": True} if path.endswith(":streamGenerateContent") else body

    def stream(self, sent: Body, body: Body) -> Iterable[Event] | None:
        return streams.of_candidates(body) if sent.get("stream") else None

    def error(self, code: int, message: str) -> Body:
        status = {429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}.get(code, "INVALID_ARGUMENT")
        return {"error": {"code": code, "message": message, "status": status}}

    def texts(self, body: Body) -> list[str]:
        turns = [body.get("systemInstruction", {}), *body["contents"]]
        found: list[str] = []
        for turn in turns:
            for part in turn.get("parts", []):
                response = part.get("functionResponse", {}).get("response", {})
                found += [str(text) for text in (part.get("text"), *response.values()) if text]
        return found

    def schema(self, body: Body) -> Body | None:
        found: Body | None = body.get("generationConfig", {}).get("responseJsonSchema")
        return found

    def seen(self, body: Body) -> list[str | SeenMedium]:
        found: list[str | SeenMedium] = []
        for part in body["contents"][0]["parts"]:
            inline = part.get("inlineData")
            if inline is None:
                found.append(str(part["text"]))
                continue
            # Both spellings of either are protobuf's JSON, and the SDK sends the second ones.
            data = inline["data"].translate(_FROM_URL_SAFE)
            media_type = inline.get("mimeType") or inline["mime_type"]
            found.append((media_type, base64.b64decode(data, validate=True)))
        return found
