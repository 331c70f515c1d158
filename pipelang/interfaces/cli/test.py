"""`pipelang test`: runs the `test` blocks of some files, without any model."""

from __future__ import annotations

import asyncio
import sys

import click

from pipelang.diagnostics import has_errors
from pipelang.diagnostics.columns import one_line
from pipelang.diagnostics.render import as_text, dumps
from pipelang.interfaces.check.check import pipe_files
from pipelang.interfaces.check.disk_loader import DiskLoader, quotable
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.text.colours import painter
from pipelang.semantics.build import Built, build


@click.command(name="test", short_help="Run the `test` blocks, without any model.")
@click.argument("paths", nargs=-1)
@click.option("-k", "only", default=None, help="Only tests whose title contains this.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(paths: tuple[str, ...], only: str | None, form: str) -> None:
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
        built = build(path, DiskLoader())
        if built.program is None or has_errors(built.diagnostics):
            broken = True
            sources = quotable(built.sources, path)
            colour, width = wants_colour(sys.stderr), text_width(sys.stderr)
            for diagnostic in built.diagnostics:
                if diagnostic.is_error:
                    warn(as_text(diagnostic, sources, colour, width))
            continue
        results += asyncio.run(_run_file(path, built, only, form == "text"))
    failed = sum(1 for result in results if not result["passed"])
    if form == "json":
        write(dumps({"version": 1, "tests": results}) + "\n")
    elif results:
        write(f"{len(results) - failed} passed, {failed} failed\n")
    else:
        warn("no tests ran")
    sys.exit(1 if failed or broken else 0 if results else 2)


async def _run_file(
    path: str, built: Built, only: str | None, show: bool
) -> list[dict[str, object]]:
    from pipelang.runtime.host.handle import LoadedProgram
    from pipelang.runtime.host.pipeline_tests import run_test

    assert built.program is not None
    loaded = LoadedProgram(built.program)
    paint = painter(wants_colour(sys.stdout))
    results: list[dict[str, object]] = []
    tests = [test for test in built.program.tests if only is None or only in test.title]
    if tests and show:
        write(f"{one_line(path)}\n")
    for test in tests:
        result = await run_test(loaded, test)
        misses = []
        for miss in result.misses:
            source = built.sources[miss.span.file]
            misses.append({"message": miss.message, "line": source.position(miss.span.start).line})
        passed = not misses
        results.append({"file": path, "title": test.title, "passed": passed, "misses": misses})
        if show:
            mark = paint("ok  ", "good") if passed else paint("FAIL", "bad")
            write(f"  {mark} {one_line(test.title)}\n")
            for found in misses:
                said = one_line(f"{path}:{found['line']}: {found['message']}")
                write(f"         {said}\n")
    return results
