"""Hovers: what stands at a place, what it is, what is known of it, and what its evidence says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.braces import names_metrics
from pipelang.interfaces.language_server.features.names import NameTable
from pipelang.interfaces.language_server.features.small_words import BUILT_IN
from pipelang.interfaces.language_server.features.template_names import template_names
from pipelang.interfaces.language_server.features.words import METRIC_WORDS, type_help, word_help
from pipelang.interfaces.language_server.session import CURRENT, Root
from pipelang.interfaces.text.number_format import percent, plural
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.build import Survey
from pipelang.semantics.symbols import Symbol
from pipelang.semantics.types import Scalar, Type, present, show
from pipelang.semantics.unique import with_unique_names
from pipelang.semantics.walk import all_items, inner_links
from pipelang.syntax import ast
from pipelang.syntax.tokens import Token

MOST_BEFORE = 2_000
"""Words before one that are looked through for the block that it stands in."""
LONGEST_HEAD = 600
"""Letters of a declaration that a hover shows."""


@dataclass(frozen=True, slots=True)
class Hovered:
    """Markdown, and the place that it is about."""

    text: str
    start: int
    end: int


def hover(root: Root, names: NameTable, file: str, offset: int) -> Hovered | None:
    """All that is to be said about a place of a file."""
    survey = root.survey
    if survey is None:
        return None
    found = names.at(file, offset)
    if found is not None:
        span, declared = found
        parts = [part for part in _of_name(root, survey, names, span, declared) if part]
        if parts:
            return Hovered("\n\n".join(parts), span.start, span.end)
    return _of_file(survey, file, offset) or _of_word(survey, file, offset)


def _of_name(
    root: Root, survey: Survey, names: NameTable, span: Span, declared: Span
) -> Iterator[str]:
    symbol = _symbol_at(survey, declared)
    if symbol is not None:
        yield _fenced(_head(symbol, names))
        yield symbol.declaration.doc or ""
        yield from _of_symbol(root, survey, symbol)
        if declared.file != span.file:
            yield f"from `{declared.file}`"
        return
    word = names.text(declared)
    type = type_at(survey, declared) or _type_in_template(survey, span)
    written = _written(survey, declared)
    if written is not None:
        yield _fenced(_cut(_flush(names.texts[declared.file], written)))
    else:
        yield _fenced(f"{word}: {full(type)}" if type is not None else word)
    if type is not None and written is not None:
        yield f"type `{full(type)}`"
    yield _doc_at(survey, declared)
    yield from _of_item(root, survey, declared)


def _symbol_at(survey: Survey, declared: Span) -> Symbol | None:
    if survey.symbols is None:
        return None
    every = survey.symbols.by_key.values()
    return next((one for one in every if one.declaration.name.span == declared), None)


def _fenced(text: str) -> str:
    return f"```pipelang\n{text}\n```"


def _flush(text: str, span: Span) -> str:
    """Text of a file as if its first line began at the margin."""
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    margin = len(before) - len(before.lstrip(" "))
    written = text[span.start : span.end]
    return re.sub(rf"\n {{1,{margin}}}", "\n", written) if margin else written


def _cut(text: str) -> str:
    lines = text[: LONGEST_HEAD * 2].split("\n")
    if len(lines) > 14:
        lines = [*lines[:13], "  …"]
    return "\n".join(lines)[:LONGEST_HEAD].rstrip()


def _head(symbol: Symbol, names: NameTable) -> str:
    """A declaration as it is written; of a pipeline up to its brace."""
    declaration = symbol.declaration
    text = _flush(names.texts.get(symbol.file, ""), declaration.span)
    if isinstance(declaration, ast.PipelineDecl):
        return text.partition("{")[0].rstrip()
    return _cut(text)


def _of_symbol(root: Root, survey: Survey, symbol: Symbol) -> Iterator[str]:
    draft = survey.draft
    if draft is None:
        return
    match symbol.kind:
        case "pipeline":
            told = (root.numbers or {}).get("pipelines", {}).get(symbol.key)
            if told is not None:
                yield f"{told['sentence']}{_age(root)}"
                yield told["lens"]
        case "tier":
            tier = draft.tiers.get(symbol.key)
            if tier is not None and tier.priced_by is not None:
                both = f"${tier.prices['in']} in, ${tier.prices['out']} out a million tokens"
                yield f"{both}, from {tier.priced_by} of {tier.as_of}"
        case "setting":
            setting = draft.settings.get(symbol.key)
            if setting is not None:
                yield f"type `{show(setting.type)}`"
        case _:
            pass


def _age(root: Root) -> str:
    """A note behind numbers that are not of the text as it is."""
    return "" if root.state == CURRENT else " *(before your last change)*"


def _of_item(root: Root, survey: Survey, declared: Span) -> Iterator[str]:
    """Of a step or gate: its numbers, and the evidence that it rests on."""
    draft = survey.draft
    if draft is None:
        return
    for key, pipeline in draft.pipelines.items():
        for item in all_items(with_unique_names(pipeline).block):
            if not isinstance(item, (p.Step, p.Gate, p.Person)) or item.span != declared:
                continue
            told = (root.numbers or {}).get("pipelines", {}).get(key, {}).get("items", {})
            if item.name in told:
                yield told[item.name]["hint"] + _age(root)
                yield told[item.name]["tooltip"]
            for file in dict.fromkeys(_evidence(item)):
                yield evidence_words(draft, file)
            return


def _evidence(item: p.Step | p.Gate | p.Person) -> Iterator[str]:
    """The evidence files that an item names."""
    if isinstance(item, p.Gate) and isinstance(item.evidence, p.ByFile):
        yield item.evidence.file
    if isinstance(item, p.Step):
        for link in inner_links(item.chain):
            for chance in (link.accuracy, *link.accuracy_by_tier.values()):
                for one in (chance, getattr(chance, "easy", None), getattr(chance, "hard", None)):
                    file = getattr(one, "file", None)
                    if isinstance(file, str):
                        yield file


def evidence_words(draft: p.Program, file: str) -> str:
    """An evidence file in a sentence: how many answers, how often right, how well calibrated."""
    if file not in draft.evidence:
        return f"`{file}` cannot be read"
    from pipelang.analysis.model.calibration import calibration
    from pipelang.analysis.model.evidence import EvidenceTable

    found = calibration(EvidenceTable({file: draft.evidence[file]})[file])
    accuracy = found.accuracy
    words = f"`{file}`: {plural(found.rows, 'answer')}"
    if accuracy.value is not None and accuracy.low is not None and accuracy.high is not None:
        share, low, high = percent(accuracy.value), percent(accuracy.low), percent(accuracy.high)
        words += f", {share} right ({low[:-1]}–{high})"
    if found.ece is not None and found.by_chance is not None:
        words += (
            f"; its confidence is off by {percent(found.ece)} on the mean (ECE), where "
            f"{percent(found.by_chance)} would be chance"
        )
    return words


def _of_file(survey: Survey, file: str, offset: int) -> Hovered | None:
    """A hover over the name of an evidence file."""
    from pipelang.interfaces.language_server.features.outer_places import named_file

    named = named_file(survey, file, offset)
    if named is None or survey.draft is None or named[1] not in survey.draft.evidence:
        return None
    span, path = named
    return Hovered(evidence_words(survey.draft, path), span.start, span.end)


def _of_word(survey: Survey, file: str, offset: int) -> Hovered | None:
    """A hover over a metric, a keyword, a built-in function or a type."""
    loaded = survey.loaded.modules.get(file)
    if loaded is None:
        return None
    tokens = loaded.tokens.tokens
    for index, token in enumerate(tokens):
        if token.start > offset:
            return None
        if token.end < offset:
            continue
        if names_metrics(tokens[max(0, index - MOST_BEFORE) : index]):
            metric = _metric(tokens, index)
            if metric is not None:
                said = f"**{metric}**: {METRIC_WORDS[metric]}"
                return Hovered(said, token.start, token.end)
        is_field = index > 1 and tokens[index - 1].text == "."
        behind = tokens[index + 1].text if index + 1 < len(tokens) else ""
        words = None
        if behind == "(" and token.text in BUILT_IN:
            call, what = BUILT_IN[token.text]
            words = f"`{call}`: {what}"
        elif not is_field and behind != ":":  # behind a dot and before a colon words are names
            words = word_help(token.text) or type_help(token.text)
        if words:
            return Hovered(words, token.start, token.end)
    return None


def _metric(tokens: Sequence[Token], index: int) -> str | None:
    """The metric `a.b.c` that a word is a part of."""
    first = last = index
    while first > 1 and tokens[first - 1].text == ".":
        first -= 2
    while last + 2 < len(tokens) and tokens[last + 1].text == ".":
        last += 2
    for end in range(last, index - 1, -2):
        name = "".join(token.text for token in tokens[first : end + 1])
        if name in METRIC_WORDS:
            return name
    return None


def type_at(survey: Survey, declared: Span) -> Type | None:
    """The type of the value, field or parameter that was declared at a place."""
    draft = survey.draft
    if draft is None:
        return None
    owners = (draft.pipelines, draft.prompts, draft.tools, draft.functions)
    for group in owners:
        for owner in group.values():
            for parameter in owner.parameters:
                span = parameter.span
                if span is not None and (span.file, span.start) == declared[:2]:
                    return parameter.type
    for pipeline in draft.pipelines.values():
        for item in all_items(pipeline.block):
            if isinstance(item, (p.Step, p.Let)) and item.span == declared:
                return item.type
    return _part_type(survey, declared)


def _part_type(survey: Survey, declared: Span) -> Type | None:
    """The type of a field, or the enum of a member."""
    draft = survey.draft
    for key, symbol in survey.symbols.by_key.items() if survey.symbols and draft else ():
        assert draft is not None
        match symbol.declaration:
            case ast.TypeDecl(fields=fields):
                for one in fields:
                    if one.name.span == declared and key in draft.records:
                        found = draft.records[key].field(one.name.text)
                        return None if found is None else found.type
            case _:
                pass
    return None


def _type_in_template(survey: Survey, span: Span) -> Type | None:
    return next((one.type for one in template_names(survey) if one.span == span), None)


def _written(survey: Survey, declared: Span) -> Span | None:
    """The whole of the field, parameter, member or item that was declared at a place."""
    node = _declared_at(survey, declared)[1]
    return None if node is None else node.span


def _doc_at(survey: Survey, declared: Span) -> str:
    """The doc comment of what was declared at a place, or nothing."""
    declaration, node = _declared_at(survey, declared)
    if isinstance(declaration, ast.EnumDecl) and isinstance(node, ast.EnumMember):
        return dict(declaration.member_docs).get(node.name.text, "")  # a member has none itself
    return getattr(node, "doc", None) or ""


def _declared_at(survey: Survey, declared: Span) -> tuple[ast.Declaration | None, Any]:
    """The node whose name stands at a place, and the declaration that it is a part of."""
    from pipelang.interfaces.language_server.features.nodes import walk

    loaded = survey.loaded.modules.get(declared.file)
    for declaration in () if loaded is None else loaded.module.declarations:
        if declaration.span.start <= declared.start < declaration.span.end:
            for node in walk(declaration):
                name = getattr(node, "name", None)
                if isinstance(name, ast.Name) and name.span == declared:
                    return declaration, node
    return None, None


def full(type: Type) -> str:
    """A type with its labels and bounds."""
    inner = present(type)
    words = [*sorted(getattr(inner, "labels", ())), show(type)]
    if isinstance(inner, Scalar):
        if inner.max_tokens is not None:
            words.append(f"max {inner.max_tokens} tokens")
        if inner.max_pages is not None:
            words.append(f"max {inner.max_pages} pages")
    most = getattr(inner, "max_length", None)
    if most is not None:
        words.append(f"max {most}")
    return " ".join(words)
