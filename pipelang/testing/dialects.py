"""Wire formats of the makers, as a server writes them and demands them."""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pipelang.testing import streams
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


def _listed(content: Any) -> list[Body]:
    """The parts of a content, which is a text where it has only one."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def _from_url(url: str) -> SeenMedium:
    head, _, data = url.partition(";base64,")
    if not head.startswith("data:"):
        raise ValueError("expected a base64-encoded data URL")
    return head.removeprefix("data:"), base64.b64decode(data, validate=True)


def _unknown(body: Body, known: set[str]) -> str | None:
    return next(
        (f"{name}: Extra inputs are not permitted" for name in body if name not in known), None
    )


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
        return _unknown(body, self._known)

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
        return [self._seen(block) for block in _listed(body["messages"][0]["content"])]

    def _seen(self, block: Body) -> str | SeenMedium:
        if block["type"] == "text":
            if not block["text"].strip():
                raise ValueError("text content blocks must contain non-whitespace text")
            return str(block["text"])
        source, kinds = block["source"], {"image": "image/", "document": "application/pdf"}
        if source["type"] != "base64" or not source["media_type"].startswith(kinds[block["type"]]):
            raise ValueError("source: Input should be base64 of a type that fits")
        return source["media_type"], base64.b64decode(source["data"], validate=True)


class ResponsesDialect(Dialect):
    """OpenAI's Responses API."""

    path = "/v1/responses"
    root = "/v1"
    _known: ClassVar = {
        "input", "instructions", "model", "store", "text", "reasoning", "max_output_tokens",
        "include", "tools", "stream",
    }  # fmt: skip

    def key(self, headers: Mapping[str, str]) -> str | None:
        return bearer(headers)

    def problem(self, body: Body) -> str | None:
        form = body.get("text", {}).get("format")
        if form is not None:
            if form.get("type") != "json_schema" or not form.get("name") or not form.get("strict"):
                return "Invalid 'text.format'"
            wrong = strict_problem(form["schema"])
            if wrong is not None:
                return f"Invalid schema for response_format '{form['name']}': {wrong}"
        for tool in body.get("tools", []):
            if tool.get("type") != "function" or "name" not in tool:
                return "Invalid 'tools'"
        return _unknown(body, self._known)

    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        output: list[Body] = []
        if reply.text:
            kind = "refusal" if reply.kind == "refusal" else "output_text"
            part: Body = {"type": kind, "refusal" if kind == "refusal" else "text": reply.text}
            if kind == "output_text":
                part["annotations"] = []
            output.append(
                {
                    "id": f"msg_{number}",
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [part],
                }
            )
        if reply.calls:
            output.append({"id": f"rs_{number}", "type": "reasoning", "summary": []})
        output += [
            {
                "type": "function_call",
                "id": f"fc_{number}_{place}",
                "call_id": f"call_{number}_{place}",
                "name": name,
                "arguments": json.dumps(arguments),
                "status": "completed",
            }
            for place, (name, arguments) in enumerate(reply.calls)
        ]
        cut = reply.kind == "cut_off"
        usage = reply.usage
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 1,
            "model": sent.get("model"),
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "error": None,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": usage
            and {
                "input_tokens": usage.input + usage.cache_read + usage.cache_write,
                "input_tokens_details": {
                    "cached_tokens": usage.cache_read,
                    "cache_write_tokens": usage.cache_write,
                },
                "output_tokens": usage.output,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": usage.input + usage.output,
            },
        }

    def stream(self, sent: Body, body: Body) -> Iterable[Event] | None:
        return streams.of_response(body) if sent.get("stream") else None

    def error(self, code: int, message: str) -> Body:
        return {"error": {"message": message, "type": "error", "code": None, "param": None}}

    def texts(self, body: Body) -> list[str]:
        found = [body["instructions"]] if body.get("instructions") else []
        for item in body["input"]:
            for part in _listed(item.get("content") or item.get("output")):
                found += [part["text"]] if "text" in part else []
        return found

    def seen(self, body: Body) -> list[str | SeenMedium]:
        return [self._seen(part) for part in _listed(body["input"][0]["content"])]

    def _seen(self, part: Body) -> str | SeenMedium:
        match part["type"]:
            case "input_text" | "text":
                return str(part["text"])
            case "input_image":
                return _from_url(part["image_url"])
            case "input_file" if part["filename"].endswith(".pdf"):
                return _from_url(part["file_data"])
            case kind:
                raise ValueError(f"Invalid value: '{kind}'")

    def schema(self, body: Body) -> Body | None:
        found: Body | None = body.get("text", {}).get("format", {}).get("schema")
        return found


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
        return wrong or _unknown(body, self._known)

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
        parts = [part for one in body["messages"] for part in _listed(one.get("content"))]
        return [part["text"] for part in parts if "text" in part]

    def seen(self, body: Body) -> list[str | SeenMedium]:
        asked = next(one for one in body["messages"] if one["role"] == "user")
        return [self._seen(part) for part in _listed(asked["content"])]

    def _seen(self, part: Body) -> str | SeenMedium:
        match part["type"]:
            case "text":
                return str(part["text"])
            case "image_url":
                return _from_url(part["image_url"]["url"])
            case "file" if part["file"]["filename"].endswith(".pdf"):
                return _from_url(part["file"]["file_data"])
            case kind:
                raise ValueError(f"Invalid value: '{kind}'")

    def schema(self, body: Body) -> Body | None:
        found: Body | None = body.get("response_format", {}).get("json_schema", {}).get("schema")
        return found


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
        return _unknown(body, self._known)

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


_FROM_URL_SAFE = str.maketrans("-_", "+/")


_REFUSED = frozenset({"$ref", "allOf", "default", "title", "oneOf", "patternProperties"})


def strict_problem(schema: Any) -> str | None:
    """The complaint of OpenAI's strict mode about a schema; None where it has none."""
    if isinstance(schema, list):
        return next(filter(None, map(strict_problem, schema)), None)
    if not isinstance(schema, dict):
        return None
    for name in schema:
        if name in _REFUSED:
            return f"'{name}' is not permitted"
    if "(?" in str(schema.get("pattern", "")):
        return "'pattern' with lookaround is not permitted"
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return "'additionalProperties' is required to be supplied and to be false"
        if set(schema.get("required", ())) != set(schema.get("properties", {})):
            return "'required' is required to be an array including every key in properties"
        return next(filter(None, map(strict_problem, schema["properties"].values())), None)
    return next(filter(None, map(strict_problem, schema.values())), None)
