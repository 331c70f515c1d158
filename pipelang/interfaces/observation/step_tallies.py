"""Tallies of steps: how often each was reached, failed, was tried again, and what it took."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipelang.interfaces.observation.records import ObservedRun, amount
from pipelang.records import dataclass, field
from pipelang.runtime.engine.event_payloads import added

if TYPE_CHECKING:
    from pipelang.runtime.engine.events import Event

_ELEMENT = re.compile(r"\[\d+\]")

OURS = frozenset({"argument", "render", "permit", "misfit", "no_value", "need", "outdated"})
"""Causes of a failed attempt that are not the other side's: nothing is declared of them."""


@dataclass(slots=True)
class Attempts:
    """The attempts of one link of a step at one tool or tier. `failed` counts those that the other
    side failed, `unfit` answers that could not be used; `seconds` are of those that came back.
    """

    made: int = 0
    failed: int = 0
    unfit: int = 0
    why: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    tokens_in: list[int] = field(default_factory=list)
    tokens_out: list[int] = field(default_factory=list)


@dataclass(slots=True)
class StepTally:
    """A step of a pipeline or of one that it runs, as `step` or `child.step`.

    `runs` reached it, `visits` are all times that it was reached, `failed_in` the runs in which an
    attempt failed. `attempts` are by link and by the name of the tool or tier.
    """

    name: str
    runs: int = 0
    visits: int = 0
    used_up: int = 0
    retries: int = 0
    redone: int = 0
    cached: int = 0
    fallbacks: Counter[int] = field(default_factory=Counter)
    attempts: dict[tuple[int, str], Attempts] = field(default_factory=dict)
    confidences: list[float] = field(default_factory=list)
    cost: float | None = 0.0
    failed_in: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Tallies:
    """All that the events of some runs say of steps and of who answered; `simulated` runs had
    answers that no model gave. `gates` are by name: asked and passed. `people` are decisions on
    approvals and holds: given and not.
    """

    runs: int = 0
    simulated: int = 0
    steps: dict[str, StepTally] = field(default_factory=dict)
    gates: dict[str, list[int]] = field(default_factory=dict)
    tools: dict[str, Attempts] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    settings: Counter[str] = field(default_factory=Counter)


def tallied(runs: Iterable[tuple[ObservedRun, Sequence[Event]]]) -> Tallies:
    """The tallies of runs with their events."""
    found = Tallies()
    for run, events in runs:
        if events:
            found.runs += 1
            _count(found, run, events)
    return found


def _count(found: Tallies, run: ObservedRun, events: Sequence[Event]) -> None:
    reader = _RunReader(found, run)
    for event in events:
        reader.read(event)
    found.simulated += reader.simulated


class _RunReader:
    """Reads the events of one run: which pipeline a path is in, and which link a step is at."""

    def __init__(self, found: Tallies, run: ObservedRun) -> None:
        self.found = found
        self.run = run
        self.simulated = False
        self._children: dict[str, str] = {}
        self._links: dict[str, int] = {}
        self._reached: set[str] = set()

    def read(self, event: Event) -> None:
        kind, data = event.kind, event.data
        path = _ELEMENT.sub("", event.name)
        if kind == "runs":
            self._children[path] = str(data.get("pipeline"))
            return
        if kind == "gate":
            asked = self.found.gates.setdefault(self._name(path), [0, 0])
            asked[0] += 1
            asked[1] += bool(data.get("passed"))
            return
        if kind == "asks":
            self.found.asked.add(self.run.id)
            return
        if kind in _OF_STEPS:
            self._of_step(kind, path, event)

    def _name(self, path: str) -> str:
        """`s/inner` as `child.inner`, where step `s` runs `child`."""
        outer, _, name = path.rpartition("/")
        child = self._children.get(outer) if outer else None
        return name if child is None else f"{child}.{name}"

    def _of_step(self, kind: str, path: str, event: Event) -> None:
        data, name = event.data, self._name(path)
        tally = self.found.steps.setdefault(name, StepTally(name))
        match kind:
            case "step":
                tally.visits += 1
                tally.redone += bool(data.get("redone"))
                self._links[path] = 0
                if name not in self._reached:
                    self._reached.add(name)
                    tally.runs += 1
            case "fallback":
                link = int(amount(data.get("link")) or 0)
                tally.fallbacks[link] += 1
                self._links[path] = link
            case "retry":
                tally.retries += 1
            case "cached":
                tally.cached += 1
            case "ended":
                tally.used_up += 1
            case _:
                self._attempt(kind, path, tally, event)

    def _attempt(self, kind: str, path: str, tally: StepTally, event: Event) -> None:
        data = event.data
        who = data.get("tool") or data.get("tier")
        if not isinstance(who, str):
            return  # a person, a sub-pipeline, or a value: nothing is declared of an attempt
        link = self._links.get(path, 0)
        counted = [tally.attempts.setdefault((link, who), Attempts())]
        if "tool" in data:
            counted.append(self.found.tools.setdefault(who, Attempts()))
        why = str(data.get("why", ""))
        for attempts in counted:
            attempts.made += 1
            if kind == "failed":
                attempts.why[why] += 1
                if why in OURS:
                    attempts.unfit += 1
                else:
                    attempts.failed += 1
                continue
            if (seconds := amount(data.get("seconds"))) is not None:
                attempts.seconds.append(seconds)
            if "tokens_out" in data:
                attempts.tokens_in.append(int(amount(data.get("tokens_in")) or 0))
                attempts.tokens_out.append(int(amount(data.get("tokens_out")) or 0))
        if kind == "failed" and why not in OURS:
            tally.failed_in.add(self.run.id)
        cost = data.get("cost", 0.0)
        tally.cost = added(tally.cost, None if cost is None else amount(cost) or 0.0)
        sure = amount(data.get("confidence"))
        if kind == "answer" and sure is not None and sure <= 1:
            tally.confidences.append(sure)
        if str(data.get("note") or "").startswith("simulated"):
            self.simulated = True


_OF_STEPS = frozenset("step answer result failed retry fallback cached turn ended".split())
