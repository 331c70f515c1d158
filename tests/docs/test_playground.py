"""The playground: its stand-ins mean what they stand in for, and the page answers in a browser.

The page is built from npm and PyPI. Where neither is reached and nothing was kept of an earlier
build (`build/cache`), the tests in a browser are skipped.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.docs.browser import CHROMIUM, WITHOUT, browser, page_over, served
from website.pages import REPO
from website.playground import build as building
from website.playground.sources import SourceMissing, _require

INSIDE = REPO / "website" / "playground" / "inside"
STAND_INS = INSIDE / "stand_ins"


def module(file: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made  # dataclasses look their module up
    spec.loader.exec_module(made)
    return made


# ------------------------------------------------------------------------------------- patterns

guarded = module(STAND_INS / "re2.py", "playground_re2")
QUIET = re2.Options()
QUIET.log_errors = False

PIECES = st.sampled_from(
    [
        *(
            "a",
            "b",
            "z",
            "0",
            " ",
            "\n",
            "-",
            ".",
            "é",
            "(",
            ")",
            "(?:",
            "(?i)",
            "(?i:",
            "|",
            "^",
            "$",
        ),
        *(
            r"\d",
            r"\w",
            r"\s",
            r"\b",
            r"\.",
            r"\$",
            r"\A",
            r"\z",
            "[ab]",
            "[^a]",
            "[a-z0-9_]",
            "[[:digit:]]",
        ),
        *(
            "*",
            "+",
            "?",
            "{2}",
            "{1,3}",
            "{0,}",
            "*?",
            "+?",
            "[$]",
            r"[\d-]",
            "(?P<n>a)",
            "(?s).",
            "(?m)^",
            r"\x{61}",
            r"[\x{61}-\x{2060}]",
            r"\\x{2}",
        ),
        *(
            r"\1",
            "(?=a)",
            "(?!a)",
            "(?<=a)",
            "(?>a)",
            "a++",
            r"\Z",
            r"\pL",
            "(?#x)",
            "(?P=n)",
            r"\Qa\E",
            r"\u0061",
            r"\U00000061",
        ),
    ]
)
TEXTS = st.text(alphabet="abzAZ019 _-.$\né", max_size=12)


def verdict(library: Any, pattern: str, text: str) -> str | bool:
    try:
        compiled = library.compile(pattern, QUIET)
    except (re2.error, guarded.error) as error:
        why = error.args[0] if error.args else ""
        return "not here" if "here" in str(why) else "refused"
    return compiled.search(text) is not None


@given(st.lists(PIECES, max_size=7).map("".join), TEXTS)
@settings(max_examples=1500, deadline=None)
def test_a_pattern_means_on_the_page_what_it_means_to_re2(pattern: str, text: str):
    """What RE2 refuses is refused. What it takes is taken with the same verdict, or refused."""
    real, page = verdict(re2, pattern, text), verdict(guarded, pattern, text)
    if real == "refused":
        assert page in ("refused", "not here"), pattern
    else:
        assert page in ("refused", "not here", real), (pattern, text)


def test_the_patterns_of_the_libraries_and_the_examples_are_taken():
    files = [*REPO.glob("stdlib/**/*.pipe"), *REPO.glob("examples/*/*.pipe")]
    taken = 0
    for file in files:
        for block in re.findall(r"^patterns \w+ \{(.*?)^\}", file.read_text("utf-8"), re.S | re.M):
            for literal in re.findall(r'"((?:\\.|[^"\\])*)"', block):
                pattern = literal.replace("\\\\", "\\").replace('\\"', '"')
                for text in (
                    "",
                    "sk-ant-abc123",
                    "AKIA0000000000000000",
                    "password: x",
                    "a@b.example",
                ):
                    assert verdict(guarded, pattern, text) == verdict(re2, pattern, text), pattern
                taken += 1
    assert taken > 5


def test_lengths_are_limited():
    assert verdict(guarded, "a" * 1001, "") == "not here"
    assert verdict(guarded, "a{1001}", "") == "refused"
    with pytest.raises(ValueError, match="20000 characters"):
        guarded.compile("a").search("a" * 20_001)


# --------------------------------------------------------------------------------------- values

ASKED = """
import json, sys, datetime
from decimal import Decimal
import pydantic
from pipelang.interfaces.loading import load
from pipelang.runtime.engine.values import Types, Misfit, to_json
from pipelang.semantics.patterns import Patterns

print(json.dumps(pydantic.__file__))
program = load(sys.argv[1]).program
types = Types(Patterns(program.patterns))
(pipeline,) = program.pipelines.values()
values = [
    None, True, 0, 1, -3, 7, 2.5, "a", "a" * 47, "red", [], ["a"], ["a", 1, None], ["a"] * 4,
    {}, {"k": 1}, {"k": "x"}, {"a": 1, "b": 2, "c": 3}, {"id": "1"}, {"id": "1", "n": 2},
    {"id": "1", "n": 99}, {"id": 1, "extra": 2}, {"id": "1", "tags": ["x", 3]}, {1: 2}, b"x",
    {"id": "1", "inner": {"v": 0.5}}, {"id": "1", "inner": {"v": 2}}, [{"v": 0.1}, {"v": "x"}],
    {"id": "1", "inner": {"w": 2}}, {"id": "1", "outer-name": "o"}, {"id": "1", "outer": "o"},
    "2026-11-21T09:30:00Z", "2026-11-21", 1e400, float("nan"), "\\ud800", (1, 2),
]
for parameter in pipeline.parameters:
    for model in (False, True):
        for value in values:
            try:
                if model:
                    made = types.answer_model(parameter.type)
                    if made is None:
                        continue
                    found = to_json(made.model_validate(value))
                else:
                    check = types.checker(parameter.type)
                    found = to_json(check(value))
                    assert to_json(check(check(value))) == found
            except Misfit as misfit:
                found = f"misfit: {misfit}"
            except pydantic.ValidationError as error:
                found = [[list(map(str, one["loc"])), one["msg"]] for one in error.errors()]
            print(json.dumps([parameter.name, model, repr(value)[:40], found]))
"""
VALUES = """
enum Colour { red green }

type Inner { v: probability w: money? }

type Small {
  id: text max 5 tokens n: int in 0..10 = 3 outer "outer-name": text? inner: Inner?
}

pipeline p(
  a: text max 3 tokens, b: int in 0..5, c: number, d: bool, e: probability, f: money in $0..$5,
  g: duration, h: time, i: Colour, j: [text max 5 tokens] max 3, k: {text: int} max 2, l: json,
  m: Small, n: text?, o: [Inner] max 2
) -> text { return "x" }
"""


def answers_of(script: str, *words: str, stand_in: bool) -> list[Any]:
    path = [*([str(STAND_INS)] if stand_in else []), str(REPO)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PIPELANG_NO_CACHE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=REPO,
    )
    assert done.returncode == 0, done.stderr
    place, *rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (str(STAND_INS) in place) is stand_in
    return rows


def test_values_are_checked_as_by_pydantic_and_told_in_the_same_words(tmp_path: Path):
    file = tmp_path / "values.pipe"
    file.write_text(VALUES, "utf-8")
    wanted, found = (answers_of(ASKED, str(file), stand_in=one) for one in (False, True))
    assert len(wanted) > 800
    apart = [(one, other) for one, other in zip(wanted, found, strict=True) if one != other]
    assert apart == [], "\n".join(map(str, apart))


SIMULATED = """
import contextlib, io, json, sys
import pydantic
from pipelang.interfaces.cli.main import main

print(json.dumps(pydantic.__file__))
for file in sys.argv[1:]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(["simulate", file, "--runs", "60"])
    print(json.dumps([file, code, said.getvalue()]))
"""


def test_simulations_come_out_the_same_with_the_stand_ins():
    files = [f"examples/gallery/{name}.pipe" for name in ("05_gate", "31_every_one", "33_turns")]
    files += [
        "examples/support/support.pipe",
        "examples/lead_qualification/lead_qualification.pipe",
    ]
    wanted, found = (answers_of(SIMULATED, *files, stand_in=one) for one in (False, True))
    assert wanted == found
    assert all("simulated runs" in said for _, _, said in found)


# -------------------------------------------------------------------------------------- answers


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "gallery").mkdir()
    gate = REPO / "examples" / "gallery" / "05_gate.pipe"
    (tmp_path / "gallery" / gate.name).write_text(gate.read_text("utf-8"), "utf-8")
    monkeypatch.setenv("PLAYGROUND_EXAMPLES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return module(INSIDE / "answers.py", "playground_answers")


def test_an_answer_is_json_whatever_is_asked(answers: Any):
    def asked(**question: Any) -> dict[str, Any]:
        return json.loads(answers.answer(json.dumps(question)))

    text = (REPO / "examples" / "gallery" / "05_gate.pipe").read_text("utf-8")
    place = {"name": "gallery/05_gate.pipe"}
    assert [file["name"] for file in asked(command="menu")["files"]] == ["gallery/05_gate.pipe"]
    said = asked(command="check", text=text, **place)
    assert (said["code"], said["findings"]) == (0, [])
    assert "read_invoice" in said["report"]
    said = asked(command="check", text=text.replace("return invoice", "return gone"), **place)
    assert [(one["code"], one["here"], one["line"]) for one in said["findings"]] == [
        ("P201", True, 15)
    ]
    assert (
        asked(command="fmt", text=text.replace("  return", " return"), **place)["formatted"] == text
    )
    assert "<svg" in asked(command="graph", text=text, **place)["pictures"][0]["svg"]
    assert asked(command="graph", text="pipeline", **place)["code"] == 1
    assert "40 simulated runs" in asked(command="simulate", text=text, runs=40, **place)["text"]
    for wrong in ({"command": "check"}, {"command": "rm"}):
        assert asked(**wrong)["code"] == 3
    assert asked(command="check", name="../../x.pipe", text="")["code"] == 3


WITHOUT_LIBRARIES = """
import json, sys
from importlib.machinery import PathFinder

found = PathFinder.find_spec
lacking = {"numpy", "sqlite3", "_sqlite3"}

def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in lacking else found(name, path, target)

PathFinder.find_spec = find_spec
sys.path.insert(0, sys.argv[1])
import answers

for question in json.loads(sys.argv[2]):
    needed = []
    while True:
        said = json.loads(answers.answer(json.dumps(question)))
        if "needs" not in said:
            break
        needed += said["needs"]
        for name in said["needs"]:
            lacking.remove(name)  # what is there already is no answer to a need
    print(question["command"], needed, said.get("code", 0))
"""


def test_a_library_is_loaded_when_an_answer_needs_it(answers: Any, tmp_path: Path):
    """Without numpy all is answered but numbers of what was counted; nothing needs sqlite3, which
    Pyodide has apart.
    """
    text = (REPO / "examples" / "gallery" / "05_gate.pipe").read_text("utf-8")
    counted = (REPO / "examples" / "gallery" / "11_counted.pipe").read_text("utf-8")

    def on(command: str, text: str, **more: Any) -> dict[str, Any]:
        return {"command": command, "name": "gallery/05_gate.pipe", "text": text, **more}

    questions = [
        {"command": "menu"},
        on("fmt", text),
        on("graph", text),
        on("check", text.replace("return invoice", "return gone")),
        on("check", text),
        on("simulate", text, runs=40),
        on("check", counted),
        on("simulate", counted, runs=40),
    ]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES, str(INSIDE), json.dumps(questions)],
        env={
            **os.environ,
            "PYTHONPATH": str(REPO),
            "PIPELANG_NO_CACHE": "1",
            "PLAYGROUND_EXAMPLES": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "menu [] 0",
        "fmt [] 0",
        "graph [] 0",
        "check [] 1",
        "check [] 0",
        "simulate [] 0",
        "check ['numpy'] 0",
        "simulate [] 0",
    ]


def test_the_loop_of_the_page_runs_work_inside_a_loop_that_runs(answers: Any):
    async def work() -> list[int]:
        async def one(number: int) -> int:
            await asyncio.sleep(0.01 * number)
            return number

        async with asyncio.timeout(5):
            return await asyncio.gather(one(2), one(1))

    async def outer() -> list[int]:
        made = answers.run(work())
        await asyncio.sleep(0)  # the outer loop is whole
        return made

    assert asyncio.run(outer()) == [2, 1]


# ------------------------------------------------------------------------------------- the build


def test_what_is_packed_has_all_of_pipelang_and_nothing_compiled(tmp_path: Path):
    names = [name for name, _ in building.inside()]
    assert len(names) == len(set(names))
    assert {"answers.py", "re2.py", "pydantic/__init__.py", "examples/support/support.pipe"} <= set(
        names
    )
    modules = {f.relative_to(REPO).as_posix() for f in (REPO / "pipelang").rglob("*.py")}
    assert modules <= set(names)
    assert not [name for name in names if name.endswith((".so", ".pyc", ".pyd"))]
    building.pack(tmp_path / "one.zip")
    building.pack(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_file_of_other_bytes_is_not_taken():
    with pytest.raises(SourceMissing, match=r"numpy.whl has the SHA-256 .* instead of 00"):
        _require(b"other", "00", "numpy.whl")


# ------------------------------------------------------------------------------------- the page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("playground") / "site"


@pytest.fixture(scope="module")
def screen(folder: Path) -> Iterator[tuple[Any, str]]:
    if CHROMIUM is None:
        pytest.skip(WITHOUT)
    pytest.importorskip("playwright", reason="pages are driven by playwright")
    try:
        building.build(folder, REPO / "build" / "cache")
    except SourceMissing as missing:
        pytest.skip(f"the playground cannot be built here: {missing}")
    with served(folder) as address, browser() as started:
        yield started, address


def test_the_page_checks_formats_draws_and_simulates(screen: tuple[Any, str]):
    from playwright.sync_api import expect

    started, address = screen
    page, elsewhere, errors = page_over(started, address, viewport={"width": 1440, "height": 900})
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address)
    page.wait_for_selector("#state:has-text('Checked')", timeout=120_000)
    assert any("pyodide.asm.wasm" in url for url in fetched)
    assert not any("numpy" in url for url in fetched), "these numbers need none"
    report = page.frame_locator("#report")
    assert "85.5%" in report.locator("body").inner_text()
    page.click("#tab-graph")
    page.wait_for_selector("#graph img", timeout=60_000)
    page.click("#tab-simulate")
    page.wait_for_selector("#simulate:has-text('500 simulated runs')", timeout=60_000)
    page.click("#tab-report")

    text = page.input_value("#text")
    page.fill("#text", text.replace("return invoice", "  return invoce"))
    page.wait_for_selector("#state:has-text('1 error')", timeout=60_000)
    assert "unknown name `invoce`" in page.inner_text("#findings")
    assert page.inner_text("#painted .error") == "invoce"
    page.click("#findings button")
    assert (
        page.evaluate(
            "get('text').value.slice(get('text').selectionStart, get('text').selectionEnd)"
        )
        == "invoce"
    )

    page.fill("#text", text.replace("  return invoice", "     return   invoice"))
    page.wait_for_selector("#state:has-text('Checked')", timeout=60_000)
    page.click("#fmt")
    expect(page.locator("#text")).to_have_value(text, timeout=60_000)
    page.wait_for_selector("#state:has-text('Checked')", timeout=60_000)

    page.select_option("#menu", "my.pipe")
    page.wait_for_selector("#state:has-text('Checked')", timeout=60_000)
    assert "pipeline help" in page.input_value("#text")
    page.select_option("#menu", "gallery/05_gate.pipe")
    page.wait_for_selector("#state:has-text('Checked')", timeout=60_000)
    assert page.input_value("#text") == text

    # A claim that is refuted is run against by the interpreter, which needs an event loop.
    refuted = (REPO / "pipelang/diagnostics/pages/P406.md").read_text("utf-8")
    (wrong,) = re.findall(r"^```pipe wrong\n(.*?)^```$", refuted, re.S | re.M)
    page.fill("#text", wrong)
    page.wait_for_selector("#findings b:has-text('P406')", timeout=60_000)
    assert (elsewhere, errors) == ([], [])
    page.context.close()


def test_a_link_carries_the_file_and_what_takes_too_long_is_stopped(screen: tuple[Any, str]):
    started, address = screen
    page, elsewhere, errors = page_over(started, address)
    page.goto(address + "#name=gallery/18_approve.pipe")  # as the site leads to it
    page.wait_for_selector("#state:has-text('Checked')", timeout=120_000)
    assert page.input_value("#text").startswith("## 18.")
    mine = '## é 𝄞\npipeline mine() -> text max 5 tokens { return "hi" }\n'
    page.fill("#text", mine)
    page.click("#link")
    page.wait_for_selector("#state:has-text('it holds the file')")
    # The check of what was typed ends after the click, and leaves its answer where it is.
    page.wait_for_selector(
        "#state:has-text('it holds the file'):has-text('Checked')", timeout=60_000
    )
    link = page.url
    assert "#name=" in link
    page.close()

    page, others, more = page_over(started, address)
    page.goto(link)
    page.wait_for_selector("#state:has-text('Checked')", timeout=120_000)
    assert page.input_value("#text") == mine
    page.evaluate("location.hash = 'code=broken!'")
    page.wait_for_selector("#state:has-text('damaged')")
    assert page.input_value("#text") == mine
    page.fill("#text", mine)
    page.wait_for_selector("#state:not(:has-text('damaged'))")

    page.evaluate(
        "void ask({command: 'simulate', name, text: editor.text, runs: 10000000}).catch(() => 0)"
    )
    page.click("#stop")
    page.wait_for_selector("#state:has-text('started again')", timeout=120_000)
    page.fill("#text", "pipeline mine() -> text { return gone }")
    page.wait_for_selector("#findings b:has-text('P201')", timeout=60_000)
    assert (elsewhere, errors, others, more) == ([], [], [], [])
    page.context.close()


def test_the_page_is_as_large_as_the_docs_say(screen: tuple[Any, str], folder: Path):
    told = re.search(
        r"([\d.]+) MB as it lies", (REPO / "docs" / "playground.md").read_text("utf-8")
    )
    assert told is not None
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    assert size == pytest.approx(float(told[1]), rel=0.1)


def test_the_page_fits_the_screen(screen: tuple[Any, str]):
    started, address = screen
    page, _, _ = page_over(started, address, viewport={"width": 390, "height": 900})
    page.goto(address)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("innerWidth") == width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()  # what it loads in the background is not waited for
