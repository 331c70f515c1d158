"""The condition of a claim, evaluated where a path is: its inputs, and the last version of each
value that it reads.

A condition is false in what it says of a value that was not made in the run: `a or b` holds if `a`
does, `not b` does not hold where there is no `b`. Whether a value was made is a boolean variable of
its own, set where its step is passed and negated where its step is left out.
"""

from __future__ import annotations

from pipelang.analysis.claims.formulas import (
    FALSE,
    TRUE,
    Formula,
    Holds,
    all_of,
    any_of,
    literal,
    opposite,
)
from pipelang.analysis.claims.symbols import SymbolicExpressions, Values
from pipelang.analysis.claims.values import MADE, Cases, Symbol, under
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items


def made(name: str) -> Formula:
    """Return the variable that says whether a value was made in this run."""
    return literal(Holds(f"{MADE}{name}"))


class Condition:
    """The condition of a claim. `tracked` are the steps and lets behind the values that it reads:
    two branches may each make a value of one name.
    """

    def __init__(self, when: expr.Expr | None, pipeline: p.Pipeline) -> None:
        self.when = when
        self.tracked: dict[str, str] = {}
        if when is not None:
            names = expr.mentions(when) - {q.name for q in pipeline.parameters}
            for item in all_items(pipeline.block):
                if isinstance(item, (p.Step, p.Let)):
                    plain = item.name.split(" ")[0]
                    if plain in names:
                        self.tracked[item.name] = plain

    def formula(self, symbols: SymbolicExpressions, values: Values, passed: set[str]) -> Formula:
        """Return the formula of the condition after the values in `passed` were made."""
        if self.when is None:
            return TRUE
        known: dict[str, Cases] = dict(values)
        there: dict[str, list[Formula]] = {plain: [] for plain in self.tracked.values()}
        cases: dict[str, list[tuple[Formula, Symbol]]] = {}
        for name, plain in self.tracked.items():
            if name in passed and name in values:
                there[plain].append(made(name))
                cases.setdefault(plain, []).extend(under(made(name), values[name]))
        known.update({plain: tuple(found) for plain, found in cases.items()})
        ready = {plain: any_of(ways) for plain, ways in there.items()}
        return self._so(symbols, self.when, known, ready, positive=True)

    def _so(
        self,
        symbols: SymbolicExpressions,
        node: expr.Expr,
        values: Values,
        ready: dict[str, Formula],
        positive: bool,
    ) -> Formula:
        match node:
            case expr.Not():
                return self._so(symbols, node.operand, values, ready, not positive)
            case expr.Logic():
                sides = [
                    self._so(symbols, side, values, ready, positive)
                    for side in (node.left, node.right)
                ]
                return all_of(sides) if (node.op == "and") is positive else any_of(sides)
            case _:
                names = expr.mentions(node) & ready.keys()
                if any(ready[name] is FALSE for name in names):
                    return FALSE
                truth = symbols.truth(node, values)
                needs = [ready[name] for name in sorted(names)]
                return all_of([*needs, truth if positive else opposite(truth)])
