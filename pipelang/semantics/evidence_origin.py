"""The origin of evidence: what the rows of a file say of the prompt that was asked, the model that
answered, the day, and the gate behind which the cases were taken; and the hash of a prompt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, assert_never

from pipelang.digests import sha256_hex
from pipelang.records import NamedTuple, dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.evidence_rows import EvidenceOrigin
from pipelang.semantics.types import (
    AnswererType,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    NothingType,
    OptionalType,
    RecordType,
    Scalar,
    Type,
)

ALL = "all"
"""The word of `sampled` for rows of all cases, behind no gate."""

KEYS = {
    "prompt": '"prompt": "5f0c21d9a07be364", the hash that `pipelang evidence stamp` writes',
    "model": '"model": "claude-haiku-4-5"',
    "as_of": '"as_of": "2026-11-29"',
    "sampled": '"sampled": "all", or the gate behind which the cases were taken',
}
"""The keys of an origin, each with what it looks like."""


class Said(NamedTuple):
    """An origin as a row says it."""

    prompt: str | None
    model: str | None
    as_of: str | None
    sampled: str | None


_NOTHING = Said(None, None, None, None)
_KEYS = frozenset(KEYS)


class BadRow(Exception):
    """A malformed row. The arguments are the reason and the fix."""


@dataclass(slots=True)
class OriginReader:
    """The origins that the rows of a file say, as they are read; a first row with nothing else says
    it of all rows that don't say it themselves.
    """

    whole: Said = _NOTHING
    line: int = 0
    found: dict[Said, tuple[int, int]] = field(default_factory=dict)

    def takes(self, row: Mapping[str, Any], line: int) -> bool:
        """Take a first row that is no answer and says where the others come from."""
        if "correct" in row or _KEYS.isdisjoint(row):
            return False
        self.whole, self.line = said_by(row), line
        return True

    def add(self, row: Mapping[str, Any], line: int) -> Said:
        """Take what a row says of itself, and return what holds of it."""
        said = self.whole
        if not _KEYS.isdisjoint(row):
            own = said_by(row)
            said = Said(*(mine or given for mine, given in zip(own, said, strict=True)))
        if said != _NOTHING:
            first, count = self.found.get(said, (self.line if said == self.whole else line, 0))
            self.found[said] = first, count + 1
        return said

    def again(self, said: Said, count: int) -> None:
        """Take as many more rows that say what one before them said."""
        if said != _NOTHING:
            first, before = self.found[said]
            self.found[said] = first, before + count

    def origins(self) -> tuple[EvidenceOrigin, ...]:
        return tuple(
            EvidenceOrigin(said.prompt, said.model, said.as_of, said.sampled, line, count)
            for said, (line, count) in self.found.items()
        )

    def behind(self) -> str | None:
        """The gate behind which some rows were taken."""
        gates = (said.sampled for said in self.found if said.sampled not in (None, ALL))
        return next(gates, None)


def said_by(row: Mapping[str, Any]) -> Said:
    """The origin that a row says. Raises `BadRow`."""
    for key, example in KEYS.items():
        given = row.get(key)
        if given is not None and (not isinstance(given, str) or not given):
            raise BadRow(f"`{key}` must be a text", f"such as {example}")
    day = row.get("as_of")
    if day is not None and not is_day(day):
        why = f"`as_of` is a day, found {json.dumps(day)}"
        raise BadRow(why, f"such as {KEYS['as_of']}")
    return Said(*(row.get(key) for key in KEYS))


def is_day(text: str) -> bool:
    """Whether a text is a day as ISO 8601 writes it, 2026-01-05: `strptime` takes 2026-1-5, too."""
    try:
        time.strptime(text, "%Y-%m-%d")
    except ValueError:
        return False
    return text.isascii() and len(text) == len("2026-01-05")


def prompt_hash(program: p.Program, prompt: str, answers: Type) -> str:
    """The hash of what a model is asked: the text of a prompt, the types of its parameters, and the
    type of the answer with the doc comments that the model reads. How a version of pipelang words
    a schema is not in it.
    """
    asked = program.prompts[prompt]
    parameters = [[one.name, _shape(one.type)] for one in asked.parameters]
    parts = (asked.system or "", asked.user, parameters, _shape(answers))
    text = json.dumps(parts, default=str, ensure_ascii=True)
    return sha256_hex(text.encode())[:16]


def _shape(type: Type) -> list[Any]:
    """A type as lists of its parts, without what is no business of a model."""
    match type:
        case Scalar():
            limits = (type.max_tokens, type.max_pages, type.low, type.high, type.patterns)
            return [type.kind.value, *limits]
        case EnumType():
            return ["enum", list(type.members), [list(doc) for doc in type.docs]]
        case RecordType():
            fields = [
                [one.key, _shape(one.type), one.has_default, one.default, one.doc]
                for one in type.fields
            ]
            return ["record", fields, type.doc]
        case ListType():
            return ["list", _shape(type.element), type.max_length]
        case MapType():
            return ["map", _shape(type.value), type.max_length]
        case OptionalType():
            return ["optional", _shape(type.inner)]
        case NoneType() | NothingType() | AnswererType() | ErrorType():
            return [type.__class__.__name__]
        case _:
            assert_never(type)
