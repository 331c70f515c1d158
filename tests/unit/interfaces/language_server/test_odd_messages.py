"""Odd JSON-RPC: whoever asks is answered, once, under his number; the server goes on."""

from __future__ import annotations

import asyncio
import copy
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.interfaces.language_server.protocol import MessageInput
from pipelang.interfaces.language_server.server import make_server

URI = "file:///nowhere/odd.pipe"
DOCUMENT = {"textDocument": {"uri": URI}}
PLACE = {**DOCUMENT, "position": {"line": 0, "character": 1}}
RANGE = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
BEGIN = {"processId": None, "rootUri": None, "capabilities": {}}
TEXT = "use std.tiers\npipeline p("
"""With an error, so that no numbers are worked out in another process."""
VALID: dict[str, Any] = {
    "textDocument/hover": PLACE,
    "textDocument/completion": PLACE,
    "textDocument/signatureHelp": PLACE,
    "textDocument/definition": PLACE,
    "textDocument/documentHighlight": PLACE,
    "textDocument/prepareRename": PLACE,
    "textDocument/references": {**PLACE, "context": {"includeDeclaration": True}},
    "textDocument/rename": {**PLACE, "newName": "other"},
    "textDocument/codeLens": DOCUMENT,
    "textDocument/documentSymbol": DOCUMENT,
    "textDocument/foldingRange": DOCUMENT,
    "textDocument/semanticTokens/full": DOCUMENT,
    "textDocument/inlayHint": {**DOCUMENT, "range": RANGE},
    "textDocument/codeAction": {**DOCUMENT, "range": RANGE, "context": {"diagnostics": []}},
    "textDocument/formatting": {**DOCUMENT, "options": {"tabSize": 2, "insertSpaces": True}},
    "textDocument/selectionRange": {**DOCUMENT, "positions": [{"line": 0, "character": 1}]},
    "workspace/symbol": {"query": "e"},
    "workspace/executeCommand": {"command": "pipelang.explain", "arguments": ["P201"]},
}


class Wire:
    """What a server sends."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.sent.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        pass

    def answers(self) -> list[dict[str, Any]]:
        return [one for one in self.sent if "method" not in one]


def request(number: object, method: object, *params: object) -> dict[str, Any]:
    made = {"jsonrpc": "2.0", "id": number, "method": method}
    return {**made, "params": params[0]} if params else made


def notification(method: str, *params: object) -> dict[str, Any]:
    made = request(0, method, *params)
    del made["id"]
    return made


SHUTDOWN = request("end", "shutdown")


async def _rest() -> None:
    """Wait until nothing is under way."""
    async with asyncio.timeout(20):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


async def _talk(messages: list[Any], begun: bool) -> list[dict[str, Any]]:
    server, wire = make_server(), Wire()
    server.protocol.set_writer(wire)
    take = server.protocol.handle_message
    if begun:
        opened = {"uri": URI, "languageId": "pipelang", "version": 1, "text": TEXT}
        take(request("begin", "initialize", BEGIN))
        take(notification("textDocument/didOpen", {"textDocument": opened}))
    for message in messages:
        take(copy.deepcopy(message))
        if message == SHUTDOWN:
            await _rest()
    if begun:
        take(request("last", "textDocument/hover", PLACE))
    await _rest()
    await server.session.close()
    server.shutdown()
    said = [one for one in wire.answers() if one["id"] != "begin"]
    if begun:
        assert not server.protocol._request_futures, "what was answered is kept"
        assert next(one for one in said if one["id"] == "last")["result"] is not None
    return [one for one in said if one["id"] != "last"]


def talk(*messages: object, begun: bool = True) -> list[dict[str, Any]]:
    """The answers to messages, from a server that has a file open and goes on answering."""
    return asyncio.run(_talk(list(messages), begun))


def said(answer: dict[str, Any]) -> tuple[object, int]:
    return answer["id"], answer["error"]["code"]


@pytest.mark.parametrize("method", VALID)
def test_requests_that_are_right_are_answered(method):
    (answer,) = talk(request("mine", method, VALID[method]))
    assert answer["id"] == "mine"
    # There is nothing to be renamed at `use`.
    assert "result" in answer or (method.endswith("ename") and said(answer)[1] == -32803)


@pytest.mark.parametrize("method", VALID)
def test_arguments_that_are_not_there_or_are_others(method):
    odd = [request(1, method), *(request(2, method, one) for one in (None, 7, "x", [1], {}))]
    answers = talk(*odd)
    assert [said(one) for one in answers] == [(one["id"], -32602) for one in odd]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({**DOCUMENT, "position": {"line": -1, "character": 0}}, "message.params.position"),
        ({**DOCUMENT, "position": {"line": 2**40, "character": 0}}, "message.params.position"),
        ({"textDocument": 7, "position": PLACE["position"]}, "message.params.textDocument"),
    ],
)
def test_what_is_wrong_is_told(params, told):
    (answer,) = talk(request(1, "textDocument/hover", params))
    assert said(answer) == (1, -32602)
    assert told in answer["error"]["message"]


@pytest.mark.parametrize(
    ("message", "number", "code"),
    [
        (request(1, "textDocument/nothing", {}), 1, -32601),
        (request(1, "$/nothing", {}), 1, -32601),
        (request(1, 7), 1, -32600),
        (request(1, None), 1, -32600),
        (request(True, "textDocument/hover", PLACE), None, -32600),
        (request(False, "textDocument/hover", PLACE), None, -32600),
        (request([], "textDocument/hover", PLACE), None, -32600),
        (request({}, "textDocument/hover", PLACE), None, -32600),
        ({**request(1, "textDocument/hover", PLACE), "jsonrpc": "1.0"}, 1, -32600),
        ({"id": 1, "method": "textDocument/hover", "params": PLACE}, 1, -32600),
        ({"jsonrpc": "2.0", "id": 1}, 1, -32600),
        ({}, None, -32600),
        ([], None, -32600),
        ([request(1, "textDocument/hover", PLACE)], None, -32600),
        (7, None, -32600),
        ("hover", None, -32600),
        (None, None, -32600),
        (request(1, "initialize", BEGIN), 1, -32600),
        (request(1, "workspace/executeCommand", {"command": "pipelang.report"}), 1, -32602),
        (request(1, "workspace/executeCommand", {"command": "pipelang.explain"}), 1, -32602),
        (request(1, "workspace/executeCommand", {"command": "pipelang.erase"}), 1, -32602),
    ],
)
def test_messages_that_are_none(message, number, code):
    (answer,) = talk(message)
    assert said(answer) == (number, code)
    assert "id" in answer, "null is said"


@pytest.mark.parametrize("number", [0, -1, 1.5, "", "a b", None])
def test_numbers_of_requests(number):
    (answer,) = talk(request(number, "textDocument/hover", PLACE))
    assert answer["id"] == number
    assert answer["result"]["contents"]["value"].startswith("**use**")


@pytest.mark.parametrize(
    "message",
    [
        notification("textDocument/didOpen"),
        notification("textDocument/didChange", {"textDocument": 7}),
        notification("textDocument/didClose", {"textDocument": {"uri": "file:///never.pipe"}}),
        notification("$/nothing", {}),
        notification("nothing"),
        notification("$/cancelRequest", {"id": 99}),
        notification("$/cancelRequest"),
        {"jsonrpc": "2.0", "id": 9, "result": None},
        {"jsonrpc": "2.0", "id": 9, "error": {"code": 1, "message": "x"}},
        {"jsonrpc": "2.0", "id": 9, "error": 7},
    ],
)
def test_what_asks_nothing_is_not_answered(message):
    assert talk(message) == []


@pytest.mark.parametrize("uri", ["file://[x", "", "x", "http://x/y", "file:///a%00b.pipe", "file:"])
def test_addresses_of_no_file(uri):
    opened = {"uri": uri, "languageId": "pipelang", "version": 1, "text": "use std."}
    place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 8}}
    answers = talk(
        notification("textDocument/didOpen", {"textDocument": opened}),
        request(1, "textDocument/completion", place),
        request(2, "textDocument/documentSymbol", {"textDocument": {"uri": uri}}),
    )
    assert {one["id"]: "result" in one for one in answers} == {1: True, 2: True}


def test_before_the_beginning_and_after_the_end():
    early = request(1, "textDocument/hover", PLACE)
    assert [said(one) for one in talk(early, begun=False)] == [(1, -32002)]
    assert talk(notification("textDocument/didOpen", {}), begun=False) == []
    first = request(2, "initialize", BEGIN)
    late = talk(first, SHUTDOWN, {**early, "id": 3}, begun=False)
    codes = {one["id"]: one.get("error", {}).get("code") for one in late}
    assert codes == {2: None, "end": None, 3: -32600}


def test_arguments_that_look_like_messages():
    """pygls would take every object inside a message for one."""
    (answer,) = talk(request(1, "textDocument/hover", {**PLACE, "jsonrpc": "2.0", "id": 7}))
    assert answer["result"]["contents"]["value"].startswith("**use**")


JUNK = st.sampled_from([None, 0, -1, 2**70, 1.5, "", "x", [], [[]], {}, {"uri": 3}, True])


@st.composite
def changed_requests(draw: Any) -> dict[str, Any]:
    """Requests of which a part at some depth is gone or another."""
    made = request(
        1, (method := draw(st.sampled_from(sorted(VALID)))), copy.deepcopy(VALID[method])
    )
    inner, key = made, "params"
    while isinstance(inner[key], dict) and inner[key] and draw(st.booleans()):
        inner = inner[key]
        key = draw(st.sampled_from(sorted(inner)))
    if draw(st.booleans()):
        inner[key] = draw(JUNK)
    else:
        del inner[key]
    return made


@settings(max_examples=150, deadline=None)
@given(st.lists(changed_requests(), min_size=1, max_size=6))
def test_every_changed_request_is_answered_once(messages):
    numbered = [{**one, "id": number} for number, one in enumerate(messages)]
    answers = talk(*numbered)
    assert sorted(one["id"] for one in answers) == list(range(len(numbered)))
    for one in answers:
        assert "result" in one or one["error"]["code"] in (-32602, -32803), one


def test_headers_of_http():
    """Case and blanks mean nothing in them; pygls knows one way of writing a length."""
    lines = [b"content-length: 12\r\n", b"Content-Length:12\n", b"CONTENT-LENGTH :  12 \r\n"]
    given = MessageInput(io.BytesIO(b"".join(lines) + b"Content-Type: x\r\n\r\n{} "))
    assert [given.readline() for _ in lines] == [b"Content-Length: 12\r\n"] * 3
    assert [given.readline(), given.readline()] == [b"Content-Type: x\r\n", b"\r\n"]
    assert given.read(2) == b"{}"
    assert given.readline() == b" "
