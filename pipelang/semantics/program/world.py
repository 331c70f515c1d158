"""Program nodes of declarations: providers, tiers, roles, tools, prompts, memories."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import dataclass, field
from pipelang.semantics.chance import Chance
from pipelang.semantics.expressions import Expr
from pipelang.semantics.types import Type

__all__ = [
    "NO_RETRY",
    "Function",
    "Memory",
    "Parameter",
    "Prompt",
    "Provider",
    "Retry",
    "Role",
    "Spread",
    "TemplateBranch",
    "TemplateLoop",
    "TemplatePart",
    "TemplateShape",
    "TemplateText",
    "TemplateValue",
    "Tier",
    "Tool",
]


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
    """`prices` are dollars per million tokens by kind (in, out, cache_write, cache_read).

    `stands_in` is the name of the tier whose declaration this one was given from outside;
    `priced_by` the source of prices that the file doesn't declare.
    """

    name: str
    provider: str
    model: str | None
    prices: Mapping[str, Decimal]
    latency: Spread | None
    transient: Chance
    context: int | None
    as_of: str | None
    span: Span
    stands_in: str | None = None
    priced_by: str | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """`handles` and `responds` are seconds; `hours` a day, None where undeclared. A verdict counts
    `weight` times where verdicts differ, and not at all if it was given within `rushed` seconds;
    `cost` is dollars an hour.
    """

    name: str
    people: int | None
    handles: Decimal | None
    responds: Spread | None
    accuracy: Chance
    hours: Decimal | None
    must_differ_from: str | None
    span: Span
    weight: Decimal = Decimal(1)
    rushed: Decimal | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """`outer` is the name by which those outside give it, None if it is the same."""

    name: str
    type: Type
    has_default: bool = False
    default: Any = None
    span: Span | None = field(default=None, compare=False, repr=False)
    outer: str | None = None
    doc: str | None = None

    @property
    def key(self) -> str:
        """The name by which those outside give it."""
        return self.name if self.outer is None else self.outer


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

    @property
    def pure(self) -> bool:
        """Whether it neither fails nor errs, nor touches the world."""
        return self.effect == "pure"


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
    """Jinja2 sources with where they stand; `shape` is what the token bounds are made from.

    `shows` are the paths that the templates read, from a parameter or `feedback` (`*` is an element
    of a list), and `counts` those of the lists of which they see how long they are: what a model
    gets to see hangs on nothing else than on what stands there, and on how many stand there. The
    first `system_parts` of the shape are those of `system`.
    """

    name: str
    parameters: tuple[Parameter, ...]
    system: str | None
    user: str
    shape: TemplateShape
    span: Span
    shows: tuple[tuple[str, ...], ...] = ()
    system_parts: int = 0
    counts: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateText:
    """`size` UTF-8 bytes of fixed text."""

    size: int


@dataclass(frozen=True, slots=True)
class TemplateValue:
    """A value that is put in; `path` starts at a parameter (`*` is an element of a list), or is
    None for a computed value. A filter may have made it up to `times` as long.
    """

    path: tuple[str, ...] | None
    type: Type
    times: int = 1


@dataclass(frozen=True, slots=True)
class TemplateLoop:
    """A body per element of a list of at most `max_length` (None: unbounded), which is at `path`,
    or None for a computed one.
    """

    max_length: int | None
    body: tuple[TemplatePart, ...]
    path: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TemplateBranch:
    """One of these ways; the longest bounds it.

    `test` is the path of the first test, and whether the first way is taken where its value counts
    as true; None for any other test, and where it does not decide between two ways.
    """

    ways: tuple[tuple[TemplatePart, ...], ...]
    test: tuple[tuple[str, ...], bool] | None = None


TemplatePart = TemplateText | TemplateValue | TemplateLoop | TemplateBranch
TemplateShape = tuple[TemplatePart, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    name: str
    key: Parameter
    returns: Type
    keeps: Decimal | None
    span: Span
