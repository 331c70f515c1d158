"""What names stand for at a place of a pipeline, and what was said about them.

Lets are looked through: a test on a let is a test on what it is made of. Steps in different
branches may share a name; here each gets a name of its own, which is also that of its variable.
"""

from __future__ import annotations

from decimal import Decimal

from pipelang.interfaces.export.prism.constants import identifier, unused
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.walk import all_items, inner_links

Cut = tuple[Decimal, bool]
"""A threshold on a confidence; True if the confidence must be above it, not just reach it."""


@dataclass(slots=True)
class Scope:
    """The names in scope: lets as what they are made of, steps as reads of their variables."""

    program: p.Program
    pipeline: p.Pipeline
    own_names: dict[int, str]
    written: dict[str, ir.Expr]
    names: dict[str, ir.Expr] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def inside(self) -> Scope:
        """The scope of a branch: sees what is around it, and keeps its own names to itself."""
        return replace(self, names=dict(self.names))

    def add(self, item: p.Item) -> None:
        """An item that makes a value has been passed."""
        if isinstance(item, p.Let):
            self.names[item.name] = self.expand(item.value)
        elif isinstance(item, p.Step):
            own = self.own_names[id(item)]
            self.names[item.name] = ir.Read(own, item.type, item.span)
            file = _measured(self.program, item)
            if file is not None:
                self.files[own] = file

    def expand(self, expr: ir.Expr) -> ir.Expr:
        """The expression over inputs and steps alone."""
        return ir.substitute(expr, self.names)

    def show(self, expr: ir.Expr) -> str:
        """An expanded expression in the pipeline's own words."""
        return ir.show(ir.substitute(expr, self.written))

    def steps(self, names: frozenset[str]) -> frozenset[str]:
        """The variables of the steps behind some names; inputs have none, they are always right."""
        found: set[str] = set()
        for name in names:
            if name in self.names:
                found |= ir.mentions(self.names[name]) & self.written.keys()
        return frozenset(found)

    def mentioned(self, expr: ir.Expr) -> frozenset[str]:
        """The variables of the steps that an expression mentions."""
        return self.steps(ir.mentions(expr))

    def made_so_far(self, names: frozenset[str]) -> frozenset[str]:
        """The variables of all steps with these names, those of branches passed included."""
        items = all_items(self.pipeline.block)
        steps = (item for item in items if isinstance(item, p.Step) and item.name in names)
        return self.steps(names) | {self.own_names[id(step)] for step in steps}

    def path_shares(self) -> dict[ir.Expr, p.PathShares]:
        """What traffic says of paths, in the words of this place."""
        return {self.expand(line.path): line for line in self.pipeline.traffic.paths}

    def condition_shares(self) -> dict[ir.Expr, p.ConditionShare]:
        """What traffic says of conditions, in the words of this place."""
        return {self.expand(line.condition): line for line in self.pipeline.traffic.conditions}


def outermost(program: p.Program, pipeline: p.Pipeline) -> Scope:
    """The scope at the head of a pipeline, with a name of its own for every step."""
    taken: set[str] = set()
    own_names: dict[int, str] = {}
    written: dict[str, ir.Expr] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            own = own_names[id(item)] = unused(f"v_{identifier(item.name)}", taken)
            written[own] = ir.Read(item.name, item.type, item.span)
    return Scope(program, pipeline, own_names, written)


def _measured(program: p.Program, step: p.Step) -> str | None:
    """The file behind a step's confidence: the first that its chain takes its accuracy from."""
    for link in inner_links(step.chain):
        if isinstance(link.accuracy, MeasuredShare):
            rows = program.evidence[link.accuracy.file].rows
            if all(row.confidence is not None for row in rows):
                return link.accuracy.file
    return None


def confidence_cut(compare: ir.Compare) -> tuple[str, Cut, bool] | None:
    """A comparison of a step's confidence with a constant: (step, cut, whether reaching holds)."""
    if compare.op == "==":
        return None
    strict = compare.op == "<"
    match compare.left, compare.right:
        case ir.Const(value=value), ir.Field(target=ir.Read(name=step), name="confidence"):
            return step, (Decimal(value), strict), True
        case ir.Field(target=ir.Read(name=step), name="confidence"), ir.Const(value=value):
            # `confidence < x` holds where x is not reached, `<= x` where it is not exceeded.
            return step, (Decimal(value), not strict), False
        case _:
            return None
