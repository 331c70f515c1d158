"""`[tool.pipelang.mcp.NAME]` of a pyproject.toml: the MCP servers that `run` connects to.

`check` reads them too, since what a run would refuse is better said before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.interfaces.check.profiles.config import McpTable
from pipelang.interfaces.check.profiles.mistakes import Mistakes, kind_of

KEYS = ("command", "url", "env", "headers")


def read_servers(reading: Mistakes, table: Any) -> tuple[tuple[str, McpTable], ...]:
    """The servers by name; a table that declares none is told, and left out."""
    if not isinstance(table, dict):
        reading.tell("mcp", f"`mcp` is a table of servers, found {kind_of(table)}")
        return ()
    found = ((name, _server(reading, name, server)) for name, server in table.items())
    return tuple((name, server) for name, server in found if server is not None)


def _server(reading: Mistakes, name: str, table: Any) -> McpTable | None:
    where = f"`mcp.{name}`"
    if not isinstance(table, dict):
        reading.tell(name, f"{where} is a table with `command` or `url`, found {kind_of(table)}")
        return None
    before = len(reading.found)
    for key in table:
        if key not in KEYS:
            reading.unknown(key, KEYS)
    command, url = table.get("command", []), table.get("url")
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        help = 'such as `command = ["python", "server.py"]`'
        reading.tell("command", f"`command` of {where} is a list of words", help)
    if url is not None and not isinstance(url, str):
        reading.tell("url", f"`url` of {where} is a text, found {kind_of(url)}")
    for key in ("env", "headers"):
        texts: Mapping[str, Any] = table.get(key, {})
        if not isinstance(texts, dict) or not all(isinstance(one, str) for one in texts.values()):
            reading.tell(key, f"`{key}` of {where} is a table of texts")
    if len(reading.found) == before and bool(command) == (url is not None):
        reading.tell(name, f"{where} has exactly one of `command` and `url`")
    if len(reading.found) > before:
        return None
    pairs = {key: tuple(table.get(key, {}).items()) for key in ("env", "headers")}
    return McpTable(tuple(command), url, pairs["env"], pairs["headers"])
