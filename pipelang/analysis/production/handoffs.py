"""The demand on handoffs: the role that takes over a case is staffed, and gets the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items, outcomes


def handoffs_are_complete(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """An escalation says why, by its text or the doc comment of what takes it, and goes to a role
    of which `people`, `handles` and `responds` are declared, so that its queue is known.

    All that the run has found out travels with it anyway, so `with` is not demanded.
    """
    docs = _docs(pipeline)
    ends = list(outcomes(pipeline.block))
    for limits in (pipeline.budget, pipeline.quota):
        if limits is not None and limits.otherwise is not None:
            ends.append(limits.otherwise)
    for end in ends:
        if not isinstance(end, p.Escalate):
            continue
        role = program.roles[end.role]
        undeclared = [
            f"`{word}`"
            for word, value in (
                ("people", role.people),
                ("handles", role.handles),
                ("responds", role.responds),
            )
            if value is None
        ]
        if undeclared:
            what = f"the role does not declare {' and '.join(undeclared)}"
            help = f"say in `role {role.name}` who is there, how long a case takes them, and when"
            yield report(codes.NO_HANDOFF, end.span, role=role.name, what=what, help=help)
        if not end.text and not docs.get(end.reason):
            help = f'say it here: `escalate to {role.name} "why"`, or by a `##` comment above'
            what = f"nothing says why `{end.reason}` does"
            yield report(codes.NO_HANDOFF, end.span, role=role.name, what=what, help=help)


def _docs(pipeline: p.Pipeline) -> Mapping[str, str]:
    """The doc comments of what can take an exit, by name."""
    found: dict[str, str] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, (p.Step, p.Gate, p.Person)) and item.doc:
            found[item.name] = item.doc
    return found
