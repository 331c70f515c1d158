"""`pipelang tune`: the cheapest assignment that keeps every promise, and what costs what."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.exit_codes import FINDINGS, INTERRUPTED, USAGE
from pipelang.interfaces.cli.programs import chosen, deliver, stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn

if TYPE_CHECKING:
    from pipelang.analysis.tuning.tune import Tuned
    from pipelang.interfaces.check.check import Checked

ASSUMED = {
    "accuracy": "95%",
    "available": "99%",
    "correlation": "30%",
    "hard": "10%",
    "hits": "30%",
    "recovers": "50%",
    "succeeds": "99%",
    "transient": "1%",
}
"""Examples of what may be assumed; a test holds the words to those that `--assume` takes."""


@click.command(
    name="tune", short_help="Find the cheapest settings, tiers and retries that keep every promise."
)
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--write", "write_it", is_flag=True, help="Set the file to the cheapest one found.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "svg"]),
    default="text",
    help="How to print it; svg draws the fronts of one pipeline.",
)
@click.option(
    "--budget",
    type=click.IntRange(1, 1_000_000),
    default=5_000,
    show_default=True,
    help="Combinations that are worked out at most.",
)
@click.option(
    "-o", "--output", "--out", "out", metavar="OUT", help="A file instead of standard output."
)
@click.option(
    "--assume",
    multiple=True,
    metavar="NAME=SHARE",
    help="Take this for what nobody declared: accuracy=95%.",
)
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    pipeline: str | None,
    write_it: bool,
    form: str,
    budget: int,
    out: str | None,
    assume: tuple[str, ...],
) -> None:
    """Search the settings of FILE within their ranges, the thresholds that have evidence, the tiers
    of steps whose accuracy is declared tier by tier, and up to 3 retries, for the cheapest
    combination that keeps every promise (`slo`) of PIPELINE (all by default).

    Every combination is worked out exactly, as `check` would, with every cut that the evidence
    offers for a threshold. Few are all tried; of many, those that differ little from the best ones.
    Thresholds are scored on rows that did not choose them. Ctrl-C ends the search with the best so
    far.

    Exit code 0 if every promise can be kept, 1 if not, 2 if the command was called wrongly, 130 if
    it was interrupted.
    """
    checked = _checked(file, assume)
    assert checked.program is not None
    names = chosen(checked.program, pipeline)
    if form == "svg" and len(names) != 1:
        stop("a picture shows one pipeline", USAGE, f"name one of: {', '.join(names)}")
    if write_it and len(names) != 1:
        stop("--write sets one pipeline", USAGE, f"name one of: {', '.join(names)}")
    if not names:
        warn(f"note: `{file}` has no pipeline")
    results: list[Tuned] = []
    for name in names:
        tuned = _tuned(checked, name, budget)
        if tuned is not None:
            results.append(tuned)
        if tuned is not None and tuned.found.interrupted:
            break
    if results or form == "json":
        deliver(_shown(results, checked, form), out)
    wrote = not write_it or _written(results, checked)
    if any(tuned.found.interrupted for tuned in results):
        warn("interrupted: that is the best so far")
        ctx.exit(INTERRUPTED)
    kept = all(tuned.best is not None or not tuned.pipeline.slo for tuned in results)
    ctx.exit(0 if wrote and kept and len(results) == len(names) else FINDINGS)


def _checked(file: str, assume: tuple[str, ...]) -> Checked:
    """The file, which must be a program; ends the process if it is none."""
    from pipelang.interfaces.check.assumptions import assumptions
    from pipelang.interfaces.check.check import Checked
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.interfaces.cli.check.command_line import listed
    from pipelang.interfaces.cli.programs import read_program
    from pipelang.semantics.build import build

    assumed = assumptions(listed(assume))
    if isinstance(assumed, str):
        stop(f"--assume: {assumed}", USAGE)
    program, sources = read_program(file)
    if assumed:
        built = build(file, DiskLoader(), assumed=dict(assumed))
        assert built.program is not None
        program, sources = built.program, built.sources
    return Checked(file, program, (), (), sources, assumed=dict(assumed))


def _tuned(checked: Checked, name: str, budget: int) -> Tuned | None:
    """The result of tuning one pipeline; None, with a message, where its figures are not known."""
    from pipelang.analysis.tuning.tune import tune
    from pipelang.interfaces.check.advice import bench_of

    assert checked.program is not None
    pipeline = checked.program.pipelines[name]
    with _progress(name) as tick:
        tuned = tune(bench_of(checked), pipeline, budget, tick)
    if tuned is None:
        from pipelang.analysis.metrics.analyse import analyse
        from pipelang.interfaces.report.sections.basis import site_name

        sites = analyse(checked.program, pipeline).unknown
        unknown = list(dict.fromkeys(site_name(site, name) for site in sites))
        named = ", ".join(f"`{site}`" for site in unknown[:5]) or "a length"
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        warn(f"pipelang: `{name}` cannot be tuned yet: nobody declared {named}{more}")
        words = {site.rpartition(".")[2] for site in sites}
        assumed = [f"{word}={share}" for word, share in ASSUMED.items() if word in words]
        or_assume = f"; or --assume {','.join(assumed)}" if assumed else ""
        warn(f"  help: `pipelang check` gives the lines to paste{or_assume}")
    return tuned


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)

        def tick(done: int, total: int) -> None:
            bar.update(task, completed=done, total=max(done, total))

        yield tick


def _shown(results: list[Tuned], checked: Checked, form: str) -> str:
    if form == "svg":
        from pipelang.interfaces.export.front_svg import front_svg

        return front_svg(results[0])
    from pipelang.interfaces.report.tuned import tuned_json, tuned_text

    if form == "json":
        from pipelang.diagnostics.render import dumps

        found = {one.pipeline.name: tuned_json(one, checked.sources) for one in results}
        return dumps({"version": 1, "file": checked.path, "pipelines": found}) + "\n"
    from pipelang.interfaces.text.colours import painter

    paint, width = painter(wants_colour(sys.stdout)), text_width(sys.stdout)
    return "\n\n".join("\n".join(tuned_text(one, paint, width)) for one in results) + "\n"


def _written(results: list[Tuned], checked: Checked) -> bool:
    """Set the files to the best; whether that went well."""
    from pipelang.diagnostics import Edit
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.interfaces.check.fix import edited
    from pipelang.runtime.files.whole_files import replace_whole

    best = [(one, one.best) for one in results if one.best is not None]
    if not best:
        warn("pipelang: nothing is written: no combination keeps every promise")
        return False
    changes: dict[str, list[Edit]] = {}
    for tuned, point in best:
        for edit in tuned.edits(point):
            changes.setdefault(edit.span.file, []).append(edit)
    if not changes:
        warn("nothing to write: what is written is the best")
    for path, edits in changes.items():
        text = DiskLoader().read(path)
        if text is None or text.removeprefix("\ufeff") != checked.sources[path].text:
            warn(f"pipelang: {path} has changed meanwhile and is left alone")
            return False
        try:
            replace_whole(path, edited(text, edits).encode())
        except OSError as error:
            warn(f"pipelang: {path} cannot be written: {error.strerror or error}")
            return False
        warn(f"{path}: {len(edits)} set")
    return True
