"""The tools that an MCP server lists: a configured server, a URL, or a command."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from typing import Any

from pipelang.interfaces.importing.mcp_declarations import OfferedTool
from pipelang.interfaces.importing.outer_text import snake_name
from pipelang.records import dataclass
from pipelang.runtime.mcp.faults import Unreachable
from pipelang.runtime.mcp.servers import McpServer
from pipelang.runtime.mcp.sessions import Sessions

_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint")


class NoServer(Exception):
    """Words that name no server. `help` says what would."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, slots=True)
class McpTarget:
    """A server, and what declarations call it: None for its own word for itself, where no
    configuration has a name for it.
    """

    name: str | None
    server: McpServer
    declared: bool


def server_of(said: str, name: str | None, configured: Mapping[str, McpServer]) -> McpTarget:
    """The server that a command line means. Raises `NoServer`."""
    if said in configured:
        return McpTarget(name or said, configured[said], True)
    if said.startswith(("http://", "https://")):
        return McpTarget(name, McpServer(url=said), False)
    there = f"there are: {', '.join(configured)}" if configured else "there is none yet"
    help = f"name one of `[tool.pipelang.mcp.NAME]` ({there}), an http URL, or a command"
    try:
        command = shlex.split(said)
    except ValueError as error:
        raise NoServer(f"`{said}` is no command: {error}", help) from None
    if not command or shutil.which(command[0]) is None:
        raise NoServer(f"there is no MCP server and no program `{said}`", help)
    return McpTarget(name, McpServer(command=command), False)


async def tools_of(target: McpTarget) -> tuple[str, list[OfferedTool]]:
    """The name of a server, and its tools in its own order. Raises `Unreachable`."""
    held = target.name or "server"
    sessions = Sessions({held: target.server})
    try:
        session = await sessions.session(held)
        info = session.client.server_info
        own = "" if info is None else str(info.name).rstrip("/").rpartition("/")[2]
        tools = [_offered(tool) for tool in session.tools.values()]
        return target.name or snake_name(own or held), tools
    finally:
        await sessions.close()


def _offered(tool: Any) -> OfferedTool:
    hints = {}
    if tool.annotations is not None:
        said = tool.annotations.model_dump(by_alias=True)
        hints = {name: said.get(name) for name in _HINTS}
    return OfferedTool(
        tool.name, tool.description or tool.title, tool.input_schema, tool.output_schema, hints
    )


__all__ = ["McpTarget", "NoServer", "Unreachable", "server_of", "tools_of"]
