"""`pipelang run --store`: submits, works and waits in one process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.durable.opening import check_installed, opened
from pipelang.interfaces.cli.durable.submit import submissions
from pipelang.interfaces.cli.exit_codes import INTERRUPTED
from pipelang.interfaces.cli.programs import pick_pipeline, stop
from pipelang.interfaces.cli.run.program import program_to_run
from pipelang.interfaces.cli.terminal import wants_colour, warn, write
from pipelang.interfaces.text.colours import painter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelang.interfaces.report.runs.live import Live
    from pipelang.interfaces.runs.inputs import Inputs
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.engine.events import Sink
    from pipelang.runtime.engine.outcomes import Result
    from pipelang.runtime.host.handle import LoadedProgram


def run_stored(
    file: str,
    pipeline: str | None,
    inputs: Inputs,
    settings: tuple[str, ...],
    url: str,
    options: dict[str, str | None],
    form: str,
    cache: bool,
    urls: tuple[str, ...] = (),
) -> NoReturn:
    """Run in a store, for a tenant and in a thread by their `options`. If this process dies, any
    worker goes on; the same if it is interrupted.
    """
    loaded, _ = program_to_run(file, settings, cache)
    name = pick_pipeline(loaded, file, pipeline)
    check_installed()
    from pipelang.runtime.durable.submitting import submit

    made = submissions(loaded, name, inputs, None, options, urls)  # what is refused makes no store
    with opened(url, make=True) as store:
        runs: list[str] = []
        try:
            for one in made:
                runs.append(submit(store, one))
            _work(file, loaded, name, store, runs, form, cache)
        except KeyboardInterrupt:  # a run that is in the store is done, whoever does it
            if not runs:
                raise
            warn(f"interrupted; any worker of {file} goes on with {' '.join(runs)}")
            sys.exit(INTERRUPTED)


def _work(
    file: str,
    loaded: LoadedProgram,
    name: str,
    store: Store,
    runs: list[str],
    form: str,
    cache: bool,
) -> NoReturn:
    from pipelang.interfaces.cli.durable.worker import leave
    from pipelang.interfaces.cli.durable.working import programs_of, served
    from pipelang.interfaces.cli.run.one import live_of
    from pipelang.runtime.durable import listing
    from pipelang.runtime.durable.results import ended
    from pipelang.runtime.durable.submitting import queue_of
    from pipelang.runtime.durable.switches import StoredSwitches
    from pipelang.runtime.durable.worker import Worker

    switches = StoredSwitches(store)
    switches.look()
    handles, earlier = served(programs_of([file], cache), store, switches)
    shown = loaded.program.pipelines[name]
    live = live_of(shown, form if len(runs) == 1 else "json", "")
    worker = Worker(
        store,
        handles,
        sinks=lambda run: _sinks(live, run in runs),
        switches=switches,
        more=earlier.handles,
    )
    if queue_of(loaded.hash, name) not in worker.queues:
        stop(f"this machine cannot run `{name}`; its runs wait for a worker: {' '.join(runs)}", 1)
    worker.start()
    try:
        with live:
            listing.wait_for(store, runs, None)
        results = [ended(store, loaded.types, shown, run) for run in runs]
    except KeyboardInterrupt:
        warn(f"interrupted; any worker of {file} goes on with {' '.join(runs)}")
        leave(worker, 0.0, INTERRUPTED)
    code = 0
    for result in results:
        assert result is not None
        code = max(code, _print(result, form))
    leave(worker, 0.0, code)


def _sinks(live: Live, mine: bool) -> Iterable[Sink]:
    def show(run: str, event: Any) -> None:
        live.show(event)

    return (show,) if mine else ()


def _print(result: Result, form: str) -> int:
    from pipelang.interfaces.report.runs.outcome import outcome_json, outcome_text
    from pipelang.runtime.engine.outcomes import Failed

    if form == "json":
        write(dumps(outcome_json(result), indent=None, default=str, allow_nan=True) + "\n")
    else:
        write(outcome_text(result, painter(wants_colour(sys.stdout))) + "\n")
    return 1 if isinstance(result, Failed) else 0
