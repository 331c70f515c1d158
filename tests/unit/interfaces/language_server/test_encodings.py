"""Columns on the wire are of the encoding that client and server agreed on, both ways.

Helix and Neovim like UTF-8 best. The server agreed, counted in UTF-16 all the same, and made its
changes elsewhere than the editor behind the first letter that is not ASCII.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pipelang.interfaces.language_server.positions import units
from pipelang.interfaces.language_server.server import make_server

URI = "file:///nowhere/counted.pipe"
DOCUMENT = {"uri": URI}
LINE = "## é😀 old"
TEXT = f"{LINE}\nenum A {{ x }} # é😀 end\n"


class Sent:
    """What a server sends, message by message."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        pass


async def talk(*messages: tuple[str, Any]) -> list[Any]:
    """The results of requests; what has no answer is told as a notification."""
    server, sent = make_server(), Sent()
    server.protocol.set_writer(sent)
    for number, (method, params) in enumerate(messages):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        told = method in ("textDocument/didOpen", "textDocument/didChange")
        server.protocol.handle_message(message if told else message | {"id": number})
    async with asyncio.timeout(20):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
    await server.session.close()
    server.shutdown()
    answers = [one for one in sent.messages if "id" in one and "method" not in one]
    return [one["result"] for one in sorted(answers, key=lambda one: one["id"])]


@pytest.mark.parametrize(
    ("liked", "agreed"),
    [
        (["utf-8", "utf-32", "utf-16"], "utf-8"),  # as Helix has it
        (["utf-32", "utf-16"], "utf-32"),
        (["utf-16"], "utf-16"),
        (["utf-7"], "utf-16"),
        (None, "utf-16"),
    ],
)
def test_columns_are_counted_as_was_agreed(liked: list[str] | None, agreed: str) -> None:
    general = {} if liked is None else {"general": {"positionEncodings": liked}}
    start, end = (units(text, agreed) for text in (LINE.removesuffix("old"), LINE))
    replaced = {
        "range": {"start": {"line": 0, "character": start}, "end": {"line": 0, "character": end}},
        "text": "new",
    }
    opened = DOCUMENT | {
        "languageId": "pipelang",
        "version": 1,
        "text": TEXT + "enum",
    }  # no numbers
    begun, hover, tokens = asyncio.run(
        talk(
            ("initialize", {"processId": None, "rootUri": None, "capabilities": general}),
            ("textDocument/didOpen", {"textDocument": opened}),
            (
                "textDocument/didChange",
                {"textDocument": DOCUMENT | {"version": 2}, "contentChanges": [replaced]},
            ),
            (
                "textDocument/hover",
                {"textDocument": DOCUMENT, "position": {"line": 1, "character": 5}},
            ),
            ("textDocument/semanticTokens/full", {"textDocument": DOCUMENT}),
        )
    )
    assert begun["capabilities"]["positionEncoding"] == agreed
    assert hover["contents"]["value"].endswith("é😀 new")
    lengths = tokens["data"][2::5]
    assert units("# é😀 end", agreed) in lengths
    assert lengths[0] == units("## é😀 new", agreed)
