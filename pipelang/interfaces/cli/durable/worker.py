"""`pipelang worker`: takes runs out of a store and does them."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import click

from pipelang.interfaces.cli.durable.opening import check_installed, opened, store_option
from pipelang.interfaces.cli.options.cache import cache_option
from pipelang.interfaces.cli.options.quantities import Duration
from pipelang.interfaces.cli.terminal import warn, write

if TYPE_CHECKING:
    from pipelang.runtime.durable.worker import Worker

LEVELS = ("debug", "info", "warning", "error")
LOOK = 0.5
"""Seconds between two looks whether there is something left to do."""


@click.command(name="worker", short_help="Do the runs that are in a store.")
@click.argument("files", nargs=-1, required=True)
@store_option()
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="Runs of a pipeline at once.",
)
@click.option(
    "--per-tenant",
    type=click.IntRange(1),
    metavar="N",
    help="Runs of a tenant at once, with all workers that say so; any number without.",
)
@click.option("--drain", is_flag=True, help="End when no queued or running run is left.")
@click.option(
    "--grace",
    type=Duration(),
    default="30s",
    show_default=True,
    help="After SIGTERM: how long to finish what is begun.",
)
@click.option("--log-level", type=click.Choice(LEVELS), default="warning", show_default=True)
@click.option("--log-json", is_flag=True, help="Log as JSON, one object a line.")
@cache_option
def command(
    files: tuple[str, ...],
    store: str,
    concurrency: int,
    per_tenant: int | None,
    drain: bool,
    grace: float,
    log_level: str,
    log_json: bool,
    cache: bool,
) -> None:
    """Do the runs of these FILES' pipelines that are in a store, until SIGTERM.

    Prints `ready` and the id of this worker. Runs that began with an earlier version of a file, or
    with other settings, end on that one, which is in the store. Runs whose tools are missing here,
    or of other files, are left to other workers. If this process dies, another one goes on with
    what it had.

    Exit code 0 when stopped or drained, 1 if a file is refused, 2 on wrong usage, 3 if the store
    cannot be reached or is of a newer version.
    """
    from pipelang.interfaces.cli.durable.working import programs_of, served

    _log(log_level, log_json)
    check_installed()
    loaded = programs_of(files, cache)  # what is refused makes no store
    with opened(store, make=True) as ready:
        from pipelang.runtime.durable.switches import StoredSwitches
        from pipelang.runtime.durable.worker import Worker

        switches = StoredSwitches(ready)
        switches.look()
        handles, earlier = served(loaded, ready, switches)
        worker = Worker(
            ready,
            handles,
            concurrency,
            switches=switches,
            more=earlier.handles,
            per_tenant=per_tenant,
        )
        if not worker.queues:
            warn("note: there is no pipeline that this worker can run")
        try:
            worker.start()  # from here on it has runs, which get their grace
            write(f"ready {worker.executor}\n")
            sys.stdout.flush()
            _work(worker, drain)
        except KeyboardInterrupt:
            warn("stopping: no new runs")
        leave(worker, grace)


def _work(worker: Worker, drain: bool) -> None:
    """Work for ever, or until it is drained."""
    from pipelang.runtime.durable.address import StoreUnreachable

    idle = 0
    while idle < 2:
        time.sleep(LOOK)
        if not drain:
            continue
        try:
            idle = idle + 1 if worker.is_idle() else 0
        except StoreUnreachable as away:
            logging.getLogger("pipelang.worker").warning("%s", away)


def leave(worker: Worker, grace: float, code: int = 0) -> NoReturn:
    """Stop a worker and end the process, with whatever threads of libraries still hang."""
    try:
        worker.stop(grace)
    except KeyboardInterrupt:
        code = 130
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said)


def _log(level: str, as_json: bool) -> None:
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(_JsonLines() if as_json else plain)
    logger = logging.getLogger("pipelang")
    logger.handlers = [handler]
    logger.setLevel(level.upper())
