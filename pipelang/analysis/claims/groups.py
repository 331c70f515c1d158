"""Names that belong together, found by joining pairs (disjoint sets: Galler and Fischer 1964)."""

from __future__ import annotations


class Groups:
    """Every name has a leader, which is the same for all of its group; `leaders` has those met."""

    def __init__(self) -> None:
        self.leaders: dict[str, str] = {}

    def find(self, name: str) -> str:
        """The leader of a name's group."""
        leaders = self.leaders
        while leaders.setdefault(name, name) != name:
            leaders[name] = leaders[leaders[name]]
            name = leaders[name]
        return name

    def join(self, name: str, other: str) -> None:
        """Make one group of two; the second one's leader leads."""
        self.leaders[self.find(name)] = self.find(other)
