"""Explanation page of a code: its meaning, why it matters, a wrong example and its fix.

Pages are Markdown, `pages/PNNN.md`: a title, paragraphs, and fences. A fence is headed by its
language and a word: `pipe wrong`, `pipe right`, or the name of a file that both of them use.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class Fence:
    """A piece of code in a page; `label` is `wrong`, `right` or the name of a file."""

    language: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page without its title: paragraphs first, then fences, each in the order of the page."""

    paragraphs: tuple[str, ...]
    fences: tuple[Fence, ...]

    def example(self, label: str) -> str | None:
        """The text of a fence by its label."""
        return next((fence.text for fence in self.fences if fence.label == label), None)


_FENCE = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@cache
def page_of(code: str) -> Page | None:
    """The page of a code; None if there is none."""
    place = files("pipelang.diagnostics") / "pages" / f"{code}.md"
    if not place.is_file():
        return None
    _, _, body = place.read_text(encoding="utf-8").partition("\n")
    fences = tuple(Fence(hit[1], hit[2], hit[3]) for hit in _FENCE.finditer(body))
    prose = _FENCE.sub("", body).split("\n\n")
    return Page(tuple(" ".join(part.split()) for part in prose if part.strip()), fences)
