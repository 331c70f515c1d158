"""The verdicts that count: one of each answer, out of all that people said of it.

What does not count is kept with its reason, so that whoever reads the evidence sees what is not in
it: verdicts in a hurry, of somebody without a right to them, of the pipeline itself, and those that
contradict each other with equal weight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from pipelang.records import dataclass, field
from pipelang.runtime.inbox.cases import Case, identity
from pipelang.semantics import program as p
from pipelang.semantics.watched.sampled_steps import samples_of

Answer = tuple[str, str, str, int]
"""An answer by its run, the pipeline that gave it, its path and name, and its visit."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer whose verdict is settled. `about` is what its cases say of it, `by` are those whose
    word it is. `corrected` has the answer that would have been right, nothing if nobody said it,
    and `sure` is how sure the heaviest of them was, None likewise. `share` of the runs were put
    before anybody who may judge this answer: samples lie in each other, so the largest. `draw` is
    the run's own number (`engine/sampling`).
    """

    answer: Answer
    right: bool
    by: tuple[str, ...]
    as_of: str
    about: dict[str, Any]
    given: Any
    said: Any
    share: float
    corrected: Sequence[Any] = ()
    sure: float | None = None

    @property
    def run(self) -> str:
        return self.answer[0]

    @property
    def pipeline(self) -> str:
        return self.answer[1]

    @property
    def step(self) -> str:
        return str(self.about["step"])

    @property
    def visit(self) -> int:
        return self.answer[3]

    @property
    def case(self) -> str:
        """The input that was answered, as evidence names it."""
        path = str(self.about.get("path") or "")
        return f"{self.run}/{path.rstrip('/')}" if path else self.run

    @property
    def draw(self) -> float:
        return float(self.about["draw"])


@dataclass(slots=True)
class Verdicts:
    """The outcome of all cases: the answers that are `judged`, how many were `left_out` for which
    reason, and how many cases wait or closed without a verdict.
    """

    judged: list[Judged] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    contradictions: list[str] = field(default_factory=list)
    waiting: int = 0
    unanswered: int = 0


def verdicts(program: p.Program, cases: Iterable[Case]) -> Verdicts:
    """The verdicts on answers of a program's pipelines. Other runs' cases say who decided what."""
    every = list(cases)
    deciders = _deciders(every)
    names = _own_names(program)
    found = Verdicts()
    by_answer: dict[Answer, list[Case]] = {}
    shares: dict[Answer, float] = {}
    for case in every:
        if case.kind != "label" or case.about is None:
            continue
        if case.about.get("pipeline") not in program.pipelines:
            found.left_out[OTHER_PROGRAM] += 1
            continue
        if _may_judge(program, case):
            share = float(case.about["share"])
            shares[_answer(case)] = max(share, shares.get(_answer(case), 0.0))
        if case.state == "open":
            found.waiting += 1
        elif case.verdict is None:
            found.unanswered += 1
        elif (why := _no_count(program, case, deciders, names)) is not None:
            found.left_out[why] += 1
        else:
            by_answer.setdefault(_answer(case), []).append(case)
    for answer, said in by_answer.items():
        settled = _settled(program, answer, said, shares[answer])
        if settled is None:
            found.left_out[CONTRADICT] += len(said)
            found.contradictions.append(f"{answer[2]} of run {answer[0]}: {_who(said)}")
        else:
            found.judged.append(settled)
    found.judged.sort(key=lambda one: (one.as_of, one.answer))
    return found


OTHER_PROGRAM = "are of another program's pipelines"
CONTRADICT = "contradict each other with equal weight"
RUSHED = "were given in a hurry"
UNTIMED = "do not say how long they took, and their role has `rushed`"
NO_RIGHT = "are of a role that `sample` does not name for this step"
SAME_PERSON = "are of somebody who decided in this run for a role that must differ"
OWN = "are the program's own word"


def not_counted(count: int, why: str) -> str:
    """A reason with the number of verdicts that it leaves out, in a sentence."""
    if count != 1:
        return f"{count:,} not counted: they {why}"
    verb, _, rest = why.partition(" ")
    words = [_OF_ONE.get(word, word) for word in rest.split(" ")]
    return f"1 not counted: it {_DOES.get(verb, verb)} {' '.join(words)}"


_DOES = {"answer": "answers", "are": "is", "do": "does", "were": "was"}
_OF_ONE = {"they": "it", "their": "its"}


def _no_count(
    program: p.Program,
    case: Case,
    deciders: dict[str, list[tuple[str, str]]],
    names: frozenset[str],
) -> str | None:
    """The reason for which a verdict does not count; None if it does."""
    assert case.verdict is not None
    assert case.about is not None
    by = identity(case.verdict.by)
    if by in names or by.startswith("pipelang:"):
        return OWN
    if not _may_judge(program, case):
        return NO_RIGHT
    for role, who in deciders.get(case.run_id, ()):
        if who == by and role in case.differs_from:
            return SAME_PERSON
    rushed = program.roles[case.role].rushed
    if rushed is not None:
        if case.verdict.seconds is None:
            return UNTIMED
        if Decimal(case.verdict.seconds) < rushed:
            return RUSHED
    return None


def _may_judge(program: p.Program, case: Case) -> bool:
    """Whether a case's role is one that `sample` names for its step."""
    about = case.about or {}
    samples = samples_of(program, about["pipeline"], str(about.get("step")))
    return any(one.role == case.role for one in samples)


def _own_names(program: p.Program) -> frozenset[str]:
    """The names of all in a program that answers by itself."""
    models = [tier.model for tier in program.tiers.values() if tier.model is not None]
    return frozenset(map(identity, [*program.tiers, *program.providers, *models, "pipelang"]))


def _deciders(cases: Iterable[Case]) -> dict[str, list[tuple[str, str]]]:
    """By run, for which role whoever decided: of approvals, holds and asks."""
    found: dict[str, list[tuple[str, str]]] = {}
    for case in cases:
        if case.verdict is not None and case.kind != "label":
            found.setdefault(case.run_id, []).append((case.role, identity(case.verdict.by)))
    return found


def _answer(case: Case) -> Answer:
    about = case.about or {}
    return case.run_id, str(about["pipeline"]), case.name, int(about.get("visit", 0))


def _settled(
    program: p.Program, answer: Answer, cases: Sequence[Case], share: float
) -> Judged | None:
    """The verdict of the heavier side; None if both weigh the same."""
    weights = {True: Decimal(0), False: Decimal(0)}
    for case in cases:
        assert case.verdict is not None
        weights[case.verdict.yes] += program.roles[case.role].weight
    if weights[True] == weights[False]:
        return None
    right = weights[True] > weights[False]
    side = [one for one in cases if one.verdict is not None and one.verdict.yes is right]
    side.sort(key=lambda one: -program.roles[one.role].weight)
    first = side[0]
    assert first.about is not None
    said = [one.verdict for one in side if one.verdict is not None]
    corrected = [verdict.answer for verdict in said if verdict.has_answer]  # null and 0 are answers
    return Judged(
        answer,
        right,
        tuple(dict.fromkeys(one.verdict.by for one in side if one.verdict)),
        first.opened_at.date().isoformat(),
        first.about,
        first.shown.get("input"),
        first.shown.get("answer"),
        share,
        corrected[:1],
        None if first.verdict is None else first.verdict.sure,
    )


def _who(cases: Sequence[Case]) -> str:
    said = [
        f"`{one.verdict.by}` ({one.role}) says {'right' if one.verdict.yes else 'wrong'}"
        for one in cases
        if one.verdict is not None
    ]
    return ", ".join(said)
