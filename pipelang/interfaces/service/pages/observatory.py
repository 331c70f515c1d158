"""Observations of what runs did beside what was predicted: worked out aside, kept for a while.

Reading thousands of runs takes seconds, which no page waits for: it shows the last observation, and
says when there is none yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from starlette.requests import Request

from pipelang.interfaces.service.pages.pipeline_report import Shortener, for_page
from pipelang.records import dataclass, replace

if TYPE_CHECKING:
    from pipelang.interfaces.observation.records import RunSource
    from pipelang.interfaces.report.html.page import Report, Section
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.service import Service

LOG = logging.getLogger("pipelang.serve")

KEPT = 300.0
"""Seconds after which an observation is worked out anew, for who looks then."""
PATIENCE = 0.15
"""Seconds that a page waits for an observation."""
SINCE = 7 * 86_400.0
MOST_RUNS = 5_000
"""Runs that are observed, the newest: their events are all read."""


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation of a pipeline. `report` is None where no run has ended, or while `pending`;
    `watched` are the lines that production must keep, `alerts` those that it does not, in words.
    """

    report: Report | None = None
    watched: Section | None = None
    alerts: tuple[str, ...] = ()
    pending: bool = False


class Observatory:
    """Observes the pipelines of a server. Belongs to one event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[str, tuple[float, Observed]] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Lock()
        self.made = 0
        """Observations so far: pages that wait for one look at it."""

    async def of(self, deployed: Deployed) -> Observed:
        """The observation of a pipeline: at most some minutes old, or the last one while the next
        is worked out.
        """
        name = deployed.name
        at, found = self._known.get(name, (0.0, Observed(pending=True)))
        if at and time.monotonic() - at < KEPT:
            return found
        if name not in self._working:
            task = asyncio.ensure_future(self._observe(deployed))
            self._working[name] = task
            task.add_done_callback(lambda done: self._working.pop(name, None))
        await asyncio.wait({self._working[name]}, timeout=PATIENCE)
        return self._known.get(name, (0.0, found))[1]

    async def _observe(self, deployed: Deployed) -> None:
        try:
            async with self._one_at_a_time:
                source = await self._service.backend.source()
                found = await asyncio.to_thread(_observation, deployed, source)
        except Exception:
            LOG.exception("%s could not be observed", deployed.name)
            found = Observed()
        self._known[deployed.name] = (time.monotonic(), found)
        self.made += 1


def _observation(deployed: Deployed, source: RunSource) -> Observed:
    """The report on the last runs of a pipeline, and its watched lines."""
    from pipelang.interfaces.observation.observation import observe
    from pipelang.interfaces.report.observed.dashboard import observed_report

    analysis, program = deployed.analysis_result, deployed.loaded.program
    if analysis is None:
        return Observed()
    since = source.now() - SINCE
    runs = source.runs(deployed.name, since)
    if len(runs) > MOST_RUNS:
        since = runs[-MOST_RUNS].started
    found = observe(program, analysis, source, since, deployed.program)
    if not found.runs:
        return Observed()
    report = observed_report(found)
    sections = tuple(for_page(one, Shortener(())) for one in report.sections)
    watched, alerts = _watched(deployed, source)
    return Observed(replace(report, sections=sections), watched, alerts)


def _watched(deployed: Deployed, source: RunSource) -> tuple[Section | None, tuple[str, ...]]:
    """The watched lines of a pipeline as they stand, and the alerts in words. Nothing is kept of
    it: telling somebody once for each cause is what `pipelang watch` does.
    """
    from pipelang.interfaces.report.html.page import Section
    from pipelang.interfaces.report.html.parts import table
    from pipelang.interfaces.report.observed.watch_text import watch_row
    from pipelang.interfaces.watching.alerts import alert_words
    from pipelang.interfaces.watching.evaluation import LineState, evaluate

    program, pipeline = deployed.loaded.program, deployed.pipeline
    statuses, _ = evaluate(program, pipeline, source, deployed.program)
    head = ("line", "state", "now", "95% interval", "note")
    rows = table("What is watched", head, "<<>><", [watch_row(one) for one in statuses])
    note = "by default" if any(one.watched.is_default for one in statuses) else ""
    alerts = [alert_words(one) for one in statuses if one.state is LineState.ALERT]
    section = None if rows is None else Section("What is watched", note, rows)
    return section, tuple(alerts)


def observatory_of(request: Request) -> Observatory:
    """The observatory of a server."""
    state = request.app.state
    if not hasattr(state, "observatory"):
        state.observatory = Observatory(state.service)
    observatory: Observatory = state.observatory
    return observatory
