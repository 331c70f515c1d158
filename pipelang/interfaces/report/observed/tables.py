"""Tables of an observation, which text and page both show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from pipelang.interfaces.labels.verdicts import not_counted
from pipelang.interfaces.observation.comparison import FigureVerdict, ObservedMetric
from pipelang.interfaces.observation.observation import Observation
from pipelang.interfaces.observation.observed_steps import ObservedStep, WhoAnswers
from pipelang.interfaces.text.number_format import (
    Show,
    count,
    money,
    of_metric,
    percent,
    plural,
    rate,
    spread,
    value,
)
from pipelang.interfaces.text.table import Cell, Row
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics.quantities import show_seconds

_STYLES = {
    FigureVerdict.AGREES: "good",
    FigureVerdict.DIFFERS: "bad",
    FigureVerdict.TOO_FEW: "unsure",
    FigureVerdict.ALONE: "dim",
    FigureVerdict.UNMEASURED: "dim",
}


@dataclass(frozen=True, slots=True)
class ObservedTable:
    """A table with a title; `said` are sentences below it."""

    title: str
    head: tuple[str, ...]
    align: str
    rows: tuple[Row, ...]
    said: tuple[str, ...] = ()


def tables(found: Observation) -> list[ObservedTable]:
    """All tables that have something in them, the most asked for first."""
    made = [
        _figures("What became of runs", found, _is_share),
        _figures("What answers are worth", found, _is_labelled),
        _figures("Cost and tokens", found, _is_spent),
        _figures("Time", found, _is_time),
        _steps(found),
        _attempts(found),
        _tools(found),
        _people(found),
        _worth(found),
        _by_day(found),
    ]
    return [one for one in made if one.rows or one.said]


def headline(found: Observation) -> list[str]:
    """The sentences above the tables: the first difference, and what limits all figures."""
    said = []
    if found.first is not None:
        more = len(found.differences) + len(found.differing) - 1
        rest = f"; {plural(more, 'more figure differs', 'more figures differ')}" if more else ""
        said.append(f"first difference: {found.first}{rest}")
    elif found.runs:
        few = sum(one.verdict is FigureVerdict.TOO_FEW for one in found.metrics)
        tail = f"; {plural(few, 'figure has', 'figures have')} too few data to say" if few else ""
        said.append(f"nothing differs from the prediction{tail}")
    said += [f"the model does not hold: {one}" for one in found.fit.said]
    if found.stories < found.runs:
        said.append(
            f"{plural(found.runs, 'run')} in {plural(found.stories, 'thread')}: the runs of one "
            "thread count as one where independence is assumed"
        )
    if found.tallies.runs < found.runs:
        said.append(f"steps are told of the newest {plural(found.tallies.runs, 'run')}")
    if found.simulated:
        said.append(f"{found.simulated:,} of the runs have simulated answers, which no model gave")
    if found.unfinished:
        late = f", {found.overdue:,} of them longer than any run takes" if found.overdue else ""
        said.append(f"{plural(found.unfinished, 'run has', 'runs have')} not ended{late}")
    if found.stopped:
        said.append(
            f"{plural(found.stopped, 'run')} that people cancelled or killed "
            f"{'counts' if found.stopped == 1 else 'count'} for no figure"
        )
    if found.clocks:
        said.append(
            f"{plural(found.clocks, 'run is', 'runs are')} left out, whose clocks disagree: they "
            "end before they begin, or begin later than now"
        )
    if found.others:
        listed = ", ".join(f"{n:,} of {name}" for name, n in sorted(found.others.items()))
        said.append(f"left out are runs of other programs: {listed}; `--program` observes one")
    return said


def _is_labelled(name: str) -> bool:
    row = m.metric_of(name).name
    return row in (m.SUCCESS, m.SILENT_ERROR, m.SELECTIVE_RISK, m.ACCURACY, m.CALIBRATION)


def _is_share(name: str) -> bool:
    return m.metric_of(name).unit is m.Unit.SHARE and not _is_labelled(name)


def _is_spent(name: str) -> bool:
    return m.metric_of(name).unit in (m.Unit.MONEY, m.Unit.TOKENS)


def _is_time(name: str) -> bool:
    return m.metric_of(name).unit is m.Unit.DURATION


def _figures(title: str, found: Observation, wanted: object) -> ObservedTable:
    assert callable(wanted)
    mine = [one for one in found.metrics if wanted(one.metric)]
    rows: list[Row] = [_figure(one) for one in mine]
    head = ("", "observed", "95% interval", "predicted", "")
    said = []
    notes = {one.note for one in mine if one.note}
    if any(one.verdict is FigureVerdict.TOO_FEW for one in mine):
        notes.add("+N: so many more would show a change by 40%")
    said += sorted(notes)
    return ObservedTable(title, head, "<>>><", tuple(rows), tuple(said))


def _figure(one: ObservedMetric) -> Row:
    show = of_metric(one.metric)
    return [
        one.metric,
        "?" if one.value is None else show(one.value),
        _interval(one, show),
        _predicted(one, show),
        Cell(_verdict(one), _STYLES[one.verdict]),
    ]


def _interval(one: ObservedMetric, show: Show) -> str:
    if one.value is None or one.low is None or one.high is None:
        return ""
    if one.high == inf:
        return f"≥ {show(one.low)}"
    return spread(one.low, one.high, show)


def _predicted(one: ObservedMetric, show: Show) -> str:
    number = one.predicted
    if number is None or (number.low is None and number.high is None and number.value is None):
        return ""
    if number.value is None and (number.low, number.high) == (0.0, 1.0):
        return "?"
    text = value(number, show)
    if number.value is not None and number.low is not None and number.high is not None:
        around = spread(number.low, number.high, show)
        return text if around == text else f"{text} ({around})"
    return text


def _verdict(one: ObservedMetric) -> str:
    match one.verdict:
        case FigureVerdict.DIFFERS:
            return "differs"
        case FigureVerdict.TOO_FEW:
            return f"agrees so far, +{one.more:,} {one.what}"
        case FigureVerdict.UNMEASURED:
            return f"needs {one.more:,} {one.what}" if one.more else ""
        case FigureVerdict.AGREES:
            return "agrees"
        case _:
            return ""


def _steps(found: Observation) -> ObservedTable:
    head = ("step", "reached", "predicted", "retried", "fallback", "no answer", "sure", "cost", "")
    rows = [_step(one, found.runs) for one in found.steps]
    return ObservedTable("Steps", head, "<>>>>>>><", tuple(rows))


def _step(one: ObservedStep, runs: int) -> Row:
    seen, evidence = one.confidence
    sure = "" if seen is None else percent(seen)
    if seen is not None and evidence is not None:
        sure += f" ({percent(evidence)})"
    visits = max(1, one.visits)
    return [
        one.name,
        "?" if one.reached.value is None else percent(one.reached.value),
        _predicted(one.reached, percent),
        _part(one.retries, visits),
        _part(one.fallbacks, visits),
        _part(one.used_up, visits),
        sure,
        "?" if one.cost_mean is None else money(one.cost_mean) if one.cost_mean else "",
        Cell("differs", "bad") if one.reached.verdict is FigureVerdict.DIFFERS else "",
    ]


def _part(hits: int, total: int) -> str:
    return percent(hits / total) if hits else ""


def _attempts(found: Observation) -> ObservedTable:
    head = (
        "attempts",
        "by",
        "made",
        "failed",
        "declared",
        "unfit",
        "95% under",
        "declared",
        "tokens",
    )
    rows = [_attempt(step.name, who) for step in found.steps for who in step.who]
    said = tuple(f"{one.words} (p = {one.p_value:.2g})" for one in found.differences)
    return ObservedTable("Attempts", head, "<<>>>>>>>", tuple(rows), said)


def _attempt(step: str, one: WhoAnswers) -> Row:
    link = f", link {one.link + 1}" if one.link else ""
    tokens = "" if one.tokens_out is None else count(one.tokens_out)
    if one.declared_tokens is not None and one.tokens_out is not None:
        tokens += f" ({one.declared_tokens:,})"
    differs = one.failed.verdict is FigureVerdict.DIFFERS
    share = "?" if one.failed.value is None else percent(one.failed.value)
    return [
        f"{step}{link}",
        one.who,
        f"{one.made:,}",
        Cell(share, "bad") if differs else share,
        _predicted(one.failed, percent),
        _part(one.unfit, one.made),
        "" if one.p95 is None else show_seconds(one.p95),
        "" if one.declared_p95 is None else show_seconds(one.declared_p95),
        tokens,
    ]


def _tools(found: Observation) -> ObservedTable:
    rows: list[Row] = [
        [name, f"{one.made:,}", _part(one.failed, one.made), _why(one.why.most_common(2))]
        for name, one in sorted(found.tallies.tools.items())
    ]
    return ObservedTable("Tools", ("tool", "used", "failed", "by"), "<>><", tuple(rows))


def _why(causes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in causes)


def _people(found: Observation) -> ObservedTable:
    head = ("role", "cases", "a day", "predicted", "waiting", "answered after", "95% under", "busy")
    rows: list[Row] = []
    for one in found.people:
        busy = "" if one.busy is None else percent(one.busy)
        if one.busy is not None and one.predicted_busy is not None:
            busy += f" ({percent(one.predicted_busy)})"
        rows.append(
            [
                one.role,
                f"{one.cases:,}",
                "" if one.a_day is None else rate(one.a_day),
                "" if one.predicted_a_day is None else rate(one.predicted_a_day),
                f"{one.waiting:,}",
                "" if one.median is None else show_seconds(one.median),
                "" if one.p95 is None else show_seconds(one.p95),
                busy,
            ]
        )
    said = []
    first = found.first_human
    if first.median is not None and first.low is not None:
        high = "" if first.high is None else f"–{show_seconds(first.high)}"
        said.append(
            f"time to the first human: {show_seconds(first.median)} in the middle "
            f"({show_seconds(first.low)}{high}), over {plural(first.runs, 'run')}"
        )
    labels = found.labels
    if labels.labels or labels.left_out or labels.open:
        said.append(
            f"labels: {len(labels.labels):,} count, {plural(labels.open, 'answer')} still to judge"
        )
        said += [not_counted(n, why) for why, n in sorted(labels.left_out.items())]
    if rows and found.others:
        said.append("cases are of all programs of the pipeline: a role has one queue for them")
    return ObservedTable("People", head, "<>>>>>>>", tuple(rows), tuple(said))


def _worth(found: Observation) -> ObservedTable:
    saved = found.savings
    rows: list[Row] = [["tasks automated", f"{saved.automated:,}"]]
    if saved.touched:
        rows.append(["of them with a person's word", f"{saved.touched:,}"])
    if saved.hours is not None:
        rows.append([f"hours saved of `{saved.role}`", f"{saved.hours:,.1f}"])
    if saved.dollars is not None:
        sign = "-" if saved.dollars < 0 else ""
        rows.append(["money saved, less the cost of runs", sign + money(abs(saved.dollars))])
    rows.append(["cost of the runs", "unknown" if saved.spent is None else money(saved.spent)])
    declared = "" if found.declared_rate is None else f" (declared {rate(found.declared_rate)})"
    if found.rate is not None:
        rows.append(["runs a day", rate(found.rate) + declared])
    for one in found.quotas:
        whose = "" if one.tenant is None else f" of `{one.tenant}`"
        rows.append([f"left of {one.text}{whose}", percent(one.left)])
    said = (saved.note,) if saved.note else ()
    return ObservedTable("What it saves", ("", ""), "<>", tuple(rows) if found.runs else (), said)


def _by_day(found: Observation) -> ObservedTable:
    head = ("day", "runs", "to people", "failed", "cost", "95% under")
    rows: Sequence[Row] = [
        [
            one.day,
            f"{one.runs:,}",
            percent(one.escalated / one.runs),
            percent(one.failed / one.runs),
            "?" if one.cost is None else money(one.cost),
            "" if one.p95 is None else show_seconds(one.p95),
        ]
        for one in found.days[-14:]
    ]
    return ObservedTable("Day by day", head, "<>>>>>", tuple(rows))
