"""Two checks of the same files put side by side: pipelines by name, findings by what they say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics import Diagnostic, Sources
from pipelang.diagnostics.render import as_json
from pipelang.interfaces.check.check import Checked
from pipelang.records import dataclass
from pipelang.semantics.walk import all_items

if TYPE_CHECKING:
    from pipelang.analysis.metrics.analyse import Analysis
    from pipelang.analysis.metrics.differences import Changes
    from pipelang.analysis.metrics.objectives import ObjectiveVerdict


@dataclass(frozen=True, slots=True)
class Entry:
    """A pipeline of one side."""

    checked: Checked
    analysis: Analysis

    @property
    def name(self) -> str:
        return self.analysis.pipeline.name


@dataclass(frozen=True, slots=True)
class Promise:
    """A line of `slo`, by metric, sign and condition; None on the side that does not have it."""

    before: ObjectiveVerdict | None
    after: ObjectiveVerdict | None

    @property
    def changed(self) -> bool:
        was, now = self.before, self.after
        if was is None or now is None:
            return True
        return was.holds != now.holds or was.line.target != now.line.target


@dataclass(frozen=True, slots=True)
class PipelineDifference:
    """A pipeline before and after: added, removed, renamed (with what it was), or kept."""

    key: str
    before: Entry | None
    after: Entry | None
    changes: Changes | None
    promises: tuple[Promise, ...]

    @property
    def change(self) -> str:
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "kept" if self.before.name == self.after.name else "renamed"


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with the texts that it points into."""

    found: Diagnostic
    sources: Sources


@dataclass(frozen=True, slots=True)
class Against:
    """All that differs. `other` is what was compared with, as it was named; `commit` the revision's
    hash, None for files; `broken` are files of which one side is no program, so that nothing can be
    said of their pipelines.
    """

    other: str
    commit: str | None
    pipelines: tuple[PipelineDifference, ...]
    new: tuple[Told, ...]
    mended: tuple[Told, ...]
    broken: tuple[str, ...]


def against(
    before: Sequence[Checked], after: Sequence[Checked], other: str, commit: str | None
) -> Against:
    """The changes between two checks."""
    new, mended = _findings(before, after)
    broken = [
        one.path if commit is None else f"{one.path} in {other}"
        for one in before
        if one.program is None
    ]
    broken += [one.path for one in after if one.program is None]
    pipelines = tuple(_pipelines(before, after, commit is None))
    return Against(other, commit, pipelines, new, mended, tuple(broken))


# --------------------------------------------------------------------------------- pipelines


def _entries(checked: Sequence[Checked]) -> dict[str, Entry]:
    """Pipelines under the keys of the JSON report; what a checked file imports from another of
    them is the other's.
    """
    roots = {os.path.normpath(one.path) for one in checked}
    found: dict[str, Entry] = {}
    for one in checked:
        for analysis in one.analyses:
            home = os.path.normpath(analysis.pipeline.span.file)
            if home != os.path.normpath(one.path) and home in roots:
                continue
            name = analysis.pipeline.name
            key = name if name not in found else f"{one.path}:{name}"
            found[key] = Entry(one, analysis)
    return found


def _pipelines(
    before: Sequence[Checked], after: Sequence[Checked], files: bool
) -> list[PipelineDifference]:
    """The pipelines of both sides; `files`: those before may be called otherwise."""
    old, new = _entries(before), _entries(after)
    pairs = {key: key for key in new if key in old}
    gone = [key for key in old if key not in pairs.values()]
    for key, entry in new.items():
        if key not in pairs:
            alike = [one for one in gone if _shape(old[one]) == _shape(entry)]
            if len(alike) == 1:
                pairs[key] = alike[0]
                gone.remove(alike[0])
    # Of a file that is no program nothing can be said, not even that something is new or gone.
    unread = {os.path.normpath(one.path) for one in before if one.program is None}
    compared = [
        _compared(key, old[pairs[key]] if key in pairs else None, entry)
        for key, entry in new.items()
        if key in pairs or not (unread if files else os.path.normpath(entry.checked.path) in unread)
    ]
    lost = {os.path.normpath(one.path) for one in after if one.program is None}
    for key in gone:
        if os.path.normpath(old[key].checked.path) not in lost:
            compared.append(PipelineDifference(key, old[key], None, None, ()))
    return compared


def _shape(entry: Entry) -> tuple[Any, ...]:
    """The key of a renamed pipeline: its inputs, its answer, the names of its items."""
    pipeline = entry.analysis.pipeline
    items = tuple(getattr(item, "name", None) for item in all_items(pipeline.block))
    inputs = tuple((one.name, str(one.type)) for one in pipeline.parameters)
    return inputs, str(pipeline.returns), items


def _compared(key: str, was: Entry | None, now: Entry) -> PipelineDifference:
    if was is None:
        promises = tuple(Promise(None, verdict) for verdict in now.analysis.slo)
        return PipelineDifference(key, None, now, None, promises)
    from pipelang.analysis.metrics.differences import differences

    old, new = was.checked.program, now.checked.program
    assert old is not None and new is not None
    changes = differences(old, was.analysis, new, now.analysis)
    return PipelineDifference(key, was, now, changes, tuple(_promises(was.analysis, now.analysis)))


def _promises(before: Analysis, after: Analysis) -> list[Promise]:
    def key(verdict: ObjectiveVerdict) -> tuple[str, str, str | None]:
        return verdict.line.metric, verdict.line.op, verdict.line.when

    old = {key(verdict): verdict for verdict in before.slo}
    new = {key(verdict): verdict for verdict in after.slo}
    return [Promise(old.get(one), new.get(one)) for one in dict.fromkeys((*new, *old))]


# ---------------------------------------------------------------------------------- findings


def _findings(
    before: Sequence[Checked], after: Sequence[Checked]
) -> tuple[tuple[Told, ...], tuple[Told, ...]]:
    """Findings of one side that the other has not, wherever in the file they stand."""
    old, new = _told(before), _told(after)
    return _only(new, old), _only(old, new)


def _told(checked: Sequence[Checked]) -> list[Told]:
    once = {
        diagnostic: Told(diagnostic, one.sources)
        for one in checked
        for diagnostic in one.diagnostics
    }
    return list(once.values())


def _only(these: Sequence[Told], those: Sequence[Told]) -> tuple[Told, ...]:
    left = Counter(_says(one) for one in those)
    found = []
    for one in these:
        if left[_says(one)]:
            left[_says(one)] -= 1
        else:
            found.append(one)
    return tuple(found)


def _says(told: Told) -> tuple[str, str]:
    return told.found.rule.code, told.found.message


# -------------------------------------------------------------------------------------- JSON


def against_json(found: Against) -> dict[str, Any]:
    """The `against` object of the JSON report."""
    return {
        "other": found.other,
        "commit": found.commit,
        "pipelines": {one.key: _compared_json(one) for one in found.pipelines},
        "diagnostics": {
            "new": [as_json(one.found, one.sources) for one in found.new],
            "mended": [as_json(one.found, one.sources) for one in found.mended],
        },
        "broken": list(found.broken),
    }


def _compared_json(one: PipelineDifference) -> dict[str, Any]:
    changes = one.changes
    return {
        "change": one.change,
        "was": one.before.name if one.before is not None and one.change == "renamed" else None,
        "metrics": {}
        if changes is None
        else {name: part.as_json() for name, part in changes.metrics.items()},
        "escalations": {}
        if changes is None
        else {name: part.as_json() for name, part in changes.escalations.items()},
        "slo": [
            {
                "before": None if line.before is None else line.before.as_json(),
                "after": None if line.after is None else line.after.as_json(),
            }
            for line in one.promises
        ],
    }
