"""`pipelang submit`: puts runs into a store, for workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelang.interfaces.cli.durable.opening import check_installed, opened, store_option
from pipelang.interfaces.cli.options.cache import cache_option
from pipelang.interfaces.cli.options.names import PlainName
from pipelang.interfaces.cli.options.quantities import Duration
from pipelang.interfaces.cli.options.urls import url_option
from pipelang.interfaces.cli.programs import pick_pipeline, stop
from pipelang.interfaces.cli.run.program import program_to_run
from pipelang.interfaces.cli.terminal import write

if TYPE_CHECKING:
    from pipelang.interfaces.runs.inputs import Inputs
    from pipelang.runtime.durable.submitting import Submission
    from pipelang.runtime.host.handle import LoadedProgram


@click.command(name="submit", short_help="Put runs into a store, for workers.")
@click.argument("file")
@click.argument("pipeline", required=False)
@click.option("--input", "given", help="JSON, @file.json, @file.jsonl (many runs), or - for stdin.")
@store_option()
@click.option("--key", metavar="FIELD", help="The input whose value says which run it is.")
@click.option("--tenant", type=PlainName(), help="Whose runs these are.")
@click.option(
    "--thread",
    type=PlainName(),
    metavar="ID",
    help="What the runs belong to, such as a conversation.",
)
@click.option("--delay", type=Duration(), default=0.0, help="Begin no sooner than after this.")
@click.option(
    "--priority",
    type=click.IntRange(1, 2**31 - 1),
    default=10,
    show_default=True,
    help="Runs with a smaller number begin sooner.",
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Turn a setting.")
@url_option
@cache_option
def command(
    file: str,
    pipeline: str | None,
    given: str | None,
    store: str,
    key: str | None,
    tenant: str | None,
    thread: str | None,
    delay: float,
    priority: int,
    settings: tuple[str, ...],
    urls: tuple[str, ...],
    cache: bool,
) -> None:
    """Put runs of PIPELINE of FILE into a store, and print their ids, one a line.

    The same --key, tenant and pipeline mean the same run: it is submitted once, however often this
    is called. Nothing is submitted unless all inputs fit. The program is stored with its settings
    as --set turns them: that is the one that the runs end on, whatever becomes of FILE.

    Exit code 0, 1 on bad input or when a key was used with another input, 2 on wrong usage, 3 if
    the store cannot be reached or is of a newer version.
    """
    from pipelang.interfaces.runs.inputs import BadInput, read_inputs

    loaded, _ = program_to_run(file, settings, cache)
    name = pick_pipeline(loaded, file, pipeline)
    try:
        inputs = read_inputs(given)
    except BadInput as error:
        stop(str(error), 1)
    check_installed()
    from pipelang.runtime.durable.address import KeyConflict
    from pipelang.runtime.durable.submitting import LONGEST_DELAY, submit

    if delay > LONGEST_DELAY:
        stop(f"--delay is at most {LONGEST_DELAY / 86_400:.0f}d")
    options = {"tenant": tenant, "thread": thread, "delay": delay, "priority": priority}
    made = submissions(loaded, name, inputs, key, options, urls)  # what is refused makes no store
    with opened(store, make=True) as ready:
        for (where, _), one in zip(inputs.rows, made, strict=True):
            try:
                write(f"{submit(ready, one)}\n")
            except KeyConflict as conflict:
                stop(f"{where}: {conflict}", 1, conflict.help)


def submissions(
    loaded: LoadedProgram,
    name: str,
    inputs: Inputs,
    key: str | None,
    options: dict[str, Any],
    urls: tuple[str, ...] = (),
) -> list[Submission]:
    """The runs to submit; ends the command if an input does not fit. `urls` are the beginnings of
    addresses that may be fetched.
    """
    from pipelang.runtime.durable.submitting import Submission
    from pipelang.runtime.engine.values import to_json
    from pipelang.runtime.host.inputs import InputError, checked_inputs, has_media, with_read_media
    from pipelang.runtime.media.given import MediaSources, media_of
    from pipelang.runtime.worlds.recorded.refusals import NotRecordable, refuse_secrets

    pipeline = loaded.program.pipelines[name]
    if key is not None and key not in {one.key for one in pipeline.parameters}:
        listed = ", ".join(f"`{one.key}`" for one in pipeline.parameters) or "none"
        stop(f"--key: `{name}` has no input `{key}`; its inputs: {listed}")
    try:
        refuse_secrets(loaded.program, pipeline)
    except NotRecordable as refused:
        stop(str(refused), 1)
    made = []
    for where, row in inputs.rows:
        try:
            read = checked_inputs(loaded.types, pipeline, row, MediaSources(urls=urls))
        except InputError as error:
            stop(f"{where}: {error}", 1)
        found = None if key is None else row.get(key)
        if key is not None and (not isinstance(found, (str, int)) or isinstance(found, bool)):
            stop(f"{where}: the key `{key}` must be a text or a whole number", 1)
        said = None if found is None else str(found)
        media = media_of(read) if has_media(pipeline) else {}
        if media:  # of a picture or document only what tells of it is kept there
            row = to_json(with_read_media(pipeline, row, read))
        try:
            one = Submission(
                pipeline=name,
                program=loaded.hash,
                compiled=loaded.program,
                input=row,
                key=said,
                media=media,
                **options,
            )
        except ValueError as wrong:  # of the options only the key hangs on the input
            stop(f"{where}: {wrong}", 1)
        made.append(one)
    return made
