"""Flaws of cases that were read: what no case of ours says, though each part has a known type.

Files of an inbox and rows of a store may be cut, edited or another program's. Who reads a case
relies on what stands here, so that nobody asks again in every place where a part is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelang.runtime.files.strict_json import is_number
from pipelang.runtime.inbox.answer_schema import shape_flaw

if TYPE_CHECKING:
    from pipelang.runtime.inbox.cases import Case, Verdict

MOST_VISITS = 10**9
"""Visits of a step beyond which a number is none of ours: evidence takes no larger one."""


def flaw_of(case: Case) -> str | None:
    """The first flaw of a case; None if it can be relied upon."""
    return (
        _wrong_time(case)
        or _wrong_state(case)
        or (None if case.verdict is None else _wrong_verdict(case.verdict))
        or (None if case.shape is None else shape_flaw(case.shape, "shape"))
        or (_wrong_subject(case) if case.kind == "label" else None)
    )


def _wrong_time(case: Case) -> str | None:
    times: list[tuple[str, datetime | None]] = [
        ("opened_at", case.opened_at),
        ("due_at", case.due_at),
        ("closed_at", case.closed_at),
        ("verdict.at", None if case.verdict is None else case.verdict.at),
        *((f"looked.{name}", since) for name, since in case.looked.items()),
    ]
    for name, time in times:
        if time is not None and time.utcoffset() is None:
            return f"`{name}` is a time without an offset"
    return None


def _wrong_state(case: Case) -> str | None:
    if (case.verdict is not None) is not (case.state == "decided"):
        return f"`state` is {case.state}, with{'out' if case.verdict is None else ''} a `verdict`"
    if case.verdict is not None and case.closed_at is None:
        return "`closed_at` is missing, and the case is decided"
    return None


def _wrong_verdict(verdict: Verdict) -> str | None:
    if verdict.sure is not None and not 0 <= verdict.sure <= 1:
        return "`verdict.sure` must lie between 0 and 1"
    if verdict.seconds is not None and not 0 <= verdict.seconds < math.inf:
        return "`verdict.seconds` must be 0 or more"
    return None


def _wrong_subject(case: Case) -> str | None:
    """The flaw of what a label is of (`engine/sampling`): its numbers weigh in figures, and its
    texts go into files of evidence.
    """
    if case.about is None:
        return "`about` is missing"
    if not case.run_id:
        return "`run_id` is empty"
    if not isinstance(case.shown, dict):
        return "`shown` must be an object"
    for key, (fits, words, needed) in _SUBJECT.items():
        if key not in case.about:
            if needed:
                return f"`about.{key}` is missing"
        elif not fits(case.about[key]):
            return f"`about.{key}` must be {words}"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_path(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_number(value: Any) -> bool:
    return is_number(value) and abs(value) <= _MOST


def _is_visit(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_VISITS


def _is_amount(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and _LEAST <= value <= 1


def _is_draw(value: Any) -> bool:
    return _is_number(value) and 0 <= value < 1


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


_LEAST, _MOST = 1e-100, 1e100
"""Numbers that can be divided by, squared and added up."""

_TEXT = (_is_text, "a text", True)
_NAME = (_or_none(_is_text), "a text or null", False)
_SUBJECT: Mapping[str, tuple[Callable[[Any], bool], str, bool]] = {
    "pipeline": _TEXT,
    "step": _TEXT,
    "share": (_is_share, "a share above 0, of at most 1", True),
    "draw": (_is_draw, "a number from 0, below 1", True),
    "visit": (_is_visit, "a whole number from 0", False),
    "path": (_is_path, "a text", False),
    "program": _NAME,
    "by": _NAME,
    "tier": _NAME,
    "model": _NAME,
    "prompt": _NAME,
    "confidence": (_or_none(_is_number), "a number or null", False),
    "confidence_from": _NAME,
    "weight": (_is_amount, "a number from 0", False),
    "rushed": (_or_none(_is_amount), "a number of seconds or null", False),
    "simulated": (lambda value: isinstance(value, bool), "true or false", False),
}
"""The keys of `about`: whether a value fits, in words what does, and whether it must be there."""
