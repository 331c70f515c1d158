"""A simulated year of `ticket_routing.pipe`: what `watch` says when, and the year without the loop.

    python examples/ticket_routing/year.py                                  # the year in words
    python examples/ticket_routing/year.py --picture docs/images/year.svg   # and as a picture

280 mails a day, drawn by the shares that `check` predicts. Three things happen that nobody
announces: on day 92 the model degrades (78% of its answers are right instead of 94%, and it is just
as sure: the world is then what `check` predicts with such evidence), on day 182 the provider gets
slow, on day 272 the mix of mails shifts and 45% more of them need people. With the loop, people
label the issues of a tenth of the mails; an alert leads to a repair some days later, by what it
says has changed, and a repair is a release of its own. Without it everything stays as it is.

Nothing here asks a model. Runs are drawn as records, and the watch is the real one.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.export.svg.days import day_curve
from pipelang.interfaces.observation.records import DAY, ObservedRun
from pipelang.interfaces.watching.evaluation import LineState, evaluate, name_of
from pipelang.runtime.engine.events import Event
from pipelang.runtime.inbox.cases import Case, Verdict
from pipelang.semantics import program as p

HERE = Path(__file__).parent
FILE = HERE / "ticket_routing.pipe"
NAME = "route_ticket"
EVIDENCE = "evals/sort.jsonl"
SEED = 20261130
START = 20_454 * DAY  # 2026-01-01
DAYS = 365
DEGRADES, SLOWS, SHIFTS = 91, 181, 271
DEGRADED = 0.78
"""The share of right answers of the degraded model."""
MODEL, PROVIDER, MIX = "the model", "the provider", "the mix"
REPAIRS = {MODEL: 10, PROVIDER: 1, MIX: 21}
"""Days from an alert to the repair of its cause: labels pulled and the prompt fitted anew; another
provider; two people more, and a new release with a baseline of its own."""
ISSUES = (1,) * 85 + (2,) * 10 + (3,) * 5
"""How many issues a hundred mails have: 1.2 on average, as `traffic` says."""
BEFORE_SORTING = ("no_orders", "well_split")


class YearSource:
    """Runs and labels in memory, with a clock that the year sets."""

    shown = "a simulated year"

    def __init__(self) -> None:
        self.clock = START
        self.every: list[ObservedRun] = []
        self.all_cases: list[Case] = []
        self.kept: dict[str, str] = {}

    def now(self) -> float:
        return self.clock

    def runs(self, pipeline: str, since: float = 0.0) -> list[ObservedRun]:
        found = []
        for run in reversed(self.every):  # the newest are at the end
            if (run.ended or 0) < since - DAY:
                break
            if run.pipeline == pipeline and (run.ended or 0) >= since:
                found.append(run)
        return found[::-1]

    def events(self, runs: Sequence[ObservedRun]) -> Iterator[tuple[ObservedRun, Sequence[Event]]]:
        for run in runs:
            yield run, ()

    def cases(self, pipeline: str) -> list[Case]:
        return [one for one in self.all_cases if one.opened_at.timestamp() > self.clock - 60 * DAY]

    def release(self, pipeline: str, version: str) -> str | None:
        return None

    def recall(self, name: str) -> str | None:
        return self.kept.get(name)

    def keep(self, name: str, value: str) -> None:
        self.kept[name] = value


Sorted = tuple[float, bool]
"""How sure the sorter is of an issue, and whether it is right."""


@dataclass
class World:
    """The shares of a day: of mails that go to people, by reason, of right ones among those that
    are routed, and of slow runs; `answers` are what the sorter says.
    """

    escalations: dict[str, float]
    right: float
    answers: list[Sorted]
    slow: float = 0.01
    more: float = 1.0


@dataclass
class Year:
    """A year as it went: what was told on which day, and the wrong answers that nobody noticed."""

    alerts: list[tuple[int, str, list[str]]] = field(default_factory=list)
    recovered: list[tuple[int, str]] = field(default_factory=list)
    unnoticed: list[int] = field(default_factory=list)
    slow: list[int] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    evidence: list[dict[str, object]] = field(default_factory=list)


def evidence_rows(path: Path = HERE / EVIDENCE) -> list[dict[str, Any]]:
    """The rows of evidence of the sorter."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if "correct" in row]


def degraded() -> list[dict[str, Any]]:
    """The same answers by a model that is right in 78% of them, and as sure as it was."""
    rows = evidence_rows()
    right = [row for row in rows if row["correct"]]
    lost = random.Random(SEED).sample(right, len(right) - round(DEGRADED * len(rows)))
    cases = {row["case"] for row in lost}
    return [{**row, "correct": row["correct"] and row["case"] not in cases} for row in rows]


def world_of(rows: Sequence[dict[str, Any]]) -> tuple[p.Program, World, float]:
    """The program with such evidence, the world that `check` predicts of it, and the predicted
    silent errors.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / HERE.name
        shutil.copytree(HERE, copy)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (copy / EVIDENCE).write_text(text, encoding="utf-8")
        checked = check_file(str(copy / FILE.name))
    assert checked.program is not None
    analysis = next(one for one in checked.analyses if one.pipeline.name == NAME)
    exits = {name: number.value or 0.0 for name, number in analysis.escalations.items()}
    success = analysis.numbers["success"].value or 0.0
    wrong = analysis.numbers["silent_error"].value or 0.0
    answers = [(float(row["confidence"]), bool(row["correct"])) for row in rows]
    return checked.program, World(exits, success / (success + wrong), answers), wrong


def cause_of(metric: str, changed: Sequence[str]) -> str:
    """The cause that an owner sees behind an alert, by what it says has changed: where the desk
    stops more than before what the model was sure of, it is the model.
    """
    if metric == "latency.p95":
        return PROVIDER
    caught = bool(changed) and "`caught`" in changed[0]
    return MODEL if metric == "accuracy(sorted)" or caught else MIX


def year(with_loop: bool, seed: int = SEED, mails: int = 280, nights: int = 1) -> Year:
    """Draw the year, day by day, and look at it every night, or every so many."""
    program, healthy, _ = world_of(evidence_rows())
    _, worse, _ = world_of(degraded())
    source, draw = YearSource(), random.Random(seed)
    gone = Year()
    release = 0
    repairs: dict[str, int] = {}
    broken: set[str] = set()
    for day in range(DAYS):
        begins = {DEGRADES: MODEL, SLOWS: PROVIDER, SHIFTS: MIX}.get(day)
        if begins is not None:
            broken.add(begins)
        for cause in [cause for cause, at in repairs.items() if at == day]:
            del repairs[cause]
            broken.discard(cause)
            release += 1
        now = worse if MODEL in broken else healthy
        world = World(
            now.escalations,
            now.right,
            now.answers,
            0.09 if PROVIDER in broken else healthy.slow,
            # People more do not change the mix: it stays, and the new release takes it as it is.
            1.45 if day >= SHIFTS else 1.0,
        )
        hash_now = f"{release:x}".rjust(12, "0") + program.hash[12:]
        _draw_day(source, draw, gone, world, day, mails, hash_now, with_loop)
        if not with_loop or day % nights:
            continue
        statuses, state = evaluate(program, program.pipelines[NAME], source, hash_now)
        for status in statuses:
            metric = status.watched.line.metric
            if status.state is LineState.ALERT and status.new and status.alert is not None:
                status.alert["told"] = ["desk"]
                changed = [str(one) for one in status.alert["changed"]]
                gone.alerts.append((day, metric, changed))
                cause = cause_of(metric, changed)
                repairs.setdefault(cause, day + REPAIRS[cause])
                if metric == "accuracy(sorted)":
                    gone.evidence = _pulled(source)
            elif status.state is LineState.RECOVERED:
                gone.recovered.append((day, metric))
        source.keep(name_of(NAME, hash_now), state.text())
    return gone


def _draw_day(
    source: YearSource,
    draw: random.Random,
    gone: Year,
    world: World,
    day: int,
    mails: int,
    release: str,
    labels: bool,
) -> None:
    begin = START + day * DAY
    names, shares = list(world.escalations), [world.more * s for s in world.escalations.values()]
    wrong = slow = 0
    for number in range(mails):
        started = begin + (number + draw.random()) * (DAY - 200) / mails
        roll, reason = draw.random(), None
        for name, share in zip(names, shares, strict=True):
            roll -= share
            if roll < 0:
                reason = name
                break
        late = draw.random() < world.slow
        seconds = 45.0 if late else 2.0 + 3.0 * draw.random()
        slow += late
        wrong += reason is None and draw.random() >= world.right
        run = ObservedRun(
            id=f"m{day}-{number}",
            pipeline=NAME,
            program=release,
            tenant=None,
            thread=None,
            started=started,
            ended=started + seconds,
            outcome="answered" if reason is None else "escalated",
            role=None if reason is None else "desk",
            reason=reason,
            cost=0.0006,
            tokens=500,
            seconds=seconds,
        )
        source.every.append(run)
        if labels and reason not in BEFORE_SORTING and draw.random() < 0.1:
            for issue in range(draw.choice(ISSUES)):
                answer = draw.choice(world.answers)
                source.all_cases.append(_label(run, issue, answer, release, len(source.all_cases)))
    gone.unnoticed.append(wrong)
    gone.slow.append(slow)
    gone.runs.append(mails)
    source.clock = begin + DAY + 700


def _label(run: ObservedRun, issue: int, answer: Sorted, release: str, number: int) -> Case:
    """What the desk says of one issue, a minute after the run."""
    moment = datetime.fromtimestamp((run.ended or 0) + 60, UTC)
    sure, right = answer
    return Case(
        id=f"{number:012x}",
        run_id=run.id,
        pipeline=NAME,
        kind="label",
        name=f"sorted[{issue}]",
        role="desk",
        opened_at=moment,
        shown={"input": None, "answer": None},
        state="decided",
        verdict=Verdict(yes=right, by="ana", at=moment, seconds=45.0),
        closed_at=moment,
        about={
            "program": release,
            "pipeline": NAME,
            "step": "sorted",
            "path": f"sorted[{issue}]/",
            "visit": 0,
            "share": 0.1,
            "draw": 0.05,
            "confidence": sure,
        },
    )


def _pulled(source: YearSource) -> list[dict[str, object]]:
    """The labels of the last two weeks as rows of evidence."""
    rows: list[dict[str, object]] = []
    for case in source.all_cases:
        assert case.verdict is not None
        assert case.about is not None
        if case.opened_at.timestamp() > source.clock - 14 * DAY:
            rows.append(
                {
                    "case": f"{case.run_id}/{case.name}",
                    "confidence": case.about["confidence"],
                    "correct": case.verdict.yes,
                }
            )
    return rows


def checked_again(rows: Sequence[dict[str, object]]) -> float:
    """The silent errors that `check` predicts once its evidence is these rows."""
    return world_of(rows)[2]


def weekly(counts: Sequence[int], runs: Sequence[int]) -> list[float]:
    """Shares of runs by weeks."""
    weeks = range(0, len(counts) - 6, 7)
    return [sum(counts[at : at + 7]) / sum(runs[at : at + 7]) for at in weeks]


def picture(looped: Year, alone: Year) -> str:
    """The silent errors of the year by weeks, with the loop and without, and what was told."""
    shares, other = weekly(looped.unnoticed, looped.runs), weekly(alone.unnoticed, alone.runs)
    weeks = [datetime.fromtimestamp(START + 7 * n * DAY, UTC) for n in range(len(shares))]
    marks: dict[int, str] = {}
    for day, metric, _ in looped.alerts:
        at = min(day // 7, len(shares) - 1)
        marks[at] = f"{marks[at]}, {metric}" if at in marks else f"alert: {metric}"
    return day_curve(
        "wrong and unnoticed, by weeks: with the loop, and without (dashed)",
        [f"{week:%b %d}" for week in weeks],
        shares,
        [7 * looped.runs[0]] * len(shares),
        other=other,
        marks=marks,
    )


def main() -> None:
    """Print the year, and draw it."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--picture", type=Path)
    asked = reader.parse_args()
    looped, alone = year(with_loop=True), year(with_loop=False)
    began = {MODEL: DEGRADES, PROVIDER: SLOWS, MIX: SHIFTS}
    for day, metric, changed in looped.alerts:
        since = day + 1 - began[cause_of(metric, changed)]
        print(f"day {day + 1:3}  alert on `{metric}`, {since} days after: {'; '.join(changed)}")
    before = world_of(evidence_rows())[2]
    after = checked_again(looped.evidence)
    print(f"check said {before:.1%} silent errors, and with the labels pulled {after:.1%}")
    for name, gone in (("with the loop", looped), ("without", alone)):
        print(
            f"{name:14} {sum(gone.unnoticed):6,} wrong and unnoticed, {sum(gone.slow):6,} slow "
            f"of {sum(gone.runs):,}"
        )
    if asked.picture is not None:
        asked.picture.write_text(picture(looped, alone), encoding="utf-8")


if __name__ == "__main__":
    main()
    sys.exit(0)
