"""Verification besides the metrics: claims, information flow, effects, reachability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.analysis.claims.reach import reach
from pipelang.analysis.flow.checking import Flows, hop_labels
from pipelang.analysis.flow.effects import effects
from pipelang.analysis.metrics.analyse import Analysis
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.diagnostics.codes import Rule
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.analysis.claims.counterexamples import Replay
    from pipelang.analysis.claims.verdicts import Proof


def prove(
    program: p.Program, analyses: Iterable[Analysis], replay: Replay | None = None
) -> tuple[tuple[Proof, ...], list[Diagnostic]]:
    """Return the verdicts on a program's claims, and the findings of all these passes. `replay`
    runs a counterexample before a claim is called refuted.
    """
    flows = Flows(program)
    never_cut = frozenset(one.pipeline.name for one in analyses if _never_cut(one))
    proofs = tuple(
        proof
        for claim in program.claims
        if (proof := _proof(program, flows, claim, never_cut, replay)) is not None
    )
    found: list[Diagnostic] = []
    for proof in proofs:
        found += _told(proof)
    for pipeline in program.pipelines.values():
        found += reach(program, pipeline)
        found += effects(program, pipeline)
    found += flows.findings()
    return proofs, found


def _proof(
    program: p.Program,
    flows: Flows,
    claim: p.Claim,
    never_cut: frozenset[str],
    replay: Replay | None,
) -> Proof | None:
    match claim.claimed:
        case None:
            return None
        case p.NeverReaches() as claimed:
            return flows.proof(claim, claimed)
        case claimed:
            from pipelang.analysis.claims.verdicts import decided

            return decided(program, claim, claimed, never_cut, replay)


def _never_cut(analysis: Analysis) -> bool:
    """Whether the most expensive run stays within every limit of the budget."""
    budget, worst = analysis.pipeline.budget, analysis.worst
    if budget is None:
        return True
    if worst is None or analysis.unpriced or budget.seconds is not None or budget.steps is not None:
        return False
    money = budget.money is None or (
        worst.cost is not None and Decimal(repr(worst.cost)) <= budget.money
    )
    tokens = budget.tokens is None or (worst.tokens is not None and worst.tokens <= budget.tokens)
    return money and tokens


def _last(proof: Proof) -> str:
    """Return the end of a counterexample in a few words; its steps are listed separately."""
    steps = "1 step" if len(proof.path) == 1 else f"{len(proof.path)} steps"
    end = f": {proof.path[-1].text}" if proof.path else ""
    return f"a path of {steps} breaks it{end}"


def _told(proof: Proof) -> Iterator[Diagnostic]:
    claim = proof.claim
    match proof.verdict:
        case "refuted":
            path = _last(proof)
            help = None
            if proof.example:
                help = "for example with " + ", ".join(proof.example).replace("`", "'")
            yield _report(codes.CLAIM_REFUTED, proof, path=path, help=help)
        case "undecided":
            yield _report(codes.CLAIM_UNDECIDED, proof, why=proof.why)
        case _:
            if proof.vacuous:
                claimed = claim.claimed
                assert not isinstance(claimed, (p.Escalates, type(None)))
                reaches = isinstance(claimed, p.NeverReaches)
                tool = claimed.target if reaches else claimed.tool  # type: ignore[union-attr]
                verb = "asks" if reaches and claimed.prompt else "calls"  # type: ignore[union-attr]
                words = {"name": claim.pipeline, "tool": tool, "verb": verb}
                yield _report(codes.VACUOUS_CLAIM, proof, **words)


def _report(rule: Rule, proof: Proof, *, help: str | None = None, **words: str) -> Diagnostic:
    claim, labels = proof.claim, hop_labels(proof.path)
    every: dict[str, Any] = {"claim": claim.text, **words}
    return report(rule, claim.span, help=help, labels=labels, **every)
