"""Finds every number in a text and says which are not among the facts.

A number has a kind (money and its currency, percent, points, a ratio, or plain), a scale and a
sign. It stands for a fact if kind, currency and sign are the same and the fact, rounded as the text
rounds, gives what is written. Dates are told from numbers by what stands around them. What can't be
read one way only (`4,2`, `1.234.567`) is no fact. Of what a number is told is not looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

SCALES = {
    "thousand": 3, "k": 3, "million": 6, "millions": 6, "m": 6, "mn": 6, "mm": 6, "mio": 6,
    "billion": 9, "billions": 9, "bn": 9, "b": 9, "trillion": 12, "tn": 12,
}  # fmt: skip
CURRENCIES = {
    **dict.fromkeys(("$", "US$", "USD", "dollars"), "USD"),
    **dict.fromkeys(("€", "EUR", "euros", "euro"), "EUR"),
    **dict.fromkeys(("£", "GBP", "pounds"), "GBP"),
    **dict.fromkeys(("¥", "JPY", "yen"), "JPY"),
    **dict.fromkeys(("CHF", "francs"), "CHF"),
}
WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        " fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)

_DATES = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b"
    rf"|\b{MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+(?P<y1>\d{{4}}))?\b"
    r"(?!\s*(?:%|percent|million|billion))"
    rf"|\b\d{{1,2}}\s+{MONTHS}(?:\s+(?P<y2>\d{{4}}))?\b|\b{MONTHS}\s+(?P<y3>\d{{4}})\b"
    r"|\b[QH][1-4](?:\s*(?:FY)?\s*'?(?P<y4>\d{4}|\d{2}))?\b|\bFY\s?'?(?P<y5>\d{4}|\d{2})\b"
    r"|\b[1-4]Q\s?'?(?P<y6>\d{2,4})\b"
    r"|\b(?:form\s+)?(?:10-[KQ]|8-K|20-F|S&P 500|ASC \d+|IFRS \d+)(?![\d%])",
    re.I,
)
_YEAR = re.compile(r"(?<![\d.,$€£¥])(?:19|20)\d{2}(?!,?\d|\.\d|%)")
_UNIT_AFTER = re.compile(
    r"\s*-?\s*(%|percentage[ -]points?|points?|pp\b|pts?\b|bps\b|basis[ -]points?|percent\b"
    r"|per cent\b|thousand\b|millions?\b|mn\b|mm\b|mio\b|m\b|billions?\b|bn\b|b\b|trillion\b"
    r"|tn\b|k\b|x\b|times\b)",
    re.I,
)
_CURRENCY_AFTER = re.compile(
    r"\s*(?:of\s+)?(dollars|euros?|pounds|yen|francs|USD|EUR|GBP|JPY|CHF|€|£|¥)", re.I
)
_CURRENCY_BEFORE = re.compile(r"(US\$|\$|€|£|¥|USD|EUR|GBP|JPY|CHF)\s*$")
_BEFORE_YEAR = (
    r"(\b(in|of|for|with|against|from|since|by|during|fiscal|year|to|and|vs\.?|versus|than|until|early"
    r"|late|mid|end|through|the)[ -]|[(/-])\s*$"
)
_NUMBER = re.compile(r"\d[\d.,'  ]*\d|\d")
_DOWN = re.compile(
    r"\b(fell|falls?|fallen|falling|declin\w+|decreas\w+|dropp\w+|drops?|down|loss|losses|lost"
    r"|shrank|shr[iu]nk\w*|contract(?:ed|s|ion)|slipp\w+|narrow\w+|below|under|lower|negative|minus"
    r"|reduc\w+|behind|outflows?|deficit|burn\w*)\b",
    re.I,
)
_UP = re.compile(
    r"\b(rose|rises?|grew|grow\w*|increas\w+|up|gain\w*|above|higher|improv\w+|widen\w+"
    r"|profit\w*|ahead|expan\w+)\b",
    re.I,
)
_LATER = re.compile(r"[^.;,]{0,12}?\b(lower|higher|below|above|loss|decline|drop|increase|gain)\b")
_CLAUSE = r"[.;:!?](?=\s)|,(?=\s)|\b(?:and|while|but|from|to|against|versus|whereas)\b"
_VAGUE = re.compile(
    r"\b(doubl\w+|tripl\w+|quadrupl\w+|halv\w+|two[- ]thirds|(?:a|one)[- ](?:third|quarter of)"
    r"|half of)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as a text has it; `step` is one unit of its last digit."""

    text: str
    value: Decimal
    step: Decimal
    kind: str
    currency: str
    signed: bool
    direction: int


def offenders(body: str, facts: Iterable[Any], years: Iterable[int]) -> list[str]:
    """What is written in `body` as a number and is no fact; the first 20, shortened."""
    known = [fact if isinstance(fact, dict) else fact.model_dump(mode="json") for fact in facts]
    text = unicodedata.normalize("NFKC", body).replace("−", "-").replace("–", "-")
    allowed = {int(year) for year in years}
    wrong = [match[0] for match in _VAGUE.finditer(text)]
    text, strange = _without_dates(text, allowed)
    wrong += strange
    for figure in _figures(text):
        if isinstance(figure, str):
            wrong.append(figure)
        elif not any(_is(figure, fact) for fact in known):
            wrong.append(figure.text)
    return [one.strip()[:60] for one in wrong][:20]


def _without_dates(text: str, years: set[int]) -> tuple[str, list[str]]:
    strange: list[str] = []

    def dated(match: re.Match[str]) -> str:
        year = next((part for part in match.groups() if part), None)
        iso = re.match(r"(\d{4})-", match[0])
        if iso:
            year = iso[1]
        if year is not None and (int(year) if len(year) == 4 else 2000 + int(year)) not in years:
            strange.append(match[0])
        return " " * len(match[0])

    def plain(match: re.Match[str]) -> str:
        after = text[match.end() :]
        before = text[: match.start()]
        if (
            _UNIT_AFTER.match(after)
            or _CURRENCY_BEFORE.search(before)
            or _CURRENCY_AFTER.match(after)
        ):
            return match[0]
        if not re.search(
            _BEFORE_YEAR,
            before,
            re.I,
        ):
            return match[0]
        if int(match[0]) not in years:
            return match[0]
        return " " * 4

    text = _DATES.sub(dated, text)
    return _YEAR.sub(plain, text), strange


def _figures(text: str) -> Iterable[Figure | str]:
    spelled = "|".join(sorted(WORDS, key=len, reverse=True))
    for match in re.finditer(rf"\b((?:{spelled})(?:[- ](?:{spelled}))?)\b", text, re.I):
        after = _UNIT_AFTER.match(text[match.end() :])
        if after is not None or WORDS[re.split(r"[- ]", match[0].lower())[0]] > 12:
            value = sum(WORDS[part] for part in re.split(r"[- ]", match[0].lower()))
            yield _made(text, match.start(), match.end(), Decimal(value), Decimal(1))
    for match in _NUMBER.finditer(text):
        named = re.search(r"[A-Za-z_]$", text[: match.start()])
        if named and not re.search(r"(USD|EUR|GBP|JPY|CHF)$", text[: match.start()]):
            continue  # part of a name: `A320`, `B2B`
        raw = match[0].rstrip(".,' ")
        end = match.start() + len(raw)
        plain = raw.replace(" ", "")
        if not re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?", plain) or " " in raw:
            yield text[max(0, match.start() - 1) : end + 8]
            continue
        digits = plain.replace(",", "")
        _, _, decimals = digits.partition(".")
        yield _made(text, match.start(), end, Decimal(digits), Decimal(1).scaleb(-len(decimals)))


def _made(text: str, start: int, end: int, value: Decimal, step: Decimal) -> Figure:
    before, after = text[:start], text[end:]
    kind, currency, scale = "plain", "", 0
    shown_end = end
    closed = re.match(r"\)", after) if re.search(r"\(\s*(US\$|[$€£¥])?\s*$", before) else None
    if closed is not None:  # `(3.7)%` and `$(312.4) million`
        end += 1
        after = after[1:]
        before = re.sub(r"\(\s*(US\$|[$€£¥])?\s*$", lambda found: found[1] or "", before)
    unit = _UNIT_AFTER.match(after)
    if unit is not None:
        word = re.sub(r"\s+", " ", unit[1].lower()).replace("-", " ")
        shown_end = end + unit.end()
        if word in SCALES:
            scale = SCALES[word]
        elif word in ("x", "times"):
            kind = "ratio"
        elif word.startswith(("bps", "basis")):
            kind, scale = "points", -2
        elif word.startswith(("percentage", "point", "pp", "pt")):
            kind = "points"
        else:
            kind = "percent"
            if re.match(r"[ -]*(percentage )?points?\b", text[shown_end:], re.I):
                kind = "points"
    sign = re.search(
        r"(\()?\s*([-+])?\s*(?:US\$|[$€£¥]|USD|EUR|GBP|JPY|CHF)?\s*([-+])?\s*$", before
    )
    front = _CURRENCY_BEFORE.search(re.sub(r"[-+]\s*$", "", before))
    back = _CURRENCY_AFTER.match(text[shown_end:])
    if kind == "plain" and front is not None:
        kind, currency = "money", CURRENCIES[front[1]]
    elif kind == "plain" and back is not None:
        kind, currency = (
            "money",
            CURRENCIES.get(back[1].lower(), CURRENCIES.get(back[1].upper(), "")),
        )
    bracketed = closed is not None or (
        bool(sign and sign[1]) and re.match(r"\s*(%|\w+)?\s*\)", text[end:]) is not None
    )
    # `(4.2)` is how accounts write a minus; `(4.2%)` and `($4.2 million)` in a sentence as well,
    # but only where nothing else stands in the brackets.
    minus = bool(sign) and "-" in ((sign[2] or ""), (sign[3] or ""))
    direction = -1 if bracketed or minus else 0
    signed = direction != 0 or (bool(sign) and "+" in ((sign[2] or ""), (sign[3] or "")))
    if bracketed and closed is None:
        ups = list(_UP.finditer(re.split(r"[.,;:!?](?=\s)", before)[-1]))
        direction = 1 if ups else direction  # `rose (3.7%)` is no minus
    if front is not None and back is not None:
        currency = currency if CURRENCIES.get(back[1].upper(), currency) == currency else "?"
    if not signed:
        clause = re.split(_CLAUSE, before)[-1]
        near = [*_DOWN.finditer(clause), *_UP.finditer(clause)]
        if not near:
            sentence = re.split(r"[.;!?](?=\s)", before)[-1]
            near = [*_DOWN.finditer(sentence), *_UP.finditer(sentence)]
        later = _LATER.match(text[shown_end:])
        if later is not None:
            direction = -1 if _DOWN.fullmatch(later[1]) or later[1] in ("decline", "drop") else 1
        elif near:
            last = max(near, key=lambda found: found.start())
            direction = -1 if _DOWN.fullmatch(last[0]) else 1
    factor = Decimal(1).scaleb(scale)
    lead = re.search(r"[-+($€£¥]*$", text[:start])
    shown = text[lead.start() if lead else start : shown_end].strip()
    return Figure(shown, value * factor, step * factor, kind, currency, signed, direction)


def _is(figure: Figure, fact: dict[str, Any]) -> bool:
    """Whether a figure stands for a fact."""
    unit = fact["unit"]
    value = Decimal(str(fact["value"]))
    if unit == "money":
        value *= 1_000_000  # facts are in millions
        if figure.kind != "money" or figure.currency != fact["currency"]:
            return False
    elif figure.kind not in {"count": ("plain",), "ratio": ("ratio", "plain")}.get(unit, (unit,)):
        return False
    if abs(abs(value) - figure.value) > figure.step / 2:
        return False
    if figure.step > abs(value) / 10 and figure.value != abs(value):
        return False  # rounded until nothing is left of it
    if value < 0:
        return figure.direction < 0
    # A positive amount may have fallen *to* something; a change that rose has not fallen.
    return not (figure.direction < 0 and (figure.signed or fact.get("change", False)))
