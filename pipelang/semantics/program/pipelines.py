"""Pipelines with their promises and limits, claims, tests, and the program as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass, field
from pipelang.semantics.chance import Chance, EvidenceFile
from pipelang.semantics.expressions import Const, Expr
from pipelang.semantics.program.actions import Outcome
from pipelang.semantics.program.items import Block, Step
from pipelang.semantics.program.world import (
    Function,
    Memory,
    Parameter,
    Prompt,
    Provider,
    Role,
    Tier,
    Tool,
)
from pipelang.semantics.types import RecordType, Type

__all__ = [
    "NO_ANSWER",
    "AtMost",
    "Breaker",
    "Budget",
    "Claim",
    "Claimed",
    "ConditionShare",
    "Escalates",
    "Expectation",
    "HardShare",
    "MeanLine",
    "Mock",
    "MockedCall",
    "MockedVerdict",
    "NamedShare",
    "Never",
    "NeverReaches",
    "OnlyAfter",
    "OpensMetric",
    "OpensRejects",
    "PathShares",
    "Pipeline",
    "Program",
    "Quota",
    "QuotaLimit",
    "Sample",
    "SloLine",
    "Test",
    "Tolerance",
    "Traffic",
    "WatchLine",
]


@dataclass(frozen=True, slots=True)
class Budget:
    """Hard limits of one run: dollars, seconds of machine time, tokens, steps."""

    money: Decimal | None
    seconds: Decimal | None
    tokens: int | None
    steps: int | None
    otherwise: Outcome | None
    span: Span


@dataclass(frozen=True, slots=True)
class QuotaLimit:
    """The most that all runs of a tenant together may take which start in one `period` (hour, day,
    month, in UTC): `amount` dollars, tokens or runs, as `what` says. `text` is as written.
    """

    what: str
    amount: Decimal
    period: str
    text: str
    span: Span

    @property
    def how_often(self) -> str:
        return "an hour" if self.period == "hour" else f"a {self.period}"


@dataclass(frozen=True, slots=True)
class Quota:
    """Hard limits across the runs of a tenant; a run that finds one spent ends by `otherwise`."""

    limits: tuple[QuotaLimit, ...]
    otherwise: Outcome | None
    span: Span

    def names(self, what: str) -> bool:
        """Whether it limits dollars, tokens or runs."""
        return any(limit.what == what for limit in self.limits)


@dataclass(frozen=True, slots=True)
class OpensRejects:
    """A gate (`GATE` or `PIPELINE.GATE`) that rejects `count` runs in a row."""

    gate: str
    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class OpensMetric:
    """A metric of the last `runs` runs: a share, dollars, tokens or seconds, compared by `op`."""

    metric: str
    op: str
    target: Decimal
    runs: int
    span: Span


@dataclass(frozen=True, slots=True)
class Breaker:
    """`opens` when any of these is so, across runs; then `otherwise` gives a run's answer, and a
    run is let through as a probe every `probes` seconds.
    """

    opens: tuple[OpensRejects | OpensMetric, ...]
    probes: Decimal
    otherwise: Step
    span: Span


@dataclass(frozen=True, slots=True)
class SloLine:
    """`metric` in dotted form; `when` as written, None if unconditional: of the runs in which the
    step `cached` was answered from its cache, or for whose input the `condition` holds.
    """

    metric: str
    op: str
    target: Decimal
    target_text: str
    when: str | None
    span: Span
    cached: str | None = None
    condition: Expr | None = None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """`baseline`, and what may be added to it: a part of it (`relative`), or an amount in the unit
    of the metric. Below 0 where the line says `baseline - 20%`.
    """

    amount: Decimal
    relative: bool


@dataclass(frozen=True, slots=True)
class WatchLine:
    """`metric op target` over so many seconds, or against the baseline of a release; who is told by
    an alert, and what. `text` is the condition as written.
    """

    metric: str
    op: str
    target: Decimal | None
    baseline: Tolerance | None
    over: Decimal
    role: str | None
    alert: str | None
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class PathShares:
    """The share of each value of a path: an enum's members, or True and False."""

    path: Expr
    shares: tuple[tuple[Any, Chance], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ConditionShare:
    """The share in which a condition holds, given that what it reads is right, and if not."""

    condition: Expr
    right: Chance
    wrong: Chance
    span: Span


@dataclass(frozen=True, slots=True)
class NamedShare:
    """The share in which a named gate or branch holds."""

    name: str
    right: Chance
    wrong: Chance
    span: Span


@dataclass(frozen=True, slots=True)
class MeanLine:
    """A mean length: tokens of a text, or elements of a list."""

    path: tuple[str, ...]
    mean: Decimal
    span: Span


@dataclass(frozen=True, slots=True)
class HardShare:
    """`hard: 15%`: how many of the inputs are hard, for all that a run does."""

    share: Chance
    span: Span


@dataclass(frozen=True, slots=True)
class Traffic:
    """The distribution of inputs; `per_day` and `hard` are None where undeclared."""

    per_day: Decimal | None
    paths: tuple[PathShares, ...]
    conditions: tuple[ConditionShare, ...]
    names: tuple[NamedShare, ...]
    means: tuple[MeanLine, ...]
    hard: HardShare | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """`share` of the runs, whose answers of `steps` go before people of a role for a verdict; a
    step of a pipeline that runs in this one is `PIPELINE.STEP`.
    """

    share: Decimal
    steps: tuple[str, ...]
    role: str
    span: Span


@dataclass(frozen=True, slots=True)
class Pipeline:
    name: str
    parameters: tuple[Parameter, ...]
    returns: Type
    block: Block
    budget: Budget | None
    permits: tuple[str, ...]
    slo: tuple[SloLine, ...]
    traffic: Traffic
    doc: str | None
    span: Span
    breaker: Breaker | None = None
    quota: Quota | None = None
    watch: tuple[WatchLine, ...] = ()
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class OnlyAfter:
    """`gate` is a gate, approval or hold of `pipeline`, or a step of it that a role answers; with
    `when`, the claim is about calls at which this holds.
    """

    tool: str
    pipeline: str
    gate: str
    when: Expr | None = None


@dataclass(frozen=True, slots=True)
class AtMost:
    """At most `count` calls of `tool` in a run, every attempt counted."""

    tool: str
    count: int


@dataclass(frozen=True, slots=True)
class Never:
    """`when` None: whatever is so."""

    tool: str
    when: Expr | None


@dataclass(frozen=True, slots=True)
class Escalates:
    when: Expr


@dataclass(frozen=True, slots=True)
class NeverReaches:
    """`target` is a tool, or a prompt if `prompt` says so."""

    label: str
    target: str
    prompt: bool = False


Claimed = OnlyAfter | AtMost | Never | Escalates | NeverReaches


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim; `claimed` is None where something in it was reported as an error."""

    pipeline: str
    text: str
    span: Span
    claimed: Claimed | None = None


# ------------------------------------------------------------------------------------ tests


@dataclass(frozen=True, slots=True)
class MockedCall:
    """The turn of an agent's model that asks for a tool or pipeline, by its key."""

    callee: str
    arguments: tuple[tuple[str, Expr], ...]
    span: Span


NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class MockedVerdict:
    """Answer of a person in a test: `answer` is yes, no, veto, or `no answer` in time; `reason` are
    their words.
    """

    answer: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Mock:
    """`target` is a step, tool, approval, hold, `breaker`, which is open, or `quota`, which is
    spent.

    `values` are its answers one after the other, of an agent its turns; `verdicts` what a person
    says each time. With neither it fails (or is open, or spent).
    """

    target: str
    values: tuple[Expr | MockedCall, ...] | None
    verdicts: tuple[MockedVerdict, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Expectation:
    """`what` is answered, escalated, rejected, failed, called, not called, holds or cost.

    `value` is the answer, the condition or the cost. Of a call, `arguments` are the ones that are
    compared, and `times` how many such calls there are (None: one or more).
    """

    what: str
    name: str | None
    value: Expr | None
    op: str | None
    span: Span
    arguments: tuple[tuple[str, Expr], ...] = ()
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Test:
    __test__ = False  # pytest would take it for a test class

    title: str
    pipeline: str
    arguments: tuple[tuple[str, Expr], ...]
    mocks: tuple[Mock, ...]
    expectations: tuple[Expectation, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Program:
    """A checked file with all it imports. `hash` depends on meaning, not on layout or comments."""

    file: str
    hash: str
    enums: Mapping[str, tuple[str, ...]]
    records: Mapping[str, RecordType]
    providers: Mapping[str, Provider]
    tiers: Mapping[str, Tier]
    roles: Mapping[str, Role]
    tools: Mapping[str, Tool]
    functions: Mapping[str, Function]
    patterns: Mapping[str, tuple[str, ...]]
    prompts: Mapping[str, Prompt]
    memories: Mapping[str, Memory]
    settings: Mapping[str, Const]
    pipelines: Mapping[str, Pipeline]
    claims: tuple[Claim, ...]
    tests: tuple[Test, ...]
    evidence: Mapping[str, EvidenceFile] = field(default_factory=dict)

    def pure(self, tool: str) -> bool:
        """Whether the tool of this key is pure."""
        return self.tools[tool].pure
