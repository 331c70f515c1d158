"""`pipelang fmt`: the one layout for files, folders, and what comes in on standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.terminal import wants_colour, warn, write
from pipelang.records import dataclass, field

if TYPE_CHECKING:
    from pipelang.diagnostics import Diagnostic, Sources

STDIN = "<stdin>"


@dataclass(slots=True)
class Tally:
    """The files by result: names of the changed ones, counts of the others."""

    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    broken: int = 0


@click.command(name="fmt", short_help="Bring files into the one layout.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if something would.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[str, ...], check: bool, diff: bool) -> None:
    """Format files or folders (the current one by default); `-` reads standard input.

    A file with syntax errors is reported and left as it is. Exit code 0 if all is well, 1 if a file
    has errors (with --check: or would change), 2 if a path is not there.
    """
    from pipelang.interfaces.check.pipe_paths import pipe_files

    if "-" in paths:
        if len(paths) > 1:
            raise click.UsageError("`-` stands alone: standard input and files don't mix")
        ctx.exit(_standard_input(check, diff))
    files, missing = pipe_files(paths or (".",))
    tally = Tally()
    for path in files:
        _file(path, tally, check, diff)
    _tell(missing, {})
    _summary(tally, check or diff, diff)
    failed = tally.broken or (check and tally.changed)
    ctx.exit(USAGE if missing else FINDINGS if failed else 0)


def _file(path: str, tally: Tally, check: bool, diff: bool) -> None:
    """Format one file in its place, or say what that would do."""
    before = _read(path)
    after = None if before is None else _formatted(path, before)
    if before is None or after is None:
        tally.broken += 1
        return
    if after == before:
        tally.unchanged += 1
        return
    if diff:
        write(difference(path, before, after))
    if not (check or diff):
        from pipelang.runtime.files.whole_files import replace_whole

        try:
            replace_whole(path, after.encode())
        except OSError as error:
            warn(f"pipelang: {path} cannot be written: {error.strerror or error}")
            tally.broken += 1
            return
    tally.changed.append(path)


def _read(path: str) -> str | None:
    """The text of a file; None if it has none, which is told."""
    from pipelang.diagnostics import codes, report
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.semantics.loader import Unreadable

    try:
        text = DiskLoader().read(path)
    except Unreadable as problem:
        _tell([report(codes.NOT_TEXT, None, file=path, why=problem)], {})
        return None
    if text is None:  # gone since it was listed
        _tell([report(codes.MISSING_FILE, None, path=path)], {})
    return text


def _formatted(name: str, text: str) -> str | None:
    """The text in its layout, with the line ends that it has; None if it has syntax errors, which
    are told.
    """
    from pipelang.diagnostics import Source, has_errors
    from pipelang.syntax.format import format_source

    # A mark may stand before that of the file itself, and is not read then either.
    source = Source(name, text.removeprefix("\ufeff"))
    after, found = format_source(source)
    if has_errors(found):
        _tell([one for one in found if one.is_error], {name: source})
        return None
    return _BARE.sub("\r\n", after) if _ends_in_crlf(text) else after


_BARE = re.compile("(?<!\r)\n")


def _ends_in_crlf(text: str) -> bool:
    """Whether most lines end as Windows ends them, as git checks them out there."""
    return 2 * text.count("\r\n") > text.count("\n")


def _tell(found: Iterable[Diagnostic], sources: Sources) -> None:
    from pipelang.diagnostics.render import as_text

    for diagnostic in found:
        warn(as_text(diagnostic, sources, wants_colour(sys.stderr)))


def _standard_input(check: bool, diff: bool) -> int:
    """Standard input to standard output; nothing comes out of what has errors."""
    try:
        before = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        warn(f"pipelang: standard input is not UTF-8 text: byte {error.start}")
        return FINDINGS
    after = _formatted(STDIN, before)
    if after is None:
        return FINDINGS
    if diff:
        write(difference(STDIN, before, after))
    elif not check:
        sys.stdout.flush()
        sys.stdout.buffer.write(after.encode())
        sys.stdout.buffer.flush()
    return FINDINGS if check and after != before else 0


def difference(name: str, before: str, after: str) -> str:
    """A unified diff, as `patch` takes it."""
    from difflib import unified_diff

    old, new = (text.splitlines(keepends=True) for text in (before, after))
    lines = []
    for line in unified_diff(old, new, name, name):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _summary(tally: Tally, dry: bool, diff: bool) -> None:
    """Names and counts; on standard error where a diff has standard output for itself."""
    from pipelang.interfaces.text.number_format import listed, plural

    say = warn if diff else (lambda text: write(f"{text}\n"))
    for path in tally.changed:
        say(f"{'would format' if dry else 'formatted'} {path}")
    parts = []
    if tally.changed:
        parts.append(f"{plural(len(tally.changed), 'file')} {'would change' if dry else 'changed'}")
    if tally.unchanged:
        parts.append(f"{plural(tally.unchanged, 'file')} already in layout")
    if tally.broken:
        parts.append(f"{plural(tally.broken, 'file')} left alone")
    if parts:
        say(listed(parts))
