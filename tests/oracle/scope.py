"""What a generated item may mention at the place where it stands.

Names are told apart by what they hold: a record (`record` gives its type), a text, a list of texts
or a condition. The scope also keeps which steps a gate could send back to: those of its own block
since the last barrier that is not a gate, as far as the gate reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import expressions as e
from . import model as m
from .palette import TEXT
from .traverse import step_exprs

SINGLE = ("Answer", "Note", "Question")


@dataclass
class Scope:
    # name -> record type, "" for a text, "texts", "bool", "[TYPE] max N" or "TYPE?"
    records: dict[str, str]
    plain: set[str]  # names whose paths may be drawn
    made_by_steps: set[str] = field(default_factory=set)
    # Every value that a name mentions, itself included, through everything in between.
    ancestry: dict[str, frozenset[str]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # an alias -> what it stands for
    window: list[str] = field(default_factory=list)
    countable: set[str] = field(default_factory=set)
    literal: set[str] = field(default_factory=set)  # literal lists

    @classmethod
    def of(cls, inputs: tuple[m.Input, ...]) -> Scope:
        names = [item.name for item in inputs]
        return cls(
            {item.name: item.type for item in inputs},
            set(names),
            ancestry={name: frozenset({name}) for name in names},
        )

    def inside(self) -> Scope:
        """The scope of a branch: sees what is around it, and keeps its own names to itself."""
        return Scope(
            dict(self.records),
            set(self.plain),
            set(self.made_by_steps),
            dict(self.ancestry),
            dict(self.sources),
            countable=set(self.countable),
            literal=set(self.literal),
        )

    def close(self) -> None:
        """A barrier that no redo may cross."""
        self.window.clear()

    def add_step(self, step: m.Step, plain: bool, redoable: bool) -> None:
        self.records[step.name] = step.type
        self.made_by_steps.add(step.name)
        if plain:
            self.plain.add(step.name)
        self.ancestry[step.name] = self._read(*step_exprs(step)) | {step.name}
        if redoable:
            self.window.append(step.name)

    def add_let(self, let: m.Let, record: str) -> None:
        self.records[let.name] = record
        self.ancestry[let.name] = self._read(let.value) | {let.name}
        if isinstance(let.value, e.Path) and let.value.field is None:
            self.sources[let.name] = let.value.value

    def _read(self, *exprs: e.Expr) -> frozenset[str]:
        names = {name for expr in exprs for name in e.names_in(expr)}
        # What a step binds for itself (an element, the `it` of a cascade) is nobody's ancestor.
        return frozenset().union(*(self.ancestry.get(name, frozenset()) for name in names))

    # --- what is there ----------------------------------------------------------------------

    def values(self) -> list[str]:
        """What an `ask` may take: everything but conditions."""
        return [name for name, record in self.records.items() if record != "bool"]

    def texts(self) -> list[str]:
        """What has or is one text."""
        return [name for name in self.values() if self.records[name] != "texts"]

    def steps(self) -> list[str]:
        """Those that made one record: what can be judged."""
        single = (name for name, record in self.records.items() if record in SINGLE)
        return [name for name in single if name in self.made_by_steps]

    def with_paths(self) -> list[str]:
        return [name for name in self.records if name in self.plain]

    def conditions(self) -> list[str]:
        return [name for name, record in self.records.items() if record == "bool"]

    def record(self, name: str) -> str:
        return self.records[name]

    def lists(self) -> list[str]:
        """Lists that something can be done with each element of: their length can be said."""
        return [name for name in self.records if name in self.countable]

    def root(self, name: str) -> str | None:
        """Whose length it is: that of the list itself, of what it stands for, or a literal's."""
        while name in self.sources:
            name = self.sources[name]
        return None if name in self.literal else name

    def single_records(self) -> list[str]:
        return [record for record in self.records.values() if record in SINGLE]

    def optional(self) -> list[str]:
        return [name for name, record in self.records.items() if record.endswith("?")]

    def add_value(self, name: str, record: str) -> None:
        """A parameter of a sub-pipeline or an element of a list."""
        self.records[name] = record
        self.ancestry[name] = frozenset({name})
        if record.startswith("["):
            self.countable.add(name)
        if record.isidentifier() and record not in ("texts", "bool"):
            self.plain.add(name)

    def text(self, name: str) -> e.Expr:
        """A text of a value: itself, its `body`, or one that hangs on it."""
        record = self.records[name]
        if record in ("", "texts"):
            return e.Path(name)
        if record.startswith("["):
            return e.Choice(e.NotEmpty(e.Path(name)), e.Constant('"some"'), e.Constant('"none"'))
        if record.endswith("?"):
            return e.Choice(e.Path(name, "?"), e.Path(name, "body"), e.Constant('"none"'))
        return e.Path(name, "body")

    def text_type(self, name: str) -> str:
        return f"[{TEXT}] max 5" if self.records[name] == "texts" else TEXT

    def source(self, name: str) -> str:
        """A step or input with fields: the name itself, what it stands for, or some input."""
        while name in self.sources:
            name = self.sources[name]
        return name if self.records[name].isidentifier() else next(iter(self.records))

    def redo_targets(self, condition: e.Expr) -> list[str]:
        read = self._read(condition)
        return [name for name in self.window if name in read]
