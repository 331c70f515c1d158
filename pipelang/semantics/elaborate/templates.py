"""Prompt templates: Jinja2's own parser reads them, we check names, paths and what is allowed.

The result is the template's shape: fixed text, values, loops and branches, from which the token
bounds of a prompt are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.program import (
    TemplateBranch,
    TemplateLoop,
    TemplatePart,
    TemplateShape,
    TemplateText,
    TemplateValue,
)
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    INT,
    JSON,
    TEXT,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    show,
)

if TYPE_CHECKING:
    from jinja2 import nodes

FILTERS = frozenset(
    """abs capitalize default e escape first float int items join last length list lower max min
    replace reverse round sort string sum title tojson trim truncate unique upper wordcount
    indent""".split()
)
TESTS = frozenset(
    "defined undefined none true false boolean equalto eq ne in string number".split()
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A template variable: its type, and its path from a parameter if it has one."""

    type: Type | None
    path: tuple[str, ...] | None


@dataclass(slots=True)
class _Reading:
    context: Context
    prompt: str
    span: Span
    used: set[str] = field(default_factory=set)

    def tell(self, why: str, help: str | None = None) -> None:
        self.context.tell(codes.TEMPLATE, self.span, prompt=self.prompt, why=why, help=help)


def read_template(
    context: Context,
    prompt: str,
    text: str,
    span: Span,
    variables: Mapping[str, Type],
) -> tuple[TemplateShape, frozenset[str]]:
    """The shape of a template and the variables that it uses. What is wrong with it is told."""
    from jinja2 import Environment, TemplateSyntaxError

    reading = _Reading(context, prompt, span)
    environment = Environment(autoescape=False)
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        reading.tell(f"line {error.lineno}: {error.message}")
        return (), frozenset(variables)
    names = {name: Variable(type, (name,)) for name, type in variables.items()}
    shape = _body(reading, tree.body, names)
    return shape, frozenset(reading.used)


def _body(reading: _Reading, body: list[nodes.Node], names: dict[str, Variable]) -> TemplateShape:
    parts: list[TemplatePart] = []
    for node in body:
        parts.extend(_node(reading, node, names))
    return tuple(parts)


def _node(reading: _Reading, node: nodes.Node, names: dict[str, Variable]) -> list[TemplatePart]:
    from jinja2 import nodes as jn

    if isinstance(node, jn.Output):
        parts: list[TemplatePart] = []
        for child in node.nodes:
            if isinstance(child, jn.TemplateData):
                parts.append(TemplateText(len(child.data.encode())))
            else:
                parts.append(_value(_expression(reading, child, names)))
        return parts
    if isinstance(node, jn.If):
        _expression(reading, node.test, names)
        ways = [_body(reading, node.body, names)]
        for other in node.elif_:
            _expression(reading, other.test, names)
            ways.append(_body(reading, other.body, names))
        ways.append(_body(reading, node.else_, names))
        return [TemplateBranch(tuple(ways))]
    if isinstance(node, jn.For):
        return _loop(reading, node, names)
    if isinstance(node, jn.Assign) and isinstance(node.target, jn.Name):
        found = _expression(reading, node.node, names)
        names[node.target.name] = replace(found)
        return []
    word = type(node).__name__.lower()
    reading.tell(f"line {node.lineno}: `{word}` cannot be used in a prompt")
    return []


def _value(variable: Variable) -> TemplatePart:
    return TemplateValue(variable.path, variable.type)


def _loop(reading: _Reading, node: Any, names: dict[str, Variable]) -> list[TemplatePart]:
    from jinja2 import nodes as jn

    over = _expression(reading, node.iter, names)
    type = over.type.inner if isinstance(over.type, OptionalType) else over.type
    inner = dict(names)
    length: int | None = None
    element: Type | None = None
    if isinstance(type, ListType):
        length, element = type.max_length, type.element
    elif isinstance(type, MapType):
        length, element = type.max_length, TEXT
    elif type is not None and type != JSON:
        reading.tell(f"line {node.lineno}: a loop goes over a list, this is `{show(type)}`")
    path = None if over.path is None else (*over.path, "*")
    if isinstance(node.target, jn.Name):
        inner[node.target.name] = Variable(element, path)
    elif isinstance(node.target, jn.Tuple):
        for item in node.target.items:
            if isinstance(item, jn.Name):
                inner[item.name] = Variable(None, path)
    inner["loop"] = Variable(JSON, None)
    body = _body(reading, node.body, inner)
    otherwise = _body(reading, node.else_, names)
    looped: TemplatePart = TemplateLoop(length, body)
    return [TemplateBranch(((looped,), otherwise))] if otherwise else [looped]


def _expression(reading: _Reading, node: Any, names: dict[str, Variable]) -> Variable:
    from jinja2 import nodes as jn

    if isinstance(node, jn.Name):
        if node.name in names:
            reading.used.add(node.name)
            return names[node.name]
        help = suggestion(node.name, names) or "there are: " + ", ".join(names)
        reading.tell(f"line {node.lineno}: unknown variable `{node.name}`", help)
        return Variable(None, None)
    if isinstance(node, jn.Getattr):
        return _attribute(reading, _expression(reading, node.node, names), node.attr, node.lineno)
    if isinstance(node, jn.Getitem):
        target = _expression(reading, node.node, names)
        if isinstance(node.arg, jn.Const) and isinstance(node.arg.value, str):
            return _attribute(reading, target, node.arg.value, node.lineno)
        _expression(reading, node.arg, names)
        type = target.type
        element = type.element if isinstance(type, ListType) else None
        return Variable(element, None)
    if isinstance(node, jn.Filter):
        if node.name not in FILTERS:
            help = suggestion(node.name, FILTERS)
            reading.tell(f"line {node.lineno}: unknown filter `{node.name}`", help)
        inner = Variable(None, None)
        if node.node is not None:
            inner = _expression(reading, node.node, names)
        for argument in node.args:
            _expression(reading, argument, names)
        if node.name in ("length", "wordcount", "int"):
            return Variable(INT, None)
        if node.name in ("tojson", "join", "string", "indent"):
            return Variable(inner.type, inner.path)
        return inner
    if isinstance(node, jn.Test):
        if node.name not in TESTS:
            reading.tell(f"line {node.lineno}: unknown test `{node.name}`")
    if isinstance(node, jn.Call):
        reading.tell(f"line {node.lineno}: a prompt cannot call anything")
        return Variable(None, None)
    for child in node.iter_child_nodes():
        _expression(reading, child, names)
    return Variable(None, None) if not isinstance(node, jn.Const) else Variable(INT, None)


def _attribute(reading: _Reading, target: Variable, name: str, line: int) -> Variable:
    type = target.type.inner if isinstance(target.type, OptionalType) else target.type
    path = None if target.path is None else (*target.path, name)
    if isinstance(type, RecordType):
        found = type.field(name)
        if found is None:
            help = suggestion(name, [f.name for f in type.fields])
            help = help or "fields: " + ", ".join(f.name for f in type.fields)
            reading.tell(f"line {line}: `{type.name}` has no field `{name}`", help)
            return Variable(None, None)
        return Variable(found.type, path)
    if type is not None and type != JSON and not isinstance(type, MapType):
        reading.tell(f"line {line}: `{show(type)}` has no field `{name}`")
        return Variable(None, None)
    return Variable(type.value if isinstance(type, MapType) else None, path)
