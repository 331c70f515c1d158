"""MCP servers as a host declares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelang.records import dataclass, field
from pipelang.runtime.engine.secrets import resolve_secret

PATIENCE = 30.0
"""Seconds that a server has to be reached and to list its tools."""


@dataclass(frozen=True, slots=True)
class McpServer:
    """An MCP server. It is exactly one of three things: `command` is a program that speaks MCP over
    its standard input and output, `url` the address of a server that speaks streamable HTTP,
    `server` a server object in this process.

    `env` (for a command) and `headers` (for a URL) may be references to secrets, as in
    `env:TOKEN` or `file:PATH`; `Bearer env:TOKEN` works too. `folder` is where a command runs.

    Raises ValueError if not exactly one of the three is given, and TypeError if `command` is a text
    instead of a list of words. A server that cannot be reached, or a secret that is not there, is
    found when the server is first used: `Handle.ready` raises `ToolMissing`, and a call is a failed
    attempt.
    """

    command: Sequence[str] = ()
    url: str | None = None
    server: Any = None
    env: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def __post_init__(self) -> None:
        if isinstance(self.command, str):
            raise TypeError('`command` is a list of words, such as ["python", "server.py"]')
        object.__setattr__(self, "command", tuple(self.command))
        given = [bool(self.command), self.url is not None, self.server is not None]
        if sum(given) != 1:
            raise ValueError("an MCP server has exactly one of `command`, `url` and `server`")

    def secrets(self) -> tuple[str, ...]:
        """Return the references to secrets, for sinks and messages to keep out."""
        values = (*self.env.values(), *self.headers.values())
        words = (word for value in values for word in value.split())
        return tuple(word for word in words if word.startswith(("env:", "file:")))


def opened(text: str) -> str:
    """A value with its references replaced by the secrets. Raises `SecretMissing`."""
    return " ".join(
        resolve_secret(word) if word.startswith(("env:", "file:")) else word
        for word in text.split(" ")
    )
