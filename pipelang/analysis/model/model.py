"""The model of one pipeline for the analysis: shares, thresholds, lets and hidden bits.

Lets are expanded: a test on a let is a test on its expression, and whatever mentions a let mentions
its steps. So the only hidden bits are those of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.model.evidence import Cut
from pipelang.analysis.model.parameters import Parameters, bins_of
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.kernels.redo import all_reruns, redo_of
from pipelang.semantics.kernels.run import with_inner
from pipelang.semantics.lengths import mean_lengths, place_of
from pipelang.semantics.unique import with_unique_names
from pipelang.semantics.walk import all_items, blocks, contents, inner_links, judged_links

RIGHT, WRONG, ABSENT = 0, 1, 2
"""The states of a value: right, wrong, never made because its chain ended the run."""

AROUND = ""
"""A pseudo-value for the conditions of a whole `run`; everything in the child reads it."""


@dataclass(slots=True)
class PipelineModel:
    """A pipeline with its shares, thresholds and lets.

    `inputs` are the parameters of a sub-pipeline, which may be wrong (those of the root are right);
    `bound` gives for the variable of an `each` the values that its list mentions. `thresholds` are
    those on each evidence file, in the pipeline and in those that it runs: the bins between them
    are one posterior. `cuts` are the same by step and file. `told` are the steps that are redone,
    which then see why. With a `meter` (`frontier.meter`)
    kernels have distributions of cost and time instead of plain chances; cached answers of a step
    that is `marked` count with its factor. `passed` counts the steps that a sweep went through.
    `case` has the values of operands that decide branches, where only the runs of one case are
    looked at. `lowest` are the lists whose lowest confidence is tested, with the files that say
    how it is spread. `repeats` are how often links are retried at most where that differs by
    column, by the links' places; the program then has the most of them. `watched` sweeps a
    sub-pipeline in place of a plain sweep, and says what it counted there; `amounts` has terms for
    what tools cost;
    `shapes` has what holds whatever the parameters are.
    """

    program: p.Program
    pipeline: p.Pipeline
    parameters: Parameters
    lets: dict[str, expr.Expr] = field(default_factory=dict)
    steps: dict[str, p.Step] = field(default_factory=dict)
    paths: dict[expr.Expr, p.PathShares] = field(default_factory=dict)
    conditions: dict[expr.Expr, p.ConditionShare] = field(default_factory=dict)
    names: dict[str, p.NamedShare] = field(default_factory=dict)
    cuts: dict[tuple[str, str], list[Cut]] = field(default_factory=dict)
    thresholds: Mapping[str, set[Cut]] = field(default_factory=dict)
    latent: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    costs: dict[tuple[int, str, int, bool], Any] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    bound: Mapping[str, frozenset[str]] = field(default_factory=dict)
    means: dict[tuple[str, ...], Decimal] = field(default_factory=dict)
    children: dict[Any, Any] = field(default_factory=dict)
    prepared: dict[Any, Any] = field(default_factory=dict)
    shapes: dict[Any, Any] = field(default_factory=dict)
    meter: Any = None
    passed: int = 0
    marked: tuple[str, Any] | None = None
    expanded: dict[int, tuple[expr.Expr, expr.Expr]] = field(default_factory=dict)
    shared: dict[expr.Expr, expr.Expr] = field(default_factory=dict)
    case: Mapping[expr.Expr, Any] = field(default_factory=dict)
    lowest: dict[str, tuple[str, ...]] = field(default_factory=dict)
    amounts: Mapping[str, Any] = field(default_factory=dict)
    repeats: Mapping[Span, Any] = field(default_factory=dict)
    watched: Any = None

    def expand(self, node: expr.Expr) -> expr.Expr:
        """The expression with every let replaced by what it is, and thresholds that differ by case
        apart (`by_cases`).

        Equal expressions are one object, whose parts are shared: written out, `let`s that mention
        each other twice would double with each.
        """
        known = self.expanded.get(id(node))
        if known is None:
            made = expr.substitute(node, self.lets)
            if made is not node and not self.lets and made == node:
                made = node
            made = self.shared.setdefault(made, made)
            known = self.expanded[id(node)] = self.expanded[id(made)] = (node, made)
        return known[1]

    def place(self, node: expr.Expr) -> tuple[str, ...] | None:
        """The path by which `means` speak of a value; None where it has no name."""
        return place_of(self.expand(node), self.lets) if self.means else None

    def values(self, node: expr.Expr) -> frozenset[str]:
        """The steps whose values an expression mentions, through lets."""
        return self.roots(expr.mentions(node))

    def given(self, node: expr.Expr) -> tuple[Key, ...]:
        """The hidden bits behind an expression."""
        return tuple(value_key(name) for name in sorted(self.values(node)))

    def roots(self, names: frozenset[str]) -> frozenset[str]:
        """Return the values that can be wrong behind some names: steps and a child's parameters
        themselves, the parts of lets, the list behind an element. The root's inputs are always
        right.
        """
        steps, inputs, lets, bound = self.steps, self.inputs, self.lets, self.bound
        if not lets and not bound and steps.keys() >= names:  # as nearly always
            return names
        found: set[str] = set()
        for name in names:
            if name in lets:
                found |= self.roots(expr.mentions(lets[name]))
            elif name in bound:
                found |= bound[name]
            elif name in steps or name in inputs:
                found.add(name)
        return names if found == names else frozenset(found)

    def of(self, parameters: Parameters) -> PipelineModel:
        """The same pipeline with other parameters. What hangs on the program alone (lets, shapes,
        the costs of attempts) is worked out once for both.
        """
        return replace(self, parameters=parameters, prepared={}, children={}, passed=0)

    def let_go(self) -> None:
        """Forget what was worked out for the model, where it will not be asked again. Plans refer
        to their model: all that it holds would be kept until garbage is looked for.
        """
        for known in (self.prepared, self.children):
            parts = [one for one in known.values() if isinstance(one, PipelineModel)]
            known.clear()
            for part in parts:
                part.let_go()

    def file_of(self, step: str) -> str | None:
        """The evidence file behind a step's confidence: the first that its chain names."""
        found = self.evidence_of(step)
        return None if found is None else found.file

    def evidence_of(self, step: str) -> p.ByFile | None:
        """The file behind a step's confidence, and by how much it may be off."""
        for link in judged_links(self.steps[step]):
            share = link.accuracy
            if isinstance(share, MeasuredShare) and self.parameters.evidence[share.file].all_graded:
                return p.ByFile(share.file, share.shift)
        return None


EFFECT: Key = ("effect",)
"""Whether something was done wrongly so far."""
END: Key = ("end",)
"""Whether the run ended in this region."""


def redo_key(gate: str) -> Key:
    """The key of the counter of a gate's redos."""
    return ("redo", gate)


@cache  # the same object each time, so that finding it among a table's slots is quick
def value_key(step: str) -> Key:
    return ("value", step)


def test_key(condition: expr.Expr) -> Key:
    """The key of a test that is drawn as a whole, by its expanded condition."""
    return ("test", condition)


def latent_key(step: str) -> Key:
    """The key of what is behind a step's answer: its latent verdicts, where a redo may copy them;
    the lowest ranks of the confidences of its elements, where these are tested.
    """
    return ("latent", step)


def all_right(values: Mapping[Key, Any], names: Iterable[str]) -> bool:
    """Whether none of these values is wrong, by what was drawn."""
    return all(values.get(value_key(name)) != WRONG for name in names)


def make_model(
    program: p.Program,
    pipeline: p.Pipeline,
    parameters: Parameters,
    inputs: frozenset[str] = frozenset(),
    thresholds: Mapping[str, set[Cut]] | None = None,
) -> PipelineModel:
    """Gather shares, lets and thresholds of a pipeline. A sub-pipeline has `inputs`, and the
    `thresholds` of the root.
    """
    model = _without_cuts(program, pipeline, parameters, inputs)
    _cuts(model, thresholds)
    return model


def _without_cuts(
    program: p.Program,
    pipeline: p.Pipeline,
    parameters: Parameters,
    inputs: frozenset[str] = frozenset(),
) -> PipelineModel:
    pipeline = with_unique_names(pipeline)
    model = PipelineModel(program, pipeline, parameters, inputs=inputs)
    model.means = mean_lengths(pipeline)
    everything = contents(pipeline.block)
    model.steps = {item.name: item for item in everything.items if isinstance(item, p.Step)}
    for item in everything.beside:
        if isinstance(item, p.Let):
            model.lets[item.name] = model.expand(item.value)
    if any(redo_of(item) is not None for item in everything.beside):
        model.latent, model.told = _redone(pipeline.block)
    for path in pipeline.traffic.paths:
        model.paths[model.expand(path.path)] = path
    for condition in pipeline.traffic.conditions:
        model.conditions[model.expand(condition.condition)] = condition
    for named in pipeline.traffic.names:
        model.names[named.name] = named
    return model


def _redone(block: p.Block) -> tuple[frozenset[str], frozenset[str]]:
    """The steps that may run again, and those of them that are redone and see why."""
    redone: set[str] = set()
    told: set[str] = set()
    for inner in blocks(block):
        for gate, item in enumerate(inner.items):
            redo = None if isinstance(item, p.Step) else redo_of(item)
            if redo is not None:
                told.add(redo.step)
                for index in all_reruns(inner.items, gate, redo):
                    again = inner.items[index]
                    if isinstance(again, p.Step):
                        redone.add(again.name)
    return frozenset(redone), frozenset(told)


def answers_elements(step: p.Step) -> bool:
    """Whether a step answers a list of elements, each of which has answered for itself; an empty
    one may stand in for it.
    """
    actions = [link.action for link in step.chain.links]
    lists = [one for one in actions if isinstance(one, p.Each)]
    empty = [one for one in actions if isinstance(one, p.Value) and _is_empty(one.value)]
    whole = all(not one.need.partial for one in lists)
    return bool(lists) and whole and len(lists) + len(empty) == len(actions)


def _is_empty(node: expr.Expr) -> bool:
    return isinstance(node, expr.MakeList) and not node.items


def confidence_cut(compare: expr.Compare) -> tuple[str, Cut, bool] | None:
    """A comparison of a step's confidence with a constant as (step, cut, holds if reached)."""
    left, right = compare.left, compare.right
    path = expr.path_of(right)
    if compare.op == "==":
        return None
    if isinstance(left, expr.Const) and path is not None and path[1:] == ("confidence",):
        return path[0], (left.value, compare.op == "<"), True
    path = expr.path_of(left)
    if isinstance(right, expr.Const) and path is not None and path[1:] == ("confidence",):
        return path[0], (right.value, compare.op == "<="), False
    return None


def deciding(
    program: p.Program, everything: list[p.Item]
) -> Iterator[tuple[expr.Expr, str | None]]:
    """Every expression that decides something, with the file that its gate names; also those that
    a sub-pipeline has about its arguments, in the words of this pipeline.
    """
    return _deciding(program, everything, {})


Told = dict[str, dict[expr.Expr, None]]
"""The comparisons of pipelines that are made of their parameters alone, by the pipeline's name."""


def _deciding(
    program: p.Program, everything: list[p.Item], told: Told
) -> Iterator[tuple[expr.Expr, str | None]]:
    for item in everything:
        match item:
            case p.Gate():
                own = item.evidence.file if isinstance(item.evidence, p.ByFile) else None
                yield item.condition, own
            case p.When():
                yield item.condition, None
            case p.Person():
                if item.when is not None:
                    yield item.when, None
            case p.MatchBranch():
                yield item.subject, None
            case p.Step():
                for link in item.chain.links:
                    yield from ((node, None) for node in _routes(link.action))
                for link in inner_links(item.chain):
                    if isinstance(link.action, p.RunPipeline):
                        arguments = dict(link.action.arguments)
                        for test in _of_parameters(program, link.action.pipeline, told):
                            if expr.mentions(test) <= arguments.keys():
                                yield expr.substitute(test, arguments), None
            case _:
                pass


def _of_parameters(program: p.Program, name: str, told: Told) -> Iterable[expr.Expr]:
    """Return the comparisons of a sub-pipeline with its parameters, each once."""
    if name in told:
        return told[name]
    found: dict[expr.Expr, None] = {}
    pipeline = with_unique_names(program.pipelines[name])
    everything = list(all_items(pipeline.block))
    lets: dict[str, expr.Expr] = {}
    for item in everything:
        if isinstance(item, p.Let):
            lets[item.name] = expr.substitute(item.value, lets)
    parameters = {one.name for one in pipeline.parameters}
    for test, _ in _deciding(program, everything, told):
        for part in expr.walk(expr.substitute(test, lets)):
            if isinstance(part, expr.Compare) and expr.mentions(part) <= parameters:
                found[part] = None
    told[name] = found
    return found


def _routes(action: p.Action) -> Iterator[expr.Expr]:
    if isinstance(action, (p.AskTier, p.Agent)):
        yield action.who
    elif isinstance(action, p.Each):
        for link in action.body.links:
            yield from _routes(link.action)
    elif isinstance(action, p.Choose):
        yield action.subject
        for _, link in action.arms:
            yield from _routes(link.action)


def _cuts(model: PipelineModel, thresholds: Mapping[str, set[Cut]] | None) -> None:
    """The thresholds on every confidence. Those on one file are one set: its bins are one
    posterior, whichever step they are about, and in whichever pipeline of the run.
    """
    found = _own_cuts(model)
    if thresholds is None:
        cuts: dict[str, set[Cut]] = {}
        for _, file, cut in found:
            cuts.setdefault(file, set()).add(cut)
        for inner in _run_inside(model) if model.program.evidence else ():
            child = _without_cuts(model.program, inner, model.parameters)
            more = _own_cuts(child)
            _shift(child, more)
            for _, file, cut in more:
                cuts.setdefault(file, set()).add(cut)
        thresholds = cuts
    model.thresholds = thresholds
    model.cuts = {(step, file): sorted(thresholds[file]) for step, file, _ in found}
    _shift(model, found)
    for step, file in model.cuts:
        if answers_elements(model.steps[step]):
            model.lowest[step] = (*model.lowest.get(step, ()), file)


OwnCuts = list[tuple[str, str, Cut]]


def _own_cuts(model: PipelineModel) -> OwnCuts:
    everything = list(all_items(model.pipeline.block))
    return [(step, file, cut) for step, file, cut, _ in file_cuts(model, everything)]


def _run_inside(model: PipelineModel) -> Iterator[p.Pipeline]:
    inside = with_inner(model.program, model.pipeline)
    return (one for one in inside if one.name != model.pipeline.name)


def _shift(model: PipelineModel, found: OwnCuts) -> None:
    """By how much what was measured of confidences may be off, as the pipeline says."""
    for item in contents(model.pipeline.block).beside:
        if isinstance(item, p.Gate) and isinstance(item.evidence, p.ByFile):
            model.parameters.shift(bins_of(item.evidence.file), item.evidence.shift)
    for step, file, _ in found:
        inherited = model.evidence_of(step)
        if inherited is not None and inherited.file == file:
            model.parameters.shift(bins_of(file), inherited.shift)


def file_cuts(
    model: PipelineModel, everything: list[p.Item]
) -> Iterator[tuple[str, str, Cut, expr.Compare]]:
    """Every threshold on the confidence of a step with evidence: the step, the file, the cut, and
    the comparison as it stands.
    """
    if not model.program.evidence:
        return
    for test, own in deciding(model.program, everything):
        for part in expr.walk(model.expand(test)):
            compare = part if isinstance(part, expr.Compare) else expr.of_lowest(part)
            cut = None if compare is None else confidence_cut(compare)
            if compare is not None and cut is not None and cut[0] in model.steps:
                file = own or model.file_of(cut[0])
                if file is not None:
                    yield cut[0], file, cut[1], compare
