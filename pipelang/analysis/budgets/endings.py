"""Endings of runs that budgets may cut: for each share of runs, the ends that they may come to.

What a run comes to without cuts, and whether a limit cuts it surely, perhaps or not at all, is read
off a sweep's sheets. A limit of a sub-pipeline is decided where the sub-pipeline ends: its budget's
escalation ends the run, but what follows a failure there, or another answer, nobody worked out, so
a run whose child perhaps failed may come to anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipelang.analysis.budgets.limits import ENDLESS
from pipelang.analysis.budgets.sheets import Amounts, Entry, Sheet, Ways
from pipelang.analysis.budgets.spending import ANYTHING, SpendingMeter
from pipelang.analysis.frontier.states import add
from pipelang.analysis.frontier.totals import Totals, succeeds
from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import expressions as expr
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import passed_on

RunEnd = tuple[str, str, bool]
"""An outcome, the name of an escalation, and whether something was done wrongly."""

RunEnds = frozenset[RunEnd] | None
"""The ends that some runs may come to; None for all."""

KEPT, PERHAPS, CUT = "kept", "perhaps", "cut"
"""Whether a budget cuts a run: no, for all that is known, surely. `CUT` stands among the ways of
runs in which that of a sub-pipeline did.
"""

Shares = dict[tuple[RunEnds, str], Any]
"""The runs that may come to some ends, and whether they are cut."""


def decided_at_child(meter: SpendingMeter, model: PipelineModel, totals: Totals) -> Totals:
    """The endings of a sub-pipeline with its own budget: cut, not cut, or perhaps."""
    limits = meter.columns.limits
    mine = [at for at, limit in enumerate(limits) if limit.pipeline == model.pipeline.name]
    if not mine:
        return totals
    found = Totals()

    def put(outcome: p.Outcome, right: bool, wrong: bool, entry: Entry, chance: Any) -> None:
        key = (id(outcome), right, wrong)
        known = found.endings.get(key)
        entries = {} if known is None else dict(known[1].entries)
        add(entries, meter.columns.clamped(entry), chance)
        found.endings[key] = (outcome, Sheet(meter.columns, meter.columns.few(entries)))

    for (_, right, wrong), (outcome, weight) in totals.endings.items():
        for (amounts, ways), chance in _entries(meter, weight):
            over = [at for at in mine if amounts[3 * at + 1] == ENDLESS]
            if not over:
                put(outcome, right, wrong, (_without(amounts, mine), ways), chance)
                continue
            surely = any(amounts[3 * at + 2] == ENDLESS for at in mine)
            outcomes = list(dict.fromkeys(limits[at].outcome for at in over))
            rest = _perhaps(_without(amounts, mine))
            told = ways <= {CUT} and not wrong and len(outcomes) == 1
            if surely and told and not isinstance(outcomes[0], p.Return):
                put(outcomes[0], True, False, (rest, frozenset((CUT,))), chance)
            else:
                more = ways.union(_way(model, other) for other in outcomes)
                put(outcome, right, wrong, (rest, more), chance)
    return found


def ends_of_runs(meter: SpendingMeter, model: PipelineModel, totals: Totals) -> Shares:
    """The runs of a root by the ends that they may come to."""
    limits = meter.columns.limits
    mine = [at for at, limit in enumerate(limits) if limit.pipeline == model.pipeline.name]
    found: Shares = {}
    for (_, right, wrong), (outcome, weight) in totals.endings.items():
        for (amounts, ways), chance in _entries(meter, weight):
            over = [at for at in mine if amounts[3 * at + 1] == ENDLESS]
            surely = any(amounts[3 * at + 2] == ENDLESS for at in mine)
            fate = CUT if surely or CUT in ways else PERHAPS if over or ways else KEPT
            if ANYTHING in ways:
                add(found, (None, fate), chance)
                continue
            ends: set[RunEnd] = set()
            if not surely:
                ends.add(_end(outcome, right, wrong))
            for at in over:
                ends.update(cut_ends(limits[at].outcome, wrong))
            for way in ways - {CUT}:
                kind, _, name = way.partition(" ")
                ends.update((kind, name, done) for done in {False, wrong})
            add(found, (frozenset(ends), fate), chance)
    return found


def cut_ends(outcome: p.Outcome, wrong: bool) -> Iterator[RunEnd]:
    """The ends of a run that a budget cuts, where something may have been done wrongly or not."""
    for done in {False, wrong}:
        if not isinstance(outcome, p.Return):
            yield _end(outcome, True, done)
        elif expr.mentions(outcome.value):
            yield _end(outcome, True, done)
            yield _end(outcome, False, done)
        else:
            yield _end(outcome, True, done)


def _end(outcome: p.Outcome, right: bool, wrong: bool) -> RunEnd:
    match outcome:
        case p.Return():
            kind = m.SUCCESS if succeeds(outcome, right, wrong) else m.SILENT_ERROR
            return kind, "", wrong
        case p.Escalate():
            return m.ESCALATION, outcome.reason, wrong
        case p.Reject():
            return m.REJECTION, "", wrong
        case p.Fail():
            return m.FAILURE, "", wrong


def _way(model: PipelineModel, outcome: p.Outcome) -> str:
    """The label of how a sub-pipeline's budget may end the run."""
    if not isinstance(outcome, (p.Escalate, p.Reject)):
        return ANYTHING
    kind, name, _ = _end(passed_on(model.pipeline.name, outcome), True, False)
    return f"{kind} {name}"


def _entries(meter: SpendingMeter, weight: Any) -> Iterable[tuple[tuple[Amounts, Ways], Any]]:
    if isinstance(weight, Sheet):
        return weight.entries.items()
    return [(meter.columns.nothing, weight)]


def _without(amounts: Amounts, places: list[int]) -> Amounts:
    """The amounts without those of some limits."""
    return tuple(0 if at // 3 in places else amount for at, amount in enumerate(amounts))


def _perhaps(amounts: Amounts) -> Amounts:
    """The amounts of calls that were perhaps not made."""
    return tuple(amount if at % 3 == 1 else 0 for at, amount in enumerate(amounts))
