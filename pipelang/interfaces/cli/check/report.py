"""Runs a check and renders its findings and reports in the format that was asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from pipelang.diagnostics import Diagnostic, Sources, codes
from pipelang.interfaces.check.check import Checked, check_file, with_review
from pipelang.interfaces.check.disk_loader import SeeingLoader
from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.interfaces.check.pipe_paths import pipe_files
from pipelang.interfaces.check.profiles.config import CheckSettings
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.cli.check.cache import CachedOutput
from pipelang.interfaces.cli.check.command_line import CheckLine
from pipelang.interfaces.cli.check.settings import read_settings_of
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE


def outcome(line: CheckLine, seen: FileSnapshot, width: int, colour: bool) -> CachedOutput:
    """Check what a line names. What is read of the disk is added to `seen`."""
    mistake = _no_codes(line)
    if mistake:
        return CachedOutput("", mistake, USAGE)
    asked = read_settings_of(line)
    if isinstance(asked, str):
        return CachedOutput("", f"pipelang: {asked}", USAGE)
    checked, missing = check_all(line.paths, seen, asked)
    if missing:
        seen.settled = False  # what is suggested instead hangs on other files
    if line.form in ("text", "json"):
        from pipelang.interfaces.check.advice import with_advice

        checked = with_advice(checked, everything=line.verbose)
    if line.form == "text":
        from pipelang.interfaces.report.text import report_text

        output = report_text(checked, missing, width=width, colour=colour, verbose=line.verbose)
    else:
        output = _for_machines(line, checked, missing)
    found = [diagnostic for one in checked for diagnostic in one.diagnostics]
    if missing or any(diagnostic.rule == codes.BAD_CONFIG for diagnostic in found):
        return CachedOutput(output, "", USAGE)
    failed = any(counts(diagnostic, line.strict) for diagnostic in found)
    return CachedOutput(output, "", FINDINGS if failed else 0)


def _no_codes(line: CheckLine) -> str:
    """The message about codes of a line that do not exist; empty if all do."""
    if not line.select and not line.ignore:
        return ""
    from pipelang.diagnostics.lookup import is_selector, meant

    return "\n".join(
        f"pipelang: {option}: there is no code `{word}`; {meant(word)}"
        for option, words in (("--select", line.select), ("--ignore", line.ignore))
        for word in words
        if not is_selector(word)
    )


def counts(diagnostic: Diagnostic, strict: bool) -> bool:
    """Whether a finding makes the check fail."""
    severity = diagnostic.severity.value
    return severity == "error" or (strict and severity == "warning")


def check_all(
    paths: Sequence[str], seen: FileSnapshot | None = None, asked: CheckSettings | None = None
) -> tuple[list[Checked], list[Diagnostic]]:
    """Every file that some paths name, checked; and what is said of paths that name none.

    Without a path, it is the current folder that is checked.
    """
    seen = seen or FileSnapshot()
    files, missing = pipe_files(paths or (".",), seen)
    loader = SeeingLoader(seen, paths)
    configs = Configs(loader, asked or CheckSettings())
    found = [check_file(path, loader, configs, alone=False) for path in files]
    return with_review(found), missing


def check_report(paths: Sequence[str]) -> dict[str, Any]:
    """The JSON report of some files or folders."""
    return as_report(*check_all(paths))


def as_report(checked: list[Checked], missing: list[Diagnostic]) -> dict[str, Any]:
    """The JSON report over some checked files, each finding once."""
    from pipelang.interfaces.check.check import report_json

    report = report_json(checked, missing)
    # What two files import is reported on by both.
    once = {tuple(found.items()): found for found in report["diagnostics"]}
    return {**report, "diagnostics": list(once.values())}


def _for_machines(line: CheckLine, checked: list[Checked], missing: list[Diagnostic]) -> str:
    from pipelang.diagnostics.render import as_github, dumps
    from pipelang.diagnostics.sarif import as_sarif
    from pipelang.version import __version__

    if line.form == "json":
        return dumps(as_report(checked, missing)) + "\n"
    sources: Sources = {}
    for one in checked:
        sources |= one.sources
    found = list(dict.fromkeys([*missing, *(d for one in checked for d in one.diagnostics)]))
    root = os.getcwd()
    if line.form == "sarif":
        return dumps(as_sarif(found, sources, __version__, root)) + "\n"
    return "".join(f"{as_github(diagnostic, sources, root)}\n" for diagnostic in found)
