"""`pipelang run`: runs a pipeline with live progress, prints the outcome and the trace."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.report.paint import painter
from pipelang.interfaces.state import DEFAULT

if TYPE_CHECKING:
    from pipelang.interfaces.inputs import Inputs
    from pipelang.interfaces.running import Setup
    from pipelang.runtime.embedding import Handle, LoadedProgram
    from pipelang.runtime.outcomes import Result

PROVIDERS = ("auto", "anthropic", "replay", "simulated")
PEOPLE = ("inbox", "nobody")


@click.command(name="run", short_help="Run a pipeline on one input or on many.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--input", "given", help="JSON, @file.json, @file.jsonl (many runs), or - for stdin.")
@click.option("--line", type=int, help="Run only this line of a .jsonl file.")
@click.option(
    "--provider",
    type=click.Choice(PROVIDERS),
    default="auto",
    show_default=True,
    help="auto: a real model if a key is set, else a recording, else simulated answers.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For simulated answers.")
@click.option("--tenant", help="Whose run this is.")
@click.option(
    "--people",
    type=click.Choice(PEOPLE),
    help="inbox: they answer by `pipelang approve`. Default: inbox with real models, else nobody.",
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Turn a setting.")
@click.option("--content", is_flag=True, help="Show what was answered in the trace.")
@click.option(
    "--state",
    default=DEFAULT,
    show_default=True,
    help="The folder of the inbox, kill switches, caches and memories.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(
    file: str,
    pipeline: str | None,
    given: str | None,
    line: int | None,
    provider: str,
    seed: int,
    tenant: str | None,
    people: str | None,
    settings: tuple[str, ...],
    content: bool,
    state: str,
    form: str,
) -> None:
    """Run PIPELINE of FILE (it may be left out where there is only one).

    Exit code 0 when answered, escalated or rejected, 1 when failed or on bad input, 2 on wrong
    usage, 130 when interrupted.
    """
    from pathlib import Path

    from pipelang.interfaces.cli.run_people import plug_people
    from pipelang.interfaces.cli.run_plugs import as_set, plug, ready
    from pipelang.interfaces.inputs import BadInput, read_inputs
    from pipelang.interfaces.running import NoProvider, set_up
    from pipelang.interfaces.state import StateFolder

    folder = StateFolder(Path(state))
    loaded = as_set(load_program(file), settings)
    name = pick_pipeline(loaded, file, pipeline)
    try:
        inputs = read_inputs(given, line)
    except BadInput as error:
        stop(str(error), 1)
    try:
        setup = set_up(file, loaded, provider, seed, folder)
    except NoProvider as error:
        stop(str(error), 2)
    about_people = plug_people(setup, loaded, name, people, folder)
    plug(setup, file, folder)
    handle = _handle(loaded, name, setup)
    ready(handle, setup)
    for note in (setup.note, about_people):
        if note and form == "text":
            click.echo(f"note: {note}", err=True)
    code = _run(handle, inputs, setup, form, content, tenant)
    sys.exit(code)


def stop(message: str, code: int, help: str | None = None) -> NoReturn:
    paint = painter(wants_colour(sys.stderr))
    warn(f"{paint('error', 'bad')}: {message}")
    if help:
        warn(f"  {paint('help', 'people')}: {help}")
    sys.exit(code)


def load_program(file: str) -> LoadedProgram:
    import os

    from pipelang.interfaces.checking import pipe_files
    from pipelang.interfaces.loading import CheckFailed, load

    if os.path.isdir(file):
        stop(f"`{file}` is a folder: name one .pipe file", 2)
    _, missing = pipe_files([file])
    if missing:
        stop(missing[0].message, 2, missing[0].help)
    try:
        return load(file)
    except CheckFailed as failed:
        click.echo(str(failed), err=True)
        sys.exit(1)


def pick_pipeline(loaded: LoadedProgram, file: str, name: str | None) -> str:
    names = loaded.pipelines
    if name is None:
        if len(names) == 1:
            return names[0]
        if not names:
            stop(f"`{file}` has no pipeline", 2)
        stop(f"`{file}` has {len(names)} pipelines: name one of {', '.join(names)}", 2)
    elif name not in names:
        close = get_close_matches(name, names, n=1)
        help = f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(names)}"
        stop(f"`{file}` has no pipeline `{name}`", 2, help)
    assert name is not None
    return name


def _handle(loaded: LoadedProgram, name: str, setup: Setup) -> Handle:
    from pipelang.diagnostics import Source
    from pipelang.runtime.embedding import NotRunnable
    from pipelang.runtime.tools import ToolMissing

    try:
        return loaded.pipeline(name, runtime=setup.runtime)
    except ToolMissing as missing:
        where = ""
        if missing.span is not None and missing.span.file:
            try:
                with open(missing.span.file, encoding="utf-8") as opened:
                    source = Source(missing.span.file, opened.read())
                position = source.position(missing.span.start)
                where = f"{missing.span.file}:{position.line}:{position.column}: "
            except OSError:
                pass
        stop(f"{where}{missing}", 1, missing.help)
        raise
    except NotRunnable as error:
        stop(str(error), 1)
        raise


def _run(
    handle: Handle, inputs: Inputs, setup: Setup, form: str, content: bool, tenant: str | None
) -> int:
    from pipelang.runtime.embedding import InputError

    try:
        if inputs.many:
            return asyncio.run(_many(handle, inputs, setup, form, tenant))
        return asyncio.run(_one(handle, inputs.rows[0][1], setup, form, content, tenant))
    except InputError as error:
        stop(str(error), 1)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 130


async def _one(
    handle: Handle,
    given: dict[str, Any],
    setup: Setup,
    form: str,
    content: bool,
    tenant: str | None,
) -> int:
    from pipelang.interfaces.report.outcome import outcome_json, outcome_text
    from pipelang.interfaces.report.trace import trace_lines
    from pipelang.runtime.interpreter import run_pipeline
    from pipelang.runtime.progress import Progress
    from pipelang.runtime.run import so_far

    paint = painter(wants_colour(sys.stdout))
    progress = Progress(handle.pipeline)
    live = sys.stderr.isatty() and form == "text"

    def show(run_id: str, event: Any) -> None:
        update = progress.update(event)
        if update is not None and live:
            line = f"{update.progress:3d}%  {update.phase:<20} {update.step or '':<24}"
            click.echo(f"\r{line} ${update.cost:.4f}", nl=False, err=True)

    run = handle.start(given, sinks=(show,), tenant=tenant)
    try:
        result = await run_pipeline(run)
    except asyncio.CancelledError:
        partial = json.dumps(so_far(run), indent=2, ensure_ascii=False, default=str)
        click.echo(f"\ninterrupted; what there is so far:\n{partial}")
        raise
    finally:
        if live:
            click.echo("\r" + " " * 78 + "\r", nl=False, err=True)
        await setup.runtime.close()
    if form == "json":
        click.echo(json.dumps(outcome_json(result), indent=2, ensure_ascii=False, default=str))
    else:
        tag = "[simulated] " if setup.kind == "simulated" else ""
        lines = [
            handle.pipeline.name,
            *trace_lines(result.trace, paint, content, text_width(sys.stdout)),
        ]
        lines += ["", *outcome_text(result, paint).splitlines()]
        write("\n".join(tag + line for line in lines) + "\n")
    return _code([result])


async def _many(handle: Handle, inputs: Inputs, setup: Setup, form: str, tenant: str | None) -> int:
    from pipelang.interfaces.report.outcome import STYLES, headline, outcome_json
    from pipelang.runtime.embedding import InputError
    from pipelang.runtime.interpreter import run_pipeline

    paint = painter(wants_colour(sys.stdout))
    results: list[Result] = []
    bad = 0
    tag = "[simulated] " if setup.kind == "simulated" else ""
    for name, given in inputs.rows:
        label = name.rsplit(":", 1)[-1]
        try:
            result = await run_pipeline(handle.start(given, tenant=tenant))
        except InputError as error:
            bad += 1
            if form == "json":
                click.echo(
                    json.dumps(
                        {"line": label, "outcome": "input_error", "text": str(error)},
                        ensure_ascii=False,
                    )
                )
            else:
                click.echo(f"{tag}{label:>4}  {paint(f'input error: {error}', 'bad')}")
            continue
        results.append(result)
        if form == "json":
            record = {"line": int(label), **outcome_json(result)}
            click.echo(json.dumps(record, ensure_ascii=False, default=str))
            continue
        words = paint(headline(result), STYLES[type(result).__name__])
        took = paint(f"${result.cost:.6f}  {result.duration:6.2f} s", "dim")
        click.echo(f"{tag}{label:>4}  {took}  {words}")
    await setup.runtime.close()
    if form == "text":
        _summary(results, bad, tag)
    return 1 if bad else _code(results)


def _summary(results: Sequence[Result], bad: int, tag: str) -> None:
    total = len(results)
    counts = Counter(type(result).__name__.lower() for result in results)
    reasons = Counter(
        reason for result in results if (reason := getattr(result, "reason", None)) is not None
    )
    click.echo(tag)
    shares = ", ".join(f"{n} {kind} ({n / total:.0%})" for kind, n in counts.most_common())
    click.echo(f"{tag}{total} runs: {shares}" + (f"; {bad} inputs did not fit" if bad else ""))
    if reasons:
        click.echo(f"{tag}by reason: " + ", ".join(f"{r} {n}" for r, n in reasons.most_common()))
    if total:
        cost = sum(float(result.cost) for result in results)
        click.echo(f"{tag}cost: ${cost:.4f} in all, ${cost / total:.6f} a run")


def _code(results: Sequence[Result]) -> int:
    from pipelang.runtime.outcomes import Failed

    return 1 if any(isinstance(result, Failed) for result in results) else 0
