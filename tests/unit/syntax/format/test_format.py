"""The layout itself: the design's example to the letter, and one small case for each rule."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from pipelang.diagnostics import Source
from pipelang.syntax.format import format_source

GOLDEN = sorted(Path(__file__).parent.glob("*.pipe"))


def formatted(text: str) -> str:
    out, found = format_source(Source("e.pipe", text))
    assert not found, [diagnostic.message for diagnostic in found]
    assert format_source(Source("e.pipe", out)) == (out, ())
    return out


def as_items(text: str) -> str:
    return "pipeline p() -> int {\n" + indent(dedent(text).strip("\n"), "  ") + "\n}\n"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_golden(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text
    # Its lines pushed about, where that is not the author's to say.
    shifted = "\n".join(
        " " * (3 * number % 7) + line for number, line in enumerate(text.split("\n"))
    )
    if '"""' not in text:
        assert formatted(shifted) == text


def test_an_errant_file_is_left_alone() -> None:
    text = "type   T { a = int }"
    out, found = format_source(Source("e.pipe", text))
    assert out == text
    assert [diagnostic.rule.code for diagnostic in found] == ["P101"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("\n\n", ""),
        ("\n\n# only\n\n\n# comments", "# only\n\n# comments\n"),
        # Declarations stand a blank line apart; one-liners of one kind as the author had them.
        ("use a\nuse b\n\n\nuse c", "use a\nuse b\n\nuse c\n"),
        ("use a\nenum E { x }", "use a\n\nenum E { x }\n"),
        (
            "enum E { x }\ntype T {\n a: int }\ntype U { a: int }\ntype V { a: int }",
            "enum E { x }\n\ntype T {\n  a: int\n}\n\ntype U { a: int }\ntype V { a: int }\n",
        ),
        # A block that was opened with a line break stays open, with one entry a line in columns.
        (
            "tool t(a:int)->[text]max 5{\n effect read timeout 2s idempotent rate (a+1)}",
            "tool t(a: int) -> [text] max 5 {\n  effect  read\n  timeout 2s\n  idempotent\n"
            "  rate    (a + 1)\n}\n",
        ),
        # One that was not stays on its line while there is room.
        ("tool t ( ){effect read\n timeout 2s}", "tool t() { effect read timeout 2s }\n"),
        ("tool t() {\n}", "tool t() {}\n"),
        # A blank line starts new columns; more than one is one; none at the edges of a block.
        (
            "type T {\n\n a: int\n\n\n long_one: int\n b: int\n\n}",
            "type T {\n  a: int\n\n  long_one: int\n  b:        int\n}\n",
        ),
        # Comments stay where they are; those that end neighbouring lines stand in a column.
        (
            "type T { # of T\n  # before a\n  a: int # of a\n\n # far\n\n bcd: text # of bcd\n\n"
            "\n  # last\n}\n# end",
            "type T {  # of T\n  # before a\n  a: int  # of a\n\n  # far\n\n"
            "  bcd: text  # of bcd\n\n  # last\n}\n# end\n",
        ),
        (
            "type T {\n a: int # one\n bcd: [text] # two\n}",
            "type T {\n  a:   int     # one\n  bcd: [text]  # two\n}\n",
        ),
        (
            "fn f(a: int, # why\n b: int) -> int = a",
            "fn f(\n  a: int,  # why\n  b: int\n) -> int = a\n",
        ),
        # Signs.
        (
            "fn f ( a : int? , b:{ text : T }) -> int = -a [ 0 ] ?.b*( 2- -1 )+max( 1,x : 2 )",
            "fn f(a: int?, b: {text: T}) -> int = -a[0]?.b * (2 - -1) + max(1, x: 2)\n",
        ),
        ('fn f() -> T = { a : 1 , "b" : [ 1,2 ] }', 'fn f() -> T = {a: 1, "b": [1, 2]}\n'),
        ("setting s: int in - 5 .. 10 = 3", "setting s: int in -5..10 = 3\n"),
        ("setting s: int max 4k \t tokens = 1", "setting s: int max 4k tokens = 1\n"),
        # Templates are kept letter by letter, but for the line ends.
        (
            'prompt p ( ) """\r\n   a  \r\n\t# b\r\n """\nuse a',
            'prompt p() """\n   a  \n\t# b\n """\n\nuse a\n',
        ),
        (
            'prompt p() { system """a""" user from "x" }',
            'prompt p() {\n  system """a"""\n  user from "x"\n}\n',
        ),
        # A number and a name that would become an amount on one line.
        (
            "fn f() -> int = match a { b => 5\n tokens => 6 }",
            "fn f() -> int = match a {\n  b      => 5\n  tokens => 6\n}\n",
        ),
    ],
)
def test_files(before: str, after: str) -> None:
    assert formatted(before) == after


LONG = "a_rather_long_name_of_something"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Several items never share a line; one may.
        ("when a { return 1 } else { reject }", "when a { return 1 } else { reject }"),
        (
            "when a { let b = 1 return b } else { reject }",
            "when a {\n  let b = 1\n  return b\n} else {\n  reject\n}",
        ),
        ("slo { cost < $1 }", "slo { cost < $1 }"),
        (
            "slo { cost < $1 success >= 5% }",
            "slo {\n  cost    < $1\n  success >= 5%\n}",
        ),
        # `else`: on its line, or on lines of their own, as the first of them was.
        ("step s = call t() else a else b", "step s = call t() else a else b"),
        (
            "step s = call t()\nelse a else b",
            "step s = call t()\n  else a\n  else b",
        ),
        (
            "gate g: a else redo s up to 1 else reject",
            "gate g: a else redo s up to 1 else reject",
        ),
        (
            "gate g: a\nelse redo s up to 1 else reject",
            "gate g: a\n  else redo s up to 1\n  else reject",
        ),
        # It follows the brace of a block that stands open.
        (
            "step s = call t() {\n timeout 5s } else a else reject",
            "step s = call t() {\n  timeout 5s\n} else a\n  else reject",
        ),
        (
            "step s = call t() {\n timeout 5s } else call u() {\n timeout 6s } else reject",
            "step s = call t() {\n  timeout 5s\n} else call u() {\n  timeout 6s\n} else reject",
        ),
        # If it does not, the whole construct steps in with it.
        (
            "step s = call t() {\n timeout 5s }\nelse a",
            "step s = call t() {\n    timeout 5s\n  }\n  else a",
        ),
        (
            "breaker { opens when g rejects 3 in a row probes after 5m } else run q() else reject",
            "breaker {\n  opens when g rejects 3 in a row\n  probes after 5m\n} else run q()\n"
            "  else reject",
        ),
        (
            'breaker { opens when g rejects 3 in a row }   else escalate  to r "x"',
            'breaker { opens when g rejects 3 in a row } else escalate to r "x"',
        ),
        # Options: on one line, on one line within their braces, or one a line.
        (
            f"step s = ask {LONG}(a) by haiku {{ accuracy 92% retry 2 timeout 30s cache 1h by a }}",
            f"step s = ask {LONG}(a) by haiku {{\n"
            "  accuracy 92% retry 2 timeout 30s cache 1h by a\n}",
        ),
        (
            "step s = a {\n accuracy 92% retry 2 }",
            "step s = a {\n  accuracy 92% retry 2\n}",
        ),
        (
            "step s = a {\n accuracy 92%\n retry 2 }",
            "step s = a {\n  accuracy 92%\n  retry    2\n}",
        ),
        # What does not fit is broken from the outside to the inside.
        (
            f"let x = {LONG} and {LONG} and ({LONG} or {LONG})",
            f"let x =\n  {LONG}\n    and {LONG}\n    and ({LONG} or {LONG})",
        ),
        (
            f"let x = if {LONG} then {LONG} else {LONG}",
            f"let x =\n  if {LONG}\n    then {LONG}\n    else {LONG}",
        ),
        (
            f"let x = f({LONG}, {LONG}, {{a: 1, b: 2}}, [1, 2, 3])",
            f"let x = f(\n  {LONG}, {LONG}, {{a: 1, b: 2}}, [1, 2, 3]\n)",
        ),
        (
            f"let x = f({LONG}, {LONG}, {LONG}, {LONG})",
            f"let x = f(\n  {LONG},\n  {LONG},\n  {LONG},\n  {LONG}\n)",
        ),
        # An only argument in brackets brings its own.
        (
            f"let x = f(y: {{a: {LONG}, b: {LONG}, c: {LONG}}})",
            f"let x = f(y: {{\n  a: {LONG},\n  b: {LONG},\n  c: {LONG}\n}})",
        ),
        (
            f'permits "{LONG}", "{LONG}", "{LONG}", "d"',
            f'permits "{LONG}", "{LONG}",\n  "{LONG}", "d"',
        ),
        (
            f"approve yes by boss when {LONG} within 3h showing {LONG} else reject",
            f"approve yes by boss when {LONG} within 3h\n    showing {LONG}\n  else reject",
        ),
        (
            f'escalate to {LONG} "{LONG}" with {LONG}',
            f'escalate to {LONG} "{LONG}"\n  with {LONG}',
        ),
        # Comments in the middle of things.
        (
            "step s = call t() # why\n# because\nelse a",
            "step s = call t()  # why\n  # because\n  else a",
        ),
        ("let x = # why\na", "let x =  # why\n  a"),
        ("let x = a\n# and\nand b # b", "let x =\n  a\n    # and\n    and b  # b"),
    ],
)
def test_items(before: str, after: str) -> None:
    assert formatted(as_items(before)) == as_items(after)
