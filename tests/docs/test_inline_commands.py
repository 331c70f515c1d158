"""Commands in the running text of the documentation, where no console runs them: each is one that
the command line takes, with its options and as many arguments. A runbook is read in an incident.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from pipelang.interfaces.cli.commands import Commands

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
PAGES += sorted((ROOT / "examples").glob("*/README.md"))

_FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"`(pipelang [^`]+)`")


def commands(page: Path) -> list[str]:
    """The commands of a page as somebody would type them: what may be left out is there."""
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = (" ".join(one.split()) for one in _COMMAND.findall(prose))
    return [re.sub(r"[\[\]]", "", one).replace("...", "X") for one in found]


def problem(line: str) -> str | None:
    """What the command line would not take of a command, without running it."""
    command: click.Command = Commands(name="pipelang")
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            return None  # the group by itself
        inner = command.get_command(click.Context(command), words[0])
        if inner is None:
            # In capitals it is a place for any of them.
            return None if words[0].isupper() else f"there is no command `{words[0]}`"
        command, words = inner, words[1:]
    try:
        _, left, _ = command.make_parser(click.Context(command)).parse_args(words)
    except click.UsageError as error:
        return error.format_message()
    return f"it takes no `{left[0]}`" if left else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_text_are_taken(page: Path) -> None:
    found = {line: problem(line) for line in commands(page) if "|" not in line}
    assert {line: why for line, why in found.items() if why is not None} == {}


def test_there_are_such_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 150
