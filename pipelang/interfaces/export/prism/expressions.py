"""Expressions as formulas over what was drawn.

An expression is taken apart as far as its parts are known: a path by its shares in traffic, a
confidence by its step's file, a condition by a share of its own. What is left is one draw as a
whole, with shares that nobody declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import HOLDS, Draw, Draws, Shares
from pipelang.interfaces.export.prism.formulas import (
    FALSE,
    TRUE,
    Formula,
    all_of,
    any_of,
    chosen,
    compared,
    is_,
    no,
    number,
    rest,
    same,
    variable,
)
from pipelang.interfaces.export.prism.scopes import Cut, Scope, confidence_cut
from pipelang.records import dataclass
from pipelang.semantics import expressions as ir
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import ANSWERER, BOOL, AnswererType, EnumType, Type

Arm = tuple[object, ...] | None
"""The values that an arm of a `match` takes; None takes what is left."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Turns an expanded expression into a formula, gathering the draws behind it."""

    all: Draws
    scope: Scope
    own: str | None
    draws: dict[str, Draw]

    def value(self, expr: ir.Expr) -> Formula:
        try:
            constant = fold(expr)
        except NotConstant:
            pass
        else:
            return self._constant(constant, expr.type)
        atom = self._atom(expr)
        if atom is not None:
            return atom
        match expr:
            case ir.Not():
                return no(self.value(expr.operand))
            case ir.Logic():
                join = all_of if expr.op == "and" else any_of
                return join([self.value(expr.left), self.value(expr.right)])
            case ir.Choice():
                parts = (expr.condition, expr.then, expr.otherwise)
                return chosen(*map(self.value, parts))
            case ir.Select():
                return self._select(expr)
            case ir.Compare(op="==") if _is_drawn(expr.left) and _is_drawn(expr.right):
                return self._equal(expr.left, expr.right)
            case ir.Member(collection=ir.MakeList() as listed) if _is_drawn(expr.item):
                return any_of(self._equal(expr.item, one) for one in listed.items)
            case _:
                return self._undeclared(expr)

    def _constant(self, value: object, type: Type) -> Formula:
        if isinstance(value, bool):
            return TRUE if value else FALSE
        if isinstance(type, EnumType):
            return number(type.members.index(str(value)) + 1)
        if isinstance(type, AnswererType):
            return number(list(self.all.program.tiers).index(str(value)) + 1)
        raise AssertionError(f"{value!r} decides nothing")

    def _equal(self, left: ir.Expr, right: ir.Expr) -> Formula:
        values = self.value(left), self.value(right)
        return same(*values) if left.type == BOOL else compared(values[0], "=", values[1])

    def _select(self, expr: ir.Select) -> Formula:
        cases = self.match(expr.subject, [taken for taken, _ in expr.arms])
        made = self.value(expr.arms[cases[-1][0]][1])
        for index, case in reversed(cases[:-1]):
            made = chosen(case, self.value(expr.arms[index][1]), made)
        return made

    def match(self, subject: ir.Expr, taken: Sequence[Arm]) -> list[tuple[int, Formula]]:
        """For each arm that can be reached, the condition under which it is taken."""
        try:
            return list(_arms([(fold(subject), TRUE)], taken))
        except NotConstant:
            pass
        if _is_drawn(subject):
            return list(_arms(self._domain(subject), taken))
        site = f"{self.scope.pipeline.name}:{self.scope.show(subject)}"
        given = self.all.given(self.scope, subject)
        note = f"{self.scope.show(subject)}: which arm it takes"
        like = f"a_{identifier(self.scope.show(subject))}"
        name = self.all.variable(("arm", subject, tuple(taken)), like, len(taken), note, given)
        right = wrong = _numbered(self.all.constants.stick(f"{site} if right", len(taken)))
        if given:
            wrong = _numbered(self.all.constants.stick(f"{site} if wrong", len(taken)))
        self.draws.setdefault(name, Draw(name, given, right, wrong))
        return [(index, is_(name, index + 1)) for index in range(len(taken))]

    def _domain(self, expr: ir.Expr) -> list[tuple[object, Formula]]:
        """Every value that an expression can have, each with the condition that it has it."""
        value = self.value(expr)
        if not isinstance(expr.type, EnumType):
            return [(True, value), (False, no(value))]
        members = enumerate(expr.type.members, start=1)
        return [(member, compared(value, "=", number(n))) for n, member in members]

    def tiers(self, who: ir.Expr) -> list[tuple[str, Formula]]:
        """The tiers that may be asked, each with the condition that it is."""
        try:
            return [(fold(who), TRUE)]
        except NotConstant:
            value = self.value(who)
        numbers = {name: n for n, name in enumerate(self.all.program.tiers, start=1)}
        parts = (part for part in ir.walk(who) if isinstance(part, ir.Const))
        names = dict.fromkeys(str(part.value) for part in parts if part.type == ANSWERER)
        return [(name, compared(value, "=", number(numbers[name]))) for name in names]

    def _atom(self, expr: ir.Expr) -> Formula | None:
        """The draw behind an expression that has one of its own; None if it is taken apart."""
        share = self.scope.condition_shares().get(expr)
        if share is not None:
            constants = self.all.constants
            return self._judge(expr, constants.share(share.right), constants.share(share.wrong))
        if isinstance(expr, ir.Compare):
            opposite = _opposite(expr)
            if opposite is not None and opposite in self.scope.condition_shares():
                return no(self.value(opposite))
            cut = confidence_cut(expr)
            if cut is not None:
                file = self.own or self.scope.files.get(cut[0])
                if file is not None and cut[0] in self.all.cuts:
                    return self._bin(cut[0], file, cut[1], cut[2])
        drawn = expr.type == BOOL or isinstance(expr.type, EnumType)
        return self._path(expr) if drawn and ir.path_of(expr) is not None else None

    def _judge(self, expr: ir.Expr, right: str, wrong: str) -> Formula:
        made = self.all.verdict(self.scope, expr, right, wrong)
        self.draws.setdefault(made.name, made)
        return is_(made.name, HOLDS)

    def _undeclared(self, expr: ir.Expr) -> Formula:
        """Nobody said anything about it: one unknown share if it is right, and one if not."""
        site = f"{self.scope.pipeline.name}:{self.scope.show(expr)}"
        right = self.all.constants.unknown(f"{site} if right")
        given = self.all.given(self.scope, expr)
        wrong = self.all.constants.unknown(f"{site} if wrong") if given else right
        return self._judge(expr, right, wrong)

    def _path(self, expr: ir.Expr) -> Formula:
        """A path to a bool or an enum, by its shares; without any they are unknown."""
        all_, given = self.all, self.all.given(self.scope, expr)
        members: tuple[object, ...] = (True, False)
        if isinstance(expr.type, EnumType):
            members = expr.type.members
        listed = ", ".join(f"{n} {str(m).lower()}" for n, m in enumerate(members, start=1))
        note = f"{self.scope.show(expr)}: {listed}"
        like = f"d_{identifier(self.scope.show(expr))}"
        name = all_.variable(("path", expr), like, len(members), note, given)
        line = self.scope.path_shares().get(expr)
        if line is not None:
            by_member = {member: all_.constants.share(chance) for member, chance in line.shares}
            if members == (True, False):
                by_member[False] = rest(by_member[True])
            right = tuple((n, by_member.get(m, "0")) for n, m in enumerate(members, start=1))
            wrong = right
        else:
            site = f"{self.scope.pipeline.name}:{self.scope.show(expr)}"
            count = len(members)
            right = _numbered(all_.constants.stick(f"{site} if right", count))
            wrong = right
            if given:
                wrong = _numbered(all_.constants.stick(f"{site} if wrong", count))
        self.draws.setdefault(name, Draw(name, given, right, wrong))
        return variable(name) if isinstance(expr.type, EnumType) else is_(name, HOLDS)

    def _bin(self, step: str, file: str, cut: Cut, holds_if_reached: bool) -> Formula:
        """A confidence: the rows of its file between the thresholds that anybody asks about."""
        cuts = sorted(self.all.cuts[step])
        note = f"{step.removeprefix('v_')}.confidence: 1 + how many thresholds it reaches"
        given = frozenset({step})
        like = f"b_{step.removeprefix('v_')}"
        name = self.all.variable(("bin", step, file), like, len(cuts) + 1, note, given)
        if name not in self.draws:
            shares = [self._bins(file, right, cuts) for right in (True, False)]
            self.draws[name] = Draw(name, given, *shares)
        above = Formula(f"{name}>{cuts.index(cut) + 1}", frozenset({name}))
        return above if holds_if_reached else no(above)

    def _bins(self, file: str, right: bool, cuts: list[Cut]) -> Shares:
        """How often a right (or wrong) row reaches so many thresholds; unknown without a row."""
        counts = [0] * (len(cuts) + 1)
        for row in self.all.program.evidence[file].rows:
            if row.correct is right and row.confidence is not None:
                reached = [
                    row.confidence > threshold if strict else row.confidence >= threshold
                    for threshold, strict in cuts
                ]
                counts[sum(reached)] += 1
        total = sum(counts)
        if not total:
            kind = "right" if right else "wrong"
            return _numbered(self.all.constants.stick(f"{file}:{kind}", len(counts)))
        return _numbered([f"{count}/{total}" if count else "0" for count in counts])


def _numbered(shares: list[str]) -> Shares:
    return tuple(enumerate(shares, start=1))


def _is_drawn(expr: ir.Expr) -> bool:
    """Whether an expression's value is drawn or constant: a bool, an enum's member, a tier."""
    return expr.type == BOOL or isinstance(expr.type, (EnumType, AnswererType))


def _opposite(expr: ir.Compare) -> ir.Compare | None:
    """`b <= a` for `a < b`, and the other way round: what holds when this does not."""
    if expr.op == "==":
        return None
    op = "<=" if expr.op == "<" else "<"
    return ir.Compare(op, expr.right, expr.left, expr.type, expr.span)


def _arms(
    values: list[tuple[object, Formula]], taken: Sequence[Arm]
) -> Iterator[tuple[int, Formula]]:
    """For each arm of a `match` that can be reached, the condition that it is the first to fit."""
    by_arm: dict[int, list[Formula]] = {}
    for value, case in values:
        fitting = (n for n, arm in enumerate(taken) if arm is None or value in arm)
        by_arm.setdefault(next(fitting), []).append(case)
    for index in sorted(by_arm):
        yield index, any_of(by_arm[index])
