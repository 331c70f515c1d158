"""Claims as finite monitors: a state that events change, and the events that break the claim in it.

`only after` remembers whether the gate was passed in this run of its pipeline, `never when` whether
the tool was called, `at most` how often; `escalates when` looks at the end alone. A state is a
small number, so paths in the same state merge.
"""

from __future__ import annotations

from typing import Protocol, assert_never

from pipelang.analysis.claims import beside
from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


class Monitor(Protocol):
    """The interface of a monitor: how an event changes the state, and whether it breaks the
    property.
    """

    @property
    def when(self) -> expr.Expr | None:
        """The condition under which a break counts."""

    @property
    def tool(self) -> str | None:
        """The tool whose calls are events."""

    @property
    def counts(self) -> bool:
        """Whether every call changes the state, so that it matters how often something runs."""

    def resets(self, pipeline: str) -> bool:
        """Whether a test has to be passed anew in each run of a pipeline. If one does, states are
        those of `beside`.
        """

    def entered(self, pipeline: str, state: int) -> int: ...

    def passed(self, pipeline: str, gate: str, state: int) -> int: ...

    def called(self, tool: str, state: int) -> int: ...

    def broken_by_call(self, tool: str, state: int, span: Span) -> bool: ...

    def broken_by_end(self, kind: str, state: int) -> bool: ...


OnPaths = p.OnlyAfter | p.AtMost | p.Never | p.Escalates


@dataclass(frozen=True, slots=True)
class Property:
    """The monitor of a claim about paths."""

    claimed: OnPaths

    @property
    def when(self) -> expr.Expr | None:
        """The condition that the claim states."""
        return None if isinstance(self.claimed, p.AtMost) else self.claimed.when

    @property
    def tool(self) -> str | None:
        return None if isinstance(self.claimed, p.Escalates) else self.claimed.tool

    @property
    def counts(self) -> bool:
        return isinstance(self.claimed, p.AtMost)

    def resets(self, pipeline: str) -> bool:
        return isinstance(self.claimed, p.OnlyAfter) and self.claimed.pipeline == pipeline

    def entered(self, pipeline: str, state: int) -> int:
        """Return the state at the start of a pipeline's run: none of its gates was passed."""
        return beside.begun(state) if self.resets(pipeline) else state

    def passed(self, pipeline: str, gate: str, state: int) -> int:
        match self.claimed:
            case p.OnlyAfter():
                own = (self.claimed.pipeline, self.claimed.gate)
                if own == (pipeline, gate.split(" ")[0]):
                    return state | beside.PASSED
                return state
            case _:
                return state

    def called(self, tool: str, state: int) -> int:
        match self.claimed:
            case p.Never(tool=own) if own == tool:
                return True
            case p.AtMost(tool=own, count=most) if own == tool:
                return min(state + 1, most)
            case _:
                return state

    def broken_by_call(self, tool: str, state: int, span: Span) -> bool:
        """Whether a call in this state breaks the claim, if its condition holds."""
        match self.claimed:
            case p.OnlyAfter(tool=own):
                return own == tool and not state & beside.PASSED
            case p.AtMost(tool=own, count=most):
                return own == tool and state >= most
            case p.Never(tool=own):
                return own == tool
            case p.Escalates():
                return False
            case _:
                assert_never(self.claimed)

    def broken_by_end(self, kind: str, state: int) -> bool:
        """Whether an end in this state breaks the claim, if its condition holds."""
        match self.claimed:
            case p.OnlyAfter() | p.AtMost():
                return False
            case p.Never():
                return bool(state)
            case p.Escalates():
                return kind in ("answered", "rejected")
            case _:
                assert_never(self.claimed)
