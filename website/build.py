"""Builds the documentation site: gathers its pages, and has mkdocs make it of them, strictly."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import yaml

from pipelang.version import __version__
from website.codes import code_pages
from website.gallery import example_pictures, gallery_pages
from website.navigation import navigation
from website.pages import REPO, for_the_site, page_files, site_path, title_of
from website.reference import with_docstrings

HERE = Path(__file__).parent


TRIED = "try/index.html"


def gather(work: Path, playground: Path | None = None) -> Path:
    """Write the pages and the configuration below `work`, made anew; the configuration's path.

    A `playground` that was built becomes a part of the site, and pages lead to it.
    """
    shutil.rmtree(work, ignore_errors=True)
    docs = work / "docs"
    copied: set[str] = set()
    for path in page_files():
        place = site_path(path)
        assert place is not None, path
        target = docs / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if not path.endswith(".md"):
            shutil.copyfile(REPO / path, target)
            continue
        text = for_the_site(path, copied.add)
        if place == "api.md":
            text = with_docstrings(text)
        if place == "playground.md" and playground is not None:
            text = text.replace("\n\n", f"\n\n**[Open it]({TRIED})**\n\n", 1)
        if path.startswith("examples/") and path.count("/") == 2 and "gallery" not in path:
            text += example_pictures(path.split("/")[1], target.parent)
        target.write_text(weighed(place, text), encoding="utf-8")
    for path in copied:
        target = docs / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPO / path, target)
    for ours in ("site.css", "search.js"):
        shutil.copyfile(HERE / ours, docs / ours)
    list_decisions(docs / "decisions")
    if playground is not None:
        shutil.copytree(playground, (docs / TRIED).parent)
    gallery = gallery_pages(docs / "gallery", f"../{TRIED}" if playground else None)
    codes = code_pages(docs / "codes")
    nav = yaml.safe_dump({"nav": navigation(docs, gallery, codes)}, allow_unicode=True)
    paths = {
        "docs_dir": str(docs),
        "site_dir": str(work / "site"),
        "copyright": f"pipelang {__version__}",
    }
    settings = [(HERE / "mkdocs.yml").read_text(encoding="utf-8"), yaml.safe_dump(paths), nav]
    config = work / "mkdocs.yml"
    config.write_text("\n".join(settings), encoding="utf-8")
    return config


WEIGHTS: dict[str, float] = {
    "questions.md": 8,
    "guides/": 4,
    "tour.md": 3,
    "language.md": 2,
    "index.md": 2,
    "api.md": 2,
}
# Written for those who work on pipelang; who asks a question wants the answer's page first.
WEIGHTS |= {"decisions/": 0.1, "changelog.md": 0.1, "architecture.md": 0.2, "contributing.md": 0.2}


def weighed(place: str, text: str) -> str:
    """A page with its weight in the site's search, where it has one of its own."""
    weight = next((w for start, w in WEIGHTS.items() if place.startswith(start)), None)
    return text if weight is None else f"---\nsearch:\n  boost: {weight}\n---\n{text}"


def list_decisions(folder: Path) -> None:
    """Add what a code host shows as a folder to the page of decisions: the list of them."""
    index = folder / "index.md"
    rows = [
        f"- [{title_of(page.read_text(encoding='utf-8'))}]({page.name})"
        for page in sorted(folder.glob("0*.md"))
    ]
    index.write_text(
        index.read_text(encoding="utf-8") + "\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )


def build(work: Path, playground: Path | None = None) -> Path:
    """Build the site below `work` and return its folder. Raises what mkdocs aborts with.

    A `playground` that was built comes along. ImportError names the extra where mkdocs is missing.
    """
    # Material's notice on the future of mkdocs is for who chooses it, not for who builds this.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    try:
        from mkdocs.commands.build import build as make
        from mkdocs.config import load_config
    except ImportError as error:
        raise ImportError(
            "the site needs the extra `docs`: pip install 'pipelang-dsl[docs]'"
        ) from error
    colour_pipe_files()
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    config = load_config(str(gather(work, playground)))
    config.plugins.on_startup(command="build", dirty=False)
    make(config)
    config.plugins.on_shutdown()
    return work / "site"


def colour_pipe_files() -> None:
    """Make Pygments know our lexer also where this checkout's entry points are not installed."""
    from pygments import lexers

    from pipelang.interfaces.highlighting.pygments_lexer import PipelangLexer as lexer

    described = (lexer.__module__, lexer.name, tuple(lexer.aliases), tuple(lexer.filenames), ())
    lexers.LEXERS.setdefault(lexer.__name__, described)
    lexers._lexer_cache.setdefault(lexer.name, lexer)
