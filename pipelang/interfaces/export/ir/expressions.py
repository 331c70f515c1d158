"""Typed expressions in the IR. Literals carry their type; all other types follow from those."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.ir.types import type_json
from pipelang.interfaces.export.ir.writer import Json, Writer, constant
from pipelang.semantics import expressions as ir


def expression_json(writer: Writer, expr: ir.Expr) -> Json:
    """An expression as a tree of objects, each with its kind in `expr`."""
    return {**_node(writer, expr), **writer.place(expr.span)}


def optional_expression(writer: Writer, expr: ir.Expr | None) -> Json | None:
    return None if expr is None else expression_json(writer, expr)


def _node(writer: Writer, expr: ir.Expr) -> Json:
    def inside(part: ir.Expr) -> Json:
        return expression_json(writer, part)

    match expr:
        case ir.Const():
            setting = {} if expr.setting is None else {"setting": expr.setting}
            value, type = constant(expr.value), type_json(expr.type)
            return {"expr": "const", "value": value, "type": type, **setting}
        case ir.Read():
            return {"expr": "read", "name": expr.name}
        case ir.Field():
            return {"expr": "field", "target": inside(expr.target), "name": expr.name}
        case ir.At():
            return {"expr": "at", "target": inside(expr.target), "index": inside(expr.index)}
        case ir.IsPresent():
            return {"expr": "is_present", "target": inside(expr.target)}
        case ir.Apply():
            arguments = list(map(inside, expr.arguments))
            return {"expr": "apply", "function": expr.function, "arguments": arguments}
        case ir.Builtin():
            arguments = list(map(inside, expr.arguments))
            return {"expr": "builtin", "function": expr.function, "arguments": arguments}
        case ir.MakeList():
            items = list(map(inside, expr.items))
            return {"expr": "list", "type": type_json(expr.type), "items": items}
        case ir.MakeRecord():
            fields = [{"name": name, "value": inside(value)} for name, value in expr.fields]
            return {"expr": "record", "type": type_json(expr.type), "fields": fields}
        case ir.Not():
            return {"expr": "not", "operand": inside(expr.operand)}
        case ir.Negate():
            return {"expr": "negate", "operand": inside(expr.operand)}
        case ir.Logic():
            return {"expr": expr.op, "left": inside(expr.left), "right": inside(expr.right)}
        case ir.Compare():
            left, right = inside(expr.left), inside(expr.right)
            return {"expr": "compare", "op": expr.op, "left": left, "right": right}
        case ir.Member():
            item, collection = inside(expr.item), inside(expr.collection)
            return {"expr": "in", "item": item, "collection": collection}
        case ir.Matches():
            return {"expr": "matches", "text": inside(expr.text), "patterns": expr.patterns}
        case ir.Arithmetic():
            left, right = inside(expr.left), inside(expr.right)
            return {"expr": "arithmetic", "op": expr.op, "left": left, "right": right}
        case ir.Choice():
            return {
                "expr": "if",
                "condition": inside(expr.condition),
                "then": inside(expr.then),
                "else": inside(expr.otherwise),
            }
        case ir.Select():
            arms = [{"values": _values(of), "value": inside(value)} for of, value in expr.arms]
            return {"expr": "match", "subject": inside(expr.subject), "arms": arms}
        case ir.BudgetLeft():
            return {"expr": "budget_left", "what": expr.what}
        case _:
            assert_never(expr)


def _values(values: tuple[object, ...] | None) -> list[object] | None:
    return None if values is None else [constant(value) for value in values]
