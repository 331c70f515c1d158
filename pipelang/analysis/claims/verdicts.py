"""Verdicts on claims: proved, with the tests that the proof rests on; refuted, with a path and an
example; or undecided, with the reason.

A refutation shows a path whose conditions hold for the values of the example, and a run of the
interpreter with these values that breaks the claim (`counterexamples`). Where none is found, the
claim is undecided: a `fn` in Python or a pattern on the path may not come out as the path needs it,
or numbers may not be what is said of their product.

A cap that is reached, on work, items or replays, makes a claim undecided as well; never proved.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import assert_never

from pipelang.analysis.claims.counterexamples import UNCHECKED, Counterexample, Replay
from pipelang.analysis.claims.deciding import (
    Assignment,
    VariableFacts,
    Work,
    decide,
    possible,
    touching,
)
from pipelang.analysis.claims.examples import example_of
from pipelang.analysis.claims.formulas import (
    FALSE,
    And,
    Atom,
    Formula,
    Or,
    SignedAtom,
    all_of,
    any_of,
    atom_names,
    linear,
    names_of,
)
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.links import CACHED
from pipelang.analysis.claims.paths import Path, PathEvent, Witness, trace
from pipelang.analysis.claims.properties import OnPaths, Property
from pipelang.analysis.claims.rounds import MOST_COUNTED
from pipelang.analysis.claims.symbols import PYTHON, SymbolicExpressions
from pipelang.analysis.claims.values import Truth, name_of, one
from pipelang.analysis.claims.walk import ClaimWalk
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.answerers import answered_by_models
from pipelang.semantics.kernels.run import tools_behind

MOST_WORK = 20_000
"""The most literals inspected in search of values that are not rounded."""
MOST_REPLAYS = 4
"""The most counterexamples to one claim that are run."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A claim's verdict: `proved`, `refuted` or `undecided`.

    `by` are the names of the tests that prove it, `claimed_by` the steps whose answers its `when`
    believes, because a model gave them; `path` is how a run breaks it, with `example`
    values of the inputs; `why` is the reason for an undecided one. `vacuous`: the claim's tool is
    never called.
    """

    claim: p.Claim
    verdict: str
    by: tuple[str, ...] = ()
    path: tuple[PathEvent, ...] = ()
    example: tuple[str, ...] = ()
    why: str = ""
    vacuous: bool = False
    claimed_by: tuple[str, ...] = ()


def decided(
    program: p.Program,
    claim: p.Claim,
    claimed: OnPaths,
    never_cut: frozenset[str],
    replay: Replay | None = None,
) -> Proof:
    """Return the verdict on a claim about paths. `replay` runs counterexamples; without it, these
    are believed.
    """
    pipeline = program.pipelines[claim.pipeline]
    when = None if isinstance(claimed, p.AtMost) else claimed.when
    models = () if when is None else answered_by_models(program, pipeline, expr.mentions(when))
    proof = _decided(program, claim, claimed, never_cut, replay, pipeline)
    return replace(proof, claimed_by=models)


def _decided(
    program: p.Program,
    claim: p.Claim,
    claimed: OnPaths,
    never_cut: frozenset[str],
    replay: Replay | None,
    pipeline: p.Pipeline,
) -> Proof:
    if isinstance(claimed, p.AtMost) and claimed.count > MOST_COUNTED:
        why = f"calls are counted up to {MOST_COUNTED}"
        return Proof(claim, "undecided", why=why)
    symbols = SymbolicExpressions(program)
    walk = ClaimWalk(program, symbols, Property(claimed), never_cut)
    work = Work()
    try:
        walk.go(pipeline)
        return _verdict(claim, claimed, symbols, walk, work, pipeline, replay)
    except (TooHard, RecursionError) as hard:
        why = str(hard) if isinstance(hard, TooHard) else "it is nested too deep"
        return Proof(claim, "undecided", why=why)


def _verdict(
    claim: p.Claim,
    claimed: OnPaths,
    symbols: SymbolicExpressions,
    walk: ClaimWalk,
    work: Work,
    pipeline: p.Pipeline,
    replay: Replay | None,
) -> Proof:
    facts = symbols.facts
    broken = sorted(walk.broken, key=lambda path: path.length)
    doubt: Proof | None = None
    dead: dict[int, set[str]] = {}
    tried = 0
    for path in broken:
        if not _may_be(facts, path, work, dead):
            continue
        parts = path.parts()
        case = decide(facts, [_without(part, facts) for part in parts], work)
        why = None
        if case is None:
            case = decide(facts, parts, work) if facts.opaque else None
            if case is None:
                continue
            why = _doubt(facts, case)
        if tried == MOST_REPLAYS:
            break
        way = trace(facts, path, case, work)
        found = Counterexample(claim, way.events, way.case, symbols.types)
        happens: Counterexample | None
        if replay is None or (why is not None and _is_outside(why)):
            happens = found if why is None else None
        else:
            tried += 1
            happens = _replayed(symbols, way, found, replay)
        if happens is not None:
            example = tuple(example_of(symbols, happens.case, pipeline))
            return Proof(claim, "refuted", path=way.events, example=example)
        doubt = doubt or Proof(claim, "undecided", path=way.events, why=why or UNCHECKED)
    if doubt is not None:
        return doubt
    called = not isinstance(claimed, p.Escalates) and claimed.tool not in tools_behind(
        walk.program, pipeline
    )
    return Proof(claim, "proved", tuple(_by(claim, claimed, symbols, walk)), vacuous=called)


def _replayed(
    symbols: SymbolicExpressions, way: Witness, found: Counterexample, replay: Replay
) -> Counterexample | None:
    """Run a counterexample. The values that it has may hang on how a number is rounded, so values
    with which nothing is rounded come first.
    """
    facts, names = symbols.facts, frozenset[str]().union(*map(names_of, way.parts))
    inside = names.union(*map(names_of, facts.axioms_of(names)))
    exact = []
    for name in sorted(inside & symbols.known.rounded.keys()):
        value, _ = symbols.known.rounded[name]
        terms = {other: -factor for other, factor in value.terms}
        terms[name] = terms.get(name, Fraction(0)) + 1
        exact.append(linear(terms, "==", value.constant))
    if exact:
        try:
            case = decide(facts, [*way.parts, *exact], Work(MOST_WORK))
        except TooHard:
            case = None
        if case is not None:
            happens = replay(replace(found, case=case))
            if happens is not None:
                return happens
    return replay(found)


def _may_be(facts: VariableFacts, path: Path, work: Work, dead: dict[int, set[str]]) -> bool:
    """Whether the condition of a claim is possible together with the path's conditions on the same
    values.

    `dead` are the nodes below which a condition is impossible, so that nothing below them is
    examined.
    """
    words = name_of(one(Truth(path.formula)))
    node = path.parent
    while node is not None:
        if words in dead.get(id(node), ()):
            return False
        node = node.parent
    parts = touching(facts, path.formula, [] if path.parent is None else path.parent.parts())
    work.add(len(parts))
    if possible(facts, parts, work):
        return True
    dead.setdefault(id(path.parent), set()).add(words)
    return False


def _is_outside(why: str) -> bool:
    """Whether a doubt is about what the interpreter alone cannot know: code outside the file, or
    what an earlier run has left in a cache.
    """
    return why == CACHED or why.startswith(PYTHON)


def _without(formula: Formula, facts: VariableFacts) -> Formula:
    """Replace every question that nobody can answer before a run by false."""
    if not facts.opaque or not names_of(formula) & facts.opaque.keys():
        return formula
    match formula:
        case SignedAtom():
            return FALSE
        case And():
            return all_of(_without(part, facts) for part in formula.parts)
        case Or():
            return any_of(_without(part, facts) for part in formula.parts)
        case _:
            assert_never(formula)


def _doubt(facts: VariableFacts, case: Assignment) -> str | None:
    """Return why an assignment may be impossible: an opaque question beside another condition on
    the same values.
    """
    spoken: dict[Atom, tuple[list[str], str | None]] = {}
    for literal in case.literals:
        names = atom_names(literal.atom)
        opaque = next((facts.opaque[name][0] for name in names if name in facts.opaque), None)
        around = facts.around(names)
        spoken[literal.atom] = [_path(name) for name in around if name not in facts.opaque], opaque
    for atom, (paths, opaque) in spoken.items():
        if opaque is not None:
            others = (own for other, (own, _) in spoken.items() if other != atom)
            if any(_overlap(path, one) for own in others for one in own for path in paths):
                return opaque
            if any(names_in(atom) & names_in(other) for other in spoken if other != atom):
                return opaque
    return None


def names_in(atom: Atom) -> frozenset[str]:
    """Return the opaque variables of an atom."""
    return frozenset(name for name in atom_names(atom) if name.startswith("?"))


def _path(name: str) -> str:
    """Return the path that a variable is about; for a length or a presence, the path that is
    measured.
    """
    return name.removeprefix("len(").rstrip("?)")


def _overlap(first: str, second: str) -> bool:
    """Whether two paths are about the same value, or one about a part of the other."""
    return (
        first == second
        or first.startswith((f"{second}.", f"{second}["))
        or second.startswith((f"{first}.", f"{first}["))
    )


def _by(
    claim: p.Claim,
    claimed: OnPaths,
    symbols: SymbolicExpressions,
    walk: ClaimWalk,
) -> Iterator[str]:
    """Return the names of the tests that a proof rests on."""
    if isinstance(claimed, p.AtMost) or (claimed.when is None and isinstance(claimed, p.Never)):
        return
    if isinstance(claimed, p.OnlyAfter):
        own = claimed.pipeline == claim.pipeline
        yield claimed.gate if own else f"{claimed.pipeline}.{claimed.gate}"
        return
    pipeline = walk.program.pipelines[claim.pipeline]
    inputs = {q.name: one(symbols.free(q.name, q.type)) for q in pipeline.parameters}
    assert claimed.when is not None
    about = symbols.facts.around(names_of(symbols.truth(claimed.when, inputs)))
    seen: set[str] = set()
    for name, test in walk.tests:
        if name not in seen and symbols.facts.around(names_of(test)) & about:
            seen.add(name)
            yield name
