"""Lines of a program, with the mistakes that can be made in them.

A mistake is written where the right words are: `slip("unit", "30s", "$5")` gives the right words,
and remembers the wrong ones. Slips may stand in each other, so an expression carries those of its
parts, and the writer makes one broken file of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

_OPEN, _BAR, _CLOSE = "\ue000", "\ue001", "\ue002"
_INNERMOST = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")


def slip(kind: str, right: str, wrong: str, at: str = "") -> str:
    """The right words, with a mistake of a kind in their place. `at` names the line that is told
    of, by its mark; without it, it is the line itself.
    """
    return f"{_OPEN}{kind}{_BAR}{right}{_BAR}{plain(wrong)}{_BAR}{at}{_CLOSE}"


def quoted(text: str) -> str:
    """A text as it stands in a program."""
    return f'"{text}"'


def plain(text: str) -> str:
    """A text without its slips."""
    while _OPEN in text:
        text = _INNERMOST.sub(lambda found: found[1].split(_BAR)[1], text)
    return text


def wrong_ways(text: str) -> Iterator[tuple[str, str, str]]:
    """Every slip of a text: its kind, the text with it, and the mark of the line it is told at."""
    while found := _INNERMOST.search(text):
        kind, right, wrong, at = found[1].split(_BAR)
        yield kind, plain(text[: found.start()] + wrong + text[found.end() :]), at
        text = text[: found.start()] + right + text[found.end() :]


@dataclass(frozen=True)
class Mistake:
    """Lines `first` to `last` become `text`, and one of the lines `told` must have an error."""

    kind: str
    first: int
    last: int
    text: str
    told: tuple[int, ...]


@dataclass(frozen=True)
class Declared:
    """A name, the line of its declaration, and the last line of that."""

    name: str
    what: str
    line: int
    last: int


@dataclass
class Program:
    """A program that is right. `files` are those beside it."""

    text: str
    files: dict[str, str]
    mistakes: tuple[Mistake, ...]
    declared: tuple[Declared, ...]

    def with_mistake(self, mistake: Mistake) -> str:
        """The program's text with a mistake; all other lines stay where they are."""
        lines = self.text.split("\n")
        rest = [""] * (mistake.last - mistake.first - mistake.text.count("\n"))
        lines[mistake.first - 1 : mistake.last] = [*mistake.text.split("\n"), *rest]
        return "\n".join(lines)


@dataclass
class Writer:
    """The lines so far; numbers of lines start at 1."""

    pick: Random
    lines: list[str] = field(default_factory=list)
    found: list[tuple[int, int, str, str, str]] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    declared: list[Declared] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    indent: int = 0

    @property
    def next(self) -> int:
        return len(self.lines) + 1

    def name(self, word: str) -> str:
        """A name that nothing else in the program has, nor is the beginning of."""
        self.numbers[word] = self.numbers.get(word, 0) + 1
        return f"{word}_{self.numbers[word]}" if word.islower() else f"{word}{self.numbers[word]}"

    def line(self, text: str = "", *slips: tuple[str, str] | tuple[str, str, str]) -> int:
        """Write a line; `slips` are kinds, whole lines in its place, and marks."""
        number, before = self.next, "  " * self.indent
        self.lines.append(before + plain(text) if text else "")
        for kind, wrong, at in wrong_ways(text):
            self.found.append((number, number, kind, before + wrong, at))
        for kind, wrong, *at in slips:
            wrong = plain(wrong).replace("\n", "\n" + before)
            self.found.append((number, number, kind, before + wrong, at[0] if at else ""))
        return number

    @contextmanager
    def block(self, text: str, *slips: tuple[str, str]) -> Iterator[None]:
        """A line that ends in `{`, what stands inside, and `}`."""
        self.line(text + " {", *((kind, wrong + " {") for kind, wrong in slips))
        self.indent += 1
        yield
        self.indent -= 1
        self.line("}")

    def mark(self, name: str) -> None:
        """Call the next line by a name, for slips that are told there."""
        self.marks[name] = self.next

    def drop(self, kind: str, first: int, at: str) -> None:
        """Leaving out everything since a line is a mistake."""
        self.found.append((first, self.next - 1, kind, "", at))

    def declare(self, name: str, what: str, line: int) -> None:
        """What was written since a line is the declaration of a name."""
        self.declared.append(Declared(name, what, line, self.next - 1))

    def program(self, files: dict[str, str]) -> Program:
        mistakes = [
            Mistake(kind, first, last, text, (self.marks[at] if at else first,))
            for first, last, kind, text, at in self.found
        ]
        return Program("\n".join(self.lines) + "\n", files, tuple(mistakes), tuple(self.declared))
