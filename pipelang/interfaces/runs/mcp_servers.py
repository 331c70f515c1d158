"""MCP servers at the command line: `[tool.pipelang.mcp.NAME]` in the pyproject.toml beside or
above a `.pipe` file.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipelang.runtime.mcp.servers import McpServer

_KEYS = ("command", "url", "env", "headers")


class BadServer(ValueError):
    """A table that declares no server. The message says where and why."""


def servers_of(file: str) -> dict[str, McpServer]:
    """The servers that are declared for a `.pipe` file, by name. Raises `BadServer`."""
    for folder in Path(file).resolve().parents:
        project = folder / "pyproject.toml"
        if project.is_file():
            return _read(project)
    return {}


def _read(project: Path) -> dict[str, McpServer]:
    try:
        with project.open("rb") as opened:
            at: Any = tomllib.load(opened)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadServer(f"`{project}` cannot be read: {error}") from None
    for key in ("tool", "pipelang", "mcp"):
        at = at.get(key, {}) if isinstance(at, dict) else {}
    if not isinstance(at, dict):
        raise BadServer(f"`{project}`: `tool.pipelang.mcp` is a table of servers")
    return {name: _server(project, name, table) for name, table in at.items()}


def _server(project: Path, name: str, table: Any) -> McpServer:
    where = f"`{project}`: `tool.pipelang.mcp.{name}`"
    if not isinstance(table, dict):
        raise BadServer(f"{where} is a table with `command` or `url`")
    for key in table:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            help = f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(_KEYS)}"
            raise BadServer(f"{where} has the unknown key `{key}` ({help})")
    command, url = table.get("command", []), table.get("url")
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        raise BadServer(f'{where}: `command` is a list of words, such as ["python", "server.py"]')
    if url is not None and not isinstance(url, str):
        raise BadServer(f"{where}: `url` is a text")
    for key in ("env", "headers"):
        texts = table.get(key, {})
        if not isinstance(texts, dict) or not all(isinstance(one, str) for one in texts.values()):
            raise BadServer(f"{where}: `{key}` is a table of texts")
    try:
        return McpServer(
            command=command,
            url=url,
            env=table.get("env", {}),
            headers=table.get("headers", {}),
            folder=project.parent if command else None,
        )
    except ValueError:
        raise BadServer(f"{where} has exactly one of `command` and `url`") from None
