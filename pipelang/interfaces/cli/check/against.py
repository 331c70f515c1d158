"""`pipelang check --against`: what a change does, beside a revision or other files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from pipelang.interfaces.check.check import Checked, check_file, with_review
from pipelang.interfaces.check.compare import Against, against, against_json
from pipelang.interfaces.check.git_revision import (
    NoRevision,
    Revision,
    RevisionLoader,
    find_revision,
)
from pipelang.interfaces.check.profiles.config import CheckSettings
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.cli.check.command_line import CheckLine
from pipelang.interfaces.cli.check.report import check_all, counts
from pipelang.interfaces.cli.check.settings import settings_of
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, write

FORMATS = ("text", "json", "markdown")


def check_against(line: CheckLine, other: str) -> int:
    """Print what differs from what was at `other`; the exit code is that of a check of what is."""
    if line.form not in FORMATS:
        known = ", ".join(FORMATS)
        stop(f"--against does not go with --format {line.form}", USAGE, f"it prints {known}")
    if line.import_tools:
        stop("--against does not go with --import-tools", USAGE, "check the tools by themselves")
    paths = line.paths or (".",)
    asked = settings_of(line)
    before, commit = _before(paths, other, asked)
    after, missing = check_all(paths, asked=asked)
    for found in missing:
        stop(found.message, USAGE, found.help)
    write(_shown(against(before, after, other, commit), line, after))
    found_now = [diagnostic for one in after for diagnostic in one.diagnostics]
    return FINDINGS if any(counts(one, line.strict) for one in found_now) else 0


def _before(
    paths: Sequence[str], other: str, asked: CheckSettings
) -> tuple[list[Checked], str | None]:
    """The other side, checked, and the hash of a revision. Ends the process on a mistake."""
    if _is_path(other):
        return _files(other, asked), None
    try:
        revision = find_revision(other, paths[0])
    except NoRevision as wrong:
        if os.path.exists(other):
            return _files(other, asked), None
        why, help = wrong.args
        stop(f"{why}, and no file `{other}`" if "no revision" in why else why, USAGE, help)
    try:
        return _at(revision, paths, asked), revision.commit
    except NoRevision as wrong:
        why, help = wrong.args
        stop(why, USAGE, help)


def _is_path(other: str) -> bool:
    """Whether something is meant as a file: a revision is looked for first where it may be both."""
    looks = other.endswith(".pipe") or other.startswith((".", "/")) or os.path.isabs(other)
    return looks and os.path.exists(other)


def _files(other: str, asked: CheckSettings) -> list[Checked]:
    files, missing = check_all([other], asked=asked)
    for found in missing:
        stop(found.message, USAGE, found.help)
    return files


def _at(revision: Revision, paths: Sequence[str], asked: CheckSettings) -> list[Checked]:
    files = dict.fromkeys(path for given in paths for path in revision.pipes(given))
    if not files:
        named = f"`{paths[0]}`" if len(paths) == 1 else "none of these paths"
        verb = "is not" if len(paths) == 1 else "is"
        why = f"{named} {verb} in `{revision.name}` ({revision.commit[:10]})"
        if len(paths) == 1 and os.path.isdir(paths[0]):
            why = f"{named} has no .pipe file in `{revision.name}` ({revision.commit[:10]})"
        help = "a file that is new has nothing to be compared with; a renamed one: --against FILE"
        raise NoRevision(why, help)
    loader = RevisionLoader(revision)
    configs = Configs(loader, asked)
    return with_review([check_file(path, loader, configs, alone=False) for path in files])


def _shown(found: Against, line: CheckLine, after: list[Checked]) -> str:
    match line.form:
        case "json":
            from pipelang.diagnostics.render import dumps
            from pipelang.interfaces.check.advice import with_advice
            from pipelang.interfaces.cli.check.report import as_report

            report = as_report(with_advice(after, line.verbose), [])
            return dumps({**report, "against": against_json(found)}) + "\n"
        case "markdown":
            from pipelang.interfaces.report.changes.markdown import against_markdown

            return against_markdown(found)
        case _:
            from pipelang.interfaces.report.changes.text import against_text
            from pipelang.interfaces.text.colours import painter

            colour, width = wants_colour(sys.stdout), text_width(sys.stdout)
            return against_text(found, width, painter(colour), colour, line.verbose)
