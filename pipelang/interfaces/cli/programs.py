"""What commands that turn a program into something else share: reading it, and where that goes."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write

if TYPE_CHECKING:
    from pipelang.diagnostics import Sources
    from pipelang.semantics import program as p

FINDINGS, USAGE = 1, 2


def stop(message: str, code: int = USAGE, help: str | None = None) -> NoReturn:
    """Say what is wrong on standard error, and end with a code."""
    from pipelang.interfaces.text.colours import painter

    paint = painter(wants_colour(sys.stderr))
    warn(f"{paint('error', 'bad')}: {message}")
    if help:
        warn(f"  {paint('help', 'people')}: {help}")
    sys.exit(code)


def read_program(file: str) -> tuple[p.Program, Sources]:
    """The program of a file, with the text of all its files. If it has errors, all that is found is
    told, and nothing comes back.
    """
    from pipelang.diagnostics.render import as_text
    from pipelang.interfaces.check.check import pipe_files
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.semantics.build import build

    if Path(file).is_dir():
        stop(f"`{file}` is a folder: name one .pipe file")
    _, missing = pipe_files([file])
    for found in missing:
        stop(found.message, USAGE, found.help)
    built = build(file, DiskLoader())
    if built.program is None:
        colour, width = wants_colour(sys.stderr), text_width(sys.stderr)
        texts = [as_text(one, built.sources, colour, width) for one in built.diagnostics]
        warn("\n\n".join(texts))
        sys.exit(FINDINGS)
    return built.program, built.sources


def chosen(program: p.Program, name: str | None) -> list[str]:
    """The pipeline that was named, or all of them."""
    names = list(program.pipelines)
    if name is None:
        return names
    if name not in names:
        close = get_close_matches(name, names, n=1)
        help = f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(names)}"
        stop(f"`{program.file}` has no pipeline `{name}`", USAGE, help if names else None)
    return [name]


def deliver(text: str, out: str | None) -> None:
    """To a file, as UTF-8 with line feeds; to standard output without one, or for `-`."""
    if out is None or out == "-":
        write(text)
        return
    try:
        Path(out).write_bytes(text.encode())
    except OSError as error:
        stop(f"`{out}` cannot be written: {error.strerror or error}")
