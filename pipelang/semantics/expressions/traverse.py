"""Going through expressions: their parts, the names they mention, and putting values in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import assert_never

from pipelang.records import replace
from pipelang.semantics.expressions.nodes import (
    Apply,
    Arithmetic,
    At,
    BudgetLeft,
    Builtin,
    Choice,
    Compare,
    Comprehension,
    Concatenation,
    Const,
    ElementRead,
    Expr,
    Field,
    IsPresent,
    Logic,
    MakeList,
    MakeRecord,
    Matches,
    Member,
    Negate,
    Not,
    Read,
    Select,
)


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside one."""
    match expr:
        case Const() | Read() | ElementRead() | BudgetLeft():
            return ()
        case Compare() | Logic() | Arithmetic() | Concatenation():  # of which there are most
            return (expr.left, expr.right)
        case Field() | IsPresent():
            return (expr.target,)
        case At():
            return (expr.target, expr.index)
        case Apply() | Builtin():
            return expr.arguments
        case MakeList():
            return expr.items
        case MakeRecord():
            return tuple(value for _, value in expr.fields)
        case Not() | Negate():
            return (expr.operand,)
        case Comprehension():
            test = () if expr.condition is None else (expr.condition,)
            return (expr.collection, expr.item, *test)
        case Member():
            return (expr.item, expr.collection)
        case Matches():
            return (expr.text,)
        case Choice():
            return (expr.condition, expr.then, expr.otherwise)
        case Select():
            return (expr.subject, *(value for _, value in expr.arms))
        case _:
            assert_never(expr)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything inside it, outermost first. What is shared within it, as where
    a `let` is mentioned twice, is there once.
    """
    seen: set[int] = set()
    todo = [expr]
    while todo:
        here = todo.pop()
        if id(here) not in seen:
            seen.add(id(here))
            yield here
            todo += parts(here)[::-1]


def rebuilt(expr: Expr, changed: Callable[[Expr], Expr]) -> Expr:
    """The expression with each part directly inside it replaced by what `changed` makes of it."""
    match expr:
        case Const() | Read() | BudgetLeft() | ElementRead():
            return expr
        case Compare() | Logic() | Arithmetic() | Concatenation():
            left, right = changed(expr.left), changed(expr.right)
            same = left is expr.left and right is expr.right
            return expr if same else replace(expr, left=left, right=right)
        case Comprehension():
            return replace(
                expr,
                item=changed(expr.item),
                collection=changed(expr.collection),
                condition=None if expr.condition is None else changed(expr.condition),
            )
        case Field() | IsPresent():
            return replace(expr, target=changed(expr.target))
        case At():
            return replace(expr, target=changed(expr.target), index=changed(expr.index))
        case Apply() | Builtin():
            return replace(expr, arguments=tuple(map(changed, expr.arguments)))
        case MakeList():
            return replace(expr, items=tuple(map(changed, expr.items)))
        case MakeRecord():
            return replace(expr, fields=tuple((n, changed(v)) for n, v in expr.fields))
        case Not() | Negate():
            return replace(expr, operand=changed(expr.operand))
        case Member():
            return replace(expr, item=changed(expr.item), collection=changed(expr.collection))
        case Matches():
            return replace(expr, text=changed(expr.text))
        case Choice():
            return replace(
                expr,
                condition=changed(expr.condition),
                then=changed(expr.then),
                otherwise=changed(expr.otherwise),
            )
        case Select():
            arms = tuple((pattern, changed(value)) for pattern, value in expr.arms)
            return replace(expr, subject=changed(expr.subject), arms=arms)
        case _:
            assert_never(expr)


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced by other expressions."""
    if isinstance(expr, Read):
        return values.get(expr.name, expr)
    if isinstance(expr, Const):
        return expr
    if isinstance(expr, Compare) and not values and _is_leaf(expr.left) and _is_leaf(expr.right):
        return expr  # as the test of most gates
    return _simplified(expr, lambda part: substitute(part, values))


def _is_leaf(expr: Expr) -> bool:
    return isinstance(expr, (Read, Const))


def at_element(expr: Expr, name: str, element: Expr) -> Expr:
    """The expression with the element of the comprehension over `name` replaced by another."""
    match expr:
        case ElementRead():
            return element if expr.name == name else expr
        case Comprehension() if expr.name == name:  # an inner one of that name has its own element
            return replace(expr, collection=at_element(expr.collection, name, element))
        case _:
            return _simplified(expr, lambda part: at_element(part, name, element))


def by_cases(expr: Expr) -> Expr:
    """The expression with every comparison of a confidence with a choice among constants as a
    choice among comparisons: each of them can be looked up in a file of evidence.
    """
    return substitute(expr, {})


def _compared_by_cases(compare: Compare) -> Expr:
    for threshold, confidence in ((compare.left, compare.right), (compare.right, compare.left)):
        if not isinstance(threshold, (Choice, Select)) or not _among_constants(threshold):
            continue
        path = place_of(confidence)
        if path is not None and path[1:] == ("confidence",):
            on_left = threshold is compare.left
            return _in_each_case(threshold, compare, on_left)
    return compare


def _over_elements_by_cases(test: Builtin) -> Expr:
    """As `_compared_by_cases`, for `all` and `any` over elements that are compared by case."""
    over = test.arguments[0] if test.function in ("all", "any") else None
    if not isinstance(over, Comprehension) or over.condition is not None:
        return test
    case = over.item
    if not isinstance(case, (Choice, Select)):
        return test
    decides = case.condition if isinstance(case, Choice) else case.subject
    if any(isinstance(part, ElementRead) for part in walk(decides)):
        return test

    def inside(item: Expr) -> Expr:
        return _over_elements_by_cases(replace(test, arguments=(replace(over, item=item),)))

    if isinstance(case, Choice):
        return replace(case, then=inside(case.then), otherwise=inside(case.otherwise))
    return replace(case, arms=tuple((pattern, inside(value)) for pattern, value in case.arms))


def _among_constants(expr: Expr) -> bool:
    """Whether an expression is a constant, or chooses among such."""
    match expr:
        case Choice():
            return _among_constants(expr.then) and _among_constants(expr.otherwise)
        case Select():
            return all(_among_constants(value) for _, value in expr.arms)
        case _:
            return isinstance(expr, Const)


def _in_each_case(threshold: Expr, compare: Compare, on_left: bool) -> Expr:
    def inside(part: Expr) -> Expr:
        return _in_each_case(part, compare, on_left)

    match threshold:
        case Choice():
            ways = inside(threshold.then), inside(threshold.otherwise)
            return replace(threshold, then=ways[0], otherwise=ways[1], type=compare.type)
        case Select():
            arms = tuple((pattern, inside(value)) for pattern, value in threshold.arms)
            return replace(threshold, arms=arms, type=compare.type)
        case _:
            if on_left:
                return replace(compare, left=threshold)
            return replace(compare, right=threshold)


def _simplified(expr: Expr, changed: Callable[[Expr], Expr]) -> Expr:
    """As `rebuilt`; a field of what has become a record literal is that field's value, and so on
    (`by_cases`).
    """
    if isinstance(expr, Field):
        target = changed(expr.target)
        if isinstance(target, MakeRecord) and expr.target != target:
            return dict(target.fields).get(expr.name) or replace(expr, target=target)
        return replace(expr, target=target)
    made = rebuilt(expr, changed)
    if isinstance(made, Compare):
        return _compared_by_cases(made)
    if isinstance(made, Builtin):
        made = _one_by_one(made)
    return _over_elements_by_cases(made) if isinstance(made, Builtin) else made


MOST_ELEMENTS = 32
"""Elements of a list that is taken apart."""


def _one_by_one(test: Builtin) -> Expr:
    """`any` and `all` over a list that is written down as `or` and `and` of its elements: what is
    known of these says how often the test holds.
    """
    known = _written_down(test.arguments[0]) if test.function in ("any", "all") else None
    if known is None or len(known) > MOST_ELEMENTS:
        return test
    every = test.function == "all"
    made: Expr | None = None
    for item, condition in known:
        part = item
        if condition is not None:  # for `all` it holds as well where the element is left out
            asked = Not(condition, test.type, test.span) if every else condition
            part = Logic("or" if every else "and", asked, item, test.type, test.span)
        made = part if made is None else Logic("and" if every else "or", made, part, test.type)
    return Const(every, test.type, span=test.span) if made is None else made


def _written_down(collection: Expr) -> list[tuple[Expr, Expr | None]] | None:
    """The elements of a list, each with the condition under which it is in it; None where it is
    known only while running which there are.
    """
    match collection:
        case MakeList():
            return [(item, None) for item in collection.items]
        case Concatenation():
            left, right = _written_down(collection.left), _written_down(collection.right)
            return None if left is None or right is None else [*left, *right]
        case Comprehension():
            known = _written_down(collection.collection)
            if known is None or len(known) > MOST_ELEMENTS:
                return None
            return [_through(collection, item, condition) for item, condition in known]
        case _:
            return None


def _through(
    over: Comprehension, element: Expr, condition: Expr | None
) -> tuple[Expr, Expr | None]:
    """The element and the condition of a comprehension for one element of its list."""
    item = at_element(over.item, over.name, element)
    if over.condition is None:
        return item, condition
    own = at_element(over.condition, over.name, element)
    both = own if condition is None else Logic("and", condition, own, own.type, own.span)
    return item, both


def operands_of(expr: Expr) -> tuple[str, list[Expr]]:
    """Operands of a test, to be tested one after the other, with the word between them; those of
    `a and b and c` are three.
    """
    match expr:
        case Not():
            return "not", [expr.operand]
        case Choice():
            return "if", [expr.condition, expr.then, expr.otherwise]
        case Logic():
            found: list[Expr] = []
            left: list[Expr] = [expr]
            while left:
                one = left.pop()
                if isinstance(one, Logic) and one.op == expr.op:
                    left += [one.right, one.left]
                else:
                    found.append(one)
            return expr.op, found
        case _:
            return "", []


def mentions(expr: Expr) -> frozenset[str]:
    """The names whose values an expression mentions."""
    if isinstance(expr, Read):  # as most are
        return frozenset((expr.name,))
    if isinstance(expr, Compare):
        if isinstance(expr.left, Const):
            return mentions(expr.right)
        if isinstance(expr.right, Const):
            return mentions(expr.left)
    return frozenset([node.name for node in walk(expr) if isinstance(node, Read)])


def path_of(expr: Expr) -> tuple[str, ...] | None:
    """`kind.complexity` as ("kind", "complexity"); None for anything but a dotted path."""
    match expr:
        case Read():
            return (expr.name,)
        case Field():
            head = path_of(expr.target)
            return None if head is None else (*head, expr.name)
        case _:
            return None


def place_of(expr: Expr) -> tuple[str, ...] | None:
    """A dotted path that begins with a value, or with the element of a comprehension."""
    match expr:
        case ElementRead():
            return (expr.name,)
        case Field():
            head = place_of(expr.target)
            return None if head is None else (*head, expr.name)
        case _:
            return path_of(expr)
