"""The page of a code as Markdown, as editors show it."""

from __future__ import annotations

from pipelang.diagnostics.explanation import page_of
from pipelang.diagnostics.lookup import find, placeholders

_HEADS = {"wrong": "Wrong:", "right": "Right:"}


def explained(code: str) -> str | None:
    """All that the table and the page say of a code; None if there is none."""
    rule = find(code)
    if rule is None:
        return None
    parts = [f"# {rule.code} {rule.name}", f"{rule.severity.value}: {placeholders(rule.template)}"]
    if rule.help:
        parts.append(f"help: {placeholders(rule.help)}")
    page = page_of(rule.code)
    if page is not None:
        parts += page.paragraphs
        for fence in page.fences:
            language = "pipelang" if fence.language == "pipe" else fence.language
            parts.append(_HEADS.get(fence.label, f"With `{fence.label}`:"))
            parts.append(f"```{language}\n{fence.text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"
