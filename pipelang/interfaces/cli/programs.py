"""Reads the program and the pipeline that a command line names, and writes what is made of it.

A mistake in the line is told on standard error, and ends the command with its exit code.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipelang.diagnostics import Sources
    from pipelang.interfaces.loading import Verified
    from pipelang.runtime.host.handle import LoadedProgram
    from pipelang.semantics import program as p
    from pipelang.semantics.loader import Loader


def stop(message: str, code: int = USAGE, help: str | None = None) -> NoReturn:
    """Say what is wrong on standard error, and end with a code."""
    complain(message, help)
    sys.exit(code)


def complain(message: str, help: str | None = None) -> None:
    """Say what is wrong on standard error, where the command goes on."""
    from pipelang.interfaces.text.colours import painter

    paint = painter(wants_colour(sys.stderr))
    warn(f"{paint('error', 'bad')}: {message}")
    if help:
        warn(f"  {paint('help', 'people')}: {help}")


def read_program(file: str) -> tuple[p.Program, Sources]:
    """The program of a file, with the text of all its files. If it has errors, all that is found is
    told, and nothing comes back.
    """
    from pipelang.diagnostics.render import as_text
    from pipelang.interfaces.check.disk_loader import DiskLoader, quotable
    from pipelang.interfaces.check.pipe_paths import pipe_files
    from pipelang.semantics.build import build

    if os.path.isdir(file or "."):
        stop(f"`{file}` is a folder: name one .pipe file")
    _, missing = pipe_files([file])
    for found in missing:
        stop(found.message, USAGE, found.help)
    built = build(file, DiskLoader())
    if built.program is None:
        colour, width = wants_colour(sys.stderr), text_width(sys.stderr)
        sources = quotable(built.sources, file)
        texts = [as_text(one, sources, colour, width) for one in built.diagnostics]
        warn("\n\n".join(texts))
        sys.exit(FINDINGS)
    return built.program, built.sources


def chosen(program: p.Program, name: str | None) -> list[str]:
    """The pipeline that was named, or all of them."""
    names = list(program.pipelines)
    if name is None:
        return names
    if name not in names:
        close = closest(name, names)
        help = f"did you mean `{close}`?" if close else f"there are: {', '.join(names)}"
        stop(f"`{program.file}` has no pipeline `{name}`", USAGE, help if names else None)
    return [name]


def load_program(
    file: str,
    allow: Collection[str] = (),
    loader: Loader | None = None,
    tiers: Mapping[str, str] | None = None,
) -> Verified:
    """The program of a file, ready to run; ends the command if it is refused. `allow` are codes of
    findings about behaviour that do not count; `tiers` stand in for its own.
    """
    from pipelang.interfaces.check.pipe_paths import pipe_files
    from pipelang.interfaces.loading import CheckFailed, load_verified

    if os.path.isdir(file or "."):
        stop(f"`{file}` is a folder: name one .pipe file")
    _, missing = pipe_files([file])
    if missing:
        stop(missing[0].message, USAGE, missing[0].help)
    try:
        return load_verified(file, allow=allow, loader=loader, tiers=tiers)
    except CheckFailed as failed:
        warn(str(failed))
        sys.exit(FINDINGS)


def pick_pipeline(loaded: LoadedProgram, file: str, name: str | None) -> str:
    """The pipeline that was named, or the only one; ends the command if there is none to take."""
    names = loaded.pipelines
    if name is None:
        if not names:
            stop(f"`{file}` has no pipeline")
        if len(names) > 1:
            stop(f"`{file}` has {len(names)} pipelines: name one of {', '.join(names)}")
        return names[0]
    if name not in names:
        close = closest(name, names)
        help = f"did you mean `{close}`?" if close else f"there are: {', '.join(names)}"
        stop(f"`{file}` has no pipeline `{name}`", USAGE, help)
    return name


_SOURCES = (".pipe", ".jsonl")
"""Files that people write or collect, and that no command makes anew but by another option."""


def must_be_replaceable(out: str, makes: str | None = None) -> None:
    """End the command if what is made would replace a file that it was made of, or its like; what
    it `makes` itself may be made again.
    """
    suffix = os.path.splitext(out)[1]
    if suffix in _SOURCES and suffix != makes and os.path.exists(out):
        help = "name another file: what is there would be lost"
        stop(f"`{out}` is there already, and is no output", USAGE, help)


def deliver(text: str, out: str | None, makes: str | None = None) -> None:
    """To a file, as UTF-8 with line feeds; to standard output without one, or for `-`."""
    if out is None or out == "-":
        write(text)
        return
    must_be_replaceable(out, makes)
    from pipelang.runtime.files.whole_files import write_whole

    try:
        write_whole(out, text.encode())
    except OSError as error:
        stop(f"`{out}` cannot be written: {error.strerror or error}")
