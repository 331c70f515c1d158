"""The documentation site: it builds strictly, has all it should, and its search finds."""

from __future__ import annotations

import html
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import pipelang
from pipelang.diagnostics.codes import RULES
from tests.docs.browser import CHROMIUM, WITHOUT, browser, page_over, served
from website.pages import REPO, fence_head, rewritten, site_path

pytest.importorskip("mkdocs", reason="the site needs the extra `docs`")
pytest.importorskip("mkdocstrings", reason="the site needs the extra `docs`")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once: mkdocs is strict, so a link or an anchor into nothing ends it."""
    from website.build import build

    work = tmp_path_factory.mktemp("website")
    (work / "playground").mkdir()
    (work / "playground" / "index.html").write_text("the playground", encoding="utf-8")
    return build(work / "built", work / "playground")


def text_of(page: Path) -> str:
    found = re.search(r"<article.*?</article>", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, page
    return html.unescape(re.sub(r"<[^>]+>", "", found[0]))


# ------------------------------------------------------------------------ what becomes of a page


def for_site(text: str, path: str = "docs/people.md") -> tuple[str, list[str]]:
    copied: list[str] = []
    return rewritten(text, path, site_path(path) or "", copied.append), copied


def test_a_link_goes_to_the_page_of_its_file_and_keeps_its_anchor():
    text, copied = for_site("see [there](model.md#time), [code](../pipelang/version.py)")
    assert text == "see [there](model.md#time), [code](files/pipelang/version.py)\n"
    assert copied == ["pipelang/version.py"]
    text, _ = for_site(
        "[x](../../docs/model.md) [y](../gallery/05_gate.pipe)", "examples/support/README.md"
    )
    assert text == "[x](../model.md) [y](../gallery/05_gate.md)\n"


def test_a_link_that_shows_a_file_name_shows_the_title_of_its_page():
    text, _ = for_site("[embedding.md](embedding.md), [model.md](model.md#time)")
    assert text == "[Embedding](embedding.md), [model](model.md#time)\n"


def test_a_link_into_nothing_is_an_error_that_names_both():
    with pytest.raises(FileNotFoundError, match=r"docs/people.md links to gone.md"):
        for_site("[x](gone.md)")


def test_code_is_left_as_it_stands():
    shown = "`[x](gone.md)`\n```text\n[x](gone.md)\n- a\n```\n"
    assert for_site(shown)[0] == shown


@pytest.mark.parametrize(
    ("words", "head"),
    [
        ("pipe desk.pipe exit=1", 'pipe title="desk.pipe"'),
        ("pipe", "pipe"),
        ("pipe-part", "pipe"),
        ("jsonl rows.jsonl", 'json title="rows.jsonl"'),
        ("console", "console"),
    ],
)
def test_the_head_of_a_fence_is_what_the_site_reads(words: str, head: str):
    assert fence_head(words) == head


def test_a_list_right_below_a_text_stays_a_list():
    assert for_site("Two things:\n- one\n- two")[0] == "Two things:\n\n- one\n- two\n"


# ---------------------------------------------------------------------------- what is on the site


def test_every_page_of_the_docs_and_every_decision_is_there(site: Path):
    pages = [f.relative_to(REPO / "docs") for f in (REPO / "docs").rglob("*.md")]
    left = [
        p
        for p in pages
        if p.name != "README.md" and not (site / p.with_suffix("") / "index.html").exists()
    ]
    assert left == []
    listed = (site / "decisions" / "index.html").read_text(encoding="utf-8")
    assert all(p.stem in listed for p in pages if p.match("decisions/0*.md"))


def test_every_finding_has_its_page_and_a_line_in_the_list(site: Path):
    listed = (site / "codes" / "index.html").read_text(encoding="utf-8")
    for code, rule in RULES.items():
        assert rule.name in text_of(site / "codes" / code / "index.html")
        assert f'href="{code}/"' in listed, code


def test_the_gallery_has_a_picture_and_the_figures_of_every_pipeline(site: Path):
    for file in sorted((REPO / "examples" / "gallery").glob("*.pipe")):
        page = site / "gallery" / file.stem / "index.html"
        for name in re.findall(r"^pipeline (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE):
            picture = f"{file.stem}-{name}.svg"
            assert f'src="../{picture}"' in page.read_text(encoding="utf-8")
            assert "<svg" in (site / "gallery" / picture).read_text(encoding="utf-8")
        assert f"$ pipelang check examples/gallery/{file.name}" in text_of(page)


def test_a_playground_that_was_built_is_a_part_of_it(site: Path):
    assert (site / "try" / "index.html").read_text(encoding="utf-8") == "the playground"
    assert 'href="../try/"' in (site / "playground" / "index.html").read_text("utf-8")
    gate = (site / "gallery" / "05_gate" / "index.html").read_text("utf-8")
    assert 'href="../../try/#name=gallery/05_gate.pipe"' in gate


def test_an_example_has_a_picture_of_its_pipeline(site: Path):
    for readme in sorted((REPO / "examples").glob("[!g]*/README.md")):
        page = site / "examples" / readme.parent.name / "index.html"
        found = re.findall(r'src="\.\./([\w-]+\.svg)"', page.read_text(encoding="utf-8"))
        assert found, readme
        assert all("<svg" in (site / "examples" / one).read_text("utf-8") for one in found)


def test_every_public_name_has_its_docstring_on_the_site(site: Path):
    shown = " ".join(text_of(site / "api" / "index.html").split())
    for name in set(pipelang.__all__) - {"__version__"}:
        first = str(getattr(pipelang, name).__doc__).strip().split("\n\n")[0]
        assert " ".join(first.replace("`", "").split()) in shown, name
    for module in ("providers", "testing"):
        names = importlib.import_module(f"pipelang.{module}").__all__
        assert all(re.search(rf"\b{name}\b", shown) for name in names)


def test_pipelang_is_coloured(site: Path):
    page = (site / "gallery" / "05_gate" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<span class="k\w*">pipeline</span>', page)


def test_no_page_asks_for_anything_from_elsewhere(site: Path):
    fetched = re.compile(
        r"<(?:script|img|link|iframe|source)\b[^>]*(?:src|href)=\"?(https?:[^\" >]+)"
    )
    found = {
        hit for page in site.rglob("*.html") for hit in fetched.findall(page.read_text("utf-8"))
    }
    assert found == set()
    styles = "".join(css.read_text("utf-8") for css in site.rglob("*.css"))
    assert re.findall(r"url\([\"']?https?:|@import [\"']https?:", styles) == []


# ----------------------------------------------------------------------------------- its search

QUESTIONS = {
    "getting started": "questions/",
    "prompt injection": "questions/",
    "api key": "questions/",
    "what does a run cost": "questions/",
    "silent error": "questions/",
    "budget": "guides/budgets/",
    "approve": "guides/approvals/",
    "mcp server": "guides/mcp/",
    "how sure is the evidence": "guides/evidence/",
    "P501": "codes/P501/",
    "InputError": "api/",
    "local model": "models/",
    "crash": "durable/",
    "github action": "ci/",
    "langchain": "questions/",
    "windows": "questions/",
}
"""What new users ask, in their words, and the page that must be among the first results."""
AT_ONCE = {
    "hallucination": "questions/",
    "image": "questions/",
    "personal data": "questions/",
    "unit test": "questions/",
    "canary": "questions/",
    "drift": "questions/",
    "share customers": "questions/",
    "docker": "service/",
    "vim": "editors/",
    "json schema": "export/",
    "openai": "models/",
    "rate limit": "language/",
    "kubernetes": "questions/",
    "azure": "questions/",
    "temperature": "questions/",
    "logging": "questions/",
    "parallel": "questions/",
    "few shot": "questions/",
    "structured output": "questions/",
    "human in the loop": "questions/",
    "error handling": "questions/",
    "streaming": "questions/",
}
"""The same of the days after; here the page must be the first of all."""

FIRST = 5

ERRORS = "questions/#is-there-error-handling-retry-and-a-fallback-to-another-model"
SENTENCES = {
    "how do I add a provider": "questions/#how-do-i-add-a-provider-my-own-model-or-a-local-one",
    "what is wrong unnoticed": "questions/#what-is-a-silent-error-wrong-and-unnoticed",
    "approval by a person": "guides/approvals/",
    "cost of a run": "questions/#what-does-a-run-cost",
    "How do I retry?": ERRORS,
    "a cap on the budget": "guides/budgets/",
    "how to run it durable": "durable/",
    "where do I put secrets": "questions/#where-do-keys-and-secrets-go",
    "can I test it without a model": "questions/#how-do-i-test-a-pipeline-without-a-model",
    "what is an evidence file": "guides/evidence/",
    "how do I write a tool in Python?": "questions/#how-do-i-write-a-tool",
    "is there a fallback": ERRORS,
}
"""Questions as sentences, and the section that must be among those shown of two pages."""


@pytest.mark.parametrize(("question", "wanted"), QUESTIONS.items())
def test_the_index_has_the_words_of_a_question_on_the_page_that_answers(
    question: str, wanted: str, site: Path
):
    """What the search can find at all; in which order, a browser says below."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    sections = [one for one in index["docs"] if one["location"].startswith(wanted)]
    assert sections
    page = " ".join(f"{one['title']} {one['text']}" for one in sections).lower()
    assert all(word.lower() in page for word in question.split())


@pytest.fixture(scope="module")
def screen(site: Path) -> Iterator[tuple[Any, str]]:
    if CHROMIUM is None:
        pytest.skip(WITHOUT)
    pytest.importorskip("playwright", reason="pages are driven by playwright")
    with served(site) as address, browser() as started:
        yield started, address


NOTHING_TO_FIND = {
    "config": {"lang": ["en"], "separator": " ", "pipeline": [], "fields": {}},
    "docs": [],
}


def ask(page: Any, address: str, question: str) -> None:
    """Put a question to the search: the first of a page comes with a link, the next are typed into
    the page that is there, since to open one takes a second of reading the index.
    """
    if page.url.startswith(address):
        page.eval_on_selector(".md-search-result__list", "list => list.replaceChildren()")
        page.fill(".md-search__input", question)
        page.dispatch_event(".md-search__input", "keyup")
    else:
        page.goto(f"{address}?q={quote(question)}")
    page.wait_for_selector(".md-search-result__item", state="attached", timeout=60_000)


def test_the_search_finds_what_new_users_ask_for(screen: tuple[Any, str]):
    started, address = screen
    page, elsewhere, errors = page_over(started, address)
    missed = {}
    for question, wanted in {**QUESTIONS, **AT_ONCE}.items():
        ask(page, address, question)
        links = page.eval_on_selector_all(
            ".md-search-result__item > a", "all => all.map(a => a.href)"
        )
        found = list(dict.fromkeys(re.split(r"[?#]", a.removeprefix(address))[0] for a in links))
        if wanted not in found[: 1 if question in AT_ONCE else FIRST]:
            missed[question] = found[:FIRST]
    assert missed == {}
    assert (elsewhere, errors) == ([], [])
    page.context.close()


def test_small_words_of_a_question_find_nothing_by_themselves(screen: tuple[Any, str]):
    """Half of all words begin with `a` or `do`; what is typed stays as it is."""
    started, address = screen
    page, elsewhere, errors = page_over(started, address)
    missed = {}
    for question, wanted in SENTENCES.items():
        ask(page, address, question)
        shown = page.eval_on_selector_all(
            ".md-search-result__item",
            "all => all.slice(0, 2).flatMap(one => [...one.querySelectorAll(':scope > a')])"
            ".map(a => a.href)",
        )
        found = [re.sub(r"[?][^#]*", "", one.removeprefix(address)) for one in shown]
        if wanted not in found:
            missed[question] = found
    assert missed == {}
    assert page.input_value(".md-search__input") == list(SENTENCES)[-1]
    assert (elsewhere, errors) == ([], [])


WIDTHS = """async () => {
  for (const _ of [1, 2]) await new Promise(requestAnimationFrame)  // what was turned is laid out
  return [innerWidth, document.documentElement.scrollWidth]
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen(screen: tuple[Any, str], scheme: str):
    """Each page is loaded once and turned, as a phone is: to load one takes most of the time."""
    started, address = screen
    page, elsewhere, errors = page_over(started, address, color_scheme=scheme)
    # Nothing is looked up here, and reading the real index costs a third of all that a page does.
    page.route("**/search_index.json", lambda asked: asked.fulfill(json=NOTHING_TO_FIND))
    for name in ("", "language/", "model/", "api/", "running/", "gallery/05_gate/", "codes/P601/"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            if width == 1440:
                page.goto(address + name)
            shown, reaches = page.evaluate(WIDTHS)
            assert shown == width
            assert reaches <= width, (name, width)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 384) is (scheme == "dark")
    assert (elsewhere, errors) == ([], [])
    page.context.close()
