"""Hints about numbers and units."""

from __future__ import annotations

from decimal import Decimal

from pipelang.syntax.bad_numbers import SCALES, UNITS
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit
from pipelang.syntax.tokens import Token

_NUMBERS = ("INT", "NUMBER")


def spaced_unit(spot: ErrorSite) -> Hint | None:
    """`10 s`, `5 min`."""
    before = spot.before()
    unit = UNITS.get(spot.text.lower())
    if unit is None or before.type not in _NUMBERS or spot.on_new_line:
        return None
    meant = before.text + unit
    return Hint(
        f"a duration is written in one piece: `{meant}`",
        TokenEdit(1, 1, (("DURATION", meant),)),
        safe=True,
    )


_WINDOWS = ("second", "sec", "minute", "min", "hour", "day", "week", "month", "year")


def a_day(spot: ErrorSite) -> Hint | None:
    """`budget $5/day`, `traffic $5/day`, `quota 10 runs/hour` alone, `traffic { 200 per day }`."""
    before = spot.before()
    if spot.wants("per") and "quota" in (spot.before(n).text for n in range(3, 7)):
        help = "a quota is kept for each tenant: `quota AMOUNT/day per tenant`"
        if spot.text == "per":
            return None
        return Hint(help, TokenEdit(0, 0, spot.put("per", "tenant")), safe=True)
    if spot.text == "per" and before.type == "INT" and spot.after().text in _WINDOWS:
        rate = f"{before.text}/{spot.after().text}"
        help = f"how many runs there are stands before the braces: `traffic {rate} {{ ... }}`"
        return Hint(help, TokenEdit(1, 2))
    if spot.text == "/" and before.type == "MONEY" and spot.after().text in _WINDOWS:
        help = (
            f"a `budget` is of one run: `budget {before.text}`; what all runs of a day may take is"
        )
        return Hint(f"{help} `quota {before.text}/day per tenant`", TokenEdit(0, 2))
    if spot.token.type == "MONEY" and before.text == "traffic":
        windowed = spot.after().text == "/" and spot.after(2).text in _WINDOWS
        help = "`traffic` says how many runs there are: `traffic 500/day`"
        return Hint(help, TokenEdit(0, 3 if windowed else 1, (("RATE", "500/day"),)))
    return None


_QUOTA_WINDOWS = {"h": "hour", "hour": "hour", "day": "day", "month": "month"}


def a_rate_of_runs(spot: ErrorSite) -> Hint | None:
    """`quota 100/day per tenant`: a rate is one token, and says nothing of what it counts."""
    before = spot.before()
    if before.type != "RATE" or not spot.wants("runs"):
        return None
    number, _, unit = before.text.partition("/")
    window = _QUOTA_WINDOWS.get(unit)
    if window is None:
        return Hint(f"a quota is of an hour, a day or a month: `{number} runs/hour`")
    words = ((spot.terminal(word), word) for word in ("runs", "/", window))
    edit = TokenEdit(1, 0, (("INT", number), *words))
    return Hint(f"to count runs say so: `{number} runs/{window}`", edit, safe=True)


def spaced_tokens(spot: ErrorSite) -> Hint | None:
    """`40 K tokens`, `40 token`, `40 k`; `40 tokens: 5%`, where `tokens:` is taken for a name."""
    before, text = spot.before(), spot.text
    if before.type not in _NUMBERS or spot.on_new_line:
        return None
    if text == "tokens" and spot.after().text == ":" and spot.wants(":"):
        meant = f"{before.text} tokens"
        help = f"before a colon an amount of tokens stands in parentheses: `({meant}):`"
        return Hint(help, TokenEdit(1, 1, (("TOKENS", meant),)))
    if text in SCALES and text not in ("b", "B", "G") and spot.after().text != ":":
        counted = spot.after().text in ("token", "tokens")
        if not counted and spot.before(2).text not in _COUNTED:
            meant = f"{Decimal(before.text) * SCALES[text]:f}"
            help = f"a number is written out in plain digits: `{meant}`"
            return Hint(help, TokenEdit(1, 1, (("INT", meant),)), safe=True)
        scale, more = "k" if SCALES[text] == 1000 else "M", 2 if counted else 1
        if SCALES[text] > 10**6:
            return None
    elif text in ("token", "toks", "Tokens"):
        scale, more = "", 1
    else:
        return None
    meant = f"{before.text}{scale} tokens"
    edit = TokenEdit(1, more, (("TOKENS", meant),))
    return Hint(f"an amount of tokens is written `{meant}`", edit, safe=True)


_COUNTED = ("context", "output", "max", "mean", "budget", ",")
"""Words before an amount of tokens."""


def million_tokens(spot: ErrorSite) -> Hint | None:
    """`1m tokens`, which was read as a minute."""
    before = spot.before()
    if before.type != "DURATION" or spot.text not in ("token", "tokens") or spot.on_new_line:
        return None
    if not before.text[:-1].isdigit() or not before.text.endswith("m"):
        return None
    meant = f"{before.text[:-1]}M tokens"
    edit = TokenEdit(1, 1, (("TOKENS", meant),))
    return Hint(f"`m` is a minute: a million tokens is written `{meant}`", edit, safe=True)


_A_TIME = {
    word: unit
    for unit, words in {
        "s": "s sec second seconds",
        "min": "m min minute minutes",
        "h": "h hr hour hours",
        "day": "d day days",
        "week": "w week weeks",
        "month": "mo month months",
    }.items()
    for word in words.split()
}


def spelt_rate(spot: ErrorSite) -> Hint | None:
    """`1000/d`, `100 per day`, `1,000/day`, `100`, where a rate is wanted."""
    if "RATE" not in spot.expected or spot.token.type != "INT":
        return None
    number, sign, behind = spot.text, spot.after(), spot.after(2)
    if sign.text == "," and behind.type == "RATE" and sign.end == behind.start:
        meant = number + behind.text
        edit = TokenEdit(0, 3, (("RATE", meant),))
        return Hint(f"digits are not grouped: write `{meant}`", edit, safe=True)
    unit = _A_TIME.get(behind.text)
    if sign.text in ("/", "per", "a") and unit is not None:
        meant = f"{number}/{unit}"
        edit = TokenEdit(0, 3, (("RATE", meant),))
        return Hint(f"a rate is written `{meant}`", edit, safe=True)
    meant = f"{number}/day"
    return Hint(f"a rate has its unit: `{meant}`", TokenEdit(0, 1, (("RATE", meant),)))


def spelt_unit(spot: ErrorSite) -> Hint | None:
    """`92 percent`, `5 dollars`, `5 USD`."""
    before, text = spot.before(), spot.text.lower()
    if before.type not in _NUMBERS:
        return None
    if text in ("percent", "pct"):
        meant = f"{before.text}%"
        return Hint(
            f"a share is written `{meant}`", TokenEdit(1, 1, (("PERCENT", meant),)), safe=True
        )
    if text in ("dollars", "dollar", "usd", "cents"):
        meant = f"${before.text}"
        edit = TokenEdit(1, 1, (("MONEY", meant),))
        return Hint(f"an amount of money is written `{meant}`", edit, safe=text != "cents")
    return None


def spaced_pages(spot: ErrorSite) -> Hint | None:
    """`20 page`."""
    before = spot.before()
    if before.type != "INT" or spot.on_new_line or spot.text not in ("page", "Pages", "pgs"):
        return None
    meant = f"{before.text} pages"
    edit = TokenEdit(1, 1, (("PAGES", meant),))
    return Hint(f"an amount of pages is written `{meant}`", edit, safe=True)


def hard_cases(spot: ErrorSite) -> Hint | None:
    """`accuracy 90% if hard`, `90%, hard 60%`, `from "a", shift 3%`, `90% shift 3%`."""
    text, before = spot.text, spot.before()
    both = "say both, the first for cases that are not hard: `97%, 60% if hard`"
    drifts = spot.before(2).text == "shift"
    counted = before.type in ("PERCENT", "INT") and not drifts
    if text == "if" and spot.after().text == "hard" and counted:
        return Hint(both, TokenEdit(0, 2))
    if before.text == "hard" and spot.before(2).text == "," and spot.token.type == "PERCENT":
        return Hint(both)
    if before.text == "shift" and spot.before(2).text == "," and spot.token.type == "PERCENT":
        return Hint('no comma stands there: `from "FILE" shift 3%`')
    if text == "shift" and drifts:
        return Hint("a file drifts by one share: say it once", TokenEdit(0, 2))
    if text == "if" and spot.after().text == "hard" and drifts:
        return Hint("a file holds all cases, hard ones too: `pipelang evidence fit` splits it")
    if text == "shift" and before.type in ("PERCENT", "INT"):
        return Hint('only a file drifts: `from "FILE.jsonl" shift 3%`; a guess has no interval')
    return None


def thousands(spot: ErrorSite) -> Hint | None:
    """`60,000 tokens`, `1,000`."""
    for comma in (0, 1):  # the comma may fit, and what is behind it not
        sign = spot.before(comma) if comma else spot.token
        number, rest = spot.before(comma + 1), spot.after(1 - comma) if not comma else spot.token
        if (
            sign.text != ","
            or number.type not in ("INT", "MONEY")
            or rest.type
            not in (
                "INT",
                "TOKENS",
            )
        ):
            continue
        digits = rest.text.split()[0]
        if len(digits) != 3 or number.end != sign.start or sign.end != rest.start:
            continue
        meant = number.text + rest.text
        kind = number.type if rest.type == "INT" else rest.type
        edit = TokenEdit(1, 2, ((kind, meant),)) if not comma else None
        return Hint(f"digits are not grouped: write `{meant}`", edit, safe=True)
    return None


def share_without_sign(spot: ErrorSite) -> Hint | None:
    """`kind: simple 60`, `a: 5`."""
    token, before = spot.token, spot.before()
    if token.type in _NUMBERS and "PERCENT" in spot.expected and token.type not in spot.expected:
        edit = TokenEdit(0, 1, (("PERCENT", token.text + "%"),))
        safe = _is_share(token.text)
        return Hint(f"shares are written with a percent sign: {token.text}%", edit, safe=safe)
    if before.type in _NO_SHARE and spot.expected and spot.expected <= {"OF", "MEAN"}:
        meant = _as_share(before)
        help = None if meant is None else f"shares are written with a percent sign: {meant}"
        safe = before.type == "INT" and _is_share(before.text)
        edit = TokenEdit(1, 0, (("PERCENT", meant or "1%"),))
        return Hint(help, edit, 1, "a share like 70%", f"`{before.text}`", safe)
    if token.type == "NUMBER" and "INT" in spot.expected and "NUMBER" not in spot.expected:
        return Hint("a whole number stands here", TokenEdit(0, 1, (("INT", "1"),)))
    return None


_NO_SHARE = ("INT", "NUMBER", "MONEY", "DURATION", "RATE")


def _as_share(number: Token) -> str | None:
    """The share that a number without a sign may stand for: 60 is 60%, and so is 0.6."""
    if number.type == "INT":
        return f"{number.text}%"
    if number.type == "NUMBER" and Decimal(number.text) < 1:
        return f"{(Decimal(number.text) * 100).normalize():f}%"
    return f"{number.text}%" if number.type == "NUMBER" else None


def _is_share(digits: str) -> bool:
    """Whether a number without a sign can only be meant in hundredths: 1 may be all or 1%."""
    return digits.isdigit() and 1 < int(digits) <= 100


def leading_point(spot: ErrorSite) -> Hint | None:
    """`.5`, `5.`."""
    after = spot.after()
    if (
        spot.text == "."
        and after.type in ("INT", "PERCENT", "DURATION")
        and after.start == spot.token.end
        and "." not in after.text
    ):
        meant = "0." + after.text
        kind = "NUMBER" if after.type == "INT" else after.type
        edit = TokenEdit(0, 2, ((kind, meant),))
        return Hint(f"a number starts with a digit: write `{meant}`", edit, safe=True)
    before = spot.before()
    if before.text == "." and spot.before(2).type == "INT" and before.start == spot.before(2).end:
        return Hint(
            f"a number ends with a digit: write `{spot.before(2).text}`", TokenEdit(1, 0), 1
        )
    return None


def one_length(spot: ErrorSite) -> Hint | None:
    """`output 50 tokens`: whether that is the mean or the most is not said."""
    amount = spot.before()
    named = amount.type == "TOKENS" and spot.before(2).text == "output"
    if named and spot.text != "tokens" and spot.wants("mean") and spot.wants("max"):
        meant = amount.text
        help = (
            f"say which it is: `output {meant} max`, or `output {meant} mean, MOST max` with both"
        )
        return Hint(help, TokenEdit(0, 0, spot.put("max")))
    return None


def missing_quantity(spot: ErrorSite) -> Hint | None:
    """`retry backoff 1s..30s`, `timeout`: the number that an option needs."""
    option = spot.before()
    if option.text == "backoff" and spot.before(2).text == "retry" and spot.taken_as_name:
        edit = TokenEdit(1, 0, (("INT", "1"), *spot.put("backoff")))
        return Hint(f"as in `{_EXAMPLES['retry']}`", edit, 1, "a quantity", "`backoff`")
    if (
        spot.wants("median", "in", "p95")
        and spot.kind == "option"
        and (not spot.wants_quantity and not spot.wants("}"))
    ):
        behind = [spot.before(n).text for n in (1, 2, 3)]
        word = "price" if spot.wants("out") else "latency"
        word = "responds" if "responds" in behind else word
        return Hint(f"as in `{_EXAMPLES[word]}`")
    if not spot.wants_quantity or option.text not in _EXAMPLES:
        return None
    return Hint(f"as in `{_EXAMPLES[option.text]}`")


_EXAMPLES = {
    "retry": "retry 2 backoff 1s..30s",
    "timeout": "timeout 30s",
    "accuracy": "accuracy 92%",
    "latency": "latency 600ms median, 2s p95",
    "succeeds": "succeeds 99.9%",
    "responds": "responds 15m median, 2h p95",
    "budget": "budget $0.25, 5m, 60k tokens",
    "cache": "cache 1h by ticket.id",
    "vote": "vote 3",
    "steps": "steps 20",
    "turns": "turns 8",
    "parallel": "parallel 10",
    "correlation": "correlation 30%",
    "recovers": "recovers 20%",
    "catches": "catches 90%",
    "false_alarms": "false_alarms 3%",
    "backoff": "retry 2 backoff 1s..30s",
    "within": "within 4h",
    "to": "up to 2",
    "rate": "rate 100/min",
    "price": "price $1 in, $5 out",
    "output": "output 250 tokens mean, 800 tokens max",
    "over": "over 7d",
}

SLIPS = (
    spaced_unit,
    spaced_tokens,
    million_tokens,
    spelt_rate,
    spaced_pages,
    spelt_unit,
    thousands,
    share_without_sign,
    leading_point,
)
