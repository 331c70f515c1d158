"""Typed expressions in the IR. Literals carry their type; all other types follow from those."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.ir.types import type_json
from pipelang.interfaces.export.ir.writer import Json, Writer, constant
from pipelang.semantics import expressions as expr


def expression_json(writer: Writer, node: expr.Expr) -> Json:
    """An expression as a tree of objects, each with its kind in `node`."""
    return {**_node(writer, node), **writer.place(node.span)}


def optional_expression(writer: Writer, node: expr.Expr | None) -> Json | None:
    return None if node is None else expression_json(writer, node)


def _node(writer: Writer, node: expr.Expr) -> Json:
    def inside(part: expr.Expr) -> Json:
        return expression_json(writer, part)

    match node:
        case expr.Const():
            setting = {} if node.setting is None else {"setting": node.setting}
            value, type = constant(node.value), type_json(node.type)
            return {"expr": "const", "value": value, "type": type, **setting}
        case expr.Read():
            return {"expr": "read", "name": node.name}
        case expr.ElementRead():
            return {"expr": "element", "name": node.name}
        case expr.Comprehension():
            test = optional_expression(writer, node.condition)
            return {
                "expr": "comprehension",
                "item": inside(node.item),
                "name": node.name,
                "collection": inside(node.collection),
                "condition": test,
            }
        case expr.Concatenation():
            return {"expr": "concatenation", "left": inside(node.left), "right": inside(node.right)}
        case expr.Field():
            return {"expr": "field", "target": inside(node.target), "name": node.name}
        case expr.At():
            return {"expr": "at", "target": inside(node.target), "index": inside(node.index)}
        case expr.IsPresent():
            return {"expr": "is_present", "target": inside(node.target)}
        case expr.Apply():
            arguments = list(map(inside, node.arguments))
            return {"expr": "apply", "function": node.function, "arguments": arguments}
        case expr.Builtin():
            arguments = list(map(inside, node.arguments))
            return {"expr": "builtin", "function": node.function, "arguments": arguments}
        case expr.MakeList():
            items = list(map(inside, node.items))
            return {"expr": "list", "type": type_json(node.type), "items": items}
        case expr.MakeRecord():
            fields = [{"name": name, "value": inside(value)} for name, value in node.fields]
            return {"expr": "record", "type": type_json(node.type), "fields": fields}
        case expr.Not():
            return {"expr": "not", "operand": inside(node.operand)}
        case expr.Negate():
            return {"expr": "negate", "operand": inside(node.operand)}
        case expr.Logic():
            return {"expr": node.op, "left": inside(node.left), "right": inside(node.right)}
        case expr.Compare():
            left, right = inside(node.left), inside(node.right)
            return {"expr": "compare", "op": node.op, "left": left, "right": right}
        case expr.Member():
            item, collection = inside(node.item), inside(node.collection)
            return {"expr": "in", "item": item, "collection": collection}
        case expr.Matches():
            return {"expr": "matches", "text": inside(node.text), "patterns": node.patterns}
        case expr.Arithmetic():
            left, right = inside(node.left), inside(node.right)
            return {"expr": "arithmetic", "op": node.op, "left": left, "right": right}
        case expr.Choice():
            return {
                "expr": "if",
                "condition": inside(node.condition),
                "then": inside(node.then),
                "else": inside(node.otherwise),
            }
        case expr.Select():
            arms = [{"values": _values(of), "value": inside(value)} for of, value in node.arms]
            return {"expr": "match", "subject": inside(node.subject), "arms": arms}
        case expr.BudgetLeft():
            return {"expr": "budget_left", "what": node.what}
        case _:
            assert_never(node)


def _values(values: tuple[object, ...] | None) -> list[object] | None:
    return None if values is None else [constant(value) for value in values]
