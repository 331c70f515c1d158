"""Blocks and their items in the IR."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.ir.actions import chain_json, outcome_json, rates_json
from pipelang.interfaces.export.ir.expressions import expression_json, optional_expression
from pipelang.interfaces.export.ir.types import type_json
from pipelang.interfaces.export.ir.writer import Json, Writer, constant, exact, names, shifted
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import last_outcome, redo_of


def block_json(writer: Writer, block: p.Block) -> Json:
    """Items in writing order, and the regions and barriers that they fall into, by index."""
    return {
        "items": [{**_item(writer, item), **writer.place(item.span)} for item in block.items],
        "segments": [_segment(segment) for segment in block.segments],
    }


def _segment(segment: p.Region | p.Barrier) -> Json:
    match segment:
        case p.Region():
            return {"region": list(segment.members)}
        case p.Barrier():
            return {"barrier": segment.index}
        case _:
            assert_never(segment)


def _item(writer: Writer, item: p.Item) -> Json:
    match item:
        case p.Step():
            return {
                "item": "step",
                "name": item.name,
                "type": type_json(item.type),
                "chain": chain_json(writer, item.chain),
                "reads": names(item.reads),
                "doc": item.doc,
            }
        case p.Let():
            return {
                "item": "let",
                "name": item.name,
                "type": type_json(item.type),
                "value": expression_json(writer, item.value),
                "reads": names(item.reads),
            }
        case p.Gate():
            return _gate(writer, item)
        case p.Person():
            return {
                "item": item.kind,
                "name": item.name,
                "role": item.role,
                "when": optional_expression(writer, item.when),
                "seconds": exact(item.seconds),
                "showing": optional_expression(writer, item.showing),
                "judges": names(item.judges),
                "redo": _redo(writer, item),
                "else": outcome_json(writer, last_outcome(item)),
                "doc": item.doc,
            }
        case p.When():
            return {
                "item": "when",
                "name": item.name,
                "condition": expression_json(writer, item.condition),
                "then": block_json(writer, item.then),
                "else": block_json(writer, item.otherwise),
            }
        case p.MatchBranch():
            arms = [
                {
                    "values": None if values is None else [constant(value) for value in values],
                    "block": block_json(writer, block),
                }
                for values, block in item.arms
            ]
            return {
                "item": "match",
                "subject": expression_json(writer, item.subject),
                "arms": arms,
            }
        case p.Remember():
            return {
                "item": "remember",
                "memory": item.memory,
                "key": expression_json(writer, item.key),
                "value": expression_json(writer, item.value),
                "reads": names(item.reads),
            }
        case p.End():
            return {"item": "end", "outcome": outcome_json(writer, item.outcome)}
        case _:
            assert_never(item)


def _gate(writer: Writer, gate: p.Gate) -> Json:
    return {
        "item": "gate",
        "name": gate.name,
        "condition": expression_json(writer, gate.condition),
        "evidence": _evidence(writer, gate.evidence),
        "redo": _redo(writer, gate),
        "else": outcome_json(writer, last_outcome(gate)),
        "reads": names(gate.reads),
        "doc": gate.doc,
    }


def _redo(writer: Writer, item: p.Gate | p.Person) -> Json | None:
    redo = redo_of(item)
    if redo is None:
        return None
    return {
        "step": redo.step,
        "times": redo.times,
        "because": optional_expression(writer, redo.because),
        "reruns": list(redo.reruns),
    }


def _evidence(writer: Writer, evidence: p.TestEvidence | None) -> Json | None:
    match evidence:
        case None:
            return None
        case p.ByRates():
            return rates_json(writer, evidence)
        case p.ByFile():
            return {"file": evidence.file, **shifted(evidence.shift)}
        case _:
            assert_never(evidence)
