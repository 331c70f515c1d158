"""Local servers of the makers' batches, which fail as the real ones do."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pipelang.testing import Dialect, GoogleDialect, MessagesDialect, Reply, ResponsesDialect
from pipelang.testing.dialects import KEY, Body
from pipelang.testing.local_server import LocalServer

Lines = Callable[[list[Any]], list[Any]]


@dataclass
class Kept:
    """A batch: its requests by number, and how often it was looked at."""

    requests: list[tuple[str, Body]]
    looked: int = 0
    given_up: bool = False


@dataclass
class Plan:
    """What a server does: the replies to requests in their order, and what goes wrong."""

    replies: deque[Reply] = field(default_factory=deque)
    looks: int = 2
    """So often a batch is looked at before it has ended."""
    ends: str = ""
    """The state in which batches end, where it is not that of success."""
    lost_looks: int = 0
    """So many looks fail."""
    lost_reads: int = 0
    """So many readings of the results break off."""
    making: deque[Reply] = field(default_factory=deque)
    """Replies to the making of batches."""
    change: Lines = staticmethod(lambda lines: lines)
    """What the server tells in place of its results."""


class BatchServer(LocalServer):
    """The part of a server that two makers have alike."""

    def __init__(self, dialect: Dialect, plan: Plan) -> None:
        super().__init__()
        self.dialect, self.plan = dialect, plan
        self.batches: dict[str, Kept] = {}
        self.files: dict[str, bytes] = {}
        self.deleted: list[str] = []
        self.made = threading.Semaphore(0)
        self.wrong_keys = 0

    def base(self) -> str:
        return self.dialect.root

    def checked(self, request: web.Request) -> None:
        """Raise what the API says to a wrong key."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self.dialect.key(headers) != KEY:
            self.wrong_keys += 1
            raise web.HTTPUnauthorized

    def refused(self) -> web.Response | None:
        if not self.plan.making:
            return None
        reply = self.plan.making.popleft()
        if reply.kind == "raw":
            return web.Response(status=reply.code, body=reply.body, headers=reply.headers)
        told = self.dialect.error(reply.code, reply.message)
        return web.json_response(told, status=reply.code, headers=reply.headers)

    def keep(self, requests: list[tuple[str, Body]]) -> str:
        name = f"batch_{len(self.batches)}"
        for _, body in requests:
            problem = self.dialect.problem(body)
            assert problem is None, problem
        self.batches[name] = Kept(requests)
        self.made.release()
        return name

    def is_over(self, name: str) -> bool:
        """Whether a batch has ended, one look later. Raises what a lost look is."""
        batch = self.batches[name]
        if self.plan.lost_looks:
            self.plan.lost_looks -= 1
            raise web.HTTPBadGateway
        batch.looked += 1
        return batch.looked >= self.plan.looks or batch.given_up

    def next_reply(self) -> Reply:
        return self.plan.replies.popleft() if self.plan.replies else Reply.answer("fine")


class OpenAIBatchServer(BatchServer):
    """Files and batches of `/v1/responses`."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(ResponsesDialect(), plan)

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self._upload)
        app.router.add_delete("/v1/files/{id}", self._delete)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches/{id}", self._retrieve)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)

    async def _upload(self, request: web.Request) -> web.Response:
        self.checked(request)
        form = await request.post()
        assert form["purpose"] == "batch"
        name = f"file-in-{len(self.files)}"
        self.files[name] = form["file"].file.read()  # type: ignore[union-attr]
        return web.json_response({"id": name, "object": "file", "purpose": "batch"})

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        self.deleted.append(name)
        del self.files[name]
        return web.json_response({"id": name, "object": "file", "deleted": True})

    async def _create(self, request: web.Request) -> web.Response:
        self.checked(request)
        refused = self.refused()
        if refused is not None:
            return refused
        body = await request.json()
        assert (body["endpoint"], body["completion_window"]) == ("/v1/responses", "24h")
        lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        assert all((one["method"], one["url"]) == ("POST", "/v1/responses") for one in lines)
        assert len({one["body"]["model"] for one in lines}) == 1, "one model a file"
        name = self.keep([(one["custom_id"], one["body"]) for one in lines])
        return web.json_response(self._told(name, "validating", body["input_file_id"]))

    async def _retrieve(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        over = self.is_over(name)
        state = (self.plan.ends or "completed") if over else "in_progress"
        if self.batches[name].given_up:
            state = "cancelled"
        told = self._told(name, state, "file-in-0")
        if state == "failed":
            error = {"code": "model_not_found", "message": f"no such model, said {KEY}", "line": 1}
            told["errors"] = {"object": "list", "data": [error]}
        elif over:
            told |= self._written(name)
        return web.json_response(told)

    def _written(self, name: str) -> Body:
        """The files of results and of errors, the former told backwards."""
        good: list[Any] = []
        bad: list[Any] = []
        for number, body in self.batches[name].requests:
            reply, line = self.next_reply(), {"id": f"req_{number}", "custom_id": number}
            if reply.kind == "hang":
                error = {"code": "batch_expired", "message": "This request could not be executed."}
                bad.append(line | {"response": None, "error": error})
            elif reply.kind == "status":
                told = self.dialect.error(reply.code, reply.message)
                response = {"status_code": reply.code, "request_id": "r", "body": told}
                bad.append(line | {"response": response, "error": None})
            else:
                told = self.dialect.body(reply, body, int(number))
                response = {"status_code": 200, "request_id": "r", "body": told}
                good.append(line | {"response": response, "error": None})
        found = {}
        for kind, lines in (("output", list(reversed(good))), ("error", bad)):
            if lines:
                file = f"file-{kind}-{name}"
                texts = [one if isinstance(one, str) else json.dumps(one) for one in
                         self.plan.change(lines)]  # fmt: skip
                self.files[file] = "\n".join(texts).encode()
                found[f"{kind}_file_id"] = file
        return found

    async def _cancel(self, request: web.Request) -> web.Response:
        self.batches[request.match_info["id"]].given_up = True
        return web.json_response(self._told(request.match_info["id"], "cancelling", "file-in-0"))

    async def _content(self, request: web.Request) -> web.Response:
        if self.plan.lost_reads:
            self.plan.lost_reads -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.Response(body=self.files[request.match_info["id"]])

    def _told(self, name: str, state: str, file: str) -> Body:
        return {
            "id": name,
            "object": "batch",
            "endpoint": "/v1/responses",
            "completion_window": "24h",
            "created_at": 1,
            "input_file_id": file,
            "status": state,
        }


class AnthropicBatchServer(BatchServer):
    """Message Batches, whose results are told backwards."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(MessagesDialect(), plan)

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/messages/batches", self._create)
        app.router.add_get("/v1/messages/batches/{id}", self._retrieve)
        app.router.add_post("/v1/messages/batches/{id}/cancel", self._cancel)
        app.router.add_get("/v1/messages/batches/{id}/results", self._results)

    async def _create(self, request: web.Request) -> web.Response:
        self.checked(request)
        refused = self.refused()
        if refused is not None:
            return refused
        listed = (await request.json())["requests"]
        name = self.keep([(one["custom_id"], one["params"]) for one in listed])
        return web.json_response(self._told(name, "in_progress"))

    async def _retrieve(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        return web.json_response(self._told(name, "ended" if self.is_over(name) else "in_progress"))

    async def _cancel(self, request: web.Request) -> web.Response:
        self.batches[request.match_info["id"]].given_up = True
        return web.json_response(self._told(request.match_info["id"], "canceling"))

    async def _results(self, request: web.Request) -> web.Response:
        lines = [
            {"custom_id": number, "result": self._result(number, body)}
            for number, body in self.batches[request.match_info["id"]].requests
        ]
        lines.reverse()
        texts = [
            one if isinstance(one, str) else json.dumps(one) for one in self.plan.change(lines)
        ]
        return web.Response(body="\n".join(texts).encode())

    def _result(self, number: str, body: Body) -> Body:
        reply = self.next_reply()
        if reply.kind == "hang":
            return {"type": "expired"}
        if reply.kind == "status":
            return {"type": "errored", "error": self.dialect.error(reply.code, reply.message)}
        return {"type": "succeeded", "message": self.dialect.body(reply, body, int(number))}

    def _told(self, name: str, status: str) -> Body:
        results = f"{self.url}/v1/messages/batches/{name}/results" if status == "ended" else None
        counts = dict.fromkeys(("canceled", "errored", "expired", "processing", "succeeded"), 0)
        told = {"id": name, "type": "message_batch", "processing_status": status}
        times = {"created_at": TIME, "expires_at": TIME}
        return told | times | {"request_counts": counts, "results_url": results}


class GoogleBatchServer(BatchServer):
    """`batchGenerateContent` and its batches."""

    def __init__(self, plan: Plan, *, metadata: bool = True) -> None:
        super().__init__(GoogleDialect(), plan)
        self._metadata = metadata

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/models/{model}:batchGenerateContent", self._create)
        app.router.add_get("/v1/batches/{id}", self._retrieve)
        app.router.add_post("/v1/batches/{id}:cancel", self._cancel)
        app.router.add_delete("/v1/batches/{id}", self._delete)

    async def _create(self, request: web.Request) -> web.Response:
        self.checked(request)
        refused = self.refused()
        if refused is not None:
            return refused
        batch = (await request.json())["batch"]
        listed = batch["inputConfig"]["requests"]["requests"]
        name = self.keep([(one["metadata"]["key"], one["request"]) for one in listed])
        return web.json_response(self._told(name, "BATCH_STATE_PENDING"))

    async def _retrieve(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if not self.is_over(name):
            return web.json_response(self._told(name, "BATCH_STATE_RUNNING"))
        state = self.plan.ends or "BATCH_STATE_SUCCEEDED"
        told = self._told(name, state)
        if state in ("BATCH_STATE_SUCCEEDED", "BATCH_STATE_EXPIRED"):
            lines = [self._line(number, body) for number, body in self.batches[name].requests]
            lines = [line for line in lines if line]
            if self._metadata:
                lines.reverse()
            told["metadata"]["output"] = {
                "inlinedResponses": {"inlinedResponses": self.plan.change(lines)}
            }
        return web.json_response(told)

    def _line(self, number: str, body: Body) -> Body | None:
        reply = self.next_reply()
        line: Body = {"metadata": {"key": number}} if self._metadata else {}
        if reply.kind == "hang":
            return None
        if reply.kind == "status":
            code = {429: 8, 503: 14, 500: 13}.get(reply.code, 3)
            return line | {"error": {"code": code, "message": reply.message}}
        return line | {"response": self.dialect.body(reply, body, int(number))}

    async def _cancel(self, request: web.Request) -> web.Response:
        self.batches[request.match_info["id"]].given_up = True
        return web.json_response({})

    async def _delete(self, request: web.Request) -> web.Response:
        self.deleted.append(request.match_info["id"])
        return web.json_response({})

    def _told(self, name: str, state: str) -> Body:
        return {"name": f"batches/{name}", "metadata": {"state": state, "createTime": TIME}}


TIME = "2026-11-29T00:00:00Z"
