"""Review queues: are there enough people for what pipelines send them?

Cases come at random (Poisson) from all pipelines that were checked, and take an exponential time:
a queue of the kind M/M/c (Erlang, 1917; Cooper, "Introduction to Queueing Theory", 1981, chapter
3). With offered load a = arrivals x time a case, and c people:

    B = (a^c / c!) / sum of a^k / k! for k up to c   nobody is free, and callers go away
    C = B / (1 - a/c (1 - B))                        a case has to wait
    P(wait > t) = C exp(-(c - a) t / time a case)    so 95% wait max(0, ln(C / .05) ...) at most

People work `hours` a day, and what comes on a day is done in them.

An arrival counts once. What a sub-pipeline sends comes through its callers, at their rates; its own
rate is that of the runs that are begun at itself. A pipeline that nobody runs and that has no rate
sends nobody knows how much: the loads of its roles have no value then, and what the others send is
their lower bound.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from math import exp, expm1, fsum, inf, lgamma, log, log1p, sqrt
from typing import Any

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.model.intervals import Number, certain
from pipelang.diagnostics import Diagnostic, Span, codes, report
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.expressions import path_of
from pipelang.semantics.kernels.run import all_behind, pipelines_run, sub_pipelines, with_inner
from pipelang.semantics.lengths import mean_lengths
from pipelang.semantics.quantities import show_seconds
from pipelang.semantics.walk import agent_of, all_items, contents, inner_links
from pipelang.semantics.watched.sampled_steps import step_named

BUSY, FULL = 0.85, 1.0
DAY = 24
NO_CASES = certain(0.0, Basis.EXACT)
NOTHING_KNOWN = Number(None, 0.0, None, None, Basis.UNKNOWN)

Place = tuple[str, str]
"""A declaration by its file and its name."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A place that gives a role so many seconds to answer: a step, an approval or a hold."""

    name: str
    seconds: float
    span: Span


@dataclass(frozen=True, slots=True)
class Load:
    """A role's queue: cases a day, the share of its time that it is busy, and the wait in seconds
    that 95% of the cases stay under; `deadlines` are the times that it is given.
    """

    role: p.Role
    cases: Number
    utilisation: Number
    wait_p95: Number
    deadlines: tuple[Deadline, ...] = ()

    @property
    def busy(self) -> float | None:
        """The utilisation, or the least that it is."""
        return _known(self.utilisation)


def _known(number: Number) -> float | None:
    return number.low if number.value is None else number.value


# ----------------------------------------------------------------------------- Erlang's formula


def log_blocked(people: int, load: float) -> float:
    """The logarithm of Erlang's B: a Poisson number of cases of this mean is `people`, given that
    it is no more.
    """

    def log_share(count: int) -> float:
        return count * log(load) - load - lgamma(count + 1)

    # What is further than ten deviations from the mean adds nothing that a float would show.
    reach = 10 * sqrt(load) + 40
    counts = range(max(0, int(load - reach)), min(people, int(load + reach)) + 1)
    return log_share(people) - log(fsum(exp(log_share(count)) for count in counts))


def log_erlang_c(people: int, load: float) -> float:
    """The logarithm of P(a case has to wait), for an offered load below the number of people."""
    if load <= 0:
        return -inf
    blocked = min(0.0, log_blocked(people, load))
    return blocked - log1p(load / people * expm1(blocked))


def erlang_c(people: int, load: float) -> float:
    """P(a case has to wait), for an offered load below the number of people."""
    return exp(log_erlang_c(people, load))


def wait_p95(people: int, load: float, handles: float) -> float | None:
    """The 95% quantile of the wait, in the unit of `handles`; None where the queue only grows."""
    if load >= people:
        return None
    if load <= 0:
        return 0.0
    return max(0.0, (log_erlang_c(people, load) - log(0.05)) * handles / (people - load))


# ------------------------------------------------------------------------------------- the loads


def loads(checked: Iterable[tuple[p.Program, Analysis]]) -> list[Load]:
    """The queues of all roles that some pipeline may send a case to."""
    pipelines: dict[Place, tuple[p.Program, Analysis]] = {}
    for program, analysis in checked:
        pipelines.setdefault(_place(analysis.pipeline), (program, analysis))
    run_by_others = {
        _place(program.pipelines[name])
        for program, analysis in pipelines.values()
        for name in sub_pipelines(analysis.pipeline.block)
    }
    roles: dict[Place, p.Role] = {}
    cases: dict[Place, Number] = {}
    deadlines: dict[Place, list[Deadline]] = {}
    for place, (program, analysis) in pipelines.items():
        for name, often in _arrivals(program, analysis).items():
            role = program.roles[name]
            roles.setdefault(_place(role), role)
            mine = _a_day(analysis, often, begins=place not in run_by_others)
            cases[_place(role)] = _sum(cases.get(_place(role), NO_CASES), mine)
        for name, deadline in _deadlines(analysis.pipeline):
            deadlines.setdefault(_place(program.roles[name]), []).append(deadline)
    return [
        replace(_load(role, cases[place]), deadlines=tuple(deadlines.get(place, ())))
        for place, role in roles.items()
    ]


def _place(declared: p.Pipeline | p.Role) -> Place:
    return os.path.normpath(declared.span.file), declared.name


def _a_day(analysis: Analysis, often: Number, begins: bool) -> Number:
    """Cases a day of a pipeline that sends so many a run. `begins`: no other pipeline runs it, so
    that somebody must begin it.
    """
    per_day = analysis.pipeline.traffic.per_day
    if per_day is not None:
        return often.times(float(per_day))
    return NO_CASES if not begins or often.high == 0 else NOTHING_KNOWN


def _arrivals(program: p.Program, analysis: Analysis) -> Mapping[str, Number]:
    """Cases a run by role. How often an agent runs a pipeline that asks people is up to a model."""
    found = dict(analysis.asked)
    for role, more in _sampled(program, analysis):
        found[role] = _sum(found.get(role, NO_CASES), more)
    for role in _asked_by_agents(program, analysis.pipeline):
        known = found.get(role, NO_CASES)
        found[role] = Number(None, known.low, None, None, Basis.UNKNOWN)
    return found


def _sampled(program: p.Program, analysis: Analysis) -> Iterator[tuple[str, Number]]:
    """Answers a run that `sample` puts before a role: a share of those of each step, here and in
    the pipelines that run in it. As many as the step is reached: that it fails is not taken off.
    """
    reached = {row.name: row.reached for row in (*analysis.steps, *analysis.inner)}
    here = analysis.pipeline
    inside = {one.name for one in all_behind(program, here)}
    for pipeline in program.pipelines.values():
        if pipeline.name not in inside:
            continue
        for sample in pipeline.samples:
            for step in sample.steps:
                elsewhere = "." in step or pipeline.name == here.name
                name = step if elsewhere else f"{pipeline.name}.{step}"
                if name in reached:
                    often = reached[name].times(float(sample.share))
                    yield sample.role, _elements(program, here, name, often)


def _elements(program: p.Program, here: p.Pipeline, name: str, often: Number) -> Number:
    """The answers of a step that is reached so often: one, or an element of its list each."""
    step = step_named(program, here, name)
    links = [] if step is None else [link.action for link in inner_links(step.chain)]
    lists = [action for action in links if isinstance(action, p.Each)]
    if step is None or not lists:
        return often
    owner = here if "." not in name else program.pipelines[name.rpartition(".")[0]]
    means = mean_lengths(owner)
    paths = [(step.name,), *(path_of(one.elements) for one in lists)]
    known = [means[(*path, "length")] for path in paths if path and (*path, "length") in means]
    if known:
        return often.times(float(known[0]))
    most = max(one.most for one in lists)
    high = None if often.high is None else often.high * most
    return Number(None, 0.0, high, None, Basis.UNKNOWN)


def _asked_by_agents(program: p.Program, pipeline: p.Pipeline) -> set[str]:
    """The roles that the pipelines ask which an agent may run; what these escalate is no question
    but an end of the run, which the analysis counts.
    """
    return {
        role
        for one in (pipeline, *pipelines_run(program, pipeline))
        for _, link in contents(one.block).links
        if (agent := agent_of(link.action)) is not None
        for name in agent.pipelines
        for inner in with_inner(program, program.pipelines[name])
        for role in _questions(inner)
    }


def _questions(pipeline: p.Pipeline) -> set[str]:
    """The roles that a pipeline itself may ask while it goes on."""
    inside = contents(pipeline.block)
    found = {item.role for item in inside.beside if isinstance(item, p.Person)}
    found |= {sample.role for sample in pipeline.samples}
    asked = (link.action for _, link in inside.links)
    return found | {action.role for action in asked if isinstance(action, p.AskRole)}


def _deadlines(pipeline: p.Pipeline) -> Iterator[tuple[str, Deadline]]:
    """The roles that a pipeline gives a time to answer, each with that time."""
    for item in all_items(pipeline.block):
        if isinstance(item, p.Person) and item.seconds is not None:
            yield item.role, Deadline(item.name, float(item.seconds), item.span)
        if not isinstance(item, p.Step):
            continue
        for link in inner_links(item.chain):
            if isinstance(link.action, p.AskRole) and link.timeout is not None:
                yield link.action.role, Deadline(item.name, float(link.timeout), link.span)


def _sum(first: Number, second: Number) -> Number:
    """The sum; its interval is that of parts that are both low or both high."""

    def add(one: float | None, other: float | None) -> float | None:
        return None if one is None or other is None else one + other

    return Number(
        add(first.value, second.value),
        (first.low or 0.0) + (second.low or 0.0),
        add(first.high, second.high),
        add(first.mean, second.mean),
        max(first.basis, second.basis),
        first.tight and second.tight,
    )


def _load(role: p.Role, cases: Number) -> Load:
    if role.people is None or role.handles is None or not role.people:
        return Load(role, cases, NOTHING_KNOWN, NOTHING_KNOWN)
    people, handles = role.people, float(role.handles)
    seconds = 3600 * float(DAY if role.hours is None else role.hours)
    basis = max(cases.basis, Basis.ASSUMED)
    if cases.high == 0:
        return Load(role, cases, certain(0.0, basis), certain(0.0, basis))
    share = handles / seconds / people
    busy = cases.times(share)

    def wait(utilisation: float | None) -> float | None:
        return None if utilisation is None else wait_p95(people, utilisation * people, handles)

    waits = Number(wait(busy.value), wait(busy.low), wait(busy.high), wait(busy.mean), basis)
    if waits.value is None:
        waits = Number(None, waits.low, waits.high, waits.mean, Basis.UNKNOWN)
    utilisation = Number(busy.value, busy.low, busy.high, busy.mean, basis, busy.tight)
    return Load(role, cases, utilisation, waits)


# ------------------------------------------------------------------------------------ in words


def show_cases(number: float) -> str:
    """Cases a day."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def show_busy(share: float) -> str:
    """A utilisation, which may be above 100%, with digits enough to see on which side of the two
    limits it is.
    """
    for digits in range(1, 10):
        text = f"{share:.{digits}%}".replace(".0%", "%")
        shown = float(text[:-1]) / 100
        if shown and (share > BUSY, share >= FULL) == (shown > BUSY, shown >= FULL):
            return text
    return f"{share:.1%}"


# -------------------------------------------------------------------------------------- findings


def review_findings(found: Iterable[Load]) -> Iterator[Diagnostic]:
    """Queues that grow without end, those that soon will, and waits that nobody has time for."""
    for load in found:
        busy, cases, role = load.busy, _known(load.cases), load.role
        if busy is None or cases is None:
            continue
        least = "" if load.utilisation.value is not None else "at least "
        if busy > BUSY:
            assert role.handles is not None
            words: dict[str, Any] = {
                "name": role.name,
                "busy": least + show_busy(busy),
                "cases": least + show_cases(cases),
                "handles": show_seconds(float(role.handles)),
            }
            rule = codes.REVIEW_OVERLOADED if busy >= FULL else codes.REVIEW_BUSY
            yield report(rule, role.span, **words)
        wait = _known(load.wait_p95)
        for deadline in load.deadlines:
            if busy < FULL and wait is not None and wait > deadline.seconds:
                yield report(
                    codes.REVIEW_TOO_LATE,
                    deadline.span,
                    name=deadline.name,
                    role=role.name,
                    wait=least + show_seconds(wait),
                    within=show_seconds(deadline.seconds),
                )
