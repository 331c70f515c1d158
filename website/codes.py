"""Makes a page of every finding: what `pipelang explain CODE` says, with its row of the table."""

from __future__ import annotations

import re
from pathlib import Path

from pipelang.diagnostics.codes import RULES, Rule
from website.pages import REPO, rewritten

FAMILIES = {
    "P1": "Syntax",
    "P2": "Names",
    "P3": "Types and units",
    "P4": "Flow",
    "P5": "Reliability",
    "P6": "Cost",
    "P7": "Safety",
    "P8": "Profiles",
    "P9": "What this version leaves open",
}
SHOWN = {"wrong": "This is found", "right": "This is not"}


def code_pages(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Write the pages and their list into `folder`; titles and names by family."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, list[tuple[str, str]]] = {family: [] for family in FAMILIES.values()}
    lines = [
        "# Findings",
        "Every finding of `pipelang check` has a code. `pipelang explain CODE` shows its page too.",
    ]
    for start, family in FAMILIES.items():
        rows = [f"## {family}", "", "| code | name | severity | says |", "|---|---|---|---|"]
        for code, rule in sorted(RULES.items()):
            if code.startswith(start):
                (folder / f"{code}.md").write_text(page(rule), encoding="utf-8")
                made[family].append((f"{code} {rule.name}", f"{code}.md"))
                says = re.sub(r"`?\{\w+\}`?", "…", rule.template).replace("|", "\\|")
                rows.append(
                    f"| [{code}]({code}.md) | {rule.name} | {rule.severity.value} | {says} |"
                )
        lines.append("\n".join(rows))
    (folder / "index.md").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return {family: pages for family, pages in made.items() if pages}


def page(rule: Rule) -> str:
    """The page of one finding."""
    path = f"pipelang/diagnostics/pages/{rule.code}.md"
    text = (REPO / path).read_text(encoding="utf-8")
    for word, heading in SHOWN.items():
        text = re.sub(rf"^```pipe {word}\b", f"**{heading}:**\n\n```pipe", text, flags=re.MULTILINE)
    text = rewritten(text, path, f"codes/{rule.code}.md", _nothing)
    head, _, rest = text.partition("\n")
    row = f"*{rule.severity.value}* · `pipelang explain {rule.code}`"
    return f"{head}\n\n{row}\n{rest}"


def _nothing(path: str) -> None:
    raise FileNotFoundError(f"a page of a code links to {path}")
