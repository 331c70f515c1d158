"""Every code has a page, and what the pages show is true: the wrong example gives the code, the
right one does not and has no errors at all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.diagnostics import RULES, Diagnostic
from pipelang.diagnostics.columns import cells_of
from pipelang.diagnostics.explanation import Page, page_of
from pipelang.interfaces.check.binding_check import check_bindings
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.cli.explain import explanation, find
from pipelang.interfaces.text.colours import painter

PAGES = Path(__file__).parents[3] / "pipelang" / "diagnostics" / "pages"
ROWS = [{"confidence": 0.97, "correct": True}] * 40 + [{"confidence": 0.6, "correct": False}] * 3
EVIDENCE = "".join(f"{row}\n" for row in ROWS).replace("'", '"')
EVIDENCE = EVIDENCE.replace("True", "true").replace("False", "false")

NOT_FROM_A_TEXT = {
    "P110": "it takes more than a hundred errors",
    "P108": "a page is text, and the finding is about files that are none",
    "P318": "it takes thousands of fields",
    "P216": "a value that is handed in from outside is the other half of it",
}
"""Codes whose wrong example cannot produce them, with the reason."""


class OfThePage(DiskLoader):
    """The example, the files that the page gives, and evidence under any other name.

    An example in TOML is a configuration; the page then gives the pipeline.
    """

    def __init__(self, text: str, page: Page, folder: Path) -> None:
        self.files = {str(folder / fence.label): fence.text for fence in page.fences}
        language = next(fence.language for fence in page.fences if fence.text == text)
        name = "pyproject.toml" if language == "toml" else "example.pipe"
        self.files[str(folder / name)] = text

    def read(self, path: str) -> str | None:
        if path not in self.files and path.endswith(".jsonl"):
            return EVIDENCE
        return self.files.get(path) or super().read(path)


def findings(page: Page, which: str, folder: Path) -> list[Diagnostic]:
    text = page.example(which)
    assert text is not None, f"no fence `pipe {which}`"
    for fence in page.fences:
        if fence.language == "python":
            (folder / fence.label).write_text(fence.text, encoding="utf-8")
    checked = check_file(str(folder / "example.pipe"), OfThePage(text, page, folder))
    found = list(checked.diagnostics)
    if checked.program is not None and any(f.language == "python" for f in page.fences):
        found += check_bindings(checked.program)
    return found


@pytest.mark.parametrize("code", RULES)
def test_every_code_has_a_page_with_two_examples(code: str) -> None:
    page = page_of(code)
    assert page is not None, f"pipelang/diagnostics/pages/{code}.md is missing"
    assert page.paragraphs
    assert [fence.label for fence in page.fences[:2]] == ["wrong", "right"]
    title = (PAGES / f"{code}.md").read_text(encoding="utf-8").split("\n", 1)[0]
    assert title == f"# {code} {RULES[code].name}"


def test_every_page_has_a_code() -> None:
    assert {path.stem for path in PAGES.iterdir()} <= RULES.keys()


@pytest.mark.parametrize("code", [code for code in RULES if code not in NOT_FROM_A_TEXT])
def test_the_wrong_example_gives_the_code(code: str, tmp_path: Path) -> None:
    page = page_of(code)
    assert page is not None
    found = findings(page, "wrong", tmp_path)
    assert code in {one.rule.code for one in found}, [(d.rule.code, d.message) for d in found]


@pytest.mark.parametrize("code", RULES)
def test_the_right_example_is_right(code: str, tmp_path: Path) -> None:
    page = page_of(code)
    assert page is not None
    found = findings(page, "right", tmp_path)
    wrong = [(d.rule.code, d.message) for d in found if d.is_error or d.rule.code == code]
    assert not wrong


@pytest.mark.parametrize("code", RULES)
def test_a_page_fits_on_a_terminal(code: str) -> None:
    text = explanation(RULES[code], painter(False), 100)
    assert "Wrong:" in text
    assert "Right:" in text
    deep = code == "P109"  # shows what nobody writes
    assert deep or all(cells_of(line) <= 100 for line in text.splitlines())


def test_a_rule_is_found_by_its_name() -> None:
    assert find("unknown-name") is find("P201") is find("p201") is find("UNKNOWN_NAME")
