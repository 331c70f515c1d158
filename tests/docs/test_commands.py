"""Commands in the running text of the pages are ones that the command line takes, and every option
of it stands on a page that names its command.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from pipelang.interfaces.cli.command_list import COMMANDS
from pipelang.interfaces.cli.commands import Commands

REPO = Path(__file__).resolve().parents[2]
PAGES = [
    *(REPO / name for name in ("README.md", "SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted(p for p in REPO.glob("docs/**/*.md") if "decisions" not in p.parts),
    *sorted(REPO.glob("examples/**/README.md")),
]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TOLD_BY_NAME = {"--help", "-h", "--version"}
"""Options of every command: no page needs to tell them of each."""


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def written_commands(text: str) -> Iterator[str]:
    """What follows `pipelang` in code within the text and in lines of a shell."""
    for code in re.findall(r"`([^`]+)`", FENCE.sub("", text)):
        yield from re.findall(r"^pipelang (.+)", " ".join(code.split()))
    for language, body in FENCE.findall(text):
        if language in ("sh", "console"):
            for line in body.replace("\\\n", " ").splitlines():
                yield from re.findall(r"^(?:\$ )?pipelang (.+?)(?:\s&)?$", line)


def commands(group: click.Group, *before: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)
        else:
            yield " ".join((*before, name)), command


def refused(line: str) -> str | None:
    """Why the command line would not take a line, by its names alone; None if it would."""
    words = [word for word in shlex.split(line, comments=True) if word not in ("...", "…")]
    command: click.Command = Commands("pipelang")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        if name.isupper():  # `pipelang COMMAND --help`
            return None
        found = command.get_command(click.Context(command), name)
        if found is None:
            return f"there is no command `{name}`"
        command = found
    options = {
        name: option
        for option in command.params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }
    places = 0
    while words:
        word = words.pop(0)
        if not re.match(r"\[?--?\w", word):
            places += 1
            continue
        name, _, value = word.strip("[]").partition("=")
        if name in TOLD_BY_NAME:
            continue
        if name not in options:
            return f"there is no option `{name}`"
        if not options[name].is_flag and not value and words:
            words.pop(0)
    takes = [a.nargs for a in command.params if isinstance(a, click.Argument)]
    if not isinstance(command, click.Group) and -1 not in takes and places > sum(takes):
        return f"it takes {sum(takes)} arguments, found {places}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_a_command_of_a_page_is_one_that_the_command_line_takes(page: Path):
    for line in written_commands(text_of(page)):
        # An ellipsis stands for the value of the option before it.
        assert refused(line.replace("--input ...", "--input JSON")) is None, line


def told_texts(module: Path) -> Iterator[str]:
    """The strings of a module, with a word for each value that is put into one."""
    tree = ast.parse(module.read_text("utf-8"))
    parts = {
        part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "VALUE"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


def test_a_command_of_a_message_is_one_that_the_command_line_takes():
    """`pipelang kill NAME` was the mend of a message, and no command."""
    wrong, seen = [], 0
    for module in sorted((REPO / "pipelang").rglob("*.py")):
        for text in told_texts(module):
            for line in re.findall(r"`pipelang (\w[^`]*)`", " ".join(text.split())):
                seen += 1
                why = refused(line.replace("--input ...", "--input JSON"))
                if why is not None:
                    wrong.append(f"{module.relative_to(REPO)}: pipelang {line}: {why}")
    for page in sorted((REPO / "pipelang" / "diagnostics" / "pages").glob("*.md")):
        for line in written_commands(text_of(page)):
            seen += 1
            why = refused(line)
            if why is not None:
                wrong.append(f"{page.name}: pipelang {line}: {why}")
    assert wrong == []
    assert seen > 150


def test_a_command_that_is_none_is_refused():
    assert refused("kill tool:send_reply") == "it takes 0 arguments, found 1"
    assert refused("chekc FILE") == "there is no command `chekc`"
    assert refused("store mend URL") == "there is no command `mend`"
    assert refused("check FILE --stric") == "there is no option `--stric`"
    assert refused("kill --tool send_reply") is None


@pytest.mark.parametrize(
    ("name", "command"),
    [pytest.param(*found, id=found[0]) for found in commands(Commands("pipelang"))],
)
def test_an_option_is_told_on_a_page_that_names_its_command(name: str, command: click.Command):
    words = rf"`{re.escape(name)}\b|pipelang {re.escape(name)}\b"
    naming = [text_of(page) for page in PAGES if re.search(words, text_of(page))]
    assert naming, f"no page names `pipelang {name}`"
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            told = any(
                re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", text)
                for text in naming
                for one in option.opts
            )
            assert told, f"no page that names `pipelang {name}` tells of {option.opts}"


def test_the_readme_names_every_command():
    text = text_of(REPO / "README.md")
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| `pipelang"))
    named = {word for code in re.findall(r"`([^`]+)`", rows) for word in code.split()}
    assert set(COMMANDS) <= named
