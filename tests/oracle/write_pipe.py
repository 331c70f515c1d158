"""Prints a `Program` as the text of a `.pipe` file.

Every number that the analysis could ask for is written out (`available 100%`, `transient 0%`,
`correlation` where a redo needs it, lengths, latencies), so that nothing in the report is unknown
or a default, and the only thing under test is the arithmetic. Only output has a price, and its mean
length is declared: the mean cost does not hang on how tokens are counted.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path as FilePath
from typing import assert_never

from . import model as m
from .traverse import all_items
from .write_actions import Prompts, outcome, step_lines
from .write_text import decimal, duration, expression, percent


def gate_lines(gate: m.Gate) -> list[str]:
    match gate.test.source:
        case m.Rates(catches=c, false_alarms=f):
            evidence = f" {{ catches {percent(c)} false_alarms {percent(f)} }}"
        case m.FromFile(path=path):
            evidence = f' {{ evidence from "{path}" }}'
        case None | m.Share():
            evidence = ""
        case _:
            assert_never(gate.test.source)
    lines = [f"gate {gate.name}: {expression(gate.test.condition)}{evidence}"]
    if gate.redo is not None:
        lines.append(f"  else redo {gate.redo.step} up to {gate.redo.times}")
    return [*lines, f"  else {outcome(gate.otherwise)}"]


def person_lines(item: m.Hold | m.Approve) -> list[str]:
    if isinstance(item, m.Hold):
        words = f"hold {item.name} for {duration(item.seconds)} by {item.role}"
    else:
        words = f"approve {item.name} by {item.role}"
    if item.when is not None:
        words += f" when {expression(item.when)}"
    if isinstance(item, m.Approve) and item.within is not None:
        words += f" within {duration(item.within)}"
    if item.showing is not None:
        words += f" showing {expression(item.showing)}"
    back = []
    if isinstance(item, m.Approve) and item.redo is not None:
        back = [f"  else redo {item.redo.step} up to {item.redo.times}"]
    return [words, *back, f"  else {outcome(item.otherwise)}"]


def block_lines(items: tuple[m.Item, ...], prompts: Prompts) -> list[str]:
    return [f"  {line}" for item in items for line in item_lines(item, prompts)]


def item_lines(item: m.Item, prompts: Prompts) -> list[str]:
    match item:
        case m.Step():
            return step_lines(item, prompts)
        case m.Let(name=name, type=type_, value=value):
            return [f"let {name}{'' if type_ is None else f': {type_}'} = {expression(value)}"]
        case m.Gate():
            return gate_lines(item)
        case m.Hold() | m.Approve():
            return person_lines(item)
        case m.When(name=name, test=test, then=then, otherwise=otherwise):
            label = "" if name is None else f"{name}: "
            lines = [f"when {label}{expression(test.condition)} {{", *block_lines(then, prompts)]
            if otherwise:
                lines += ["} else {", *block_lines(otherwise, prompts)]
            return [*lines, "}"]
        case m.Match(path=path, arms=arms):
            lines = [f"match {expression(path)} {{"]
            for members, items in arms:
                lines.append(f"  {', '.join(members)} {{")
                lines += [f"  {line}" for line in block_lines(items, prompts)]
                lines.append("  }")
            return [*lines, "}"]
        case m.Remember(memory=memory, key=key, value=value):
            return [f"remember {memory}({expression(key)}) = {expression(value)}"]
        case m.Return() | m.Escalate() | m.Reject() | m.Fail():
            return [outcome(item)]
        case _:
            assert_never(item)


# --- the file -------------------------------------------------------------------------------


def tool_text(tool: m.Tool) -> str:
    params = ", ".join(f"a{i}: {type_}" for i, type_ in enumerate(tool.params))
    idempotent = "  idempotent\n" if tool.writes else ""  # else a retry of it is a finding
    return (
        f"tool {tool.name}({params}) -> {tool.result} {{\n"
        f'  python "oracle.tools:{tool.name}"\n'
        f"  effect {tool.effect}\n{idempotent}"
        "  timeout 10s\n"
        "  latency 100ms median, 1s p95\n"
        f"  succeeds {percent(tool.succeeds)}\n"
        f"  accuracy {percent(tool.accuracy)}\n"
        f"  cost ${decimal(tool.cost)}\n"
        "}"
    )


def share_line(share: m.PathShare) -> str:
    if isinstance(share.share, Fraction):
        return f"{expression(share.path)}: {percent(share.share)}"
    if isinstance(share.share, m.Mean):
        return f"{expression(share.path)}: {decimal(share.share.length)} mean"
    members = ", ".join(f"{name} {percent(p)}" for name, p in share.share)
    return f"{expression(share.path)}: {members}"


def traffic_lines(pipeline: m.Pipeline) -> list[str]:
    lines = [share_line(share) for share in pipeline.shares]
    for item in all_items(pipeline.items):
        if isinstance(item, m.Gate | m.When) and isinstance(item.test.source, m.Share):
            share = item.test.source
            if share.right == share.wrong:
                lines.append(f"{item.name}: {percent(share.right)}")
            else:
                right, wrong = percent(share.right), percent(share.wrong)
                lines.append(f"{item.name}: {right} if right, {wrong} if wrong")
    return ["traffic 100/day {", *(f"  {line}" for line in lines), "}"] if lines else []


def pipe_text(program: m.Program) -> str:
    chunks: list[str] = []
    for provider in program.providers:
        available = percent(provider.available)
        chunks.append(
            f"provider {provider.name} {{\n  kind anthropic\n"
            f'  key "env:ANTHROPIC_API_KEY"\n  available {available}\n}}'
        )
    for tier in program.tiers:
        chunks.append(
            f'tier {tier.name} {{\n  provider {tier.provider}\n  model "model-{tier.name}"\n'
            f"  price $0 in, ${decimal(tier.price)} out\n  latency 600ms median, 2s p95\n"
            f"  transient {percent(tier.transient)}\n  context 200k tokens\n}}"
        )
    for enum in program.enums:
        chunks.append(f"enum {enum.name} {{ {' '.join(enum.members)} }}")
    for record in program.records:
        fields = "\n".join(f"  {field.name}: {field.type}" for field in record.fields)
        chunks.append(f"type {record.name} {{\n{fields}\n}}")
    for role in program.roles:
        chunks.append(
            f"role {role.name} {{\n  people 20\n  handles 4m\n"
            f"  responds {duration(role.median)} median, {duration(role.p95)} p95\n"
            f"  accuracy {percent(role.accuracy)}\n}}"
        )
    chunks += [tool_text(tool) for tool in program.tools]
    chunks += [
        f"memory {memory.name}(key: text max 20 tokens) -> {memory.result} {{ keeps 24h }}"
        for memory in program.memories
    ]
    prompts = Prompts(program)
    pipelines = [pipeline_text(x, prompts) for x in (*program.children, program.pipeline)]
    return "\n\n".join([*chunks, *prompts.texts(), *pipelines]) + "\n"


def pipeline_text(pipeline: m.Pipeline, prompts: Prompts) -> str:
    inputs = ", ".join(f"{i.name}: {i.type}" for i in pipeline.inputs)
    lines = [f"pipeline {pipeline.name}({inputs}) -> {pipeline.result} {{"]
    lines += [f"  {line}" for line in traffic_lines(pipeline)]
    return "\n".join([*lines, *block_lines(pipeline.items, prompts), "}"])


def evidence_text(file: m.EvidenceFile) -> str:
    """JSON Lines; confidences written as exact decimals."""
    return "".join(
        f'{{"confidence": {decimal(row.confidence)}, "correct": {json.dumps(row.correct)}}}\n'
        for row in file.rows
    )


def write_pipe(program: m.Program, folder: FilePath) -> FilePath:
    """Writes the program and its evidence files into a folder; returns the `.pipe` file."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in program.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(evidence_text(file), encoding="utf-8")
    path = folder / f"{program.pipeline.name}.pipe"
    path.write_text(pipe_text(program), encoding="utf-8")
    return path
