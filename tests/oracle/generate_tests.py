"""Random conditions, and what says how often they hold.

The four sources of the design each get their own kind of condition: shares of paths (computed),
`catches` and `false_alarms`, a share by name, and a file of evidence behind a confidence.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Literal

from . import expressions as e
from . import model as m
from .palette import CATCHES, FALSE_ALARMS, SHARES, THRESHOLDS, Palette
from .scope import Scope

COMPARISONS: tuple[Literal[">=", ">", "<", "<="], ...] = (">=", ">=", ">=", ">", "<", "<=")


class TestMaker:
    __test__ = False

    def __init__(self, rng: random.Random, palette: Palette, evidence: int) -> None:
        self.rng = rng
        self.palette = palette
        self._evidence = evidence
        self._files: dict[str, str] = {}  # step -> the file behind its confidence
        self._by_accuracy: set[str] = set()  # steps whose own accuracy is that file
        # Conditions with rates or a share of their own: one condition has one source, since
        # the same words over the same versions are the same draw.
        self._rates: dict[e.Expr, m.Rates] = {}
        self._named: set[e.Expr] = set()

    # --- evidence ---------------------------------------------------------------------------

    def measured(self, step: m.Step) -> m.Step:
        """Gives some steps a file, as their accuracy or only for the gates to come."""
        asks = [isinstance(link.action, m.Ask) for link in step.links]
        pure = any(isinstance(link.action, m.Pure) for link in step.links)
        if pure or not asks[0] or self.rng.randrange(8) >= self._evidence:
            return step
        self._files[step.name] = path = self.palette.evidence()
        if self.palette.one_in(3):
            return step
        self._by_accuracy.add(step.name)
        links = [
            replace(link, accuracy=m.FromFile(path))
            if is_ask and (number == 0 or self.palette.one_in(2))
            else link
            for number, (link, is_ask) in enumerate(zip(step.links, asks, strict=True))
        ]
        return replace(step, links=tuple(links))

    def _confidence(self, steps: list[str]) -> e.Confidence:
        step = self.palette.some(steps, 1, 1)[0]
        return e.Confidence(step, self.rng.choice(COMPARISONS), self.rng.choice(THRESHOLDS))

    def _with_paths(self, atom: e.Expr, scope: Scope) -> e.Expr:
        """A confidence, alone or beside paths that have shares."""
        if not self.palette.one_in(4):
            return atom
        other = self.condition(scope)
        return self.rng.choice((e.And, e.Or))(atom, other)

    # --- conditions -------------------------------------------------------------------------

    def condition(self, scope: Scope, depth: int = 0) -> e.Expr:
        """Computed from paths with shares; every atom has one."""
        if depth < 2 and self.palette.one_in(8):
            return self._quantified(scope, depth)
        if depth < 2 and self.palette.one_in(3):
            kind = self.rng.choice(("and", "or", "not"))
            left = self.condition(scope, depth + 1)
            if kind == "not":
                return left if isinstance(left, e.Not) else e.Not(left)
            right = self.condition(scope, depth + 1)
            return e.And(left, right) if kind == "and" else e.Or(left, right)
        lets = scope.conditions()
        if lets and self.palette.one_in(2):
            return e.Path(self.rng.choice(lets))
        value = self.palette.some(scope.with_paths(), 1, 1)[0]
        kind = self.rng.choice(("flag", "flag", "flag", "is", "member", "member"))
        if kind == "flag":
            return self.palette.flag(value)
        if kind == "is":
            member = self.rng.choice(("true", "false"))
            return e.Is(self.palette.flag(value), member, negated=self.palette.one_in(2))
        record = scope.record(value)
        members = self.palette.members(record)
        path = self.palette.kind(value, record)
        if self.palette.one_in(2):
            return e.Is(path, self.rng.choice(members), negated=self.palette.one_in(3))
        some = tuple(self.rng.sample(members, self.rng.randint(1, 2)))
        return e.In(path, some, negated=self.palette.one_in(3))

    def _quantified(self, scope: Scope, depth: int) -> e.Quantified:
        """`any` or `all` over a list of conditions, in each way of writing one."""
        count = self.rng.randint(1, 3)
        elements = tuple(self.condition(scope, depth + 1) for _ in range(count))
        through = self.palette.one_in(2)
        return e.Quantified(
            self.rng.choice(("any", "all")),
            elements,
            f"one_{depth}" if through else None,
            through and self.palette.one_in(2),
            self.rng.randint(1, count - 1) if count > 1 and self.palette.one_in(3) else None,
        )

    def _judged(self, scope: Scope) -> e.Expr:
        """A condition without shares, to be judged as a whole."""
        values = scope.steps() if not self.palette.one_in(6) else scope.with_paths()
        names = self.palette.some(values or scope.with_paths(), 1, 2)
        paths: list[e.Expr] = [e.Path(name, "ok") for name in names]
        return paths[0] if len(paths) == 1 else e.And(*paths)

    def _share(self) -> m.Share:
        right = self.rng.choice(SHARES)
        return m.Share(right, right if self.palette.one_in(3) else self.rng.choice(SHARES))

    def _own_rates(self, condition: e.Expr) -> m.Rates:
        if condition not in self._rates:
            catches = self.rng.choice(CATCHES)
            self._rates[condition] = m.Rates(catches, self.rng.choice(FALSE_ALARMS))
        return self._rates[condition]

    # --- tests ------------------------------------------------------------------------------

    def of_gate(self, scope: Scope) -> m.Test:
        steps = [name for name in scope.steps() if name in self._files]
        if steps and not self.palette.one_in(3):
            atom = self._confidence(steps)
            own = atom.step not in self._by_accuracy or self.palette.one_in(4)
            source = m.FromFile(self._files[atom.step]) if own else None
            return m.Test(self._with_paths(atom, scope), source)
        if self.palette.one_in(3):
            return m.Test(self.condition(scope))
        condition = self._judged(scope)
        if condition in self._named:
            return m.Test(self.condition(scope))
        if self.palette.one_in(3) and condition not in self._rates:
            self._named.add(condition)
            return m.Test(condition, self._share())
        return m.Test(condition, self._own_rates(condition))

    def of_when(self, scope: Scope, named: bool) -> m.Test:
        steps = [name for name in scope.steps() if name in self._by_accuracy]
        if steps and self.palette.one_in(2):
            return m.Test(self._with_paths(self._confidence(steps), scope))
        condition = self._judged(scope)
        if named and self.palette.one_in(2) and condition not in {*self._named, *self._rates}:
            self._named.add(condition)
            return m.Test(condition, self._share())
        return m.Test(self.condition(scope))
