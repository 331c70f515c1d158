"""MCP servers as a host declares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelang.runtime.engine.secrets import resolve_secret


@dataclass(frozen=True, slots=True)
class McpServer:
    """Exactly one of: `command`, a program that speaks MCP over its standard input and output;
    `url` of a server that speaks streamable HTTP; `server`, a server object in this process.

    `env` (for a command) and `headers` (for a URL) may be references to secrets, as in
    `env:TOKEN` or `file:PATH`; `Bearer env:TOKEN` works too. `folder` is where a command runs.
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
        """The references to secrets in its environment and headers."""
        values = (*self.env.values(), *self.headers.values())
        words = (word for value in values for word in value.split())
        return tuple(word for word in words if word.startswith(("env:", "file:")))


def opened(text: str) -> str:
    """A value with its references replaced by the secrets. Raises `SecretMissing`."""
    return " ".join(
        resolve_secret(word) if word.startswith(("env:", "file:")) else word
        for word in text.split(" ")
    )
