"""The rows of an evidence file in columns: a million of them are some megabytes.

A row is an `EvidenceRow` for whoever asks for one; what the analysis asks of a whole file (how many
are right, how often each confidence occurs) is read off the columns.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, overload

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A row of an evidence file; `line` is its line there, `case` the input that was answered, and
    `attempt` which answer to it this is; `source` says what the confidence is, where that is known:
    a probability that a provider told, or the model's own word.
    """

    confidence: Decimal | None
    correct: bool
    line: int
    case: str | None = None
    attempt: int = 1
    source: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceOrigin:
    """The origin of rows: the hash of the prompt, the model that answered, the day, the gate behind
    which cases were taken (or `all`); None for what they don't say. `line` is the first that says
    so, `count` how many rows it is said of.
    """

    prompt: str | None
    model: str | None
    as_of: str | None
    sampled: str | None
    line: int
    count: int


class RowColumns:
    """Rows that are being read, a column a field. A confidence is an index into the distinct ones,
    `levels`, and its source one into `kinds`; 0 is none.
    """

    __slots__ = (
        "attempts",
        "cases",
        "correct",
        "index",
        "kinds",
        "levels",
        "lines",
        "sources",
        "sure",
    )

    def __init__(self) -> None:
        self.levels: list[Decimal | None] = [None]
        self.index: dict[Decimal | None, int] = {None: 0}
        self.sure = array("I")
        self.correct = bytearray()
        self.lines = array("I")
        self.cases: list[str | None] = []
        self.attempts = array("I")
        self.kinds: list[str | None] = [None]
        self.sources = bytearray()

    def kind(self, source: str | None) -> int:
        """The index of a source; there are few."""
        if source not in self.kinds:
            self.kinds.append(source)
        return self.kinds.index(source)

    def level(self, confidence: Decimal | None) -> int:
        """The index of a confidence."""
        found = self.index.get(confidence)
        if found is None:
            found = self.index[confidence] = len(self.levels)
            self.levels.append(confidence)
        return found

    def add(self, row: EvidenceRow) -> None:
        self.sure.append(self.level(row.confidence))
        self.correct.append(row.correct)
        self.lines.append(row.line)
        self.cases.append(row.case)
        self.attempts.append(row.attempt)
        self.sources.append(self.kind(row.source))


class EvidenceRows(Sequence[EvidenceRow]):
    """The rows of a file, in columns. `sampled` is the gate behind which they were taken, `origins`
    where they come from.
    """

    __slots__ = (
        "__weakref__",
        "_attempts",
        "_cases",
        "_correct",
        "_index",
        "_kinds",
        "_levels",
        "_lines",
        "_sources",
        "_sure",
        "origins",
        "sampled",
    )

    def __init__(
        self,
        columns: RowColumns,
        sampled: str | None = None,
        origins: tuple[EvidenceOrigin, ...] = (),
    ) -> None:
        self._levels, self._index, self._sure = columns.levels, columns.index, columns.sure
        self._correct, self._lines = columns.correct, columns.lines
        self.sampled, self.origins = sampled, origins
        some = columns.cases.count(None) < len(columns.cases)
        self._cases = columns.cases if some else []
        # Without cases no attempt has a number.
        self._attempts = columns.attempts if some else array("I")
        self._kinds = columns.kinds
        self._sources = columns.sources if len(columns.kinds) > 1 else bytearray()

    @classmethod
    def of_parts(cls, parts: Sequence[Any]) -> EvidenceRows:
        """The rows of what `parts` has given."""
        levels, sure, correct, lines, cases, attempts, kinds, sources, sampled = parts
        columns = RowColumns()
        columns.levels = list(levels)
        columns.index = {level: at for at, level in enumerate(levels)}
        columns.sure, columns.lines, columns.attempts = map(_numbers, (sure, lines, attempts))
        columns.correct = bytearray(correct.encode("latin-1"))
        columns.cases = list(cases)
        columns.kinds, columns.sources = list(kinds), bytearray(sources.encode("latin-1"))
        return cls(columns, sampled)

    def parts(self) -> tuple[Any, ...]:
        """Parts that make the rows again: lists of plain values, and columns as texts."""
        columns = (_text(column) for column in (self._sure, self._lines, self._attempts))
        sure, lines, attempts = columns
        correct, sources = (one.decode("latin-1") for one in (self._correct, self._sources))
        own = (sure, correct, lines, self._cases, attempts)
        return self._levels, *own, self._kinds, sources, self.sampled

    @property
    def right(self) -> int:
        """The number of rows that are right."""
        return self._correct.count(1)

    @property
    def cases(self) -> bool:
        """Whether some row says which input it is about."""
        return bool(self._cases)

    @property
    def sources(self) -> frozenset[str]:
        """The kinds of the confidences, as far as rows say it."""
        return frozenset(kind for kind in self._kinds if kind is not None)

    @property
    def ungraded(self) -> int | None:
        """The line of the first row without a confidence; None if all have one."""
        try:
            return self._lines[self._sure.index(0)]
        except ValueError:
            return None

    def line_of(self, confidence: Decimal) -> int:
        """The line of the first row with a confidence."""
        return self._lines[self._sure.index(self._index[confidence])]

    def often(self, right: bool) -> list[tuple[Decimal, int]]:
        """The confidences of right (or wrong) rows, ascending, and how often each is there."""
        wanted = int(right)
        pairs = zip(self._sure, self._correct, strict=True)
        counts = Counter(level for level, correct in pairs if correct == wanted)
        known = ((self._levels[level], count) for level, count in counts.items())
        return sorted((level, count) for level, count in known if level is not None)

    def of_kind(self, right: bool) -> EvidenceRows:
        """The rows that are right (or wrong)."""
        return _of(row for row in self if row.correct is right)

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, at: int) -> EvidenceRow: ...
    @overload
    def __getitem__(self, at: slice) -> EvidenceRows: ...
    def __getitem__(self, at: int | slice) -> EvidenceRow | EvidenceRows:
        if isinstance(at, slice):
            return _of(self[index] for index in range(*at.indices(len(self))))
        return EvidenceRow(
            self._levels[self._sure[at]],
            bool(self._correct[at]),
            self._lines[at],
            self._cases[at] if self._cases else None,
            self._attempts[at] if self._attempts else 1,
            self._kinds[self._sources[at]] if self._sources else None,
        )

    def __iter__(self) -> Iterator[EvidenceRow]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(mine == its for mine, its in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((len(self), self.right))

    def __repr__(self) -> str:
        return f"EvidenceRows({[*self]!r})"


def _text(numbers: array[int]) -> str:
    """Numbers as a text, which any table can hold: four characters each, the lowest byte first."""
    if sys.byteorder == "big":
        numbers = array("I", numbers)
        numbers.byteswap()
    return numbers.tobytes().decode("latin-1")


def _numbers(text: str) -> array[int]:
    found = array("I")
    found.frombytes(text.encode("latin-1"))
    if sys.byteorder == "big":
        found.byteswap()
    return found


def in_columns(rows: Sequence[EvidenceRow]) -> EvidenceRows:
    """Rows in columns, whatever they are in."""
    return rows if isinstance(rows, EvidenceRows) else _of(rows)


def _of(rows: Iterable[EvidenceRow]) -> EvidenceRows:
    columns = RowColumns()
    for row in rows:
        columns.add(row)
    return EvidenceRows(columns)
