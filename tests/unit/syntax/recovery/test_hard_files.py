"""Files that nobody writes and everybody's tool must survive: empty, strange, huge, deep, broken.

Each is answered soon (the limits are generous: a hang is meant, not a slow machine), and the work
grows with the size of the file, which is counted and not timed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from pipelang.diagnostics import Source
from pipelang.diagnostics.render import as_text
from pipelang.syntax import tokens
from pipelang.syntax.format import format_source
from pipelang.syntax.parse import Parsed, parse
from pipelang.syntax.recovery.line_starts import LineStarts
from pipelang.syntax.recovery.probe import AutomatonProbe
from pipelang.syntax.recovery.recovery import CAREFUL
from pipelang.syntax.tables import tables

SECONDS = 60
WORDS = [*sorted(tables().keywords), *"{}()[]:=,.+-*/<>?", "name", "5", "70%", '"text"', "=>", "->"]


def soon(text: str) -> Parsed:
    """Parsed, formatted and shown without a traceback, and not too late."""
    start = time.process_time()
    source = Source("e.pipe", text)
    parsed = parse(source)
    for found in parsed.diagnostics:
        assert found.span is not None
        assert 0 <= found.span.start <= found.span.end <= len(text)
        as_text(found, {"e.pipe": source})
    formatted, told = format_source(source)
    assert not told or formatted == text
    assert time.process_time() - start < SECONDS
    return parsed


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "# c", "\ufeff", "\ufeff\r\n# c\r\n", "\r", "\t\f"]
)
def test_nothing_is_a_program(text: str) -> None:
    assert not soon(text).diagnostics


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    text = f"\ufefftype T {{{end}  a: int{end}}}{end}enum E {{ a }}{end}"
    assert not soon(text).diagnostics
    broken = soon(text.replace("a: int", "a = int"))
    assert [found.message for found in broken.diagnostics] == ["expected `:`, found `=`"]
    assert len(broken.module.declarations) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("enum E { a\0 b }", "P102"),
        ("\0" * 1000, "P102"),
        ("enum E { a } # \0", ""),
        ('fn f() -> text = "a\ud800b"', "P102"),
        ("# \ud800", "P102"),
        ("\udfff", "P102"),
        ("enum E { a \u200b b }", "P102"),
        ("enum E { na\u00efve }", "P102"),
        ("enum E { \U0001f600 }", "P102"),
        ("enum E { a } \x1a", "P102"),
        # Every reader shows a line here that runs, and it is a comment: `fmt` once wrote it so.
        ("enum E { a }  # b\renum F { c }\r", "P102"),
        ("## b\renum E { a }\n", "P102"),
        ("# b\r\r\nenum E { a }\r\r\n", ""),
        # So is a text, of which a reader shows the half: what it shows as the next line is no code.
        ('fn f() -> text = "a\rb"', "P102"),
        ('patterns links { "a\r" "b" }\r', "P102"),
        ('fn f() -> text = "a\\rb"\r', ""),
    ],
)
def test_strange_letters(text: str, code: str) -> None:
    assert [found.rule.code for found in soon(text).diagnostics] == [code] * bool(code)


def test_a_binary_file_is_given_up() -> None:
    pick = random.Random(1)
    text = "".join(chr(pick.randrange(1, 0x3000)) for _ in range(300_000))
    parsed = soon(text)
    assert len(parsed.diagnostics) == CAREFUL + 1
    assert parsed.diagnostics[-1].rule.code == "P110"


# --- large ------------------------------------------------------------------------------------

SIZE = 100_000
LARGE: dict[str, Callable[[int], str]] = {
    "random tokens": lambda size: " ".join(random.Random(1).choices(WORDS, k=size // 6)),
    "random lines": lambda size: "\n".join(random.Random(2).choices(WORDS, k=size // 6)),
    "declarations": lambda size: "type T { a: int }\nenum E { a b }\n" * (size // 34),
    "one long list": lambda size: "fn f() -> int = [" + "1, " * (size // 3) + "1]\n",
    "one long sum": lambda size: "fn f() -> int = " + "1 + " * (size // 4) + "1\n",
    "one long text": lambda size: 'fn f() -> text = "' + "a" * size + '"\n',
    "one long name": lambda size: "enum E { " + "a" * size + " }\n",
    "one long number": lambda size: "fn f() -> int = " + "1" * size + "\n",
    "one long bad number": lambda size: "fn f() -> int = 1_" + "1" * size + "\n",
    "one long line of names": lambda size: "a " * (size // 2),
    "errors in declarations": lambda size: "enum E { a, b }\n" * (size // 16),
    "errors in items": lambda size: (
        "pipeline p() -> int {\n" + "  let x = = 5\n" * (size // 14) + "}\n"
    ),
    "broken items": lambda size: "pipeline p() -> int {\n" + "  let x x x\n" * (size // 12) + "}\n",
    "unclosed texts": lambda size: '"\n' * (size // 2),
    "strange signs": lambda size: "@ " * (size // 2),
    "templates": lambda size: '"""' * (size // 3),
    "opening braces": lambda size: "{" * size,
    "opening brackets": lambda size: "fn f() -> int = " + "([" * (size // 2),
    "closing brackets": lambda size: "])}" * (size // 3),
    "open blocks": lambda size: "pipeline p() -> int {" + "when a { " * (size // 9),
    "open declarations": lambda size: "pipeline p() -> int {\n" * (size // 22),
    "nested brackets": lambda size: (
        "fn f() -> int = " + "(" * (size // 2) + "1" + ")" * (size // 2) + "\n"
    ),
    "nested blocks": lambda size: (
        "pipeline p() -> int {" + "when a { " * (size // 11) + "}" * (size // 11) + "}\n"
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_files(name: str) -> None:
    parsed = soon(LARGE[name](SIZE))
    assert len(parsed.diagnostics) <= CAREFUL + 1


@pytest.mark.parametrize("name", LARGE)
def test_work_grows_with_the_size(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the file, at most about four times the questions and steps of recovery."""
    small, large = (_work(LARGE[name](size), monkeypatch) for size in (8_000, 32_000))
    assert large <= 5 * small + 8_000


def _work(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    count = 0

    def counting(function: Any) -> Any:
        def counted(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            return function(*arguments)

        return counted

    with monkeypatch.context() as patch:
        patch.setattr(AutomatonProbe, "take", counting(AutomatonProbe.take))
        patch.setattr(AutomatonProbe, "goto", counting(AutomatonProbe.goto))
        patch.setattr(LineStarts, "is_first", counting(LineStarts.is_first))
        patch.setattr(tokens, "_strange", counting(tokens._strange))
        parse(Source("e.pipe", text))
    return count


def test_twenty_thousand_errors_are_counted() -> None:
    parsed = soon("enum E { a, b }\n" * 20_000)
    assert len(parsed.diagnostics) == CAREFUL + 1
    last = parsed.diagnostics[-1]
    assert last.message == "19900 more syntax errors are not shown"
    assert len(parsed.module.declarations) == 20_000


def test_ten_thousand_deep() -> None:
    for opening, middle, closing in (("(", "1", ")"), ("[", "1", "]"), ("{a: ", "1", "}")):
        text = f"fn f() -> int = {opening * 10_000}{middle}{closing * 10_000}\nenum E {{ a }}\n"
        parsed = soon(text)
        assert [found.rule.code for found in parsed.diagnostics] == ["P109"]
        assert len(parsed.module.declarations) == 2
