"""JSON Schema to types: what a tool of somebody else takes and gives, as a file declares it.

What the language cannot say is told in notes, which become comments; the type is then the next one
that takes more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipelang.interfaces.importing.outer_text import (
    FreshNames,
    doc_lines,
    literal,
    note_lines,
    pascal_name,
    snake_name,
)
from pipelang.records import dataclass, field, replace
from pipelang.semantics.quantities import BYTES_A_TOKEN, plain
from pipelang.syntax.lexicon import LONGEST_NUMBER

Schema = Mapping[str, Any]

_DEEPEST = 12
"""Levels of records in records; what lies deeper is `json`."""

_BYTES_A_LETTER = 4
_UNSAID = ("pattern", "format", "minLength", "minItems", "uniqueItems", "multipleOf", "not")
_UNSAID_OF_RECORDS = ("patternProperties", "minProperties", "maxProperties", "dependentRequired")


@dataclass(frozen=True, slots=True)
class TypeText:
    """A type as it is written. `notes` say what it leaves out; `optional` that it may be absent.

    `kind` is the kind of its values, `members` are those of an enum by outer name, `low` and `high`
    its bounds and `most` the bytes that a text may have: what a default must fit.
    """

    text: str
    kind: str
    notes: tuple[str, ...] = ()
    optional: bool = False
    members: Mapping[str, str] = field(default_factory=dict)
    low: Decimal | None = None
    high: Decimal | None = None
    most: int | None = None

    @property
    def written(self) -> str:
        """The type with its `?`, which stands before what bounds it."""
        if not self.optional:
            return self.text
        head, space, bounds = _split(self.text)
        return f"{head}?{space}{bounds}"

    def default(self, value: Any) -> str | None:
        """A default of this type as it is written, None where it cannot be."""
        match self.kind:
            case "bool" if isinstance(value, bool):
                return "true" if value else "false"
            case "int" | "number":
                return self._number(exact(value))
            case "text" if isinstance(value, str):
                fits = self.most is None or len(value.encode("utf-8", "replace")) <= self.most
                return literal(value) if fits else None
            case "enum" if isinstance(value, str):
                return self.members.get(value)
            case _:
                return None

    def _number(self, number: Decimal | None) -> str | None:
        if number is None or (self.kind == "int" and number != int(number)):
            return None
        if self.low is not None and number < self.low:
            return None
        if self.high is not None and number > self.high:
            return None
        return number_text(number)


def _split(text: str) -> tuple[str, str, str]:
    """A type before its bounds, and these: brackets hold no bounds of the whole."""
    if text.startswith(("[", "{")):
        end = text.rindex("]" if text[0] == "[" else "}") + 1
        return text[:end], text[end : end + 1], text[end + 1 :]
    labelled = text.startswith("untrusted ")
    head, space, bounds = text.removeprefix("untrusted ").partition(" ")
    return (f"untrusted {head}" if labelled else head), space, bounds


def exact(value: Any) -> Decimal | None:
    """A number of JSON, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def number_text(number: Decimal | int) -> str | None:
    """A number as it is written, None for one of too many digits."""
    text = plain(Decimal(number))
    return text if len(text.lstrip("-")) < LONGEST_NUMBER else None


class Schemas:
    """Types of the schemas of one server, and the declarations that they need, in order.

    `out` is of results: their texts are untrusted. `flat` writes `json` for every record.
    """

    def __init__(self, taken: FreshNames, *, flat: bool = False) -> None:
        self.declarations: list[str] = []
        self._taken = taken
        self._flat = flat
        self._known: dict[tuple[int, str, bool], TypeText] = {}
        self._open: set[tuple[int, str, bool]] = set()

    def type(
        self, schema: Any, whole: Schema, name: tuple[str, ...], *, out: bool, depth: int = 0
    ) -> TypeText:
        """The type of a schema; `whole` is the document that its references point into."""
        if not isinstance(schema, Mapping):
            return self._json(out, *(() if schema is True else ("no value is allowed here",)))
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(reference, schema, whole, name, out, depth)
        if depth > _DEEPEST:
            return self._json(out, f"nested deeper than {_DEEPEST}")
        for word in ("anyOf", "oneOf"):
            if isinstance(schema.get(word), list):
                return self._one_of(schema, word, whole, name, out, depth)
        if isinstance(schema.get("allOf"), list):
            return self._all_of(schema, whole, name, out, depth)
        members = schema.get("enum")
        if "const" in schema:
            members = [schema["const"]]
        if isinstance(members, list):
            return self._enum(members, name, out)
        said = schema.get("type")
        if isinstance(said, list):
            parts = [{**schema, "type": one} for one in said]
            return self._one_of({"anyOf": parts}, "anyOf", whole, name, out, depth)
        match said:
            case "string":
                return self._text(schema, out)
            case "integer" | "number":
                return _number(schema, "int" if said == "integer" else "number")
            case "boolean":
                return TypeText("bool", "bool")
            case "null":
                return replace(self._json(out, "it is always null"), optional=True)
            case "array":
                return self._list(schema, whole, name, out, depth)
            case "object":
                return self._object(schema, whole, name, out, depth)
            case None if "properties" in schema:
                return self._object(schema, whole, name, out, depth)
            case None:
                return self._json(out, *_notes(schema, _UNSAID))
            case _:
                return self._json(out, f"its type is {said}, which JSON does not have")

    def _json(self, out: bool, *notes: str) -> TypeText:
        return TypeText("untrusted json" if out else "json", "json", notes)

    def _referred(
        self,
        reference: str,
        schema: Schema,
        whole: Schema,
        name: tuple[str, ...],
        out: bool,
        depth: int,
    ) -> TypeText:
        key = (id(whole), reference, out)
        if key in self._known:
            return self._known[key]
        if key in self._open:
            return self._json(out, f"`{reference}` holds itself, and a type cannot")
        target = _target(reference, whole)
        if target is None:
            return self._json(out, f"`{reference}` is not in the schema")
        last = reference.rpartition("/")[2]
        self._open.add(key)
        try:
            made = self.type(target, whole, (last,) if last else name, out=out, depth=depth + 1)
        finally:
            self._open.discard(key)
        self._known[key] = made
        return made

    def _one_of(
        self,
        schema: Schema,
        word: str,
        whole: Schema,
        name: tuple[str, ...],
        out: bool,
        depth: int,
    ) -> TypeText:
        parts = [part for part in schema[word] if not _is_null(part)]
        optional = len(parts) < len(schema[word])
        consts = [part["const"] for part in parts if isinstance(part, Mapping) and "const" in part]
        if consts and len(consts) == len(parts):
            made = self._enum(consts, name, out)
        elif len(parts) == 1:
            around = {key: one for key, one in schema.items() if key not in (word, "type")}
            part = parts[0]
            inner = {**around, **part} if isinstance(part, Mapping) else part
            made = self.type(inner, whole, name, out=out, depth=depth + 1)
        else:
            shapes = sorted({str(part.get("type", "?")) for part in parts if _is_object(part)})
            made = self._json(out, f"it has one of several shapes: {', '.join(shapes)}")
        return replace(made, optional=made.optional or optional)

    def _all_of(
        self, schema: Schema, whole: Schema, name: tuple[str, ...], out: bool, depth: int
    ) -> TypeText:
        parts = [schema, *schema["allOf"]]
        resolved = [_resolved(part, whole) for part in parts]
        merged: dict[str, Any] = {}
        for part in resolved:
            if part is None or any(key in part for key in ("anyOf", "oneOf")):
                return self._json(out, "it is several schemas at once")
            properties = {**_dict(merged.get("properties")), **_dict(part.get("properties"))}
            required = [*_list(merged.get("required")), *_list(part.get("required"))]
            merged = {**merged, **part}
            if properties:
                merged |= {"properties": properties, "required": required}
        merged.pop("allOf", None)
        return self.type(merged, whole, name, out=out, depth=depth + 1)

    def _enum(self, members: list[Any], name: tuple[str, ...], out: bool) -> TypeText:
        optional = None in members
        values = [one for one in members if one is not None]
        numbers = [number for one in values if (number := exact(one)) is not None]
        if values and len(numbers) == len(values):
            whole = all(number == int(number) for number in numbers)
            bounds = {"minimum": min(numbers), "maximum": max(numbers)}
            made = _number(bounds, "int" if whole else "number")
            if not (whole and len(set(numbers)) == max(numbers) - min(numbers) + 1):
                listed = ", ".join(plain(number) for number in numbers[:20])
                made = replace(made, notes=(*made.notes, f"one of {listed}"))
            return replace(made, optional=optional)
        if values and all(isinstance(one, bool) for one in values):
            return TypeText("bool", "bool", optional=optional)
        if not values or not all(isinstance(one, str) for one in values):
            made = self._json(out, "its values are of several kinds")
            return replace(made, optional=optional)
        names, lines, lost = FreshNames(), [], 0
        inner: dict[str, str] = {}
        for value in dict.fromkeys(values):
            written = literal(value)
            if written is None:
                lost += 1
                continue
            member = names.fresh(snake_name(value))
            inner[value] = member
            lines.append(f"  {member}" if member == value else f"  {member} {written}")
        if not inner:
            return replace(self._json(out, "no file can hold its values"), optional=optional)
        enum = self._taken.fresh(pascal_name(*name))
        notes = [f"{lost} more members are no valid text"] if lost else []
        self.declarations.append("\n".join([*note_lines(notes), f"enum {enum} {{", *lines, "}"]))
        return TypeText(enum, "enum", (), optional, inner)

    def _text(self, schema: Schema, out: bool) -> TypeText:
        notes = list(_notes(schema, _UNSAID))
        if schema.get("format") == "date-time" and not out:
            return TypeText("time", "time", tuple(_notes(schema, ("pattern",))))
        text, most, bound = "untrusted text" if out else "text", None, schema.get("maxLength")
        if isinstance(bound, int) and not isinstance(bound, bool):
            # What is given must be accepted in any letters, what is got must fit in any.
            letters = bound * _BYTES_A_LETTER + BYTES_A_TOKEN - 1 if out else bound
            tokens = letters // BYTES_A_TOKEN
            if 0 < tokens < 10**9:
                text, most = f"{text} max {tokens} tokens", tokens * BYTES_A_TOKEN
            notes.append(f"at most {bound} characters")
        return TypeText(text, "text", tuple(notes), most=most)

    def _list(
        self, schema: Schema, whole: Schema, name: tuple[str, ...], out: bool, depth: int
    ) -> TypeText:
        notes = list(_notes(schema, _UNSAID))
        if isinstance(schema.get("prefixItems"), list):
            element = self._json(out, "each place has its own type")
        else:
            items = schema.get("items", True)
            element = self.type(items, whole, (*name, "item"), out=out, depth=depth + 1)
        notes += [f"each element: {note}" for note in element.notes]
        most = schema.get("maxItems")
        bounded = isinstance(most, int) and not isinstance(most, bool) and 0 <= most < 10**9
        bound = f" max {most}" if bounded else ""
        if not bounded:
            notes.append("nothing says how long it may be: give it a `max`")
        return TypeText(f"[{element.written}]{bound}", "list", tuple(notes))

    def _object(
        self, schema: Schema, whole: Schema, name: tuple[str, ...], out: bool, depth: int
    ) -> TypeText:
        properties = _dict(schema.get("properties"))
        more = schema.get("additionalProperties")
        notes = list(_notes(schema, _UNSAID_OF_RECORDS))
        if not properties and isinstance(more, Mapping) and more:
            value = self.type(more, whole, (*name, "value"), out=out, depth=depth + 1)
            notes += [f"each value: {note}" for note in value.notes]
            return TypeText(f"{{text: {value.written}}}", "map", tuple(notes))
        if not properties or self._flat:
            fields = f"its fields are {', '.join(properties)}" if properties else ""
            return self._json(out, *notes, *([fields] if fields else []))
        lines = list(self._record(properties, schema, whole, name, out, depth))
        if isinstance(more, Mapping) or more is True:
            notes.append("other fields may stand with these")
        title = self._taken.fresh(pascal_name(*name))
        said = schema.get("description")
        head = [*doc_lines(said if isinstance(said, str) else None), *note_lines(notes)]
        self.declarations.append("\n".join([*head, f"type {title} {{", *lines, "}"]))
        return TypeText(title, "record")

    def _record(
        self,
        properties: Mapping[str, Any],
        schema: Schema,
        whole: Schema,
        name: tuple[str, ...],
        out: bool,
        depth: int,
    ) -> Iterator[str]:
        required, names = set(map(str, _list(schema.get("required")))), FreshNames()
        for outer, part in properties.items():
            written = literal(outer)
            if not outer or written is None:
                yield from note_lines([f"a field whose name no file can hold: {outer!r}"], 2)
                continue
            made = self.type(part, whole, (*name, outer), out=out, depth=depth + 1)
            inner = names.fresh(snake_name(outer))
            said = part.get("description") if isinstance(part, Mapping) else None
            yield from doc_lines(said if isinstance(said, str) else None, 2)
            yield from note_lines(list(made.notes), 2)
            called = inner if inner == outer else f"{inner} {written}"
            yield f"  {called}: {value_of(made, part, outer in required)}"


def value_of(made: TypeText, schema: Any, required: bool) -> str:
    """A type with the default that a schema has; optional where it may be left out."""
    given = isinstance(schema, Mapping) and "default" in schema
    default = made.default(schema["default"]) if given else None
    if default is not None:
        return f"{made.written} = {default}"
    return (made if required else replace(made, optional=True)).written


def _number(schema: Schema, kind: str) -> TypeText:
    low, high = exact(schema.get("minimum")), exact(schema.get("maximum"))
    above, below = exact(schema.get("exclusiveMinimum")), exact(schema.get("exclusiveMaximum"))
    notes = list(_notes(schema, ("multipleOf", "not")))
    if kind == "int":
        low = above + 1 if above is not None and above == int(above) else low
        high = below - 1 if below is not None and below == int(below) else high
    else:
        notes += [f"more than {plain(above)}"] if above is not None else []
        notes += [f"less than {plain(below)}"] if below is not None else []
    whole = kind == "number" or all(one is None or one == int(one) for one in (low, high))
    if low is not None and high is not None and low <= high and whole:
        first, last = number_text(low), number_text(high)
        if first is not None and last is not None:
            return TypeText(f"{kind} in {first}..{last}", kind, tuple(notes), low=low, high=high)
    notes += [f"at least {plain(low)}"] if low is not None else []
    notes += [f"at most {plain(high)}"] if high is not None else []
    return TypeText(kind, kind, tuple(notes), low=low, high=high)


def _notes(schema: Schema, keywords: tuple[str, ...]) -> Iterator[str]:
    """Notes about keywords of a schema for which the language has no word."""
    for keyword in keywords:
        said = schema.get(keyword)
        if said not in (None, False, 0):
            yield f"{keyword}: {said}"


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and (
        schema.get("type") == "null" or ("const" in schema and schema["const"] is None)
    )


def _is_object(schema: Any) -> bool:
    return isinstance(schema, Mapping)


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _resolved(schema: Any, whole: Schema) -> Schema | None:
    seen = 0
    while isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str) and seen < 20:
        schema, seen = _target(schema["$ref"], whole), seen + 1
    return schema if isinstance(schema, Mapping) and seen < 20 else None


def _target(reference: str, whole: Schema) -> Any:
    """Target of a reference of the same document, None for any other."""
    if not reference.startswith("#"):
        return None
    at: Any = whole
    for part in filter(None, reference[1:].split("/")):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(at, Mapping) and key in at:
            at = at[key]
        elif isinstance(at, list) and key.isdigit() and int(key) < len(at):
            at = at[int(key)]
        else:
            return None
    return at
