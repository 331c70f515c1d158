"""A small AST of pipelines, for the oracle alone.

The oracle is worth something only as long as it shares nothing with the compiler, so it has its
own idea of what a pipeline is: frozen dataclasses for a subset of the language, small enough to
be read in one go. `write_pipe` prints a `Program` as `.pipe` text, `enumerate_runs` walks all its
runs. Numbers are exact: probabilities and dollars are `Fraction`s, durations whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from .expressions import Expr, Path
from .model_actions import (
    Action as Action,
)
from .model_actions import (
    Agent as Agent,
)
from .model_actions import (
    Ask as Ask,
)
from .model_actions import (
    ByTier as ByTier,
)
from .model_actions import (
    Cache as Cache,
)
from .model_actions import (
    Call as Call,
)
from .model_actions import (
    Cascade as Cascade,
)
from .model_actions import (
    Each as Each,
)
from .model_actions import (
    FromFile as FromFile,
)
from .model_actions import (
    IfRoute as IfRoute,
)
from .model_actions import (
    Link as Link,
)
from .model_actions import (
    Pick as Pick,
)
from .model_actions import (
    Pure as Pure,
)
from .model_actions import (
    Recall as Recall,
)
from .model_actions import (
    Route as Route,
)
from .model_actions import (
    RunPipeline as RunPipeline,
)
from .model_actions import (
    Vote as Vote,
)
from .model_actions import (
    Who as Who,
)
from .model_world import (
    Enum as Enum,
)
from .model_world import (
    EvidenceFile as EvidenceFile,
)
from .model_world import (
    Field as Field,
)
from .model_world import (
    Memory as Memory,
)
from .model_world import (
    Provider as Provider,
)
from .model_world import (
    Record as Record,
)
from .model_world import (
    Role as Role,
)
from .model_world import (
    Row as Row,
)
from .model_world import (
    Tier as Tier,
)
from .model_world import (
    Tool as Tool,
)

# --- steps, tests and outcomes ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    type: str
    links: tuple[Link, ...]
    otherwise: Outcome | None = None


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
    redo: Redo | None = None


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
