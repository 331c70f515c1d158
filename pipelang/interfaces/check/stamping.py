"""Stamping evidence: the origin of a file, by what stands in the pipeline that names it today."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelang.analysis.findings.evidence_uses import EvidenceUse, evidence_uses, gates_before
from pipelang.records import dataclass
from pipelang.runtime.files import strict_json
from pipelang.semantics import program as p
from pipelang.semantics.evidence_origin import ALL, KEYS


@dataclass(frozen=True, slots=True)
class Stamp:
    """The origin of a file as a first row says it; `left_out` are keys that the pipeline leaves
    open, each with the reason.
    """

    row: dict[str, str]
    left_out: tuple[str, ...]


def uses_of(program: p.Program, file: str, step: str | None) -> Iterator[EvidenceUse]:
    """The uses of a file on disk by a program, of all steps and gates or of one: `kind`, or
    `pipeline.kind`.
    """
    wanted = Path(file).resolve()
    for pipeline in program.pipelines.values():
        for use in evidence_uses(program, pipeline):
            named = step in (None, use.name, f"{pipeline.name}.{use.name}")
            if named and Path(use.file).resolve() == wanted:
                yield use


def pipes_around(file: str) -> list[str]:
    """The `.pipe` files in the folder of a file and in those above it, up to the current one (or
    the one above, for a file that is elsewhere).
    """
    folder, here = Path(file).resolve().parent, Path.cwd()
    above = [folder, *folder.parents]
    ends = above.index(here) if here in above else 1
    found = [path for one in above[: ends + 1] for path in sorted(one.glob("*.pipe"))]
    return [str(path.relative_to(here) if path.is_relative_to(here) else path) for path in found]


def stamp(
    program: p.Program, uses: Sequence[EvidenceUse], as_of: str, sampled: str | None
) -> Stamp | None:
    """The origin that fits all uses; None where they differ. A file of a gate has answers of the
    step that the gate looks at, as they come from there: two gates over one step have one origin.
    """
    made = [_stamp(program, use, as_of, sampled) for use in uses]
    return made[0] if all(one == made[0] for one in made) else None


def _stamp(program: p.Program, use: EvidenceUse, as_of: str, sampled: str | None) -> Stamp:
    row: dict[str, str] = {}
    left_out: list[str] = []
    hashes = list(use.hashes(program))
    if len(hashes) == 1:
        row["prompt"] = hashes[0]
    elif hashes:
        left_out.append(f"prompt: `{use.step}` asks {len(hashes)}")
    models = use.models(program)
    if models is None:
        left_out.append("model: the tier does not say which it is")
    elif len(models) == 1:
        row["model"] = models[0]
    elif models:
        left_out.append(f"model: `{use.step}` asks {len(models)}")
    row["as_of"] = as_of
    gates = gates_before(program, program.pipelines[use.pipeline])[use.step]
    row["sampled"] = sampled or (gates[-1][1] if gates else ALL)
    return Stamp(row, tuple(left_out))


def stamped(text: str, row: dict[str, str]) -> str:
    """The text of a file with this first row, in place of the one that it has."""
    body = text.removeprefix("\ufeff")
    newline = "\r\n" if "\r\n" in body else "\n"
    lines = body.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is not None and _is_header(lines[first]):
        body = "\n".join(lines[first + 1 :])
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return f"{mark}{strict_json.line(row)}{newline}{body}"


def own_line(text: str) -> int | None:
    """The first line of an answer that says where it comes from itself."""
    before = True
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        if not (before and _is_header(line)) and not KEYS.keys().isdisjoint(json.loads(line)):
            return number
        before = False
    return None


def _is_header(line: str) -> bool:
    row = json.loads(line)
    return isinstance(row, dict) and "correct" not in row
