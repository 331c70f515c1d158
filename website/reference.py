"""Adds what the docstrings say to the page of the API, after each public name."""

from __future__ import annotations

import re

import pipelang

HEADING = re.compile(r"^### `(\w+)`$", re.MULTILINE)


def with_docstrings(text: str) -> str:
    """The text of docs/api.md with the reference of each name below it, as mkdocstrings takes it.

    A section is headed by the public name. Its end is the next heading.
    """
    parts = re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE)
    return "".join(part + _reference(part) for part in parts)


def _reference(section: str) -> str:
    found = HEADING.match(section)
    if found is None or found[1].startswith("__"):
        return ""
    return f"::: {pipelang._HOMES[found[1]]}.{found[1]}\n\n"
