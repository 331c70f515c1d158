"""Cases: questions that wait for a person, and their states.

A case is open until it is decided by a person, its time runs out (expired) or nobody waits for it
any more (withdrawn). It is closed once: a second decision is refused, with the name of who was
first.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pipelang.records import dataclass, field, replace
from pipelang.runtime.inbox.answer_schema import misfit

Kind = Literal["approve", "hold", "ask", "escalation", "label"]
NOT_WAITED_FOR: frozenset[Kind] = frozenset(("escalation", "label"))
"""Cases that no run waits for: they outlive it."""
State = Literal["open", "decided", "expired", "withdrawn"]


class Refused(ValueError):
    """A person's answer that cannot count. The message says why."""


class CaseClosed(Refused):
    """A case that was closed before."""


class MustDiffer(Refused):
    """A person who decided before in the same run, where somebody else must."""


class InboxBroken(RuntimeError):
    """An inbox whose folder cannot be read or written. The message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A person's word. `yes` False is a no, a veto, that they will not answer, or that an answer is
    wrong; `answer` is what they answered to an ask, or would have answered, as JSON, and `answered`
    says that it is one where it is null. `sure` is how sure they are, from 0 to 1, and `seconds`
    how long it took them; None where nobody knows.
    """

    yes: bool
    by: str
    reason: str = ""
    answer: Any = None
    at: datetime | None = None
    sure: float | None = None
    seconds: float | None = None
    answered: bool = False

    @property
    def has_answer(self) -> bool:
        """Whether there is an answer: null is one, of a type such as `text?`."""
        return self.answered or self.answer is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question or an escalation that waits in an inbox for somebody of a role. Times are UTC.

    `name` is that of the approval, hold or step, with the path of sub-pipelines before it, or the
    reason of an escalation. `shown` is what the person sees: values, or the handoff. `prompt` and
    `shape` (JSON Schema) are an ask's. Who decided as one of `differs_from` in the same run may not
    decide here. `holder` is the process that waits, None where none does. `why` says what closed a
    case that nobody decided. A `lasting` one stays open while no process waits: its run goes on
    elsewhere. `about` is what a label is of (`engine/sampling`), `looked` who looked at it since
    when.
    """

    id: str
    run_id: str
    pipeline: str
    kind: Kind
    name: str
    role: str
    opened_at: datetime
    tenant: str | None = None
    text: str | None = None
    shown: Any = None
    prompt: str | None = None
    shape: dict[str, Any] | None = None
    differs_from: tuple[str, ...] = ()
    due_at: datetime | None = None
    holder: str | None = None
    state: State = "open"
    verdict: Verdict | None = None
    closed_at: datetime | None = None
    why: str | None = None
    lasting: bool = False
    about: dict[str, Any] | None = None
    looked: dict[str, datetime] = field(default_factory=dict)


def stamp(moment: datetime) -> str:
    """A time for people, to the second, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def settled(case: Case, now: datetime, waited_for: bool) -> Case:
    """A case as it stands now: past its time it is expired, without anyone waiting withdrawn."""
    if case.state != "open":
        return case
    if case.due_at is not None and now >= case.due_at:
        return expired(case, case.due_at)
    if waited_for or case.lasting:
        return case
    return withdrawn(case, now, "the run that waited is gone")


def expired(case: Case, now: datetime) -> Case:
    """A case whose time is up, unless it was closed before."""
    if case.state != "open":
        return case
    return replace(case, state="expired", closed_at=now, why="its time ran out")


def withdrawn(case: Case, now: datetime, why: str) -> Case:
    """A case that nobody waits for any more, unless it was closed before."""
    if case.state != "open":
        return case
    return replace(case, state="withdrawn", closed_at=now, why=why)


def reopened(case: Case) -> Case:
    """A case that was withdrawn, and is waited for again until it is due."""
    if case.state != "withdrawn":
        return case
    return replace(case, state="open", closed_at=None, why=None)


def decided(case: Case, verdict: Verdict, run: Iterable[Case], now: datetime) -> Case:
    """The case, decided. `run` are all cases of its run. Raises `Refused`."""
    if case.state != "open":
        raise CaseClosed(closed_words(case))
    by = verdict.by.strip()
    if not identity(by):
        raise Refused("who decides must be named")
    _is_json([by, verdict.reason, verdict.answer])
    _measured(verdict)
    for other in run:
        if other.verdict is None:
            continue
        own = case.kind == "label" and (other.kind, other.name) == ("ask", case.name)
        if own and _same(other.verdict.by, by):
            raise Refused(f"`{by}` gave this answer, and cannot say whether it is right")
        if other.role not in case.differs_from:
            continue
        if _same(other.verdict.by, by):
            raise MustDiffer(
                f"`{by}` already decided `{other.name}` as `{other.role}` in this run, and who "
                f"decides `{case.name}` as `{case.role}` must be somebody else"
            )
    _fits_kind(case, verdict)
    seconds = verdict.seconds
    if seconds is None and (since := case.looked.get(identity(by))) is not None:
        seconds = max((now - since).total_seconds(), 0.0)
    made = replace(verdict, by=by, at=now, seconds=seconds, answered=_answers(case, verdict))
    return replace(case, state="decided", closed_at=now, verdict=made, why=None)


def _answers(case: Case, verdict: Verdict) -> bool:
    """Whether a verdict that fits its case holds an answer."""
    return verdict.yes if case.kind == "ask" else case.kind == "label" and verdict.has_answer


def looked_at(case: Case, by: str, now: datetime) -> Case:
    """The case, once this person has begun to look at it; the first look counts."""
    who = identity(by)
    if case.state != "open" or not who or who in case.looked:
        return case
    return replace(case, looked={**case.looked, who: now})


def _measured(verdict: Verdict) -> None:
    if verdict.sure is not None and not 0 <= verdict.sure <= 1:
        raise Refused("how sure somebody is lies between 0% and 100%")
    if verdict.seconds is not None and not 0 <= verdict.seconds < float("inf"):
        raise Refused("how long it took is a number of seconds, 0 or more")


def _is_json(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise Refused("what was said is not plain JSON in valid Unicode") from None


def _same(one: str, other: str) -> bool:
    """Whether two names are one identity, however they are written."""
    return identity(one) == identity(other)


_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
"""Letters, marks and symbols that show nothing, although their category does not say so."""


def identity(name: str) -> str:
    """A name as it is compared: without what nobody sees (format and control characters, variation
    selectors, fillers), its blanks as one, in one case and one form.
    """
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", name) if not _invisible(sign))
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


def _invisible(sign: str) -> bool:
    if sign in _FILLERS or "\ufe00" <= sign <= "\ufe0f" or "\U000e0000" <= sign <= "\U000e0fff":
        return True
    return unicodedata.category(sign) in ("Cf", "Cc", "Cn", "Co") and not sign.isspace()


def _fits_kind(case: Case, verdict: Verdict) -> None:
    match case.kind:
        case "ask":
            if verdict.yes:
                wrong = misfit(case.shape or {}, verdict.answer)
                if wrong is not None:
                    raise Refused(f"the answer does not fit: {wrong}")
        case "label":
            if verdict.yes and verdict.has_answer:
                raise Refused("an answer that is right has no corrected answer beside it")
            if verdict.has_answer:
                wrong = misfit(case.shape or {}, verdict.answer)
                if wrong is not None:
                    raise Refused(f"the corrected answer does not fit: {wrong}")
                shown = case.shown if isinstance(case.shown, dict) else {}
                if "answer" in shown and _same_json(verdict.answer, shown["answer"]):
                    raise Refused("the corrected answer is the one that was given: say it is right")
        case "escalation":
            if not verdict.yes:
                raise Refused("an escalation is closed with a note; there is no no to it")
        case "approve" | "hold":
            pass


def _same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON, where `true` is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def closed_words(case: Case) -> str:
    """The message that a case is closed: by whom, when and how."""
    when = "" if case.closed_at is None else f" at {stamp(case.closed_at)}"
    if case.verdict is not None:
        said = verdict_words(case)
        return f"case `{case.id}` is already decided: `{case.verdict.by}` {said}{when}"
    return f"case `{case.id}` was {case.state}{when}: {case.why}"


def verdict_words(case: Case) -> str:
    """The verb phrase for a verdict, to follow the person's name."""
    assert case.verdict is not None
    match case.kind:
        case "approve" | "hold":
            no = "vetoed it" if case.kind == "hold" else "said no"
            return "said yes" if case.verdict.yes else no
        case "ask":
            return "answered" if case.verdict.yes else "would not answer"
        case "escalation":
            return "closed it"
        case "label":
            if case.verdict.yes:
                return "said it is right"
            return "said it is wrong" + (", and corrected it" if case.verdict.has_answer else "")
