"""A server that writes its messages itself, byte by byte as it is told: large ones, odd ones.

`FOLDER/tools` lists its tools' names; a call of `tell` announces that they changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
MB = 2**20


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer(request: Any, result: Any) -> None:
    say(json.dumps({"jsonrpc": "2.0", "id": request, "result": result}))


def large(kind: str, size: int) -> Any:
    """A result of about so many bytes, of one kind or another."""
    match kind:
        case "text":
            return {"content": [{"type": "text", "text": "x" * size}]}
        case "json":
            return {"content": [{"type": "text", "text": json.dumps(["y" * 20] * (size // 24))}]}
        case "list":
            return {"content": [], "structuredContent": {"result": ["y" * 20] * (size // 24)}}
        case _:
            block = {"type": "text", "text": "z" * 20}
            return {"content": [block] * (size // 50)}


def tool(name: str) -> Any:
    taken = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
    made: dict[str, Any] = {"name": name, "inputSchema": taken}
    if name == "list":
        strings = {"type": "array", "items": {"type": "string"}}
        made["outputSchema"] = {"type": "object", "properties": {"result": strings}}
    return made


def call(request: Any, name: str, told: str) -> None:
    if told == "tell":
        say('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
    if told.startswith("large"):
        kind, size = name, float(told.split()[1])
        result = json.dumps(large(kind, int(size * MB)))
        order = told.split()[2] if len(told.split()) > 2 else "jir"
        members = {
            "j": '"jsonrpc": "2.0"',
            "i": f'"id": {json.dumps(request)}',
            "r": f'"result": {result}',
        }
        say("{" + ", ".join(members[one] for one in order) + "}")
        return
    answer(request, {"content": [{"type": "text", "text": f"{told} for {request}"}]})


for line in sys.stdin:
    message = json.loads(line)
    given = message.get("params") or {}
    match message.get("method"):
        case "initialize":
            capabilities = {"tools": {"listChanged": True}}
            answer(
                message["id"],
                {
                    "protocolVersion": given["protocolVersion"],
                    "capabilities": capabilities,
                    "serverInfo": {"name": "raw", "version": "1"},
                },
            )
        case "tools/list":
            names = (FOLDER / "tools").read_text(encoding="utf-8").split()
            with (FOLDER / "listed").open("a", encoding="utf-8") as listed:
                listed.write("listed\n")
            answer(message["id"], {"tools": [tool(name) for name in names]})
        case "tools/call":
            call(message["id"], given["name"], given["arguments"]["q"])
        case _ if "id" in message:
            error = {"code": -32601, "message": "no such method"}
            say(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}))
