"""The marks of curves: paths and texts at coordinates in pixels."""

from __future__ import annotations

from xml.sax.saxutils import escape


def path(style: str, d: str) -> str:
    return f'<path class="{style}" d="{d}"/>'


def text(words: str, x: float, y: float, style: str, anchor: str = "middle") -> str:
    place = f'x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"'
    return f'<text class="{style}" {place}>{escape(words)}</text>'


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
