"""Marks of what is not yet there follow the P9xx rows of the table of codes, in both directions.

A mark reads `*not yet* (P902)`: in italics or bold, with the code whose finding says so. Its line
names the construct. Which construct a code is about is not written down here: it is what the
finding points at in the wrong example of the code's own page (`pipelang explain CODE`).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from pipelang.diagnostics.codes import RULES
from pipelang.interfaces.check.check import check_file

REPO = Path(__file__).resolve().parents[2]
PAGES_OF_CODES = REPO / "pipelang" / "diagnostics" / "pages"
PAGES = [
    *(REPO / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md", "ARCHITECTURE.md")),
    *sorted(REPO.glob("docs/**/*.md")),
    *sorted(REPO.glob("examples/**/README.md")),
]
LEFT_OPEN = sorted(code for code in RULES if code.startswith("P9"))

MARK = re.compile(r"(?<![*\w])(?:\*\*|\*)not yet[^*\n]*\*+", re.IGNORECASE)
CODED = re.compile(MARK.pattern + r" \((P9\d\d)\)", re.IGNORECASE)
IN_WORDS = re.compile(
    r"\bnot (?:\w+ )?yet\b|\byet to come\b|\bplanned\b|\bnot there\b yet", re.IGNORECASE
)


@cache
def construct(code: str, folder: Path) -> str:
    """The construct that a code is about: the first word of what its finding points at."""
    page = (PAGES_OF_CODES / f"{code}.md").read_text(encoding="utf-8")
    (wrong,) = re.findall(r"^```pipe wrong\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    file = folder / f"{code}.pipe"
    file.write_text(wrong, encoding="utf-8")
    found = [d for d in check_file(str(file)).diagnostics if d.rule.code == code]
    assert found, f"nothing gives {code} any more: take its row and its marks away"
    assert found[0].span is not None
    pointed_at = wrong[found[0].span.start : found[0].span.end]
    return re.findall(r"[a-z_]+(?:\.[a-z_]+)*", pointed_at)[0]


def paragraphs(page: Path) -> list[str]:
    """The paragraphs, list items and table rows of a page, without its fences."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.split(r"\n\s*\n|\n(?=[-|] ?)", text)


def wrong_marks(text: str, folder: Path) -> list[str]:
    """What of a paragraph marks as not yet there a construct that no P9xx row is about."""
    wrong = []
    codes = CODED.findall(text)
    if len(codes) < len(MARK.findall(text)):
        wrong.append("a mark without the code that says so")
    for code in codes:
        if code not in LEFT_OPEN:
            wrong.append(f"{code} is no row of the table")
        elif not re.search(rf"[`*]{re.escape(construct(code, folder))}[`*.]", text):
            wrong.append(f"{code} is about `{construct(code, folder)}`, which is not named here")
    return wrong


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("not_yet")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_what_a_page_marks_as_not_yet_is_a_row_that_is_given(page: Path, folder: Path):
    said = [(text, wrong) for text in paragraphs(page) for wrong in wrong_marks(text, folder)]
    assert said == []


@pytest.mark.parametrize("code", LEFT_OPEN)
def test_every_row_that_is_given_is_marked_in_the_reference(code: str, folder: Path):
    construct(code, folder)
    reference = (REPO / "docs" / "language.md").read_text(encoding="utf-8")
    assert code in CODED.findall(reference)


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md", "CHANGELOG.md", "docs/language.md"])
def test_what_is_missing_in_words_has_its_code_or_is_no_construct(name: str):
    for text in paragraphs(REPO / name):
        if IN_WORDS.search(text):
            assert re.search(r"P9\d\d", text) or "durable store" in text.replace("\n> ", " "), text


def test_a_mark_is_seen_and_a_wrong_one_fails(folder: Path):
    assert wrong_marks("`recall M(k)`: what was remembered. *Not yet*", folder)
    assert wrong_marks("> **Not yet:** labels are not checked.", folder)
    assert wrong_marks("`recall` is *not yet* (P902) run.", folder)
    assert wrong_marks("`each` is *not yet* (P999) run.", folder)
    assert wrong_marks("`review.load` is *not yet* (P902) decided.", folder) == []
