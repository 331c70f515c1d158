"""`pipelang test`: runs the `test` blocks of some files, without any model."""

from __future__ import annotations

import asyncio
import sys

import click

from pipelang.diagnostics import Source, Span, has_errors
from pipelang.diagnostics.columns import one_line
from pipelang.diagnostics.render import as_text, dumps
from pipelang.interfaces.cache.programs import KeptProgram, entry_of, recall, remember
from pipelang.interfaces.check.disk_loader import DiskLoader, SeeingLoader, quotable
from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.interfaces.check.pipe_paths import pipe_files
from pipelang.interfaces.cli.options.cache import cache_option
from pipelang.interfaces.cli.options.tiers import StandIns, tier_option
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.text.colours import painter
from pipelang.semantics import program as p
from pipelang.semantics.loader import Unreadable


@click.command(name="test", short_help="Run the `test` blocks, without any model.")
@click.argument("paths", nargs=-1)
@click.option("-k", "only", default=None, help="Only tests whose title contains this.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@tier_option
@cache_option
def command(
    paths: tuple[str, ...], only: str | None, form: str, tiers: StandIns, cache: bool
) -> None:
    """Run the `test` blocks of files or folders (the current one by default).

    A test mocks what models, people and effects would say; reading tools run for real.
    Exit code 0 if all pass, 1 if one does not, 2 if there is nothing to run.
    """
    files, missing = pipe_files(paths or (".",))
    for diagnostic in missing:
        warn(as_text(diagnostic, {}))
    if missing:
        sys.exit(2)
    broken = False
    results: list[dict[str, object]] = []
    for path in files:
        program = _program(path, cache, tiers)
        if program is None:
            broken = True
        else:
            results += asyncio.run(_run_file(path, program, only, form == "text"))
    failed = sum(1 for result in results if not result["passed"])
    if form == "json":
        write(dumps({"version": 1, "tests": results}) + "\n")
    elif results:
        write(f"{len(results) - failed} passed, {failed} failed\n")
    else:
        warn("no tests ran")
    sys.exit(1 if failed or broken else 0 if results else 2)


def _program(path: str, cache: bool, tiers: StandIns) -> p.Program | None:
    """The program of a file, kept or built; None if it has errors, which are told."""
    place = entry_of("test", path, tiers) if cache else None
    kept = None if place is None else recall(place)
    if kept is not None:
        return kept.program
    from pipelang.semantics.build import build

    seen = FileSnapshot()
    built = build(path, SeeingLoader(seen), tiers=dict(tiers))
    if built.program is None or has_errors(built.diagnostics):
        sources = quotable(built.sources, path)
        colour, width = wants_colour(sys.stderr), text_width(sys.stderr)
        for diagnostic in built.diagnostics:
            if diagnostic.is_error:
                warn(as_text(diagnostic, sources, colour, width))
        return None
    if place is not None:
        remember(place, KeptProgram(built.program, None), seen)
    return built.program


def _line(span: Span) -> int:
    """The line of a place."""
    try:
        text = DiskLoader().read(span.file) or ""
    except Unreadable:
        text = ""
    return Source(span.file, text.removeprefix("\ufeff")).position(span.start).line


async def _run_file(
    path: str, program: p.Program, only: str | None, show: bool
) -> list[dict[str, object]]:
    from pipelang.runtime.host.handle import LoadedProgram
    from pipelang.runtime.host.pipeline_tests import run_test

    loaded = LoadedProgram(program)
    paint = painter(wants_colour(sys.stdout))
    results: list[dict[str, object]] = []
    tests = [test for test in program.tests if only is None or only in test.title]
    if tests and show:
        write(f"{one_line(path)}\n")
    for test in tests:
        result = await run_test(loaded, test)
        misses = [{"message": miss.message, "line": _line(miss.span)} for miss in result.misses]
        passed = not misses
        results.append({"file": path, "title": test.title, "passed": passed, "misses": misses})
        if show:
            mark = paint("ok  ", "good") if passed else paint("FAIL", "bad")
            write(f"  {mark} {one_line(test.title)}\n")
            for found in misses:
                said = one_line(f"{path}:{found['line']}: {found['message']}")
                write(f"         {said}\n")
    return results
