"""The figures that a README of an example tells, made of what the commands print.

Each function makes the sentences, or cells of tables, that must stand in a README just so. `told`
is what `pipelang check` says of the example's file, by pipeline; `seen` what `run_example.py`
printed of its runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Report = Mapping[str, Any]


class Number(float):
    """A figure of a report, with the ends of its interval."""

    low: float
    high: float

    @classmethod
    def of(cls, found: Any) -> Number:
        """The figure of a part of a report, which may be a plain number."""
        if not isinstance(found, dict):
            found = {"value": found, "low": found, "high": found}
        made = cls(found["high"] if found["value"] is None else found["value"])
        made.low, made.high = found["low"], found["high"]
        return made


class Told:
    """What a report says of one pipeline, by the paths of its JSON: `told("cost.mean")`."""

    def __init__(self, report: Report, pipeline: str) -> None:
        self.whole = report
        self.part = report["pipelines"][pipeline]

    def __call__(self, path: str) -> Number:
        """The figure at a path; a name of an outcome or an escalation stands for itself."""
        head, _, rest = path.partition(".")
        if head in self.part["outcomes"] and not rest:
            return Number.of(self.part["outcomes"][head])
        if head == "escalations":
            return Number.of(self.part["escalations"][rest])
        if head == "review":
            return Number.of(self.whole["review"][rest]["utilisation"])
        found: Any = self.part
        for name in path.split("."):
            found = found[name]
        return Number.of(found)


class Seen:
    """What `run_example.py` printed, by pipeline (`handle`, or the data where it runs twice)."""

    def __init__(self, printed: str) -> None:
        self.blocks: dict[str, str] = {}
        for block in re.split(r"\n(?=\w+: \w+ over )", printed):
            head = re.match(r"\n?\w+: (\w+) over (\S+),", block)
            if head is not None:
                self.blocks.setdefault(head[1], block)
                self.blocks[head[2]] = block

    def share(self, block: str, outcome: str) -> str:
        """The observed share of an outcome or a reason, as it was printed."""
        return self._row(block, outcome)[-2]

    def count(self, block: str, outcome: str) -> int:
        """How many runs ended so."""
        return int(self._row(block, outcome)[-1])

    def runs(self, block: str) -> int:
        """How many runs there were."""
        found = re.search(r"of (\d+) runs", self.blocks[block])
        assert found is not None
        return int(found[1])

    def cost(self, block: str, name: str) -> float:
        """What was spent: `cost.mean`, `cost.worst`."""
        return float(self._row(block, name)[-1].lstrip("$"))

    def _row(self, block: str, name: str) -> list[str]:
        found = re.search(rf"^ +{re.escape(name)} .*$", self.blocks[block], re.MULTILINE)
        assert found is not None, (block, name)
        return found[0].split()


def pc(number: float) -> str:
    """`80.5%`."""
    return f"{number:.1%}"


def wide(number: Number) -> str:
    """`80.5% (79.5–81.2%)`."""
    return f"{number:.1%} ({100 * number.low:.1f}–{number.high:.1%})"


def wider(number: Number) -> str:
    """`80.5% (79.5%–81.2%)`."""
    return f"{number:.1%} ({number.low:.1%}–{number.high:.1%})"


def usd(number: float, digits: int) -> str:
    """`$0.0016`."""
    return f"${number:,.{digits}f}"


def support(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "handle_ticket")
    drafts = t("escalations.ready")
    return [
        f"| 45% | {wider(t('coverage'))} (`coverage`)",
        f"| not told | {wider(t('success'))} (`success`)",
        f"| {wider(t('silent_error'))} (`silent_error`)",
        f"| 30% | {wider(drafts)} (`escalation.ready`)",
        f"| 25% | {pc(t('escalation') - drafts)} (all other escalations)",
        f"| $0.08 | {usd(t('cost.mean'), 4)} (`cost.mean`)",
        f"| $1,200 | {usd(t('cost.month'), 0)} (`cost.month`)",
        f"| not told | {usd(t('cost.worst'), 3)} (`cost.worst`)",
        f"95% under {-int(-t('latency.p95') // 1)} seconds (`latency.p95`)",
        f"{pc(t('review.support'))} (`review.support.utilisation`)",
        f"the {seen.runs('handle_ticket')} tickets, and ratings of {seen.runs('learn_from')} ",
    ]


def invoice_processing(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "handle")
    ugly, month = "data/invoices.jsonl", "data/month.jsonl"
    both = seen.runs(ugly) + seen.runs(month)
    return [
        f"| {wide(t('coverage'))[:-1]}, `coverage`)",
        f"{pc(t('escalations.readable'))[:1]}% are scans",
        f"{pc(t('escalation'))}; {pc(t('rejection'))} are declined as booked before",
        f"9 clerks are {t('review.clerks'):.0%} busy with it, treasury {t('review.treasury'):.0%}",
        f"{pc(t('wrong_effect'))} paid wrongly; observed none of {both}",
        f"{usd(t('cost.mean'), 4)} an invoice (`cost.mean`); observed "
        f"{usd(seen.cost(ugly, 'cost.mean'), 5)}",
        f"{seen.share(ugly, 'success')} paid rightly, {seen.share(ugly, 'escalation')} to people, "
        f"{seen.share(ugly, 'rejection')} declined, none wrong",
        f"On the month: {seen.share(month, 'success')} paid, "
        f"{seen.share(month, 'escalation')} to people, none wrong",
    ]


def lead_qualification(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "take_lead")
    name = "take_lead"
    return [
        f"| {wide(t('escalation'))}: {pc(t('escalations.small_enough'))} are enterprises",
        f"{pc(t('escalations.qualify.sure'))} `qualify.sure`",
        f"{pc(t('success'))} get an account, and {pc(t('rejection'))} are declined",
        f"| {wide(t('silent_error'))}; the price is never one",
        f"{float(seen.share(name, 'silent_error')[:-1]):.0f}% are answered wrongly, against "
        f"{pc(t('silent_error'))} predicted",
    ]


def moderation(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "moderate")
    board = Told(told, "appeal")
    return [
        f"{pc(t('coverage'))} with the second look",
        f"| {wide(t('escalation'))} |",
        f"| {wide(t('silent_error'))} of all posts",
        f"| {usd(t('cost.month'), 0)} (`cost.month`) | {usd(t('cost.mean'), 6)} a post",
        f"95% under {t('latency.p95'):.1f} s (`latency.p95`)",
        f"90 people at 3 minutes are {board('review.appeals_board'):.0%} busy",
        f"Observed: {seen.share('moderate', 'success')} right, "
        f"{seen.share('moderate', 'escalation')} to people, "
        f"{seen.share('moderate', 'silent_error')} wrong, of {seen.runs('moderate')} posts",
    ]


def recommendations(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "recommend")
    opus = t("cost.baseline.opus")
    return [
        f"{usd(t('cost.mean'), 5)} (`cost.mean`); observed "
        f"{usd(seen.cost('recommend', 'cost.mean'), 5)}",
        f"{usd(t('cost.month'), 0)} (`cost.month`)",
        f"{1 - t('cost.mean') / opus:.0%} (`cost.baseline.opus` {usd(opus, 5)})",
        f"95% of all runs under {t('latency.p95'):.1f} s (`latency.p95`)",
        f"| {wide(t('success'))}; {pc(t('silent_error'))} wrong and unnoticed, "
        f"{pc(t('rejection'))} asked back",
        f"Observed: {seen.share('recommend', 'success')} right, "
        f"{seen.share('recommend', 'silent_error')} wrong, "
        f"{seen.share('recommend', 'rejection')} asked back or declined, "
        f"of {seen.runs('recommend')} questions",
    ]


def supervisor(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "handle")
    return [
        f"| {wide(t('success'))} | {pc(t('escalation'))} go to people and "
        f"{pc(t('rejection'))} are declined",
        f"| {wide(t('silent_error'))} |",
        f"| {usd(t('cost.mean'), 5)} |",
        f"| {usd(t('cost.worst'), 4)} (`cost.worst`, proved)",
        f"`runaway` {usd(seen.cost('runaway', 'cost.worst'), 2)}; `stopped`, with `budget $0.02`, "
        f"{usd(seen.cost('stopped', 'cost.worst'), 4)}",
        f"{float(seen.share('handle', 'success')[:-1]):.0f}% answered right, "
        f"{float(seen.share('handle', 'escalation')[:-1]):.0f}% to people",
    ]


def ticket_routing(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "route_ticket")
    own = "judged_by_itself"
    return [
        f"{pc(t('coverage'))} get to `route` (`sent`)",
        f"{pc(t('escalations.sure'))} unsure, {pc(t('escalations.well_split'))} not surely split, "
        f"{pc(t('escalations.caught'))} stopped by the desk",
        f"| {wide(t('silent_error'))}, {280 * t('silent_error'):.1f} mails a day",
        f"a second model stops {pc(t('escalations.truly_urgent'))}",
        f"| {usd(t('cost.mean'), 4)}, dearest {usd(t('cost.worst'), 4)} |",
        f"{usd(t('cost.month'), 0)} a month",
        f"{t('turnaround.mean') / 60:.1f} min with people; machine {t('latency.mean'):.0f} s",
        f"Observed over the {seen.runs('route_ticket')} mails: "
        f"{seen.share('route_ticket', 'success')} right, "
        f"{seen.share('route_ticket', 'escalation')} to people, "
        f"{seen.count('route_ticket', 'silent_error')} wrong",
        f"of {seen.runs(own)} runs {seen.share(own, 'silent_error')} were",
    ]


def resilient_agent(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "handle")
    return [
        f"| {wide(t('success'))} | {pc(t('escalation'))} to people",
        f"| {wide(t('silent_error'))} |",
        f"| {usd(t('cost.worst'), 2)} of $1.30, proved (`cost.worst`)",
        f"a mean run is {usd(t('cost.mean'), 4)} |",
        f"Observed over the {seen.runs('handle')} tasks: "
        f"{float(seen.share('handle', 'success')[:-1]):.0f}% right, "
        f"{float(seen.share('handle', 'escalation')[:-1]):.0f}% to people, "
        f"{seen.count('handle', 'silent_error')} wrong",
    ]


def devops(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "handle")
    return [
        f"| 70% | {wider(t('coverage'))}, {pc(t('success'))} right",
        f"| not told | {wider(t('silent_error'))} |",
        f"{pc(t('wrong_effect'))} of runs do something on a wrong cause",
        f"95% under {t('latency.p95'):.1f} s of machine, ",
        f"machine, {t('turnaround.p95') / 60:.1f} minutes with people",
        f"| {usd(t('cost.month'), 0)} | 300 alerts at {usd(t('cost.mean'), 4)};",
        f"two people {t('review.on_call'):.0%} busy",
        f"hence {seen.share('handle', 'success')} resolved rightly in the run, "
        f"against {pc(t('success'))}",
        f"{seen.runs('handle')} alerts, offline",
    ]


def finance(told: Report, seen: Seen) -> list[str]:
    t = Told(told, "analyse")
    return [
        f"| {wider(t('silent_error'))} (`silent_error`)",
        f"{pc(t('selective_risk'))} of what is given out",
        f"| {pc(t('success'))} right; {pc(t('escalation'))} to an analyst",
        f"the largest part ({pc(t('escalations.usual'))})",
        f"95% under {Number.of(t.part['latency']['p95']).high:.1f} s of machine",
        f"| {usd(t('cost.month'), 0)} | {usd(t('cost.mean'), 3)} a statement",
        f"20 people {pc(t('review.analyst'))} busy",
        f"{seen.runs('analyse')} statements, offline",
        f"hence {seen.share('analyse', 'escalation')} to people against {pc(t('escalation'))}",
    ]


FIGURES: dict[str, Callable[[Report, Seen], list[str]]] = {
    one.__name__: one
    for one in (
        support, invoice_processing, lead_qualification, moderation, recommendations, supervisor,
        ticket_routing, resilient_agent, devops, finance,
    )
}  # fmt: skip


def months_of_autonomy(chosen: Mapping[int, tuple[int, float] | None]) -> list[str]:
    """What devops' README tells of `autonomy.py`: by how many labels there are, the threshold that
    is taken and the share that goes to people.
    """
    said = []
    for labels, found in chosen.items():
        if found is None:
            said.append(f"With {labels} labels there is none and all goes to people")
        else:
            it_is = "it is " if not any("it is" in one for one in said) else ""
            said.append(f"with {labels} {it_is}{found[0]}% ({pc(found[1])}")
    return said


def months_of_versions(
    known: Mapping[str, Mapping[str, float]], told: str, met: list[int]
) -> list[str]:
    """What ticket_routing's README tells of `versions.py`: what `check` predicts of each version,
    what is printed, and how many tickets met v3 over twenty seeds.
    """
    assert "proved after 50 days" in told
    rolled = re.search(r"after (\d+) days, (\d+) tickets", told)
    assert rolled is not None
    days, tickets = rolled.groups()
    return [
        "half of the tickets for fifty days prove",
        f"({pc(known['v2']['escalation'])} in place of {pc(known['v1']['escalation'])})",
        f"are taken from it after {days} days, when {tickets} tickets had met it; "
        f"over twenty seeds it is {min(met)} to {max(met)}",
    ]


def year_of_mails(
    days: Mapping[str, int], before: float, after: float, unnoticed: tuple[int, int], mails: int
) -> list[str]:
    """What `docs/operating.md` tells of `year.py`: the days to each alert, the silent errors that
    `check` says before and after, and the mails that are wrong with the loop and without.
    """
    return [
        f"draws {mails:,} mails",
        f"| 92 | {days['accuracy(sorted)']} days | `accuracy(sorted)`; "
        "nine days later `escalation`",
        f"| 182 | {days['latency.p95']} days | `latency.p95`",
        f"| 272 | {days['escalation']} days | `escalation`",
        f"`check` says {pc(after)} silent errors, where it said {pc(before)}",
        f"{unnoticed[0]:,} mails of the year are wrong and unnoticed, "
        f"without the loop {unnoticed[1]:,}",
    ]


def overview(name: str, told: Report) -> list[str]:
    """The cell of an example in `examples/README.md`."""
    pipelines = {
        "support": "handle_ticket", "lead_qualification": "take_lead", "moderation": "moderate",
        "recommendations": "recommend", "ticket_routing": "route_ticket", "finance": "analyse",
    }  # fmt: skip
    t = Told(told, pipelines.get(name, "handle"))
    right, wrong = pc(t("success")), f"{pc(t('silent_error'))} wrong and unnoticed"
    people, mean = pc(t("escalation")), t("cost.mean")
    opus = t("cost.baseline.opus")
    return {
        "support": [f"{pc(t('coverage'))} answered, {wrong}, {usd(mean, 4)} a ticket"],
        "recommendations": [
            f"{right} right, {wrong}, {usd(mean, 5)} a question, {1 - mean / opus:.0%} saved"
        ],
        "invoice_processing": [
            f"{pc(t('coverage'))} paid, {people} to people, {wrong}, {usd(mean, 4)} an invoice"
        ],
        "lead_qualification": [
            f"{right} get an account, {pc(t('rejection'))} declined, {people} to people, {wrong}, "
            f"{usd(mean, 5)} a lead"
        ],
        "moderation": [
            f"{right} right, {wrong}, {people} to people, {usd(t('cost.month'), 0)} a month"
        ],
        "supervisor": [
            f"{right} right, {wrong}, {people} to people, {usd(mean, 5)} a request, "
            f"dearest {usd(t('cost.worst'), 4)}"
        ],
        "ticket_routing": [
            f"{right} routed right, {wrong}, {people} to people, {usd(mean, 4)} a mail"
        ],
        "resilient_agent": [
            f"{right} right, {wrong}, {people} to people, {usd(mean, 4)} a task, "
            f"dearest {usd(t('cost.worst'), 2)}"
        ],
        "devops": [
            f"{pc(t('coverage'))} resolved alone, {pc(t('silent_error'))} wrongly, "
            f"{usd(mean, 4)} an alert"
        ],
        "finance": [f"{right} right, {wrong}, {usd(mean, 3)} a statement"],
    }[name]
