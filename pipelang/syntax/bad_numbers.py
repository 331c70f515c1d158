"""Numbers that are no tokens: other units, letters for thousands, grouped digits, other currencies.

A letter behind a number says something else in each place: `1M` is a million in a test, a million
tokens as a length and a minute as a time. So the words before it decide what it was meant as.
"""

from __future__ import annotations

import re
from decimal import Decimal

from pipelang.diagnostics import Edit, Source, Span, codes, report
from pipelang.syntax.lexicon import LONGEST_NUMBER
from pipelang.syntax.recovery.spacing import replacing
from pipelang.syntax.strange import NO_TOKEN, Strange

_SECONDS = {
    "ms": "ms msec msecs millis milliseconds millisecond",
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "d day days",
}
UNITS = {word: unit for unit, words in _SECONDS.items() for word in words.split()}
"""Units of time as people write them, with pipelang's spelling."""

_LONG = {
    unit: Decimal(seconds)
    for unit, seconds in {"ms": "0.001", "s": "1", "m": "60", "h": "3600", "d": "86400"}.items()
}

SCALES = {
    word: 10**power
    for power, words in {
        3: "k K thousand",
        6: "M mn mio mln mil million",
        9: "b B bn G billion",
    }.items()
    for word in words.split()
}
"""Letters and words that people write for thousands, millions and billions."""

_SHORT = {
    "INT": "1", "NUMBER": "1.0", "PERCENT": "1%", "MONEY": "$1", "DURATION": "1s", "RATE": "1/s",
    "TOKENS": "1 tokens",
}  # fmt: skip
"""A short numeral of each kind, which the parser goes on with instead of one that is too long."""

_RUN = re.compile(r"[$\d][\w.%$]*", re.ASCII)
_GROUPED = re.compile(r"(\$?)(\d+(?:_\d+)+(?:\.\d+)?)(%?)", re.ASCII)
_UNIT = re.compile(r"(\$?)(\d*(?:\.\d+)?)([A-Za-z]+)", re.ASCII)
_SPACED = re.compile(r"\$[ \t]+(\d+(?:\.\d+)?)(?![\w.])", re.ASCII)
_MIXED = re.compile(r"(?:\d+(?:ms|[smhd])){2,}", re.ASCII)
_POWER = re.compile(r"(\$?)(\d+(?:\.\d+)?)[eE]([+-]?\d{1,3})(%?)(?!\w|\.\d|[%$])", re.ASCII)
_POINT = re.compile(r"\$(\.\d+)", re.ASCII)
_TOKENS = re.compile(r"[ \t]+(?:tokens?|tok)\b(?!\s*:)", re.IGNORECASE)
_A_TIME = re.compile(r"/(s|min|h|hour|day|week|month)\b")
_BEFORE = re.compile(r"(\d+(?:\.\d+)?)[ \t]*\Z", re.ASCII)

_IN_ENUM = re.compile(r"\benum\s+\w+\s*\{[^{}]*\Z", re.ASCII)
_IN_HEAD = re.compile(r"\b(?:type\s+\w+\s*\{|(?:tool|pipeline)\s+\w+\s*\()[^{}()]*\Z", re.ASCII)
_TYPED = re.compile(r'\s*("[^"\n]*"\s*)?:')

_TIME_BEFORE = re.compile(
    r"\b(?:timeout|within|for|every|keeps|cache|over|responds|handles|latency|median)\s*,?\s*\Z"
    r"|\d(?:ms|[smhd])\s*(?:\.\.|,)\s*\Z"
)
_TOKENS_BEFORE = re.compile(r"\b(?:context|output|mean\s*,|text\s+max)\s*\Z|\btokens\s*\.\.\s*\Z")
_MEAN_BEHIND = re.compile(r"\s+(?:mean|max)\b")
_LENGTH_BEFORE = re.compile(r"\blength\s*:\s*\Z")
_BUDGET_BEFORE = re.compile(r"\bbudget\s(?:[^{}\n]*,)?\s*\Z")
_STEPS_BEHIND = re.compile(r"\s+steps\b")
_BYTES = re.compile(r"[kKmMgG]i?[bB]|bytes?")
_CENTS = ("c", "ct", "cts", "cent", "cents")


def bad_number(source: Source, at: int) -> Strange:
    """The guess at text that starts like a number and is none."""
    text = source.text
    spaced = _SPACED.match(text, at)
    if spaced is not None:
        return _guess(source, at, spaced.end(), "MONEY", "$" + spaced.group(1))
    run = _RUN.match(text, at)
    if run is None:  # a digit of another script
        return _guess(source, at, at + 1, NO_TOKEN, "")
    end, found = run.end(), run.group(0)
    if found == "$":
        return _dollars_behind(source, at)
    point = _POINT.fullmatch(found)
    if point is not None:
        return _guess(source, at, end, "MONEY", f"$0{point.group(1)}")
    grouped = _GROUPED.fullmatch(found)
    if grouped is not None:
        sign, digits, percent = grouped.groups()
        kind = "MONEY" if sign else "PERCENT" if percent else "NUMBER" if "." in digits else "INT"
        return _guess(source, at, end, kind, sign + digits.replace("_", "") + percent)
    with_unit = _UNIT.fullmatch(found)
    if with_unit is not None and with_unit.group(2):
        guess = _with_unit(source, at, end, *with_unit.groups())
        if guess is not None:
            return guess
    if _MIXED.fullmatch(found):
        return _one_unit(source, at, end, found)
    if found[0] == "$" and found[1:].isidentifier():
        help = f"names stand without `$`: `{found[1:]}`"
        return _guess(source, at, end, "NAME", found[1:], help=help, edit=False)
    named = _TYPED.match(text, end) and _IN_HEAD.search(text, 0, at)
    if found[0] != "$" and found.isalnum() and (named or _IN_ENUM.search(text, 0, at)):
        inner = f"n{found}".lower()
        help = f'a name begins with a letter: what is called so outside is `{inner} "{found}"` here'
        return _guess(source, at, end, "NAME", inner, help=help, edit=False)
    power = _POWER.match(text, at)
    if power is not None:
        return _with_exponent(source, at, power.end(), *power.groups())
    return _guess(source, at, end, NO_TOKEN, "")


def _with_exponent(
    source: Source, at: int, end: int, sign: str, digits: str, power: str, percent: str
) -> Strange:
    """`1e-3`, `2.5e6`, `$1e2`, `5e-1%`: the same in plain digits."""
    plain = format(Decimal(f"{digits}e{power}"), "f")
    kind = "MONEY" if sign else "PERCENT" if percent else "NUMBER" if "." in plain else "INT"
    meant = sign + plain + percent
    if len(meant) <= LONGEST_NUMBER:
        help = f"a number is written out in plain digits: `{meant}`"
        return _guess(source, at, end, kind, meant, help=help)
    help = f"a number is written in plain digits, of which at most {LONGEST_NUMBER} fit"
    told = report(
        codes.BAD_NUMBER, Span(source.name, at, end), found=source.text[at:end], help=help
    )
    return Strange(end, told, kind, _SHORT[kind])


def _with_unit(
    source: Source, at: int, end: int, sign: str, digits: str, unit: str
) -> Strange | None:
    """`10sec`, `1M`, `$1.5k`, `92pct`, `50c`, `100kb`; None where nothing is known of the unit."""
    if sign:
        if unit not in SCALES:
            return None
        return _guess(source, at, end, "MONEY", "$" + _scaled(digits, unit))
    if _IN_ENUM.search(source.text, max(0, at - 2000), at):
        return None
    if unit in SCALES and not _is_time(source.text, at, unit):
        return _thousands(source, at, end, digits, unit)
    if unit.lower() in UNITS:
        return _guess(source, at, end, "DURATION", digits + UNITS[unit.lower()])
    if unit.lower() in ("tokens", "token", "tok"):
        return _guess(source, at, end, "TOKENS", f"{digits} tokens")
    if unit.lower() in ("usd", "pct", "percent"):
        money = unit.lower() == "usd"
        meant = f"${digits}" if money else f"{digits}%"
        return _guess(source, at, end, "MONEY" if money else "PERCENT", meant)
    if unit.lower() in _CENTS:
        return _guess(source, at, end, "MONEY", f"${Decimal(digits) / 100:.2f}")
    if _BYTES.fullmatch(unit):
        help = "lengths are not in bytes: a text has tokens, of three bytes each (`40k tokens`)"
        word = _TOKENS.match(source.text, end)
        stop = end if word is None else word.end()
        return _guess(source, at, end, "TOKENS", "1 tokens", stop, help=help, edit=False)
    return None


def _is_time(text: str, at: int, unit: str) -> bool:
    """Whether `M` stands where a time is wanted, so that it was meant as minutes."""
    return unit == "M" and _TIME_BEFORE.search(text, max(0, at - 80), at) is not None


def _thousands(source: Source, at: int, end: int, digits: str, unit: str) -> Strange:
    """A number with a letter for thousands or millions: an amount of tokens, a rate, or a number
    like any other, as what is around it says.
    """
    text, start = source.text, max(0, at - 200)
    plain = _scaled(digits, unit)
    word, rate = _TOKENS.match(text, end), _A_TIME.match(text, end)
    if rate is not None:
        return _guess(source, at, end + len(rate.group(0)), "RATE", plain + rate.group(0))
    scale = {3: "k", 6: "M"}.get(len(str(SCALES[unit])) - 1)
    amount = f"{plain} tokens" if scale is None else f"{digits}{scale} tokens"
    mean = _MEAN_BEHIND.match(text, end) and not _LENGTH_BEFORE.search(text, start, at)
    if word is not None or mean or _TOKENS_BEFORE.search(text, start, at):
        return _guess(source, at, end, "TOKENS", amount, None if word is None else word.end())
    in_budget = _BUDGET_BEFORE.search(text, start, at) and not _STEPS_BEHIND.match(text, end)
    if in_budget and unit != "M":
        return _guess(source, at, end, "TOKENS", amount)
    if in_budget:
        help = f"write `{amount}`, or `{digits}m` for minutes"
        return _guess(source, at, end, "TOKENS", amount, help=help, edit=False)
    return _guess(source, at, end, "NUMBER" if "." in plain else "INT", plain)


def _scaled(digits: str, unit: str) -> str:
    """A number of thousands or millions in plain digits."""
    number = Decimal(digits) * SCALES[unit]
    return format(number.to_integral() if number == number.to_integral() else number, "f")


def _dollars_behind(source: Source, at: int) -> Strange:
    """`5 $`, `5$`: the sign stands first."""
    number = _BEFORE.search(source.text, max(0, at - 30), at)
    if number is None:
        return _guess(source, at, at + 1, NO_TOKEN, "")
    meant = f"${number.group(1)}"
    span = Span(source.name, number.start(), at + 1)
    help = f"the sign stands before the amount: `{meant}`"
    found = source.text[number.start() : at + 1]
    told = report(
        codes.BAD_NUMBER, Span(source.name, at, at + 1), found=found, help=help,
        edits=(Edit(span, meant),),
    )  # fmt: skip
    return Strange(at + 1, told, NO_TOKEN, "$")


def _one_unit(source: Source, at: int, end: int, found: str) -> Strange:
    """`1h30m`: a duration in the smallest of its units."""
    parts = re.findall(r"(\d+)(ms|[smhd])", found)
    smallest = min((unit for _, unit in parts), key=lambda unit: _LONG[unit])
    total = sum((int(number) * _LONG[unit] for number, unit in parts), Decimal(0))
    meant = f"{total / _LONG[smallest]:f}".removesuffix(".0") + smallest
    help = f"a duration has one unit: `{meant}`"
    return _guess(source, at, end, "DURATION", meant, help=help)


def _guess(
    source: Source,
    at: int,
    end: int,
    kind: str,
    meant: str,
    skip: int | None = None,
    *,
    help: str | None = None,
    edit: bool = True,
) -> Strange:
    """The guess that the text from `at` was meant as a token; `skip` is the end of what else was
    meant with it. `edit`: it can only be meant so.
    """
    found = source.text[at:end]
    if len(meant) > LONGEST_NUMBER and kind != "NAME":
        kind, meant, help = NO_TOKEN, "", None
    if help is None and meant:
        help = f"write `{meant}`"
        if kind in ("INT", "NUMBER"):
            help = f"a number is written out in plain digits: `{meant}`"
        if kind == "TOKENS":
            help = f"an amount of tokens is written `{meant}`"
    span, stop = Span(source.name, at, end), skip or end
    edits = (replacing(source, at, stop, meant),) if meant and edit else ()
    diagnostic = report(codes.BAD_NUMBER, span, found=found, help=help, edits=edits)
    return Strange(stop, diagnostic, kind, meant or found)


def too_long(source: Source, at: int, end: int, kind: str) -> Strange:
    """A numeral of more than `LONGEST_NUMBER` characters, replaced by a short one of its kind."""
    found = report(codes.BAD_NUMBER, Span(source.name, at, end), found=source.text[at:end])
    return Strange(end, found, kind, _SHORT[kind])
