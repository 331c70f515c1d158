"""Expressions as formulas over what was drawn.

An expression is taken apart as far as its parts are known: a path by its shares in traffic, a
confidence by its step's file, a condition by a share of its own. What is left is one draw as a
whole, with shares that nobody declared.

What a sub-pipeline says of its parameters alone is a statement about the arguments: it is drawn in
the words of the caller, by the caller's shares where it has some for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import HOLDS, Draw, Draws, Shares, either
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
from pipelang.semantics.arms import arm_test
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import ANSWERER, BOOL, AnswererType, EnumType, Type

Arm = tuple[object, ...] | None
"""The values that an arm of a `match` takes; None takes what is left."""


@dataclass(frozen=True, slots=True)
class _Told:
    """How a `path` or a `test` is drawn, if what it mentions is right and if not."""

    kind: str
    right: Shares
    wrong: Shares


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
                return self._stated(expr, None)

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
        left, cases = TRUE, []
        for index, values in enumerate(taken):
            test = TRUE if values is None else self.value(arm_test(subject, values))
            cases.append((index, all_of([left, test])))
            left = all_of([left, no(test)])
        return cases

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
        if expr in self.scope.condition_shares():
            return self._stated(expr, self._told(expr))
        if isinstance(expr, ir.Compare):
            opposite = _opposite(expr)
            if opposite is not None and opposite in self.scope.condition_shares():
                return no(self.value(opposite))
            cut = confidence_cut(expr)
            if cut is not None:
                file = self.own or self.scope.files.get(cut[0])
                if file is not None and cut[0] in self.all.cuts:
                    return self._bin(cut[0], file, cut[1], cut[2])
        return self._stated(expr, self._told(expr)) if _is_path(expr) else None

    def _told(self, expr: ir.Expr) -> _Told | None:
        """What this pipeline's traffic says of an expression as a whole."""
        constants = self.all.constants
        share = self.scope.condition_shares().get(expr)
        if share is not None:
            right, wrong = constants.share(share.right), constants.share(share.wrong)
            return _Told("test", either(right), either(wrong))
        line = self.scope.path_shares().get(expr)
        if line is None:
            return None
        by_member = {member: constants.share(chance) for member, chance in line.shares}
        if expr.type == BOOL:
            by_member[False] = rest(by_member[True])
        shares = _numbered([by_member.get(member, "0") for member in _members(expr)])
        return _Told("path", shares, shares)

    def _stated(self, expr: ir.Expr, told: _Told | None) -> Formula:
        """A statement about the values behind an expression, drawn once per version of them."""
        here = self.scope.in_callers_words(expr)
        if here is not None:
            assert self.scope.caller is not None
            return Compiler(self.all, self.scope.caller, None, self.draws).heard(here, told)
        given = self.scope.given(expr)
        told = told or self._open(expr, given)
        shown = self.scope.show(expr)
        listed = "1 holds, 2 does not"
        if told.kind == "path":
            members = enumerate(_members(expr), start=1)
            listed = ", ".join(f"{n} {str(m).lower()}" for n, m in members)
        name = self.all.variable(
            self.scope.frame,
            (told.kind, expr),
            f"{'d' if told.kind == 'path' else 't'}_{identifier(shown)}",
            len(told.right),
            f"{shown}: {listed}",
            self.scope.about(expr),
        )
        self.draws.setdefault(name, Draw(name, given, told.right, told.wrong))
        return variable(name) if isinstance(expr.type, EnumType) else is_(name, HOLDS)

    def heard(self, expr: ir.Expr, told: _Told | None) -> Formula:
        """What a sub-pipeline draws about its argument: by the shares here if they say all of it,
        else as it was told.
        """
        if told is None or self._is_known(expr):
            return self.value(expr)
        return self._stated(expr, told)

    def _is_known(self, expr: ir.Expr) -> bool:
        """Whether constants, shares and evidence here say how an expression comes out."""
        try:
            fold(expr)
        except NotConstant:
            pass
        else:
            return True
        if self._told(expr) is not None:
            return True
        match expr:
            case ir.Compare(op="==") | ir.Member() | ir.Not() | ir.Logic() | ir.Choice():
                return all(map(self._is_known, ir.parts(expr)))
            case ir.MakeList() | ir.Select():
                return all(map(self._is_known, ir.parts(expr)))
            case ir.Compare():
                cut, opposite = confidence_cut(expr), _opposite(expr)
                told = opposite is not None and self._told(opposite) is not None
                return told or (cut is not None and cut[0] in self.scope.files)
            case _:
                return False

    def _open(self, expr: ir.Expr, given: frozenset[str]) -> _Told:
        """Nobody said anything about it: unknown shares if it is right, and others if not."""
        site = f"{self.scope.pipeline.name}:{self.scope.show(expr)}"
        count = len(_members(expr))
        right = wrong = self._unknown(f"{site} if right", count)
        if given:
            wrong = self._unknown(f"{site} if wrong", count)
        return _Told("path" if _is_path(expr) else "test", right, wrong)

    def _unknown(self, site: str, count: int) -> Shares:
        return _numbered(self.all.constants.stick(site, count))

    def _bin(self, step: str, file: str, cut: Cut, holds_if_reached: bool) -> Formula:
        """A confidence: the rows of its file between the thresholds that anybody asks about."""
        cuts = sorted(self.all.cuts[step])
        note = f"{step.removeprefix('v_')}.confidence: 1 + how many thresholds it reaches"
        given = frozenset({step})
        like = f"b_{step.removeprefix('v_')}"
        key = ("bin", step, file)
        name = self.all.variable(self.scope.frame, key, like, len(cuts) + 1, note, given)
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


def _is_path(expr: ir.Expr) -> bool:
    """Whether an expression is a path to a bool or to an enum, which is a draw."""
    return (expr.type == BOOL or isinstance(expr.type, EnumType)) and ir.path_of(expr) is not None


def _members(expr: ir.Expr) -> tuple[object, ...]:
    return expr.type.members if isinstance(expr.type, EnumType) else (True, False)


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
