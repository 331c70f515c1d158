"""Order and arithmetic of symbolic numbers, as the interpreter computes them.

Whole numbers are exact. Money, shares and durations are decimals of 28 digits and a `number` is a
float that is worked out by way of such a decimal, so a sum, product or quotient of these is
rounded. The rounded value is a variable of its own: named by the operation and its operands, and
related to the exact value `e` by axioms. It differs from `e` by at most a relative error, has its
sign, and rounding keeps the order: where `e <= c`, the rounded value is `<= c` for every `c` that
is itself a value of this kind (Goldberg 1991, "What every computer scientist should know about
floating-point arithmetic").

A `number` is compared by the float that it is, and reckoned with by its shortest notation. Both
agree with the same whole number up to 2**53; beyond, comparing the two is an opaque question.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from fractions import Fraction

from pipelang.analysis.claims.formulas import (
    TRUE,
    Formula,
    all_of,
    any_of,
    linear,
)
from pipelang.analysis.claims.inequalities import NumericRange
from pipelang.analysis.claims.values import Free, Known, Sum, Symbol, name_of, one, variables
from pipelang.analysis.claims.variables import COMPUTED, Variables, is_json
from pipelang.semantics.kernels import arithmetic
from pipelang.semantics.types import INT, NUMBER, TIME, Scalar, ScalarKind, Type, present

DIGITS = 28
"""Digits of a decimal in the interpreter."""

FLOAT_ERROR = Fraction(1, 2**52)
"""Relative error of a float that was rounded twice, to 28 digits and to 53 bits."""

DECIMAL_ERROR = Fraction(1, 10 ** (DIGITS - 1))
SMALLEST = Fraction(1, 10**300)
"""Absolute error of floats near 0, generously."""

FLOAT_DIGITS = 15
"""Digits of a decimal that a float keeps."""

EXACT_FLOATS = 2**53
"""Whole numbers up to this are floats."""


def number_class(known: Variables, symbol: Symbol) -> str:
    """Return how the interpreter holds a number: `int`, `float`, `decimal` or `time`."""
    type: Type = INT
    match symbol:
        case Sum():
            if len(symbol.terms) == 1:
                type = known.types[symbol.terms[0][0]]
        case Known(value=int()) if is_json(symbol.type):
            return "int"
        case Known() | Free():
            type = symbol.type
        case _:
            pass
    inner = present(type)
    if inner == NUMBER:
        return "float"
    if inner == TIME:
        return "time"
    whole = isinstance(inner, Scalar) and inner.kind in (ScalarKind.INT, ScalarKind.TOKENS)
    return "int" if whole else "decimal"


# -------------------------------------------------------------------------------------- comparing


def ordered(known: Variables, op: str, left: Symbol, right: Symbol) -> Formula:
    """Return the formula of a comparison of two numbers that are there; `op` is <=, < or ==."""
    first, second = known.sum(left), known.sum(right)
    question = f"{name_of(one(left))} {op} {name_of(one(right))}"
    if first is None or second is None:
        return known.asked(question, left, right)
    classes = number_class(known, left), number_class(known, right)
    difference = _added(first, _scaled(second, -1))
    plain = linear(dict(difference.terms), op, -difference.constant)
    if set(classes) == {"int", "float"}:
        whole = first if classes[0] == "int" else second
        low, high = known.range_of(whole)
        if not whole.terms and _is_float(whole.constant):
            pass
        elif low is None or high is None or low < -EXACT_FLOATS or high > EXACT_FLOATS:
            terms = dict(whole.terms)
            inside = all_of(
                (
                    linear(terms, "<=", EXACT_FLOATS - whole.constant),
                    linear(_negative(terms), "<=", EXACT_FLOATS + whole.constant),
                )
            )
            beyond = any_of(
                (
                    linear(_negative(terms), "<", -EXACT_FLOATS + whole.constant),
                    linear(terms, "<", -EXACT_FLOATS - whole.constant),
                )
            )
            asked = known.asked(question, left, right)
            return any_of((all_of((inside, plain)), all_of((beyond, asked))))
    elif classes[0] != classes[1]:
        return known.asked(question, left, right)
    _keep_order(known, difference)
    return plain


def _is_float(whole: Fraction) -> bool:
    """Whether a whole number is a float whose shortest notation is that number."""
    return _fits(whole, "float") and float(whole) == whole


def _negative(terms: dict[str, Fraction]) -> dict[str, Fraction]:
    return {name: -factor for name, factor in terms.items()}


def _keep_order(known: Variables, difference: Sum) -> None:
    """Add what rounding leaves in order: a rounded value beside a constant, or beside a float."""
    names = [name for name, _ in difference.terms]
    rounded = [name for name in names if name in known.rounded]
    if not rounded or len(names) > 2:
        return
    factors = dict(difference.terms)
    for name in rounded:
        exact, kind = known.rounded[name]
        rest = {other: -f / factors[name] for other, f in factors.items() if other != name}
        bound = Sum(tuple(sorted(rest.items())), -difference.constant / factors[name])
        if (name, bound) in known.kept or not _is_value(known, bound, kind):
            continue
        known.kept.add((name, bound))
        gap = dict(_added(exact, _scaled(bound, -1)).terms)
        above = _added(Sum(((name, Fraction(1)),), Fraction(0)), _scaled(bound, -1))
        limit = bound.constant - exact.constant
        for sign in (1, -1):
            beyond = linear({n: -sign * f for n, f in gap.items()}, "<", -sign * limit)
            kept = linear({n: sign * f for n, f in above.terms}, "<=", -sign * above.constant)
            known.axiom(any_of((beyond, kept)), name)


def _is_value(known: Variables, bound: Sum, kind: str) -> bool:
    """Whether a bound is a value that rounding leaves as it is."""
    if not bound.terms:
        return _fits(bound.constant, kind)
    if bound.constant or len(bound.terms) > 1 or bound.terms[0][1] != 1:
        return False
    name = bound.terms[0][0]
    type = present(known.types[name])
    if kind == "float":
        return type == NUMBER
    return name in known.rounded and type != NUMBER


def _fits(value: Fraction, kind: str) -> bool:
    """Whether a constant is a float by its shortest notation, or a decimal of 28 digits."""
    if kind == "float":
        try:
            return Fraction(repr(float(value))) == value
        except (OverflowError, ValueError):
            return False
    with localcontext(Context(prec=DIGITS)):
        return Fraction(Decimal(value.numerator) / Decimal(value.denominator)) == value


# ------------------------------------------------------------------------------------- computing


def negated(known: Variables, operand: Symbol, type: Type) -> Symbol:
    if isinstance(operand, Known):
        return Known(-operand.value, type)
    value = known.sum(operand)
    if value is None:
        return known.opaque(f"-({name_of(one(operand))})", type, COMPUTED, variables(one(operand)))
    return _scaled(value, -1)


def computed(known: Variables, op: str, type: Type, left: Symbol, right: Symbol) -> Symbol:
    """Return the value of an arithmetic expression of a type; `op` is +, -, * or /."""
    first, second = known.sum(left), known.sum(right)
    names = [name_of(one(left)), name_of(one(right))]
    if op in "+*":
        names.sort()
    name = f"({names[0]}) {op} ({names[1]})"
    about = variables(((TRUE, left), (TRUE, right)))
    times = TIME in (present(type), *_types(left, right))
    if first is None or second is None or times:
        return known.opaque(name, type, COMPUTED, about)
    if isinstance(left, Known) and isinstance(right, Known):
        constant = _constant(op, type, left, right)
        return known.opaque(name, type, COMPUTED, about) if constant is None else constant
    exact = _exact(known, op, type, first, second, name, about)
    if type == INT:
        return exact
    return _rounded(known, exact, op, type, name)


def _types(*symbols: Symbol) -> list[Type]:
    return [present(one.type) for one in symbols if isinstance(one, (Free, Known))]


def _constant(op: str, type: Type, left: Known, right: Known) -> Known | None:
    """Compute with constants, exactly as the interpreter does."""
    try:
        with localcontext(Context(prec=DIGITS)):
            sides = (arithmetic.constant(side.value, side.type) for side in (left, right))
            return Known(arithmetic.operation(op, type)(*sides), type)
    except ArithmeticError:
        return None


def _exact(
    known: Variables,
    op: str,
    type: Type,
    first: Sum,
    second: Sum,
    name: str,
    about: frozenset[str],
) -> Sum:
    """Return the exact value, before it is rounded; a product or quotient of two unknown numbers is
    an opaque variable with the range that theirs leave.
    """
    match op:
        case "+":
            return _added(first, second)
        case "-":
            return _added(first, _scaled(second, -1))
        case "*" if not second.terms:
            return _scaled(first, second.constant)
        case "*" if not first.terms:
            return _scaled(second, first.constant)
        case "/" if not second.terms and second.constant:
            return _scaled(first, 1 / second.constant)
        case _:
            pass
    low, high = _product(known.range_of(first), known.range_of(second), op)
    if op == "*" and first == second:
        low = Fraction(0) if low is None or low < 0 else low
    kind = Scalar(ScalarKind.INT) if type == INT else Scalar(ScalarKind.TOKENS)
    found = known.opaque(name if type == INT else f"exactly {name}", kind, COMPUTED, about)
    known.facts.ranges[found.name] = NumericRange(low, high, type == INT)
    return Sum(((found.name, Fraction(1)),), Fraction(0))


Ends = tuple[Fraction | None, Fraction | None]


def _product(first: Ends, second: Ends, op: str) -> Ends:
    """Return bounds of a product or quotient (interval arithmetic; None is no bound)."""
    if op == "/":
        low, high = second
        if low is not None and low > 0:
            second = (None if high is None else 1 / high, 1 / low)
            second = (second[0] if second[0] is not None else Fraction(0), second[1])
        elif high is not None and high < 0:
            second = (1 / high, Fraction(0) if low is None else 1 / low)
        else:
            return None, None
    a, b = first
    c, d = second
    if a is not None and b is not None and c is not None and d is not None:
        corners = [a * c, a * d, b * c, b * d]
        return min(corners), max(corners)
    if a is not None and c is not None and a >= 0 and c >= 0:
        return a * c, None
    return None, None


def _rounded(known: Variables, exact: Sum, op: str, type: Type, name: str) -> Symbol:
    """Return the variable of a rounded value, with its axioms."""
    if not exact.terms and not exact.constant:
        return Known(Decimal(0), type)
    kind = "float" if type == NUMBER else "decimal"
    error = FLOAT_ERROR if kind == "float" else DECIMAL_ERROR
    slack = SMALLEST if kind == "float" else Fraction(0)
    found = f"~{name}"
    if found in known.rounded:
        return known.free(found, type)
    value = known.free(found, type)
    known.rounded[found] = exact, kind
    low, high = known.range_of(exact)
    places = _places(known, exact)
    digits = FLOAT_DIGITS if kind == "float" else DIGITS
    if (
        places is not None
        and low is not None
        and high is not None
        and (max(abs(low), abs(high)) * 10**places < 10**digits)
    ):
        known.places[found] = places
        known.facts.ranges[found] = NumericRange(low, high)
        terms = {**_negative(dict(exact.terms)), found: Fraction(1)}
        known.axiom(linear(terms, "==", exact.constant), found)
        return value
    known.facts.ranges[found] = NumericRange(
        low if low is None or _fits(low, kind) else low - abs(low) * error - slack,
        high if high is None or _fits(high, kind) else high + abs(high) * error + slack,
    )
    own = {found: Fraction(1)}
    up = _bound(own, exact, 1 + error, slack), _bound(own, exact, 1 - error, slack, below=True)
    down = _bound(own, exact, 1 - error, slack), _bound(own, exact, 1 + error, slack, below=True)
    terms, constant = dict(exact.terms), exact.constant
    positive = all_of(
        (linear(_negative(terms), "<=", constant), linear(_negative(own), "<=", Fraction(0)), *up)
    )
    negative = all_of((linear(terms, "<=", -constant), linear(own, "<=", Fraction(0)), *down))
    if low is not None and low >= 0:
        known.axiom(positive, found)
    elif high is not None and high <= 0:
        known.axiom(negative, found)
    else:
        known.axiom(any_of((positive, negative)), found)
    if kind == "float" and op in "+-":  # no difference of two floats is too small for a float
        rest = linear(_negative(own), "<", Fraction(0)), linear(own, "<", Fraction(0))
        known.axiom(any_of((linear(terms, "<=", -constant), rest[0])), found)
        known.axiom(any_of((linear(_negative(terms), "<=", constant), rest[1])), found)
    return value


def _places(known: Variables, value: Sum) -> int | None:
    """Return how many decimals behind the point every value of a sum has at most; None if there is
    no such number.
    """
    found = _decimals(value.constant)
    for name, factor in value.terms:
        range = known.facts.ranges.get(name)
        own = 0 if range is not None and range.whole else known.places.get(name)
        more = _decimals(factor)
        if found is None or own is None or more is None:
            return None
        found = max(found, own + more)
    return found


def _decimals(value: Fraction) -> int | None:
    """Return the decimals of a number behind the point; None if there is no end to them."""
    places, rest = 0, value.denominator
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest //= prime
            count += 1
        places = max(places, count)
    return places if rest == 1 else None


def _bound(
    own: dict[str, Fraction], exact: Sum, factor: Fraction, slack: Fraction, below: bool = False
) -> Formula:
    """Return `value <= exact * factor + slack`, or `value >= exact * factor - slack`."""
    sign = -1 if below else 1
    terms = {name: sign * f for name, f in own.items()}
    for name, f in exact.terms:
        terms[name] = terms.get(name, Fraction(0)) - sign * f * factor
    return linear(terms, "<=", sign * exact.constant * factor + slack)


def as_number(known: Variables, symbol: Symbol) -> Symbol:
    """Return a whole number where a `number` is made of it: a float, exact up to 2**53."""
    value = known.sum(symbol)
    if value is None or number_class(known, symbol) != "int":
        return symbol
    if isinstance(symbol, Known):
        return Known(symbol.value, NUMBER)
    low, high = known.range_of(value)
    if low is not None and high is not None and low >= -EXACT_FLOATS and high <= EXACT_FLOATS:
        return symbol
    name = f"number({name_of(one(symbol))})"
    found = _rounded(known, value, "+", NUMBER, name)
    terms = dict(value.terms)
    beyond = any_of(
        (
            linear(_negative(terms), "<", -EXACT_FLOATS + value.constant),
            linear(terms, "<", -EXACT_FLOATS - value.constant),
        )
    )
    same = linear({**_negative(terms), f"~{name}": Fraction(1)}, "==", value.constant)
    if (f"~{name}", value) not in known.kept:
        known.kept.add((f"~{name}", value))
        known.axiom(any_of((beyond, same)), f"~{name}")
    return found


def _scaled(value: Sum, factor: Fraction | int) -> Sum:
    terms = tuple((name, own * factor) for name, own in value.terms if factor)
    return Sum(terms, value.constant * factor)


def _added(left: Sum, right: Sum) -> Sum:
    terms = dict(left.terms)
    for name, factor in right.terms:
        terms[name] = terms.get(name, Fraction(0)) + factor
    left_terms = tuple(sorted((name, factor) for name, factor in terms.items() if factor))
    return Sum(left_terms, left.constant + right.constant)
