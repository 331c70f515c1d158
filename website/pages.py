"""Turns the repository's Markdown into that of the site: places, links, fences.

The pages are written for a code host, whose Markdown is a little more lenient than the site's. What
differs is changed here on the way, so that a page has one text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

REPO = Path(__file__).resolve().parents[1]

TOP = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "examples/index.md",
    "examples/gallery/README.md": "gallery/index.md",
    "docs/decisions/README.md": "decisions/index.md",
}

_LINK = re.compile(r"(?<!\\)\]\(([^()\s]+)\)")
_NAMED = re.compile(r"\[((?:[\w-]+/)*[\w-]+\.md)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^( *)(```+)(.*)$")
_ITEM = re.compile(r"^( *)([-*]|\d+\.) ")


def site_path(path: str) -> str | None:
    """Where on the site a file of the repository stands; None if it has no page."""
    if path in TOP:
        return TOP[path]
    place = PurePosixPath(path)
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    match place.parts:
        case ("examples", name, "README.md"):
            return f"examples/{name}.md"
        case ("examples", "gallery", name) if name.endswith(".pipe"):
            return f"gallery/{place.stem}.md"
        case ("pipelang", "diagnostics", "pages", name):
            return f"codes/{name}"
        case _:
            return None


def page_files() -> list[str]:
    """The files of the repository that are pages or stand beside them, as paths from its top."""
    found = [
        *TOP,
        *_below("docs", "*.md", "*.svg", "*.png", "*.json"),
        *_below("examples", "*/README.md", deep=False),
    ]
    return [path for path in dict.fromkeys(found) if (REPO / path).exists()]


def _below(folder: str, *patterns: str, deep: bool = True) -> Iterator[str]:
    for pattern in patterns:
        files = (REPO / folder).rglob(pattern) if deep else (REPO / folder).glob(pattern)
        yield from sorted(file.relative_to(REPO).as_posix() for file in files)


def title_of(text: str) -> str:
    """The first heading of a page, without its marks."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].replace("`", "") if found else "Untitled"


def for_the_site(path: str, copied: Callable[[str], None]) -> str:
    """The text of a page of the repository as the site takes it.

    `copied` is called with every file that a link names and that has no page: it has to be put
    below `files/` of the site. Raises FileNotFoundError for a link into nothing.
    """
    text = (REPO / path).read_text(encoding="utf-8")
    here = site_path(path)
    assert here is not None, path
    return rewritten(text, path, here, copied)


def rewritten(text: str, path: str, here: str, copied: Callable[[str], None]) -> str:
    """Markdown of the file `path`, as the page `here` of the site."""

    def link(hit: re.Match[str]) -> str:
        target = _target(hit[1], path, here, copied)
        return f"]({target})"

    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[2] == fence and not mark[3].strip():
                fence = ""
            lines.append(line)
        elif mark:
            fence = mark[2]
            lines.append(f"{mark[1]}{mark[2]}{fence_head(mark[3])}")
        else:
            if _begins_a_list(line, lines):
                lines.append("")
            if line.startswith("|"):
                line = re.sub(r"`[^`]*`", lambda code: code[0].replace(r"\|", "|"), line)
            line = _NAMED.sub(lambda hit: f"[{_title(hit[1], hit[2], path)}]({hit[2]})", line)
            lines.append(_outside_code(line, lambda part: _LINK.sub(link, part)))
    return "\n".join(lines) + "\n"


def fence_head(words: str) -> str:
    """The head of a fence as the site reads it: a language, and the file's name as its title.

    The words after it are for the tests of the pages.
    """
    language, *rest = words.split() or [""]
    language = {"pipe-part": "pipe", "jsonl": "json", "sh": "bash"}.get(language, language)
    name = next((word for word in rest if "." in word and "=" not in word), None)
    return f'{language} title="{name}"' if name else language


def _begins_a_list(line: str, before: list[str]) -> bool:
    """Whether a list begins right below a line of text, which the site would take for more text."""
    if not _ITEM.match(line) or not before or not before[-1].strip():
        return False
    above = before[-1]
    return not (_ITEM.match(above) or above.startswith((" ", "#", "|", ">")))


def _outside_code(line: str, change: Callable[[str], str]) -> str:
    """A line with its text changed, and its code spans left as they stand."""
    kept: list[str] = []

    def hide(hit: re.Match[str]) -> str:
        kept.append(hit[0])
        return f"\x00{len(kept) - 1}\x00"

    changed = change(re.sub(r"``[^`].*?``|`[^`]*`", hide, line))
    return re.sub(r"\x00(\d+)\x00", lambda hit: kept[int(hit[1])], changed)


def _title(shown: str, target: str, path: str) -> str:
    """What a link that shows a file's name shows on the site, where pages have titles."""
    file = REPO / os.path.dirname(path) / target.partition("#")[0]
    if "#" in target or not file.is_file():
        return shown.rpartition("/")[2].removesuffix(".md") if "#" in target else shown
    return title_of(file.read_text(encoding="utf-8"))


def _target(target: str, path: str, here: str, copied: Callable[[str], None]) -> str:
    """Where a link of a page leads on the site."""
    if re.match(r"[a-z][a-z+.-]*:|#", target):
        return target
    file, _, anchor = target.partition("#")
    there = os.path.normpath(os.path.join(os.path.dirname(path), file)).replace(os.sep, "/")
    if (REPO / there).is_dir():
        there = f"{there}/README.md"
    if not (REPO / there).exists():
        raise FileNotFoundError(f"{path} links to {target}, and there is no {there}")
    place = site_path(there)
    if place is None:
        copied(there)
        place = f"files/{there}"
    relative = os.path.relpath(place, os.path.dirname(here) or ".").replace(os.sep, "/")
    return f"{relative}#{anchor}" if anchor else relative
