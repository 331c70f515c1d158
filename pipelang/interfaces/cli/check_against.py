"""`pipelang check --against`: what a change does to the figures."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from pipelang.interfaces.checking import Checked, check_file, pipe_files, with_review
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.semantics.loading import Loader

FINDINGS, USAGE = 1, 2


class _Stop(Exception):
    """The line cannot be done; what is said of it."""


def against(paths: tuple[str, ...], other: str, form: str, strict: bool) -> int:
    """Compare files with another file, or with themselves at a revision; the exit code is that of
    a check of the files.
    """
    try:
        before, after = _versions(paths, other)
    except _Stop as stop:
        warn(f"pipelang check: {stop}")
        return USAGE
    from pipelang.interfaces.differences import differences

    found = differences(before, after, other)
    if form == "json":
        from pipelang.diagnostics.render import dumps

        write(dumps(found.as_json()) + "\n")
    elif form == "markdown":
        from pipelang.interfaces.report.differences import differences_markdown

        write(differences_markdown(found))
    else:
        from pipelang.interfaces.report.differences import differences_text
        from pipelang.interfaces.report.paint import painter

        paint = painter(wants_colour(sys.stdout))
        write(differences_text(found, paint, text_width(sys.stdout)))
    counts = ("error", "warning") if strict else ("error",)
    bad = any(one.severity.value in counts for checked in after for one in checked.diagnostics)
    return FINDINGS if bad else 0


def _versions(paths: tuple[str, ...], other: str) -> tuple[list[Checked], list[Checked]]:
    """The files as they were, and as they are."""
    files, missing = pipe_files(paths or (".",))
    for one in missing:
        raise _Stop(one.message)
    if os.path.isfile(other):
        if len(files) != 1:
            raise _Stop(f"one file is compared with `{other}`, and {len(files)} were given")
        return _checked([other]), _checked(files)
    from pipelang.interfaces.revisions import NoRevision, at_revision

    try:
        loader = at_revision(other, files[0])
        there = [path for path in files if loader.read(path) is not None]
    except NoRevision as error:
        raise _Stop(str(error)) from error
    return _checked(there, loader), _checked(files)


def _checked(paths: list[str], loader: Loader | None = None) -> list[Checked]:
    checked = with_review([check_file(path, loader, alone=False) for path in paths])
    for one in checked:
        if one.program is None:
            _broken(one, loader is not None)
    return checked


def _broken(checked: Checked, before: bool) -> NoReturn:
    """A file with errors that keep it from being a program has no figures to compare."""
    first = next(found for found in checked.diagnostics if found.is_error)
    when = " at that revision" if before else ""
    raise _Stop(f"`{checked.path}`{when} has errors, so it has no figures: {first.message}")
