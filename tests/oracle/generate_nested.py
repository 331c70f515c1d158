"""Random programs whose sub-pipelines run others: two deep, twice, in lists, in chains and redone.

`generate_wide` has a sub-pipeline in a sub-pipeline in some of a hundred programs. Here each has
one, and what is known of the inner one (importance, waterfall, advice) has to come through two
kernels, or through two runs of one.
"""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import count

from . import model as m
from .generate import STRAIGHT, USUAL
from .generate_wide import PLAIN, program_of
from .traverse import all_links, steps_of

DEEP = {"run": 12, "children": 3, "plain": 3, "retry": 0}
THEMES: dict[str, dict[str, int]] = {
    "deep": DEEP,
    "deep in lists": DEEP | {"each": 4, "list": 1},
    "deep and redone": STRAIGHT | DEEP | {"redo": 5, "gate": 4, "links": 0},
    "deep that acts": DEEP | {"acts": 8, "write": 2},
    "deep beside others": DEEP | {"agent": 3, "vote": 2, "cascade": 2, "pick": 2},
}


def generate_nested(seed: int) -> m.Program:
    """The first program from this seed in which a sub-pipeline that is run runs another."""
    name = list(THEMES)[seed % len(THEMES)]
    for number in count():
        rng = random.Random(f"nested {seed} {number}")
        program = calmed(program_of(rng, USUAL | PLAIN | THEMES[name]), rng)
        if is_nested(program):
            return program
    raise AssertionError("unreachable")


def calmed(program: m.Program, rng: random.Random) -> m.Program:
    """The program with fewer faults, so that the runs of pipelines in pipelines can be played."""
    sure = Fraction(1)
    return replace(
        program,
        providers=tuple(
            replace(one, available=one.available if rng.randrange(4) == 0 else sure)
            for one in program.providers
        ),
        tiers=tuple(
            replace(one, transient=one.transient if rng.randrange(3) == 0 else 1 - sure)
            for one in program.tiers
        ),
        tools=tuple(
            replace(one, succeeds=one.succeeds if rng.randrange(3) == 0 else sure)
            for one in program.tools
        ),
    )


def runs_by(pipeline: m.Pipeline) -> list[str]:
    """The pipelines that one runs, as often as its text says so."""
    return [
        link.action.pipeline
        for step in steps_of(pipeline.items)
        for link in all_links(step.links)
        if isinstance(link.action, m.RunPipeline)
    ]


def is_nested(program: m.Program) -> bool:
    """Whether the main pipeline runs one that runs one that asks a model."""
    children = {one.name: one for one in program.children}
    asked = {name for name, one in children.items() if _asks(one)}
    return any(
        inner in asked for name in runs_by(program.pipeline) for inner in runs_by(children[name])
    )


def _asks(pipeline: m.Pipeline) -> bool:
    return any(
        isinstance(link.action, m.Ask | m.Agent)
        for step in steps_of(pipeline.items)
        for link in all_links(step.links)
    )
