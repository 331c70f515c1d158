"""Templates are read as Jinja2's own parser reads them, which is what renders them."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, TemplateSyntaxError
from jinja2 import nodes as jn
from jinja2.parser import Parser  # `Environment.parse` makes a traceback of its own, slowly

from pipelang.diagnostics import Source
from pipelang.syntax import ast
from pipelang.syntax.parse import parse
from pipelang.syntax.templates.nodes import (
    TemplateAttribute,
    TemplateCall,
    TemplateChoice,
    TemplateConst,
    TemplateData,
    TemplateFilter,
    TemplateFor,
    TemplateIf,
    TemplateItem,
    TemplateOperation,
    TemplateOther,
    TemplateOutput,
    TemplateSet,
    TemplateTest,
    TemplateVariable,
)
from pipelang.syntax.templates.statements import parse_template
from pipelang.syntax.templates.tokens import TemplateMistake

REPO = Path(__file__).resolve().parents[3]
JINJA = Environment(autoescape=False)

# ------------------------------------------------------------------- Jinja's tree, in our nodes

SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**"}
SIGNS |= {"And": "and", "Or": "or", "Neg": "-", "Pos": "+", "Not": "not", "Concat": "~"}
SIGNS |= {"Compare": "compare", "Tuple": "tuple", "List": "list", "Dict": "dict", "Slice": "slice"}
WORDS = {"FromImport": "from ... import", "FilterBlock": "filter", "CallBlock": "call"}
WORDS |= {"AssignBlock": "set", "Assign": "set", "Scope": "autoescape"}


def many(nodes: Any) -> tuple[Any, ...]:
    return tuple(map(ours, nodes))


def given(node: Any) -> tuple[Any, ...]:
    """The values of named and starred arguments, in no order that is known."""
    named = [keyword.value for keyword in node.kwargs]
    return many([*named, *(one for one in (node.dyn_args, node.dyn_kwargs) if one is not None)])


def names_of(node: Any) -> list[str | None]:
    """The names of what `given` gives; what stands behind stars has none."""
    starred = [one for one in (node.dyn_args, node.dyn_kwargs) if one is not None]
    return [*(keyword.key for keyword in node.kwargs), *(None for _ in starred)]


def ours(node: Any) -> Any:
    line = node.lineno
    match node:
        case jn.Name():
            return TemplateVariable(node.name, line)
        case jn.Const():
            return TemplateConst(node.value, line)
        case jn.Getattr():
            return TemplateAttribute(ours(node.node), node.attr, line)
        case jn.Getitem():
            return TemplateItem(ours(node.node), ours(node.arg), line)
        case jn.Filter():
            named = tuple(zip(names_of(node), given(node), strict=True))
            return TemplateFilter(ours(node.node), node.name, many(node.args), named, line)
        case jn.Test():
            return TemplateTest(ours(node.node), node.name, (*many(node.args), *given(node)), line)
        case jn.Call():
            return TemplateCall(line)
        case jn.CondExpr():
            otherwise = None if node.expr2 is None else ours(node.expr2)
            return TemplateChoice(ours(node.test), ours(node.expr1), otherwise, line)
        case jn.Pair() | jn.Operand():
            raise AssertionError("taken apart where they stand")
        case jn.Expr():
            parts: list[Any] = []
            for child in node.iter_child_nodes():
                inner = isinstance(child, (jn.Pair, jn.Operand))
                parts += child.iter_child_nodes() if inner else [child]
            return TemplateOperation(SIGNS[type(node).__name__], many(parts), line)
        case _:
            raise AssertionError(node)


def body(nodes: list[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    child: Any
    target: Any
    for node in nodes:
        match node:
            case jn.Output():
                for child in node.nodes:
                    is_data = isinstance(child, jn.TemplateData)
                    found.append(
                        TemplateData(child.data) if is_data else TemplateOutput(ours(child))
                    )
            case jn.If():
                arms = tuple((ours(one.test), body(one.body)) for one in (node, *node.elif_))
                found.append(TemplateIf(arms, body(node.else_), node.lineno))
            case jn.For():
                target = node.target
                several = isinstance(target, jn.Tuple)
                parts = target.items if several else [target]
                names = tuple(part.name if isinstance(part, jn.Name) else None for part in parts)
                test = None if node.test is None else ours(node.test)
                inner, otherwise = body(node.body), body(node.else_)
                over = ours(node.iter)
                found.append(TemplateFor(names, several, over, test, inner, otherwise, node.lineno))
            case jn.Assign() if isinstance(node.target, jn.Name):
                found.append(TemplateSet(node.target.name, ours(node.node), node.lineno))
            case _:
                word = WORDS.get(type(node).__name__, type(node).__name__.lower())
                line = node.body[0].lineno if isinstance(node, jn.Scope) else node.lineno
                found.append(TemplateOther(word, line))
    return tuple(found)


def joined(nodes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same, with text that stands side by side as one: comments and `raw` cut it apart."""
    found: list[Any] = []
    for node in nodes:
        if isinstance(node, TemplateData) and found and isinstance(found[-1], TemplateData):
            found[-1] = TemplateData(found[-1].text + node.text)
        else:
            found.append(node)
    return tuple(found)


def in_our_words(message: str) -> tuple[str, tuple[str, ...]]:
    why, _, rest = message.partition(". ")
    why = why.replace("Encountered unknown tag", "unknown tag").rstrip(".")
    tags = re.findall(r"'(\w+)'", rest.partition("following tags:")[2].partition(".")[0])
    return why[:1].lower() + why[1:], tuple(tags)


def theirs_of(text: str) -> Any:
    try:
        return joined(body(Parser(JINJA, text).parse().body))
    except TemplateSyntaxError as error:
        return (*in_our_words(error.message or ""), error.lineno)


def ours_of(text: str) -> Any:
    try:
        return joined(parse_template(text))
    except TemplateMistake as error:
        return error.why, error.tags, error.line


REFUSED = re.compile(
    r"\{%[-+]?\s*(block|macro|with|autoescape|call|filter|extends|include|import|from|set)\b"
)


def same(text: str) -> None:
    """Both read the same, or find the same mistake. What no prompt may have is read as far as its
    end only, so a mistake inside its tag is another one or none; it is refused all the same.
    """
    mine, theirs = ours_of(text), theirs_of(text)
    if mine != theirs and REFUSED.search(text) and is_mistake(theirs):
        assert is_mistake(mine) or "TemplateOther" in repr(mine), text
        return
    if mine != theirs and is_mistake(mine) and mine[0].startswith("missing end of"):
        # Theirs drops a comment or `raw` that begins where the template ends: not so with a letter
        # behind it.
        theirs = theirs_of(text.rstrip("\r\n") + "x")
        assert mine[0] == theirs[0], text
        return
    assert mine == theirs, text


def is_mistake(read: Any) -> bool:
    return bool(read) and isinstance(read[0], str)


# ------------------------------------------------------------------------------------- templates


def prompts() -> list[str]:
    """Every template that a file of this repository has."""
    found = []
    for path in [*REPO.glob("examples/**/*.pipe"), *REPO.glob("docs/gallery/**/*.pipe")]:
        parsed = parse(Source(str(path), path.read_text(encoding="utf-8")))
        for one in parsed.module.declarations:
            if isinstance(one, ast.PromptDecl):
                found += [t.text for t in (one.system, one.user) if t is not None and t.text]
    return found


def test_templates_of_the_examples() -> None:
    found = prompts()
    assert len(found) > 50
    for text in found:
        same(text)


PIECES = r"""{{ }} {% %} {# #} {{- -}} {%- -%} {%+ +%} {#- -#} {%endraw%} {%raw%} if elif else
endif for endfor in set endset endif is not and or defined none a b.c x[0] x['k'] x[1:2] x[:]
x[::2] | upper default('z') default(a,true) replace(a,b=1) f(*a) f(**b) ( ) [ ] , : = == != < >=
+ - * / // % ** ~ 'it' "q\n" '\x' 1 2.5 1e3 0x1f 1_000 true None . .5 recursive loop.index text é
{{a}} {%if·a%} {%else%} {%endif%} {%elif·b%} {%for·x·in·xs%} {%endfor%} {%set·v=1%} {{[1,]}}
{{{'a':1,}}} {%print·a%} {%include·'x'%} {{·a·if·b·}} {{·a·if·b·else·c·}} $ @ { } not·in""".split()
PIECES = [*(piece.replace("·", " ") for piece in PIECES), "\n", "\r\n", "\t", "e\u0301", "\u0301"]


@pytest.mark.parametrize("seed", range(15))
def test_templates_of_random_pieces(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        glue = chance.choice(("", " ", " ", "\n"))
        same(glue.join(chance.choice(PIECES) for _ in range(chance.randint(1, 12))))


@pytest.mark.parametrize("opening", ["{#", "{#-", "{% raw %}", "{%- raw -%}", "{% raw %}\n"])
def test_what_opens_at_the_end_and_never_ends_is_told(opening: str) -> None:
    """It would be left out of what the model reads, without a word."""
    why, _, line = ours_of(f"Use\nthe sign {opening}")
    assert why.startswith("missing end of")
    assert line == 2
    same(f"Use\nthe sign {opening}")


def expression(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.2:
        return chance.choice(("a", "b.c", "x[0]", "'t'", "1", "2.5", "none", "true", "x.0", "()"))
    one, two, three = (expression(chance, depth - 1) for _ in range(3))
    sign = chance.choice("+ - * / // % ** ~ == != < <= > >= and or in".split())
    return chance.choice(
        (
            f"{one} {sign} {two}",
            f"{one} {sign} {two} {sign} {three}",
            f"not {one}",
            f"-{one}",
            f"+{one}",
            f"({one})",
            f"({one},)",
            f"{one}, {two}",
            f"[{one}, {two}]",
            f"{{{one}: {two}}}",
            f"{one} if {two}",
            f"{one} if {two} else {three}",
            f"{one}|upper",
            f"{one}|default({two}, x={three})",
            f"{one} is defined",
            f"{one} is not eq {two}",
            f"{one} is eq({two})",
            f"{one} not in {two}",
            f"{one}[{two}]",
            f"{one}[{two}:{three}]",
            f"{one}.name",
            f"{one}\n.name",
            f"{one}({two}, *{three})",
            f"{one}|join(\n{two})",
        )
    )


def statements(chance: random.Random, depth: int) -> str:
    value = expression(chance, 2)
    inner = "" if depth == 0 else statements(chance, depth - 1)
    more = "" if depth == 0 else statements(chance, depth - 1)
    sign, back = chance.choice(("", "", "-", "+")), chance.choice(("", "", "-"))
    return chance.choice(
        (
            f"text {{{{{back} {value} {back}}}}}\n",
            f"{{%{sign} if {value} {back}%}}\n {inner} {{% endif %}}",
            f"{{% if {value} %}}{inner}{{% elif a %}}{more}{{%{sign} else %}} x {{% endif %}}",
            f"{{% for v in {value} {back}%}}{inner}{{% else %}}{more}{{% endfor %}}",
            f"{{% for k, (v, w) in {value} if a recursive %}}{inner}{{% endfor %}}{more}",
            f"{{% set v = {value} %}}{inner}",
            f"{{% set v %}}{inner}{{% endset %}}",
            f"{{#{sign} {value} {back}#}}\n {inner}",
            f"{{% raw {back}%}} {{{{ {value} {{% endraw %}}\n{more}",
            f"{{% filter upper %}}{inner}{{% endfilter %}}",
            f"{{% with v = {value} %}}{inner}{{% endwith %}}{more}",
            f"{{% autoescape true %}}{inner}{{% endautoescape %}}",
            f"{{% block b %}}{inner}{{% endblock b %}}",
            f"{{% macro m(a, b=1) %}}{inner}{{% endmacro %}}",
            f"{{% print a, {value} %}}",
            f"{inner}{more}",
        )
    )


@pytest.mark.parametrize("seed", range(15))
def test_templates_made_by_the_grammar(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        text = statements(chance, 3)
        same(text)
        cut = chance.randint(0, len(text))
        same(text[:cut])
        same(text[:cut] + chance.choice(PIECES) + text[cut:])
