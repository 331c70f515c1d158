"""The kernel of timeouts: which limit an attempt has, and what reaching it means.

An attempt takes the shorter of its own duration and its limit, whether it answers or not. Reaching
the limit is a failed attempt among those that `transient` or `succeeds` declare, not one more: the
analysis of durations cuts them at the limit (`analysis/latency`), the interpreter stops waiting
(`runtime/worlds/real/attempts.py`). A call has the limit of its link, else that of its tool; an
agent's call of a tool has the tool's.
"""

from __future__ import annotations

from decimal import Decimal

from pipelang.semantics import program as p


def call_limit(link: p.Link | None, tool: p.Tool) -> Decimal | None:
    """The limit in seconds of one call of a tool, None for no limit; in an agent without a link."""
    if link is not None and link.timeout is not None:
        return link.timeout
    return tool.timeout
