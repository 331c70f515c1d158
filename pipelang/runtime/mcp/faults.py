"""Errors of MCP servers, for those who have to tell them apart and may never meet a server."""

from __future__ import annotations


class Unreachable(Exception):
    """A server that does not answer. The message says which, and why."""


class Lost(Exception):
    """A session that ended under a call: nobody knows whether the tool was called."""
