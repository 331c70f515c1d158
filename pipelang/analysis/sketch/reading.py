"""Parser of sketches: words, shares, money and times, each with its place for errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NoReturn

from pipelang.records import dataclass, field, replace

MOST_STEPS = 1000
MOST_RETRIES = 100

_WORD = re.compile(
    r"\s*(?:(?P<share>\d*\.?\d+\s*%)"
    r"|\$\s*(?P<money>\d*\.?\d+)"
    r"|(?P<rate>\d+(?:\.\d+)?\s*/\s*(?:day|h|hour|min))\b"
    r"|(?P<time>\d*\.?\d+\s*(?:ms|s|m|h))\b"
    r"|(?P<number>\d*\.?\d+)"
    r"|(?P<times>[x×*](?![a-z]))"
    r"|(?P<comma>,)"
    r"|(?P<word>->|→|[A-Za-z_]+)"
    r"|(?P<other>\S))"
)
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_A_DAY = {"day": 1, "h": 24, "hour": 24, "min": 1440}


class NoSketch(ValueError):
    """A sketch that cannot be read: the reason, the place (a span of the text), and the remedy."""

    def __init__(self, why: str, start: int, end: int, help: str) -> None:
        super().__init__(why)
        self.start, self.end, self.help = start, end, help


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a step besides its accuracy; None where one is not given.

    `fails` is the share of attempts that fail, `retry` how many more there are, `fallback` the
    accuracy of the fallback's answer; `cost` in dollars and `seconds` are those of one attempt.
    """

    fails: Decimal | None = None
    retry: int | None = None
    fallback: Decimal | None = None
    cost: Decimal | None = None
    seconds: Decimal | None = None

    def over(self, other: Options) -> Options:
        """These, and where they say nothing, the other's."""
        return Options(
            other.fails if self.fails is None else self.fails,
            other.retry if self.retry is None else self.retry,
            other.fallback if self.fallback is None else self.fallback,
            other.cost if self.cost is None else self.cost,
            other.seconds if self.seconds is None else self.seconds,
        )


@dataclass(frozen=True, slots=True)
class SketchSteps:
    """So many alike steps."""

    accuracy: Decimal
    count: int
    options: Options


@dataclass(frozen=True, slots=True)
class Sketch:
    """Steps in order; `target` is how right all of them should be, `per_day` the runs a day;
    `notes` tell of what was said in vain.
    """

    steps: tuple[SketchSteps, ...]
    target: Decimal | None = None
    per_day: Decimal | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Reader:
    text: str
    tokens: list[_Token]
    at: int = 0
    parts: list[SketchSteps] = field(default_factory=list)
    shared: Options = field(default_factory=Options)
    target: Decimal | None = None
    per_day: Decimal | None = None

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def is_word(self, *words: str) -> bool:
        return self.next.kind == "word" and self.next.text.casefold() in words


def read(text: str) -> Sketch:
    """Read a sketch. Raises `NoSketch`."""
    tokens = [
        _Token(
            match.lastgroup or "", match[match.lastgroup or 0], *match.span(match.lastgroup or 0)
        )
        for match in _WORD.finditer(text)
    ]
    end = len(text.rstrip())
    reader = _Reader(text, [*tokens, _Token("end", "", end, end + 1)])
    if reader.next.kind == "end":
        _stop(reader.next, "there is nothing to work out", 'try `pipelang sketch "0.95 x 4"`')
    reader.parts.append(_steps(reader))
    while reader.next.kind != "end":
        if reader.is_word("then", "and", "->", "→"):
            reader.take()
            reader.parts.append(_steps(reader))
        elif reader.next.kind == "comma":
            reader.take()
            if reader.is_word("then"):
                continue
            reader.shared = _option(reader, reader.shared)
        elif len(reader.parts) == 1 and _is_option(reader):
            reader.shared = _option(reader, reader.shared)
        else:
            _unexpected(reader)
    steps = tuple(replace(part, options=part.options.over(reader.shared)) for part in reader.parts)
    return Sketch(steps, reader.target, reader.per_day, tuple(_notes(steps)))


def _steps(reader: _Reader) -> SketchSteps:
    """`95%`, `0.95 x 4`, `4 x 95%`, with what is said of these steps alone."""
    first = reader.next
    count: int | None = None
    if first.kind == "number" and reader.tokens[reader.at + 1].kind == "times":
        following = reader.tokens[reader.at + 2]
        if following.kind == "share" or ("." in following.text and "." not in first.text):
            count = _count(reader, 1, MOST_STEPS, "steps")
            reader.take()
    accuracy = _share(reader)
    if count is None and reader.next.kind == "times":
        reader.take()
        count = _count(reader, 1, MOST_STEPS, "steps")
    options = Options()
    while _is_option(reader) and not reader.is_word("for"):
        options = _option(reader, options)
    return SketchSteps(accuracy, 1 if count is None else count, options)


_OPTIONS = ("retry", "fails", "with", "fallback", "for")


def _is_option(reader: _Reader) -> bool:
    return reader.is_word(*_OPTIONS) or reader.next.kind in ("money", "time", "rate")


def _option(reader: _Reader, options: Options) -> Options:
    """One thing that is said of steps, added to what was said before."""
    token = reader.next
    if token.kind == "money":
        reader.take()
        _each(reader)
        return replace(options, cost=Decimal(token.text))
    if token.kind == "time":
        reader.take()
        _each(reader)
        return replace(options, seconds=_seconds(token.text))
    if token.kind == "rate":
        reader.take()
        amount, _, period = token.text.replace(" ", "").partition("/")
        reader.per_day = Decimal(amount) * _A_DAY[period]
        return options
    if reader.is_word("retry"):
        reader.take()
        return replace(options, retry=_count(reader, 0, MOST_RETRIES, "retries"))
    if reader.is_word("fails"):
        reader.take()
        return replace(options, fails=_share(reader))
    if reader.is_word("with", "fallback"):
        reader.take()
        if token.text.casefold() == "with" and reader.is_word("fallback", "a"):
            while reader.is_word("fallback", "a"):
                reader.take()
        return replace(options, fallback=_share(reader))
    if reader.is_word("for"):
        reader.take()
        place = reader.next
        reader.target = _share(reader)
        if not 0 < reader.target < 1:
            _stop(place, "no steps reach 0% or 100%", "a target lies between: `for 90%`")
        return options
    _unexpected(reader)


def _each(reader: _Reader) -> None:
    if reader.is_word("each"):
        reader.take()


def _share(reader: _Reader) -> Decimal:
    token = reader.take()
    if token.kind == "share":
        value = Decimal(token.text.rstrip("% ")) / 100
    elif token.kind == "number":
        value = Decimal(token.text)
        if value > 1:
            help = f"write {token.text}% or {value / 100}" if value <= 100 else "95% or 0.95"
            _stop(token, f"`{token.text}` is not a share", help)
    else:
        found = "the end" if token.kind == "end" else f"`{token.text}`"
        _stop(token, f"expected a share, found {found}", "a share looks like 95% or 0.95")
    if value > 1:
        _stop(token, f"`{token.text}` is more than all", "a share is at most 100%")
    return value


def _count(reader: _Reader, least: int, most: int, what: str) -> int:
    token = reader.take()
    if token.kind != "number" or "." in token.text:
        found = "the end" if token.kind == "end" else f"`{token.text}`"
        _stop(token, f"expected how many {what}, found {found}", "a whole number, as in `x 4`")
    number = int(token.text)
    if not least <= number <= most:
        _stop(token, f"`{number}` {what} cannot be sketched", f"between {least} and {most:,}")
    return number


def _seconds(text: str) -> Decimal:
    unit = "ms" if text.endswith("ms") else text[-1]
    return Decimal(text.removesuffix(unit).strip()) * _SECONDS[unit]


def _notes(steps: tuple[SketchSteps, ...]) -> Iterator[str]:
    """A retry and a fallback need something that fails."""
    for what, used in (
        ("a retry", any(part.options.retry for part in steps)),
        ("a fallback", any(part.options.fallback is not None for part in steps)),
    ):
        if used and all(not part.options.fails for part in steps):
            yield (
                f"{what} comes in where an attempt fails, and none does here: say how often, as in"
                " `fails 5%`; against wrong answers it does not help"
            )


_SHELL = re.compile(r"(?:^|[\s,])\S*sh\.\d")
"""The remains of `$0.02` after a shell has expanded it: the shell's own name, and the rest."""


def _unexpected(reader: _Reader) -> NoReturn:
    token = reader.next
    if token.kind in ("share", "number"):
        why = f"`{token.text}` stands beside another step"
        _stop(token, why, "steps are joined by `then`: `95% x 4 then 98%`")
    found = "the end" if token.kind == "end" else f"`{token.text}`"
    if _SHELL.search(reader.text) and token.kind in ("word", "other"):
        help = "the shell took `$0` for its own name: put the sketch in single quotes"
        _stop(token, f"expected money, found {found}", help)
    help = "there are: $0.02 each, 2s each, fails 5%, retry 2, with fallback 90%, for 90%, 500/day"
    _stop(token, f"expected something about the steps, found {found}", help)


def _stop(token: _Token, why: str, help: str) -> NoReturn:
    raise NoSketch(why, token.start, token.end, help)
