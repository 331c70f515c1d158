"""A program indexed by name, and what can be said of it before any run."""

from __future__ import annotations

from fractions import Fraction
from math import log
from statistics import NormalDist

from . import model as m
from .attempts import Attempts
from .expressions import Confidence, Expr, Path, names_in, subexpressions
from .traverse import all_items, all_links, bound_names, lets_of, step_exprs, steps_of, tested_exprs

OUTPUT_TOKENS = 20  # the mean that `write_pipe` declares for every answer of a model
Z95 = 1.644854  # the design's own figure for the 95% point of the normal distribution


class Lookup:
    """One pipeline of a program, the main one unless another is given."""

    def __init__(self, program: m.Program, pipeline: m.Pipeline | None = None) -> None:
        self.program = program
        self.pipeline = pipeline = program.pipeline if pipeline is None else pipeline
        self.children = {child.name: child for child in program.children}
        items = pipeline.items
        self.available = {provider.name: provider.available for provider in program.providers}
        self.tiers = {tier.name: tier for tier in program.tiers}
        self.tools = {tool.name: tool for tool in program.tools}
        self.roles = {role.name: role for role in program.roles}
        self.files = {file.path: file for file in program.files}
        self.shares = {share.path: share.share for share in pipeline.shares}
        self.steps = {step.name: step for step in steps_of(items)}
        self.lets = {let.name: let.value for let in lets_of(items)}
        # By identity: hashing an expression costs as much as walking it, and the program that
        # holds them all lives as long as this does.
        self._mentions: dict[int, tuple[str, ...]] = {}
        self._attempts: dict[tuple[int, str], Attempts] = {}
        self._in_time: dict[tuple[str, int], Fraction] = {}
        self._reads = {step.name: self._read_by(step) for step in steps_of(items)}
        self._barriers = {step.name: self._stands_alone(step) for step in steps_of(items)}
        self._bins = {name: self._bins_of(name) for name in self._compared()}

    # --- what mentions what -----------------------------------------------------------------

    def mentions(self, expr: Expr) -> tuple[str, ...]:
        """The steps and inputs that an expression mentions; a `let` mentions what is in it."""
        known = self._mentions.get(id(expr))
        if known is None:
            known = self._mentions[id(expr)] = self._unique(expr)
        return known

    def _unique(self, *exprs: Expr) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for expr in exprs:
            for name in names_in(expr):
                inner = self._unique(self.lets[name]) if name in self.lets else (name,)
                found.update(dict.fromkeys(inner))
        return tuple(found)

    def reads(self, step: m.Step) -> tuple[str, ...]:
        """What a step waits for: every value mentioned anywhere in it."""
        return self._reads[step.name]

    def _read_by(self, step: m.Step) -> tuple[str, ...]:
        bound = bound_names(step)
        return tuple(name for name in self._unique(*step_exprs(step)) if name not in bound)

    def is_barrier(self, step: m.Step) -> bool:
        return self._barriers[step.name]

    def _stands_alone(self, step: m.Step) -> bool:
        """Whether an effect or a person is anywhere in a step."""
        return any(self._acts(link.action) for link in all_links(step.links))

    def _acts(self, action: m.Action) -> bool:
        match action:
            case m.Call(tool=tool):
                return self.tools[tool].writes
            case m.Ask(by=str() as who):
                return who in self.roles
            case m.RunPipeline(pipeline=name):
                items = list(all_items(self.children[name].items))
                steps = [item for item in items if isinstance(item, m.Step)]
                people = any(isinstance(x, m.Hold | m.Approve | m.Remember) for x in items)
                return people or any(self._stands_alone(step) for step in steps)
            case _:
                return False

    # --- chances ----------------------------------------------------------------------------

    def attempts(self, link: m.Link, at: m.Tier | m.Tool) -> Attempts:
        key = (id(link), at.name)
        if key not in self._attempts:
            if isinstance(at, m.Tier):
                found = Attempts.of(1 - at.transient, link.retry, self.price(at))
                if isinstance(link.action, m.Agent):
                    found = found.turns(link.action.turns)
            else:
                found = Attempts.of(at.succeeds, link.retry, at.cost)
            self._attempts[key] = found
        return self._attempts[key]

    def price(self, tier: m.Tier) -> Fraction:
        """Of one attempt: `write_pipe` declares how long answers are."""
        return tier.price * OUTPUT_TOKENS / 10**6

    def in_time(self, role: m.Role, seconds: int) -> Fraction:
        """F of the design: the lognormal of `responds`, a float that is exact from here on."""
        key = (role.name, seconds)
        if key not in self._in_time:
            sigma = log(role.p95 / role.median) / Z95
            self._in_time[key] = Fraction(NormalDist().cdf(log(seconds / role.median) / sigma))
        return self._in_time[key]

    # --- evidence ---------------------------------------------------------------------------

    def accuracy(self, link: m.Link, tier: str) -> Fraction:
        match link.accuracy:
            case Fraction() as rate:
                return rate
            case m.ByTier(rates=rates):
                return dict(rates)[tier]
            case m.FromFile(path=path):
                rows = self.files[path].rows
                return Fraction(sum(row.correct for row in rows), len(rows))
            case None:
                raise ValueError("an accuracy that nobody declared is unknown: not in the subset")

    def confidences(self, step: str, right: bool) -> list[tuple[Fraction, frozenset[Confidence]]]:
        """Which comparisons hold together, and how often, given whether the answer is right.

        All thresholds on one confidence share one draw. Drawing a row of the file would do;
        rows that no comparison in the pipeline tells apart are drawn as one.
        """
        return self._bins[step][right]

    def _compared(self) -> dict[str, set[Confidence]]:
        found: dict[str, set[Confidence]] = {}
        for item in all_items(self.pipeline.items):
            exprs = (item.value,) if isinstance(item, m.Let) else tested_exprs(item)
            for expr in exprs:
                for part in subexpressions(expr):
                    if isinstance(part, Confidence):
                        found.setdefault(part.step, set()).add(part)
        return found

    def _evidence(self, step: str) -> tuple[m.Row, ...]:
        links = self.steps[step].links
        paths = {link.accuracy.path for link in links if isinstance(link.accuracy, m.FromFile)}
        for item in all_items(self.pipeline.items):
            if isinstance(item, m.Gate) and isinstance(item.test.source, m.FromFile):
                parts = subexpressions(item.test.condition)
                if any(isinstance(part, Confidence) and part.step == step for part in parts):
                    paths.add(item.test.source.path)
        if len(paths) != 1:
            raise ValueError(f"the confidence of {step} needs one file of evidence, not {paths}")
        return self.files[paths.pop()].rows

    def _bins_of(self, step: str) -> dict[bool, list[tuple[Fraction, frozenset[Confidence]]]]:
        rows = self._evidence(step)
        comparisons = self._compared()[step]
        result: dict[bool, list[tuple[Fraction, frozenset[Confidence]]]] = {}
        for right in (True, False):
            counted: dict[frozenset[Confidence], int] = {}
            for row in rows:
                if row.correct == right:
                    true = frozenset(c for c in comparisons if compare(row.confidence, c))
                    counted[true] = counted.get(true, 0) + 1
            total = sum(counted.values())
            if not total:
                raise ValueError("nothing counted is unknown: not in the subset")
            result[right] = [(Fraction(n, total), true) for true, n in counted.items()]
        return result

    # --- conditions -------------------------------------------------------------------------

    def inlined(self, expr: Path) -> Expr:
        """What a bare name stands for, if it is a `let`."""
        if expr.field is None and expr.value in self.lets:
            return self.lets[expr.value]
        return expr


def compare(confidence: Fraction, comparison: Confidence) -> bool:
    match comparison.op:
        case ">=":
            return confidence >= comparison.threshold
        case ">":
            return confidence > comparison.threshold
        case "<":
            return confidence < comparison.threshold
        case "<=":
            return confidence <= comparison.threshold
