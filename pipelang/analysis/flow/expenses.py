"""Spending of a budget: what is left of it tells of what was asked, and of what decided to ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

from pipelang.analysis.flow.marks import Flow, Mark, joined, marks_of
from pipelang.analysis.flow.telling import ALL, picked
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr

Beside = Mapping[object, tuple[Mark, ...]]
"""By where it stands what goes on side by side: the marks that this adds to what was spent."""


@dataclass(slots=True)
class Expenses:
    """The data that what a run has spent tells of.

    `asked` are the marks of all that models were asked about, since it counts how long that is;
    `waited` those of what tools were asked, which takes its time. `led` are the tests that led to
    something that costs, by their identity, with what each tells of. Whoever reads under the same
    tests what is left knows their results; `here` are those that led to where it is read now.

    What runs side by side with a reading may come before it. Everything is followed in the order of
    the text, so it has to be known from a round before: a round that has `read` what is left says
    in `found` what the next one must know, `beside`.
    """

    beside: Beside = field(default_factory=dict)
    asked: dict[Mark, None] = field(default_factory=dict)
    waited: dict[Mark, None] = field(default_factory=dict)
    led: dict[int, tuple[object, tuple[Mark, ...]]] = field(default_factory=dict)
    here: frozenset[int] = frozenset()
    read: bool = False
    found: dict[object, tuple[Mark, ...]] = field(default_factory=dict)

    def ask(self, marks: Iterable[Mark]) -> None:
        """Note what a model is asked about, or what picks the model."""
        self.asked.update(dict.fromkeys(marks))

    def wait(self, flow: Flow) -> None:
        """Note what a tool is asked about."""
        self.waited.update(dict.fromkeys(marks_of(flow, *ALL)))

    def lead(self, test: object, marks: Iterable[Mark]) -> None:
        """Note a test that has led to something that costs."""
        self.led[id(test)] = test, tuple(marks)

    def left(self, reading: expr.BudgetLeft) -> Flow:
        """Return the flow into a reading of what is left."""
        self.read = True
        decided = picked(reading.type, self._decided())
        timed = picked(reading.type, self.waited) if reading.what == "time" else {}
        return joined(picked(reading.type, self.asked), decided, timed)

    def _decided(self) -> Iterator[Mark]:
        for test, (_, marks) in self.led.items():
            if test not in self.here:
                yield from marks

    @contextmanager
    def side_by_side(self, place: object) -> Iterator[None]:
        """Follow inside what goes on side by side at a place."""
        asked, waited, led = len(self.asked), len(self.waited), len(self.led)
        self.ask(self.beside.get(place, ()))
        yield
        more = [marks for _, marks in islice(self.led.values(), led, None)]
        new = (islice(self.asked, asked, None), islice(self.waited, waited, None), *more)
        before = self.found.get(place, ())
        self.found[place] = (*before, *dict.fromkeys(mark for marks in new for mark in marks))
