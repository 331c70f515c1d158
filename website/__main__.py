"""Builds the site: `python -m website [FOLDER]`, into `FOLDER/site` (`build/website/site`).

A playground in `build/playground` becomes a part of it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from website.build import build
from website.pages import REPO


def main() -> int:
    logging_format()
    asked = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    asked.add_argument("folder", nargs="?", type=Path, default=REPO / "build" / "website")
    work = asked.parse_args().folder
    playground = REPO / "build" / "playground"
    site = build(work.resolve(), playground if (playground / "index.html").exists() else None)
    files = [file for file in site.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    pages = sum(file.suffix == ".html" for file in files)
    print(f"{pages} pages, {size:.1f} MB, in {site}")
    print(f"look at it: {Path(sys.executable).name} -m http.server --directory {site} 8000")
    return 0


def logging_format() -> None:
    """Show mkdocs' warnings, each in a line."""
    import logging

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")


if __name__ == "__main__":
    sys.exit(main())
