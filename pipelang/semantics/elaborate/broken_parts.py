"""Parts of the tree that could be read.

Where something could not be read, the parser has told it and left an `ast.Broken` in its place, be
it among options, items, arms or lines. What stands around it is checked as ever, but nothing is
said of what may only be missing because of it.
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
