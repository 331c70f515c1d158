"""Importances against brute force: what all runs say when the accuracy of one step is moved.

An outcome is a polynomial in the accuracy of a step, whose degree is how often it is made. Its
derivative is read off four enumerations in exact rationals, by a rule that is exact up to degree
four; beyond the rest is far below the tolerance. An accuracy may be moved past 0 or 1: the sum over
all runs is the same polynomial there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from . import model as m
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate import generate
from .generate_wide import generate_wide
from .subject import analyse
from .traverse import all_links, steps_of
from .values import OpenReadingError
from .write_pipe import pipe_text, write_pipe

H = Fraction(1, 1000)
WEIGHTS = {2: Fraction(-1, 12), 1: Fraction(2, 3), -1: Fraction(-2, 3), -2: Fraction(1, 12)}
SEEDS = 400 if os.environ.get("ORACLE_LONG") else 20
BATCH = 10
FIRST = 90_000
MOST_RUNS = 300
MAKERS: dict[str, Callable[[int], m.Program]] = {"plain": generate, "wide": generate_wide}
OUTCOMES = ("success", "silent_error")


def moved(program: m.Program, step: m.Step, by: Fraction) -> m.Program:
    """The program with all accuracies of a step a little higher, and nobody else's: a tool that it
    calls becomes one of its own.
    """
    tools = {tool.name: tool for tool in program.tools}
    roles = {role.name: role for role in program.roles}
    own: dict[str, m.Tool] = {}

    def link(one: m.Link) -> m.Link:
        action = one.action
        match action:
            case m.Call(tool=name):
                tool = tools[name]
                mine = own[name] = replace(tool, name=f"{name}_own", accuracy=tool.accuracy + by)
                return replace(one, action=replace(action, tool=mine.name))
            case m.Each(links=links):
                return replace(one, action=replace(action, links=tuple(map(link, links))))
            case m.Pick(arms=arms):
                inner = tuple((pattern, link(arm)) for pattern, arm in arms)
                return replace(one, action=replace(action, arms=inner))
            case m.RunPipeline() | m.Recall():
                return one
        match one.accuracy:
            case m.ByTier(rates=rates):
                return replace(one, accuracy=m.ByTier(tuple((t, p + by) for t, p in rates)))
            case Fraction() as rate:
                return replace(one, accuracy=rate + by)
            case None:
                assert isinstance(action, m.Ask)
                assert isinstance(action.by, str)
                return replace(one, accuracy=roles[action.by].accuracy + by)
            case other:
                raise AssertionError(other)

    def items(block: tuple[m.Item, ...]) -> tuple[m.Item, ...]:
        return tuple(map(item, block))

    def item(one: m.Item) -> m.Item:
        match one:
            case m.Step() if one is step:
                return replace(one, links=tuple(map(link, one.links)))
            case m.When(then=then, otherwise=otherwise):
                return replace(one, then=items(then), otherwise=items(otherwise))
            case m.Match(arms=arms):
                return replace(one, arms=tuple((x, items(block)) for x, block in arms))
            case _:
                return one

    pipeline = replace(program.pipeline, items=items(program.pipeline.items))
    children = tuple(replace(one, items=items(one.items)) for one in program.children)
    tools = (*program.tools, *own.values())
    return replace(program, pipeline=pipeline, children=children, tools=tools)


def movable(program: m.Program) -> Iterator[tuple[str, m.Step]]:
    """Steps whose accuracies are numbers, in sub-pipelines too, by the name that a report gives
    them. The rows of a file say how sure answers are as well, and a `run` has no accuracy of its
    own in a text (its twin is in `tests/unit/analysis/metrics/test_through_run.py`).
    """
    for one in (program.pipeline, *program.children):
        for step in steps_of(one.items):
            links = list(all_links(step.links))
            if not any(
                isinstance(link.accuracy, m.FromFile) or isinstance(link.action, m.RunPipeline)
                for link in links
            ):
                yield (f"{one.name}.{step.name}" if one in program.children else step.name), step


def slopes(program: m.Program, step: m.Step) -> dict[str, Fraction]:
    found = dict.fromkeys(OUTCOMES, Fraction(0))
    for times, weight in WEIGHTS.items():
        exact = enumerate_runs(moved(program, step, times * H), limit=MOST_RUNS)
        for name in OUTCOMES:
            found[name] += weight * exact.outcomes[name] / H
    return found


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_importance_is_the_derivative_of_all_runs(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    compared = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        program = MAKERS[maker](seed)
        report = None
        for told, step in movable(program):
            try:
                exact = slopes(program, step)
            except (TooManyRunsError, OpenReadingError):
                break
            if report is None:
                report = analyse(write_pipe(program, tmp_path / f"seed_{seed}"))["main"]
            found = [x for x in report["steps"] if x["name"] == told]
            if not found:  # of a pipeline that is only a tool of an agent, or never run
                assert "." in told
                continue
            compared += 1
            importance = found[0]["importance"]
            for name in OUTCOMES:
                value = importance[name]["value"]
                if value is None or abs(value - float(exact[name])) > 1e-9:
                    failures.append(
                        f"seed {seed}, {told}, {name}: {float(exact[name])!r}, reported"
                        f" {value!r}\n{pipe_text(program)}"
                    )
    assert compared >= BATCH // 2
    assert not failures, "\n".join(failures)
