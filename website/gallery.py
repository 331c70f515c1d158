"""Makes a page of every file of the gallery, and pictures of all examples, by their commands."""

from __future__ import annotations

import re
from pathlib import Path

import pipelang
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build
from website.output import printed
from website.pages import REPO

GALLERY = REPO / "examples" / "gallery"


def gallery_pages(folder: Path, tried: str | None = None) -> list[tuple[str, str]]:
    """Write the pages and their pictures into `folder`; their titles and names, in order.

    `tried` is where the playground is, as a link from such a page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for file in sorted(GALLERY.glob("*.pipe")):
        title, text = page(file, folder, tried)
        (folder / f"{file.stem}.md").write_text(text, encoding="utf-8")
        made.append((title, f"{file.stem}.md"))
    return made


def page(file: Path, folder: Path, tried: str | None) -> tuple[str, str]:
    """The title and the text of the page of one file; its pictures go into `folder`."""
    text = file.read_text(encoding="utf-8")
    path = file.relative_to(REPO).as_posix()
    number, idea = opening(text)
    title = f"{number}. {file.stem[3:].replace('_', ' ').capitalize()}"
    allowed = re.findall(r"^#= warning (P\d+)", text, re.MULTILINE)
    program = pipelang.load(file, allow=allowed)
    parts = [f"# {title}", idea, f'```pipe title="{path}"\n{text.rstrip()}\n```']
    if tried is not None:
        parts.append(f"[Change it in the playground]({tried}#name=gallery/{file.name})")
    parts.append("## Pictures")
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


def example_pictures(name: str, folder: Path) -> str:
    """The section of an example's page: the largest pipeline of each file, drawn in `folder`."""
    parts = []
    for file in sorted((REPO / "examples" / name).glob("*.pipe")):
        path = file.relative_to(REPO).as_posix()
        program = build(str(file), DiskLoader()).program
        if program is None or not program.pipelines:
            continue
        drawn = {one: printed("graph", path, one, "--format", "svg") for one in program.pipelines}
        main, svg = max(drawn.items(), key=lambda pair: len(pair[1]))
        picture = f"{name}-{file.stem}.svg"
        (folder / picture).write_text(svg, encoding="utf-8")
        parts.append(f"![The pipeline {main} as a graph]({picture})" + "{ .graph }")
        parts.append(f"`pipelang graph {path} {main} --format svg`")
    return "\n\n".join(["", "## Pictures", *parts, ""]) if parts else ""
