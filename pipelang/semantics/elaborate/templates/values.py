"""Expressions in templates: their types, their sources, and how long their text can get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import assert_never

from pipelang.diagnostics import Help, codes
from pipelang.records import dataclass, field, replace
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
from pipelang.syntax.templates.nodes import (
    TemplateAttribute,
    TemplateCall,
    TemplateChoice,
    TemplateConst,
    TemplateExpr,
    TemplateFilter,
    TemplateItem,
    TemplateOperation,
    TemplateTest,
    TemplateVariable,
)

_GROWTH = {"e": 5, "escape": 5, "tojson": 6, "upper": 3, "lower": 3, "title": 3, "capitalize": 3}
"""Factor by which a filter can lengthen a text at most, in bytes."""

_KEEPS = ("length", "first", "last", "list", "reverse", "default")
"""Filters that make no text of what they are given."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A value in a template: its type, and its path from a parameter if it has one.

    `times` is how much longer than the value at the path it can have become. `place` is the one
    value that it is, where the path is that of all elements of a list: what is known of one of them
    is not known of the others.
    """

    type: Type
    path: Path | None
    times: int = 1
    place: Path | None = None

    def inside(self) -> Path | None:
        """The path of the elements of a list."""
        return None if self.path is None else (*self.path, "*")

    def written(self) -> str:
        """The value as a template names it."""
        first, *others = self.place or self.path or ("this",)
        return ".".join((first.partition("@")[0], *others))


Names = dict[str, Variable]


@dataclass(slots=True)
class Reading:
    """One template that is read. `present` are the paths that are known to be there, `used` says
    how often each path is read as it is, and not only on the way to something inside it. `loops`
    are the paths of lists that are gone through, element by element.
    `is_system` says that it is the text before the user's, which only has words.
    """

    context: Context
    prompt: str
    source: TemplateSource
    used: dict[Path, int] = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    loops: dict[Path, None] = field(default_factory=dict)
    present: frozenset[Path] = frozenset()
    is_system: bool = False
    places: int = 0

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

    def named(self, name: str, value: Variable) -> Variable:
        """A value under a name: it is in the place that it has, else in one of its own."""
        self.places += 1
        return value if value.place else replace(value, place=(f"{name}@{self.places}",))

    def shows(self) -> tuple[Path, ...]:
        """The paths that the template reads; of a variable that is only looped over, the lists."""
        found = [path for path, times in self.used.items() if times]
        seen = {path[0] for path in found}
        found += [path for path in self.loops if path[0] not in seen]
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
        return value.place in self.present

    def absent(self, line: int, value: Variable) -> None:
        """Report a value that may be absent where it is used."""
        name = value.written()
        help = f"ask first: {{% if {name} %}}...{{% endif %}}"
        word = name.rsplit(".", 1)[-1]
        self.tell(line, f"`{name}` may be absent here", word=word, help=help)


def _joined(test: TemplateExpr) -> list[TemplateExpr]:
    """The parts of `a and b and c`, which Jinja2 reads as `(a and b) and c`."""
    parts = []
    while isinstance(test, TemplateOperation) and test.word == "and":
        test, last = test.parts
        parts.append(last)
    return [test, *reversed(parts)]


def present_if(test: TemplateExpr, names: Names) -> frozenset[Path]:
    """The paths that are there if a test holds."""
    match test:
        case TemplateOperation("and", (left, right)):
            return present_if(left, names) | present_if(right, names)
        case TemplateOperation("not", (denied,)):
            return present_unless(denied, names)
        case TemplateTest(name="defined"):
            return present_if(test.target, names)
        case _:
            path = _path(test)
            known = names.get(path[0]) if path else None
            if path is None or known is None or known.place is None:
                return frozenset()
            return frozenset(((*known.place, *path[1:]),))


def present_unless(test: TemplateExpr, names: Names) -> frozenset[Path]:
    """The paths that are there if a test does not hold."""
    match test:
        case TemplateOperation("or", (left, right)):
            return present_unless(left, names) | present_unless(right, names)
        case TemplateOperation("not", (denied,)):
            return present_if(denied, names)
        case TemplateTest(name="none" | "undefined"):
            return present_if(test.target, names)
        case _:
            return frozenset()


def plain_test(node: TemplateExpr, names: Names) -> tuple[Path, bool] | None:
    """The path that a test asks the truth of, and whether it asks for true; None for any other."""
    if isinstance(node, TemplateOperation) and node.word == "not":
        inner = plain_test(node.parts[0], names)
        return None if inner is None else (inner[0], not inner[1])
    found = _path(node)
    if found is None or found[0] not in names:
        return None
    root = names[found[0]].path
    return None if root is None else ((*root, *found[1:]), True)


def _path(node: TemplateExpr) -> Path | None:
    match node:
        case TemplateVariable():
            return (node.name,)
        case TemplateAttribute():
            head = _path(node.target)
            return None if head is None else (*head, node.name)
        case TemplateItem(key=TemplateConst(value=str() as key)):
            head = _path(node.target)
            return None if head is None else (*head, key)
        case _:
            return None


def output(reading: Reading, node: TemplateExpr, names: Names) -> list[TemplatePart]:
    """The text that an expression puts into the prompt."""
    match node:
        case TemplateConst():
            return [TemplateText(len(str(node.value).encode("utf-8", "surrogatepass")))]
        case TemplateOperation("~"):
            return [part for child in node.parts for part in output(reading, child, names)]
        case TemplateOperation("+", (left, right)):
            return _sum(reading, node, left, right, names)
        case TemplateChoice():
            expression(reading, node.test, names)
            with reading.knowing(present_if(node.test, names)):
                then = output(reading, node.then, names)
            with reading.knowing(present_unless(node.test, names)):
                last = node.otherwise
                otherwise = [] if last is None else output(reading, last, names)
            return [TemplateBranch((tuple(then), tuple(otherwise)), plain_test(node.test, names))]
        case TemplateOperation("or", (left, right)):
            value = expression(reading, left, names)
            first = TemplateValue(value.path, present(value.type), value.times)
            return [TemplateBranch(((first,), tuple(output(reading, right, names))))]
        case TemplateFilter(name="default", arguments=(other, *more)):
            value = expression(reading, node.target, names)
            if isinstance(value.type, OptionalType) and not more and not node.named:
                reading.absent(node.line, value)  # without `true` it leaves a `none` as it is
            first = TemplateValue(value.path, present(value.type), value.times)
            return [TemplateBranch(((first,), tuple(output(reading, other, names))))]
        case _:
            value = expression(reading, node, names)
            if isinstance(value.type, OptionalType) and not reading.is_present(value):
                reading.absent(node.line, value)
            if not is_medium(present(value.type)):
                reading.alone(node.line, value)
            elif reading.is_system:
                reading.tell(
                    node.line,
                    "the `system` text shows no pictures and documents",
                    help="put it into `user`",
                )
            return [TemplateValue(value.path, present(value.type), value.times)]


def expression(reading: Reading, node: TemplateExpr, names: Names) -> Variable:
    """The type and the source of an expression. Errors in it are reported."""
    match node:
        case TemplateVariable():
            return _name(reading, node, names)
        case TemplateConst():
            return Variable(TEXT if isinstance(node.value, str) else INT, None)
        case TemplateAttribute():
            target = expression(reading, node.target, names)
            return _attribute(reading, target, node.name, node.line)
        case TemplateItem():
            return _item(reading, node, names)
        case TemplateFilter():
            return _filter(reading, node, names)
        case TemplateCall():
            instead = "work it out in the pipeline, with `let`"
            reading.tell(node.line, "a prompt cannot call anything", help=instead)
            return Variable(ERROR, None)
        case TemplateTest():
            return _test(reading, node, names)
        case TemplateChoice():
            otherwise = () if node.otherwise is None else (node.otherwise,)
            for child in (node.test, node.then, *otherwise):
                reading.alone(node.line, expression(reading, child, names))
            return Variable(JSON, None)
        case TemplateOperation():
            return _operation(reading, node, names)
        case _:
            assert_never(node)


def _test(reading: Reading, node: TemplateTest, names: Names) -> Variable:
    if node.name not in TESTS:
        help = suggestion(node.name, TESTS) or "there are: " + ", ".join(sorted(TESTS))
        reading.tell(node.line, f"unknown test `{node.name}`", word=node.name, help=help)
    for child in (node.target, *node.arguments):
        expression(reading, child, names)
    return Variable(BOOL, None)


def _operation(reading: Reading, node: TemplateOperation, names: Names) -> Variable:
    if node.word == "**":
        reading.tell(node.line, "`**` cannot be used in a prompt")
    if node.word == "and":
        with ExitStack() as known:
            for part in _joined(node):
                expression(reading, part, names)
                known.enter_context(reading.knowing(present_if(part, names)))
        return Variable(JSON, None)
    parts = []
    for child in node.parts:
        parts.append(expression(reading, child, names))
        if node.word not in ("not", "or"):
            reading.alone(node.line, parts[-1])
    if node.word in ("compare", "not"):
        return Variable(BOOL, None)
    if node.word in SIGNS and (len(parts) == 2 or node.word == "-"):
        return _calculated(reading, node, parts)
    return Variable(JSON, None)


def _sum(
    reading: Reading,
    node: TemplateOperation,
    first: TemplateExpr,
    second: TemplateExpr,
    names: Names,
) -> list[TemplatePart]:
    """The text that `a + b` gives: of numbers their sum, of texts one behind the other."""
    left, right = output(reading, first, names), output(reading, second, names)
    for side, parts in ((first, left), (second, right)):
        if isinstance(side, TemplateOperation) and side.word == node.word:
            continue  # a sum has looked at its parts itself
        for part in parts:
            if isinstance(part, TemplateValue) and is_medium(part.type):
                reading.alone(node.line, Variable(part.type, part.path))
    kinds = {kind(first, left), kind(second, right)}
    if kinds == {"number"}:
        return [TemplateValue(None, NUMBER)]
    if kinds == {"number", "text"}:
        why = "`+` adds numbers or joins texts, and here are one of each"
        reading.tell(node.line, why, help="`~` joins anything: `{{ a ~ b }}`")
    return [*left, *right]


def _calculated(reading: Reading, node: TemplateOperation, operands: list[Variable]) -> Variable:
    """The value of an operator over numbers."""
    types = [present(operand.type) for operand in operands]
    if are_numbers(types):
        return Variable(NUMBER, None)
    sign = node.word
    wrong = misused(sign, types)
    if wrong is None:
        return Variable(JSON, None)
    help = "`~` joins texts" if wrong == TEXT else "work it out in the pipeline, with `let`"
    reading.tell(node.line, f"`{sign}` works on numbers, this is {quoted(wrong)}", help=help)
    return Variable(ERROR, None)


def _name(reading: Reading, node: TemplateVariable, names: Names) -> Variable:
    if node.name in names:
        known = names[node.name]
        if known.path is not None:
            reading.variables[known.path[0]] = None
        return reading.reads(known)
    help = suggestion(node.name, names) or "there are: " + ", ".join(names)
    why = f"unknown variable `{node.name}`"
    reading.tell(node.line, why, word=node.name, help=help)
    return Variable(ERROR, None)


def _item(reading: Reading, node: TemplateItem, names: Names) -> Variable:
    target, key = expression(reading, node.target, names), node.key
    if isinstance(key, TemplateConst) and isinstance(key.value, str):
        return _attribute(reading, target, key.value, node.line)
    expression(reading, key, names)
    is_slice = isinstance(key, TemplateOperation) and key.word == "slice"
    match present(target.type):
        case ListType() as type if not is_slice:
            return Variable(type.element, target.inside())
        case ListType() | ErrorType() as type:
            return Variable(type, target.path)
        case type if type == TEXT:
            return Variable(type, target.path)
        case _:
            return Variable(JSON, None)


def _filter(reading: Reading, node: TemplateFilter, names: Names) -> Variable:
    name = node.name
    if name not in FILTERS:
        help = suggestion(name, FILTERS) or "there are: " + ", ".join(sorted(FILTERS))
        reading.tell(node.line, f"unknown filter `{name}`", word=name, help=help)
    value = expression(reading, node.target, names)
    for child in (*node.arguments, *node.named):
        reading.alone(node.line, expression(reading, child, names))
    type = present(value.type)
    if name not in _KEEPS:
        reading.alone(node.line, value)
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
            return replace(value, times=value.times * _GROWTH[name])
        case _:  # what `replace`, `join` and `indent` make has no bound of its own
            return Variable(value.type if isinstance(value.type, ErrorType) else JSON, None)


def _attribute(reading: Reading, target: Variable, name: str, line: int) -> Variable:
    if isinstance(target.type, OptionalType) and not reading.is_present(target):
        reading.absent(line, target)
    path = None if target.path is None else (*target.path, name)
    place = None if target.place is None else (*target.place, name)
    match present(target.type):
        case RecordType() as type:
            found = type.field(name)
            if found is not None:
                reading.passes(target)
                return reading.reads(Variable(found.type, path, target.times, place))
            help = suggestion(name, [f.name for f in type.fields])
            help = help or "fields: " + ", ".join(f.name for f in type.fields)
            why = f"{quoted(type)} has no field `{name}`"
            reading.tell(line, why, word=name, help=help)
            return Variable(ERROR, None)
        case MapType() as type:
            reading.passes(target)
            return reading.reads(Variable(type.value, path, target.times, place))
        case ErrorType():
            return Variable(ERROR, None)
        case type if type == JSON:
            return Variable(JSON, None)
        case type:
            reading.tell(line, f"{quoted(type)} has no field `{name}`", word=name)
            return Variable(ERROR, None)
