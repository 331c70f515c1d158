"""Prompt templates: `syntax.templates` reads them, we check names, paths and what is allowed.

The result is the template's shape: fixed text, values, loops and branches, from which the token
bounds of a prompt are made. What a shape leaves open counts as unbounded, never as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import assert_never

from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.templates.positions import TemplateSource
from pipelang.semantics.elaborate.templates.values import (
    Names,
    Reading,
    Variable,
    expression,
    output,
    plain_test,
    present_if,
    present_unless,
)
from pipelang.semantics.program import (
    TemplateBranch,
    TemplateLoop,
    TemplatePart,
    TemplateShape,
    TemplateText,
)
from pipelang.semantics.types import (
    INT,
    JSON,
    TEXT,
    ErrorType,
    ListType,
    MapType,
    OptionalType,
    Type,
    present,
    quoted,
)
from pipelang.syntax.templates.nodes import (
    TemplateBody,
    TemplateData,
    TemplateFilter,
    TemplateFor,
    TemplateIf,
    TemplateNode,
    TemplateOther,
    TemplateOutput,
    TemplateSet,
)
from pipelang.syntax.templates.statements import parse_template
from pipelang.syntax.templates.tokens import TemplateMistake

Paths = tuple[tuple[str, ...], ...]


def read_template(
    context: Context,
    prompt: str,
    source: TemplateSource,
    variables: Mapping[str, Type],
    *,
    is_system: bool = False,
) -> tuple[TemplateShape, Paths, Paths]:
    """The shape of a template, the paths that it reads, and those of the lists that it loops over.
    Errors in it are reported.
    """
    reading = Reading(context, prompt, source, is_system=is_system)
    everything = tuple((name,) for name in variables)
    try:
        tree = _tree(source.text)
        names = {name: Variable(type, (name,), place=(name,)) for name, type in variables.items()}
        shape = _body(reading, tree, names)
    except TemplateMistake as error:
        help = "expected " + " or ".join(f"{{% {tag} %}}" for tag in error.tags)
        instead = help if error.tags else _as_text(source.text, error.line, error.why)
        reading.tell(error.line, error.why, help=instead)
        return (), everything, ()
    except RecursionError:
        reading.tell(1, "this is nested too deep")
        return (), everything, ()
    except (ValueError, OverflowError) as error:  # numbers that Python does not read
        reading.tell(1, f"this cannot be read: {error}")
        return (), everything, ()
    return shape, reading.shows(), tuple(reading.loops)


@lru_cache(maxsize=256)
def _tree(text: str) -> TemplateBody:
    """The tree of a template; advice and tuning read the same prompts again and again."""
    return parse_template(text)


def _as_text(template: str, line: int, why: str) -> str | None:
    """Spelling of the sign that begins what Jinja2 did not understand, if text was meant."""
    signs = ("{#",) if "comment" in why else ("{%", "{{") if "tag" in why else ("{{", "{%")
    lines = template.split("\n")
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    sign = next((sign for sign in signs if sign in here), None)
    if sign is None:
        return None
    return f"`{sign}` begins {_BEGINS[sign]} of Jinja2; as text it is written `{{{{ '{sign}' }}}}`"


_BEGINS = {"{#": "a comment", "{%": "a tag such as `if` or `for`", "{{": "a value"}


def _body(reading: Reading, body: TemplateBody, names: Names) -> TemplateShape:
    parts: list[TemplatePart] = []
    for node in body:
        parts.extend(_node(reading, node, names))
    return tuple(parts)


def _node(reading: Reading, node: TemplateNode, names: Names) -> list[TemplatePart]:
    match node:
        case TemplateData():
            return [TemplateText(len(node.text.encode("utf-8", "surrogatepass")))]
        case TemplateOutput():
            return output(reading, node.value, names)
        case TemplateIf():
            return [_if(reading, node, names)]
        case TemplateFor():
            return _loop(reading, node, names)
        case TemplateSet():
            names[node.name] = reading.named(node.name, expression(reading, node.value, names))
            return []
        case TemplateOther():
            reading.tell(
                node.line,
                f"`{node.word}` cannot be used in a prompt",
                help="a prompt has values, `if`, `for` and `set`",
            )
            return []
        case _:
            assert_never(node)


def _if(reading: Reading, node: TemplateIf, names: Names) -> TemplatePart:
    ways = []
    known: frozenset[tuple[str, ...]] = frozenset()
    for test, body in node.arms:
        with reading.knowing(known):
            expression(reading, test, names)
            with reading.knowing(present_if(test, names)):
                ways.append(_body(reading, body, names))
        known |= present_unless(test, names)
    with reading.knowing(known):
        ways.append(_body(reading, node.otherwise, names))
    only = plain_test(node.arms[0][0], names) if len(node.arms) == 1 else None
    return TemplateBranch(tuple(ways), only)


def _loop(reading: Reading, node: TemplateFor, names: Names) -> list[TemplatePart]:
    over = expression(reading, node.over, names)
    is_list = isinstance(present(over.type), ListType)
    if over.path is not None and is_list and not isinstance(node.over, TemplateFilter):
        reading.passes(over)  # what is shown of its elements is read where it is shown
        reading.loops[over.path] = None
    if isinstance(over.type, OptionalType) and not reading.is_present(over):
        reading.absent(node.line, over)
    inner = dict(names)
    length: int | None = None
    element = Variable(JSON, None)
    second = Variable(JSON, None)
    match present(over.type):
        case ListType() as type:
            length = type.max_length
            element = Variable(type.element, over.inside())
        case MapType() as type:
            length = type.max_length
            element = Variable(TEXT, None)
            second = Variable(type.value, over.inside())
        case type if type != JSON and not isinstance(type, ErrorType):
            reading.tell(node.line, f"a loop goes over a list, this is {quoted(type)}")
        case _:
            pass
    for name, value in zip(node.names, (element, second), strict=False):
        if name is not None:
            inner[name] = reading.named(name, value)
    inner["loop"] = Variable(_LOOP, None)
    if node.test is not None:
        expression(reading, node.test, inner)
    with reading.knowing(present_if(node.over, names)):
        body = _body(reading, node.body, inner)
    otherwise = _body(reading, node.otherwise, names)
    looped: TemplatePart = TemplateLoop(length, body, over.path if node.test is None else None)
    return [TemplateBranch(((looped,), otherwise))] if otherwise else [looped]


_LOOP = MapType(INT)
"""Type of `loop`: whatever is asked of it is a number."""
