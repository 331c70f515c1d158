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
QUESTIONS = ("q", "x", "item")  # what is of this type, wherever it stands


def rate(text: str | int | float | Fraction) -> Fraction:
    """`rate(".95")`, read as a decimal and not as a binary float."""
    return Fraction(str(text))


def returned(*names: str) -> m.Return:
    parts = e.ListOf(tuple(e.Path(name, "body") for name in names))
    return m.Return(e.RecordOf((("parts", parts),)))


def ask(
    *args: str,
    a: str | m.FromFile | m.ByTier = "1",
    by: m.Who | m.Cascade = "fast",
    retry: int = 0,
    recovers: str | None = None,
    correlation: str | None = None,
    vote: m.Vote | None = None,
    hits: str | None = None,
) -> m.Link:
    """A link that asks about some values; about the input `q` if none is named."""
    names = args or ("q",)
    action = m.Ask(
        tuple(e.Path(name) for name in names),
        tuple("Question" if name in QUESTIONS else "Answer" for name in names),
        by,
    )
    return m.Link(
        action,
        accuracy=rate(a) if isinstance(a, str) else a,
        retry=retry,
        recovers=None if recovers is None else rate(recovers),
        correlation=None if correlation is None else rate(correlation),
        vote=vote,
        cache=None if hits is None else m.Cache((e.Path(names[0], "body"),), rate(hits)),
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


def run(pipeline: str, *args: str | e.Expr, retry: int = 0) -> m.Link:
    exprs = tuple(e.Path(arg) if isinstance(arg, str) else arg for arg in args or ("q",))
    return m.Link(m.RunPipeline(pipeline, exprs), retry=retry)


def child(
    name: str, *items: m.Item, shares: tuple[m.PathShare, ...] = (), of: str = "Question"
) -> m.Pipeline:
    """A sub-pipeline of one parameter: `x` if it is a question, `y` if it is an answer."""
    given = m.Input("x" if of == "Question" else "y", of)
    return m.Pipeline(name, (given,), "Answer", shares, items)


def each(
    over: e.Expr,
    *links: m.Link,
    otherwise: m.Outcome | None = None,
    ordered: bool = False,
    need: str = "all",
) -> m.Link:
    """Over questions, each called `item`."""
    wanted = need if need in ("all", "any") else rate(need)
    return m.Link(m.Each("item", over, links, otherwise, ordered, wanted))  # type: ignore[arg-type]


def listed(name: str, link: m.Link, most: int) -> m.Step:
    """A step of one `each`."""
    assert isinstance(link.action, m.Each)
    mark = "" if link.action.need == "all" else "?"
    return m.Step(name, f"[Answer{mark}] max {most}", (link,))


def not_empty(name: str) -> m.Return:
    """Returns a text that hangs on a list."""
    text = e.Choice(e.NotEmpty(e.Path(name)), e.Constant('"some"'), e.Constant('"none"'))
    return m.Return(e.RecordOf((("parts", e.ListOf((text,))),)))


def given(name: str, share: str | m.Mean, part: str = "flag") -> m.PathShare:
    return m.PathShare(e.Path(name, part), rate(share) if isinstance(share, str) else share)


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
    children: tuple[m.Pipeline, ...] = ()
    memories: tuple[m.Memory, ...] = ()
    inputs: tuple[m.Input, ...] = (m.Input("q", "Question"),)
    price: str = "0"

    def program(self, *items: m.Item) -> m.Program:
        return m.Program(
            providers=(
                m.Provider("first", rate(self.available)),
                m.Provider("second", rate(self.other_available)),
            ),
            tiers=(
                m.Tier("fast", "first", rate(self.transient), rate(self.price)),
                m.Tier("slow", "first", rate(self.transient)),
                m.Tier("other", "second", rate(self.other_transient)),
            ),
            roles=(self.staff,),
            enums=(KIND,),
            records=(ANSWER, QUESTION, OUTPUT),
            tools=self.tools,
            files=self.files,
            pipeline=m.Pipeline("main", self.inputs, "Output", self.shares, items),
            children=self.children,
            memories=self.memories,
        )


def rows(right: dict[str, int], wrong: dict[str, int]) -> tuple[m.Row, ...]:
    """Evidence by confidence and number of rows."""
    return tuple(
        m.Row(rate(confidence), correct)
        for counted, correct in ((right, True), (wrong, False))
        for confidence, number in counted.items()
        for _ in range(number)
    )
