"""The plan of a release: its guards, and whether enough is seen of it for them to say anything."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from hashlib import sha256

from pipelang.diagnostics.spelling import closest
from pipelang.interfaces.text.number_format import plural
from pipelang.records import dataclass
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.versions.arms import ReleaseRuns
from pipelang.runtime.durable.versions.guards import (
    ALPHA,
    BASELINE_RUNS,
    LAST_LOOK,
    MEASURED,
    OF_EVERY_RUN,
    SILENT_ERROR,
)
from pipelang.runtime.durable.versions.releases import Guard, Release
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.names.named_items import contents_of
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.kernels.run import pipelines_behind, with_inner
from pipelang.semantics.walk import all_steps
from pipelang.statistics.fisher import runs_for_look, runs_to_tell

DAY = 86_400.0
TIMES_WORSE = 2.0
"""The rise of silent errors that a guard must find: to twice as many."""
POWER = 0.975
ENOUGH_LABELS = 200
"""Labelled runs that say how often what is current errs in silence; with fewer, `check` does."""


class NoPlan(ValueError):
    """A release that cannot be made so. The arguments are the reason and the fix."""


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """The labels that a guard of silent errors needs, to tell `share` from twice as much: the best
    test needs `ideal` on average, this one judges at `needed`; `a_day` come.
    """

    share: float
    ideal: int
    needed: int
    a_day: float

    @property
    def days(self) -> float:
        return self.needed / self.a_day


def signature_of(pipeline: p.Pipeline) -> str:
    """A digest of what a pipeline takes and gives: those who call it know only that."""
    taken = [[one.key, json_schema(one.type), one.has_default] for one in pipeline.parameters]
    text = json.dumps([taken, json_schema(pipeline.returns)], sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:16]


_GUARD = re.compile(r"([A-Za-z_][\w.]*?(?:\([\w.]*\))?)\s*(?:\+\s*(\d+(?:\.\d+)?)\s*%)?")


def read_guards(text: str, program: p.Program, pipeline: p.Pipeline) -> list[Guard]:
    """The guards of a line such as `silent_error, escalation + 20%, cost.mean`. Raises `NoPlan`."""
    found: list[Guard] = []
    for part in (one.strip() for one in text.split(",")):
        match = _GUARD.fullmatch(part)
        if match is None:
            why = f"`{part}` is no guard"
            raise NoPlan(why, 'write metrics, such as --guard "escalation + 20%, cost.mean"')
        metric, tolerance = match[1], float(match[2] or 0) / 100
        if not metric.startswith("escalation.") and metric not in MEASURED:
            close = closest(metric, MEASURED)
            help = f"did you mean `{close}`? " if close else ""
            raise NoPlan(
                f"a guard on `{metric}`: that is not measured of a canary",
                f"{help}there are: {', '.join(MEASURED)}, escalation.NAME",
            )
        if metric not in MEASURED:
            _is_of_an_exit(metric, program, pipeline)
        if any(one.metric == metric for one in found):
            raise NoPlan(f"`{metric}` guards twice", "name a metric once")
        found.append(Guard(metric, tolerance))
    return found


def _is_of_an_exit(metric: str, program: p.Program, pipeline: p.Pipeline) -> None:
    """Refuse a guard on a reason that no exit gives: it would see nothing, and never take back. An
    exit of a pipeline that runs inside is `PIPELINE.NAME`.
    """
    named, reason = pipeline, metric.partition(".")[2]
    inner, dot, rest = reason.partition(".")
    if dot:
        inside = sorted(
            {name for step in all_steps(pipeline) for name in pipelines_behind(program, step.chain)}
        )
        if inner not in inside:
            raise _unknown_exit(metric, inner, "pipeline that runs in it", inside)
        named, reason = program.pipelines[inner], rest
    exits = [*contents_of(named.block, {}).exits, named.name, "budget", "quota", "breaker"]
    if reason not in exits:
        raise _unknown_exit(metric, reason, "exit", exits)


def _unknown_exit(metric: str, name: str, what: str, known: Collection[str]) -> NoPlan:
    close = closest(name, known)
    help = f"did you mean `{close}`? " if close else ""
    return NoPlan(
        f"a guard on `{metric}`: no {what} is called `{name}`",
        f"{help}there are: {', '.join(known) or 'none'}",
    )


def with_label_plans(
    guards: list[Guard],
    store: Store,
    program: p.Program,
    pipeline: p.Pipeline,
    current: Release,
    canary_share: float,
    days: float,
) -> tuple[list[Guard], LabelPlan | None]:
    """The guards, with the number of labels at which silent errors are judged. Raises `NoPlan`
    where a guard would see too little within so many days.
    """
    a_day = _runs_a_day(store, pipeline)
    alpha = ALPHA / max(1, len(guards))
    made, plan = [], None
    for guard in guards:
        if guard.metric in (m.COST_MEAN, m.LATENCY_P95):
            _enough_before(store, current, guard.metric)
        if guard.metric != SILENT_ERROR:
            made.append(guard)
            continue
        plan = _label_plan(store, program, pipeline, current, alpha, canary_share, a_day)
        if plan.days > days:
            raise NoPlan(
                f"a guard on silent errors needs {plural(plan.needed, 'label')} of the canary, and "
                f"{plan.a_day:,.0f} a day come: {plan.days:,.0f} days",
                f"sample more, give the canary more runs, or allow it: --within {plan.days:.0f}d",
            )
        made.append(Guard(guard.metric, guard.tolerance, plan.needed))
    return made, plan


def _label_plan(
    store: Store,
    program: p.Program,
    pipeline: p.Pipeline,
    current: Release,
    alpha: float,
    canary_share: float,
    a_day: float | None,
) -> LabelPlan:
    sampled = _sampled_share(program, pipeline)
    if sampled == 0:
        raise NoPlan(
            f"a guard on silent errors needs labels, and `{pipeline.name}` samples nothing",
            "write `sample 5% of STEP by ROLE` into it",
        )
    if a_day is None:
        raise NoPlan(
            f"nothing says how many runs of `{pipeline.name}` there are a day",
            "write `traffic 500/day { }` into it",
        )
    share = _silent_share(store, program, pipeline, current)
    if share is None:
        raise NoPlan(
            f"nothing says how often `{current.version}` is wrong and nobody notices",
            f"declare what `pipelang check` asks for, or have {ENOUGH_LABELS} runs labelled first",
        )
    share = min(max(share, 1e-4), 0.45)
    other = min(TIMES_WORSE * share, 0.95)
    needed = runs_for_look(share, other, alpha * LAST_LOOK, POWER)
    return LabelPlan(share, runs_to_tell(share, other), needed, a_day * canary_share * sampled)


def _sampled_share(program: p.Program, pipeline: p.Pipeline) -> float:
    """The share of runs that is put before people, here or in the pipelines that run in it."""
    shares = [one.share for part in with_inner(program, pipeline) for one in part.samples]
    return float(max(shares, default=0))


def _runs_a_day(store: Store, pipeline: p.Pipeline) -> float | None:
    if pipeline.traffic.per_day is not None:
        return float(pipeline.traffic.per_day)
    rows = store.rows(
        "SELECT count(*) AS n FROM pipelang_runs WHERE pipeline = :p AND created > :then",
        p=pipeline.name,
        then=store.now() - 7 * DAY,
    )
    return rows[0]["n"] / 7 if rows[0]["n"] else None


def _silent_share(
    store: Store, program: p.Program, pipeline: p.Pipeline, current: Release
) -> float | None:
    """The share of silent errors of what is current: by its labels, or by the analysis."""
    runs = ReleaseRuns(store, pipeline.name, current.program, "", store.now() - 90 * DAY)
    runs.ended()
    judged = runs.judged()
    if len(judged) >= ENOUGH_LABELS:
        return sum(one.silent_error for one in judged) / len(judged)
    from pipelang.analysis.metrics.analyse import analyse

    number = analyse(program, pipeline).numbers[SILENT_ERROR]
    return None if number.value is None else float(number.value)


def _enough_before(store: Store, current: Release, metric: str) -> None:
    rows = store.rows(
        """SELECT count(*) AS n FROM pipelang_runs
        WHERE pipeline = :p AND program = :program AND status IS NOT NULL""",
        p=current.pipeline,
        program=current.program,
    )
    if rows[0]["n"] < BASELINE_RUNS:
        missing = BASELINE_RUNS - rows[0]["n"]
        raise NoPlan(
            f"`{metric}` is compared with {BASELINE_RUNS} runs of `{current.version}`, "
            f"{missing} more than there are",
            f"guard on {', '.join(OF_EVERY_RUN[:3])}, or wait for them",
        )
