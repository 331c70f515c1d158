"""Operands of a test: the conditions that it is made of, to be tested one after the other."""

from __future__ import annotations

from pipelang.semantics import expressions as expr


def operands_of(node: expr.Expr) -> tuple[str, list[expr.Expr]]:
    """Operands of a test with the word between them; those of `a and b and c` are three."""
    match node:
        case expr.Not():
            return "not", [node.operand]
        case expr.Choice():
            return "if", [node.condition, node.then, node.otherwise]
        case expr.Logic():
            found: list[expr.Expr] = []
            left: list[expr.Expr] = [node]
            while left:
                one = left.pop()
                if isinstance(one, expr.Logic) and one.op == node.op:
                    left += [one.right, one.left]
                else:
                    found.append(one)
            return node.op, found
        case _:
            return "", []
