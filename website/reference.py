"""Adds what the docstrings say to the page of the API, after each public name and module."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pipelang

NAME = re.compile(r"^### `(\w+)`$", re.MULTILINE)
MODULE = re.compile(r"^## `(pipelang\.\w+)`$", re.MULTILINE)


def with_docstrings(text: str) -> str:
    """The text of docs/api.md with the reference of each name below it, as mkdocstrings takes it.

    A section is headed by a public name or module. Its end is the next heading.
    """
    parts = re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE)
    return "".join(part.rstrip() + "\n\n" + _reference(part) for part in parts)


def _reference(section: str) -> str:
    if (named := NAME.match(section)) and not named[1].startswith("__"):
        return f"::: {pipelang._HOMES[named[1]]}.{named[1]}\n\n"
    if module := MODULE.match(section):
        names = import_module(module[1]).__all__
        homes = {name: _home(module[1], name) for name in names if name not in pipelang.__all__}
        return "".join(f"### `{name}`\n\n::: {home}\n\n" for name, home in homes.items())
    return ""


def _home(module: str, name: str) -> str:
    """Where a name is defined, which is where its docstring is looked for."""
    value = getattr(import_module(module), name)
    found = inspect.getmodule(value)
    return f"{found.__name__ if found else module}.{name}"
