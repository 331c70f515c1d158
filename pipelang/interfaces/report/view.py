"""The input of every section of the report: one pipeline's analysis, and how to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics import Sources
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.check.check import PipelineAdvice
from pipelang.interfaces.text.colours import Paint
from pipelang.records import dataclass
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.analysis.claims.verdicts import Proof


@dataclass(frozen=True, slots=True)
class View:
    """One pipeline's analysis and how to show it: `width` is in characters, `legend` asks for the
    words that explain the table of steps; without `advice` none is shown.
    """

    program: p.Program
    analysis: Analysis
    sources: Sources
    width: int
    paint: Paint
    verbose: bool = False
    legend: bool = True
    proofs: tuple[Proof, ...] = ()
    advice: PipelineAdvice | None = None

    @property
    def declassifies(self) -> tuple[str, ...]:
        """The functions that may tell what is private."""
        return tuple(name for name, one in self.program.functions.items() if one.public)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The figures that nobody declared, but for those that change nothing."""
        known = None if self.advice is None else self.advice.what_if
        idle = () if known is None else known.idle
        return tuple(site for site in self.analysis.unknown if site not in idle)

    @property
    def pipeline(self) -> p.Pipeline:
        return self.analysis.pipeline

    def number(self, metric: str) -> Number:
        return self.analysis.numbers[metric]

    def value(self, metric: str) -> float | None:
        """A figure without its uncertainty; None where it is not known."""
        number = self.analysis.numbers.get(metric)
        return None if number is None else number.value

    def heading(self, text: str, note: str = "") -> str:
        """The line above a section; where a line has no room for the note, it stands below."""
        if len(text) + 2 + len(note) <= self.width:
            tail = self.paint(f"  {note}", "dim") if note else ""
            return self.paint(text, "heading") + tail
        lines = [self.paint(line, "heading") for line in wrap(text, self.width)]
        lines += [self.paint(line, "dim") for line in wrap(note, self.width, 2)]
        return "\n".join(lines)


TOO_WIDE = 0.2
"""A range of `success` wider than this says nothing that one could act on."""


def says_something(number: Number) -> bool:
    """Whether a figure is known well enough for the opening sentence."""
    if number.value is not None:
        return True
    return (
        number.low is not None
        and number.high is not None
        and (number.high - number.low <= TOO_WIDE)
    )
