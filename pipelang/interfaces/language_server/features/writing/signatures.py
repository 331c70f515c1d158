"""Signature help: the parameters of what is being called, and which of them comes next."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp

from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.features.hover import full
from pipelang.interfaces.language_server.features.small_words import BUILT_IN
from pipelang.interfaces.language_server.features.writing.place import place_at, tokens_of
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import Root
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.syntax.tokens import Token


@dataclass(frozen=True, slots=True)
class CallAround:
    """A call that is open: its name, how many arguments are written, and which have names."""

    name: str
    position: int
    named: frozenset[str]
    current: str | None


def call_around(tokens: Sequence[Token]) -> CallAround | None:
    """The innermost call that is open behind some tokens."""
    depth, commas = 0, 0
    named: set[str] = set()
    current: str | None = None
    for index in range(len(tokens) - 1, 0, -1):
        word = tokens[index].text
        if word in (")", "]", "}"):
            depth += 1
        elif word in ("(", "[", "{"):
            if depth:
                depth -= 1
                continue
            if word == "(" and tokens[index - 1].text.isidentifier():
                name = tokens[index - 1].text
                return CallAround(name, commas, frozenset(named), current)
            return None
        elif depth == 0 and word == ",":
            commas += 1
        elif depth == 0 and word == ":" and index > 1:
            named.add(tokens[index - 1].text)
            if commas == 0:
                current = tokens[index - 1].text
    return None


def signature_help(root: Root, lines: TextLines, offset: int) -> lsp.SignatureHelp | None:
    """The signature of the call around a place."""
    source = Source(root.path, lines.text)
    place = place_at(source, tokens_of(root, source), offset, asks=False)
    around = call_around(place.before)
    if around is None:
        return None
    if around.name in BUILT_IN:
        label, said = BUILT_IN[around.name]
        return _help(label, said, [], None)
    made = root.survey if root.survey is not None and root.survey.symbols else root.sound
    if made is None or made.symbols is None or made.draft is None:
        return None
    symbol = made.symbols.scopes.get(root.path, {}).get(around.name)
    if symbol is None:
        return None
    draft = made.draft
    owners: dict[str, dict[str, p.Tool | p.Function | p.Prompt | p.Pipeline]] = {
        "tool": {**draft.tools},
        "fn": {**draft.functions},
        "prompt": {**draft.prompts},
        "pipeline": {**draft.pipelines},
    }
    owner = owners.get(symbol.kind, {}).get(symbol.key)
    parameters = _declared(symbol.declaration) if owner is None else list(owner.parameters)
    if owner is None and not parameters:
        return None
    labels = [_label(one) for one in parameters]
    returns = getattr(owner, "returns", None)
    tail = f" -> {full(returns)}" if returns is not None else ""
    names = [one if isinstance(one, str) else one.name for one in parameters]
    position: int | None = around.position
    if around.current in names:
        position = names.index(str(around.current))
    label = f"{around.name}({', '.join(labels)}){tail}"
    return _help(label, symbol.declaration.doc, labels, position)


def _declared(declaration: object) -> list[p.Parameter | str]:
    """Names alone, of a declaration that was not elaborated."""
    return [one.name.text for one in getattr(declaration, "params", ())]


def _label(one: p.Parameter | str) -> str:
    return one if isinstance(one, str) else f"{one.name}: {full(one.type)}"


def _help(
    label: str, said: str | None, parameters: list[str], position: int | None
) -> lsp.SignatureHelp:
    active = None
    if parameters and position is not None:
        active = min(position, len(parameters) - 1)
    made = lsp.SignatureInformation(
        label,
        documentation=said or None,
        parameters=[lsp.ParameterInformation(one) for one in parameters],
    )
    return lsp.SignatureHelp([made], active_signature=0, active_parameter=active)
