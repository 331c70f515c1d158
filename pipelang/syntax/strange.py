"""A guess at text that is no token."""

from __future__ import annotations

from pipelang.diagnostics import Diagnostic
from pipelang.records import NamedTuple

NO_TOKEN = "NO_TOKEN"
"""The type of a token that fits nowhere."""


class Strange(NamedTuple):
    """A guess at text that is no token: its end, the finding, and the type and text of the token
    that the parser goes on with (type None: no token)."""

    end: int
    found: Diagnostic
    type: str | None
    text: str = ""
