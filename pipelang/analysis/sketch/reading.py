"""Reads a sketch: its steps, what is said of them, and where a mistake in it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NoReturn

from pipelang.records import NamedTuple, dataclass

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
_OPTIONS = ("retry", "fails", "with", "fallback", "for")
_SHELL = re.compile(r"(?:^|[\s,])\S*sh\.\d")
"""Reading of `$0.02` by a shell: its own name, and what is left."""


class NoSketch(ValueError):
    """A sketch that cannot be read: the reason, its place (a span of the text), and help."""

    def __init__(self, why: str, start: int, end: int, help: str) -> None:
        super().__init__(why)
        self.start, self.end, self.help = start, end, help


@dataclass(frozen=True, slots=True)
class SketchSteps:
    """`count` equal steps. `fails` is the share of attempts that fail, `retry` the number of
    further attempts, `fallback` the accuracy of what answers after the last; an attempt costs
    `cost` dollars and takes `seconds`.
    """

    accuracy: Decimal
    count: int
    fails: Decimal = Decimal(0)
    retry: int = 0
    fallback: Decimal | None = None
    cost: Decimal = Decimal(0)
    seconds: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sketch:
    """Steps in order; `target` is the share of right runs that is wanted, `per_day` the runs a
    day; `notes` name options without effect.
    """

    steps: tuple[SketchSteps, ...]
    target: Decimal | None = None
    per_day: Decimal | None = None
    notes: tuple[str, ...] = ()


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def read(text: str) -> Sketch:
    """Read a sketch. Raises `NoSketch`."""
    return _Reader(text).sketch()


class _Reader:
    """Takes the words one by one. `shared` are the options of every step that has no own."""

    def __init__(self, text: str) -> None:
        self.text = text
        kinds = ((match, match.lastgroup or "") for match in _WORD.finditer(text))
        self.tokens = [_Token(kind, match[kind], *match.span(kind)) for match, kind in kinds]
        end = len(text.rstrip())
        self.tokens.append(_Token("end", "", end, end + 1))
        self.shared: dict[str, Decimal | int] = {}
        self.target: Decimal | None = None
        self.per_day: Decimal | None = None

    @property
    def next(self) -> _Token:
        return self.tokens[0]

    def take(self) -> _Token:
        return self.tokens.pop(0)

    def is_word(self, *words: str) -> bool:
        return self.next.kind == "word" and self.next.text.casefold() in words

    def skip(self, *words: str) -> bool:
        found = self.is_word(*words)
        if found:
            self.take()
        return found

    def is_option(self) -> bool:
        return self.is_word(*_OPTIONS) or self.next.kind in ("money", "time", "rate")

    def sketch(self) -> Sketch:
        if self.next.kind == "end":
            _stop(self.next, "there is nothing to work out", 'try `pipelang sketch "0.95 x 4"`')
        parts = [self.steps()]
        while self.next.kind != "end":
            if self.skip("then", "and", "->", "→"):
                parts.append(self.steps())
            elif self.next.kind == "comma":
                self.take()
                if not self.is_word("then"):
                    self.option(self.shared)
            elif len(parts) == 1 and self.is_option():
                self.option(self.shared)
            else:
                self.unexpected()
        steps = tuple(
            SketchSteps(accuracy, count, **{**self.shared, **own})  # type: ignore[arg-type]
            for accuracy, count, own in parts
        )
        return Sketch(steps, self.target, self.per_day, tuple(_notes(steps)))

    def steps(self) -> tuple[Decimal, int, dict[str, Decimal | int]]:
        """`95%`, `0.95 x 4`, `4 x 95%`, with the options of these steps alone."""
        count = None
        if self.next.kind == "number" and self.tokens[1].kind == "times":
            second = self.tokens[2]
            if second.kind == "share" or ("." in second.text and "." not in self.next.text):
                count = self.count(1, MOST_STEPS, "steps")
                self.take()
        accuracy = self.share()
        if count is None and self.next.kind == "times":
            self.take()
            count = self.count(1, MOST_STEPS, "steps")
        own: dict[str, Decimal | int] = {}
        while self.is_option() and not self.is_word("for"):
            self.option(own)
        return accuracy, 1 if count is None else count, own

    def option(self, into: dict[str, Decimal | int]) -> None:
        """One option, added to those before it."""
        token = self.next
        kind, text = token.kind, token.text
        if kind == "money":
            self.take()
            self.skip("each")
            _once(into, "cost", Decimal(text), token)
        elif kind == "time":
            self.take()
            self.skip("each")
            unit = "ms" if text.endswith("ms") else text[-1]
            _once(into, "seconds", Decimal(text.removesuffix(unit).strip()) * _SECONDS[unit], token)
        elif kind == "rate":
            self.take()
            amount, _, period = text.replace(" ", "").partition("/")
            if self.per_day is not None:
                _twice(token, "runs a day")
            self.per_day = Decimal(amount) * _A_DAY[period]
        elif self.skip("retry"):
            _once(into, "retry", self.count(0, MOST_RETRIES, "retries"), token)
        elif self.skip("fails"):
            _once(into, "fails", self.share(), token)
        elif self.skip("fallback"):
            _once(into, "fallback", self.share(), token)
        elif self.skip("with"):
            while self.skip("fallback", "a"):
                pass
            _once(into, "fallback", self.share(), token)
        elif self.skip("for"):
            place = self.next
            if self.target is not None:
                _twice(token, "a target")
            self.target = self.share()
            if not 0 < self.target < 1:
                _stop(place, "no steps reach 0% or 100%", "a target lies between: `for 90%`")
        else:
            self.unexpected()

    def share(self) -> Decimal:
        token = self.take()
        if token.kind not in ("share", "number"):
            why = f"expected a share, found {_shown(token)}"
            _stop(token, why, "a share looks like 95% or 0.95")
        value = Decimal(token.text.rstrip("% ")) / (100 if token.kind == "share" else 1)
        if value > 1 and token.kind == "number":
            help = f"write {token.text}% or {value / 100}" if value <= 100 else "95% or 0.95"
            _stop(token, f"`{token.text}` is not a share", help)
        if value > 1:
            _stop(token, f"`{token.text}` is more than all", "a share is at most 100%")
        return value

    def count(self, least: int, most: int, what: str) -> int:
        token = self.take()
        if token.kind != "number" or "." in token.text:
            why = f"expected how many {what}, found {_shown(token)}"
            _stop(token, why, "a whole number, as in `x 4`")
        number = int(token.text)
        if not least <= number <= most:
            _stop(token, f"`{number}` {what} cannot be sketched", f"between {least} and {most:,}")
        return number

    def unexpected(self) -> NoReturn:
        token = self.next
        if token.kind in ("share", "number"):
            why = f"`{token.text}` stands beside another step"
            _stop(token, why, "steps are joined by `then`: `95% x 4 then 98%`")
        if _SHELL.search(self.text) and token.kind in ("word", "other"):
            help = "the shell took `$0` for its own name: put the sketch in single quotes"
            _stop(token, f"expected money, found {_shown(token)}", help)
        help = (
            "there are: $0.02 each, 2s each, fails 5%, retry 2, with fallback 90%, for 90%, 500/day"
        )
        _stop(token, f"expected something about the steps, found {_shown(token)}", help)


_NAMES = {
    "cost": "a cost",
    "seconds": "a time",
    "retry": "a `retry`",
    "fails": "a `fails`",
    "fallback": "a fallback",
}


def _once(into: dict[str, Decimal | int], name: str, value: Decimal | int, token: _Token) -> None:
    """Set an option that was not said before."""
    if name in into:
        _twice(token, _NAMES[name])
    into[name] = value


def _twice(token: _Token, what: str) -> NoReturn:
    help = "keep one of the two; what is said of one step alone stands behind it, before a comma"
    _stop(token, f"{what} stands here twice", help)


def _notes(steps: tuple[SketchSteps, ...]) -> Iterator[str]:
    """A retry and a fallback need something that fails."""
    if any(part.fails for part in steps):
        return
    retries, fallbacks = (part.retry for part in steps), (part.fallback for part in steps)
    for what, used in (
        ("a retry", any(retries)),
        ("a fallback", any(one is not None for one in fallbacks)),
    ):
        if used:
            yield (
                f"{what} comes in where an attempt fails, and none does here: say how often, as in"
                " `fails 5%`; against wrong answers it does not help"
            )


def _shown(token: _Token) -> str:
    return "the end" if token.kind == "end" else f"`{token.text}`"


def _stop(token: _Token, why: str, help: str) -> NoReturn:
    raise NoSketch(why, token.start, token.end, help)
