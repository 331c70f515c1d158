"""`pipelang run`: runs a pipeline with live progress, prints the outcome and the trace."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.check.tier_notes import tier_notes
from pipelang.interfaces.cli.options.cache import cache_option
from pipelang.interfaces.cli.options.names import PlainName
from pipelang.interfaces.cli.options.places import refuse_state_beside
from pipelang.interfaces.cli.options.tiers import StandIns, tier_option
from pipelang.interfaces.cli.options.urls import url_option
from pipelang.interfaces.cli.programs import pick_pipeline, stop
from pipelang.interfaces.cli.run.program import program_to_run
from pipelang.interfaces.cli.terminal import warn
from pipelang.interfaces.runs.state_folder import DEFAULT
from pipelang.records import dataclass
from pipelang.runtime.files.private_files import make_private

if TYPE_CHECKING:
    from pipelang.interfaces.cli.run.batch_options import BatchOptions
    from pipelang.interfaces.cli.run.people import Speaker
    from pipelang.interfaces.runs.inputs import Inputs
    from pipelang.interfaces.runs.provider_choice import ProviderChoice
    from pipelang.interfaces.runs.state_folder import StateFolder
    from pipelang.runtime.host.handle import Handle, LoadedProgram
    from pipelang.runtime.sinks.audit import AuditLog
    from pipelang.runtime.sinks.traces import TraceFiles

PROVIDERS = ("auto", "real", "replay", "simulated", "anthropic")
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
    help="real: what the tiers declare (anthropic is a former name). auto: real if the keys are "
    "set, else a recording, else simulated answers.",
)
@click.option(
    "--record", metavar="FILE", help="Add what the models answer to this recording, to be replayed."
)
@click.option(
    "--replay", metavar="FILE", help="Play this recording. Default: recordings/NAME.jsonl."
)
@click.option("--seed", type=int, default=0, show_default=True, help="For simulated answers.")
@click.option("--tenant", type=PlainName(), help="Whose run this is.")
@click.option(
    "--thread", type=PlainName(), metavar="ID", help="What it belongs to, such as a conversation."
)
@click.option(
    "--people",
    type=click.Choice(PEOPLE),
    help="inbox: they answer by `pipelang approve`. Default: inbox with real models, else nobody.",
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Turn a setting.")
@tier_option
@url_option
@click.option("--content", is_flag=True, help="Show and keep what was answered in the trace.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 1000),
    help="Runs at once, of many. Default: 8, or 1 if runs remember.",
)
@click.option("--output", metavar="FILE", help="Write the results of many runs here, JSON Lines.")
@click.option("--resume", is_flag=True, help="Go on with --output FILE: do the lines not in it.")
@click.option(
    "--state",
    default=DEFAULT,
    show_default=True,
    help="The folder of traces, audit log, inbox, kill switches, caches and memories.",
)
@click.option("--store", metavar="URL", help="Run durably, in this store: any worker can go on.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@cache_option
def command(
    file: str,
    pipeline: str | None,
    given: str | None,
    line: int | None,
    provider: str,
    record: str | None,
    replay: str | None,
    seed: int,
    tenant: str | None,
    thread: str | None,
    people: str | None,
    settings: tuple[str, ...],
    tiers: StandIns,
    urls: tuple[str, ...],
    content: bool,
    jobs: int | None,
    output: str | None,
    resume: bool,
    state: str,
    store: str | None,
    form: str,
    cache: bool,
) -> None:
    """Run PIPELINE of FILE (it may be left out where there is only one).

    Every run leaves a trace for `pipelang trace` and entries in the audit log, without what was
    asked and answered unless --content is given.

    Exit code 0 when answered, escalated or rejected, 1 when failed or on bad input, 2 on wrong
    usage, 130 when interrupted.
    """
    from pathlib import Path

    from pipelang.interfaces.cli.run.batch_options import BatchOptions
    from pipelang.interfaces.cli.run.people import Speaker, plug_people
    from pipelang.interfaces.cli.run.services import plug, ready
    from pipelang.interfaces.runs.inputs import BadInput, read_inputs
    from pipelang.interfaces.runs.provider_choice import NoProvider, RecordingFiles, set_up
    from pipelang.interfaces.runs.state_folder import StateFolder

    if resume and output is None:
        stop("--resume goes on with the results of --output FILE: name it", 2)
    if record is not None and replay is not None:
        stop("--record and --replay exclude each other", 2)
    if store is not None:
        given_too: dict[str, object] = {"--output": output, "--jobs": jobs, "--people": people}
        given_too |= {"--record": record, "--replay": replay}
        # Any worker may do the runs, and knows nothing of what was written here.
        given_too |= {"--provider": provider != "auto", "--seed": seed, "--tier": tiers}
        given_too["--content"] = content
        for option, value in given_too.items():
            if value:
                stop(f"{option} and --store exclude each other", 2)
        refuse_state_beside(store)
        from pipelang.interfaces.cli.durable.running import run_stored

        try:
            rows = read_inputs(given, line)
        except BadInput as error:
            stop(str(error), 1)
        options = {"tenant": tenant, "thread": thread}
        run_stored(file, pipeline, rows, settings, store, options, form, cache, urls)
    folder = StateFolder(Path(state))
    try:
        folder.prepare()
    except OSError as error:
        stop(f"`{state}` cannot keep traces and the audit log: {error.strerror or error}", 2)
    loaded, missed = program_to_run(file, settings, cache, tiers)
    name = pick_pipeline(loaded, file, pipeline)
    try:
        inputs = read_inputs(given, line)
    except BadInput as error:
        stop(str(error), 1)
    try:
        files = RecordingFiles(Path(replay) if replay else None, Path(record) if record else None)
        setup = set_up(file, loaded, provider, seed, folder, files)
    except NoProvider as error:
        stop(str(error), 2)
    if output is not None and not inputs.many:
        stop("--output takes the results of many runs: give --input @FILE.jsonl", 2)
    speaker = Speaker()
    about_people = plug_people(setup, loaded, name, people, folder, speaker.tell)
    plug(setup, file, folder)
    setup.runtime.media_urls = urls
    handle = _handle(loaded, name, setup)
    ready(handle, setup)
    told = _record(handle, setup, folder, content, thread)
    for note in (*tier_notes(loaded.program), setup.note, about_people, missed):
        if note and form == "text":
            warn(f"note: {note}")
    job = Job(handle, inputs, setup, folder, BatchOptions(jobs, output, resume), speaker)
    code = _run(job, form, content, tenant)
    for what, sink in told.items():
        if sink.problem is not None:
            warn(f"note: no {what} was written: {sink.problem}")
    sys.exit(code)


@dataclass(frozen=True, slots=True)
class Job:
    """One call of `pipelang run`: the handle, its inputs, provider, state folder and options."""

    handle: Handle
    inputs: Inputs
    setup: ProviderChoice
    state: StateFolder
    batch: BatchOptions
    speaker: Speaker


def _record(
    handle: Handle, setup: ProviderChoice, folder: StateFolder, content: bool, thread: str | None
) -> dict[str, TraceFiles | AuditLog]:
    """Have runs traced and audited."""
    import logging

    from pipelang.runtime.sinks.audit import AuditLog
    from pipelang.runtime.sinks.traces import TraceFiles

    # What they log is told at the end, in the words of the command.
    logging.getLogger("pipelang").addHandler(logging.NullHandler())
    traces = TraceFiles(folder.traces, content, handle.references, thread)
    audit = AuditLog(folder.audit, handle.references)
    setup.runtime.sinks = (*setup.runtime.sinks, traces, audit)
    return {"trace": traces, "audit log": audit}


def _handle(loaded: LoadedProgram, name: str, setup: ProviderChoice) -> Handle:
    from pipelang.diagnostics import Source
    from pipelang.runtime.tools.binding import ToolMissing

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


def _run(job: Job, form: str, content: bool, tenant: str | None) -> int:
    from pipelang.interfaces.cli.run.one import run_one
    from pipelang.interfaces.runs.batch import NotResumable
    from pipelang.runtime.host.handle import InputError, NotRunnable

    handle, inputs, setup = job.handle, job.inputs, job.setup

    async def main() -> int:
        with interrupted_by_term():
            if inputs.many:
                from pipelang.interfaces.cli.run.many import run_many

                return await run_many(handle, inputs, setup, form, tenant, job.batch)
            row = inputs.rows[0][1]
            return await run_one(handle, row, setup, form, content, tenant, job.speaker)

    try:
        with _locked(job):
            return asyncio.run(main())
    except InputError as error:
        stop(str(error), 1)
    except NotRunnable as error:  # as where no key is set
        stop(str(error), 2)
    except NotResumable as error:
        stop(str(error), 2, error.help)
    except OSError as error:
        if job.batch.output is None:
            raise
        stop(f"results cannot be written: {error}", 1)
    except KeyboardInterrupt:
        warn("interrupted")
        return 130


@contextmanager
def interrupted_by_term() -> Iterator[None]:
    """SIGTERM and SIGHUP do to the current task what Ctrl-C does: it is cancelled, and says what it
    has.
    """
    from pipelang.interfaces.cli.signals import ending_signals

    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    signals = ending_signals()
    try:
        for one in signals:
            loop.add_signal_handler(one, task.cancel)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)


@contextmanager
def _locked(job: Job) -> Iterator[None]:
    """One process at a time writes results into a file."""
    if job.batch.output is None:
        yield
        return
    import hashlib
    import os

    from filelock import FileLock, Timeout

    # Not `Path.resolve`, which raises where links go round in a circle.
    output = os.path.realpath(job.batch.output)
    name = hashlib.sha256(output.encode(errors="surrogatepass")).hexdigest()[:16]
    locks = job.state.root / "locks"
    make_private(locks)
    try:
        with FileLock(locks / f"{name}.lock", timeout=0, mode=0o600):
            yield
    except Timeout:
        stop(f"another process writes to `{job.batch.output}`", 2)
