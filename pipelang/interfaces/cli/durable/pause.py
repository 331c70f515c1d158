"""`pipelang pause`: has no run of a pipeline begin."""

from __future__ import annotations

import click

from pipelang.interfaces.cli.durable.opening import note_if_unknown, opened, store_option
from pipelang.interfaces.cli.terminal import write


@click.command(name="pause", short_help="Have no durable run of a pipeline begin.")
@click.argument("pipeline")
@store_option()
def command(pipeline: str, store: str) -> None:
    """Have no run of PIPELINE begin; those that have begun go on, and new ones are accepted and
    wait. `pipelang kill` stops what runs.
    """
    with opened(store) as ready:
        from pipelang.runtime.durable import upkeep

        upkeep.pause(ready, pipeline)
        write(f"no run of `{pipeline}` begins until `pipelang unpause {pipeline}`\n")
        note_if_unknown(ready, pipeline)
