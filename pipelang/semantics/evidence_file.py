"""An evidence file as text to its rows: JSON Lines, one labelled answer a line.

A row may say which input it is about (`case`) and which answer to it this is (`attempt`): files
that share cases say how verdicts hang together. `confidence_from` says, as traces do, whether a
confidence is a probability that a provider told or the model's own word. A row may say where it
comes from, and so may a first row for all (`evidence_origin`). What a line may hold besides (who
labelled it) is the business of whoever wrote it, and is passed over.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

from pipelang.records import dataclass
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_origin import KEYS, BadRow, OriginReader, Said
from pipelang.semantics.evidence_rows import EvidenceRow, EvidenceRows, RowColumns
from pipelang.semantics.kernels.decisions import PROBABILITIES, WORD

SOURCES = (PROBABILITIES, WORD)
EXAMPLE = '{"confidence": 0.93, "correct": true}'
FORM = f"JSON Lines, one answer a line: {EXAMPLE}"
TOO_LARGE = "a sample is enough: 100,000 rows pin a share down to 0.3 points"
NOT_UTF8 = "save it as UTF-8"


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first error in an evidence file: its line from 1, the reason, and the fix."""

    line: int
    why: str
    help: str


_READ: WeakValueDictionary[tuple[int, int], EvidenceRows] = WeakValueDictionary()
"""Rows by their text, as long as somebody uses them: advice elaborates a program many times."""


def read_evidence(name: str, text: str) -> EvidenceFile | Flaw:
    """The rows of an evidence file; blank lines, a BOM and CRLF do not matter."""
    key = (len(text), hash(text))
    rows = _READ.get(key)
    if rows is None:
        reader = _Reader(text)
        try:
            reader.read()
        except BadRow as bad:
            why, help = bad.args
            return Flaw(reader.number, why, help)
        if not reader.columns.lines:
            return Flaw(1, "there are no rows", FORM)
        origin = reader.origin
        rows = EvidenceRows(reader.columns, origin.behind(), origin.origins())
        _READ[key] = rows
    return EvidenceFile(name, rows, rows.sampled, rows.origins)


MOST_SHAPES = 16
"""So many shapes of a row are learned; what fits none is read as JSON, slower."""


class _Reader:
    """A text read line by line. Rows of one file look alike: once one was read as JSON, an
    expression for its shape (its keys in their order) reads those that follow, ten times as fast.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.number = 0
        self.columns = RowColumns()
        self.origin = OriginReader()
        self._said: dict[tuple[str | None, ...], Said] = {}
        self._levels: dict[str | None, int] = {None: 0, "null": 0}
        self._first: set[str] = set()
        self._later: set[tuple[str, int]] = set()

    def read(self) -> None:
        """Read all rows; `BadRow` at the first that is wrong, whose line is `number`."""
        text, size = self.text, len(self.text)
        at = 1 if text.startswith("\ufeff") else 0
        shape: re.Pattern[str] | None = None
        learned = 0
        while at < size:
            if shape is not None:
                at = self._by_shape(shape, at)
                if at >= size:
                    break
            self.number += 1
            end = text.find("\n", at)
            end = size if end < 0 else end
            line = text[at:end]
            at = end + 1
            if not line or line.isspace():
                continue
            value = _object(line)
            first = not self.columns.lines and not self.origin.line
            if first and self.origin.takes(value, self.number):
                continue
            self._as_json(value)
            if learned < MOST_SHAPES:
                learned += 1
                shape = _shape(value) or shape

    def _by_shape(self, shape: re.Pattern[str], at: int) -> int:
        """Take the rows from `at` on that fit a shape, and return the place behind them: not one
        with a confidence that was not seen before, nor one whose error has to be found.
        """
        text, match_at, levels, number = self.text, shape.match, self._levels, self.number
        sures, corrects, lines = self.columns.sure, self.columns.correct, self.columns.lines
        cases, attempts, first = self.columns.cases, self.columns.attempts, self._first
        sources, kind = self.columns.sources, self.columns.kind
        known = len(first)
        size = len(text)
        origins: Counter[tuple[str | None, ...]] = Counter()
        while at < size:
            match = match_at(text, at)
            if match is None:
                break
            sure, correct, case, attempt, source, *origin = match.group(*_KNOWN)
            level, said = levels.get(sure), tuple(origin)
            if level is None or said not in self._said:
                break
            which = 1
            if case is not None:
                if case[0] == '"':
                    case = case[1:-1]
                if attempt is not None and (which := int(attempt)) != 1:
                    if not self._is_new(case, which):
                        break
                else:
                    first.add(case)
                    if len(first) == known:
                        break
                    known += 1
            elif attempt is not None:
                break
            number += 1
            sures.append(level)
            corrects.append(correct == "true")
            lines.append(number)
            cases.append(case)
            attempts.append(which)
            sources.append(0 if source is None else kind(source))
            origins[said] += 1
            at = match.end()
        for said, count in origins.items():
            self.origin.again(self._said[said], count)
        self.number = number
        return at

    def _as_json(self, value: dict[str, Any]) -> None:
        row = _row(value, self.number)
        said = self.origin.add(value, self.number)
        if row.case is not None and not self._is_new(row.case, row.attempt):
            columns = EvidenceRows(self.columns)
            same = (row.case, row.attempt)
            first = next(one for one in columns if (one.case, one.attempt) == same)
            raise BadRow(*_twice(*same, first.line))
        self.columns.add(row)
        self._said[tuple(value.get(key) for key in KEYS)] = said
        # As it is written: nearly always as JSON writes it, and then others are found by it.
        self._levels.setdefault(str(row.confidence), self.columns.level(row.confidence))

    def _is_new(self, case: str, attempt: int) -> bool:
        """Remember an answer to a case; whether there was none so far. Most are the first."""
        if attempt == 1:
            before = len(self._first)
            self._first.add(case)
            return len(self._first) > before
        before = len(self._later)
        self._later.add((case, attempt))
        return len(self._later) > before


_TEXT = r'"[^"\\\x00-\x1f]*"'
_KNOWN = {
    "confidence": r"(?P<confidence>0(?:\.\d+)?|1(?:\.0+)?|null)",
    "correct": "(?P<correct>true|false)",
    "case": r'(?P<case>"[^"\\\x00-\x1f]+"|-?(?:0|[1-9]\d{0,17}))',
    "attempt": r"(?P<attempt>[1-9]\d{0,8})",
    "confidence_from": f'"(?P<confidence_from>{"|".join(SOURCES)})"',
    **{key: rf'"(?P<{key}>[^"\\\x00-\x1f]*)"' for key in KEYS},
}
_OTHER = rf"(?:{_TEXT}|-?(?:0|[1-9]\d*)(?:\.\d+)?|true|false|null)"
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")


def _shape(value: dict[str, Any]) -> re.Pattern[str] | None:
    """An expression for rows with the keys of this one in its order; None if a key is unusual."""
    if not all(_PLAIN.fullmatch(key) for key in value):
        return None
    gap = r"[ \t]*"
    parts = (f'"{re.escape(key)}"{gap}:{gap}{_KNOWN.get(key, _OTHER)}{gap}' for key in value)
    # A group for each known key: of those that are not here nothing is ever found.
    absent = "".join(f"(?P<{key}>(?!))?" for key in _KNOWN if key not in value)
    row = f",{gap}".join(parts)
    return re.compile(rf"{absent}{gap}\{{{gap}{row}\}}{gap}\r?(?:\n|\Z)")


def _twice(case: str, attempt: int, first: int) -> tuple[str, str]:
    """The reason and the fix for two verdicts on one answer."""
    return (
        f"attempt {attempt} at case `{case}` is on line {first} already",
        'number the answers to one input: `"attempt": 2`, or keep one of the two rows',
    )


def unreadable_help(why: str) -> str:
    """The help for a file that cannot be read as text."""
    return TOO_LARGE if "larger" in why else NOT_UTF8 if "byte" in why else FORM


def _object(line: str) -> dict[str, Any]:
    """A line as JSON."""
    try:
        value: Any = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:]
        raise BadRow(f"this is no JSON: {why} at column {error.colno}", FORM) from None
    except (ArithmeticError, RecursionError):
        raise BadRow("this is no JSON that can be read", FORM) from None
    if not isinstance(value, dict):
        raise BadRow(
            f"a row looks like {EXAMPLE}", "put one object on each line, not a list of all"
        )
    return value


def _row(value: dict[str, Any], number: int) -> EvidenceRow:
    if "correct" not in value:
        raise BadRow("a row needs `correct`: true or false", "label every answer, or drop the row")
    correct = value["correct"]
    if not isinstance(correct, bool):
        raise BadRow("`correct` must be true or false", "without quotes, and not as 1 or 0")
    case = _case(value.get("case"))
    attempt = _attempt(value.get("attempt"), case)
    confidence, source = _confidence(value.get("confidence")), _source(value)
    return EvidenceRow(confidence, correct, number, case, attempt, source)


def _source(row: dict[str, Any]) -> str | None:
    """The kind of a row's confidence, by the words that traces have for it."""
    given = row.get("confidence_from")
    if given is None:
        return None
    if given not in SOURCES:
        told = " or ".join(f'"{source}"' for source in SOURCES)
        raise BadRow(f"`confidence_from` must be {told}", "as the trace of the run says it")
    return SOURCES[SOURCES.index(given)]  # one object for all rows


def _case(given: Any) -> str | None:
    if given is None:
        return None
    if isinstance(given, Decimal):
        return str(given)
    if not isinstance(given, str) or not given:
        raise BadRow("`case` must be a text or a number", 'such as "case": "ticket-17"')
    return given


MOST_DIGITS = 9
"""Digits of the number of an attempt, and letters of what is told of a wrong confidence, about."""


def _attempt(given: Any, case: str | None) -> int:
    if given is None:
        return 1
    # Its size first: whole numbers of a billion digits are written in a few letters.
    if (
        not isinstance(given, Decimal)
        or given.adjusted() > MOST_DIGITS
        or given < 1
        or given != int(given)
    ):
        raise BadRow("`attempt` must be a whole number from 1", 'such as "attempt": 2')
    if case is None:
        raise BadRow("`attempt` says which answer to a case it is", 'add the input: "case": "17"')
    return int(given)


def _confidence(given: Any) -> Decimal | None:
    if given is None:
        return None
    what = "`confidence` must be a number between 0 and 1"
    if not isinstance(given, Decimal):
        raise BadRow(what, f"such as {EXAMPLE}; leave it out where there is none")
    if 1 < given <= 100:
        raise BadRow(f"{what}, found {given}", f"if {given} means percent, write {given / 100}")
    if not 0 <= given <= 1:
        found = f"{given}" if len(f"{given}") <= 2 * MOST_DIGITS else f"{given:.3e}"
        raise BadRow(
            f"{what}, found {found}", f"such as {EXAMPLE}; leave it out where there is none"
        )
    return given


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: of two the last would count, and nobody would know."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRow(f"`{twice}` stands twice in this row", "keep one of the two")
    return found


def _constant(word: str) -> Any:
    raise BadRow(f"`{word}` is no number of JSON", "leave `confidence` out where there is none")


_number = lru_cache(maxsize=65_536)(Decimal)
"""A number as it is written. Many rows have one confidence: they share one object."""

_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_number, parse_int=_number, parse_constant=_constant
)
