"""An MCP server over standard input and output, for tests. Its argument is a folder to write to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer("desk")
folder = Path(sys.argv[1])


@server.tool()
def add(a: int, b: int = 1) -> int:
    return a + b


@server.tool()
def crash(a: int) -> int:
    """Ends the process the first time, and answers the second time."""
    mark = folder / "crashed"
    if not mark.exists():
        mark.touch()
        os._exit(3)
    return a


@server.tool()
def token() -> str:
    return os.environ.get("DESK_TOKEN", "none")


if __name__ == "__main__":
    (folder / f"{os.getpid()}.pid").touch()
    server.run("stdio")
