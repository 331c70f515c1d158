"""What the documentation shows is true: it is checked, run and computed here, page by page.

Conventions of the pages, all of them invisible to readers:

- ```pipe            a whole file; it checks without errors and its tests pass
- ```pipe NAME       the same, and it becomes the file NAME of the page from there on
- ```pipe NAME exit=1   the same, but the text around it says that it has errors
- ```pipe-part       a fragment that parses inside one of FRAMES
- ```jsonl NAME, ```python NAME    a file of the page
- ```console         `$ COMMAND` lines, each with lines of its output; `…` for what is left out
- a table whose head starts with `FILE`: figures of `pipelang check FILE --format json`
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelang.diagnostics import Source, has_errors
from pipelang.interfaces.check.check import Checked, check_file, report_json, with_review
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.cli.command_list import COMMANDS
from pipelang.interfaces.cli.main import main
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.host.pipeline_tests import run_test
from pipelang.syntax.format import format_source
from pipelang.syntax.parse import parse
from pipelang.syntax.tables import tables

REPO = Path(__file__).resolve().parents[2]
README, SUPPORT = REPO / "README.md", REPO / "examples" / "support"
LANGUAGE, MODEL = REPO / "docs" / "language.md", REPO / "docs" / "model.md"
PAGES = [README, *sorted(REPO.glob("docs/**/*.md")), *sorted(REPO.glob("examples/*/README.md"))]


@dataclass(frozen=True)
class Fence:
    page: Path
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def name(self) -> str | None:
        return self.words[1] if len(self.words) > 1 else None

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPO)}:{self.line}"


@cache
def fences(page: Path, *languages: str) -> list[Fence]:
    text = page.read_text(encoding="utf-8")
    found = []
    for hit in re.finditer(r"^```([^\n]+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        words = tuple(hit[1].split())
        if not languages or words[0] in languages:
            found.append(Fence(page, text.count("\n", 0, hit.start()) + 1, words, hit[2]))
    return found


def every(*languages: str) -> list[Any]:
    return [pytest.param(f, id=str(f)) for page in PAGES for f in fences(page, *languages)]


# --------------------------------------------------------------------------- files in memory


def rows(*counts: tuple[float, int, int]) -> str:
    """JSON Lines of evidence: so many right and so many wrong rows at a confidence."""
    return "".join(
        json.dumps({"confidence": confidence, "correct": correct}) + "\n"
        for confidence, right, wrong in counts
        for correct in [True] * right + [False] * wrong
    )


STAND_INS = {
    ".jsonl": rows((0.97, 40, 1), (0.9, 30, 4), (0.8, 20, 8), (0.5, 10, 7)),
    ".j2": "Answer as well as you can.",
}
# What docs/model.md says of its files in words.
EVIDENCE = {
    "verdict.jsonl": rows((0.97, 540, 5), (0.8, 270, 25), (0.5, 90, 70)),
    "nine.jsonl": rows((0.9, 9, 1)),
}


class OfThePage(DiskLoader):
    """The page's own files; stand-ins for evidence and prompts that it only names."""

    def __init__(self, fence: Fence) -> None:
        self.root = fence.name or "shown.pipe"
        before = [f for f in fences(fence.page) if f.name and f.line < fence.line]
        self.files = {f.name: f.text for f in before} | {self.root: fence.text}

    def read(self, path: str) -> str | None:
        if path in self.files:
            return self.files[path]
        stand_in = EVIDENCE.get(path) or STAND_INS.get(Path(path).suffix)
        return stand_in or super().read(path)

    def beside(self, base: str, path: str) -> str:
        return path


@cache
def checked(fence: Fence) -> Checked:
    loader = OfThePage(fence)
    return check_file(loader.root, loader)


@pytest.mark.parametrize("fence", every("pipe"))
def test_a_shown_file_checks_and_its_tests_pass(
    fence: Fence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in fences(fence.page, "python"):  # what a page calls `NAME.py`, tools are found in
        if module.name is not None:
            (tmp_path / module.name).write_text(module.text)
    monkeypatch.syspath_prepend(str(tmp_path))
    result = checked(fence)
    said = [d.message for d in result.diagnostics if d.is_error]
    assert bool(said) is ("exit=1" in fence.words), said
    program = result.program
    assert program is not None
    loaded = LoadedProgram(program)
    for test in program.tests:
        misses = asyncio.run(run_test(loaded, test)).misses
        assert not misses, (test.title, [miss.message for miss in misses])


@pytest.mark.parametrize("fence", every("pipe"))
def test_the_documentation_is_in_the_one_layout(fence: Fence):
    assert format_source(Source(str(fence), fence.text))[0] == fence.text


FRAMES = {
    "declarations": "{}",
    "items": "pipeline p() -> text {{ {} }}",
    "actions": "pipeline p() -> text {{ step x: text = {} }}",
    "options": "pipeline p() -> text {{ step x: text = call t() {{ {} }} }}",
    "tests": 'test "t" {{ {} }}',
    "fields": "type T {{ {} }}",
}


@pytest.mark.parametrize("fence", every("pipe-part"))
def test_a_shown_part_parses(fence: Fence):
    tried = {}
    for name, frame in FRAMES.items():
        found = parse(Source("part.pipe", frame.format(fence.text))).diagnostics
        if not has_errors(found):
            return
        tried[name] = found[0].message
    pytest.fail(f"it parses in no frame: {tried}")


def test_the_reference_names_every_word_of_the_language():
    prose = LANGUAGE.read_text(encoding="utf-8")
    for fence in fences(LANGUAGE):
        prose = prose.replace(fence.text, "").replace("```", "")
    shown = " ".join([*re.findall(r"`([^`]+)`", prose), *(f.text for f in fences(LANGUAGE))])
    words = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", shown))
    assert set(tables().keywords) - words == set()


# ---------------------------------------------------------------------------------- commands


def commands(fence: Fence) -> Iterator[tuple[str, list[str]]]:
    """The commands of a console, each with the lines that are shown of its output."""
    for block in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
        command, *lines = block.replace("\\\n", " ").splitlines()
        yield command, lines


def run(command: str) -> int:
    argv = shlex.split(command, comments=True)
    match argv[0]:
        case "pipelang":
            return main(argv[1:])
        case "mkdir":
            Path(argv[-1]).mkdir(parents=True)
        case "cd":
            os.chdir(argv[1])
        case "cp":
            shutil.copy(argv[1], argv[2])
        case _:
            pytest.fail(f"a page shows `{argv[0]}`, which this test does not know")
    return 0


DRAWN = re.compile(r"([\d.]+)–([\d.]+)%|([\d.]+)% (?:yes|sure)")
"""What comes from draws of a posterior: its last digit is noise."""


def prints(shown: str, line: str) -> bool:
    """Whether a line of output is the one that is shown; `…` stands for anything."""
    parts = DRAWN.sub("…", shown).split("…")
    wanted = r".*".join(r"\s+".join(map(re.escape, part.split())) for part in parts)
    if re.fullmatch(rf"\s*{wanted}\s*", line) is None:
        return False
    drawn, found = ([float(x) for hit in DRAWN.findall(t) for x in hit if x] for t in (shown, line))
    return drawn == pytest.approx(found, abs=1.0)


@pytest.mark.parametrize("page", [p for p in PAGES if fences(p, "console")], ids=lambda p: p.name)
def test_a_shown_command_prints_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PIPELANG_NO_CACHE", "1")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    (tmp_path / "examples").symlink_to(REPO / "examples")
    monkeypatch.chdir(tmp_path)
    for fence in fences(page):
        if fence.name is not None:
            Path(fence.name).parent.mkdir(exist_ok=True)
            Path(fence.name).write_text(fence.text, encoding="utf-8")
        if fence.words[0] != "console":
            continue
        for command, lines in commands(fence):
            code = run(command)
            said = capsys.readouterr()
            output = (said.err + said.out).splitlines()
            assert code == int(any(line.startswith("error[") for line in lines)), output
            rest = iter(output)
            for line in lines:
                if line.strip() not in ("", "…"):
                    hit = any(prints(line, found) for found in rest)
                    assert hit, f"{fence}: `{command}` does not print {line!r}:\n" + said.out
    for fence in fences(page, "python"):
        exec(compile(fence.text, str(fence), "exec"), {})


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.parent.name in ("docs", "guides")], ids=lambda page: page.name
)
def test_a_page_says_where_the_examples_are(page: Path):
    """They are in the repository and not in the package, with which most readers try a page."""
    uses = [f.line for f in fences(page, "console", "sh", "python") if "examples/" in f.text]
    if uses:
        before = page.read_text(encoding="utf-8").splitlines()[: uses[0]]
        assert "clone" in " ".join(before)


@pytest.mark.parametrize("fence", every("sh"))
def test_commands_without_output_name_what_is_there(fence: Fence):
    for line in fence.text.replace("\\\n", " ").splitlines():
        argv = shlex.split(line, comments=True)
        if argv[:1] == ["pipelang"]:
            assert argv[1] in COMMANDS
            paths = [word.lstrip("@") for word in argv[2:] if "/" in word and "://" not in word]
            assert all((REPO / path).exists() for path in paths), line
        elif argv[:1] == ["make"]:
            assert re.search(rf"^{argv[1]}:", (REPO / "Makefile").read_text(), re.MULTILINE)


# ----------------------------------------------------------------------------------- figures


@cache
def figures(fence: Fence) -> dict[str, Any]:
    return report_json([checked(fence)])["pipelines"]


def number(report: dict[str, Any], path: str) -> dict[str, Any]:
    at: Any = next(iter(report.values())) if len(report) == 1 else report
    for name in path.split("."):
        at = at[name]
    return at


NOISE = 0.003
"""How far the posterior's mean and interval may lie beside what a page shows of them."""


def agrees(shown: str, exact: float, noise: float = 0.0) -> bool:
    """Whether a figure rounds to what is shown, in the digits that are shown."""
    decimals = len(shown.rstrip("%").partition(".")[2])
    value = float(shown.strip("$%").replace(",", "")) / (100 if shown.endswith("%") else 1)
    unit = 10.0**-decimals / (100 if shown.endswith("%") else 1)
    return abs(value - exact) <= unit * 0.5000001 + noise


def tables_of(page: Path) -> Iterator[tuple[Fence, list[list[str]]]]:
    text = page.read_text(encoding="utf-8")
    for hit in re.finditer(r"^\| `([\w.]+\.pipe)`.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE):
        fence = next(f for f in fences(page, "pipe") if f.name == hit[1])
        yield fence, [[c.strip() for c in row.split("|")[1:-1]] for row in hit[2].splitlines()]


MODEL_ROWS = [
    pytest.param(fence, row, id=f"{fence.name} {row[0]}")
    for fence, found in tables_of(MODEL)
    for row in found
]


@pytest.mark.parametrize(("fence", "row"), MODEL_ROWS)
def test_a_figure_of_the_model_is_what_check_computes(fence: Fence, row: list[str]):
    found = number(figures(fence), row[0].strip("`"))
    cells = [cell for cell in row[1:] if re.fullmatch(r"[\d.]+( to [\d.]+)?", cell)]
    assert cells
    for name, cell in zip(("value", "mean", "range"), cells, strict=False):
        noise = 0.0 if name == "value" else NOISE
        ends = ("low", "high") if " to " in cell else (name,)
        for end, shown in zip(ends, cell.split(" to "), strict=True):
            assert agrees(shown, found[end], noise), (end, found)
    by_hand = re.match(r"([\d.()×+− ²⁴]*[×+−²⁴][\d.()×+− ²⁴]*)(?=[,;:]|$)", row[-1])
    if by_hand is not None:
        signs = {"×": "*", "−": "-", "²": "**2", "⁴": "**4"}
        formula = "".join(signs.get(sign, sign) for sign in by_hand[1])
        assert eval(formula) == pytest.approx(found["value"], abs=1e-9)
    if " to " in cells[0]:
        assert found["value"] is None


def test_the_readme_says_what_four_steps_at_95_percent_come_to():
    fence = next(f for f in fences(MODEL, "pipe") if f.name == "right.pipe")
    exact = number(figures(fence), "four.outcomes.success")["value"]
    said = README.read_text(encoding="utf-8")
    shown = re.search(r"Four steps at 95% succeed together ([\d.]+%)", said)
    assert shown is not None
    assert agrees(shown[1], exact)
    assert exact == pytest.approx(0.95**4, abs=1e-12)
    tickets = (SUPPORT / "data" / "tickets.jsonl").read_text(encoding="utf-8").split("\n")
    assert set(re.findall(r"(\d+) tickets", said)) == {str(sum(map(bool, tickets)))}
    oracle = (REPO / "tests/oracle/test_analysis_against_enumeration.py").read_text(
        encoding="utf-8"
    )
    enumerated = re.search(r'"ORACLE_SEEDS", "(\d+)"', oracle)
    assert enumerated is not None
    for page in (README, MODEL):
        assert f"{int(enumerated[1]):,} generated" in page.read_text(encoding="utf-8").replace(
            "\n", " "
        )


@cache
def support() -> dict[str, Any]:
    whole = report_json(with_review([check_file(str(SUPPORT / "support.pipe"))]))
    return whole["pipelines"]["handle_ticket"] | {"review": whole["review"]}


FIGURE = re.compile(r"(\$?[\d.]+%?)(?: \(([\d.]+%)–([\d.]+%)\))? \(`([a-z_.]+)`\)")


def test_the_figures_beside_the_report_are_what_check_computes():
    text = (SUPPORT / "README.md").read_text(encoding="utf-8")
    report = support()
    report |= report["outcomes"] | {"escalation": report["escalations"]}
    found = FIGURE.findall(text)
    assert len(found) >= 7
    for value, low, high, metric in found:
        exact = number({"": report}, metric)
        assert agrees(value, exact["value"]), (metric, exact)
        assert not low or agrees(low, exact["low"], NOISE), (metric, exact)
        assert not high or agrees(high, exact["high"], NOISE), (metric, exact)
    others = report["outcomes"]["escalation"]["value"] - report["escalations"]["ready"]["value"]
    shown = re.search(r"([\d.]+%) \(all other escalations\)", text)
    assert shown is not None
    assert agrees(shown[1], others)


def test_the_picture_of_the_readme_shows_the_figures_of_today(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PIPELANG_NO_CACHE", "1")
    monkeypatch.chdir(REPO)
    main(["check", "examples/support/support.pipe"])
    output = capsys.readouterr().out
    picture = html.unescape((REPO / "docs/images/check.svg").read_text(encoding="utf-8"))
    texts = " ".join(" ".join(re.findall(r">([^<]+)<", picture)).split())
    texts = re.sub(r"\S+–\S+|\S+ sure|\S+ yes", "", texts)
    figure = re.compile(r"\$\d[\d.,]*|\d[\d.,]*%")
    assert set(figure.findall(texts)) - set(figure.findall(output)) == set()


# ------------------------------------------------------------------------- Python and links


def test_the_embedding_example_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(REPO)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    (fence,) = fences(README, "python")
    exec(compile(fence.text, str(fence), "exec"), {})
    assert re.match(r"(Answered|Escalated) 0\.\d+ ", capsys.readouterr().out)


LINKS = [
    pytest.param(page, link, id=f"{page.relative_to(REPO)} {link}")
    for page in PAGES
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    if "://" not in link
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_somewhere(page: Path, link: str):
    path, _, heading = link.partition("#")
    target = page.parent / path if path else page
    assert target.exists()
    if heading:
        titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
        assert heading in slugs
