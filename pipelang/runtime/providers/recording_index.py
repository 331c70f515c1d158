"""Finds the record that answers a call, among thousands.

Records with the same prompt, arguments and tier are one group. Each group is filed under a single
one of its leaves, the rarest in the file (in practice the id), and a call looks up only the few
paths that are used for filing; what it finds there is then compared in full.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from pipelang.runtime.providers.protocol import ModelRequest
from pipelang.runtime.providers.recording import Leaf, RecordedAnswer, leaf_at


class RecordingIndex:
    """The records of a file, by prompt."""

    def __init__(self, records: Iterable[RecordedAnswer]) -> None:
        by_prompt: defaultdict[str, list[RecordedAnswer]] = defaultdict(list)
        for record in records:
            by_prompt[record.prompt].append(record)
        self._prompts = {prompt: _Prompt(found) for prompt, found in by_prompt.items()}

    def find(self, request: ModelRequest) -> RecordedAnswer | None:
        """The record for this call: of the best group, the `call`-th, and then always the last."""
        prompt = self._prompts.get(request.prompt)
        group = prompt.find(request) if prompt is not None else None
        if group is None:
            return None
        return group.records[min(request.call, len(group.records) - 1)]

    def calls(self, prompt: str) -> int:
        """The number of different calls of `prompt` that are recorded."""
        found = self._prompts.get(prompt)
        return len(found.groups) if found is not None else 0

    def tiers(self, request: ModelRequest) -> list[str]:
        """The tiers for which this very call is recorded, in order of the alphabet."""
        prompt = self._prompts.get(request.prompt)
        groups = prompt.groups if prompt is not None else ()
        return sorted(
            {group.tier for group in groups if group.tier is not None and group.holds(request)}
        )


class _Group:
    """Records with the same prompt, arguments and tier, in the file's order."""

    __slots__ = ("leaves", "rank", "records", "tier")

    def __init__(self, first: RecordedAnswer) -> None:
        self.leaves = first.leaves
        self.tier = first.tier
        self.records = [first]
        # What says more about the call wins, then what stands first in the file.
        self.rank = (-len(first.leaves) - (first.tier is not None), first.line)

    def matches(self, request: ModelRequest) -> bool:
        return self.tier in (None, request.tier) and self.holds(request)

    def holds(self, request: ModelRequest) -> bool:
        """Whether the arguments match, at whatever tier."""
        return all(leaf_at(request.arguments, path) == typed for path, typed in self.leaves)


class _Prompt:
    """The groups of one prompt, each filed under its rarest leaf."""

    def __init__(self, records: Iterable[RecordedAnswer]) -> None:
        groups: dict[tuple[frozenset[Leaf], str | None], _Group] = {}
        for record in records:
            key = (record.leaves, record.tier)
            if key in groups:
                groups[key].records.append(record)
            else:
                groups[key] = _Group(record)
        self.groups = tuple(groups.values())

        shared = Counter(leaf for group in self.groups for leaf in group.leaves)
        common = Counter(path for group in self.groups for path, _ in group.leaves)
        self._filed: defaultdict[Leaf, list[_Group]] = defaultdict(list)
        self._general: list[_Group] = []
        for group in self.groups:
            if group.leaves:
                # Ties go to the path that most groups have: each path costs every call a look.
                rarest = min(
                    group.leaves,
                    key=lambda leaf: (shared[leaf], -common[leaf[0]], str(leaf[0])),
                )
                self._filed[rarest].append(group)
            else:
                self._general.append(group)
        self._paths = {path for path, _ in self._filed}

    def find(self, request: ModelRequest) -> _Group | None:
        fitting = (group for group in self._candidates(request) if group.matches(request))
        return min(fitting, key=lambda group: group.rank, default=None)

    def _candidates(self, request: ModelRequest) -> Iterator[_Group]:
        for path in self._paths:
            typed = leaf_at(request.arguments, path)
            if typed is not None:
                yield from self._filed.get((path, typed), ())
        yield from self._general
