"""`pipelang check --fix`: what can be mended safely is written, or shown with `--diff`."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.interfaces.check.fix import drafted, is_unchanged
from pipelang.interfaces.check.pipe_paths import pipe_files
from pipelang.interfaces.check.profiles.config import CheckSettings
from pipelang.interfaces.cli.fmt import difference
from pipelang.interfaces.cli.terminal import warn, write
from pipelang.interfaces.text.number_format import plural
from pipelang.runtime.files.whole_files import replace_whole


def fix(paths: Sequence[str], show: bool, asked: CheckSettings) -> int:
    """Mend some files or folders; how many files that changes, or would change with `show`.

    What was done goes to standard error, so that a report or a diff has standard output alone.
    """
    files, _ = pipe_files(paths or (".",))
    changed = mended = 0
    for change in drafted(files, asked):
        if show:
            write(difference(change.path, change.before, change.after))
        elif not _written(change.path, change.after, is_unchanged(change)):
            continue
        for line in change.mended:
            warn(line)
        changed += 1
        mended += len(change.mended)
    done = "would mend" if show else "mended"
    if changed:
        warn(f"{done} {plural(mended, 'finding')} in {plural(changed, 'file')}")
    else:
        warn("nothing that can be mended safely")
    return changed


def _written(path: str, text: str, unchanged: bool) -> bool:
    if not unchanged:
        warn(f"pipelang: {path} has changed meanwhile and is left alone")
        return False
    try:
        replace_whole(path, text.encode())
    except OSError as error:
        warn(f"pipelang: {path} cannot be written: {error.strerror or error}")
        return False
    return True
