"""OpenAI's Responses API."""

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
        return unknown(body, self._known)

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
            for part in listed(item.get("content") or item.get("output")):
                found += [part["text"]] if "text" in part else []
        return found

    def seen(self, body: Body) -> list[str | SeenMedium]:
        return [self._seen(part) for part in listed(body["input"][0]["content"])]

    def _seen(self, part: Body) -> str | SeenMedium:
        match part["type"]:
            case "input_text" | "text":
                return str(part["text"])
            case "input_image":
                return from_url(part["image_url"])
            case "input_file" if part["filename"].endswith(".pdf"):
                return from_url(part["file_data"])
            case kind:
                raise ValueError(f"Invalid value: '{kind}'")

    def schema(self, body: Body) -> Body | None:
        found: Body | None = body.get("text", {}).get("format", {}).get("schema")
        return found
