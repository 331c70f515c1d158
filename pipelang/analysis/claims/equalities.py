"""Theory of equality over texts and enums: equivalence classes of variables, and a value for each
class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelang.analysis.claims.formulas import Equals, SignedAtom
from pipelang.analysis.claims.inequalities import TooHard


class Groups:
    """Disjoint sets of names, merged pair by pair (union-find: Galler and Fischer 1964). Every name
    has a leader, the same for its whole set. `leaders` holds the names seen so far.
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


def equalities(
    members: Mapping[str, tuple[str, ...]], literals: list[SignedAtom]
) -> dict[str, str] | None:
    """Return values of texts and enums that satisfy equalities and inequalities; None if there are
    none. Equal variables share a value; enums keep to their members.
    """
    joined = Groups()
    find = joined.find
    for one in literals:
        assert isinstance(one.atom, Equals)
        find(one.atom.variable)
        if not one.atom.constant:
            find(one.atom.other)
            if one.positive:
                joined.join(one.atom.variable, one.atom.other)
    fixed: dict[str, str] = {}
    apart: dict[str, set[str]] = {}
    pairs: list[tuple[str, str]] = []
    for one in literals:
        assert isinstance(one.atom, Equals)
        mine = find(one.atom.variable)
        if one.atom.constant:
            if not one.positive:
                apart.setdefault(mine, set()).add(one.atom.other)
            elif fixed.setdefault(mine, one.atom.other) != one.atom.other:
                return None
        elif not one.positive:
            other = find(one.atom.other)
            if mine == other:
                return None
            pairs.append((mine, other))
    domains: dict[str, list[str] | None] = {}
    for name in list(joined.leaders):
        head = find(name)
        own = members.get(name)
        if own is not None:
            known = domains.get(head)
            domains[head] = [m for m in own if known is None or m in known]
        else:
            domains.setdefault(head, None)
    return _Colouring(domains, fixed, apart, pairs).values(joined.leaders, find)


MOST_TOGETHER = 300
"""The most classes that are compared with one another; values for them are found by backtracking.
"""


class _Colouring:
    """Graph colouring by backtracking: a value for every class of equal variables. Enums have few
    values, texts always one more.
    """

    def __init__(
        self,
        domains: Mapping[str, list[str] | None],
        fixed: Mapping[str, str],
        apart: Mapping[str, set[str]],
        pairs: list[tuple[str, str]],
    ) -> None:
        self.domains = domains
        self.fixed = fixed
        self.apart = apart
        self.pairs = pairs
        self.chosen: dict[str, str] = {}
        # Texts come last: there is always one more of them.
        self.heads = sorted(domains, key=lambda one: (one not in fixed, domains[one] is None, one))

    def values(
        self, leader: Mapping[str, str], find: Callable[[str], str]
    ) -> dict[str, str] | None:
        together = {head for pair in self.pairs for head in pair}
        for head in [head for head in self.heads if head not in together]:
            value = next((one for one in self._options(head) if self._is_free(head, one)), None)
            if value is None:
                return None
            self.chosen[head] = value
        self.heads = [head for head in self.heads if head in together]
        if len(self.heads) > MOST_TOGETHER:
            raise TooHard("too many values are compared with one another")
        return {name: self.chosen[find(name)] for name in leader} if self._place(0) else None

    def _place(self, at: int) -> bool:
        if at == len(self.heads):
            return True
        head = self.heads[at]
        for value in self._options(head):
            if self._is_free(head, value):
                self.chosen[head] = value
                if self._place(at + 1):
                    return True
                del self.chosen[head]
        return False

    def _options(self, head: str) -> list[str]:
        domain = self.domains[head]
        if head in self.fixed:
            value = self.fixed[head]
            return [value] if domain is None or value in domain else []
        if domain is not None:
            return domain
        apart = len(self.apart.get(head, ()))
        new = ("x" * count for count in range(len(self.pairs) + apart + 1))
        return [value for value in new if self._is_free(head, value)][:1]

    def _is_free(self, head: str, value: str) -> bool:
        others = (two if one == head else one for one, two in self.pairs if head in (one, two))
        return value not in self.apart.get(head, ()) and all(
            self.chosen.get(other) != value for other in others
        )
