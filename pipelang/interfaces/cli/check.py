"""`pipelang check`: findings and the reliability report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write

if TYPE_CHECKING:
    from pipelang.diagnostics import Diagnostic, Sources
    from pipelang.interfaces.checking import Checked

FINDINGS, USAGE = 1, 2


@click.command(name="check", short_help="Say how pipelines will behave, before anything runs.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="How to print it; everything but text is for machines.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--profile",
    type=click.Choice(["demo", "production"]),
    default="demo",
    help="How much is demanded of a pipeline.",
)
@click.option("--verbose", is_flag=True, help="Leave nothing out of the text report.")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    form: str,
    strict: bool,
    profile: str,
    verbose: bool,
) -> None:
    """Check files or folders (the current one by default), and report on every pipeline.

    Nothing is run and nothing is imported. Exit code 0 if there are no errors (with --strict: no
    warnings either), 1 if there are, 2 if a path is not there.
    """
    if profile == "production":
        warn("pipelang: this version checks what `demo` demands; `production` demands more later")
    checked, missing = check_all(paths or (".",))
    if form == "text":
        from pipelang.interfaces.report.text import report_text

        out = sys.stdout
        width, colour = text_width(out), wants_colour(out)
        write(report_text(checked, missing, width=width, colour=colour, verbose=verbose))
    else:
        write(_for_machines(form, checked, missing))
    found = [diagnostic for one in checked for diagnostic in one.diagnostics]
    failed = any(_counts(diagnostic, strict) for diagnostic in found)
    ctx.exit(USAGE if missing else FINDINGS if failed else 0)


def _counts(diagnostic: Diagnostic, strict: bool) -> bool:
    severity = diagnostic.severity.value
    return severity == "error" or (strict and severity == "warning")


def check_all(paths: Sequence[str]) -> tuple[list[Checked], list[Diagnostic]]:
    """Every file that some paths name, checked; and what is said of paths that name none."""
    from pipelang.interfaces.checking import check_file, pipe_files

    files, missing = pipe_files(paths)
    return [check_file(path) for path in files], missing


def check_report(paths: Sequence[str]) -> dict[str, Any]:
    """The JSON report of some files or folders."""
    return _json(*check_all(paths))


def _json(checked: list[Checked], missing: list[Diagnostic]) -> dict[str, Any]:
    from pipelang.interfaces.checking import report_json

    report = report_json(checked, missing)
    # What two files import is reported on by both.
    once = {tuple(found.items()): found for found in report["diagnostics"]}
    return {**report, "diagnostics": list(once.values())}


def _for_machines(form: str, checked: list[Checked], missing: list[Diagnostic]) -> str:
    from pipelang.diagnostics.render import as_github, as_sarif, dumps
    from pipelang.version import __version__

    if form == "json":
        return dumps(_json(checked, missing)) + "\n"
    sources: Sources = {}
    for one in checked:
        sources |= one.sources
    found = list(dict.fromkeys([*missing, *(d for one in checked for d in one.diagnostics)]))
    if form == "sarif":
        return dumps(as_sarif(found, sources, __version__)) + "\n"
    return "".join(f"{as_github(diagnostic, sources)}\n" for diagnostic in found)
