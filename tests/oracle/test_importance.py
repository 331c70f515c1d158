"""Importance is a derivative: it must be what the outcomes do when an accuracy is moved a little.

A step that is made once enters every outcome linearly, so the difference quotient is the derivative
exactly. Redos make powers of it; between a - h and a + h these bend by some h squared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from . import model as m
from .generate import generate
from .subject import analyse
from .traverse import all_items
from .write_pipe import pipe_text, write_pipe

H = Fraction(1, 2000)
SEEDS = range(40_000, 40_040 if os.environ.get("ORACLE_LONG") else 40_020)
"""Forty of them in the long run (`make oracle`)."""


def moved(program: m.Program, step: m.Step, by: Fraction) -> m.Program:
    """The program with all accuracies of a step a little higher."""
    links = tuple(
        replace(link, accuracy=link.accuracy + by)
        for link in step.links
        if isinstance(link.accuracy, Fraction)
    )
    assert len(links) == len(step.links)
    items = tuple(
        replace(step, links=links) if item is step else item for item in program.pipeline.items
    )
    return replace(program, pipeline=replace(program.pipeline, items=items))


def movable(program: m.Program) -> Iterator[m.Step]:
    """Steps of the outermost block with room on both sides of every accuracy."""
    for item in program.pipeline.items:
        if isinstance(item, m.Step) and all(
            isinstance(link.accuracy, Fraction)
            and not isinstance(link.action, m.Call)
            and H <= link.accuracy <= 1 - H
            for link in item.links
        ):
            yield item


@pytest.mark.parametrize("seed", SEEDS)
def test_importance_is_the_difference_quotient(seed: int, tmp_path: Path) -> None:
    program = generate(seed)
    report = analyse(write_pipe(program, tmp_path / "as_it_is"))["main"]
    importance = {step["name"]: step["importance"] for step in report["steps"]}
    redone = any(getattr(i, "redo", None) for i in all_items(program.pipeline.items))
    for step in movable(program):
        higher = analyse(write_pipe(moved(program, step, H), tmp_path / "higher"))["main"]
        lower = analyse(write_pipe(moved(program, step, -H), tmp_path / "lower"))["main"]
        for name in ("success", "silent_error"):
            rise = higher["outcomes"][name]["value"] - lower["outcomes"][name]["value"]
            slope = rise / float(2 * H)
            found = importance[step.name][name]["value"]
            close = pytest.approx(slope, abs=1e-5 if redone else 1e-11)
            assert found == close, f"{step.name}, {name}\n{pipe_text(program)}"
