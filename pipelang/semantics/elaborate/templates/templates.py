"""Prompt templates: Jinja2's own parser reads them, we check names, paths and what is allowed.

The result is the template's shape: fixed text, values, loops and branches, from which the token
bounds of a prompt are made. What a shape leaves open counts as unbounded, never as nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from jinja2 import nodes


def read_template(
    context: Context,
    prompt: str,
    source: TemplateSource,
    variables: Mapping[str, Type],
    *,
    is_system: bool = False,
) -> tuple[TemplateShape, tuple[tuple[str, ...], ...]]:
    """The shape of a template and the paths that it reads. Errors in it are reported."""
    from jinja2 import TemplateSyntaxError

    reading = Reading(context, prompt, source, is_system=is_system)
    everything = tuple((name,) for name in variables)
    try:
        tree = _tree(source.text)
        names = {name: Variable(type, (name,)) for name, type in variables.items()}
        shape = _body(reading, tree.body, names)
    except TemplateSyntaxError as error:
        why, help = _in_words(error.message or "this cannot be read")
        reading.tell(error.lineno, why, help=help or _as_text(source.text, error.lineno, why))
        return (), everything
    except RecursionError:
        reading.tell(1, "this is nested too deep")
        return (), everything
    except (ValueError, OverflowError) as error:  # numbers that Python does not read
        reading.tell(1, f"this cannot be read: {error}")
        return (), everything
    return shape, reading.shows()


@lru_cache(maxsize=256)
def _tree(text: str) -> nodes.Template:
    """The tree that Jinja2 reads; advice and tuning read the same prompts again and again."""
    from jinja2 import Environment

    return Environment(autoescape=False).parse(text)


def _in_words(message: str) -> tuple[str, str | None]:
    """Jinja's message as ours: what is wrong, and which tag it waits for if it says so."""
    why, _, rest = message.partition(". ")
    why = why.replace("Encountered unknown tag", "unknown tag").rstrip(".")
    tags = re.findall(r"'(\w+)'", rest.partition("following tags:")[2].partition(".")[0])
    help = "expected " + " or ".join(f"{{% {tag} %}}" for tag in tags) if tags else None
    return why[:1].lower() + why[1:], help


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


def _body(reading: Reading, body: list[nodes.Node], names: Names) -> TemplateShape:
    parts: list[TemplatePart] = []
    for node in body:
        parts.extend(_node(reading, node, names))
    return tuple(parts)


def _node(reading: Reading, node: nodes.Node, names: Names) -> list[TemplatePart]:
    from jinja2 import nodes as jn

    match node:
        case jn.Output():
            parts: list[TemplatePart] = []
            for child in node.nodes:
                if isinstance(child, jn.TemplateData):
                    parts.append(TemplateText(len(child.data.encode("utf-8", "surrogatepass"))))
                else:
                    parts.extend(output(reading, child, names))
            return parts
        case jn.If():
            return [_if(reading, node, names)]
        case jn.For():
            return _loop(reading, node, names)
        case jn.Assign() if isinstance(node.target, jn.Name):
            names[node.target.name] = expression(reading, node.node, names)
            return []
        case _:
            word = _TAGS.get(type(node).__name__, type(node).__name__.lower())
            reading.tell(
                node.lineno,
                f"`{word}` cannot be used in a prompt",
                help="a prompt has values, `if`, `for` and `set`",
            )
            return []


_TAGS = {
    "FromImport": "from ... import",
    "FilterBlock": "filter",
    "CallBlock": "call",
    "AssignBlock": "set",
    "Assign": "set",
    "ScopedEvalContextModifier": "autoescape",
    "ExprStmt": "do",
}


def _if(reading: Reading, node: Any, names: Names) -> TemplatePart:
    ways = []
    known: frozenset[tuple[str, ...]] = frozenset()
    for branch in (node, *node.elif_):
        with reading.knowing(known):
            expression(reading, branch.test, names)
            with reading.knowing(present_if(branch.test)):
                ways.append(_body(reading, branch.body, names))
        known |= present_unless(branch.test)
    with reading.knowing(known):
        ways.append(_body(reading, node.else_, names))
    test = plain_test(node.test, names) if len(ways) == 2 else None
    return TemplateBranch(tuple(ways), test)


def _loop(reading: Reading, node: Any, names: Names) -> list[TemplatePart]:
    from jinja2 import nodes as jn

    over = expression(reading, node.iter, names)
    if over.path is not None and not isinstance(node.iter, jn.Filter):
        reading.passes(over)  # what is shown of its elements is read where it is shown
    if isinstance(over.type, OptionalType) and not reading.is_present(over):
        reading.absent(node.lineno, over)
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
            reading.tell(node.lineno, f"a loop goes over a list, this is {quoted(type)}")
        case _:
            pass
    if isinstance(node.target, jn.Name):
        inner[node.target.name] = element
    elif isinstance(node.target, jn.Tuple):
        for item, value in zip(node.target.items, (element, second), strict=False):
            if isinstance(item, jn.Name):
                inner[item.name] = value
    inner["loop"] = Variable(_LOOP, None)
    if node.test is not None:
        expression(reading, node.test, inner)
    with reading.knowing(present_if(node.iter)):
        body = _body(reading, node.body, inner)
    otherwise = _body(reading, node.else_, names)
    looped: TemplatePart = TemplateLoop(length, body, over.path if node.test is None else None)
    return [TemplateBranch(((looped,), otherwise))] if otherwise else [looped]


_LOOP = MapType(INT)
"""Type of `loop`: whatever is asked of it is a number."""
