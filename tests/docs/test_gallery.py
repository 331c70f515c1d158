"""The gallery is true: its files check, their tests pass, and every figure they state is computed.

A file states its figures in comments that start with `#=`, one a line:

    #= success 0.81450625             the value of a number in `pipelang check --format json`
    #= failure 0..0.25                an interval: the number is unknown within these bounds
    #= few.success.low 0.82           where a file has several pipelines, the pipeline's name first
    #= step.docs.reached 0.295        a step's number
    #= warning P505                   a warning that the file is there to show; no other is allowed

A figure is compared in the digits in which it is written.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelang.diagnostics import Source
from pipelang.interfaces.check.check import Checked, check_file, report_json
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.host.pipeline_tests import run_test
from pipelang.syntax.format import format_source

GALLERY = Path(__file__).resolve().parents[2] / "examples" / "gallery"
FILES = sorted(GALLERY.glob("*.pipe"))
TABLE = (GALLERY / "README.md").read_text(encoding="utf-8")

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def checked(file: Path) -> Checked:
    return check_file(str(file))


@cache
def report(file: Path) -> dict[str, Any]:
    return report_json([checked(file)])


def stated(file: Path) -> Iterator[tuple[str, str]]:
    """What the `#=` comments of a file say: a path and a figure, or `warning` and a code."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("#="):
            name, figure = line.removeprefix("#=").split()
            yield name, figure


def number(pipelines: dict[str, Any], path: str) -> dict[str, Any]:
    """A number of a report by its path; outcomes and an only pipeline need not be named."""
    name, *rest = path.split(".")
    if name in pipelines:
        at: Any = pipelines[name]
    else:
        (at,), rest = pipelines.values(), [name, *rest]
    at = {**at, **at["outcomes"], "step": {step["name"]: step for step in at["steps"]}}
    for part in rest:
        at = at[part]
    return at if isinstance(at, dict) else {"value": at}


def agrees(shown: str, exact: float) -> bool:
    """Whether a figure rounds to what is shown, in the digits that are shown."""
    digits = len(shown.partition(".")[2])
    return abs(float(shown) - exact) <= 0.5 * 10.0**-digits + 1e-12


def test_they_are_numbered():
    assert FILES
    assert [file.stem[:3] for file in FILES] == [f"{n:02}_" for n in range(1, len(FILES) + 1)]


@every_file
def test_a_file_checks_without_a_warning_that_it_does_not_announce(file: Path):
    allowed = {code for name, code in stated(file) if name == "warning"}
    found = checked(file).diagnostics
    assert [d.message for d in found if d.is_error] == []
    assert {d.rule.code for d in found} <= allowed, [d.message for d in found]


@every_file
def test_a_file_has_an_idea_a_number_and_tests(file: Path):
    text = file.read_text(encoding="utf-8")
    assert text.startswith(f"## {int(file.stem[:2])}. "), "the idea opens the file, with its number"
    assert any(name != "warning" for name, _ in stated(file)), "a number to look at"
    program = checked(file).program
    assert program is not None
    assert program.tests


@every_file
def test_the_pipelines_are_short(file: Path):
    text = file.read_text(encoding="utf-8")
    for pipeline in re.findall(r"^pipeline .*?^\}$", text, re.DOTALL | re.MULTILINE):
        assert 5 <= len(pipeline.splitlines()) <= 30


@every_file
def test_its_tests_pass(file: Path):
    program = checked(file).program
    assert program is not None
    loaded = LoadedProgram(program)
    for test in program.tests:
        misses = asyncio.run(run_test(loaded, test)).misses
        assert not misses, (test.title, [miss.message for miss in misses])


@every_file
def test_it_is_in_the_one_layout(file: Path):
    text = file.read_text(encoding="utf-8")
    assert format_source(Source(str(file), text))[0] == text


STATED = [
    pytest.param(file, path, figure, id=f"{file.stem}: {path}")
    for file in FILES
    for path, figure in stated(file)
    if path != "warning"
]


@pytest.mark.parametrize(("file", "path", "figure"), STATED)
def test_a_stated_figure_is_what_check_computes(file: Path, path: str, figure: str):
    found = number(report(file)["pipelines"], path)
    if ".." in figure:
        low, high = figure.split("..")
        assert found["value"] is None
        assert agrees(low, found["low"]), found
        assert agrees(high, found["high"]), found
    else:
        assert found["value"] is not None, found
        assert agrees(figure, found["value"]), found


ROWS = re.findall(r"^\| \[`(\w+\.pipe)`\]\(\1\) \| (.+) \| (.+) \|$", TABLE, re.MULTILINE)


def test_the_table_lists_every_file():
    assert [name for name, _, _ in ROWS] == [file.name for file in FILES]


@pytest.mark.parametrize(("name", "_idea", "look"), ROWS, ids=[name for name, _, _ in ROWS])
def test_the_numbers_of_the_table_are_stated_in_the_files(name: str, _idea: str, look: str):
    figures = dict(stated(GALLERY / name))
    shown = re.findall(r"`([\w.]+)` ([\d.]*\d)", look)
    assert shown, "a row names a number to look at"
    for path, figure in shown:
        assert figures[path] == figure
