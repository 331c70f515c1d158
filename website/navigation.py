"""Orders the pages: sections on a reader's way, and at its end whatever else there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from website.pages import title_of

START = ["tour.md", "playground.md", "questions.md"]
LEARN = ["language.md", "model.md", "limits.md"]
TASKS = [
    "guides/support-desk.md",
    "guides/approvals.md",
    "guides/budgets.md",
    "guides/evidence.md",
    "guides/mcp.md",
    "people.md",
    "ci.md",
    "models.md",
    "editors.md",
    "embedding.md",
    "durable.md",
    "service.md",
    "pages.md",
    "operating.md",
    "observing.md",
    "releases.md",
    "scaling.md",
]
REFERENCE = ["api.md", "running.md", "export.md", "ir.md", "compatibility.md"]
EVIDENCE = ["benchmarks.md", "agentdojo.md"]
PROJECT = ["changelog.md", "architecture.md", "contributing.md", "security.md"]

Entry = dict[str, Any] | str


def navigation(
    docs: Path, gallery: list[tuple[str, str]], codes: dict[str, list[tuple[str, str]]]
) -> list[Entry]:
    """The navigation over a folder of pages. A page that no list names stands under "More"."""
    left = {file.relative_to(docs).as_posix() for file in docs.rglob("*.md")}

    def taken(names: list[str]) -> list[Entry]:
        found: list[Entry] = []
        for name in names:
            if name in left:
                left.discard(name)
                found.append({title_of((docs / name).read_text(encoding="utf-8")): name})
        return found

    def below(folder: str) -> list[str]:
        return sorted(name for name in left if name.startswith(f"{folder}/"))

    left.discard("index.md")
    sections: list[Entry] = [
        {"Start": ["index.md", *taken(START)]},
        {"Language": taken(LEARN)},
        {"Guides": [*taken(TASKS), *taken(below("guides"))]},
        {"Examples": [*taken(["examples/index.md"]), *taken(below("examples"))]},
        {"Gallery": [*taken(["gallery/index.md"]), *_listed("gallery", gallery, left)]},
        {
            "Reference": [
                *taken(REFERENCE),
                {
                    "Findings": [
                        *taken(["codes/index.md"]),
                        *({family: _listed("codes", rows, left)} for family, rows in codes.items()),
                    ]
                },
            ]
        },
        {"Evidence": taken(EVIDENCE)},
        {
            "Project": [
                *taken(PROJECT),
                {"Decisions": [*taken(["decisions/index.md"]), *taken(below("decisions"))]},
            ]
        },
    ]
    if left:
        sections.insert(-1, {"More": taken(sorted(left))})
    return sections


def _listed(folder: str, rows: list[tuple[str, str]], left: set[str]) -> list[Entry]:
    for _, name in rows:
        left.discard(f"{folder}/{name}")
    return [{title: f"{folder}/{name}"} for title, name in rows]
