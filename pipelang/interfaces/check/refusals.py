"""The findings with which a program is refused by `load` and `run`: what makes it wrong or unsafe.

Those are the errors of syntax, names, types, flow and safety, retried effects (P507), what a
provider is asked that it does not have (P521), and addresses that are none (P561). A missed promise
is none of them: the program does what it says, only not as well as promised.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pipelang.diagnostics import RULES, Diagnostic, Severity, Sources, codes
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.analysis.metrics.analyse import Analysis

_FAMILIES = ("P1", "P2", "P3", "P4", "P7", "P9")
_ALONE = frozenset({codes.RETRIED_EFFECT.code, codes.NOT_OFFERED.code, codes.PROVIDER_ADDRESS.code})

REFUSED = frozenset(
    code
    for code, rule in RULES.items()
    if rule.severity is Severity.ERROR and (code.startswith(_FAMILIES) or code in _ALONE)
)
"""The codes of errors for which a program is refused."""


def is_refused(found: Diagnostic, allow: Collection[str] = ()) -> bool:
    """Whether a program with this finding is refused, unless its code is in `allow`."""
    return found.is_error and found.rule.code in REFUSED and found.rule.code not in allow


def check_allowed(allow: Collection[str]) -> None:
    """Raise ValueError for a code that no finding has."""
    for code in [allow] if isinstance(allow, str) else allow:
        if isinstance(allow, str) or code not in RULES:
            raise ValueError(f'`allow` is a list of codes such as ["P507"], found {code!r}')


class Analyses:
    """The analyses of a program's pipelines, each made when it is first asked for, unless it is
    `made` already.
    """

    def __init__(self, program: p.Program, made: Iterable[Analysis] = ()) -> None:
        self.program = program
        self._made = {one.pipeline.name: one for one in made}

    def of(self, pipeline: p.Pipeline) -> Analysis:
        """The analysis of a pipeline."""
        from pipelang.analysis.metrics.analyse import analyse

        if pipeline.name not in self._made:
            self._made[pipeline.name] = analyse(self.program, pipeline)
        return self._made[pipeline.name]


def verified(analyses: Analyses, sources: Sources, allow: Collection[str] = ()) -> list[Diagnostic]:
    """The findings about how a program behaves, without those that a comment in a file ignores.

    Numbers are worked out only where a claim asks for them; nothing is where all is allowed.
    """
    if {*allow} >= REFUSED:
        return []
    from pipelang.analysis.findings.verify import prove
    from pipelang.interfaces.check.provider_kinds import bad_addresses, not_offered

    program = analyses.program
    claimed = {claim.pipeline for claim in program.claims}
    pipelines = program.pipelines.values()
    _, found = prove(program, [analyses.of(one) for one in pipelines if one.name in claimed])
    found.extend((*not_offered(program), *bad_addresses(program)))
    return without_ignored(found, program.file, sources)


def without_ignored(found: list[Diagnostic], root: str, sources: Sources) -> list[Diagnostic]:
    """The findings that no comment in a file ignores."""
    if not any("pipelang:" in source.text for source in sources.values()):
        return found
    from pipelang.interfaces.check.profiles.config import Config
    from pipelang.interfaces.check.profiles.judging import told

    return told(found, root, sources, Config(), is_program=True, imports=False)


def missed_promises(analyses: Analyses) -> list[Diagnostic]:
    """The errors about a program's promises (reliability, cost), which do not keep it from
    running.
    """
    from pipelang.analysis.findings.metric_findings import findings

    return [
        found
        for pipeline in analyses.program.pipelines.values()
        if pipeline.slo or pipeline.budget is not None
        for found in findings(analyses.program, analyses.of(pipeline))
        if found.is_error
    ]
