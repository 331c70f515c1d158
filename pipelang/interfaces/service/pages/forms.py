"""Forms out of JSON Schemas, and JSON values out of forms, without any script.

A form is *flat*: texts by names that are places in the schema. `f` is the whole, `f.0` the first
property of a record or row of a list, `f.#` the number of rows that are shown, `f.?` whether what
may be left out is given, `f.2.k` and `f.2.v` a key of a map and its value. The same three folds go
over every schema: `flat_of` writes a value into a form, `field_of` shows a form with what is wrong
in it, `value_of` reads it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from pipelang.records import dataclass, field

Schema = Mapping[str, Any]
Flat = dict[str, str]
Problems = dict[str, str]
"""Sentences on what is wrong, by the name of the field."""

ROOT = "f"
MOST_ROWS = 200
"""Rows of a list that a form shows; longer lists are given as JSON, by the API."""

MOST_KEPT = 1_000_000
"""Letters of a file that a form keeps in itself; a larger one has to be chosen again."""
SHORT = 200
"""Bytes up to which a text has a field of one line."""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_BYTES = re.compile(r"at most ([0-9]{1,12}) bytes of UTF-8")
_MISSING: Any = object()


@dataclass(slots=True)
class FormField:
    """One field: `kind` is how it is shown, `text` what stands in it, `hint` its unit and limits.

    A `line` is a text of one line. `optional` fields may be left out; of those with `parts`,
    `given` says whether they are.
    """

    name: str
    label: str
    kind: str
    text: str = ""
    hint: str = ""
    optional: bool = False
    given: bool = True
    problem: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    low: str = ""
    high: str = ""
    parts: list[FormField] = field(default_factory=list)
    keys: list[FormField] = field(default_factory=list)


def media_text(data: bytes, media_type: str) -> str:
    """An uploaded picture or document as the text of its field."""
    return json.dumps({"data": b64encode(data).decode(), "media_type": media_type})


def label_of(key: str) -> str:
    """A name out of a program, for people."""
    words = key.replace("_", " ").strip() or key
    return words[:1].upper() + words[1:]


# ------------------------------------------------------------------------------ what a schema is


def _inner(schema: Schema) -> tuple[Schema, bool]:
    """A schema without what says that a value may be absent, and whether it may."""
    options = schema.get("anyOf")
    if options is None:
        return schema, False
    inner: Schema = options[0]
    said = schema.get("description") or inner.get("description")
    return ({**inner, "description": said} if said else inner), True


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return "choice"
    match schema.get("type"):
        case "string":
            return "time" if schema.get("format") == "date-time" else "text"
        case "integer":
            return "whole"
        case "number":
            return "number"
        case "boolean":
            return "yes_no"
        case "array":
            return "list"
        case "null":
            return "nothing"
        case "object" if "properties" in schema:
            return "record"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return "map"
        case "object":
            return "file"
        case _:
            return "json"


_PARTED = frozenset({"record", "list", "map"})


def _properties(schema: Schema) -> list[tuple[str, Schema, bool]]:
    """The properties of a record: key, schema, whether it may be left out."""
    required = schema.get("required", ())
    return [(key, one, key not in required) for key, one in schema["properties"].items()]


# --------------------------------------------------------------------------- a value into a form


def flat_of(schema: Schema, value: Any, name: str = ROOT) -> Flat:
    """A JSON value as a form; what does not fit the schema stays empty."""
    flat: Flat = {}
    _write(schema, value, name, flat)
    return flat


def _write(schema: Schema, value: Any, name: str, flat: Flat) -> None:
    schema, _ = _inner(schema)
    kind = _kind(schema)
    if value is None and kind != "json":
        return
    if kind in _PARTED:
        flat[f"{name}.?"] = "on"
    if kind == "record" and isinstance(value, Mapping):
        for number, (key, one, _) in enumerate(_properties(schema)):
            if key in value:
                _write(one, value[key], f"{name}.{number}", flat)
    elif kind == "list" and isinstance(value, list):
        flat[f"{name}.#"] = str(min(len(value), MOST_ROWS))
        for number, item in enumerate(value[:MOST_ROWS]):
            _write(schema["items"], item, f"{name}.{number}", flat)
    elif kind == "map" and isinstance(value, Mapping):
        flat[f"{name}.#"] = str(min(len(value), MOST_ROWS))
        for number, (key, item) in enumerate([*value.items()][:MOST_ROWS]):
            flat[f"{name}.{number}.k"] = str(key)
            _write(schema["additionalProperties"], item, f"{name}.{number}.v", flat)
    elif kind == "json":
        flat[name] = json.dumps(value, ensure_ascii=False, indent=2)
    elif kind == "yes_no":
        flat[name] = "true" if value is True else "false"
    elif kind == "file":
        if isinstance(value, Mapping) and {*value} == {"data", "media_type"}:
            text = json.dumps(dict(value))
            if len(text) <= MOST_KEPT:
                flat[name] = text
    elif kind not in _PARTED:
        flat[name] = value if isinstance(value, str) else json.dumps(value)


# ------------------------------------------------------------------------------- a form to people


def field_of(
    schema: Schema,
    flat: Mapping[str, str],
    problems: Mapping[str, str],
    name: str = ROOT,
    label: str = "",
    optional: bool = False,
) -> FormField:
    """A field with what stands in it and what is wrong with it."""
    schema, absent = _inner(schema)
    kind = _kind(schema)
    shown = FormField(
        name,
        label,
        kind,
        flat.get(name, ""),
        _hint(schema),
        optional or absent,
        problem=problems.get(name, ""),
        low=_bound(schema, "minimum"),
        high=_bound(schema, "maximum"),
    )
    if kind == "text" and _most_bytes(schema) <= SHORT and "\n" not in shown.text:
        shown.kind = "line"
    elif kind == "choice":
        shown.choices = tuple((one, label_of(one)) for one in schema["enum"])
    elif kind == "yes_no":
        shown.choices = (("true", "Yes"), ("false", "No"))
    elif kind in _PARTED:
        shown.given = not shown.optional or f"{name}.?" in flat
        _parts(schema, kind, flat, problems, shown)
    return shown


def _parts(
    schema: Schema,
    kind: str,
    flat: Mapping[str, str],
    problems: Mapping[str, str],
    shown: FormField,
) -> None:
    name = shown.name
    if kind == "record":
        for number, (key, one, left_out) in enumerate(_properties(schema)):
            part = field_of(one, flat, problems, f"{name}.{number}", label_of(key), left_out)
            shown.parts.append(part)
        return
    is_list = kind == "list"
    for number in range(_rows(flat, name)):
        row = f"{name}.{number}"
        if is_list:
            part = field_of(schema["items"], flat, problems, row, f"{number + 1}")
        else:
            problem = problems.get(f"{row}.k", "")
            text = flat.get(f"{row}.k", "")
            kind = "text" if "\n" in text else "line"
            shown.keys.append(FormField(f"{row}.k", "Key", kind, text, problem=problem))
            inner = schema["additionalProperties"]
            part = field_of(inner, flat, problems, f"{row}.v", "Value")
        shown.parts.append(part)


def _most_bytes(schema: Schema) -> float:
    """The limit of a text, as its description says it."""
    found = _BYTES.search(_said(schema))
    return float("inf") if found is None else int(found[1])


def _hint(schema: Schema) -> str:
    """The unit and limits of a value, for people: a letter of English is a byte."""
    said = _BYTES.sub(lambda found: f"about {int(found[1]):,} letters at most", _said(schema))
    return said[:1].upper() + said[1:]


def _said(schema: Schema) -> str:
    return str(schema.get("description", ""))


def _bound(schema: Schema, key: str) -> str:
    bound = schema.get(key)
    return "" if bound is None else f"{bound:.12g}"


def _rows(flat: Mapping[str, str], name: str) -> int:
    said = flat.get(f"{name}.#", "")
    return min(int(said), MOST_ROWS) if said.isascii() and said.isdigit() and len(said) < 6 else 0


def with_row(flat: Flat, name: str) -> Flat:
    """A form with one more row in a list or map."""
    return {**flat, f"{name}.?": "on", f"{name}.#": str(min(_rows(flat, name) + 1, MOST_ROWS))}


def without_row(flat: Flat, name: str, row: int) -> Flat:
    """A form without a row of a list or map: those below move up."""
    rows = _rows(flat, name)
    if not 0 <= row < rows:
        return flat
    made: Flat = {}
    inside = re.compile(rf"{re.escape(name)}\.([0-9]{{1,6}})((?:\..*)?)")
    for key, text in flat.items():
        found = inside.fullmatch(key)
        number = -1 if found is None else int(found[1])
        if found is None or number < row:
            made[key] = text
        elif number > row:
            made[f"{name}.{number - 1}{found[2]}"] = text
    made[f"{name}.#"] = str(rows - 1)
    return made


def changed_rows(flat: Flat) -> Flat | None:
    """The form with the row more or less that was asked for; None if none was."""
    if "_add" in flat:
        return with_row(flat, flat["_add"])
    if "_drop" in flat:
        name, _, row = flat["_drop"].rpartition(" ")
        number = int(row) if row.isascii() and row.isdigit() and len(row) < 6 else -1
        return without_row(flat, name, number)
    return None


# --------------------------------------------------------------------------- a value out of a form


def value_of(schema: Schema, flat: Mapping[str, str], problems: Problems, name: str = ROOT) -> Any:
    """The JSON value of a form, None where it has `problems`, which are added."""
    before = len(problems)
    value = _read(schema, flat, problems, name, False)
    return None if len(problems) > before or value is _MISSING else value


def _read(
    schema: Schema, flat: Mapping[str, str], problems: Problems, name: str, left_out: bool
) -> Any:
    """A value; `_MISSING` for one that is left out, and for one with a problem."""
    schema, absent = _inner(schema)
    kind = _kind(schema)
    empty = None if absent else _MISSING
    if kind in _PARTED:
        if (absent or left_out) and f"{name}.?" not in flat:
            return empty
        return _read_parts(schema, kind, flat, problems, name)
    text = _text(flat, name)
    if kind == "nothing":
        return None
    if kind == "text" and (text or not (absent or left_out)):
        return text
    if not text.strip():
        if not (absent or left_out):
            problems[name] = _NEEDED[kind]
        return empty
    return _read_text(schema, kind, text.strip(), problems, name)


def _text(flat: Mapping[str, str], name: str) -> str:
    """A text of the form, with its line breaks as they were before a browser sent it."""
    return flat.get(name, "").replace("\r\n", "\n").replace("\r", "\n")


_NEEDED = {
    "choice": "choose one",
    "yes_no": "choose yes or no",
    "whole": "a whole number is needed",
    "number": "a number is needed",
    "time": "a time is needed",
    "file": "choose a file",
    "json": "JSON is needed; null is nothing",
}


def _read_text(schema: Schema, kind: str, text: str, problems: Problems, name: str) -> Any:
    match kind:
        case "choice" if text in schema["enum"]:
            return text
        case "yes_no" if text in ("true", "false"):
            return text == "true"
        case "time":
            return text
        case "whole" | "number" if _NUMBER.fullmatch(text) and len(text) <= 400:
            number = float(text)
            if kind == "number" and "." not in text and "e" not in text.lower():
                return int(text)
            if kind == "number" and abs(number) < float("inf"):
                return number
            if kind == "whole" and "." not in text and "e" not in text.lower():
                return int(text)
        case "json" | "file":
            try:
                return json.loads(text, parse_constant=_no_constant)
            except (ValueError, RecursionError):
                problems[name] = "this is no JSON"
                return _MISSING
        case _:
            pass
    problems[name] = _NEEDED[kind]
    return _MISSING


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _read_parts(
    schema: Schema, kind: str, flat: Mapping[str, str], problems: Problems, name: str
) -> Any:
    if kind == "record":
        made = {}
        for number, (key, one, left_out) in enumerate(_properties(schema)):
            value = _read(one, flat, problems, f"{name}.{number}", left_out)
            if value is not _MISSING:
                made[key] = value
        return made
    rows = range(_rows(flat, name))
    if kind == "list":
        items = [_read(schema["items"], flat, problems, f"{name}.{n}", False) for n in rows]
        return [item for item in items if item is not _MISSING]
    pairs: dict[str, Any] = {}
    for number in rows:
        key = _text(flat, f"{name}.{number}.k")
        if key in pairs:
            problems[f"{name}.{number}.k"] = "this key is there already"
        inner = schema["additionalProperties"]
        pairs[key] = _read(inner, flat, problems, f"{name}.{number}.v", False)
    return {key: value for key, value in pairs.items() if value is not _MISSING}
