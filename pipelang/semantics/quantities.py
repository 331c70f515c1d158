"""Quantities as people write them: shares, money, durations, token counts."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from json.encoder import encode_basestring
from typing import Any

from pipelang.semantics.types import Scalar, ScalarKind, Type


def show_value(value: Any, type: Type) -> str:
    """A constant in the notation of its literal."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    kind = type.kind if isinstance(type, Scalar) else None
    if kind is ScalarKind.PROBABILITY:
        return show_share(value)
    if kind is ScalarKind.MONEY:
        return f"${plain(value)}"
    if kind is ScalarKind.DURATION:
        return show_duration(value)
    if kind is ScalarKind.TOKENS:
        return f"{value} tokens"
    if kind is ScalarKind.RATE:
        return show_rate(value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


def plain(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


MOST_FIGURES = 17
"""Figures of a float that mean something."""


def apart(value: float | Decimal, other: float | Decimal, figures: int = 3) -> Decimal:
    """A value rounded to as many figures as it takes, at least `figures`, to be on the same side of
    another number as it is.
    """
    exact, mark = Decimal(repr(value)) if isinstance(value, float) else value, Decimal(str(other))
    for digits in range(figures, MOST_FIGURES):
        rounded = Decimal(f"{exact:.{digits}g}")
        if (rounded < mark, rounded > mark) == (exact < mark, exact > mark):
            return rounded
    return exact


def dollars_beside(value: float | Decimal, other: float | Decimal) -> str:
    """Dollars that are shown beside another amount, from which they differ visibly."""
    text = f"{apart(value, other):,f}"
    return f"${text.rstrip('0').rstrip('.') if '.' in text else text}"


def seconds_beside(value: float, other: float) -> str:
    """A time that is shown beside another one, from which it differs visibly."""
    text = show_seconds(value)
    if value == other or text != show_seconds(other):
        return text
    return f"{plain(apart(value, other))}s"


def show_share(value: Decimal) -> str:
    return f"{plain(value.scaleb(2))}%"


def show_duration(seconds: Decimal) -> str:
    """The largest unit that gives a whole number, as in a literal: 90s, 15m, 2h, 7d."""
    with localcontext(Context(prec=60)):
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
            if seconds and seconds % size == 0:
                return f"{plain(seconds / size)}{unit}"
        if seconds and abs(seconds) < 1:
            return f"{plain(seconds * 1000)}ms"
        return f"{plain(seconds)}s"


def show_seconds(seconds: float) -> str:
    """A measured time to three figures: 240ms, 8.26s, 15.2m, 2h."""
    size, unit = next(
        (size, unit)
        for size, unit, most in (
            (0.001, "ms", 1),
            (1, "s", 120),
            (60, "m", 7200),
            (3600, "h", 2 * 86400),
            (86400, "d", float("inf")),
        )
        if seconds < most
    )
    number = seconds / size
    return f"{plain(Decimal(f'{number:.3g}') if number < 1000 else Decimal(round(number)))}{unit}"


PERIODS = {1: "s", 60: "min", 3600: "h", 86400: "day", 604800: "week", 2592000: "month"}
"""The periods of a rate by their seconds."""


def show_rate(rate: tuple[int, int]) -> str:
    """A rate as (count, seconds), as in a literal: 100/min."""
    return f"{rate[0]}/{PERIODS[rate[1]]}"


BYTES_A_TOKEN = 3


def count_tokens(text: str) -> int:
    """Our own bound on the tokens of a text: a third of its UTF-8 bytes, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN)


def text_bytes(text: str) -> int:
    """Bytes that JSON takes for a text between its quotes: UTF-8, where quotes, backslashes and
    line breaks are two bytes and other control characters six.
    """
    return len(encode_basestring(text).encode("utf-8", "surrogatepass")) - 2


def text_tokens(text: str) -> int:
    """The length that `max N tokens` limits: a third of a text's bytes in JSON, rounded up, so
    that a list or record of such texts stays within its bound wherever it is written out.
    """
    return -(-text_bytes(text) // BYTES_A_TOKEN)
