"""Program nodes of actions, of the chains that hold them, and of outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics.chance import ByRates, Chance
from pipelang.semantics.expressions import Expr
from pipelang.semantics.program.world import Retry
from pipelang.semantics.types import Type

__all__ = [
    "Action",
    "Agent",
    "AskRole",
    "AskTier",
    "Broken",
    "Cache",
    "Call",
    "Cascade",
    "Chain",
    "Choose",
    "Each",
    "Escalate",
    "Fail",
    "Lead",
    "Link",
    "Majority",
    "Need",
    "Outcome",
    "Recall",
    "Reject",
    "Return",
    "RunPipeline",
    "Value",
    "Vote",
]


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
class Cascade:
    """Tiers, cheapest first: the next answers when the last one failed or `until` did not hold.

    `until` reads the answer as `it`; `rates` say how often it is wrong about it. With `agent` every
    tier goes through that loop instead of answering at once.
    """

    prompt: str
    arguments: tuple[tuple[str, Expr], ...]
    tiers: tuple[str, ...]
    until: Expr
    rates: ByRates
    answers: Type
    agent: Agent | None = None


@dataclass(frozen=True, slots=True)
class Majority:
    """`vote N`: N calls, and the answer that more than half of N agree on."""

    calls: int


@dataclass(frozen=True, slots=True)
class Lead:
    """`vote lead K of N`: calls until one answer leads by K, at most N."""

    lead: int
    calls: int


Vote = Majority | Lead


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
class Agent:
    """A loop of model calls with tools, at most `steps` of them, typically `turns` (None: unknown).

    `tools` and `pipelines` are what it may call, by their keys.
    """

    prompt: str
    arguments: tuple[tuple[str, Expr], ...]
    who: Expr
    tools: tuple[str, ...]
    pipelines: tuple[str, ...]
    steps: int
    turns: int | None
    answers: Type


@dataclass(frozen=True, slots=True)
class RunPipeline:
    """A sub-pipeline, with an argument for every parameter."""

    pipeline: str
    arguments: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """A read of a memory by key: a list, or an optional value."""

    memory: str
    key: Expr


@dataclass(frozen=True, slots=True)
class Need:
    """The required number of answers of an `each`: `all`, `any`, or a `share` of its elements."""

    kind: str
    share: Decimal | None = None

    @property
    def partial(self) -> bool:
        """Whether some may be missing from the answer."""
        return self.kind != "all"


@dataclass(frozen=True, slots=True)
class Each:
    """One walk of `body` for every element, side by side or `ordered`.

    `most` is the length that the list's type allows; `parallel` None starts all at once.
    """

    variable: str
    elements: Expr
    element: Type
    most: int
    ordered: bool
    need: Need
    parallel: int | None
    body: Chain


@dataclass(frozen=True, slots=True)
class Broken:
    """An action that was reported as an error. `reads` are the values it mentions."""

    reads: frozenset[str]


Action = (
    AskTier
    | AskRole
    | Cascade
    | Agent
    | Call
    | Value
    | Choose
    | RunPipeline
    | Recall
    | Each
    | Broken
)


@dataclass(frozen=True, slots=True)
class Cache:
    """Answers are kept `keeps` seconds by the values of `keys`; `hits` is how many are there."""

    keeps: Decimal
    keys: tuple[Expr, ...]
    hits: Chance


@dataclass(frozen=True, slots=True)
class Link:
    """An action with its options. `accuracy` is per tier where the file says so; `thinking` are the
    tokens that a model may think beside its answer.
    """

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
    vote: Vote | None = None
    cache: Cache | None = None
    batch: Decimal | None = None
    thinking: int | None = None


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
