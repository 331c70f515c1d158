"""What `pipelang check` says: findings and the reliability report, in the form asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.diagnostics import Diagnostic, Sources
from pipelang.interfaces.checking import Checked, check_file, pipe_files, with_review
from pipelang.interfaces.cli.check_cache import Said
from pipelang.interfaces.cli.check_line import CheckLine
from pipelang.interfaces.disk import SeeingLoader
from pipelang.interfaces.seen import Seen
from pipelang.records import replace

FINDINGS, USAGE = 1, 2

NOT_YET = "pipelang: this version checks what `demo` demands; `production` demands more later"


def outcome(line: CheckLine, seen: Seen, width: int, colour: bool) -> Said:
    """Check what a line names. What is read of the disk is added to `seen`."""
    checked, missing = check_all(line.paths, seen)
    if line.import_tools:
        checked = [_with_bindings(one) for one in checked]
    if missing:
        seen.settled = False  # what is suggested instead hangs on other files
    if line.form == "text":
        from pipelang.interfaces.report.text import report_text

        output = report_text(checked, missing, width=width, colour=colour, verbose=line.verbose)
    else:
        output = _for_machines(line.form, checked, missing)
    found = [diagnostic for one in checked for diagnostic in one.diagnostics]
    failed = any(counts(diagnostic, line.strict) for diagnostic in found)
    errors = NOT_YET if line.profile == "production" else ""
    return Said(output, errors, USAGE if missing else FINDINGS if failed else 0)


def counts(diagnostic: Diagnostic, strict: bool) -> bool:
    """Whether a finding makes the check fail."""
    severity = diagnostic.severity.value
    return severity == "error" or (strict and severity == "warning")


def _with_bindings(checked: Checked) -> Checked:
    """What was found, and what importing the Python tools brings up."""
    from pipelang.interfaces.binding_check import check_bindings

    if checked.program is None:
        return checked
    more = check_bindings(checked.program)
    return replace(checked, diagnostics=(*checked.diagnostics, *more))


def check_all(
    paths: Sequence[str], seen: Seen | None = None
) -> tuple[list[Checked], list[Diagnostic]]:
    """Every file that some paths name, checked; and what is said of paths that name none.

    Without a path, it is the current folder that is checked.
    """
    seen = seen or Seen()
    files, missing = pipe_files(paths or (".",), seen)
    loader = SeeingLoader(seen)
    return with_review([check_file(path, loader, alone=False) for path in files]), missing


def check_report(paths: Sequence[str]) -> dict[str, Any]:
    """The JSON report of some files or folders."""
    return as_report(*check_all(paths))


def as_report(checked: list[Checked], missing: list[Diagnostic]) -> dict[str, Any]:
    """The JSON report over some checked files."""
    from pipelang.interfaces.checking import report_json

    report = report_json(checked, missing)
    # What two files import is reported on by both.
    once = {tuple(found.items()): found for found in report["diagnostics"]}
    return {**report, "diagnostics": list(once.values())}


def _for_machines(form: str, checked: list[Checked], missing: list[Diagnostic]) -> str:
    from pipelang.diagnostics.render import as_github, dumps
    from pipelang.diagnostics.sarif import as_sarif
    from pipelang.version import __version__

    if form == "json":
        return dumps(as_report(checked, missing)) + "\n"
    sources: Sources = {}
    for one in checked:
        sources |= one.sources
    found = list(dict.fromkeys([*missing, *(d for one in checked for d in one.diagnostics)]))
    if form == "sarif":
        return dumps(as_sarif(found, sources, __version__)) + "\n"
    return "".join(f"{as_github(diagnostic, sources)}\n" for diagnostic in found)
