"""Short words to build small programs with, for the oracle's own tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from . import expressions as e
from . import model as m

ANSWER = m.Record(
    "Answer",
    (
        m.Field("flag", "bool"),
        m.Field("ok", "bool"),
        m.Field("kind", "Kind"),
        m.Field("confidence", "probability"),
        m.Field("body", "text max 20 tokens"),
    ),
)
QUESTION = m.Record(
    "Question",
    (m.Field("flag", "bool"), m.Field("kind", "Kind"), m.Field("body", "text max 20 tokens")),
)
KIND = m.Enum("Kind", ("simple", "medium", "complex"))
OUTPUT = m.Record("Output", (m.Field("parts", "[text max 60 tokens] max 9"),))
PEOPLE = m.Escalate("staff")


def rate(text: str | int | float | Fraction) -> Fraction:
    """`rate(".95")`, read as a decimal and not as a binary float."""
    return Fraction(str(text))


def returned(*names: str) -> m.Return:
    parts = e.ListOf(tuple(e.Path(name, "body") for name in names))
    return m.Return(e.RecordOf((("parts", parts),)))


def ask(
    *args: str,
    a: str | m.FromFile | m.ByTier = "1",
    by: str | m.Route = "fast",
    retry: int = 0,
    recovers: str | None = None,
    correlation: str | None = None,
) -> m.Link:
    """A link that asks about some values; about the input `q` if none is named."""
    names = args or ("q",)
    return m.Link(
        m.Ask(
            tuple(e.Path(name) for name in names),
            tuple("Question" if name == "q" else "Answer" for name in names),
            by,
        ),
        accuracy=rate(a) if isinstance(a, str) else a,
        retry=retry,
        recovers=None if recovers is None else rate(recovers),
        correlation=None if correlation is None else rate(correlation),
    )


def step(name: str, *links: m.Link, otherwise: m.Outcome | None = None) -> m.Step:
    return m.Step(name, "Answer", links, otherwise)


def call(tool: str, *args: str, retry: int = 0, correlation: str | None = None) -> m.Link:
    return m.Link(
        m.Call(tool, tuple(e.Path(name, "body") for name in args)),
        retry=retry,
        correlation=None if correlation is None else rate(correlation),
    )


def tool(
    name: str,
    effect: str = "read",
    succeeds: str = "1",
    accuracy: str = "1",
    cost: str = "0",
    params: int = 1,
) -> m.Tool:
    assert effect in ("read", "write", "irreversible")
    types = ("text max 20 tokens",) * params
    chances = (rate(succeeds), rate(accuracy), rate(cost))
    return m.Tool(name, types, "Answer", effect, *chances)  # type: ignore[arg-type]


@dataclass
class World:
    """What stands around a pipeline: a provider with a tier `fast`, another with `other`."""

    available: str = "1"
    transient: str = "0"
    other_available: str = "1"
    other_transient: str = "0"
    staff: m.Role = field(default_factory=lambda: m.Role("staff", 900, 7200, Fraction(49, 50)))
    tools: tuple[m.Tool, ...] = ()
    files: tuple[m.EvidenceFile, ...] = ()
    shares: tuple[m.PathShare, ...] = ()

    def program(self, *items: m.Item) -> m.Program:
        return m.Program(
            providers=(
                m.Provider("first", rate(self.available)),
                m.Provider("second", rate(self.other_available)),
            ),
            tiers=(
                m.Tier("fast", "first", rate(self.transient)),
                m.Tier("slow", "first", rate(self.transient)),
                m.Tier("other", "second", rate(self.other_transient)),
            ),
            roles=(self.staff,),
            enums=(KIND,),
            records=(ANSWER, QUESTION, OUTPUT),
            tools=self.tools,
            files=self.files,
            pipeline=m.Pipeline("main", (m.Input("q", "Question"),), "Output", self.shares, items),
        )


def rows(right: dict[str, int], wrong: dict[str, int]) -> tuple[m.Row, ...]:
    """Evidence by confidence and number of rows."""
    return tuple(
        m.Row(rate(confidence), correct)
        for counted, correct in ((right, True), (wrong, False))
        for confidence, number in counted.items()
        for _ in range(number)
    )
