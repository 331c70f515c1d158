"""`pipelang run` on the lines of a file: so many at once, results in order, resumable."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.exit_codes import INTERRUPTED
from pipelang.interfaces.cli.terminal import wants_colour, warn, write
from pipelang.interfaces.report.runs.outcome import micro_dollars
from pipelang.interfaces.text.colours import painter
from pipelang.interfaces.text.number_format import plural

if TYPE_CHECKING:
    from pipelang.interfaces.cli.run.batch_options import BatchOptions
    from pipelang.interfaces.runs.inputs import Inputs
    from pipelang.interfaces.runs.provider_choice import ProviderChoice
    from pipelang.runtime.host.handle import Handle

JOBS = 8


async def run_many(
    handle: Handle,
    inputs: Inputs,
    setup: ProviderChoice,
    form: str,
    tenant: str | None,
    batch: BatchOptions,
) -> int:
    """Run every line; the exit code. Raises `NotResumable`, and OSError of the results' file."""
    from pipelang.interfaces.runs.batch import BatchOrigin, InOrder, ResultFile, input_hash, run_all

    rows = [(int(name.rpartition(":")[2]), given) for name, given in inputs.rows]
    tag = setup.tag
    told: list[dict[str, Any]] = []
    file: ResultFile | None = None
    hashes = {line: input_hash(given) for line, given in rows}
    if batch.output is not None:
        origin = BatchOrigin(handle.loaded.hash[:12], handle.pipeline.name, setup.kind)
        file = ResultFile(Path(batch.output), origin)
        before: dict[int, dict[str, Any]] = {}
        if batch.resume:
            before = file.resume(hashes)
        else:
            file.begin()
        told += before.values()
        rows = [(line, given) for line, given in rows if line not in before]
        if before and form == "text":
            warn(f"note: {len(before)} of {len(hashes)} lines are done already")
    show = _shower(form, tag) if file is None else _nothing
    order = InOrder([line for line, _ in rows], show)

    async def one(line: int, given: dict[str, Any]) -> dict[str, Any]:
        made = await _record(handle, given, tenant, None if file is None else file.run_id(line))
        return {"line": line, "input": hashes[line], **made, **setup.as_json()}

    interrupted = False
    try:
        with _progress(len(hashes), len(told), form) as step:

            def done(record: dict[str, Any]) -> None:
                if file is not None:
                    file.add(record)
                told.append(record)
                order.add(record)
                step()

            await run_all(rows, batch.jobs or _jobs(handle), one, done)
    except asyncio.CancelledError:
        interrupted = True
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    finally:
        await setup.runtime.close()
    order.flush()
    if form == "text":
        _summary(told, tag)
    if interrupted:
        words = f"interrupted: {len(told)} of {len(hashes)} lines are done"
        if batch.output is not None:
            words += "; the same command with --resume does the others"
        warn(words)
        return INTERRUPTED
    return 1 if any(record["outcome"] in ("failed", "input_error") for record in told) else 0


async def _record(
    handle: Handle, given: dict[str, Any], tenant: str | None, run_id: str | None
) -> dict[str, Any]:
    from pipelang.interfaces.report.runs.outcome import blanked, outcome_json
    from pipelang.runtime.engine.interpreter import run_pipeline
    from pipelang.runtime.host.handle import InputError

    try:
        result = await run_pipeline(handle.start(given, tenant=tenant, run_id=run_id))
        return outcome_json(blanked(result, handle.pipeline.returns))
    except InputError as error:
        return {"outcome": "input_error", "text": str(error)}


def _jobs(handle: Handle) -> int:
    """Runs at once: one after the other where a run may recall what the one before remembered."""
    from pipelang.semantics import program as p
    from pipelang.semantics.walk import all_items

    remembers = any(
        isinstance(item, p.Remember)
        for pipeline in handle.loaded.program.pipelines.values()
        for item in all_items(pipeline.block)
    )
    return 1 if remembers else JOBS


def _shower(form: str, tag: str) -> Callable[[dict[str, Any]], None]:
    paint = painter(wants_colour(sys.stdout))

    def as_json(record: dict[str, Any]) -> None:
        shown = {key: value for key, value in record.items() if key != "input"}
        say(dumps(shown, indent=None, default=str, allow_nan=True))

    def as_text(record: dict[str, Any]) -> None:
        start = f"{tag}{record['line']:>4}  "
        if record["outcome"] == "input_error":
            say(start + paint(f"input error: {record['text']}", "bad"))
            return
        cost = None if record["cost"] is None else Decimal(repr(record["cost"]))
        took = paint(f"{micro_dollars(cost)}  {record['duration']:6.2f} s", "dim")
        words, style = _headline(record)
        say(f"{start}{took}  {paint(words, style)}")

    return as_json if form == "json" else as_text


def say(line: str) -> None:
    """A line of results. Not by click, which writes past what keeps a bar and lines apart."""
    write(f"{line}\n")


def _nothing(record: dict[str, Any]) -> None:
    return None


def _headline(record: dict[str, Any]) -> tuple[str, str]:
    text = f": {record['text']}" if record.get("text") else ""
    match record["outcome"]:
        case "answered":
            return "answered", "good"
        case "escalated":
            return f"escalated to {record['role']} by `{record['reason']}`{text}", "unsure"
        case "rejected":
            return f"rejected by `{record['reason']}`{text}", "unsure"
        case _:
            return f"failed with `{record['code']}` at `{record['reason']}`{text}", "bad"


def _summary(records: list[dict[str, Any]], tag: str) -> None:
    bad = sum(record["outcome"] == "input_error" for record in records)
    ran = [record for record in records if record["outcome"] != "input_error"]
    total = len(ran)
    ran.sort(key=lambda record: record["line"])
    counts = Counter(record["outcome"] for record in ran)
    reasons = Counter(record["reason"] for record in ran if record.get("reason") is not None)
    say(tag)
    shares = ", ".join(f"{n} {kind} ({n / total:.0%})" for kind, n in counts.most_common())
    parts = [f"{plural(total, 'run')}: {shares}"] if total else []
    say(tag + "; ".join([*parts, f"{plural(bad, 'input')} did not fit"] if bad else parts))
    if reasons:
        say(f"{tag}by reason: " + ", ".join(f"{r} {n}" for r, n in reasons.most_common()))
    if total:
        known = [record["cost"] for record in ran if record["cost"] is not None]
        if len(known) < total:
            lacking = plural(total - len(known), "run")
            say(f"{tag}cost: unknown; {lacking} asked a tier without a price")
            return
        cost = sum(known)
        # As in the line of each run: to a millionth of a dollar.
        say(f"{tag}cost: ${cost:.6f} in all, ${cost / total:.6f} a run")


@contextmanager
def _progress(total: int, before: int, form: str) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; nothing where there is none, or where JSON is wanted."""
    if form == "json" or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Lines on standard output go above the bar where that is a terminal too, else where they go.
    bar = Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )
    with bar:
        task = bar.add_task("", total=total, completed=before)
        yield lambda: bar.advance(task)
