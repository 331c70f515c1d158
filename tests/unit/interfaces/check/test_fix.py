"""`check --fix`: what is safe is mended, all else is left as it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pipelang.diagnostics import Diagnostic, Edit, Span, codes, report
from pipelang.diagnostics.spelling import distance, only_slip
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.fix import compatible, drafted, edited
from pipelang.interfaces.cli.main import main

ENUM = "enum Size { small large }\n"
RECORD = "type Ticket { body: text  sure: probability }\n"
MENDED = [
    # names, fields, members, functions, settings
    ("fn f(count: int) -> int = coutn + 1", "fn f(count: int) -> int = count + 1"),
    (f"{RECORD}fn f(t: Ticket) -> text = t.bodi", f"{RECORD}fn f(t: Ticket) -> text = t.body"),
    (f"{ENUM}fn f(s: Size) -> bool = s == smal", f"{ENUM}fn f(s: Size) -> bool = s == small"),
    (f"{RECORD}fn f(t: Tikcet) -> text = t.body", f"{RECORD}fn f(t: Ticket) -> text = t.body"),
    (f"{ENUM}fn f(s: size) -> bool = s == small", f"{ENUM}fn f(s: Size) -> bool = s == small"),
    ("fn f(a: bool) -> bool = a and True", "fn f(a: bool) -> bool = a and true"),
    # signs of other languages
    ("fn f(a: bool, b: bool) -> bool = !a && b", "fn f(a: bool, b: bool) -> bool = not a and b"),
    ("fn f(a: bool, b: bool) -> bool = a||b", "fn f(a: bool, b: bool) -> bool = a or b"),
    ("fn f() -> text = “hello”", 'fn f() -> text = "hello"'),
    ("fn f() -> text = 'hello'", 'fn f() -> text = "hello"'),
    (f"{ENUM} // two of them", f"{ENUM} # two of them"),
    ("type T { a: text; b: text }", "type T { a: text b: text }"),
    ("type T { a: text, b: text }", "type T { a: text b: text }"),
    ("type T { a = text }", "type T { a : text }"),
    ("role r { people: 3 }", "role r { people 3 }"),
    ("role r { people:3 }", "role r { people 3 }"),
    # units
    (
        "fn f(sure: probability) -> bool = sure >= 70",
        "fn f(sure: probability) -> bool = sure >= 70%",
    ),
    (
        "fn f(sure: probability) -> bool = sure >= 0.75",
        "fn f(sure: probability) -> bool = sure >= 75%",
    ),
    ("fn f() -> duration = 30seconds", "fn f() -> duration = 30s"),
    ("fn f() -> duration = 30 s", "fn f() -> duration = 30s"),
    (f'{ENUM}fn f() -> Size = "small"', f"{ENUM}fn f() -> Size = small"),
    # what stands in the wrong place is moved, and nothing is lost
    ("type R { note: text max 10 tokens? }", "type R { note: text? max 10 tokens }"),
    ("type R { level: int in 0..5?  next: int }", "type R { level: int? in 0..5  next: int }"),
    (
        "tool t(a: int) -> int { effect irreversible }\n"
        "pipeline p(xs: [int] max 3) -> int {\n"
        "  step r = each x in xs { call t(x) } { need any ordered }\n"
        "  return len(r)\n}",
        "tool t(a: int) -> int { effect irreversible }\n"
        "pipeline p(xs: [int] max 3) -> int {\n"
        "  step r = each x in xs ordered { call t(x) } { need any  }\n"
        "  return len(r)\n}",
    ),
    # what is shown wrong once, wrong again, and several on one line
    (
        f"{ENUM}# keep me\nfn f(s: Size) -> bool = s == smal || s==lrage  # and me",
        f"{ENUM}# keep me\nfn f(s: Size) -> bool = s == small or s==large  # and me",
    ),
]
LEFT_ALONE = [
    # nothing is near, or more than one is
    "fn f(count: int) -> int = zebra + 1",
    "fn f(cost: int, coat: int) -> int = cozt + 1",
    "fn f(ab: int) -> int = ac",
    # what only a person knows
    "fn f(sure: probability) -> bool = sure >= 1",
    "fn f(sure: probability) -> bool = sure >= 700",
    "fn f() -> text = 5",
    "fn f() -> text = 'it\\'s'",
    "fn f() -> text = don't",
    "enum Size { small large",
    "pipeline p(xs: [int] max 3) -> int {\n"
    "  step r = each x in xs { call t(x) } { parallel 2 ordered }",
    "type R { a: text | int }",
    # nothing is wrong in a text, a template or a comment
    "fn f() -> text = \"“smart” && 'single'; True\"  # a && b; “c” // d",
]


def write(folder: Path, text: str) -> Path:
    path = folder / "a.pipe"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(("wrong", "right"), MENDED)
def test_what_is_safe_is_mended(wrong: str, right: str, tmp_path: Path) -> None:
    path = write(tmp_path, wrong + "\n")
    before = {one.rule.code for one in check_file(str(path)).diagnostics if one.edits}
    assert before
    main(["check", "--fix", str(path)])
    assert path.read_bytes().decode() == right + "\n"
    checked = check_file(str(path))
    assert checked.program is not None, checked.diagnostics
    assert not [one for one in checked.diagnostics if one.edits or one.rule.code in before]
    assert drafted([str(path)]) == []


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_not_is_left_alone(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, text + "\n")
    main(["check", "--fix", str(path)])
    assert path.read_bytes().decode() == text + "\n"


PIPELINE = "pipeline p(count: int) -> int {\n  return count\n}\n"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("use std.checks { no_secrets no_personal_data }  # why\n", "  # why\n"),
        (
            "use std.checks { no_secrets no_personal_data }\n"
            "fn ok(a: text) -> bool = no_secrets(a)\n"
            "gate",
            None,
        ),
    ],
)
def test_unused_imports_are_left_out(wrong: str, right: str | None, tmp_path: Path) -> None:
    path = write(tmp_path, wrong + PIPELINE)
    main(["check", "--fix", str(path)])
    assert path.read_text(encoding="utf-8") == (wrong if right is None else right) + PIPELINE


def test_line_endings_the_mark_and_the_mode_stay(tmp_path: Path) -> None:
    text = "\ufeff# a\r\nfn f(count: int) -> int =\r\n  coutn + 1\r\n"
    path = write(tmp_path, text)
    path.chmod(0o640)
    assert main(["check", "--fix", str(path)]) == 0
    assert path.read_bytes() == text.replace("coutn", "count").encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path = write(tmp_path, "fn f(count: int) -> int = coutn\n")
    link = tmp_path / "b.pipe"
    link.symlink_to(path)
    main(["check", "--fix", str(link)])
    assert link.is_symlink()
    assert "coutn" not in path.read_text(encoding="utf-8")


def test_only_named_files_are_touched(tmp_path: Path) -> None:
    other = tmp_path / "other.pipe"
    other.write_text("fn g(count: int) -> int = coutn\n", encoding="utf-8")
    path = write(tmp_path, 'use "other.pipe"\nfn f(number: int) -> int = g(nubmer)\n')
    main(["check", "--fix", str(path)])
    assert "number)" in path.read_text(encoding="utf-8")
    assert "coutn" in other.read_text(encoding="utf-8")
    main(["check", "--fix", str(tmp_path)])
    assert "coutn" not in other.read_text(encoding="utf-8")


def test_a_library_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "std").mkdir()
    mine = tmp_path / "std" / "tiers.pipe"
    mine.write_text("fn f(count: int) -> int = coutn\n", encoding="utf-8")
    assert drafted(["std/tiers.pipe"]) == []


def test_a_diff_is_shown_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "fn f(count: int) -> int = coutn\n"
    path = write(tmp_path, text)
    assert main(["check", "--fix", "--diff", str(path)]) == 1
    said = capsys.readouterr()
    assert "-fn f(count: int) -> int = coutn\n+fn f(count: int) -> int = count\n" in said.out
    assert said.err == (f"{path}:1:27: P201: `coutn` -> `count`\nwould mend 1 finding in 1 file\n")
    assert path.read_text(encoding="utf-8") == text
    main(["check", "--fix", str(path)])
    capsys.readouterr()
    assert main(["check", "--diff", str(path)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "fn f(count: int) -> int = coutn\n")
    path.chmod(0o400)
    assert main(["check", "--fix", str(path)]) == 1
    assert "write-protected" in capsys.readouterr().err


def finding(*places: tuple[int, int], file: str = "a") -> Diagnostic:
    edits = tuple(Edit(Span(file, start, end), "x") for start, end in places)
    span = Span(file, *places[0])
    return report(codes.UNKNOWN_NAME, span, what="name", name=str(places), edits=edits)


def test_edits_that_touch_are_not_made_together() -> None:
    first, touching, apart = finding((0, 3)), finding((3, 5)), finding((6, 8))
    assert compatible([first, touching, apart], ["a"]) == [first, apart]


def test_the_edits_of_a_finding_are_made_together_or_not_at_all() -> None:
    first, second = finding((0, 3)), finding((10, 12), (2, 4))
    assert compatible([first, second], ["a"]) == [first]
    assert compatible([second], ["a"]) == [second]
    assert compatible([finding((0, 1), file="b")], ["a"]) == []


def test_edits_keep_the_rest() -> None:
    edits = [Edit(Span("a", 0, 1), "xx"), Edit(Span("a", 3, 3), "y")]
    assert edited("abcd", edits) == "xxbcyd"
    assert edited("\ufeffabcd", edits) == "\ufeffxxbcyd"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abcd", "xbyd", 2)],
)
def test_distance(first: str, second: str, expected: int) -> None:
    assert distance(first, second, 2) == distance(second, first, 2) == expected


def test_a_slip_is_one_letter_in_three() -> None:
    assert only_slip("coutn", ["count", "total"]) == "count"
    assert only_slip("id", ["if", "it"]) is None
    assert only_slip("Id", ["id"]) == "id"
    assert only_slip("cozt", ["cost", "coat"]) is None
    assert only_slip("count", ["account_of"]) is None
