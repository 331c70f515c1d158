"""`pipelang unpause`: has runs of a pipeline begin again."""

from __future__ import annotations

import click

from pipelang.interfaces.cli.durable.opening import opened, store_option
from pipelang.interfaces.cli.terminal import write


@click.command(name="unpause", short_help="Have durable runs of a pipeline begin again.")
@click.argument("pipeline")
@store_option()
def command(pipeline: str, store: str) -> None:
    """Have runs of PIPELINE begin again, those first that waited for it."""
    with opened(store) as ready:
        from pipelang.runtime.durable import upkeep

        was = upkeep.unpause(ready, pipeline)
        write(f"runs of `{pipeline}` begin again\n" if was else f"`{pipeline}` was not paused\n")
