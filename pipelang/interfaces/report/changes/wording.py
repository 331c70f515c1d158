"""Differences as words: before, after, by how much, and whether that is sure and good."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.metrics.differences import Changes, Difference
from pipelang.analysis.metrics.objectives import ObjectiveVerdict
from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.check.compare import Against, PipelineDifference, Promise
from pipelang.interfaces.report.metric_words import words_of
from pipelang.interfaces.text.number_format import Show, count, of_metric, percent, value
from pipelang.records import dataclass
from pipelang.semantics.metrics import ESCALATION, Better, metric_of


@dataclass(frozen=True, slots=True)
class Changed:
    """A row of the comparison; `style` is what the verdict is painted in, `inner` sets it in."""

    name: str
    before: str
    after: str
    change: str
    range: str
    verdict: str
    style: str
    inner: bool = False


def changed(changes: Changes, verbose: bool = False) -> list[Changed]:
    """The figures that are not the same, those of one way to a person below all of them."""
    found = []
    for name, difference in changes.metrics.items():
        if words_of(name).beside and not verbose:
            continue
        if difference.direction != "same" and (verbose or not _hardly(name, difference)):
            found.append(_row(name, name, difference))
        if name == ESCALATION:
            found += [
                _row(inner, ESCALATION, part, inner=True)
                for inner, part in changes.escalations.items()
                if part.direction != "same" and (verbose or not _hardly(name, part))
            ]
    return found


NOTHING = 0.0005
"""Of a share: a change that may be none, and is no more than this, is told by its name alone."""


def _hardly(metric: str, one: Difference) -> bool:
    low, high = one.change.low, one.change.high
    if one.direction != "unsure" or of_metric(metric) is not percent or None in (low, high):
        return False
    assert low is not None and high is not None
    return max(abs(low), abs(high)) < NOTHING


def hardly_changed(changes: Changes) -> list[str]:
    """The shares that change by less than 0.05 points, if at all."""
    outer = [
        name
        for name, one in changes.metrics.items()
        if not words_of(name).beside and _hardly(name, one)
    ]
    return outer + [name for name, one in changes.escalations.items() if _hardly(ESCALATION, one)]


def unchanged(changes: Changes) -> list[str]:
    """The figures that are the same for certain."""
    return [
        name
        for name, one in changes.metrics.items()
        if one.direction == "same" and not words_of(name).beside
    ]


def _row(shown: str, metric: str, one: Difference, inner: bool = False) -> Changed:
    show = of_metric(metric)
    by, around = _by(one.change, show)
    verdict, style = _verdict(metric, one)
    before, after = _side(one.before, show), _side(one.after, show)
    return Changed(shown, before, after, by, around, verdict, style, inner)


def _side(number: Number | None, show: Show) -> str:
    return "–" if number is None else value(number, show)


def _by(change: Number, show: Show) -> tuple[str, str]:
    """The change, and the range around it."""
    by = "" if change.value is None else signed(change.value, show)
    if change.value is not None and show is percent:
        by += " points"
    if change.low is None or change.high is None or change.low == change.high:
        return by, ""
    around = f"{signed(change.low, show)} to {signed(change.high, show)}"
    if by:
        return by, around
    return around + (" points" if show is percent else ""), ""


def signed(change: float, show: Show) -> str:
    """A change with its sign: shares in points, to the digit that shows."""
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    size = abs(change)
    if show is count and 0 < size < 10:
        return f"{sign}{size:.2g}"
    if show is not percent:
        return sign + show(size)
    points = size * 100
    digits = 1
    while digits < 6 and points and round(points, digits) == 0:
        digits += 1
    return f"{sign}{points:.{digits}f}"


def _verdict(metric: str, one: Difference) -> tuple[str, str]:
    better, direction = metric_of(metric).better, one.direction
    if direction == "unsure":
        if one.change.low is None or one.change.high is None:
            return "not known", "unsure"
        if one.change.value is None and 0 in (one.change.low, one.change.high):
            more = one.change.low == 0
            word = "not less" if more else "not more"
            if better is not Better.NEITHER:
                word = "no worse" if more is (better is Better.MORE) else "no better"
            return word, "unsure"
        return "not sure", "unsure"
    if better is not Better.NEITHER:
        good = (direction == "up") is (better is Better.MORE)
        return ("better", "good") if good else ("worse", "bad")
    return ("more", "people") if direction == "up" else ("less", "people")


# ------------------------------------------------------------------------------------ promises


def promise(one: Promise) -> tuple[str, str, str, str]:
    """A promise that changed: what it says, how it stood, how it stands, and a style."""
    now, was = one.after, one.before
    line = now.line if now is not None else was.line if was is not None else None
    assert line is not None
    says = f"{line.metric} {line.op} {line.target_text}"
    if line.when is not None:
        says += f" when {line.when}"
    before, after = _standing(was), _standing(now)
    if was is not None and now is not None and was.line.target != now.line.target:
        before += f" ({line.op} {was.line.target_text})"
    style = "people"
    if now is not None and now.holds is not True:
        style = "bad" if now.holds is False else "unsure"
    elif now is not None and was is not None:
        style = "good"
    return says, before, after, style


def _standing(verdict: ObjectiveVerdict | None) -> str:
    if verdict is None:
        return "not promised"
    word = {True: "met", False: "missed", None: "undecided"}[verdict.holds]
    if verdict.probability not in (None, 0.0, 1.0):
        assert verdict.probability is not None
        return f"{word} (P {percent(verdict.probability)})"
    return word


# ------------------------------------------------------------------------------------ headings


def what_happened(one: PipelineDifference) -> str:
    """A pipeline that is new, gone, or called otherwise now; empty for others."""
    if one.change == "renamed":
        assert one.before is not None
        return f"renamed from `{one.before.name}`"
    return {"added": "added", "removed": "removed", "kept": ""}[one.change]


def grounds(found: Against) -> Iterator[str]:
    """The basis of the ranges, a sentence for each kind that occurs."""
    kinds = {
        part.how
        for one in found.pipelines
        if one.changes is not None
        for part in (*one.changes.metrics.values(), *one.changes.escalations.values())
        if part.direction != "same"
    }
    if any("not sure" in row.verdict for row in _all(found)):
        yield "Not sure: the range leaves open whether it is more or less."
    if "paired" in kinds:
        yield (
            "Ranges are 95% intervals of the difference itself; evidence that did not change, and "
            "what nobody declared on either side, is the same on both sides."
        )
    if "independent" in kinds:
        yield "Nothing measured is common to both sides: they are taken as independent."
    if "ranges" in kinds:
        yield "Where only the ranges of both sides are known, the range of a change is the widest."


def _all(found: Against) -> Iterator[Changed]:
    for one in found.pipelines:
        if one.changes is not None:
            yield from changed(one.changes)


def place(found: Against) -> str:
    """The name of the other side of the comparison."""
    return found.other if found.commit is None else f"{found.other} ({found.commit[:10]})"
