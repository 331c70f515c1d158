"""Programs as texts that outlive their version and their folder.

A text says for each class which fields it had, so that a later version can read it as long as it
has a default for every field that is new; and its places are told from the folder of its file, so
that it can be read beside the same files in another folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.stored.table import MAKERS, RECORDS, from_table, to_table
from pipelang.version import __version__


class NotReadable(ValueError):
    """A text from which this version of pipelang can make no program; the message says why."""


def to_text(program: p.Program) -> str:
    """The text of a program. Raises `NoTable`."""
    values, rows = to_table(program)
    folder = os.path.dirname(os.path.abspath(program.file))
    named = {values[parts[0]] for name, *parts in rows if name == Span.__name__}
    files = sorted(one for one in named if os.path.exists(one))  # not those of a library
    used = {name for name, *_ in rows if name in RECORDS}
    told = {
        "pipelang": __version__,
        "file": program.file,
        "places": {file: os.path.relpath(file, folder) for file in files},
        "fields": {name: _fields(RECORDS[name]) for name in sorted(used)},
        "values": values,
        "rows": rows,
    }
    return json.dumps(told, separators=(",", ":"))


def from_text(text: str, file: str) -> p.Program:
    """The program of a text, as one of the file that lies at `file` now. Raises `NotReadable`."""
    try:
        told = json.loads(text)
        folder = os.path.dirname(file)
        places = {
            was: os.path.normpath(os.path.join(folder, beside))
            for was, beside in told["places"].items()
        }
        places[told["file"]] = file
        makers = {
            **MAKERS,
            **{name: _maker(name, fields) for name, fields in told["fields"].items()},
            Span.__name__: lambda parts: Span(places.get(parts[0], parts[0]), *parts[1:]),
        }
        found = from_table((told["values"], told["rows"]), makers)
    except NotReadable:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise NotReadable(f"it is the text of no program: {error!r:.200}") from error
    return replace(found, file=file)


def _fields(one: Any) -> list[str]:
    return list(one.__match_args__)


def _maker(name: str, fields: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    """A function that makes a class of the values of the fields that it had. Raises
    `NotReadable`.
    """
    one = RECORDS.get(name)
    if one is None:
        raise NotReadable(f"`{name}` is no part of a program any more")
    now = _fields(one)
    if now == list(fields):
        return MAKERS[name]
    gone = [field for field in fields if field not in now]
    if gone:
        raise NotReadable(f"`{name}` has no `{gone[0]}` any more")
    make: Callable[..., Any] = one

    def made(parts: Sequence[Any]) -> Any:
        try:
            return make(**dict(zip(fields, parts, strict=True)))
        except TypeError as error:
            new = ", ".join(f"`{field}`" for field in now if field not in fields)
            raise NotReadable(f"`{name}` has {new} now, which the program does not say") from error

    return made
