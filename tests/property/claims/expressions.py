"""Random conditions over values of every type, and what is wrongly said of them.

Many conditions are values of one pipeline, so that a file is read once for all. The decider says of
each, and of pairs, what cannot be; the interpreter's own closures evaluate them over inputs that
were checked once (`inputs`), until every combination of a pair was seen or enough rows were tried.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from pipelang.analysis.claims.deciding import Work, possible
from pipelang.analysis.claims.formulas import Formula, opposite
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.symbols import SymbolicExpressions
from pipelang.analysis.claims.values import one
from pipelang.runtime.engine.expressions import Expressions, NoValue
from pipelang.runtime.engine.values import Types
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.build import Built, build
from pipelang.semantics.patterns import Patterns

from ...memory import MemoryLoader
from .conditions import HEAD, PARAMETERS, Conditions, varied
from .inputs import Inputs

PAIRS = 20
"""Conditions of a seed, each with a variation."""
TOGETHER = 4
"""Pairs whose variables are shared, as those of one pipeline are."""
ROWS = 60
"""The most inputs over which a pair is evaluated."""
MOST_WORK = 20_000
"""Literals that the decider may inspect for a pair."""
SIGNS = tuple(itertools.product((True, False), repeat=2))


def built(texts: list[str]) -> Built:
    """A pipeline with the conditions as its values, one a line after those of the head."""
    given = ", ".join(f"{name}: {type}" for name, type in PARAMETERS.items())
    lets = "\n".join(f"  let is{at} = {text}" for at, text in enumerate(texts))
    text = f"{HEAD}\npipeline main({given}) -> int {{\n{lets}\n  return 1\n}}"
    return build("case.pipe", MemoryLoader({"case.pipe": text}))


def conditions(seed: int, pairs: int = PAIRS) -> tuple[p.Program, list[str]]:
    """Random conditions, each before its variation, and the program in which they are values."""
    source = random.Random(seed)
    writer = Conditions(source)
    texts: list[str] = []
    while len(texts) < 2 * pairs:
        text = writer.condition()
        texts += [text, varied(source, text)]
    while True:
        found = built(texts)
        if found.program is not None:
            return found.program, texts
        texts = _without_mistakes(found, texts)


def _without_mistakes(found: Built, texts: list[str]) -> list[str]:
    """Leave out each pair of which one has no meaning."""
    first = len(HEAD.splitlines()) + 2
    wrong = set()
    for mistake in found.diagnostics:
        if mistake.is_error:
            assert mistake.span is not None
            line = found.sources[mistake.span.file].position(mistake.span.start).line
            wrong.add((line - first) // 2)
    assert wrong
    assert min(wrong) >= 0, [one.message for one in found.diagnostics if one.is_error]
    return [text for at, text in enumerate(texts) if at // 2 not in wrong]


def wrong(seed: int, pairs: int = PAIRS) -> Iterator[str]:
    """What the decider says of random conditions and an input contradicts."""
    found, texts = conditions(seed, pairs)
    yield from judged(found, texts, random.Random(seed))


@cache
def _base() -> tuple[Types, Patterns, Inputs]:
    """Types and inputs of all these programs: they differ in the conditions alone."""
    found = built([]).program
    assert found is not None
    patterns = Patterns(found.patterns)
    types = Types(patterns)
    return types, patterns, Inputs(types, found.pipelines["main"].parameters)


def judged(found: p.Program, texts: list[str], source: random.Random) -> Iterator[str]:
    types, patterns, inputs = _base()
    main = found.pipelines["main"]
    nodes = [item.value for item in main.block.items if isinstance(item, p.Let)]
    assert len(nodes) == len(texts)
    expressions = closures(found, types, patterns)
    symbols, values = SymbolicExpressions(found), dict[str, Any]()
    for at in range(0, len(texts), 2):
        if at % (2 * TOGETHER) == 0:
            symbols = SymbolicExpressions(found)
            values = {q.name: one(symbols.free(q.name, q.type)) for q in main.parameters}
        pair = nodes[at], nodes[at + 1]
        seen = _seen(expressions, inputs, pair, source)
        try:
            first, second = (symbols.truth(node, values) for node in pair)
        except TooHard:
            continue
        implied: set[tuple[int, bool]] = set()
        for signs in SIGNS:
            if signs in seen:
                parts = [_signed(first, signs[0]), _signed(second, signs[1])]
                can_be = _possible(symbols, parts)
                if can_be is False:
                    yield f"never {signs} together: {texts[at]}  AND  {texts[at + 1]}"
                if can_be is True:
                    implied |= set(enumerate(signs))
        for which, formula, text in ((0, first, texts[at]), (1, second, texts[at + 1])):
            for holds in {row[which] for row in seen if row[which] is not None}:
                if (which, holds) in implied:  # what can be together can be alone
                    continue
                if _possible(symbols, [_signed(formula, holds)]) is False:
                    yield f"never {holds}: {text}"


def _signed(formula: Formula, holds: bool) -> Formula:
    return formula if holds else opposite(formula)


def _possible(symbols: SymbolicExpressions, parts: list[Formula]) -> bool | None:
    """Whether the decider says that formulas can be true together; None where it is too hard."""
    try:
        return possible(symbols.facts, parts, Work(MOST_WORK))
    except (TooHard, RecursionError):
        return None


def closures(found: p.Program, types: Types, patterns: Patterns) -> Expressions:
    functions: dict[str, Any] = {}
    expressions = Expressions(types, patterns.matches, functions)
    for function in found.functions.values():
        names = [one.name for one in function.parameters]
        body = function.body
        assert body is not None
        functions[function.name] = lambda *given, names=names, body=body: expressions.evaluate(
            body, dict(zip(names, given, strict=True))
        )
    return expressions


Seen = tuple[bool | None, bool | None]


def _seen(
    expressions: Expressions,
    inputs: Inputs,
    pair: tuple[expr.Expr, expr.Expr],
    source: random.Random,
) -> set[Seen]:
    """What the interpreter says of two conditions together; None where one has no value."""
    near = frozenset().union(*map(expr.mentions, pair))
    seen: set[Seen] = set()
    for _ in range(ROWS):
        row = inputs.draw(source, near)
        seen.add((_value(expressions, pair[0], row), _value(expressions, pair[1], row)))
        if seen.issuperset(SIGNS):
            break
    return seen


def _value(expressions: Expressions, node: expr.Expr, row: Any) -> bool | None:
    try:
        return bool(expressions.evaluate(node, row))
    except NoValue:
        return None
