"""The meaning of names at a place of a pipeline, and the traffic that was declared for them.

Lets are looked through: a test on a let is a test on what it is made of. Steps in different
branches, or in two calls of one sub-pipeline, may share a name; here each gets a name of its own,
which is also that of its variable. Parameters of a sub-pipeline and elements of a list have names
of their own too, but no variable: they are as right as what stands behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipelang.analysis.model.model import PipelineModel
from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.formulas import TRUE, Formula
from pipelang.interfaces.export.prism.machine import Machine
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.types import Type
from pipelang.semantics.walk import all_items, inner_links

Cut = tuple[Decimal, bool]
"""A threshold on a confidence; True if the confidence must be above it, not just reach it."""


@dataclass(slots=True)
class PrismFrame:
    """One call of a pipeline: the run itself, or a sub-pipeline at a place that runs it.

    `ending` is the variable that says how it ended, `finish` the place where it has, and `ends`
    what it may have ended with. `variables` are set back at the beginning of every call; `fresh`
    says when its steps may look into a cache. `free`: it plays what an earlier run has left in one,
    for nothing and without an outage of this run. `path` is what a step's name is printed with.
    """

    program: p.Program
    pipeline: p.Pipeline
    machine: Machine
    prices: PipelineModel
    ending: str
    finish: int
    fresh: Formula = TRUE
    free: bool = False
    path: str = ""
    variables: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)

    def variable(self, name: str, highest: int, note: str, initial: int = 0) -> str:
        """A new variable of this call; a number is added to a name that is there already."""
        name = self.machine.taken.unused(name)
        self.variables.append(name)
        return self.machine.declare(name, highest, note, initial)


@dataclass(slots=True)
class PrismScope:
    """The names in scope: lets as what they are made of, steps as reads of their variables.

    `behind` are the steps behind parameters and elements. `caller` is where a sub-pipeline is run
    from, and `arguments` what its parameters are there.
    """

    frame: PrismFrame
    own_names: dict[int, str]
    written: dict[str, expr.Expr]
    behind: dict[str, frozenset[str]] = field(default_factory=dict)
    names: dict[str, expr.Expr] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    caller: PrismScope | None = None
    arguments: Mapping[str, expr.Expr] = field(default_factory=dict)

    @property
    def pipeline(self) -> p.Pipeline:
        return self.frame.pipeline

    def inside(self) -> PrismScope:
        """The scope of a branch: sees what is around it, and keeps its own names to itself."""
        return replace(self, names=dict(self.names))

    def element(self, name: str, type: Type, behind: frozenset[str]) -> PrismScope:
        """The scope of the body of an `each`; the element is as right as what is behind it."""
        inner = self.inside()
        own = self.frame.machine.taken.unused(f"v_{identifier(name)}")
        inner.names[name] = expr.Read(own, type)
        inner.written = {**self.written, own: expr.Read(name, type)}
        inner.behind = {**self.behind, own: behind}
        return inner

    def add(self, item: p.Item) -> None:
        """An item that makes a value has been passed."""
        if isinstance(item, p.Let):
            self.names[item.name] = self.expand(item.value)
        elif isinstance(item, p.Step):
            own = self.own_names[id(item)]
            self.names[item.name] = expr.Read(own, item.type, item.span)
            file = _measured(self.frame.program, item)
            if file is not None:
                self.files[own] = file

    def expand(self, node: expr.Expr) -> expr.Expr:
        """The expression over inputs and steps alone."""
        return expr.substitute(node, self.names)

    def show(self, node: expr.Expr) -> str:
        """An expanded expression in the pipeline's own words."""
        return expr.show(expr.substitute(node, self.written))

    def steps(self, names: frozenset[str]) -> frozenset[str]:
        """The variables of the steps behind some names; inputs have none, they are always right."""
        values = (self.names[name] for name in names if name in self.names)
        return frozenset[str]().union(*map(self.given, values))

    def given(self, node: expr.Expr) -> frozenset[str]:
        """The variables of the steps behind an expanded expression."""
        found: set[str] = set()
        for name in self.about(node):
            found |= self.behind.get(name, frozenset((name,)))
        return frozenset(found)

    def about(self, node: expr.Expr) -> frozenset[str]:
        """The names in an expanded expression: steps, parameters, elements."""
        return expr.mentions(node) & self.written.keys()

    def mentioned(self, node: expr.Expr) -> frozenset[str]:
        """The variables of the steps that an expression mentions."""
        return self.steps(expr.mentions(node))

    def in_callers_words(self, node: expr.Expr) -> expr.Expr | None:
        """Expanded expression where this pipeline is run; None if it is about more than
        its parameters.
        """
        about = self.about(node)
        if self.caller is None or not about or not about <= self.arguments.keys():
            return None
        return expr.substitute(node, self.arguments)

    def made_so_far(self, names: frozenset[str]) -> frozenset[str]:
        """The variables of all steps with these names, those of branches passed included."""
        items = all_items(self.pipeline.block)
        steps = (item for item in items if isinstance(item, p.Step) and item.name in names)
        return self.steps(names) | {self.own_names[id(step)] for step in steps}

    def path_shares(self) -> dict[expr.Expr, p.PathShares]:
        """Shares of paths that the traffic gives, with the names of this place."""
        return {self.expand(line.path): line for line in self.pipeline.traffic.paths}

    def mean_length(self, node: expr.Expr) -> Decimal | None:
        """The mean length of an expanded list that the traffic gives."""
        for line in self.pipeline.traffic.means:
            *steps, last = line.path
            if last != "length":
                continue
            value: expr.Expr = self.names.get(steps[0], expr.Read(steps[0], node.type))
            for step in steps[1:]:
                value = expr.Field(value, step, node.type)
            if value == node:
                return line.mean
        return None

    def condition_shares(self) -> dict[expr.Expr, p.ConditionShare]:
        """Shares of conditions that the traffic gives, with the names of this place."""
        return {self.expand(line.condition): line for line in self.pipeline.traffic.conditions}


def outermost(frame: PrismFrame) -> PrismScope:
    """The scope at the head of a pipeline, with a name of its own for every step."""
    own_names: dict[int, str] = {}
    written: dict[str, expr.Expr] = {}
    for item in all_items(frame.pipeline.block):
        if isinstance(item, p.Step):
            note = f"{frame.path}{item.name}: 1 right, 2 wrong, 0 not there"
            own = own_names[id(item)] = frame.variable(f"v_{identifier(item.name)}", 2, note)
            written[own] = expr.Read(item.name, item.type, item.span)
    return PrismScope(frame, own_names, written)


def called(
    frame: PrismFrame, caller: PrismScope, action: p.RunPipeline, around: frozenset[str]
) -> PrismScope:
    """The same of a sub-pipeline, whose parameters are as right as its arguments and what is
    around them.
    """
    scope = outermost(frame)
    arguments = dict(action.arguments)
    given: dict[str, expr.Expr] = {}
    for parameter in frame.pipeline.parameters:
        own = frame.machine.taken.unused(f"v_{identifier(parameter.name)}")
        here = caller.expand(arguments[parameter.name])
        given[own] = here
        scope.names[parameter.name] = expr.Read(own, parameter.type)
        scope.written[own] = expr.Read(parameter.name, parameter.type)
        scope.behind[own] = caller.given(here) | around
    return replace(scope, caller=caller.inside(), arguments=given)


def _measured(program: p.Program, step: p.Step) -> str | None:
    """The file behind a step's confidence: the first that its chain takes its accuracy from."""
    for link in inner_links(step.chain):
        measured = link.accuracy
        if (
            isinstance(measured, MeasuredShare)
            and program.evidence[measured.file].columns.ungraded is None
        ):
            return measured.file
    return None


def confidence_cut(compare: expr.Compare) -> tuple[str, Cut, bool] | None:
    """A comparison of a step's confidence with a constant: (step, cut, whether reaching holds)."""
    if compare.op == "==":
        return None
    strict = compare.op == "<"
    match compare.left, compare.right:
        case expr.Const(value=value), expr.Field(target=expr.Read(name=step), name="confidence"):
            return step, (Decimal(value), strict), True
        case expr.Field(target=expr.Read(name=step), name="confidence"), expr.Const(value=value):
            # `confidence < x` holds where x is not reached, `<= x` where it is not exceeded.
            return step, (Decimal(value), not strict), False
        case _:
            return None
