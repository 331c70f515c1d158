"""`pipelang test`: runs the `test` blocks of some files, without any model."""

from __future__ import annotations

import asyncio
import json
import sys

import click

from pipelang.diagnostics import has_errors
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.check import pipe_files
from pipelang.interfaces.check.disk_loader import DiskLoader
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
        click.echo(as_text(diagnostic, {}), err=True)
    if missing:
        sys.exit(2)
    broken = False
    results: list[dict[str, object]] = []
    for path in files:
        built = build(path, DiskLoader())
        if built.program is None or has_errors(built.diagnostics):
            broken = True
            for diagnostic in built.diagnostics:
                if diagnostic.is_error:
                    click.echo(as_text(diagnostic, built.sources), err=True)
            continue
        results += asyncio.run(_run_file(path, built, only, form == "text"))
    failed = sum(1 for result in results if not result["passed"])
    if form == "json":
        click.echo(json.dumps({"version": 1, "tests": results}, indent=2, ensure_ascii=False))
    elif results:
        click.echo(f"{len(results) - failed} passed, {failed} failed")
    else:
        click.echo("no tests ran", err=True)
    sys.exit(1 if failed or broken else 0 if results else 2)


async def _run_file(
    path: str, built: Built, only: str | None, show: bool
) -> list[dict[str, object]]:
    from pipelang.runtime.host.handle import LoadedProgram
    from pipelang.runtime.host.pipeline_tests import run_test

    assert built.program is not None
    loaded = LoadedProgram(built.program)
    results: list[dict[str, object]] = []
    tests = [test for test in built.program.tests if only is None or only in test.title]
    if tests and show:
        click.echo(path)
    for test in tests:
        result = await run_test(loaded, test)
        misses = []
        for miss in result.misses:
            source = built.sources[miss.span.file]
            misses.append({"message": miss.message, "line": source.position(miss.span.start).line})
        passed = not misses
        results.append({"file": path, "title": test.title, "passed": passed, "misses": misses})
        if show:
            mark = click.style("ok  ", fg="green") if passed else click.style("FAIL", fg="red")
            click.echo(f"  {mark} {test.title}")
            for found in misses:
                click.echo(f"         {path}:{found['line']}: {found['message']}")
    return results
