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
    r"|\b\d{1,2}[/.]\d{1,2}[/.](?P<y7>\d{4})\b"
    rf"|\b\d{{1,2}}\s+{MONTHS}(?:\s+(?P<y2>\d{{4}}))?\b|\b{MONTHS}\s+(?P<y3>\d{{4}})\b"
    r"|\b[QH][1-4](?:\s*(?:FY)?\s*'?(?P<y4>\d{4}|\d{2}))?\b|\bFY\s?'?(?P<y5>\d{4}|\d{2})(?:[/-](?P<y8>\d{2}))?\b"
    r"|\b[1-4][QH]\b(?:\s?'?(?P<y6>\d{4}|\d{2})\b)?|\b[1-4][QH](?P<y9>\d{4}|\d{2})\b"
    r"|\b(?:item|notes?|section|table|page|part|exhibit|level)\s\d{1,2}[A-Z]?\b(?![%.,]?\d|\s*%)"
    r"|\b(?:form\s+)?(?:10-[KQ]|8-K|20-F|24/7|360[- ]degree|S&P 500|ASC \d+|IFRS \d+)(?![\d%])",
    re.I,
)
_YEAR = re.compile(r"(?<![\d.,$€£¥])(?:19|20)\d{2}(?!,?\d|\.\d|%)")
_UNIT_AFTER = re.compile(
    r"(?:-plus|-odd)?\s*-?\s*(%|percentage[ -]points?|points?|pp\b|p\.p\.|ppts?\b|pts?\b|bps?\b"
    r"|basis[ -]points?|percent\b|per cent\b|pct\b|p\.c\.|thousand\b|millions?\b|mn\b|mm\b|mio\b"
    r"|m\b|billions?\b|bn\b|b\b|trillion\b|tn\b|k\b|x\b|times\b)",
    re.I,
)
_SYMBOL = r"(?:US\s?\$|(?<![A-Za-z])[A-Z]{1,3}[$¥]|[$€£¥])"  # `HK$` and `CN¥` are not ours
_CURRENCY_AFTER = re.compile(
    r"\s*(?:of\s+)?(?:U\.?S\.?\s+)?(dollars|euros?|pounds|yen|francs|USD|EUR|GBP|JPY|CHF|€|£|¥)",
    re.I,
)
_CURRENCY_BEFORE = re.compile(rf"({_SYMBOL}|USD|EUR|GBP|JPY|CHF)\s*$")
_BEFORE_YEAR = (
    r"(\b(in|of|for|with|between|against|from|since|by|during|fiscal|year|to|and|vs\.?|versus|than|until|early"
    r"|late|mid|end|through|the)[ -]|[(/-])\s*$"
)
_YEAR_DOES = re.compile(r"\s(was|is|has|had|brought|saw|ended|began|closed|looks|remains)\b")
_GROUPED = r"\d{1,3}(?P<by>[,' ])\d{3}(?:(?P=by)\d{3})*(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBER = re.compile(r"\d[\d.,'  ]*\d|\d")
_DOWN = re.compile(
    r"\b(fell|falls?|fallen|falling|declin\w+|decreas\w+|dropp\w+|drops?|down|loss|losses|lost"
    r"|shrank|shr[iu]nk\w*|contract(?:ed|s|ion)|slipp\w+|narrow\w+|below|under|lower|negative|minus"
    r"|reduc\w+|slid|slid(?:es|ing)|slump\w*|sank|sinks?|tumbl\w+|dipp?\w*|plung\w+|weaken\w*|retreat\w*"
    r"|eas(?:ed|es|ing)|worsen\w*|behind|outflows?|deficit|burn\w*"
    # Who trails whom: only `it trails its peers`, not `peers trail by 2.6 points`.
    r"|(?:trail(?:s|ed|ing)?|lag(?:s|ged|ging)?|underperform\w*)(?=\b.{0,20}\b(?:peer|rival|sector|industr))"
    r"|short of)\b",
    re.I,
)
_UP = re.compile(
    r"\b(rose|rises?|grew|grow\w*|increas\w+|up|gain\w*|above|higher|improv\w+|widen\w+"
    r"|profit\w*|climb\w*|jump\w*|surg\w+|soar\w*|advanc\w+|strengthen\w*|ahead|expan\w+)\b",
    re.I,
)
_SAYS_MINUS = re.compile(
    r"\b(?:loss(?:es)?|deficit|lost|minus|negative)\b"
    rf"(?:\s+(?:of|was|is|at|came to|amounted to|stood at))?[:\s]*{_SYMBOL}?\s*$",
    re.I,
)
_HEDGE = re.compile(
    r"\b(some|about|around|roughly|approximately|nearly|almost|close to|over|above|exceeding|under"
    r"|below|(?<!less )more than|less than|as many as)\s+$",
    re.I,
)
_LATER = re.compile(r"[^.;,]{0,12}?\b(lower|higher|below|above|loss|decline|drop|increase|gain)\b")
_CLAUSE = r"[.;:!?](?=\s)|,(?=\s)|\b(?:and|while|but|from|to|against|versus|whereas)\b"
_COUNTED = "one|two|three|four|five|six|seven|eight|nine|ten"
_THINGS = (
    r"plants?|stores?|shops?|factor(?:y|ies)|offices?|branches|sites?|warehouses?|mines?|subsidiar(?:y|ies)"
    r"|acquisitions?|brands?|products?|jobs|employees|people|customers?|clients?|contracts?|countries"
    r"|lawsuits?|layoffs|ships|aircraft|patents?|licen[cs]es?|deals?|shares|directors|analysts"
)  # `five new plants`: a count like any other; `two risks` and `three months` count what is told
_VAGUE = re.compile(
    r"\b(doubl\w+|tripl\w+|quadrupl\w+|halv\w+|two[- ]thirds|(?:a|one)[- ](?:third|quarter of)"
    r"|by (?:a|one) quarter"
    r"|(?<!first )(?<!second )half (?:of|the|its|all|an?)|twice|thrice"
    rf"|(?:many|\d+-|{_COUNTED})fold|every (?:second|third|fourth|fifth|tenth)|three-quarters"
    r"|three quarters of (?:the|its|all|revenue|sales|costs?|cash|profits?)"
    r"|(?:an?|one|two|three|four|five|seven|nine)[- ](?:fifth|sixth|seventh|eighth|ninth|tenth)s?"
    rf"|(?:{_COUNTED}) (?:in|out of) (?:every )?(?:{_COUNTED})|dozens?)\b"
    rf"|\b(?:{_COUNTED}|eleven|twelve)(?: [a-z]+){{0,2}} (?:{_THINGS})\b"
    r"|[$€£¥]\s?[IVXL]+\b",
    re.I,
)
_UNITS = r"(?:\s*(?:%|(?:thousand|million|billion|mn|bn|m|b|k|bps?|pp|points|percent|x)\b))"
_WRITTEN = r"\d(?:[\d.,']*\d)?(?: \d{3}(?:\.\d+)?\b)*"  # with whatever stands between groups
_RANGE = re.compile(
    rf"({_SYMBOL}?)({_WRITTEN})({_UNITS}?)\s?-\s?({_SYMBOL}?)({_WRITTEN})({_UNITS}?)(?![\d-])"
)
_HEADED = re.compile(
    r"(?:\(|\bin\s)\s*(?:in\s+)?(USD|EUR|GBP|JPY|CHF|US\$|[$€£¥])"
    rf"\s*((?:thousand|million|billion)s?|mn|bn|m)?\s*\)?\s*:\s*({_WRITTEN})"
)
_MARKS = re.compile(
    r"\[\d{1,2}\]"  # a footnote: `Revenue [1]`, `Revenue(1)`, `$3 million (1)`
    r"|(?<=[A-Za-z%])\(\d\)(?!\s*(?:%|million|billion|thousand))"
    r"|(?:(?<=million)|(?<=billion)|(?<=%)) \(\d\)(?!\s*(?:%|million|billion|thousand))"
    r"|(?:^|(?<=\n)|(?<=[.;:] ))[ \t]*\d{1,2}(?:[.)](?=\s+[A-Z])|\)(?=\s[a-z]))"  # `2. Cash rose`
    r"|(?:^|(?<=\n)|(?<=[.;:,] ))\(\d{1,2}\)(?=\s[A-Za-z])(?!\s(?:million|billion|thousand|per))"
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
    hedge: str = ""  # `over`, `some`: it was rounded on purpose
    open: bool = False  # in brackets beside a name: `Net income ($3 million)`, of either sign


def offenders(body: str, facts: Iterable[Any], years: Iterable[int]) -> list[str]:
    """What is written in `body` as a number and is no fact; the first 20, shortened."""
    known = [fact if isinstance(fact, dict) else fact.model_dump(mode="json") for fact in facts]
    text = _plain(body)
    allowed = {int(year) for year in years}
    wrong = [match[0] for match in _VAGUE.finditer(text)]
    text, strange = _without_dates(text, allowed)
    wrong += strange
    text = _HEADED.sub(lambda m: f": {m[1]} {m[3]} {m[2] or ''}", _RANGE.sub(_both_ends, text))
    for figure in _figures(text):
        if isinstance(figure, str):
            wrong.append(figure)
        elif not any(_is(figure, fact) for fact in known):
            wrong.append(figure.text)
    return [one.strip()[:60] for one in wrong][:20]


def _plain(body: str) -> str:
    """One way to write each sign; marks of footnotes and lists are no numbers."""
    # A raised digit after a word is a footnote; after a digit nobody knows.
    text = re.sub(r"(?<=[^\W\d_]|[%)\]])[¹²³⁴-⁹⁰]+", "", body)
    text = re.sub(r"(?<=\d)(?=[¹²³⁴-⁹⁰])", "^", text)
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[−–—‒―﹣]", "-", text)
    text = re.sub(r"(\d\.\d+)(?:\s?:\s?1| to 1)\b(?![.,]?\d|\s*[%a-z])", r"\1x", text)
    return _MARKS.sub(lambda mark: " " * len(mark[0]), re.sub("[’‘ʼ]", "'", text))


def _both_ends(found: re.Match[str]) -> str:
    """A dash between two numbers is no minus: each gets the currency and the unit of the other."""
    first, low, low_unit, second, high, high_unit = found.groups()
    return f"{first or second}{low}{low_unit or high_unit} to {second or first}{high}{high_unit}"


def _without_dates(text: str, years: set[int]) -> tuple[str, list[str]]:
    strange: list[str] = []

    def dated(match: re.Match[str]) -> str:
        told = [part for part in match.groups() if part]
        iso = re.match(r"(\d{4})-", match[0])
        if iso:
            told = [iso[1]]
        if any((int(one) if len(one) == 4 else 2000 + int(one)) not in years for one in told):
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
        starts = re.search(r"(^|[.;:!?]\s|\n)\s*$", before) and _YEAR_DOES.match(after)
        if not starts and not re.search(_BEFORE_YEAR, before, re.I):
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
        raw = match[0].rstrip(".,' ")
        end = match.start() + len(raw)
        before, after = text[: match.start()], text[end:]
        named = re.search(r"[A-Za-z_]$", before)
        if named and not re.search(r"(USD|EUR|GBP|JPY|CHF)$", before):
            if _UNIT_AFTER.match(after) and re.search(r"(?<![A-Za-z])[lOI]$", before):
                yield text[match.start() - 1 : end + 8]  # `l2.5%`: a letter in a digit's place
            continue  # part of a name: `A320`, `B2B`
        short = re.search(r"[A-Za-z]-$", before) and re.fullmatch(r"\d\d?", raw)
        if short and not _UNIT_AFTER.match(after):
            continue  # `top-10`
        found = re.fullmatch(_GROUPED, raw)
        if found is None:
            yield text[max(0, match.start() - 1) : end + 8]
            continue
        plain = re.sub("[' ]", "", raw)
        digits = plain.replace(",", "")
        _, _, decimals = digits.partition(".")
        yield _made(text, match.start(), end, Decimal(digits), Decimal(1).scaleb(-len(decimals)))


def _made(text: str, start: int, end: int, value: Decimal, step: Decimal) -> Figure:
    before, after = text[:start], text[end:]
    kind, currency, scale = "plain", "", 0
    shown_end = end
    closed = re.match(r"\)", after) if re.search(rf"\(\s*({_SYMBOL})?\s*$", before) else None
    if closed is not None:  # `(3.7)%` and `$(312.4) million`
        end += 1
        after = after[1:]
        before = re.sub(rf"\(\s*({_SYMBOL})?\s*$", lambda found: found[1] or "", before)
    unit = _UNIT_AFTER.match(after)
    if unit is not None:
        word = re.sub(r"\s+", " ", unit[1].lower()).replace("-", " ")
        shown_end = end + unit.end()
        if word in SCALES:
            scale = SCALES[word]
        elif word in ("x", "times"):
            kind = "ratio"
        elif word.startswith(("bp", "basis")):
            kind, scale = "points", -2
        elif word.startswith(("percentage", "point", "pp", "p.p", "pt")):
            kind = "points"
        else:
            kind = "percent"
            if re.match(r"[ -]*(percentage )?points?\b", text[shown_end:], re.I):
                kind = "points"
    sign = re.search(
        rf"(\()?\s*(?<![A-Za-z\d])([-+])?\s*(?:{_SYMBOL}|USD|EUR|GBP|JPY|CHF)?\s*([-+])?\s*$",
        before,
    )
    front = _CURRENCY_BEFORE.search(re.sub(r"[-+]\s*$", "", before))
    back = _CURRENCY_AFTER.match(text[shown_end:])
    if kind == "plain" and front is not None:
        kind, currency = "money", CURRENCIES.get(front[1].replace(" ", ""), "?")
    elif kind == "plain" and back is not None:
        kind, currency = (
            "money",
            CURRENCIES.get(back[1].lower(), CURRENCIES.get(back[1].upper(), "")),
        )
    plus = bool(sign) and "+" in ((sign[2] or ""), (sign[3] or ""))
    bracketed = closed is not None or (
        bool(sign and sign[1] and not plus)
        and re.match(r"\s*(%|\w+)?\s*\)", text[end:]) is not None
    )
    # `(4.2)` is how accounts write a minus; `(4.2%)` and `($4.2 million)` in a sentence as well,
    # but only where nothing else stands in the brackets.
    minus = bool(sign) and "-" in ((sign[2] or ""), (sign[3] or ""))
    direction = -1 if bracketed or minus else 0
    signed = direction != 0 or plus
    if not signed and _SAYS_MINUS.search(before):
        direction, signed = -1, True
    if bracketed and closed is None:
        ups = list(_UP.finditer(re.split(r"[.,;:!?](?=\s)", before)[-1]))
        direction = 1 if ups else direction  # `rose (3.7%)` is no minus
    if front is not None and back is not None:
        currency = currency if CURRENCIES.get(back[1].upper(), currency) == currency else "?"
    if not signed:
        clause = re.split(_CLAUSE, before)[-1]
        near = _directions(clause) or _directions(re.split(r"[.;!?](?=\s)", before)[-1])
        later = _LATER.match(text[shown_end:])
        if later is not None:
            direction = -1 if _DOWN.fullmatch(later[1]) or later[1] in ("decline", "drop") else 1
        elif near:
            _, direction = max(near)
    beside = closed is None and bracketed and direction < 0 and not minus
    beside = beside and re.search(r"[a-z]\s*\(\s*\S{0,4}$", before) is not None
    beside = beside and not re.search(r"\b(was|is|were|are|of|at|to|by|came)\s*\(\S*\s*$", before)
    factor = Decimal(1).scaleb(scale)
    lead = re.search(r"[-+($€£¥]*$", text[:start])
    shown = text[lead.start() if lead else start : shown_end].strip()
    hedge = _HEDGE.search(re.sub(rf"(?:{_SYMBOL}|USD|EUR|GBP|JPY|CHF)\s*$", "", text[:start]))
    return Figure(
        shown, value * factor, step * factor, kind, currency, signed, direction,
        hedge[1].lower() if hedge else "", beside,
    )  # fmt: skip


def _directions(words: str) -> list[tuple[int, int]]:
    """Where words say that something fell (-1) or rose (1)."""
    down = [(found.start(), -1) for found in _DOWN.finditer(words)]
    return down + [(found.start(), 1) for found in _UP.finditer(words)]


def _hedged(figure: Figure, value: Decimal) -> bool:
    """Whether `some 18,000` may be said of a value: rounded at its last digit that is no zero, by
    2% at most, and to the side that is told; or written out as it is.
    """
    if value == figure.value:
        return True
    digits = figure.value.normalize()
    step = max(figure.step, Decimal(1).scaleb(int(digits.as_tuple().exponent)))
    if step > value / 10 or abs(value - figure.value) > min(step / 2, value / 50):
        return False
    over = figure.hedge in ("over", "above", "exceeding") or figure.hedge.endswith("than")
    under = figure.hedge in ("under", "below", "nearly", "almost")
    return not (value < figure.value if over else under and value > figure.value)


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
    if figure.hedge and unit in ("money", "count"):
        return _hedged(figure, abs(value)) and (value > 0 or figure.direction < 0)
    if abs(abs(value) - figure.value) > figure.step / 2:
        return False
    if figure.step > abs(value) / 10 and figure.value != abs(value):
        return False  # rounded until nothing is left of it
    if figure.open and not fact.get("change", False):
        return True
    if value < 0:
        return figure.direction < 0
    # A positive amount may have fallen *to* something; a change that rose has not fallen.
    return not (figure.direction < 0 and (figure.signed or fact.get("change", False)))
