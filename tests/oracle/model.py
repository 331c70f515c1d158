"""A small AST of pipelines, for the oracle alone.

The oracle is worth something only as long as it shares nothing with the compiler, so it has its
own idea of what a pipeline is: frozen dataclasses for a subset of the language, small enough to
be read in one go. `write_pipe` prints a `Program` as `.pipe` text, `enumerate_runs` walks all its
runs. Numbers are exact: probabilities and dollars are `Fraction`s, durations whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal, TypeAlias

from .expressions import Expr, Path

# --- the world ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    available: Fraction


@dataclass(frozen=True, slots=True)
class Tier:
    """`price` is in dollars a million tokens of output; input is free."""

    name: str
    provider: str
    transient: Fraction
    price: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Role:
    """People: `median` and `p95` seconds of their answers, and how often they judge well."""

    name: str
    median: int
    p95: int
    accuracy: Fraction


@dataclass(frozen=True, slots=True)
class Enum:
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """`type` is the source text of the field's type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """`params` and `result` are source texts of types; `cost` is in dollars a call."""

    name: str
    params: tuple[str, ...]
    result: str
    effect: Literal["read", "write", "irreversible"]
    succeeds: Fraction
    accuracy: Fraction
    cost: Fraction

    @property
    def writes(self) -> bool:
        return self.effect != "read"


@dataclass(frozen=True, slots=True)
class Memory:
    """A key of one text; `result` is the source text of a type."""

    name: str
    result: str


@dataclass(frozen=True, slots=True)
class Row:
    confidence: Fraction
    correct: bool


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    path: str
    rows: tuple[Row, ...]


# --- steps ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Route:
    """`by match PATH { a, b => tier ... }`; the pattern `("else",)` is the last arm's."""

    path: Path
    arms: tuple[tuple[tuple[str, ...], str], ...]


@dataclass(frozen=True, slots=True)
class IfRoute:
    """`by if CONDITION then tier else tier`; the condition is computed from shares."""

    condition: Expr
    then: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Cascade:
    """`by cascade(a, b) until EXPR`; the expression calls the answer `it`."""

    tiers: tuple[str, ...]
    until: Expr
    rates: Rates


Who: TypeAlias = "str | Route | IfRoute"


@dataclass(frozen=True, slots=True)
class Ask:
    """`by` names a tier or a role. `params` are the types of the prompt that `write_pipe` declares
    for this very link."""

    args: tuple[Expr, ...]
    params: tuple[str, ...]
    by: Who | Cascade


@dataclass(frozen=True, slots=True)
class Agent:
    args: tuple[Expr, ...]
    params: tuple[str, ...]
    by: Who
    tools: tuple[str, ...]
    steps: int
    turns: int


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class RunPipeline:
    pipeline: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    memory: str
    key: Expr


@dataclass(frozen=True, slots=True)
class Each:
    """`each ELEMENT in OVER { links else otherwise } { parallel .. need .. }`."""

    element: str
    over: Expr
    links: tuple[Link, ...]
    otherwise: Outcome | None = None
    ordered: bool = False
    need: Fraction | Literal["all", "any"] = "all"
    parallel: int | None = None

    def needed(self, length: int) -> int:
        match self.need:
            case "all":
                return length
            case "any":
                return min(length, 1)
            case share:
                return ceil(share * length)


@dataclass(frozen=True, slots=True)
class Pick:
    """`match PATH { a => ACTION ... }` as an action."""

    path: Path
    arms: tuple[tuple[tuple[str, ...], Link], ...]


@dataclass(frozen=True, slots=True)
class Pure:
    expr: Expr


@dataclass(frozen=True, slots=True)
class ByTier:
    """`accuracy haiku 80%, opus 95%`."""

    rates: tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True, slots=True)
class FromFile:
    path: str


@dataclass(frozen=True, slots=True)
class Vote:
    """`vote OF`, or with a lead `vote lead LEAD of OF`."""

    of: int
    lead: int | None = None


@dataclass(frozen=True, slots=True)
class Cache:
    keys: tuple[Expr, ...]
    hits: Fraction


@dataclass(frozen=True, slots=True)
class Link:
    """One action of a chain with its options. `None` stands for an option left out.

    `timeout` is that of an `ask` by a person; whatever a machine does has ten seconds.
    """

    action: Action
    accuracy: Fraction | ByTier | FromFile | None = None
    retry: int = 0
    recovers: Fraction | None = None
    correlation: Fraction | None = None
    vote: Vote | None = None
    cache: Cache | None = None
    timeout: int | None = None


Action: TypeAlias = Ask | Agent | Call | RunPipeline | Recall | Each | Pick | Pure


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    type: str
    links: tuple[Link, ...]
    otherwise: Outcome | None = None


# --- tests and outcomes ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rates:
    """`catches` and `false_alarms`, in the braces of a gate."""

    catches: Fraction
    false_alarms: Fraction


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a named test in `traffic`: `85% if right, 30% if wrong`, or one number."""

    right: Fraction
    wrong: Fraction


@dataclass(frozen=True, slots=True)
class Test:
    """A condition and what says how often it holds.

    `None`: computed, from the shares of its paths and the evidence of the step whose confidence
    it compares. A file is `evidence from FILE` in the braces of a gate.
    """

    __test__ = False  # not a test class, whatever pytest makes of the name

    condition: Expr
    source: Rates | Share | FromFile | None = None


@dataclass(frozen=True, slots=True)
class Return:
    value: Expr


@dataclass(frozen=True, slots=True)
class Escalate:
    role: str
    attached: Expr | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    pass


@dataclass(frozen=True, slots=True)
class Fail:
    code: str


Outcome: TypeAlias = Return | Escalate | Reject | Fail

# --- the other items ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Let:
    name: str
    type: str | None
    value: Expr


@dataclass(frozen=True, slots=True)
class Redo:
    step: str
    times: int


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    test: Test
    otherwise: Outcome
    redo: Redo | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    name: str
    seconds: int
    role: str
    otherwise: Outcome
    when: Expr | None = None
    showing: Expr | None = None


@dataclass(frozen=True, slots=True)
class Approve:
    name: str
    role: str
    otherwise: Outcome
    when: Expr | None = None
    within: int | None = None
    showing: Expr | None = None


@dataclass(frozen=True, slots=True)
class When:
    name: str | None
    test: Test
    then: tuple[Item, ...]
    otherwise: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    path: Path
    arms: tuple[tuple[tuple[str, ...], tuple[Item, ...]], ...]


@dataclass(frozen=True, slots=True)
class Remember:
    memory: str
    key: Expr
    value: Expr


Item: TypeAlias = Step | Let | Gate | Hold | Approve | When | Match | Remember | Outcome


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Mean:
    length: Fraction


@dataclass(frozen=True, slots=True)
class PathShare:
    """How often a bool path is true, how the members of an enum path are shared out, or how long
    a list is (its path ends in `length`). A path that ends in `?` is about presence."""

    path: Path
    share: Fraction | tuple[tuple[str, Fraction], ...] | Mean


@dataclass(frozen=True, slots=True)
class Pipeline:
    name: str
    inputs: tuple[Input, ...]
    result: str
    shares: tuple[PathShare, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """`children` are pipelines that others run; each runs only those that stand before it."""

    providers: tuple[Provider, ...]
    tiers: tuple[Tier, ...]
    roles: tuple[Role, ...]
    enums: tuple[Enum, ...]
    records: tuple[Record, ...]
    tools: tuple[Tool, ...]
    files: tuple[EvidenceFile, ...]
    pipeline: Pipeline
    children: tuple[Pipeline, ...] = ()
    memories: tuple[Memory, ...] = ()
