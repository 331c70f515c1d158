"""Settings at the command line: `NAME=VALUE`, the value as a file would write it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelang.diagnostics import Source
from pipelang.diagnostics.spelling import closest
from pipelang.runtime.host.handle import SettingError
from pipelang.semantics import program as p
from pipelang.semantics.types import Scalar, ScalarKind, quoted
from pipelang.syntax import ast
from pipelang.syntax.parse import parse

_EXAMPLES = {
    ScalarKind.INT: "5",
    ScalarKind.NUMBER: "0.5",
    ScalarKind.PROBABILITY: "70%",
    ScalarKind.MONEY: "$0.25",
    ScalarKind.DURATION: "30s",
}


def read_settings(program: p.Program, given: Iterable[str]) -> dict[str, Any]:
    """The settings that a command line turns. Raises `SettingError`; whether a value is in its
    range is not looked at here.
    """
    found: dict[str, Any] = {}
    for text in given:
        name, equals, written = text.partition("=")
        name = name.strip()
        if not equals:
            raise SettingError(f"expected NAME=VALUE, found `{text}`")
        if name not in program.settings:
            known = list(program.settings)
            there = f"there are: {', '.join(known)}" if known else "there is none"
            close = closest(name, known)
            help = f"did you mean `{close}`?" if close else there
            raise SettingError(f"unknown setting `{name}` ({help})")
        if name in found:
            raise SettingError(f"`{name}` is set twice")
        found[name] = _value(name, written.strip(), program.settings[name].type)
    return found


def _value(name: str, written: str, type: Any) -> Any:
    assert isinstance(type, Scalar)
    literal = _literal(written)
    kinds = {type.kind.value}
    if type.kind is ScalarKind.NUMBER:
        kinds.add(ScalarKind.INT.value)  # what `int` widens to
    if literal is None or literal[0] not in kinds:
        example = _EXAMPLES[type.kind]
        raise SettingError(
            f"`{name}` takes {quoted(type)}, such as {example}, and found `{written}`"
        )
    return literal[1]


def _literal(written: str) -> tuple[str, Any] | None:
    """The kind and value of one literal, perhaps with a minus; None for anything else."""
    parsed = parse(Source("--set", f"setting value: int in 0..1 = {written}"))
    declarations = parsed.module.declarations
    if parsed.diagnostics or len(declarations) != 1:
        return None
    (declaration,) = declarations
    value = declaration.value if isinstance(declaration, ast.SettingDecl) else None
    match value:
        case ast.Literal(kind=kind, value=plain):
            return kind.value, plain
        case ast.Unary(op="-", operand=ast.Literal(kind=kind, value=plain)) if not isinstance(
            plain, (str, tuple, type(None))
        ):
            return kind.value, -plain
        case _:
            return None
