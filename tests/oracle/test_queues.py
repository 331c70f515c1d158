"""Review queues against brute force: cases counted in every run, waits summed over every state.

How many cases a run sends to a role is counted while all runs are played. The wait is that of a
birth-and-death chain whose stationary distribution is summed up state by state: whoever finds n
cases before him waits for n - c + 1 of them to be done.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import exp, lgamma, log
from pathlib import Path
from typing import Any

import pytest

from . import model as m
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate import generate
from .generate_wide import generate_wide, pipelines_of
from .subject import whole_report
from .traverse import all_items, all_links, steps_of
from .values import OpenReadingError
from .write_pipe import write_pipe

SEEDS = 800 if os.environ.get("ORACLE_LONG") else 64
BATCH = 16
FIRST = 110_000
MOST_RUNS = 800
RATE = 100  # what the writer says of every pipeline that has traffic
DAY = 24 * 3600
MAKERS: dict[str, Callable[[int], m.Program]] = {"plain": generate, "wide": generate_wide}
BUSY, FULL = 0.85, 1.0


def staffed(text: str, seed: int) -> tuple[str, dict[str, tuple[int, int]]]:
    """The text with people who have more or less to do; they and their seconds a case by role."""
    rng = random.Random(seed)
    found: dict[str, tuple[int, int]] = {}

    def role(given: re.Match[str]) -> str:
        people, minutes = rng.choice([1, 1, 2, 3, 7]), rng.choice([4, 9, 25, 60])
        found[given[1]] = people, 60 * minutes
        return f"role {given[1]} {{\n  people {people}\n  handles {minutes}m\n"

    text = re.sub(r"role (\w+) \{\n  people 20\n  handles 4m\n", role, text)
    if "\n  traffic " not in text[text.index("pipeline main(") :]:
        text = re.sub(r"(pipeline main\(.*\n)", rf"\1  traffic {RATE}/day {{ }}\n", text)
    return text, found


def cases(program: m.Program, text: str) -> dict[str, Fraction] | None:
    """Cases a day by role; None where a pipeline that nobody runs has no rate and asks people."""
    run = {
        link.action.pipeline
        for pipeline in pipelines_of(program)
        for step in steps_of(pipeline.items)
        for link in all_links(step.links)
        if isinstance(link.action, m.RunPipeline)
    }
    found: dict[str, Fraction] = {}
    for pipeline in pipelines_of(program):
        child = None if pipeline is program.pipeline else pipeline.name
        body = text[text.index(f"pipeline {pipeline.name}(") :].split("\n}\n")[0]
        rated = f"\n  traffic {RATE}/day" in body
        if not rated and pipeline.name in run:
            continue
        asked = enumerate_runs(program, limit=MOST_RUNS, child=child).asked
        if asked and not rated:
            return None
        for name, often in asked.items():
            found[name] = found.get(name, Fraction(0)) + RATE * often
    return found


def deadlines(program: m.Program) -> Iterator[tuple[str, int]]:
    """Every place that gives a role a time, with that time."""
    roles = {role.name for role in program.roles}
    for pipeline in pipelines_of(program):
        for item in all_items(pipeline.items):
            if isinstance(item, m.Hold):
                yield item.role, item.seconds
            elif isinstance(item, m.Approve) and item.within is not None:
                yield item.role, item.within
        for step in steps_of(pipeline.items):
            for link in all_links(step.links):
                asks = isinstance(link.action, m.Ask) and link.action.by in roles
                if asks and link.timeout is not None:
                    yield link.action.by, link.timeout  # type: ignore[union-attr,misc]


def waits_longer(people: int, load: float, handles: float, wait: float) -> float:
    """P(a case waits longer), from the stationary distribution of the chain itself."""
    weights = [1.0]
    while len(weights) <= people or weights[-1] > 1e-16 * sum(weights):
        weights.append(weights[-1] * load / min(len(weights), people))
    total = sum(weights)
    done = people * wait / handles  # cases that are done meanwhile, on average
    longer, at_most = 0.0, 0.0
    for before, weight in enumerate(weights[people:]):
        # So many or fewer are done: whoever came is still waiting.
        at_most += exp(before * log(done) - done - lgamma(before + 1)) if done else before == 0
        longer += weight / total * at_most
    return longer


def off(role: str, load: dict[str, Any], staff: tuple[int, int], often: Fraction) -> list[str]:
    people, handles = staff
    busy = float(often * handles / DAY / people)
    found = []
    if load["utilisation"]["value"] != pytest.approx(busy, rel=1e-11, abs=1e-13):
        found.append(f"{role} is busy {busy!r}, reported {load['utilisation']}")
    wait = load["wait_p95"]["value"]
    if busy >= FULL - 1e-12:
        return found if wait is None else [*found, f"{role} never ends, reported {wait}"]
    late = waits_longer(people, busy * people, handles, wait)
    if late > 0.05 + 1e-9 or (wait and late != pytest.approx(0.05, rel=1e-6)):
        found.append(f"{role}: {late!r} wait longer than {wait!r}")
    return found


def expected_codes(program: m.Program, review: dict[str, Any]) -> list[str]:
    """What is found about queues whose figures are right."""
    codes = []
    for role, load in review.items():
        busy, wait = load["utilisation"]["value"], load["wait_p95"]["value"]
        codes += ["P508"] if busy >= FULL else ["P509"] if busy > BUSY else []
        if busy < FULL:
            codes += [
                "P517" for name, within in deadlines(program) if name == role and wait > within
            ]
    return sorted(codes)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_queues_are_those_of_all_runs(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    compared = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        program = MAKERS[maker](seed)
        path = write_pipe(program, tmp_path / f"seed_{seed}")
        text, staff = staffed(path.read_text(encoding="utf-8"), seed)
        try:
            often = cases(program, text)
        except (TooManyRunsError, OpenReadingError):
            continue
        if not often:
            continue
        path.write_text(text, encoding="utf-8")
        report = whole_report(path)
        review = report["review"]
        found = [] if set(often) <= set(review) else [f"{set(often)}, reported {set(review)}"]
        for role, load in review.items():
            compared += 1
            found += off(role, load, staff[role], often.get(role, Fraction(0)))
        codes = [one["code"] for one in report["diagnostics"]]
        told = sorted(code for code in codes if code in ("P508", "P509", "P517"))
        if told != expected_codes(program, review):
            found.append(f"told {told}, expected {expected_codes(program, review)}")
        if found:
            failures += [f"seed {seed}", *found, text]
    assert compared >= BATCH // 3
    assert not failures, "\n".join(failures)


def test_a_wrong_wait_is_noticed() -> None:
    """One person, busy 80%, 5 minutes a case: 95% wait less than 69.3147 minutes."""
    assert waits_longer(1, 0.8, 5.0, 69.3147) == pytest.approx(0.05, rel=1e-5)
    assert waits_longer(1, 0.8, 5.0, 60.0) > 0.06
    assert waits_longer(3, 2.4, 5.0, 0.0) == pytest.approx(0.6472, abs=1e-4)
