"""`pipelang pause`: has no run of a pipeline begin."""

from __future__ import annotations

import click

from pipelang.interfaces.cli.durable.opening import note_if_unknown, opened, store_option
from pipelang.interfaces.cli.terminal import write


@click.command(name="pause", short_help="Have no durable run of a pipeline begin.")
@click.argument("pipeline", required=False)
@click.option("--reason", default="", help="Why, for whoever finds it paused.")
@store_option()
def command(pipeline: str | None, reason: str, store: str) -> None:
    """Have no run of PIPELINE begin; those that have begun go on, and new ones are accepted and
    wait. `pipelang kill` stops what runs. Without a name, say what is paused.
    """
    if pipeline is None and reason:
        raise click.UsageError("say which: PIPELINE")
    with opened(store) as ready:
        from pipelang.runtime.durable import run_pages, upkeep

        if pipeline is None:
            paused = run_pages.paused_pipelines(ready)
            lines = [f"`{name}`" + (f": {why}" if why else "") for name, why in paused.items()]
            write("\n".join(lines or ["nothing is paused"]) + "\n")
            return
        upkeep.pause(ready, pipeline, reason)
        write(f"no run of `{pipeline}` begins until `pipelang unpause {pipeline}`\n")
        note_if_unknown(ready, pipeline)
