"""Findings about where evidence comes from: rows of another prompt, another model, a day before the
model was there, or behind a gate behind which what they are evidence for does not stand.

What a file does not say is not held against it. Rows of `all` cases are evidence for a step behind
a gate, and so are those behind one of several gates before it: the cases that it sees are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from pipelang.analysis.findings.evidence_uses import EvidenceUse, asked_by, evidence_uses
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.evidence_origin import ALL, prompt_hash
from pipelang.semantics.evidence_rows import EvidenceOrigin
from pipelang.semantics.quantities import show_share
from pipelang.semantics.walk import all_steps, inner_links


def origin_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding for each kind of origin that does not fit, once a use of a file."""
    if not any(file.origins for file in program.evidence.values()):
        return
    for use in evidence_uses(program, pipeline):
        origins = program.evidence[use.file].origins
        for find in (_other_prompt, _other_model, _too_old, _other_gate):
            found = next(
                (one for origin in origins if (one := find(program, use, origin)) is not None),
                None,
            )
            if found is not None:
                yield found


def _other_prompt(
    program: p.Program, use: EvidenceUse, origin: EvidenceOrigin
) -> Diagnostic | None:
    if origin.prompt is None:
        return None
    now = use.hashes(program)
    if origin.prompt in now:
        return None
    other = _all_prompts(program).get(origin.prompt)
    if other is None:
        was = f"`{origin.prompt}`, which no step asks any more"
    elif other in now.values():
        was = f"`{other}` with another type of answer"
    else:
        was = f"`{other}`"
    if not now:
        was += f", and `{use.step}` asks none"
    return report(
        codes.OTHER_PROMPT,
        use.span,
        help=_help(use, "as it is now"),
        file=use.file,
        line=origin.line,
        was=was,
        step=use.step,
    )


def _help(use: EvidenceUse, today: str) -> str | None:
    """The mend where a `shift` is said already; None, which is that of the rule, where none is."""
    if not use.shift:
        return None
    return (
        f"measure the step {today}, then `pipelang evidence stamp`; until then"
        f" `shift {show_share(use.shift)}` has to be as much as the old rows may be off"
    )


def _all_prompts(program: p.Program) -> Mapping[str, str]:
    """Every prompt that a step asks, by the hash of what is asked."""
    found: dict[str, str] = {}
    for pipeline in program.pipelines.values():
        for step in all_steps(pipeline):
            for link in inner_links(step.chain):
                asked = asked_by(link.action)
                if asked is not None:
                    found[prompt_hash(program, *asked)] = asked[0]
    return found


def _other_model(program: p.Program, use: EvidenceUse, origin: EvidenceOrigin) -> Diagnostic | None:
    if origin.model is None:
        return None
    models = use.models(program)
    if models is None or origin.model in models:
        return None
    asks = f"asks `{models[0]}`" if models else "asks no model"
    return report(
        codes.OTHER_MODEL,
        use.span,
        help=_help(use, "with its model"),
        file=use.file,
        line=origin.line,
        was=origin.model,
        step=use.step,
        asks=asks,
    )


def _too_old(program: p.Program, use: EvidenceUse, origin: EvidenceOrigin) -> Diagnostic | None:
    if origin.as_of is None:
        return None
    for model in use.models(program) or ():
        day = released(model) if origin.model in (None, model) else None
        if day is not None and date.fromisoformat(origin.as_of) < day:
            return report(
                codes.OLDER_THAN_MODEL,
                use.span,
                file=use.file,
                line=origin.line,
                as_of=origin.as_of,
                model=model,
                day=day.isoformat(),
            )
    return None


_DAY = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?!\d)")


def released(model: str) -> date | None:
    """The day in a model's name, as in `claude-haiku-4-5-20251001`; None where it has none."""
    found = _DAY.search(model)
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def _other_gate(program: p.Program, use: EvidenceUse, origin: EvidenceOrigin) -> Diagnostic | None:
    if origin.sampled in (None, ALL) or use.stands_behind(origin.sampled):
        return None
    here = "does not stand behind it"
    if origin.sampled == use.name:
        here = "decides about those that it rejects too"
    return report(
        codes.OTHER_GATE,
        use.span,
        file=use.file,
        line=origin.line,
        gate=origin.sampled,
        step=use.name,
        here=here,
    )
