"""What a step does: actions, who answers, and the options of one link."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Literal, TypeAlias

from .expressions import Expr, Path

if TYPE_CHECKING:
    from .model import Outcome, Rates


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
