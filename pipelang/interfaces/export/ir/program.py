"""The program as a whole in the IR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pipelang.diagnostics import Sources
from pipelang.interfaces.export.ir.pipelines import claim_json, pipeline_json, test_json
from pipelang.interfaces.export.ir.types import record_json, type_json
from pipelang.interfaces.export.ir.world import (
    function_json,
    memory_json,
    prompt_json,
    provider_json,
    role_json,
    tier_json,
    tool_json,
)
from pipelang.interfaces.export.ir.writer import Json, Writer, by_name, constant
from pipelang.semantics import program as p
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_rows import EvidenceOrigin
from pipelang.semantics.expressions import Const

VERSION = 1
"""Of the format. It grows when a reader of the former would misread the new one."""

T = TypeVar("T")


def program_json(
    program: p.Program, pipelines: Sequence[str], sources: Sources | None = None
) -> Json:
    """A program with some of its pipelines, and all that it declares beside them.

    The same meaning gives the same JSON, letter for letter. `sources` adds a `span` to everything
    that has a place.
    """
    writer = Writer(sources)

    def written(write: Callable[[Writer, T], Any]) -> Callable[[T], Any]:
        return lambda declaration: write(writer, declaration)

    return {
        "version": VERSION,
        "file": program.file,
        "hash": program.hash,
        "enums": by_name(program.enums, list),
        "records": by_name(program.records, record_json),
        "patterns": by_name(program.patterns, list),
        "settings": by_name(program.settings, _setting),
        "providers": by_name(program.providers, written(provider_json)),
        "tiers": by_name(program.tiers, written(tier_json)),
        "roles": by_name(program.roles, written(role_json)),
        "tools": by_name(program.tools, written(tool_json)),
        "functions": by_name(program.functions, written(function_json)),
        "prompts": by_name(program.prompts, written(prompt_json)),
        "memories": by_name(program.memories, written(memory_json)),
        "evidence": by_name(program.evidence, _evidence),
        "pipelines": {
            name: pipeline_json(writer, program.pipelines[name]) for name in sorted(pipelines)
        },
        "claims": [
            claim_json(writer, claim) for claim in program.claims if claim.pipeline in pipelines
        ],
        "tests": [test_json(writer, test) for test in program.tests if test.pipeline in pipelines],
    }


def _setting(setting: Const) -> Json:
    return {"type": type_json(setting.type), "value": constant(setting.value)}


def _evidence(file: EvidenceFile) -> Json:
    sampled = {} if file.sampled is None else {"sampled": file.sampled}
    origins = {"origins": [_origin(one) for one in file.origins]} if file.origins else {}
    return {"rows": len(file.rows), "right": file.right, **sampled, **origins}


def _origin(origin: EvidenceOrigin) -> Json:
    return {
        "prompt": origin.prompt,
        "model": origin.model,
        "as_of": origin.as_of,
        "sampled": origin.sampled,
        "line": origin.line,
        "count": origin.count,
    }
