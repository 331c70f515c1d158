"""No option that names a file or folder takes an empty name, whatever its command."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from pipelang.interfaces.cli.command_list import COMMANDS
from pipelang.interfaces.cli.commands import group


def options(command: click.Command) -> Iterator[tuple[click.Option, click.Context]]:
    for one in command.params:
        if isinstance(one, click.Option):
            yield one, click.Context(command)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from options(inner)


def names_a_file(option: click.Option) -> bool:
    return option.metavar == "FILE" or "--state" in option.opts


FOUND = [
    pytest.param(option, context, id=f"{name} {option.opts[0]}")
    for name in COMMANDS
    if (command := group.get_command(click.Context(group), name)) is not None
    for option, context in options(command)
    if names_a_file(option)
]


def test_some_are_looked_at() -> None:
    assert {"run --record", "run --output", "serve --tokens", "kill --state"} <= {
        one.id for one in FOUND
    }


@pytest.mark.parametrize(("option", "context"), FOUND)
def test_an_empty_name_is_refused(option: click.Option, context: click.Context) -> None:
    with pytest.raises(click.BadParameter):
        option.type_cast_value(context, [""] if option.multiple else "")
