"""Expressions in templates: their types, their sources, and how long their text can get."""

from __future__ import annotations

from contextlib import ExitStack
from typing import assert_never

from pipelang.records import replace
from pipelang.semantics.elaborate.templates.arithmetic import (
    SIGNS,
    are_numbers,
    kind,
    misused,
)
from pipelang.semantics.elaborate.templates.filters import KEEPS, filtered, known_filter
from pipelang.semantics.elaborate.templates.members import attribute, element, is_neighbour
from pipelang.semantics.elaborate.templates.presence import (
    joined,
    plain_test,
    present_if,
    present_unless,
)
from pipelang.semantics.elaborate.templates.reading import Names, Reading, Variable
from pipelang.semantics.elaborate.templates.vocabulary import TESTS
from pipelang.semantics.program import (
    TemplateBranch,
    TemplatePart,
    TemplateShape,
    TemplateText,
    TemplateValue,
)
from pipelang.semantics.symbols import listed, suggestion
from pipelang.semantics.types import (
    BOOL,
    ERROR,
    INT,
    JSON,
    NUMBER,
    TEXT,
    ErrorType,
    ListType,
    OptionalType,
    is_medium,
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
            tested(reading, node.test, names)
            with reading.knowing(present_if(node.test, names)):
                then = output(reading, node.then, names)
            with reading.knowing(present_unless(node.test, names)):
                last = node.otherwise
                otherwise = [] if last is None else output(reading, last, names)
            return [TemplateBranch((tuple(then), tuple(otherwise)), plain_test(node.test, names))]
        case TemplateOperation("or", (left, right)):
            value = expression(reading, left, names)
            return [TemplateBranch((_shown(value), tuple(output(reading, right, names))))]
        case TemplateFilter(name="default", arguments=(other, *more)):
            value = expression(reading, node.target, names)
            if isinstance(value.type, OptionalType) and not more and not node.named:
                reading.absent(node.line, value)  # without `true` it leaves a `none` as it is
            return [TemplateBranch((_shown(value), tuple(output(reading, other, names))))]
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
            return list(_shown(value))


def _shown(value: Variable) -> TemplateShape:
    """The text of a value; where it is one of several, that of any of them."""
    if not value.either:
        return (TemplateValue(value.path, present(value.type), value.times),)
    ways = [_shown(replace(one, times=one.times * value.times)) for one in value.either]
    return (TemplateBranch(tuple(ways)),)


def tested(reading: Reading, node: TemplateExpr, names: Names) -> None:
    """Read an expression of which it only matters whether it is true: of a list, whether it is
    empty.
    """
    match node:
        case TemplateOperation("not", (denied,)):
            tested(reading, denied, names)
        case TemplateOperation("or", parts):
            for part in parts:
                tested(reading, part, names)
        case TemplateOperation("and"):
            with ExitStack() as known:
                for part in joined(node):
                    tested(reading, part, names)
                    known.enter_context(reading.knowing(present_if(part, names)))
        case _:
            value = expression(reading, node, names)
            if isinstance(value.type, ListType):
                reading.counts(value)


def expression(reading: Reading, node: TemplateExpr, names: Names) -> Variable:
    """The type and the source of an expression. Errors in it are reported."""
    match node:
        case TemplateVariable():
            return _name(reading, node, names)
        case TemplateConst():
            return Variable(TEXT if isinstance(node.value, str) else INT, None)
        case TemplateAttribute():
            target = expression(reading, node.target, names)
            return attribute(reading, target, node.name, node.line)
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
    target = expression(reading, node.target, names)
    if node.name in ("defined", "undefined") and is_neighbour(target):
        reading.passes(target)  # which says where in the list this is
    for child in node.arguments:
        expression(reading, child, names)
    return Variable(BOOL, None)


def _operation(reading: Reading, node: TemplateOperation, names: Names) -> Variable:
    if node.word == "**":
        reading.tell(node.line, "`**` cannot be used in a prompt")
    if node.word == "and":
        with ExitStack() as known:
            for part in joined(node):
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
        reading.variables |= dict.fromkeys(path[0] for path in known.sources())
        return reading.reads(known)
    help = suggestion(node.name, names) or "there are: " + listed(names)
    why = f"unknown variable `{node.name}`"
    reading.tell(node.line, why, word=node.name, help=help)
    return Variable(ERROR, None)


def _item(reading: Reading, node: TemplateItem, names: Names) -> Variable:
    target, key = expression(reading, node.target, names), node.key
    if isinstance(key, TemplateConst) and isinstance(key.value, str):
        return attribute(reading, target, key.value, node.line)
    expression(reading, key, names)
    is_slice = isinstance(key, TemplateOperation) and key.word == "slice"
    match present(target.type):
        case ListType() if not is_slice:
            return element(reading, target)
        case ListType() | ErrorType() as type:
            return replace(target, type=type, place=None)
        case type if type == TEXT:
            return replace(target, type=type, place=None)
        case _:
            return Variable(JSON, None)


def _filter(reading: Reading, node: TemplateFilter, names: Names) -> Variable:
    known_filter(reading, node)
    value = expression(reading, node.target, names)
    for child in (*node.arguments, *(given for _, given in node.named)):
        reading.alone(node.line, expression(reading, child, names))
    if node.name not in KEEPS:
        reading.alone(node.line, value)
    return filtered(reading, node, value)
