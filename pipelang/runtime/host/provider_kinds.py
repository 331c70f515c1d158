"""Kinds of providers: those that come with pipelang, and those of installed packages."""

from __future__ import annotations

ANTHROPIC, REPLAY, SIMULATED = "anthropic", "replay", "simulated"

BUILT_IN = (ANTHROPIC, REPLAY, SIMULATED)

GROUP = "pipelang.providers"
"""The group of entry points, each named as a kind, under which a package offers providers."""


def installed_kinds() -> tuple[str, ...]:
    """The kinds that a program can name here, in order. Nothing of a package is imported."""
    from importlib.metadata import entry_points

    return tuple(sorted({*BUILT_IN, *(entry.name for entry in entry_points(group=GROUP))}))
