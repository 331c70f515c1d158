"""An evidence file as text to its rows: JSON Lines, one labelled answer a line.

A row may say which input it is about (`case`) and which answer to it this is (`attempt`): files
that share cases say how verdicts hang together. `confidence_from` says, as traces do, whether a
confidence is a probability that a provider told or the model's own word. A row may say where it
comes from, and so may a first row for all (`evidence_origin`). What a line may hold besides (who
labelled it) is the business of whoever wrote it, and is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pipelang.records import dataclass
from pipelang.semantics.chance import EvidenceFile, EvidenceRow
from pipelang.semantics.evidence_origin import BadRow, OriginReader
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


MOST_KEPT = 500_000
"""Letters of a file that is read once for the many builds of its program, such as those that try
out an advice.
"""


def read_evidence(name: str, text: str) -> EvidenceFile | Flaw:
    """The rows of an evidence file; blank lines, a BOM and CRLF do not matter."""
    return _once_read(name, text) if len(text) <= MOST_KEPT else _read(name, text)


@lru_cache(maxsize=8)
def _once_read(name: str, text: str) -> EvidenceFile | Flaw:
    return _read(name, text)


def _read(name: str, text: str) -> EvidenceFile | Flaw:
    rows: list[EvidenceRow] = []
    origin = OriginReader()
    seen: dict[tuple[str, int], int] = {}
    for number, line in enumerate(_lines(text), 1):
        if not line or line.isspace():
            continue
        try:
            value = _object(line)
            if not rows and not origin.line and origin.takes(value, number):
                continue
            row = _row(value, number)
            origin.add(value, number)
            if row.case is not None:
                first = seen.setdefault((row.case, row.attempt), number)
                if first != number:
                    raise BadRow(*_twice(row.case, row.attempt, first))
        except BadRow as bad:
            why, help = bad.args
            return Flaw(number, why, help)
        rows.append(row)
    if not rows:
        return Flaw(1, "there are no rows", FORM)
    return EvidenceFile(name, tuple(rows), origin.behind(), origin.origins())


def _twice(case: str, attempt: int, first: int) -> tuple[str, str]:
    """The reason and the fix for two verdicts on one answer."""
    return (
        f"attempt {attempt} at case `{case}` is on line {first} already",
        'number the answers to one input: `"attempt": 2`, or keep one of the two rows',
    )


def _lines(text: str) -> Iterator[str]:
    """The lines of a text one by one: all at once, a million of them are as long as the text."""
    at, size = 1 if text.startswith("\ufeff") else 0, len(text)
    while at < size:
        end = text.find("\n", at)
        end = size if end < 0 else end
        yield text[at:end]
        at = end + 1


def unreadable_help(why: str) -> str:
    """The help for a file that cannot be read as text."""
    return TOO_LARGE if "larger" in why else NOT_UTF8 if "byte" in why else FORM


def _object(line: str) -> dict[str, Any]:
    """The object of a line."""
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


def _attempt(given: Any, case: str | None) -> int:
    if given is None:
        return 1
    if not isinstance(given, Decimal) or given != int(given) or given < 1:
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
        raise BadRow(
            f"{what}, found {given}", f"such as {EXAMPLE}; leave it out where there is none"
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
