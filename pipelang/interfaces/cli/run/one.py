"""`pipelang run` on one input: what goes on, the outcome and the trace."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.cli.exit_codes import INTERRUPTED
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write
from pipelang.interfaces.report.runs.outcome import micro_dollars
from pipelang.interfaces.text.colours import painter

if TYPE_CHECKING:
    from pipelang.interfaces.cli.run.people import Speaker
    from pipelang.interfaces.report.runs.live import Live
    from pipelang.interfaces.runs.provider_choice import ProviderChoice
    from pipelang.runtime.engine.run import Run
    from pipelang.runtime.host.handle import Handle
    from pipelang.semantics import program as p


async def run_one(
    handle: Handle,
    given: dict[str, Any],
    setup: ProviderChoice,
    form: str,
    content: bool,
    tenant: str | None,
    speaker: Speaker,
) -> int:
    """Run, show, print; the exit code. A cancellation prints what there is so far."""
    from pipelang.interfaces.report.runs.outcome import blanked, outcome_json, outcome_text
    from pipelang.interfaces.report.runs.trace import trace_lines
    from pipelang.runtime.engine.interpreter import run_pipeline
    from pipelang.runtime.engine.outcomes import Failed

    live = live_of(handle.pipeline, form, setup.tag)
    run = handle.start(given, sinks=(lambda _, event: live.show(event),), tenant=tenant)
    try:
        with live:
            speaker.say = live.say
            result = blanked(await run_pipeline(run), handle.pipeline.returns)
    except asyncio.CancelledError:
        _interrupted(run, form)
        return INTERRUPTED
    finally:
        speaker.say = warn
        await setup.runtime.close()
    if form == "json":
        record = outcome_json(result) | setup.as_json()
        write(dumps(record, default=str, allow_nan=True) + "\n")
    else:
        paint = painter(wants_colour(sys.stdout))
        tag = setup.tag
        lines = [
            handle.pipeline.name,
            *trace_lines(result.trace, paint, content, text_width(sys.stdout)),
        ]
        lines += ["", *outcome_text(result, paint).splitlines()]
        write("\n".join(tag + line for line in lines) + "\n")
    return 1 if isinstance(result, Failed) else 0


def live_of(pipeline: p.Pipeline, form: str, tag: str) -> Live:
    """The live display of a run, as the terminal and the format of the command want it."""
    from pipelang.interfaces.report.runs.live import LiveDisplay, PlainLines, Silent

    if form == "json":
        return Silent(warn)
    if sys.stderr.isatty():
        from rich.console import Console

        return LiveDisplay(pipeline, Console(stderr=True))
    return PlainLines(pipeline, lambda line: warn(tag + line))


def _interrupted(run: Run, form: str) -> None:
    """Prints the partial result of a run that was interrupted."""
    from pipelang.runtime.engine.endings import so_far
    from pipelang.runtime.engine.event_payloads import dollars
    from pipelang.runtime.engine.redaction import hide_json
    from pipelang.runtime.tools.under_way import CallsUnderWay, in_words

    partial = hide_json(run, so_far(run))
    calls = CallsUnderWay(run.trace or ()).calls
    if form == "json":
        record = {
            "outcome": "interrupted",
            "run_id": run.id,
            "cost": dollars(run.budget.cost),
            "tokens": run.budget.tokens,
            "partial": partial,
            "under_way": [{"tool": tool, "key": key} for key, tool in calls.items()],
        }
        write(dumps(record, default=str, allow_nan=True) + "\n")
        return
    text = dumps(partial, default=str, allow_nan=True)
    write(f"interrupted; what there is so far:\n{text}\n")
    if calls:
        write(f"{in_words(calls)}\n")
    write(f"run {run.id}: {micro_dollars(run.budget.cost)}, {run.budget.tokens:,} tokens\n")
