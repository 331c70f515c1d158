"""Prompt templates: `syntax.templates` reads them, we check names, paths and what is allowed.

The result is the template's shape: fixed text, values, loops and branches, from which the token
bounds of a prompt are made. What a shape leaves open counts as unbounded, never as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import assert_never

from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.templates.members import LOOP, elements
from pipelang.semantics.elaborate.templates.positions import TemplateSource
from pipelang.semantics.elaborate.templates.presence import plain_test, present_if, present_unless
from pipelang.semantics.elaborate.templates.reading import Names, Reading, Variable, one_of
from pipelang.semantics.elaborate.templates.values import expression, output, tested
from pipelang.semantics.program import (
    TemplateBranch,
    TemplateLoop,
    TemplatePart,
    TemplateShape,
    TemplateText,
)
from pipelang.semantics.types import (
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
            value = expression(reading, node.value, names)
            reading.passes(value)  # it is read where the name is
            names[node.name] = reading.named(node.name, value)
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
    ends = [dict(names) for _ in (*node.arms, node.otherwise)]
    known: frozenset[tuple[str, ...]] = frozenset()
    for (test, body), inner in zip(node.arms, ends, strict=False):
        with reading.knowing(known):
            tested(reading, test, names)
            with reading.knowing(present_if(test, names)):
                ways.append(_body(reading, body, inner))
        known |= present_unless(test, names)
    with reading.knowing(known):
        ways.append(_body(reading, node.otherwise, ends[-1]))
    for name in dict.fromkeys(name for inner in ends for name in inner):
        names[name] = one_of([inner[name] for inner in ends if name in inner])
    only = plain_test(node.arms[0][0], names) if len(node.arms) == 1 else None
    return TemplateBranch(tuple(ways), only)


def _loop(reading: Reading, node: TemplateFor, names: Names) -> list[TemplatePart]:
    over = expression(reading, node.over, names)
    if isinstance(present(over.type), ListType):
        reading.counts(over)
    if isinstance(over.type, OptionalType) and not reading.is_present(over):
        reading.absent(node.line, over)
    inner = dict(names)
    length: int | None = None
    element = Variable(JSON, None)
    second = Variable(JSON, None)
    match present(over.type):
        case ListType() as type:
            length = type.max_length
            element = elements(over)
        case MapType() as type:
            length = type.max_length
            element = Variable(TEXT, None)
            second = Variable(type.value, over.inside())
        case type if type != JSON and not isinstance(type, ErrorType):
            reading.tell(node.line, f"a loop goes over a list, this is {quoted(type)}")
        case _:
            pass
    values = [element, second]
    if node.unpacks and not isinstance(present(over.type), MapType):
        values = [elements(element)] * len(node.names)
        reading.reads(element)  # a name inside another one is none of these
    for name, value in zip(node.names, values, strict=False):
        if name is not None:
            inner[name] = reading.named(name, value)
    if node.test is not None:
        tested(reading, node.test, inner)
    inner["loop"] = reading.named("loop", Variable(LOOP, None, neighbour=element))
    with reading.knowing(present_if(node.over, names)):
        body = _body(reading, node.body, inner)
    otherwise = _body(reading, node.otherwise, dict(names))
    looped: TemplatePart = TemplateLoop(length, body, over.path if node.test is None else None)
    return [TemplateBranch(((looped,), otherwise))] if otherwise else [looped]
