"""Makes a page of every file of the gallery: its text, its pictures and what `check` says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pipelang
from website.output import printed
from website.pages import REPO

GALLERY = REPO / "examples" / "gallery"


def gallery_pages(folder: Path) -> list[tuple[str, str]]:
    """Write the pages and their pictures into `folder`; their titles and names, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for file in sorted(GALLERY.glob("*.pipe")):
        title, text = page(file, folder)
        (folder / f"{file.stem}.md").write_text(text, encoding="utf-8")
        made.append((title, f"{file.stem}.md"))
    return made


def page(file: Path, folder: Path) -> tuple[str, str]:
    """The title and the text of the page of one file; its pictures go into `folder`."""
    text = file.read_text(encoding="utf-8")
    path = file.relative_to(REPO).as_posix()
    number, idea = opening(text)
    title = f"{number}. {file.stem[3:].replace('_', ' ').capitalize()}"
    allowed = re.findall(r"^#= warning (P\d+)", text, re.MULTILINE)
    program = pipelang.load(file, allow=allowed)
    parts = [f"# {title}", idea, f'```pipe title="{path}"\n{text.rstrip()}\n```', "## Pictures"]
    for name in program.pipelines:
        picture = f"{file.stem}-{name}.svg"
        svg = printed("graph", path, name, "--format", "svg")
        (folder / picture).write_text(svg, encoding="utf-8")
        parts.append(f"![The pipeline {name} as a graph]({picture})" + "{ .graph }")
    parts += ["## What `pipelang check` says", f"```console\n$ pipelang check {path}"]
    parts[-1] += f"\n{printed('check', path).rstrip()}\n```"
    return title, "\n\n".join(parts) + "\n"


def opening(text: str) -> tuple[str, str]:
    """The number of a gallery file and its idea, which its first comment says."""
    comment = re.match(r"(?:## .*\n)+", text)
    assert comment is not None
    said = " ".join(line.removeprefix("## ") for line in comment[0].splitlines())
    number, _, idea = said.partition(". ")
    return number, idea
