"""Branches that exclude one another: which of them one run can go through.

Two `when` over one value are decided by the same value, so a run that takes the first may be unable
to take the second. The worst run is therefore looked for case by case: a case gives a value to each
operand that several branches read, and in it a condition holds, does not hold, or is open. Operands
are bools, enums, presences, numbers that are compared with constants (a case for each interval
between them), and whole conditions of any other kind. What a redo makes anew is none, because it
may change between two branches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from decimal import Decimal
from itertools import pairwise, product
from operator import itemgetter
from typing import Any

from pipelang.analysis.model.model import PipelineModel
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import BOOL, EnumType
from pipelang.semantics.walk import BlockContents, contents

MOST_CASES = 64
"""Cases that are looked at; operands beyond it stay open, which is a bound."""

MOST_WORK = 50_000
"""Cases times items."""

Case = Mapping[expr.Expr, Any]


def cases(model: PipelineModel) -> Iterator[dict[expr.Expr, Any]]:
    """Values of the operands that several branches of a pipeline read; one empty case where none
    is shared.
    """
    inside = contents(model.pipeline.block)
    tests = [model.expand(test) for test in _tests(inside)]
    shared = Counter(operand for test in tests for operand in dict.fromkeys(_operands(test)))
    chosen: dict[expr.Expr, list[Any]] = {}
    count, most = 1, min(MOST_CASES, MOST_WORK // max(1, len(inside.items)))
    often = [pair for pair in shared.items() if pair[1] > 1]
    often.sort(key=itemgetter(1), reverse=True)
    several = [operand for operand, _ in often if _is_stable(model, operand)]
    marks = _marks(tests) if several else {}
    for operand in several:
        values = _values(operand, marks.get(operand, frozenset()))
        if count * len(values) <= most:
            chosen[operand] = values
            count *= len(values)
    for one in product(*chosen.values()):
        yield dict(zip(chosen, one, strict=True))


def _tests(inside: BlockContents) -> Iterator[expr.Expr]:
    chosen: dict[int, list[expr.Expr]] = defaultdict(list)
    for step, link in inside.links:
        if isinstance(link.action, p.Choose):
            chosen[id(step)].append(link.action.subject)
    for item in inside.items if chosen else inside.beside:
        if isinstance(item, (p.When, p.Gate)):
            yield item.condition
        elif isinstance(item, p.MatchBranch):
            yield item.subject
        elif id(item) in chosen:
            yield from chosen[id(item)]


def _operands(node: expr.Expr) -> Iterator[expr.Expr]:
    """The operands that decide a condition or a subject, if they are the same in the whole run."""
    match node:
        case expr.Const():
            return
        case expr.Not():
            yield from _operands(node.operand)
        case expr.Logic():
            yield from _operands(node.left)
            yield from _operands(node.right)
        case expr.Compare() if _is_plain(node.left) != _is_plain(node.right):
            inner = node.right if _is_plain(node.left) else node.left
            yield inner if isinstance(inner.type, EnumType) or _numbers(node) else node
        case _:
            yield node


def _is_stable(model: PipelineModel, node: expr.Expr) -> bool:
    """Whether an operand is the same in the whole run, and has values to look at."""
    if not (node.type == BOOL or isinstance(node.type, EnumType) or not _is_plain(node)):
        return False
    if any(isinstance(part, expr.BudgetLeft) for part in expr.walk(node)):
        return False
    return not model.roots(expr.mentions(node)) & model.latent


def _is_plain(node: expr.Expr) -> bool:
    return isinstance(node, expr.Const)


def _numbers(node: expr.Compare) -> bool:
    """Whether a number is compared with a constant."""
    for side in (node.left, node.right):
        if isinstance(side, expr.Const):
            return isinstance(side.value, (int, Decimal)) and not isinstance(side.value, bool)
    return False


def _marks(tests: Iterable[expr.Expr]) -> dict[expr.Expr, set[Any]]:
    """Constants that each operand is compared with anywhere."""
    marks: dict[expr.Expr, set[Any]] = defaultdict(set)
    for test in tests:
        for part in expr.walk(test):
            if isinstance(part, expr.Compare):
                for operand, other in ((part.left, part.right), (part.right, part.left)):
                    if isinstance(other, expr.Const):
                        marks[operand].add(other.value)
    return marks


def _values(operand: expr.Expr, marks: Set[Any]) -> list[Any]:
    if isinstance(operand.type, EnumType):
        return list(operand.type.members)
    if operand.type == BOOL:
        return [True, False]
    if not marks:
        return [None]
    ordered = sorted(Decimal(mark) for mark in marks)
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    return sorted([ordered[0] - 1, *ordered, *between, ordered[-1] + 1])


def decided(node: expr.Expr, case: Case) -> Any:
    """The value of an expanded condition or subject in a case; None where it is open."""
    if case and node in case:
        return case[node]
    match node:
        case expr.Const():
            return node.value
        case expr.Not():
            inner = decided(node.operand, case)
            return None if inner is None else not inner
        case expr.Logic():
            left, right = decided(node.left, case), decided(node.right, case)
            decides = node.op == "or"
            if decides in (left, right):
                return decides
            return None if None in (left, right) else not decides
        case expr.Compare():
            left = decided(node.left, case)
            right = None if left is None else decided(node.right, case)
            return None if right is None else _compared(node.op, left, right)
        case _:
            return None


def _compared(op: str, left: Any, right: Any) -> bool | None:
    if op == "==":
        return bool(left == right)
    if op == "!=":
        return bool(left != right)
    if isinstance(left, str) or isinstance(right, str):
        return None
    match op:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case _:
            return None
