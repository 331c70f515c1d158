"""MCP servers at the command line: `[tool.pipelang.mcp.NAME]` of the configuration of a file."""

from __future__ import annotations

from pathlib import Path

from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.runtime.mcp.servers import McpServer


class BadConfig(ValueError):
    """A configuration that is wrong. The message shows where and why."""


def servers_of(file: str) -> dict[str, McpServer]:
    """The servers that are declared for a `.pipe` file, by name. Raises `BadConfig`."""
    configured = Configs(DiskLoader()).of(file)
    if configured.found:
        source = configured.source
        sources = {} if source is None else {source.name: source}
        raise BadConfig("\n\n".join(as_text(one, sources) for one in configured.found))
    folder = Path(configured.config.folder).resolve()
    return {
        name: McpServer(
            command=table.command,
            url=table.url,
            env=dict(table.env),
            headers=dict(table.headers),
            folder=folder if table.command else None,
        )
        for name, table in configured.config.mcp
    }
