"""The program: what the analysis and the interpreter both take. Typed, resolved, immutable.

Everything that a file says about a pipeline is here in the form in which it means something: names
are resolved, options are numbers in dollars, seconds and tokens, settings have their values, blocks
know their regions and barriers. Nothing here estimates and nothing here runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span
from pipelang.semantics.chance import Chance, EvidenceFile
from pipelang.semantics.expressions import Const, Expr
from pipelang.semantics.types import RecordType, Type

# ---------------------------------------------------------------------- what the world offers


@dataclass(frozen=True, slots=True)
class Spread:
    """A lognormal by its median and 95% quantile, in seconds; `p95` None is undeclared."""

    median: Decimal
    p95: Decimal | None


@dataclass(frozen=True, slots=True)
class Provider:
    """`key` is a reference such as `env:ANTHROPIC_API_KEY`, never the secret."""

    name: str
    kind: str
    key: str | None
    base_url: str | None
    available: Chance
    span: Span


@dataclass(frozen=True, slots=True)
class Tier:
    """`prices` are dollars per million tokens by kind (in, out, cache_write, cache_read)."""

    name: str
    provider: str
    model: str | None
    prices: Mapping[str, Decimal]
    latency: Spread | None
    transient: Chance
    context: int | None
    as_of: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Role:
    """`handles` and `responds` are seconds; `hours` a day, None where undeclared."""

    name: str
    people: int | None
    handles: Decimal | None
    responds: Spread | None
    accuracy: Chance
    hours: Decimal | None
    must_differ_from: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: Type
    has_default: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Retry:
    """`count` more attempts; `backoff` bounds the wait in seconds, None waits not at all."""

    count: int
    backoff: tuple[Decimal, Decimal] | None


NO_RETRY = Retry(0, None)


@dataclass(frozen=True, slots=True)
class Tool:
    """`binding` is ("python", "module:function") or ("mcp", "server", "tool"), None if unbound."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Type
    binding: tuple[str, ...] | None
    effect: str
    permit: str | None
    rate: tuple[int, int] | None
    timeout: Decimal | None
    retry: Retry
    succeeds: Chance
    accuracy: Chance
    latency: Spread | None
    cost: Decimal
    idempotent: bool
    span: Span
    binding_span: Span | None = None
    doc: str | None = None

    @property
    def acts(self) -> bool:
        """Whether it changes the world."""
        return self.effect in ("write", "irreversible")


@dataclass(frozen=True, slots=True)
class Function:
    """A pure `fn`: exactly one of `body` and `binding` is set."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Type
    public: bool
    body: Expr | None
    binding: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Prompt:
    """Jinja2 sources with where they stand; `shape` is what the token bounds are made from."""

    name: str
    parameters: tuple[Parameter, ...]
    system: str | None
    user: str
    shape: TemplateShape
    span: Span


@dataclass(frozen=True, slots=True)
class TemplateText:
    """`size` UTF-8 bytes of fixed text."""

    size: int


@dataclass(frozen=True, slots=True)
class TemplateValue:
    """A value that is put in; `path` starts at a parameter, or is None for a computed value.

    `element_of` is set for values inside a loop: the path of the list that is gone through.
    """

    path: tuple[str, ...] | None
    type: Type | None


@dataclass(frozen=True, slots=True)
class TemplateLoop:
    """A body per element of a list of at most `max_length` (None: unbounded)."""

    max_length: int | None
    body: tuple[TemplatePart, ...]


@dataclass(frozen=True, slots=True)
class TemplateBranch:
    """The longest of these counts."""

    ways: tuple[tuple[TemplatePart, ...], ...]


TemplatePart = TemplateText | TemplateValue | TemplateLoop | TemplateBranch
TemplateShape = tuple[TemplatePart, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    name: str
    key: Parameter
    returns: Type
    keeps: Decimal | None
    span: Span


# ------------------------------------------------------------------------- actions and chains


@dataclass(frozen=True, slots=True)
class AskTier:
    """`who` is an expression over tier names, evaluated before every attempt."""

    prompt: str
    arguments: tuple[tuple[str, Expr], ...]
    who: Expr
    answers: Type


@dataclass(frozen=True, slots=True)
class AskRole:
    prompt: str
    arguments: tuple[tuple[str, Expr], ...]
    role: str
    answers: Type


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    arguments: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A pure value."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Choose:
    """A match over actions: the first arm that holds the subject's value."""

    subject: Expr
    arms: tuple[tuple[tuple[Any, ...] | None, Link], ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """An action that parses and type-checks, which upper layers cannot take yet.

    `what` names it for people, `reads` are the values it mentions, `acts` whether it is a barrier.
    """

    what: str
    reads: frozenset[str]
    acts: bool


Action = AskTier | AskRole | Call | Value | Choose | Unsupported


@dataclass(frozen=True, slots=True)
class Link:
    """An action with its options. `accuracy` is per tier where the file says so."""

    action: Action
    retry: Retry
    timeout: Decimal | None
    accuracy: Chance
    accuracy_by_tier: Mapping[str, Chance]
    recovers: Chance
    correlation: Chance
    output_mean: int | None
    output_max: int | None
    effort: str | None
    reads: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class Chain:
    """Links in the order in which they are tried; `end` None means `failed`."""

    links: tuple[Link, ...]
    end: Outcome | None


# --------------------------------------------------------------------------------- outcomes


@dataclass(frozen=True, slots=True)
class Return:
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Escalate:
    """`reason` is the name of the gate or step (or branch, or pipeline) that takes it."""

    role: str
    reason: str
    text: str | None
    value: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str
    text: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Fail:
    """`code` is one of the closed codes or the pipeline's own; `reason` names who failed."""

    code: str
    reason: str
    span: Span


Outcome = Return | Escalate | Reject | Fail

# ------------------------------------------------------------------------------------ items


@dataclass(frozen=True, slots=True)
class Step:
    """`reads` is every name that anything in the step mentions: it waits for all of them."""

    name: str
    type: Type
    chain: Chain
    reads: frozenset[str]
    doc: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    name: str
    type: Type
    value: Expr
    reads: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class ByRates:
    """Declared rates of a test: P(does not hold | wrong) and P(does not hold | right)."""

    catches: Chance
    false_alarms: Chance


@dataclass(frozen=True, slots=True)
class ByFile:
    """Rates of the one confidence comparison of a test, from an evidence file."""

    file: str


TestEvidence = ByRates | ByFile


@dataclass(frozen=True, slots=True)
class Redo:
    """`redo STEP up to times`; `reruns` are the items of the block to run again, by index."""

    step: str
    times: int
    because: Expr | None
    reruns: tuple[int, ...]
    otherwise: Outcome


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    condition: Expr
    evidence: TestEvidence | None
    otherwise: Outcome | Redo
    reads: frozenset[str]
    doc: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Person:
    """`approve` (no answer is a no) or `hold` (no answer is a yes).

    `judges` are the values that the person is asked about; `seconds` how long they have, None for
    ever; `when` None always asks.
    """

    name: str
    kind: str
    role: str
    when: Expr | None
    seconds: Decimal | None
    showing: Expr | None
    judges: frozenset[str]
    otherwise: Outcome
    doc: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class When:
    name: str | None
    condition: Expr
    then: Block
    otherwise: Block
    span: Span


@dataclass(frozen=True, slots=True)
class MatchBranch:
    subject: Expr
    arms: tuple[tuple[tuple[Any, ...] | None, Block], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Remember:
    memory: str
    key: Expr
    value: Expr
    reads: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class End:
    """A bare outcome."""

    outcome: Outcome
    span: Span


Item = Step | Let | Gate | Person | When | MatchBranch | Remember | End


@dataclass(frozen=True, slots=True)
class Region:
    """Steps and lets between two barriers: indices into the block's items, in writing order."""

    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Barrier:
    index: int


@dataclass(frozen=True, slots=True)
class Block:
    items: tuple[Item, ...]
    segments: tuple[Region | Barrier, ...]


# -------------------------------------------------------------------------------- pipelines


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
class SloLine:
    """`metric` in dotted form; `when` as written, None if unconditional."""

    metric: str
    op: str
    target: Decimal
    target_text: str
    when: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class PathShares:
    """How often a path has each value: an enum's members, or True and False."""

    path: Expr
    shares: tuple[tuple[Any, Chance], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ConditionShare:
    """How often a condition holds, given that what it mentions is right, and if not."""

    condition: Expr
    right: Chance
    wrong: Chance
    span: Span


@dataclass(frozen=True, slots=True)
class NamedShare:
    """How often a named gate or branch holds."""

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
class Traffic:
    """What the inputs look like; `per_day` None where undeclared."""

    per_day: Decimal | None
    paths: tuple[PathShares, ...]
    conditions: tuple[ConditionShare, ...]
    names: tuple[NamedShare, ...]
    means: tuple[MeanLine, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`open_ends` names what this version cannot analyse or run here, for one clear warning each."""

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
    open_ends: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    pipeline: str
    text: str
    span: Span


# ------------------------------------------------------------------------------------ tests


@dataclass(frozen=True, slots=True)
class Mock:
    """`target` is a step, tool, approval or hold; `values` None means it fails (or `answer`)."""

    target: str
    values: tuple[Expr, ...] | None
    answer: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Expectation:
    """`what` is answered, escalated, rejected, failed, called, not called, equal or cost."""

    what: str
    name: str | None
    value: Expr | None
    op: str | None
    span: Span


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


