"""The dashboard: the report on observed runs as a page of its own, without a service."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.interfaces.export.svg.days import day_curve
from pipelang.interfaces.observation.comparison import FigureVerdict, predicted_range
from pipelang.interfaces.observation.observation import Observation, moment
from pipelang.interfaces.report.html.page import Report, Section, Share, render_page
from pipelang.interfaces.report.html.parts import HtmlPicture, table
from pipelang.interfaces.report.observed.pictures import observed_calibration
from pipelang.interfaces.report.observed.tables import headline, tables
from pipelang.interfaces.text.number_format import money, of_metric, percent, plural, rate
from pipelang.semantics import metrics as m
from pipelang.semantics.quantities import show_seconds

DEFAULTS = (
    ("accuracy below 85%", m.ACCURACY, 0.85),
    ("escalation more than 20% above the prediction", m.ESCALATION, 0.2),
    ("95% of the runs slower than 30 s", m.LATENCY_P95, 30.0),
)
"""The alerts of the reports, which hold where a file says no others."""


def dashboard_html(found: Sequence[Observation]) -> str:
    """The page over some pipelines."""
    differing = sum(one.first is not None for one in found)
    closing = (
        f"{plural(differing, 'pipeline differs', 'pipelines differ')} from the prediction"
        if differing
        else "nothing differs from the prediction"
    )
    return render_page(
        [observed_report(one) for one in found], closing=closing, command="pipelang observe"
    )


def observed_report(found: Observation) -> Report:
    """The part of the page on one pipeline."""
    place = (
        f"{plural(found.runs, 'run')} of {found.program[:12]}, {moment(found.since)} to "
        f"{moment(found.until)}, in {found.source}"
    )
    first, *notes = headline(found) or ["no run has ended"]
    sections = [_tiles(found)]
    for one in tables(found):
        made = table(one.title, one.head, one.align, one.rows)
        pictures = _pictures(found, one.title)
        sections.append(Section(one.title, table=made, said=one.said, pictures=pictures))
    return Report(
        found.pipeline,
        place,
        "",
        first,
        (*notes, *_alerts(found)),
        _shares(found),
        tuple(sections),
    )


def _alerts(found: Observation) -> list[str]:
    """The defaults that are passed, each for sure by its own interval."""
    said = []
    for words, name, limit in DEFAULTS:
        for one in found.metrics:
            if m.metric_of(one.metric).name != name or one.value is None or not one.runs:
                continue
            low, high = one.low or 0.0, one.high if one.high is not None else one.value
            told = predicted_range(one.predicted)
            if name == m.ACCURACY:
                passed = high < limit
            elif name == m.ESCALATION:
                passed = one.metric == name and told is not None and low > told[1] * (1 + limit)
            else:
                passed = low > limit
            if passed:
                said.append(f"alert: {words} (`{one.metric}`)")
    return said


def _tiles(found: Observation) -> Section:
    """The figures that an owner looks at first."""
    rows = []
    for name in (m.ACCURACY, m.ESCALATION, m.LATENCY_P95, m.COST_MEAN):
        for one in found.metrics:
            if one.metric.partition("(")[0] != name or one.value is None:
                continue
            shown = of_metric(name)(one.value)
            words = "differs" if one.verdict is FigureVerdict.DIFFERS else ""
            rows.append([one.metric, shown, words])
    daily = cost_a_day(found)
    rows.append(["cost a day", "unknown" if daily is None else money(daily), ""])
    if found.rate is not None:
        rows.append(["runs a day", rate(found.rate), ""])
    rows.append(["tasks automated", f"{found.savings.automated:,}", ""])
    if found.savings.hours is not None:
        rows.append(["hours saved", f"{found.savings.hours:,.1f}", ""])
    if found.savings.dollars is not None:
        sign = "-" if found.savings.dollars < 0 else ""
        rows.append(["money saved", sign + money(abs(found.savings.dollars)), ""])
    if found.first_human.median is not None:
        rows.append(["time to the first human", show_seconds(found.first_human.median), ""])
    for quota in found.quotas:
        rows.append([f"left of {quota.text}", percent(quota.left), ""])
    waiting = sum(one.waiting for one in found.people)
    rows.append(["cases that wait for people", f"{waiting:,}", ""])
    return Section("At a glance", table=table("At a glance", ("", "", ""), "<><", rows))


def cost_a_day(found: Observation) -> float | None:
    """Dollars a day at the rate of the runs: days that were not whole count for what they were. A
    time too short for a rate counts as the days it touched.
    """
    mean = found.metric(m.COST_MEAN)
    if found.rate is None or mean is None or mean.value is None:
        if found.savings.spent is None:
            return None
        return found.savings.spent / max(len(found.days), 1)
    return found.rate * mean.value


def _shares(found: Observation) -> tuple[Share, ...]:
    styles = {m.COVERAGE: "good", m.ESCALATION: "people", m.REJECTION: "", m.FAILURE: "bad"}
    words = {
        m.COVERAGE: "answered",
        m.ESCALATION: "to a person",
        m.REJECTION: "rejected",
        m.FAILURE: "failed",
    }
    shares = []
    for name, style in styles.items():
        one = found.metric(name)
        if one is not None and one.value:
            shares.append(Share(f"{words[name]} {percent(one.value)}", style, one.value))
    return tuple(shares)


def _pictures(found: Observation, title: str) -> tuple[HtmlPicture, ...]:
    if title == "Day by day" and len(found.days) > 1:
        one = found.metric(m.ESCALATION)
        band = None if one is None else predicted_range(one.predicted)
        values = [day.escalated / day.runs for day in found.days]
        image = day_curve(
            "to a person",
            [day.day for day in found.days],
            values,
            [day.runs for day in found.days],
            band=band,
        )
        return (HtmlPicture(image, "The share of runs that go to a person, day by day"),)
    if title == "What answers are worth":
        return tuple(
            HtmlPicture(image, f"How often answers of {step} are right, by confidence")
            for step, image in observed_calibration(found)
        )
    return ()
