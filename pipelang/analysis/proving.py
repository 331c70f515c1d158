"""What is checked of a program besides its numbers: claims, information flow, effects, reachability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from pipelang.analysis.analyse import Analysis
from pipelang.analysis.claims.reach import reach
from pipelang.analysis.claims.verdicts import Proof, decided
from pipelang.analysis.flow.checking import Flows, hop_labels
from pipelang.analysis.flow.effects import effects
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p


def prove(
    program: p.Program, analyses: Iterable[Analysis]
) -> tuple[tuple[Proof, ...], list[Diagnostic]]:
    """The verdicts on a program's claims, and all that is found on the way."""
    flows = Flows(program)
    never_cut = frozenset(one.pipeline.name for one in analyses if _never_cut(one))
    proofs = tuple(
        proof
        for claim in program.claims
        if (proof := _proof(program, flows, claim, never_cut)) is not None
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
    program: p.Program, flows: Flows, claim: p.Claim, never_cut: frozenset[str]
) -> Proof | None:
    match claim.claimed:
        case None:
            return None
        case p.NeverReaches() as claimed:
            return flows.proof(claim, claimed)
        case claimed:
            return decided(program, claim, claimed, never_cut)


def _never_cut(analysis: Analysis) -> bool:
    """Whether the dearest run stays within the budget in everything that it limits."""
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


def _told(proof: Proof) -> Iterator[Diagnostic]:
    claim = proof.claim
    labels = hop_labels(proof.path)
    match proof.verdict:
        case "refuted":
            path = f"a path of {len(proof.path)} steps breaks it"
            help = None
            if proof.example:
                help = "for example with " + ", ".join(proof.example).replace("`", "'")
            yield report(
                codes.CLAIM_REFUTED, claim.span, claim=claim.text, path=path, help=help, labels=labels
            )
        case "undecided":
            yield report(
                codes.CLAIM_UNDECIDED, claim.span, claim=claim.text, why=proof.why, labels=labels
            )
        case _:
            if proof.vacuous:
                assert not isinstance(claim.claimed, (p.Escalates, type(None)))
                tool, name = claim.claimed.tool, claim.pipeline
                yield report(codes.VACUOUS_CLAIM, claim.span, claim=claim.text, name=name, tool=tool)
