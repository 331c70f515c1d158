"""Runs that are not recorded: those whose values may hold secrets.

A record would keep a secret on a disk, and without it the run could not go on with what it had.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.runtime.engine.redaction import may_hide
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.walk import all_items, all_steps


class NotRecordable(ValueError):
    """A pipeline of which no run can be recorded. Raised before anything runs."""


def refuse_secrets(program: p.Program, pipeline: p.Pipeline) -> None:
    """Raise `NotRecordable` if a value of the pipeline, or of one that it runs, may be a secret."""
    found = sorted(dict.fromkeys(_secrets(program, pipeline, set())))
    if found:
        listed = ", ".join(f"`{name}`" for name in found)
        raise NotRecordable(
            f"a run of `{pipeline.name}` cannot be recorded: {listed} may hold what is labelled "
            "`secret`; let a tool fetch it by reference instead"
        )


def _secrets(program: p.Program, pipeline: p.Pipeline, seen: set[str]) -> Iterator[str]:
    if pipeline.name in seen:
        return
    seen.add(pipeline.name)
    named = [(one.name, one.type) for one in pipeline.parameters]
    named += [(step.name, step.type) for step in all_steps(pipeline)]
    lets = (item for item in all_items(pipeline.block) if isinstance(item, p.Let))
    named += [(let.name, let.type) for let in lets]
    for name, type in named:
        if may_hide(type):
            yield f"{pipeline.name}.{name}"
    for inner in sub_pipelines(pipeline.block):
        yield from _secrets(program, program.pipelines[inner], seen)
