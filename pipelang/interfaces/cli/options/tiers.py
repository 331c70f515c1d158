"""The option `--tier` of commands that check or run a program: tiers that stand in for others."""

from __future__ import annotations

from typing import Any

import click

from pipelang.interfaces.check.stand_ins import stand_ins
from pipelang.interfaces.cli.check.command_line import listed

StandIns = tuple[tuple[str, str], ...]
"""Pairs of a tier and the one that stands in for it."""


def _read(context: click.Context, option: click.Parameter, words: tuple[str, ...]) -> StandIns:
    found = stand_ins(listed(words))
    if isinstance(found, str):
        raise click.BadParameter(found)
    return found


def tier_option(command: Any) -> Any:
    """Add the option to a command, which gets the pairs as `tiers`."""
    return click.option(
        "--tier",
        "tiers",
        multiple=True,
        metavar="TIER=TIER",
        callback=_read,
        help="Let a tier stand in for another: haiku=local_small, of the file or a library.",
    )(command)
