"""A local server that speaks the wire format of Anthropic's Messages API.

It stands in for the API where the real SDK is to be used without a network: it demands what the
API demands (key, version, `max_tokens`, no unknown parameters, closed schemas), answers what a
test has scripted, and remembers what it was sent. Without a script it makes up an answer that
fits the schema it was asked for.

    with MessagesServer(Reply.status(529), Reply.answer({"kind": "billing"})) as server:
        provider = AnthropicProvider(KEY, server.url)
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from pipelang.testing.local_server import LocalServer

KEY = "sk-ant-test-0123456789abcdef"

_BOTH = {"messages", "model", "output_config", "system", "thinking", "tools", "tool_choice"}
_KNOWN = {
    "/v1/messages": _BOTH | {"max_tokens", "metadata", "service_tier", "stop_sequences", "stream"},
    "/v1/messages/count_tokens": _BOTH,
}
_BATCHES = "/v1/messages/batches"
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@dataclass(frozen=True)
class Reply:
    """What to do with one request. Made by the class methods."""

    kind: Literal["answer", "status", "raw", "hang", "drip", "cut"]
    text: str | None = None
    stop_reason: str = "end_turn"
    usage: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    code: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    @classmethod
    def answer(cls, value: Any, *, stop_reason: str = "end_turn", **more: Any) -> Reply:
        """A message whose text is `value`, as JSON unless it is a text already.

        `usage` replaces the default of 12 in and 34 out; `extra` are more fields of the message.
        """
        text = value if isinstance(value, str) else json.dumps(value)
        return cls("answer", text=text, stop_reason=stop_reason, **more)

    @classmethod
    def status(
        cls,
        code: int,
        *,
        message: str = "scripted",
        kind: str | None = None,
        error_code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """An error as the API writes it."""
        error: dict[str, Any] = {
            "type": kind or _ERROR_TYPES.get(code, "api_error"),
            "message": message,
        }
        if error_code:
            error["details"] = {"error_code": error_code}
        body = json.dumps({"type": "error", "error": error}).encode()
        return cls("raw", code=code, body=body, headers=headers or {})

    @classmethod
    def raw(cls, body: bytes, content_type: str = "application/json", code: int = 200) -> Reply:
        """A body as it is, such as JSON that breaks off or a gateway's error page."""
        return cls("raw", code=code, body=body, headers={"content-type": content_type})

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
        """The connection breaks in the middle of the answer."""
        return cls("cut")


@dataclass(frozen=True)
class Seen:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    port: int
    """The client's: tells connections apart."""


class MessagesServer(LocalServer):
    """Plays a script of replies, and keeps batches."""

    def __init__(self, *script: Reply, key: str = KEY, tokens: int = 77) -> None:
        super().__init__()
        self.script = deque(script)
        self.counts: deque[Reply] = deque()
        """The script of `count_tokens`; without one it answers `tokens`."""
        self.making: deque[Reply] = deque()
        """The script for making batches; `script` is for the requests in them."""
        self.requests: list[Seen] = []
        self.arrived = threading.Event()
        """Set from the first request on."""
        self.batches: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        """The requests of each batch by its id: `custom_id` and body."""
        self.made = threading.Semaphore(0)
        """Released for each batch that was made."""
        self.looks = 1
        """So often a batch is looked at before it has ended; more than anybody looks: never."""
        self.given_up: list[str] = []
        """The batches that were cancelled."""
        self._looked: dict[str, int] = {}
        self._key = key
        self._tokens = tokens

    @property
    def last(self) -> Seen:
        return self.requests[-1]

    def routes(self, app: web.Application) -> None:
        for path in _KNOWN:
            app.router.add_post(path, self._handle)
        app.router.add_post(_BATCHES, self._create)
        app.router.add_get(_BATCHES + "/{id}", self._retrieve)
        app.router.add_post(_BATCHES + "/{id}/cancel", self._cancel)
        app.router.add_get(_BATCHES + "/{id}/results", self._results)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        headers = {name.lower(): value for name, value in request.headers.items()}
        peer = request.transport.get_extra_info("peername") if request.transport else (None, 0)
        self.requests.append(Seen(request.path, headers, body, peer[1]))
        self.arrived.set()
        counting = request.path.endswith("count_tokens")
        refused = self._refuse(request.path, headers, body)
        if refused is not None:
            return await self._play(refused, request, body)
        script = self.counts if counting else self.script
        if script:
            return await self._play(script.popleft(), request, body)
        if counting:
            return web.json_response({"input_tokens": self._tokens})
        return await self._play(Reply.answer(_sample(body)), request, body)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Seen(request.path, headers, body, 0))
        self.arrived.set()
        if self.making:
            return await self._play(self.making.popleft(), request, body)
        for one in body["requests"]:
            refused = self._refuse("/v1/messages", headers, one["params"])
            if refused is not None:
                return await self._play(refused, request, body)
        name = f"msgbatch_{len(self.batches)}"
        self.batches[name] = [(one["custom_id"], one["params"]) for one in body["requests"]]
        self.made.release()
        return web.json_response(self._batch(name, "in_progress"))

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        self._looked[name] = self._looked.get(name, 0) + 1
        over = self._looked[name] >= self.looks or name in self.given_up
        return web.json_response(self._batch(name, "ended" if over else "in_progress"))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        self.given_up.append(name)
        return web.json_response(self._batch(name, "canceling"))

    async def _results(self, request: web.Request) -> web.StreamResponse:
        """In the order of the script for the requests, and told backwards, as the API may."""
        lines = [
            json.dumps({"custom_id": number, "result": self._result(body)})
            for number, body in self.batches[request.match_info["id"]]
        ]
        return web.Response(text="\n".join(reversed(lines)) + "\n")

    def _result(self, body: dict[str, Any]) -> dict[str, Any]:
        reply = self.script.popleft() if self.script else Reply.answer(_sample(body))
        if reply.kind == "answer":
            return {"type": "succeeded", "message": self._message(reply, body)}
        if reply.kind == "raw":
            return {"type": "errored", "error": json.loads(reply.body)}
        return {"type": "expired"}

    def _batch(self, name: str, status: str) -> dict[str, Any]:
        results = f"{self.url}{_BATCHES}/{name}/results" if status == "ended" else None
        counts = dict.fromkeys(("canceled", "errored", "expired", "processing", "succeeded"), 0)
        times = {"created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z"}
        told = {"id": name, "type": "message_batch", "processing_status": status}
        return told | times | {"request_counts": counts, "results_url": results}

    def _refuse(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Reply | None:
        """What the API itself would say against the request."""
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if given != self._key:
            # The real one doesn't repeat the key; a gateway may.
            return Reply.status(401, message=f"invalid api key {given}")
        problem = None
        if "anthropic-version" not in headers:
            problem = "anthropic-version: header is required"
        for name in body.keys() - _KNOWN[path]:
            problem = f"{name}: Extra inputs are not permitted"
        if path == "/v1/messages" and not isinstance(body.get("max_tokens"), int):
            problem = "max_tokens: Field required"
        config = body.get("output_config", {})
        for name in config.keys() - {"effort", "format"}:
            problem = f"output_config.{name}: Extra inputs are not permitted"
        if not _is_closed(config.get("format", {}).get("schema", {})):
            problem = "output_config.format.schema: 'additionalProperties' must be false"
        return Reply.status(400, message=problem) if problem else None

    async def _play(
        self, reply: Reply, request: web.Request, body: dict[str, Any]
    ) -> web.StreamResponse:
        headers = {"request-id": f"req_{len(self.requests)}"} | reply.headers
        match reply.kind:
            case "hang":
                await self._over.wait()
                return web.Response(status=503)
            case "drip":
                response = web.StreamResponse(headers={"content-type": "application/json"})
                await response.prepare(request)
                while not self._over.is_set():
                    await response.write(b" ")
                    await asyncio.sleep(0.05)
                return response
            case "cut":
                headers |= {"content-type": "application/json", "content-length": "1000"}
                response = web.StreamResponse(headers=headers)
                await response.prepare(request)
                await response.write(b'{"type": "message", "con')
                assert request.transport is not None
                request.transport.abort()
                return response
            case "raw":
                headers = {"content-type": "application/json"} | headers
                return web.Response(status=reply.code, body=reply.body, headers=headers)
            case _:
                await asyncio.sleep(reply.delay)
                return web.json_response(self._message(reply, body), headers=headers)

    def _message(self, reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
        message = {
            "id": f"msg_{len(self.requests)}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "text", "text": reply.text}],
            "stop_reason": reply.stop_reason,
            "stop_sequence": None,
            "usage": reply.usage or {"input_tokens": 12, "output_tokens": 34},
        }
        return message | reply.extra


def _is_closed(schema: Any) -> bool:
    """Whether every object in a JSON Schema forbids further keys, as the API demands."""
    if isinstance(schema, list):
        return all(_is_closed(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return False
    return all(_is_closed(part) for part in schema.values())


def _sample(body: dict[str, Any]) -> Any:
    """The plainest value that fits the schema asked for, or a text."""
    schema = body.get("output_config", {}).get("format", {}).get("schema")
    return "a text" if schema is None else _value(schema, schema.get("$defs", {}))


def _value(schema: dict[str, Any], defs: dict[str, Any]) -> Any:
    match schema:
        case {"$ref": str(name)}:
            return _value(defs[name.rpartition("/")[2]], defs)
        case {"enum": [first, *_]} | {"const": first}:
            return first
        case {"anyOf": [first, *_]}:
            return _value(first, defs)
        case {"type": "object"}:
            fields = schema.get("properties", {})
            return {name: _value(fields[name], defs) for name in schema.get("required", fields)}
        case {"type": "array"}:
            return []
    plain = {"string": "a text", "integer": 1, "number": 0.5, "boolean": True}
    return plain.get(schema.get("type", ""))
