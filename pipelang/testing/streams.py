"""Streams of answers as the makers write them: the same bodies in pieces, by server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]

Event = tuple[str | None, Body]
"""The name of an event, None for one without, and its data."""

PIECE = 5
"""Characters of an answer that come at once."""


def pieces(text: str) -> list[str]:
    """A text in pieces, which may end in the middle of a word or of JSON."""
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def of_message(body: Body) -> Iterator[Event]:
    """The events of a message of Anthropic's Messages API."""
    usage = body["usage"]
    begun = None if usage is None else {**usage, "output_tokens": 1}
    start = {**body, "content": [], "stop_reason": None, "usage": begun}
    yield "message_start", {"type": "message_start", "message": start}
    for index, block in enumerate(body["content"]):
        texts = pieces(block["text"]) if block["type"] == "text" else []
        empty = {**block, "text": ""} if texts else {**block, "input": {}}
        opened = {"type": "content_block_start", "index": index, "content_block": empty}
        yield "content_block_start", opened
        deltas: list[Body] = [{"type": "text_delta", "text": piece} for piece in texts]
        if not texts:
            given = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in pieces(given)]
        for delta in deltas:
            told = {"type": "content_block_delta", "index": index, "delta": delta}
            yield "content_block_delta", told
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": ended, "usage": usage}
    yield "message_stop", {"type": "message_stop"}


def of_response(body: Body) -> Iterator[Event]:
    """The events of a response of OpenAI's Responses API."""
    begun = {**body, "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"type": "response.created", "response": begun, "sequence_number": 0}
    number = 0
    for place, item in enumerate(body["output"]):
        for part in item.get("content", ()):
            for piece in pieces(part.get("text", "")):
                number += 1
                told = {
                    "type": "response.output_text.delta",
                    "item_id": item["id"],
                    "output_index": place,
                    "content_index": 0,
                    "delta": piece,
                    "logprobs": [],
                    "sequence_number": number,
                }
                yield "response.output_text.delta", told
    kind = f"response.{body['status']}"
    yield kind, {"type": kind, "response": body, "sequence_number": number + 1}


def of_completion(body: Body) -> Iterator[Event]:
    """The chunks of a chat completion."""
    head = {**body, "object": "chat.completion.chunk", "usage": None}
    choice = body["choices"][0]
    message = choice["message"]
    deltas: list[Body] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in pieces(message["content"] or "")]
    deltas += [
        {"tool_calls": [{**call, "index": index}]}
        for index, call in enumerate(message.get("tool_calls", ()))
    ]
    for delta in deltas:
        yield None, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    ended = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    yield None, {**head, "choices": [ended]}
    yield None, {**head, "choices": [], "usage": body["usage"]}


def of_candidates(body: Body) -> Iterator[Event]:
    """The chunks of a response of Gemini: the last one says how it ended and what was used."""
    (candidate,) = body["candidates"]
    parts: list[Body] = []
    for part in candidate["content"]["parts"]:
        parts += [{"text": piece} for piece in pieces(part["text"])] if "text" in part else [part]
    for part in parts:
        content = {"role": "model", "parts": [part]}
        yield None, {"candidates": [{"content": content, "index": 0}]}
    last = {"finishReason": candidate["finishReason"], "index": 0}
    yield None, {**body, "candidates": [{**last, "content": {"role": "model", "parts": []}}]}


def written(event: Event) -> bytes:
    """An event as it goes over the wire."""
    name, data = event
    head = "" if name is None else f"event: {name}\n"
    return f"{head}data: {json.dumps(data)}\n\n".encode()
