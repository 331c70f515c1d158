"""Options that name a file or folder: none of them takes an empty name.

With a variable that is not set `run --record "$FILE"` would record nothing, and `kill --state
"$DIR"` throw a switch where no run looks, each without a word.
"""

from __future__ import annotations

from typing import Any

import click


class FileName(click.types.StringParamType):
    """A name as it is written, unless nothing is written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty name names no file", param, ctx)
        return super().convert(value, param, ctx)


def refuse_empty_names(command: click.Command) -> None:
    """Have the options of a command, and of those in it, that name files refuse empty names."""
    for one in command.params:
        plain = isinstance(one, click.Option) and one.type is click.STRING
        if plain and (one.name == "state" or (one.metavar or "").endswith("FILE")):
            one.type = FileName()
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            refuse_empty_names(inner)
