"""Disjoint sets of names, merged pair by pair (union-find: Galler and Fischer 1964)."""

from __future__ import annotations


class Groups:
    """Disjoint sets; every name has a leader, the same for its whole set. `leaders` holds the names
    seen so far.
    """

    def __init__(self) -> None:
        self.leaders: dict[str, str] = {}

    def find(self, name: str) -> str:
        """Return the leader of a name's set."""
        leaders = self.leaders
        while leaders.setdefault(name, name) != name:
            leaders[name] = leaders[leaders[name]]
            name = leaders[name]
        return name

    def join(self, name: str, other: str) -> None:
        """Merge two sets; the leader of the second one leads."""
        self.leaders[self.find(name)] = self.find(other)
