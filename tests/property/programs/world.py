"""Everything of a program that is not a pipeline: its types, and what the world offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from .expressions import Expressions
from .quantities import count, dollars, duration, share, tokens
from .scope import Function, Names, Scope
from .types import (
    SHARE,
    Field,
    Type,
    constant,
    written,
)
from .writing import Writer, quoted, slip


@dataclass(frozen=True)
class Offer:
    """A tool, prompt, memory or pipeline: its parameters and what it answers, None for nothing."""

    name: str
    params: tuple[Field, ...]
    returns: Type | None
    effect: str = "read"
    permit: str = ""


@dataclass
class World:
    """What was declared so far."""

    pick: Random
    writer: Writer
    names: Names = field(default_factory=Names)
    tiers: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    tools: list[Offer] = field(default_factory=list)
    prompts: list[Offer] = field(default_factory=list)
    memories: list[Offer] = field(default_factory=list)
    pipelines: list[Offer] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def expressions(self) -> Expressions:
        return Expressions(self.pick, self.names)

    def some(self, chance: float) -> bool:
        return self.pick.random() < chance

    # ------------------------------------------------------------------------------- types

    def enum(self) -> Type:
        w = self.writer
        name = w.name("Sort")
        members = [w.name("kind") for _ in range(self.pick.randint(2, 4))]
        outer = [f' "{one} outside"' if self.pick.random() < 0.2 else "" for one in members]
        inside = " ".join(one + called for one, called in zip(members, outer, strict=True))
        at = w.line(
            f"enum {name} {{ {inside} }}",
            ("double member", f"enum {name} {{ {inside} {members[0]} }}"),
            ("double outer name", f'enum {name} {{ {inside} one "x y" two "x y" }}'),
        )
        w.declare(name, "enum", at)
        self.names.types.members[name] = members
        return Type("enum", name)

    def patterns(self) -> None:
        w = self.writer
        name = w.name("pattern")
        at = w.next
        with w.block(f"patterns {name}"):
            w.line(slip("bad pattern", '"(?i)[a-z]"', '"[a-z"'))
            w.line('"^x*$"')
        w.declare(name, "patterns", at)
        self.names.patterns.append(name)

    def setting(self, kind: str, low: int, high: int, value: str, range: str) -> None:
        w = self.writer
        name = w.name("knob")
        before = f"setting {name}: {kind}"
        at = w.line(
            f"{before} in {range} = {slip('wrong unit', value, quoted('x'))}",
            ("no range", f"{before} = {value}"),
            ("cycle", f"{before} in {range} = {name}"),
        )
        w.declare(name, "setting", at)
        self.names.settings[name] = Type(kind, low=low, high=high)

    def record(self, types: list[Type], defaults: bool = False, sure: bool = False) -> Type:
        """A record with a field of each type; some have a default. `sure` adds a confidence."""
        w = self.writer
        name = w.name("Record")
        at = w.next
        fields: list[Field] = []
        with w.block(f"type {name}"):
            for type in types:
                one = w.name("part")
                default = defaults and not type.optional and type.kind in ("int", "bool", "enum")
                value = f" = {constant(self.pick, self.names.types, type)}" if default else ""
                outer = f' "{one}-outside"' if self.pick.random() < 0.2 else ""
                shown = slip("unknown type", written(type), "NoSuchType")
                line = w.line(
                    f"{one}{outer}: {shown}{value}",
                    ("cycle", f"{one}: {name}", name),
                    ("double outer name", f'{one} "x y": int  {one}_too "x y": int'),
                    ("double field", f"{one}: int  {one}: int"),
                )
                w.declare(one, "field", line)
                fields.append(Field(one, type, default))
            if sure:
                w.line("confidence: probability")
                fields.append(Field("confidence", SHARE))
        w.marks[name] = at
        w.declare(name, "type", at)
        self.names.types.fields[name] = fields
        return Type("record", name)

    # ---------------------------------------------------------------------------- functions

    def function(self, params: list[Type], returns: Type) -> None:
        w = self.writer
        name = w.name("work")
        named = [(w.name("given"), type) for type in params]
        scope = Scope(dict(named))
        head = f"fn {name}({', '.join(f'{one}: {written(type)}' for one, type in named)})"
        public = "public " if self.some(0.2) else ""
        head += f" -> {public}{written(returns)}"
        if self.some(0.2) and Type("time") not in params:
            at = w.line(f"{head} python {slip('bad binding', quoted('m:f'), quoted('m'))}")
        else:
            wrong = '"x"' if returns.kind != "text" else "70%"
            body = self.expressions.make(scope, returns, 2)
            again = ", ".join(one for one, _ in named)
            at = w.line(
                f"{head} = {slip('wrong type', body, wrong)}",
                ("cycle", f"{head} = {name}({again})"),
            )
        w.declare(name, "fn", at)
        for one, _ in named:
            w.declare(one, "parameter", at)
        self.names.functions.append(Function(name, tuple(params), returns))

    # ------------------------------------------------------------------------------- models

    def provider(self) -> str:
        w = self.writer
        name, at = w.name("provider"), w.next
        with w.block(f"provider {name}"):
            if self.some(0.5):
                w.line("kind simulated")
            if self.some(0.5):
                w.line(f"key {slip('bare secret', quoted('env:K'), quoted('k'))}")
            if self.some(0.3):
                w.line('base_url "https://models.example"')
            rate = share(self.pick, self.pick.choice(("99.9%", "999 of 1000")))
            w.line(f"available {rate}", ("double option", "available 9% available 8%"))
        w.declare(name, "provider", at)
        return name

    def tier(self, provider: str) -> None:
        w, pick = self.writer, self.pick
        name, at = w.name("tier"), w.next
        with w.block(f"tier {name}"):
            w.line(f"provider {slip('wrong kind', provider, name)}")
            w.line('model "m-1"')
            prices = f"{dollars(pick, '$1')} in, {dollars(pick, '$5')} out"
            if self.some(0.5):
                prices += ", $1.25 cache_write, $0.10 cache_read"
            w.line(f"price {prices}", ("double option", "price $1 in, $2 in"))
            w.line(self.spread("latency", "600ms", "2s"))
            w.line(f"transient {share(pick, '0.5%')}")
            w.line(f"context {tokens(pick, '90k tokens')}")
            if self.some(0.5):
                date = slip("wrong unit", '"2026-11-20"', '"today"')
                w.line(f"as_of {date}")
        w.declare(name, "tier", at)
        self.tiers.append(name)

    def spread(self, word: str, median: str, p95: str) -> str:
        shown = f"{duration(self.pick, median)} median"
        if self.some(0.7):
            right = f"{shown}, {duration(self.pick, p95)} p95"
            return f"{word} {slip('contradiction', right, f'{p95} median, {median} p95')}"
        return f"{word} {shown}"

    def role(self) -> None:
        w, pick = self.writer, self.pick
        name, at = w.name("role"), w.next
        with w.block(f"role {name}"):
            w.line(f"people {count(pick, '4')}", ("out of range", "people 0"))
            w.line(f"handles {duration(pick, '4m')}")
            w.line(self.spread("responds", "15m", "2h"))
            w.line(f"accuracy {share(pick, '98%')}")
            if self.some(0.5):
                w.line(f"hours {slip('out of range', '8', '25')}")
            if self.some(0.4):
                w.line(f"weight {slip('out of range', '2', '0')}")
                w.line(f"rushed {duration(pick, '20s')}")
                w.line(f"cost {dollars(pick, '$40')}")
            if self.roles and self.some(0.7):
                other = slip("itself", self.roles[0], name)
                w.line(f"must_differ_from {other}")
        w.declare(name, "role", at)
        self.roles.append(name)

    # -------------------------------------------------------------------------------- tools

    def params(self, types: list[Type], defaults: bool = True) -> tuple[str, tuple[Field, ...]]:
        """Parameters, those with a default last."""
        fields = [
            Field(self.writer.name("arg"), type, defaults and at == 1 and type.kind == "int")
            for at, type in enumerate(types)
        ]
        fields.sort(key=lambda one: one.has_default)
        shown = []
        for one in fields:
            value = constant(self.pick, self.names.types, one.type) if one.has_default else ""
            type = slip("unknown type", written(one.type), "NoSuchType")
            shown.append(f"{one.name}: {type}{' = ' * bool(value)}{value}")
        words = ", ".join(shown)
        if fields:
            words = slip("double parameter", words, f"{words}, {fields[0].name}: int")
        return words, tuple(fields)

    def tool(self, params: list[Type], returns: Type | None, effect: str) -> None:
        w, pick = self.writer, self.pick
        name, mark = w.name("tool"), w.name("mark")
        words, fields = self.params(params)
        w.mark(mark)
        at = w.next
        permit = f"may.act.{len(self.tools)}" if effect == "irreversible" else ""
        arrow = f" -> {written(returns)}" if returns is not None else ""
        with w.block(f"tool {name}({words}){arrow}"):
            w.line(
                f"effect {effect}",
                ("no effect", "", mark),
                ("double option", "effect read effect read"),
            )
            w.line('python "m:f"' if self.some(0.7) else 'mcp "server" "tool"')
            w.line(f"timeout {duration(pick, '2s')}")
            if permit:
                w.line(f'permit "{permit}"')
            if self.some(0.5):
                w.line(f"rate {slip('wrong unit', '100/min', '100')}")
            if self.some(0.5):
                w.line(self.spread("latency", "100ms", "800ms"))
            if self.some(0.5):
                w.line(f"cost {dollars(pick, '$0.001')}")
            if effect == "write":
                w.line("idempotent")
            if effect != "pure":
                w.line(f"succeeds {share(pick, pick.choice(('99%', '999 of 1000')))}")
                if self.some(0.3):
                    w.line(f"accuracy {share(pick, '95%')}")
            if effect == "read" and self.some(0.5):
                w.line(f"retry {count(pick, '1')} backoff {duration(pick, '1s')}..4s")
        w.declare(name, "tool", at)
        for one in fields:
            w.declare(one.name, "parameter", at)
        self.tools.append(Offer(name, fields, returns, effect, permit))

    def memory(self, key: Type, returns: Type) -> None:
        w = self.writer
        name, at = w.name("memory"), w.next
        two = f"memory {name}(a: text, b: text) -> {written(returns)}"
        with w.block(
            f"memory {name}(key: {written(key)}) -> {written(returns)}", ("two keys", two)
        ):
            w.line(f"keeps {duration(self.pick, '24h')}")
        w.declare(name, "memory", at)
        self.memories.append(Offer(name, (Field("key", key),), returns))
