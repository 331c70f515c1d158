"""`pipelang trace`: a run as a tree, or as it goes on."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.options.places import refuse_state_beside
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.report.runs.outcome import micro_dollars
from pipelang.interfaces.runs.event_flaws import amounts_fit
from pipelang.interfaces.runs.state_folder import DEFAULT
from pipelang.interfaces.text.colours import Paint, painter

if TYPE_CHECKING:
    from pipelang.interfaces.runs.trace_files import WrittenTrace
    from pipelang.runtime.engine.events import Event


_LOOK = 0.5
"""Seconds between two looks at a store."""


@click.command(name="trace", short_help="Show a run as a tree, or follow one.")
@click.argument("run", required=False)
@click.option("--follow", is_flag=True, help="Show what happens until the run is over.")
@click.option("--content", is_flag=True, help="Show what was asked and answered, if it was kept.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of runs' traces.")
@click.option("--store", metavar="URL", help="The store of durable runs, instead of a folder.")
def command(
    run: str | None, follow: bool, content: bool, form: str, state: str, store: str | None
) -> None:
    """Show the trace of RUN: its id, the beginning of one, or `last`. Without RUN: list runs.

    Exit code 1 if there is no such run.
    """
    from pipelang.interfaces.runs.state_folder import StateFolder
    from pipelang.interfaces.runs.trace_files import NoTrace, find, is_running, read

    refuse_state_beside(store)
    folder = StateFolder(Path(state)).traces
    paint = painter(wants_colour(sys.stdout))
    if store is not None:
        if run is None:
            stop("with --store, name a run: `pipelang runs list` has them")
        if follow:
            sys.exit(_follow_stored(store, run, form, content, paint))
        _stored(store, run, form, content, paint)
        return
    if run is None and not follow:
        _list(folder, form, paint)
        return
    try:
        path = find(folder, "last" if run is None else run)
    except NoTrace as missing:
        stop(str(missing), 1, missing.help)
    try:
        if follow:
            sys.exit(_follow(path, form, content, paint))
        trace = read(path)
    except OSError as error:
        stop(f"`{path}` cannot be read: {error}", 1)
    if not trace.header and not trace.events:
        stop(f"`{path}` is no trace", 1)
    _show(trace, path, form, content, paint, is_running(trace.header))


def _stored(store: str, run: str, form: str, content: bool, paint: Paint) -> None:
    """Show what is recorded of a run in a store."""
    from pipelang.interfaces.cli.durable.opening import opened
    from pipelang.interfaces.runs.trace_files import WrittenTrace

    with opened(store) as ready:
        from pipelang.runtime.durable import listing

        found = listing.run(ready, run)
        events = listing.events(ready, run)
    names = ("pipeline", "program", "tenant", "started")
    header = {"run": found["id"], **{name: found[name] for name in names if found[name]}}
    trace = WrittenTrace(header, events, ())
    _show(trace, Path(run), form, content, paint, found["status"] not in listing.ENDED)


def _follow_stored(store: str, run: str, form: str, content: bool, paint: Paint) -> int:
    """Tell events as they are recorded; 1 if the run was ended from outside, without an outcome of
    its own. While nobody has the run, it is waited for.
    """
    from pipelang.interfaces.cli.durable.opening import opened
    from pipelang.interfaces.report.runs.tree import event_json

    with opened(store) as ready:
        from pipelang.runtime.durable import listing

        row = listing.BEFORE_ALL
        while True:
            # In this order: what is recorded before a run ends is told before it is left.
            status = listing.run(ready, run)["status"]
            found, row = listing.events_beyond(ready, run, row)
            for event in found:
                if form == "json":
                    line = event_json(event)
                    shown = line if content else {k: line[k] for k in line if k != "content"}
                    write(dumps(shown, indent=None, allow_nan=True) + "\n")
                else:
                    _tell(event, content, paint)
                if event.kind == "outcome":
                    return 0
            if status in listing.ENDED:
                warn(f"note: the run is {status}, without an outcome of its own")
                return 1
            time.sleep(_LOOK)


def _tell(event: Event, content: bool, paint: Paint) -> None:
    """Write an event, if it is one for people."""
    from pipelang.interfaces.report.runs.trace import content_line, event_line, event_row

    if event.kind == "outcome":
        write(_end(event, paint)[0] + "\n")
        return
    row = event_row(event, paint)
    if row is None:
        row = ("▸", "begins") if event.kind in ("run", "step") else None
    if row is not None:
        write(event_line(event, row, paint) + "\n")
        if content and event.content is not None:
            write(" " * 12 + paint(content_line(event, 80), "dim") + "\n")


def _show(
    trace: WrittenTrace, path: Path, form: str, content: bool, paint: Paint, alive: bool
) -> None:
    from pipelang.interfaces.report.runs.tree import event_json, tree_lines, tree_of

    root = tree_of(trace.events)
    if form == "json":
        outcome = trace.outcome
        record: dict[str, Any] = {
            "run": trace.header,
            "outcome": None if outcome is None else event_json(outcome),
            "torn": list(trace.torn),
            "tree": root.as_json(),
        }
        if not content:
            record["tree"] = _without_content(record["tree"])
        write(dumps(record, default=str, allow_nan=True) + "\n")
        return
    lines = [_head(trace, root.name, paint)]
    lines += tree_lines(root, paint, content, text_width(sys.stdout))
    lines += ["", *_end(trace.outcome, paint)]
    write("\n".join(lines) + "\n")
    if trace.outcome is None:
        warn("note: the run goes on" if alive else "note: the run ended without an outcome")
    if trace.torn:
        numbers = ", ".join(str(number) for number in trace.torn)
        warn(f"note: `{path}` was cut short: line {numbers} cannot be read")
    if content and not any(event.content is not None for event in trace.events):
        warn("note: what was asked and answered was not kept: `pipelang run --content` keeps it")


def _without_content(tree: Any) -> Any:
    if isinstance(tree, dict):
        kept = {key: value for key, value in tree.items() if key not in ("content", "children")}
        if "children" in tree:
            kept["children"] = [_without_content(child) for child in tree["children"]]
        return kept
    return tree


def _head(trace: WrittenTrace, name: str, paint: Paint) -> str:
    header = trace.header
    words = [paint(str(header.get("pipeline", name)), "title"), f"run {header.get('run', '?')}"]
    if header.get("started"):
        words.append(str(header["started"]))
    if header.get("tenant"):
        words.append(f"tenant {header['tenant']}")
    if header.get("file"):
        words.append(f"{header['file']} ({header.get('program', '')})")
    return "  ".join([words[0], *(paint(word, "dim") for word in words[1:])])


def _end(outcome: Event | None, paint: Paint) -> list[str]:
    """The outcome, time and cost of a run, or that there is no outcome yet."""
    if outcome is None:
        return [paint("no outcome yet", "dim")]
    data = outcome.data
    why = data.get("code") or data.get("reason")
    words = outcome.name + (f" to {data['role']}" if data.get("role") else "")
    words += f" with `{why}`" if data.get("code") else f" by `{why}`" if why else ""
    words += f": {data['text']}" if data.get("text") else ""
    took = "its amounts cannot be read"
    if amounts_fit(data):
        took = f"{data.get('seconds', outcome.at):.3f} s"
        took += f"  {micro_dollars(data.get('cost', 0.0))}  {data.get('tokens', 0):,} tokens"
    style = {"answered": "good", "escalated": "unsure", "rejected": "unsure"}
    return [f"{paint(words, style.get(outcome.name, 'bad'))}  {paint(took, 'dim')}"]


def _follow(path: Path, form: str, content: bool, paint: Paint) -> int:
    """Tell events as they come; 1 if the run's process went away before its outcome."""
    from pipelang.interfaces.runs.trace_files import event_of, follow, is_running

    header: dict[str, Any] = {}
    quiet = 0
    for line in follow(path):
        if line is None:
            quiet += 1
            if quiet % 10 == 0 and not is_running(header):
                warn("note: the process of this run is gone, and there is no outcome")
                return 1
            continue
        quiet = 0
        if "trace" in line:
            header = line
        if form == "json":
            shown = line if content else {k: v for k, v in line.items() if k != "content"}
            write(dumps(shown, indent=None, allow_nan=True) + "\n")
            continue
        event = event_of(line)
        if event is None:
            continue
        _tell(event, content, paint)
        if event.kind == "outcome":
            break
    return 0


def _list(folder: Path, form: str, paint: Paint) -> None:
    from pipelang.interfaces.runs.trace_files import LISTED, read, recent, run_of

    rows: list[dict[str, Any]] = []
    paths = recent(folder)
    for path in paths[:LISTED]:
        try:
            trace = read(path)
        except OSError:
            continue
        outcome = trace.outcome
        rows.append(
            {
                "run": run_of(path),
                "pipeline": trace.header.get("pipeline"),
                "started": trace.header.get("started"),
                "tenant": trace.header.get("tenant"),
                "outcome": None if outcome is None else outcome.name,
                "cost": None if outcome is None else outcome.data.get("cost"),
                "seconds": None if outcome is None else outcome.data.get("seconds"),
            }
        )
    if form == "json":
        write(dumps(rows, allow_nan=True) + "\n")
        return
    if not rows:
        warn(f"there are no traces in `{folder}`: `pipelang run` writes one a run")
        return
    for row in rows:
        took = ""
        if row["seconds"] is not None and amounts_fit(row):
            took = f"{row['seconds']:8.3f} s  {micro_dollars(row['cost'])}"
        ended = str(row["outcome"] or "no outcome")
        name = str(row["pipeline"] or "")
        write(
            f"{row['run']:<14}  {row['started'] or '':<29}  {ended:<11}  {name:<20}  "
            f"{paint(took, 'dim')}".rstrip()
            + "\n"
        )
    if len(paths) > LISTED:
        write(paint(f"and {len(paths) - LISTED} older ones\n", "dim"))
