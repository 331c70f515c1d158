"""Builds the documentation site: gathers its pages into a folder, and has mkdocs make it, strictly."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import yaml

from pipelang.version import __version__
from website.codes import code_pages
from website.gallery import gallery_pages
from website.navigation import navigation
from website.pages import REPO, for_the_site, page_files, site_path
from website.reference import with_docstrings

HERE = Path(__file__).parent


def gather(work: Path) -> Path:
    """Write the pages and the configuration of the site below `work`, made anew; the configuration's path."""
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
        target.write_text(text, encoding="utf-8")
    for path in copied:
        target = docs / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPO / path, target)
    shutil.copyfile(HERE / "site.css", docs / "site.css")
    gallery = gallery_pages(docs / "gallery")
    codes = code_pages(docs / "codes")
    nav = yaml.safe_dump({"nav": navigation(docs, gallery, codes)}, allow_unicode=True)
    paths = {"docs_dir": str(docs), "site_dir": str(work / "site"), "copyright": f"pipelang {__version__}"}
    settings = [(HERE / "mkdocs.yml").read_text(encoding="utf-8"), yaml.safe_dump(paths), nav]
    config = work / "mkdocs.yml"
    config.write_text("\n".join(settings), encoding="utf-8")
    return config


def build(work: Path) -> Path:
    """Build the site below `work` and return its folder. Raises what mkdocs aborts with.

    ImportError names the extra where mkdocs is not installed.
    """
    # Material's notice on what becomes of mkdocs is for those who choose it, not for who builds this site.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    try:
        from mkdocs.commands.build import build as make
        from mkdocs.config import load_config
    except ImportError as error:
        raise ImportError("the site needs the extra `docs`: pip install 'pipelang-dsl[docs]'") from error
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    config = load_config(str(gather(work)))
    config.plugins.on_startup(command="build", dirty=False)
    make(config)
    config.plugins.on_shutdown()
    return work / "site"
