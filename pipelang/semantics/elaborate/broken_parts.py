"""Filters for parts of the syntax tree that could not be read.

Where something could not be read, the parser has reported it and left an `ast.Broken` in its place,
among options, items, arms or lines. The parts around it are checked as usual, but nothing is
reported as missing that may stand in the broken part.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pipelang.syntax import ast

T = TypeVar("T")


def whole(parts: Iterable[T | ast.Broken]) -> list[T]:
    """The parts that could be read."""
    return [part for part in parts if not isinstance(part, ast.Broken)]


def flawed(parts: Iterable[Any]) -> bool:
    """Whether one of the parts could not be read."""
    return any(isinstance(part, ast.Broken) for part in parts)
