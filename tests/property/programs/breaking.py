"""Mistakes that any program can have: a name that is gone, written otherwise, or declared twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .writing import Declared, Mistake, Program

TOP = frozenset(
    "enum type patterns setting fn provider tier role tool memory prompt pipeline".split()
)


def mistakes(program: Program) -> Iterator[Mistake]:
    """Every single mistake that is known for a program."""
    yield from program.mistakes
    lines = program.text.split("\n")
    for one in program.declared:
        yield from _of_a_name(lines, one)


def _of_a_name(lines: list[str], one: Declared) -> Iterator[Mistake]:
    uses = [at for at, line in enumerate(lines, 1) if _names(one.name, line)]
    outside = tuple(at for at in uses if not one.line <= at <= one.last)
    inside = [at for at in uses if at != one.line]
    for at in inside:
        text = _renamed(lines[at - 1], one.name)
        yield Mistake("renamed use", at, at, text, (at,))
    text = _renamed(lines[one.line - 1], one.name, once=True)
    for at in inside:
        yield Mistake("renamed declaration", one.line, one.line, text, (at,))
    if one.what in TOP:
        for at in outside:
            yield Mistake("deleted declaration", one.line, one.last, "", (at,))
    if one.what in (*TOP, "let", "step", "gate"):
        copy = "\n".join(lines[one.line - 1 : one.last])
        yield Mistake("double declaration", one.line, one.last, f"{copy}\n{copy}", (one.last + 1,))


def _names(name: str, line: str) -> bool:
    return re.search(rf"\b{name}\b", line.split("#")[0]) is not None


def _renamed(line: str, name: str, once: bool = False) -> str:
    return re.sub(rf"\b{name}\b", f"{name}_gone", line, count=once)
