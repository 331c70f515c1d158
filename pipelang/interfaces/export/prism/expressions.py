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
from pipelang.interfaces.export.prism.draws import HOLDS, Draws, PrismDraw, Shares, either
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
from pipelang.interfaces.export.prism.machine import NotExportable
from pipelang.interfaces.export.prism.scopes import Cut, PrismScope, confidence_cut
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics.arms import arm_test, is_drawn_whole
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.types import ANSWERER, BOOL, AnswererType, EnumType, Type

Arm = tuple[object, ...] | None
"""The values that an arm of a `match` takes; None takes what is left."""


@dataclass(frozen=True, slots=True)
class _Told:
    """The draw of a `path` or a `test`, if what it mentions is right and if not."""

    kind: str
    right: Shares
    wrong: Shares


@dataclass(frozen=True, slots=True)
class Compiler:
    """Turns an expanded expression into a formula, gathering the draws behind it. `place` is where
    it is written.
    """

    all: Draws
    scope: PrismScope
    own: str | None
    draws: dict[str, PrismDraw]
    place: int

    def value(self, node: expr.Expr) -> Formula:
        try:
            constant = fold(node)
        except NotConstant:
            pass
        else:
            return self._constant(constant, node.type)
        atom = self._atom(node)
        if atom is not None:
            return atom
        match node:
            case expr.Not():
                return no(self.value(node.operand))
            case expr.Logic():
                join = all_of if node.op == "and" else any_of
                return join([self.value(node.left), self.value(node.right)])
            case expr.Choice():
                parts = (node.condition, node.then, node.otherwise)
                return chosen(*map(self.value, parts))
            case expr.Select():
                return self._select(node)
            case expr.Compare(op="==") if _is_drawn(node.left) and _is_drawn(node.right):
                return self._equal(node.left, node.right)
            case expr.Member(collection=expr.MakeList() as listed) if _is_drawn(node.item):
                return any_of(self._equal(node.item, one) for one in listed.items)
            case _:
                return self._stated(node, None)

    def _constant(self, value: object, type: Type) -> Formula:
        if isinstance(value, bool):
            return TRUE if value else FALSE
        if isinstance(type, EnumType):
            return number(type.members.index(str(value)) + 1)
        if isinstance(type, AnswererType):
            return number(list(self.all.program.tiers).index(str(value)) + 1)
        raise AssertionError(f"{value!r} decides nothing")

    def _equal(self, left: expr.Expr, right: expr.Expr) -> Formula:
        values = self.value(left), self.value(right)
        return same(*values) if left.type == BOOL else compared(values[0], "=", values[1])

    def _select(self, node: expr.Select) -> Formula:
        cases = self.match(node.subject, [taken for taken, _ in node.arms])
        made = self.value(node.arms[cases[-1][0]][1])
        for index, case in reversed(cases[:-1]):
            made = chosen(case, self.value(node.arms[index][1]), made)
        return made

    def match(self, subject: expr.Expr, taken: Sequence[Arm]) -> list[tuple[int, Formula]]:
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

    def _domain(self, node: expr.Expr) -> list[tuple[object, Formula]]:
        """Every value that an expression can have, each with the condition that it has it."""
        value = self.value(node)
        if not isinstance(node.type, EnumType):
            return [(True, value), (False, no(value))]
        members = enumerate(node.type.members, start=1)
        return [(member, compared(value, "=", number(n))) for n, member in members]

    def tiers(self, who: expr.Expr) -> list[tuple[str, Formula]]:
        """The tiers that may be asked, each with the condition that it is."""
        try:
            return [(fold(who), TRUE)]
        except NotConstant:
            value = self.value(who)
        numbers = {name: n for n, name in enumerate(self.all.program.tiers, start=1)}
        parts = (part for part in expr.walk(who) if isinstance(part, expr.Const))
        names = dict.fromkeys(str(part.value) for part in parts if part.type == ANSWERER)
        return [(name, compared(value, "=", number(numbers[name]))) for name in names]

    def _atom(self, node: expr.Expr) -> Formula | None:
        """The draw behind an expression that has one of its own; None if it is taken apart."""
        if node in self.scope.condition_shares():
            return self._stated(node, self._told(node))
        if isinstance(node, expr.Compare):
            opposite = _opposite(node)
            if opposite is not None and opposite in self.scope.condition_shares():
                return no(self.value(opposite))
            cut = confidence_cut(node)
            if cut is not None:
                file = self.own or self.scope.files.get(cut[0])
                if file is not None and cut[0] in self.all.cuts:
                    return self._bin(cut[0], file, cut[1], cut[2])
        compare = expr.of_lowest(node)
        cut = None if compare is None else confidence_cut(compare)
        if cut is not None and (self.own or self.scope.files.get(cut[0])) is not None:
            raise NotExportable(
                "it tests the confidences of a list's elements, which the export does not keep"
            )
        return self._stated(node, self._told(node)) if self._is_path(node) else None

    def _is_path(self, node: expr.Expr) -> bool:
        return is_drawn_whole(node) or node in self.scope.path_shares()

    def _told(self, node: expr.Expr) -> _Told | None:
        """The share that this pipeline's traffic gives for an expression as a whole."""
        constants = self.all.constants
        share = self.scope.condition_shares().get(node)
        if share is not None:
            right, wrong = constants.share(share.right), constants.share(share.wrong)
            return _Told("test", either(right), either(wrong))
        line = self.scope.path_shares().get(node)
        if line is None:
            return None
        by_member = {member: constants.share(chance) for member, chance in line.shares}
        if node.type == BOOL:
            by_member[False] = rest(by_member[True])
        shares = _numbered([by_member.get(member, "0") for member in _members(node)])
        return _Told("path", shares, shares)

    def _stated(self, node: expr.Expr, told: _Told | None) -> Formula:
        """A statement about the values behind an expression, drawn once per version of them."""
        here = self.scope.in_callers_words(node)
        if here is not None:
            assert self.scope.caller is not None
            return Compiler(self.all, self.scope.caller, None, self.draws, self.place).heard(
                here, told
            )
        given = self.scope.given(node)
        again = self.all.looked_before(self.scope.frame, node, self.place)
        told = told or self._open(node, given, again)
        shown = self.scope.show(node)
        listed = "1 holds, 2 does not"
        if told.kind == "path":
            members = enumerate(_members(node), start=1)
            listed = ", ".join(f"{n} {str(m).lower()}" for n, m in members)
        name = self.all.variable(
            self.scope.frame,
            (told.kind, node, again) if again else (told.kind, node),
            f"{'d' if told.kind == 'path' else 't'}_{identifier(shown)}",
            len(told.right),
            f"{shown}: {listed}",
            self.scope.about(node),
        )
        self.draws.setdefault(name, PrismDraw(name, given, told.right, told.wrong))
        return variable(name) if isinstance(node.type, EnumType) else is_(name, HOLDS)

    def heard(self, node: expr.Expr, told: _Told | None) -> Formula:
        """Draws of a sub-pipeline about its argument: by the shares here if they say all of it,
        else as it was told.
        """
        if told is None or self._is_known(node):
            return self.value(node)
        return self._stated(node, told)

    def _is_known(self, node: expr.Expr) -> bool:
        """Whether constants, shares and evidence here say how an expression comes out."""
        try:
            fold(node)
        except NotConstant:
            pass
        else:
            return True
        if self._told(node) is not None:
            return True
        match node:
            case expr.Compare(op="==") | expr.Member() | expr.Not() | expr.Logic() | expr.Choice():
                return all(map(self._is_known, expr.parts(node)))
            case expr.MakeList() | expr.Select():
                return all(map(self._is_known, expr.parts(node)))
            case expr.Compare():
                cut, opposite = confidence_cut(node), _opposite(node)
                told = opposite is not None and self._told(opposite) is not None
                return told or (cut is not None and cut[0] in self.scope.files)
            case _:
                return False

    def _open(self, node: expr.Expr, given: frozenset[str], again: int) -> _Told:
        """Nobody said anything about it: unknown shares if it is right, and others if not."""
        site, place = f"{self.scope.pipeline.name}:{self.scope.show(node)}", ""
        if again:
            place = f"[{again}]"
        count = len(_members(node))
        right = wrong = self._unknown(f"{site} if right{place}", count)
        if given:
            wrong = self._unknown(f"{site} if wrong{place}", count)
        return _Told("path" if self._is_path(node) else "test", right, wrong)

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
            self.draws[name] = PrismDraw(name, given, *shares)
        above = Formula(f"{name}>{cuts.index(cut) + 1}", frozenset({name}))
        return above if holds_if_reached else no(above)

    def _bins(self, file: str, right: bool, cuts: list[Cut]) -> Shares:
        """Shares of right (or wrong) rows by how many thresholds they reach; unknown if none."""
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


def _is_drawn(node: expr.Expr) -> bool:
    """Whether an expression's value is drawn or constant: a bool, an enum's member, a tier."""
    return node.type == BOOL or isinstance(node.type, (EnumType, AnswererType))


def _members(node: expr.Expr) -> tuple[object, ...]:
    return node.type.members if isinstance(node.type, EnumType) else (True, False)


def _opposite(node: expr.Compare) -> expr.Compare | None:
    """`b <= a` for `a < b`, and the other way round: what holds when this does not."""
    if node.op == "==":
        return None
    op = "<=" if node.op == "<" else "<"
    return expr.Compare(op, node.right, node.left, node.type, node.span)


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
