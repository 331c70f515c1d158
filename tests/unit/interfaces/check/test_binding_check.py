"""`check --import-tools`: what is said of a Python function that differs from its declaration."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipelang.diagnostics import Diagnostic
from pipelang.interfaces.check.binding_check import check_bindings
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.cli.main import main
from pipelang.semantics.build import build

DECLARED = """\
enum Size {{ small large }}

type Item {{ name: text  grams: int? }}

tool f({parameters}) {answers} {{
  python "{target}"
  effect read
}}
"""


def told(
    folder: Path,
    python: str,
    parameters: str = "a: text",
    answers: str = "-> text",
    target: str = "tools:f",
    patience: float = 30,
) -> list[Diagnostic]:
    (folder / "tools.py").write_text(python, encoding="utf-8")
    text = DECLARED.format(parameters=parameters, answers=answers, target=target)
    return of_program(folder, text, patience)


def of_program(folder: Path, text: str, patience: float = 30) -> list[Diagnostic]:
    path = folder / "a.pipe"
    path.write_text(text, encoding="utf-8")
    built = build(str(path), DiskLoader())
    assert built.program is not None, built.diagnostics
    found = check_bindings(built.program, patience)
    for one in found:
        assert one.span is not None
        assert one.span.file == str(path)
    return found


def said(found: list[Diagnostic]) -> list[str]:
    return [f"{one.rule.code} {one.message}" for one in found]


@pytest.mark.parametrize(
    "python",
    [
        "def f(a: str) -> str: ...",
        "def f(a, b=1): ...",
        "def f(*, a): ...",
        "def f(a, *, idempotency_key): ...",
        "def f(**all): ...",
        "async def f(a: str) -> str: ...",
        "def f(a: 'Unknown') -> 'AlsoUnknown': ...",
        "from typing import *\ndef f(a: Union[str, int]) -> Optional[str]: ...",
        "class F:\n  def __call__(self, a: str) -> str: ...\nf = F()",
        "import functools\ndef g(a: str, b: int) -> str: ...\nf = functools.partial(g, b=1)",
        "import enum\nclass E(enum.StrEnum):\n  x = 'x'\ndef f(a: E) -> E: ...",
        "print('hello')\ndef f(a): ...",
        "import sys\nsys.stdin.read()\ndef f(a): ...",
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\ndef f(a): ...",
    ],
)
def test_what_fits_is_not_told(python: str, tmp_path: Path) -> None:
    assert said(told(tmp_path, python)) == []


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (
            "def g(a): ...",
            "P314 `f` is bound to nothing that is there: `tools` has no function `f`",
        ),
        ("f = 3", "P314 `f` is bound to nothing that is there: `tools:f` cannot be called"),
        ("1 / 0", "P315 importing `tools` for `f` failed: ZeroDivisionError: division by zero"),
        ("def f(:", "P315 importing `tools` for `f` failed: SyntaxError"),
        ("import no_such_module", "P315 importing `tools` for `f` failed: ModuleNotFoundError"),
        ("raise SystemExit(3)", "P315 importing `tools` for `f` failed: SystemExit: 3"),
        ("raise KeyboardInterrupt", "P315 importing `tools` for `f` failed: KeyboardInterrupt"),
        (
            "import os; os._exit(0)",
            "P315 importing `tools` for `f` failed: it ended the process with exit code 0",
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
            "P315 importing `tools` for `f` failed: it ended the process with exit code -15",
        ),
        (
            "def f(): ...",
            "P316 `tools:f` cannot be called as `f` is declared: it has no parameter `a`",
        ),
        (
            "def f(a, b): ...",
            "P316 `tools:f` cannot be called as `f` is declared: "
            "it needs `b`, which is not declared",
        ),
        (
            "def f(a, *, b): ...",
            "P316 `tools:f` cannot be called as `f` is declared: "
            "it needs `b`, which is not declared",
        ),
        (
            "def f(a, /): ...",
            "P316 `tools:f` cannot be called as `f` is declared: "
            "`a` can only be given by position, and arguments are given by name",
        ),
        (
            "def f(a: int): ...",
            "P317 `tools:f` is annotated otherwise than `f` is declared: "
            "`a` is `text` here and `int` there",
        ),
        (
            "def f(a) -> None: ...",
            "P317 `tools:f` is annotated otherwise than `f` is declared: "
            "`return` is `text` here and `None` there",
        ),
    ],
)
def test_what_does_not_fit_is_told_at_the_binding(
    python: str, expected: str, tmp_path: Path
) -> None:
    found = told(tmp_path, python)
    assert len(found) == 1, said(found)
    assert said(found)[0].startswith(expected)


HANDED_IN = [
    ("int", "int", True),
    ("int", "float", True),
    ("int", "bool", False),
    ("number", "float", True),
    ("number", "int", False),
    ("bool", "bool", True),
    ("bool", "str", False),
    ("probability", "Decimal", True),
    ("probability", "float", True),
    ("probability", "str", False),
    ("money", "Decimal", True),
    ("duration", "timedelta", True),
    ("duration", "Decimal", False),
    ("duration", "float", False),
    ("time", "datetime", True),
    ("time", "str", False),
    ("json", "dict[str, int]", True),
    ("Size", "str", True),
    ("Size", "Literal['small', 'large']", True),
    ("Size", "Literal['small']", False),
    ("Size", "int", False),
    ("[text]", "list[str]", True),
    ("[text]", "Sequence[str]", True),
    ("[text]", "list[int]", False),
    ("[text]", "str", False),
    ("{text: int}", "dict[str, int]", True),
    ("{text: int}", "dict[str, str]", False),
    ("text?", "str | None", True),
    ("text?", "str", False),
    ("Item", "Model", True),
    ("Item", "Other", False),
    ("Item", "dict", False),
    ("Item", "Any", True),
    ("[Item]", "list[Model]", True),
    ("[Item]", "list[Other]", False),
]
ANSWERED = [
    ("int", "int", True),
    ("int", "float", False),
    ("number", "int", True),
    ("probability", "float", True),
    ("duration", "timedelta", True),
    ("time", "str", True),
    ("time", "int", False),
    ("Size", "Literal['small']", True),
    ("Size", "Literal['tiny']", False),
    ("[text]", "set[str]", False),
    ("text", "str | None", True),
    ("text?", "None", True),
    ("Item", "dict[str, str]", True),
    ("Item", "Model", True),
    ("Item", "Other", False),
    ("Item", "Typed", True),
    ("[text] max 3", "AsyncIterator[str]", True),
]


@pytest.fixture(scope="module")
def of_tools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is said of each tool of the two lists. They share a program and a module, because each
    check imports the module in a process of its own.
    """
    python, declarations = (
        [PRELUDE],
        ["enum Size { small large }\ntype Item { name: text  grams: int? }"],
    )
    ways = {
        "handed_in": ("a: {}", "a: {}", "", "-> text"),
        "answered": ("a", "a: text", " -> {}", "-> {}"),
    }
    for way, cases in (("handed_in", HANDED_IN), ("answered", ANSWERED)):
        takes, parameters, returns, answers = ways[way]
        for number, (declared, annotation, _) in enumerate(cases):
            name = f"{way}_{number}"
            python.append(
                f"def {name}({takes.format(annotation)}){returns.format(annotation)}: ..."
            )
            declarations.append(
                f"tool {name}({parameters.format(declared)}) {answers.format(declared)}"
                f' {{ python "tools:{name}" effect read }}'
            )
    folder = tmp_path_factory.mktemp("bindings")
    (folder / "tools.py").write_text("\n".join(python), encoding="utf-8")
    lines = said(of_program(folder, "\n".join(declarations)))
    found = {line.split("`")[1].removeprefix("tools:"): [] for line in lines}
    for line in lines:
        found[line.split("`")[1].removeprefix("tools:")].append(line)
    return found


@pytest.mark.parametrize(
    "number", range(len(HANDED_IN)), ids=lambda at: " ".join(HANDED_IN[at][:2])
)
def test_annotations_of_what_is_handed_in(number: int, of_tools: dict[str, list[str]]) -> None:
    assert (f"handed_in_{number}" not in of_tools) is HANDED_IN[number][2]


@pytest.mark.parametrize("number", range(len(ANSWERED)), ids=lambda at: " ".join(ANSWERED[at][:2]))
def test_annotations_of_what_is_answered(number: int, of_tools: dict[str, list[str]]) -> None:
    assert (f"answered_{number}" not in of_tools) is ANSWERED[number][2]


PRELUDE = """\
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypedDict
from pydantic import BaseModel

class Model(BaseModel):
    name: str
    grams: int | None = None

class Other(BaseModel):
    name: str
    colour: str

class Typed(TypedDict):
    name: str
    grams: int | None

"""


def test_a_default_of_none_may_be_left_out(tmp_path: Path) -> None:
    assert said(told(tmp_path, "def f(a: str = None): ...", "a: text?")) == []


def test_a_tool_that_answers_nothing_may_answer_anything(tmp_path: Path) -> None:
    assert said(told(tmp_path, "def f(a) -> int: ...", answers="")) == []


def test_a_slip_in_the_target_can_be_mended(tmp_path: Path) -> None:
    (found,) = told(tmp_path, "def find(a): ...", target="tools:fnid")
    assert found.help == 'did you mean "tools:find"?'
    (edit,) = found.edits
    text = (tmp_path / "a.pipe").read_text(encoding="utf-8")
    assert text[edit.span.start : edit.span.end] == "tools:fnid"
    assert edit.replacement == "tools:find"


def test_a_missing_module(tmp_path: Path) -> None:
    (found,) = told(tmp_path, "", target="nowhere:f")
    assert found.rule.code == "P314"
    assert "there is no module `nowhere`" in found.message


def test_one_that_hangs_is_a_finding(tmp_path: Path) -> None:
    (found,) = told(tmp_path, "import time\ntime.sleep(60)", patience=1)
    assert said([found]) == ["P315 importing `tools` for `f` failed: it took longer than 1 s"]


def test_functions_get_their_arguments_by_position(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(
        "def right(x: str, y: int = 1) -> bool: ...\n"
        "def named(*, a: str) -> bool: ...\n"
        "def two(a: str, b: str) -> bool: ...\n"
        "async def later(a: str) -> bool: ...\n"
        "def typed(a: int) -> bool: ...\n",
        encoding="utf-8",
    )
    names = ("right", "named", "two", "later", "typed")
    text = "".join(f'fn {name}(a: text) -> bool python "tools:{name}"\n' for name in names)
    found = of_program(tmp_path, text)
    assert [one.message.split("`")[1] for one in found] == [
        "tools:named",
        "tools:named",
        "tools:two",
        "tools:later",
        "tools:typed",
    ]


def test_the_module_is_only_imported_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "imported"
    (tmp_path / "tools.py").write_text(
        f"import os\nopen({str(mark)!r}, 'w')\nprint('noise')\nos._exit(7)\n", encoding="utf-8"
    )
    path = tmp_path / "a.pipe"
    text = DECLARED.format(parameters="a: text", answers="", target="tools:f")
    path.write_text(text, encoding="utf-8")
    main(["check", str(path)])
    assert not mark.exists()
    capsys.readouterr()
    assert main(["check", "--import-tools", "--format", "json", str(path)]) == 1
    assert mark.exists()
    (found,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert found["code"] == "P315"
    assert found["line"] == 6


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_healthy_module_beside_a_broken_one_is_compared(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("def g(a: int): ...", encoding="utf-8")
    (tmp_path / "bad.py").write_text("import os; os.abort()", encoding="utf-8")
    text = (
        'tool b(a: text) {\n  python "bad:b"\n  effect read\n}\n'
        'tool g(a: text) {\n  python "good:g"\n  effect read\n}\n'
    )
    assert sorted(one.rule.code for one in of_program(tmp_path, text)) == ["P315", "P317"]
