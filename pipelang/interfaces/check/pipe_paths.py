"""The `.pipe` files that the paths of a command line name."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.check.disk_loader import STANDARD_INPUT
from pipelang.interfaces.check.file_snapshot import FileSnapshot


def pipe_files(
    paths: Sequence[str], seen: FileSnapshot | None = None
) -> tuple[list[str], list[Diagnostic]]:
    """The `.pipe` files that some paths name: files as they are, folders with all inside.

    `seen` is told which folders were looked through.
    """
    seen = seen or FileSnapshot()
    files: list[str] = []
    found: list[Diagnostic] = []
    for given in paths:
        if given == STANDARD_INPUT:
            files.append(given)
        elif os.path.isdir(given or os.curdir):
            from pathlib import Path  # slow to import, and a file alone needs none of it

            inside = [str(Path(given, name)) for name in seen.pipes_below(given)]
            if not inside:
                help = "a pipeline stands in a file that ends in .pipe"
                found.append(
                    report(codes.MISSING_FILE, None, path=f"{given or os.curdir}/*.pipe", help=help)
                )
            files.extend(inside)
        elif os.path.exists(given):
            files.append(given)
        else:
            close = nearest(given)
            hint = f"did you mean `{close}`?" if close else None
            found.append(report(codes.MISSING_FILE, None, path=given, help=hint))
    return list(dict.fromkeys(files)), found


def nearest(given: str, suffix: str = ".pipe") -> str | None:
    """The file in a path's folder that is called most like it."""
    from pathlib import Path

    path = Path(given)
    folder = path.parent
    if not folder.is_dir():
        return None
    names = [entry.name for entry in folder.iterdir() if entry.suffix == suffix]
    close = closest(path.name, names)
    return str(folder / close) if close else None
