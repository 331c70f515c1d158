"""What `check` says of a program, and whether it sees a mistake where it is."""

from __future__ import annotations

from pipelang.diagnostics import Severity
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.profiles.config import CheckSettings
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.export.ir import program_json
from pipelang.semantics.build import build

from ...memory import MemoryLoader
from .writing import Mistake, Program

MAIN = "program.pipe"

ABOUT_MEANING = {"P406", "P704", "P705", "P706", "P707", "P708", "P709", "P711"}
"""What a program does with the data of strangers, and what is claimed of it: these programs are
written well, and mean nothing. Whether such findings are right is for tests/suite/safety and
tests/property/claims.
"""


SHORT = 0.2
"""Seconds that a check is given where nobody reads its numbers: `check --time-limit 0.2`. What it
tells of the program does not hang on them, and is told whatever they are.
"""


def errors(
    program: Program, text: str, analysed: bool = True, seconds: float | None = None
) -> list[tuple[int, str, str]]:
    """The errors in a text in a program's place: line, code and message. Without the analysis it
    takes milliseconds, with it seconds where much is unknown, unless it is given fewer.
    """
    loader = MemoryLoader({**program.files, MAIN: text})
    configs = Configs(loader, CheckSettings(time_limit=seconds))
    checked = check_file(MAIN, loader, configs) if analysed else build(MAIN, loader)
    found = []
    for one in checked.diagnostics:
        if one.rule.severity is not Severity.ERROR or one.rule.code in ABOUT_MEANING:
            continue
        line = 0
        if one.span is not None and one.span.file == MAIN:
            line = checked.sources[MAIN].position(one.span.start).line
        found.append((line, one.rule.code, one.message))
    return found


def meaning(program: Program, text: str) -> tuple[str, object]:
    """What a text in a program's place means: its hash, and all of it as JSON."""
    built = build(MAIN, MemoryLoader({**program.files, MAIN: text}))
    assert built.program is not None
    said = program_json(built.program, list(built.program.pipelines))
    for claim in said["claims"]:  # shown as they were written, spaces and all
        claim["text"] = "".join(claim["text"].split())
    return built.program.hash, said


def missed(program: Program, mistake: Mistake, analysed: bool = True) -> str | None:
    """Why a mistake was not told as it should; None if it was."""
    text = program.with_mistake(mistake)
    told = errors(program, text, analysed, SHORT)
    if any(line in mistake.told for line, _, _ in told):
        return None
    lines, before = text.split("\n"), program.text.split("\n")
    return "\n".join(
        [
            f"`{mistake.kind}` is not told of at line {mistake.told}",
            *(f"there stands   {lines[number - 1].strip()}" for number in mistake.told),
            f"the mistake is {mistake.text.strip()}",
            f"in place of    {' / '.join(before[mistake.first - 1 : mistake.last])}",
            *(f"told was       {one}" for one in told),
        ]
    )
