"""Colours of pictures, for light and dark surroundings.

Every rule is scoped to the picture, so that one that is pasted into a page changes nothing there,
and names its colour: tools that know no custom properties still draw it.
"""

from __future__ import annotations

from pipelang.interfaces.export.graph import NodeKind

_FONT = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, "
    '"DejaVu Sans Mono", "Liberation Mono", monospace'
)

# What is the same in light and dark surroundings.
_SHAPES = f"""\
text {{ font-family: {_FONT}; font-size: 11.5px }}
.title {{ font-size: 13px; font-weight: 600 }}
.label {{ stroke-width: 4px; stroke-linejoin: round; paint-order: stroke }}
.shape {{ stroke-width: 1.25px; stroke-linejoin: round }}
.effect .shape {{ stroke-width: 2.25px }}
.fallback .shape {{ stroke-dasharray: 5 3 }}
.next, .else, .redo {{ fill: none; stroke-width: 1.4px }}
.else {{ stroke-dasharray: 5 3 }}
"""

# Selector, property, its value in light and in dark surroundings.
_COLOURS = (
    (".ground", "fill", "#ffffff", "#0d1117"),
    ("text", "fill", "#1f2328", "#e6edf3"),
    (".label, .name", "fill", "#57606a", "#9ea7b3"),
    (".label", "stroke", "#ffffff", "#0d1117"),
    (".frame", "fill", "#f6f8fa", "#151b23"),
    (".frame", "stroke", "#d0d7de", "#30363d"),
    (".next", "stroke", "#6e7781", "#8b949e"),
    (".next-tip", "fill", "#6e7781", "#8b949e"),
    (".else, .redo", "stroke", "#9a6700", "#d4a72c"),
    (".else-tip, .redo-tip", "fill", "#9a6700", "#d4a72c"),
)

# Fill and rim of each look, in light and in dark surroundings.
_LOOKS = {
    "input": ("#eaeef2", "#57606a", "#21262d", "#8b949e"),
    "ask": ("#ddf0ff", "#3b7dd8", "#0f2a4a", "#58a6ff"),
    "call": ("#e3f6ec", "#3f9468", "#10301f", "#56b383"),
    "effect": ("#ffe9d9", "#cf6a1e", "#43220b", "#f0883e"),
    "value": ("#f6f8fa", "#8c959f", "#1c2128", "#7d8590"),
    "test": ("#fff6cf", "#b58400", "#362a05", "#d4a72c"),
    "people": ("#f0e8ff", "#8250df", "#2a1a4a", "#a97bf5"),
    "answered": ("#d3f3dc", "#1a7f37", "#0f3a1c", "#3fb950"),
    "escalated": ("#e9e2fb", "#6f42c1", "#241a3d", "#a97bf5"),
    "rejected": ("#eaeef2", "#6e7781", "#21262d", "#9198a1"),
    "failed": ("#ffe2e0", "#cf222e", "#441416", "#f85149"),
}

LOOK = {
    NodeKind.INPUT: "input",
    NodeKind.ASK: "ask",
    NodeKind.ASK_PERSON: "people",
    NodeKind.CALL: "call",
    NodeKind.EFFECT: "effect",
    NodeKind.VALUE: "value",
    NodeKind.OTHER: "value",
    NodeKind.GATE: "test",
    NodeKind.APPROVE: "people",
    NodeKind.HOLD: "people",
    NodeKind.WHEN: "test",
    NodeKind.MATCH: "test",
    NodeKind.REMEMBER: "effect",
    NodeKind.ANSWERED: "answered",
    NodeKind.ESCALATED: "escalated",
    NodeKind.REJECTED: "rejected",
    NodeKind.FAILED: "failed",
}
"""The look of each kind of node; its name is a class in SVG and mermaid."""


def light(look: str) -> tuple[str, str]:
    """Fill and rim on a light ground, for formats that leave the rest to their readers."""
    fill, rim, _, _ = _LOOKS[look]
    return fill, rim


def stylesheet() -> str:
    """The CSS of a picture."""
    rows = list(_COLOURS)
    for look, (fill, rim, dark_fill, dark_rim) in _LOOKS.items():
        rows.append((f".{look} .shape", "fill", fill, dark_fill))
        rows.append((f".{look} .shape", "stroke", rim, dark_rim))
    in_light = [_rule(selector, f"{name}: {value}") for selector, name, value, _ in rows]
    in_dark = [_rule(selector, f"{name}: {value}") for selector, name, _, value in rows]
    shapes = [_rule(*line.removesuffix(" }").split(" { ")) for line in _SHAPES.splitlines()]
    dark = "\n".join(["@media (prefers-color-scheme: dark) {", *in_dark, "}"])
    return "\n".join([*shapes, *in_light, dark])


def _rule(selector: str, declarations: str) -> str:
    scoped = ", ".join(f".pipelang {part}" for part in selector.split(", "))
    return f"{scoped} {{ {declarations} }}"
