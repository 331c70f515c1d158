"""`check --import-tools`: Python tools and functions against what is declared of them.

Importing a module runs it. So it is done only when asked for, and in a process of its own for each
module: one that prints, exits, hangs or crashes is a finding like any other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pipelang.diagnostics import Diagnostic, Edit, Help, SafeFix, Span, codes, report
from pipelang.diagnostics.spelling import only_slip
from pipelang.interfaces.check.binding_types import Clash, clashes
from pipelang.records import dataclass
from pipelang.runtime.tools.idempotency import KEY
from pipelang.semantics import program as p
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import OptionalType, Type

PATIENCE = 30.0
"""Seconds for importing one module."""

_CHILD = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from pipelang.interfaces.check.binding_probe import main; main(sys.argv[1], sys.argv[2])"
)


@dataclass(frozen=True, slots=True)
class Binding:
    """A tool or `fn` with a Python function; `pure` says that it is a `fn`."""

    name: str
    target: str
    parameters: tuple[p.Parameter, ...]
    returns: Type
    span: Span
    pure: bool

    @property
    def module(self) -> str:
        return self.target.partition(":")[0]


def check_bindings(program: p.Program, patience: float = PATIENCE) -> list[Diagnostic]:
    """Import every Python binding of a program, and tell where it differs from its declaration."""
    by_module: dict[tuple[str, str], list[Binding]] = {}
    for binding in _bindings(program):
        folder = str(Path(binding.span.file).resolve().parent)
        by_module.setdefault((folder, binding.module), []).append(binding)
    if not by_module:
        return []
    running: set[subprocess.Popen[bytes]] = set()
    with ThreadPoolExecutor(max_workers=4) as pool:
        try:
            asked = pool.map(lambda group: _ask(group, patience, running), by_module.values())
            answers = list(asked)
        except BaseException:  # Ctrl-C or a signal: nobody waits for modules that hang
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(running):
                child.kill()
            raise
    found: list[Diagnostic] = []
    for group, answer in zip(by_module.values(), answers, strict=True):
        if isinstance(answer, str):
            found.append(_failed(group[0], answer))
        else:
            for binding, told in zip(group, answer, strict=True):
                found.extend(_compare(binding, told))
    # A module that cannot be imported is told once, at the first that binds to it.
    return list({(d.rule.code, d.message, d.span): d for d in found}.values())


def _bindings(program: p.Program) -> Iterator[Binding]:
    for tool in program.tools.values():
        if tool.binding is not None and tool.binding[0] == "python":
            span = tool.binding_span or tool.span
            yield Binding(tool.name, tool.binding[1], tool.parameters, tool.returns, span, False)
    for function in program.functions.values():
        if function.binding is not None:
            yield Binding(
                function.name,
                function.binding,
                function.parameters,
                function.returns,
                function.span,
                True,
            )


def _ask(
    group: list[Binding], patience: float, running: set[subprocess.Popen[bytes]]
) -> list[dict[str, Any]] | str:
    """The child process's result on the bindings to one module; a text if there is no result. It is
    among those `running` meanwhile.
    """
    request = json.dumps({"bindings": [(b.name, b.target, b.span.file) for b in group]})
    with tempfile.TemporaryDirectory(prefix="pipelang-", ignore_cleanup_errors=True) as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-c", _CHILD, request, str(answer), *sys.path]
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            return error.strerror or str(error)
        running.add(child)
        try:
            code = child.wait(patience)
        except subprocess.TimeoutExpired:
            return f"it took longer than {patience:g} s"
        finally:
            child.kill()
            child.wait()
            running.discard(child)
        if not answer.exists():
            return f"it ended the process with exit code {code}"
        told: list[dict[str, Any]] = json.loads(answer.read_text(encoding="utf-8"))
        return told


def _failed(binding: Binding, why: str) -> Diagnostic:
    return report(
        codes.BINDING_IMPORT, binding.span, module=binding.module, name=binding.name, why=why
    )


def _compare(binding: Binding, told: dict[str, Any]) -> Iterator[Diagnostic]:
    if "failed" in told:
        yield _failed(binding, told["failed"])
    elif "missing" in told:
        help = told["help"]
        yield report(
            codes.NO_BINDING,
            binding.span,
            name=binding.name,
            why=told["missing"],
            help=help,
            edits=_edits(binding, help),
        )
    elif told["parameters"] is not None:
        shape = list(_by_position(binding, told) if binding.pure else _by_name(binding, told))
        for why, help in shape:
            yield report(
                codes.BINDING_PARAMETERS,
                binding.span,
                target=binding.target,
                name=binding.name,
                why=why,
                help=help or f"it is `{told['shown']}`",
            )
        if not shape:
            yield from _types(binding, told)


def _edits(binding: Binding, help: str | None) -> tuple[Edit, ...]:
    """The target as it was meant, where its name is a slip of the keyboard.

    A tool's span is that of `python "TARGET"`; a target is names, a dot and a colon, so its letters
    are those in the file.
    """
    meant = (help or "").removeprefix('did you mean "').removesuffix('"?')
    if binding.pure or meant == help or only_slip(binding.target, [meant]) is None:
        return ()
    end = binding.span.end - 1
    place = Span(binding.span.file, end - len(binding.target), end)
    return (Edit(place, meant),)


def _by_name(binding: Binding, told: dict[str, Any]) -> Iterator[tuple[str, Help | None]]:
    """The reasons why a tool's function cannot be called with its arguments by name."""
    taken = {one["name"]: one for one in told["parameters"]}
    takes_any = any(one["kind"] == "VAR_KEYWORD" for one in told["parameters"])
    named = {
        name: one
        for name, one in taken.items()
        if one["kind"] in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")
    }
    declared = [parameter.key for parameter in binding.parameters]
    for name in declared:
        if name in named or (takes_any and name not in taken):
            continue
        if name in taken and taken[name]["kind"] == "POSITIONAL_ONLY":
            yield f"`{name}` can only be given by position, and arguments are given by name", None
        elif not takes_any:
            free = [other for other in named if other not in declared]
            meant = suggestion(name, free)
            yield (
                f"it has no parameter `{name}`",
                meant.words if isinstance(meant, SafeFix) else meant,
            )
    for name, one in taken.items():
        left_out = one["required"] and name not in declared and name != KEY
        if left_out and one["kind"] in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY"):
            yield f"it needs `{name}`, which is not declared", None
        elif left_out and one["kind"] == "POSITIONAL_ONLY":
            yield f"it needs `{name}` by position, and arguments are given by name", None


def _by_position(binding: Binding, told: dict[str, Any]) -> Iterator[tuple[str, Help | None]]:
    """The reasons why a `fn`'s function cannot be called with its arguments in their order."""
    if told["async"]:
        yield "it is `async`, and a `fn` is called without waiting", "make it a `tool`"
    places = _places(told)
    anywhere = any(one["kind"] == "VAR_POSITIONAL" for one in told["parameters"])
    given, needed = len(binding.parameters), sum(one["required"] for one in places)
    if given < needed or (given > len(places) and not anywhere):
        takes = f"{needed}" if needed == len(places) else f"{needed} to {len(places)}"
        yield f"it takes {takes} arguments by position, and {given} are declared", None
    for one in told["parameters"]:
        if one["kind"] == "KEYWORD_ONLY" and one["required"]:
            yield f"`{one['name']}` can only be given by name, and a `fn` gives positions", None


def _places(told: dict[str, Any]) -> list[dict[str, Any]]:
    by_position = ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")
    return [one for one in told["parameters"] if one["kind"] in by_position]


def _types(binding: Binding, told: dict[str, Any]) -> Iterator[Diagnostic]:
    if binding.pure:
        pairs = list(zip(binding.parameters, _places(told), strict=False))
    else:
        taken = {one["name"]: one for one in told["parameters"]}
        pairs = [(q, taken[q.key]) for q in binding.parameters if q.key in taken]
    for parameter, one in pairs:
        type = parameter.type
        # `limit: int = None` is how many people write that it may be left out.
        if one["none"] and isinstance(type, OptionalType):
            type = type.inner
        for clash in clashes(type, one["annotation"], gives=False):
            yield _clash(binding, clash, parameter.name)
    for clash in clashes(binding.returns, told["returns"], gives=True):
        yield _clash(binding, clash, "return")


def _clash(binding: Binding, clash: Clash, what: str) -> Diagnostic:
    why = f"`{what}{clash.path}` is `{clash.declared}` here and `{clash.annotated}` there"
    span, target = binding.span, binding.target
    return report(codes.BINDING_TYPE, span, target=target, name=binding.name, why=why)
