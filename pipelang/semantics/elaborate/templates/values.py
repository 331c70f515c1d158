"""Expressions in templates: their types, their sources, and how long their text can get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pipelang.diagnostics import Help, codes
from pipelang.records import dataclass, field
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.templates.arithmetic import (
    SIGNS,
    are_numbers,
    kind,
    misused,
)
from pipelang.semantics.elaborate.templates.positions import TemplateSource
from pipelang.semantics.elaborate.templates.vocabulary import FILTERS, TESTS
from pipelang.semantics.program import TemplateBranch, TemplatePart, TemplateText, TemplateValue
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import (
    BOOL,
    ERROR,
    INT,
    JSON,
    NUMBER,
    TEXT,
    ErrorType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
    is_medium,
    media_in,
    present,
    quoted,
)

_GROWTH = {"e": 5, "escape": 5, "tojson": 6, "upper": 3, "lower": 3, "title": 3, "capitalize": 3}
"""Factor by which a filter can lengthen a text at most, in bytes."""

_KEEPS = ("length", "first", "last", "list", "reverse", "default")
"""Filters that make no text of what they are given."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A value in a template: its type, and its path from a parameter if it has one.

    `times` is how much longer than the value at the path it can have become.
    """

    type: Type
    path: Path | None
    times: int = 1

    def inside(self) -> Path | None:
        """The path of the elements of a list."""
        return None if self.path is None else (*self.path, "*")


Names = dict[str, Variable]


@dataclass(slots=True)
class Reading:
    """One template that is read. `present` are the paths that are known to be there, `used` says
    how often each path is read as it is, and not only on the way to something inside it.
    `is_system` says that it is the text before the user's, which only has words.
    """

    context: Context
    prompt: str
    source: TemplateSource
    used: dict[Path, int] = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    present: frozenset[Path] = frozenset()
    is_system: bool = False

    def tell(
        self, line: int, why: str, *, word: str | None = None, help: Help | None = None
    ) -> None:
        place = self.source.find(line, word)
        self.context.tell(codes.TEMPLATE, place, prompt=self.prompt, why=why, help=help)

    def reads(self, value: Variable) -> Variable:
        """A value is read; with its own path, if it has one."""
        if value.path is not None:
            self.used[value.path] = self.used.get(value.path, 0) + 1
        return value

    def passes(self, value: Variable) -> None:
        """A value was only on the way to something inside it."""
        if value.path is not None and self.used.get(value.path):
            self.used[value.path] -= 1

    def shows(self) -> tuple[Path, ...]:
        """The paths that the template reads; of a variable that is only looped over, the whole."""
        found = [path for path, times in self.used.items() if times]
        seen = {path[0] for path in found}
        return (*found, *((name,) for name in self.variables if name not in seen))

    @contextmanager
    def knowing(self, present: frozenset[Path]) -> Iterator[None]:
        """While reading a branch that is only taken where these paths are there."""
        before = self.present
        self.present = before | present
        try:
            yield
        finally:
            self.present = before

    def alone(self, line: int, value: Variable) -> None:
        """Report a picture or document, or what holds one, that is put into a text by anything but
        itself.
        """
        if is_medium(present(value.type)):
            why = "stands where it is named, and nothing else can be made of it"
            help = "write `{{ NAME }}` where the model should see it"
        elif media_in(value.type):
            why = "holds pictures or documents, which no text can show"
            help = "name each where the model should see it, such as `{{ ticket.photo }}`"
        else:
            return
        name = ".".join(part for part in value.path or ("this",) if part != "*")
        word = (value.path or (None,))[-1]
        self.tell(line, f"`{name}` {why}", word=None if word == "*" else word, help=help)

    def is_present(self, value: Variable) -> bool:
        return value.path in self.present

    def absent(self, line: int, value: Variable) -> None:
        """Report a value that may be absent where it is used."""
        name = ".".join(value.path or ("this",))
        help = f"ask first: {{% if {name} %}}...{{% endif %}}"
        self.tell(line, f"`{name}` may be absent here", word=(value.path or (None,))[-1], help=help)


def _joined(test: Any) -> list[Any]:
    """The parts of `a and b and c`, which Jinja2 reads as `(a and b) and c`."""
    from jinja2 import nodes as jn

    parts = []
    while isinstance(test, jn.And):
        parts.append(test.right)
        test = test.left
    return [test, *reversed(parts)]


def present_if(test: Any) -> frozenset[Path]:
    """The paths that are there if a test holds."""
    from jinja2 import nodes as jn

    match test:
        case jn.And():
            return present_if(test.left) | present_if(test.right)
        case jn.Not():
            return present_unless(test.node)
        case jn.Test(name="defined"):
            return present_if(test.node)
        case _:
            path = _path(test)
            return frozenset() if path is None else frozenset((path,))


def present_unless(test: Any) -> frozenset[Path]:
    """The paths that are there if a test does not hold."""
    from jinja2 import nodes as jn

    match test:
        case jn.Or():
            return present_unless(test.left) | present_unless(test.right)
        case jn.Not():
            return present_if(test.node)
        case jn.Test(name="none" | "undefined"):
            return present_if(test.node)
        case _:
            return frozenset()


def plain_test(node: Any, names: Names) -> tuple[Path, bool] | None:
    """The path that a test asks the truth of, and whether it asks for true; None for any other."""
    from jinja2 import nodes as jn

    if isinstance(node, jn.Not):
        inner = plain_test(node.node, names)
        return None if inner is None else (inner[0], not inner[1])
    found = _path(node)
    if found is None or found[0] not in names:
        return None
    root = names[found[0]].path
    return None if root is None else ((*root, *found[1:]), True)


def _path(node: Any) -> Path | None:
    from jinja2 import nodes as jn

    match node:
        case jn.Name():
            return (node.name,)
        case jn.Getattr():
            head = _path(node.node)
            return None if head is None else (*head, node.attr)
        case jn.Getitem(arg=jn.Const(value=str() as key)):
            head = _path(node.node)
            return None if head is None else (*head, key)
        case _:
            return None


def output(reading: Reading, node: Any, names: Names) -> list[TemplatePart]:
    """The text that an expression puts into the prompt."""
    from jinja2 import nodes as jn

    match node:
        case jn.Const():
            return [TemplateText(len(str(node.value).encode("utf-8", "surrogatepass")))]
        case jn.Concat():
            return [part for child in node.nodes for part in output(reading, child, names)]
        case jn.Add():
            return _sum(reading, node, names)
        case jn.CondExpr():
            expression(reading, node.test, names)
            with reading.knowing(present_if(node.test)):
                then = output(reading, node.expr1, names)
            with reading.knowing(present_unless(node.test)):
                otherwise = [] if node.expr2 is None else output(reading, node.expr2, names)
            return [TemplateBranch((tuple(then), tuple(otherwise)), plain_test(node.test, names))]
        case jn.Or():
            left = expression(reading, node.left, names)
            first = TemplateValue(left.path, present(left.type), left.times)
            return [TemplateBranch(((first,), tuple(output(reading, node.right, names))))]
        case jn.Filter(name="default", args=[other, *more]):
            value = expression(reading, node.node, names)
            if isinstance(value.type, OptionalType) and not more and not node.kwargs:
                reading.absent(node.lineno, value)  # without `true` it leaves a `none` as it is
            first = TemplateValue(value.path, present(value.type), value.times)
            return [TemplateBranch(((first,), tuple(output(reading, other, names))))]
        case _:
            value = expression(reading, node, names)
            if isinstance(value.type, OptionalType) and not reading.is_present(value):
                reading.absent(node.lineno, value)
            if not is_medium(present(value.type)):
                reading.alone(node.lineno, value)
            elif reading.is_system:
                reading.tell(
                    node.lineno,
                    "the `system` text shows no pictures and documents",
                    help="put it into `user`",
                )
            return [TemplateValue(value.path, present(value.type), value.times)]


def expression(reading: Reading, node: Any, names: Names) -> Variable:
    """The type and the source of an expression. Errors in it are reported."""
    from jinja2 import nodes as jn

    match node:
        case jn.Name():
            return _name(reading, node, names)
        case jn.Const():
            return Variable(TEXT if isinstance(node.value, str) else INT, None)
        case jn.Getattr():
            target = expression(reading, node.node, names)
            return _attribute(reading, target, node.attr, node.lineno)
        case jn.Getitem():
            return _item(reading, node, names)
        case jn.Filter():
            return _filter(reading, node, names)
        case jn.Call():
            instead = "work it out in the pipeline, with `let`"
            reading.tell(node.lineno, "a prompt cannot call anything", help=instead)
            return Variable(ERROR, None)
        case jn.Test() if node.name not in TESTS:
            help = suggestion(node.name, TESTS) or "there are: " + ", ".join(sorted(TESTS))
            reading.tell(node.lineno, f"unknown test `{node.name}`", word=node.name, help=help)
        case jn.Pow():
            reading.tell(node.lineno, "`**` cannot be used in a prompt")
        case jn.And():
            with ExitStack() as known:
                for part in _joined(node):
                    expression(reading, part, names)
                    known.enter_context(reading.knowing(present_if(part)))
            return Variable(JSON, None)
        case _:
            pass
    parts = []
    for child in node.iter_child_nodes():
        parts.append(expression(reading, child, names))
        if not isinstance(node, (jn.Test, jn.Not, jn.And, jn.Or)):
            reading.alone(node.lineno, parts[-1])
    match node:
        case jn.Compare() | jn.Not() | jn.Test():
            return Variable(BOOL, None)
        case jn.Add() | jn.Sub() | jn.Mul() | jn.Div() | jn.FloorDiv() | jn.Mod() | jn.Neg():
            return _calculated(reading, node, parts)
        case _:
            return Variable(JSON, None)


def _sum(reading: Reading, node: Any, names: Names) -> list[TemplatePart]:
    """The text that `a + b` gives: of numbers their sum, of texts one behind the other."""
    left, right = output(reading, node.left, names), output(reading, node.right, names)
    for part in (*left, *right):
        if isinstance(part, TemplateValue) and is_medium(part.type):
            reading.alone(node.lineno, Variable(part.type, part.path))
    kinds = {kind(node.left, left), kind(node.right, right)}
    if kinds == {"number"}:
        return [TemplateValue(None, NUMBER)]
    if kinds == {"number", "text"}:
        why = "`+` adds numbers or joins texts, and here are one of each"
        reading.tell(node.lineno, why, help="`~` joins anything: `{{ a ~ b }}`")
    return [*left, *right]


def _calculated(reading: Reading, node: Any, operands: list[Variable]) -> Variable:
    """The value of an operator over numbers."""
    types = [present(operand.type) for operand in operands]
    if are_numbers(types):
        return Variable(NUMBER, None)
    sign = SIGNS[type(node).__name__]
    wrong = misused(sign, types)
    if wrong is None:
        return Variable(JSON, None)
    help = "`~` joins texts" if wrong == TEXT else "work it out in the pipeline, with `let`"
    reading.tell(node.lineno, f"`{sign}` works on numbers, this is {quoted(wrong)}", help=help)
    return Variable(ERROR, None)


def _name(reading: Reading, node: Any, names: Names) -> Variable:
    if node.name in names:
        known = names[node.name]
        if known.path is not None:
            reading.variables[known.path[0]] = None
        return reading.reads(known)
    help = suggestion(node.name, names) or "there are: " + ", ".join(names)
    why = f"unknown variable `{node.name}`"
    reading.tell(node.lineno, why, word=node.name, help=help)
    return Variable(ERROR, None)


def _item(reading: Reading, node: Any, names: Names) -> Variable:
    from jinja2 import nodes as jn

    target = expression(reading, node.node, names)
    if isinstance(node.arg, jn.Const) and isinstance(node.arg.value, str):
        return _attribute(reading, target, node.arg.value, node.lineno)
    expression(reading, node.arg, names)
    match present(target.type):
        case ListType() as type if not isinstance(node.arg, jn.Slice):
            return Variable(type.element, target.inside())
        case ListType() | ErrorType() as type:
            return Variable(type, target.path)
        case type if type == TEXT:
            return Variable(type, target.path)
        case _:
            return Variable(JSON, None)


def _filter(reading: Reading, node: Any, names: Names) -> Variable:
    name = node.name
    if name not in FILTERS:
        help = suggestion(name, FILTERS) or "there are: " + ", ".join(sorted(FILTERS))
        reading.tell(node.lineno, f"unknown filter `{name}`", word=name, help=help)
    value = Variable(ERROR, None)
    if node.node is not None:
        value = expression(reading, node.node, names)
    for child in (*node.args, *(keyword.value for keyword in node.kwargs)):
        reading.alone(node.lineno, expression(reading, child, names))
    type = present(value.type)
    if name not in _KEEPS:
        reading.alone(node.lineno, value)
    match name:
        case "length" | "wordcount" | "int":
            return Variable(INT, None)
        case "abs" | "float" | "round" | "sum":
            return Variable(NUMBER, None)
        case "first" | "last" | "min" | "max" if isinstance(type, ListType):
            return Variable(type.element, value.inside())
        case "items" | "trim" | "truncate" | "string" | "list" | "reverse" | "sort" | "unique":
            return value
        case "default":
            return Variable(type, value.path, value.times)
        case _ if name in _GROWTH:
            return Variable(value.type, value.path, value.times * _GROWTH[name])
        case _:  # what `replace`, `join` and `indent` make has no bound of its own
            return Variable(value.type if isinstance(value.type, ErrorType) else JSON, None)


def _attribute(reading: Reading, target: Variable, name: str, line: int) -> Variable:
    if isinstance(target.type, OptionalType) and not reading.is_present(target):
        reading.absent(line, target)
    path = None if target.path is None else (*target.path, name)
    match present(target.type):
        case RecordType() as type:
            found = type.field(name)
            if found is not None:
                reading.passes(target)
                return reading.reads(Variable(found.type, path, target.times))
            help = suggestion(name, [f.name for f in type.fields])
            help = help or "fields: " + ", ".join(f.name for f in type.fields)
            why = f"{quoted(type)} has no field `{name}`"
            reading.tell(line, why, word=name, help=help)
            return Variable(ERROR, None)
        case MapType() as type:
            reading.passes(target)
            return reading.reads(Variable(type.value, path, target.times))
        case ErrorType():
            return Variable(ERROR, None)
        case type if type == JSON:
            return Variable(JSON, None)
        case type:
            reading.tell(line, f"{quoted(type)} has no field `{name}`", word=name)
            return Variable(ERROR, None)
