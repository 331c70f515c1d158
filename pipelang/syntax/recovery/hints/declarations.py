"""Hints about declarations: their first lines, fields, parameters and templates."""

from __future__ import annotations

from pipelang.syntax.bad_tokens import QUOTES_IN_A_TEMPLATE
from pipelang.syntax.lexicon import DECLARING, ITEMS
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit


def json_file(spot: ErrorSite) -> Hint | None:
    """A file that begins with a brace or a bracket."""
    if spot.index or not spot.wants_declaration or spot.text not in ("{", "["):
        return None
    help = (
        "this looks like JSON; a .pipe file is made of declarations, such as `type T { ... }` and"
    )
    return Hint(f"{help} `pipeline p(...) -> T {{ ... }}`")


def item_outside(spot: ErrorSite) -> Hint | None:
    """`step` at the top of a file, `tool` inside a pipeline."""
    if spot.wants_declaration and spot.text in ITEMS:
        if spot.before().text == "}":
            return Hint("items stand inside a pipeline: is one `}` too many before it?")
        return Hint("items stand inside a pipeline: `pipeline NAME(...) -> TYPE { ... }`")
    return None


def declaration_inside(spot: ErrorSite) -> Hint | None:
    """`tool` inside a pipeline."""
    if spot.wants_item and spot.text in DECLARING and spot.after().text.isidentifier():
        return Hint(f"a `{spot.text}` is declared at the top of a file, outside of pipelines")
    return None


def inside_a_template(spot: ErrorSite) -> Hint | None:
    """Three quotes that somebody meant as text have ended the template; words go on behind it."""
    if spot.before().type != "TEMPLATE" or not spot.wants_declaration or spot.on_new_line:
        return None
    for distance in range(60):
        token = spot.after(distance) if distance else spot.token
        if token.type == "TEMPLATE":
            return Hint(QUOTES_IN_A_TEMPLATE, TokenEdit(0, distance + 1))
        if token.type == "$END" or (token.text in DECLARING and spot.lines.is_first(token)):
            break
    return Hint(QUOTES_IN_A_TEMPLATE)


def _is_type(word: str) -> bool:
    return word in _SCALARS or (word[:1].isupper() and word.isidentifier())


_SCALARS = frozenset("text int number bool probability money duration time json".split())


def fields_and_parameters(spot: ErrorSite) -> Hint | None:
    """`int a`, `ticket` without a type, `a:` without one."""
    token, before = spot.token, spot.before()
    named = spot.expected <= {spot.terminal(":"), "STRING"}
    if spot.kind in ("field", "parameter") and spot.wants(":") and named:
        swapped = _is_type(before.text) and not _is_type(token.text)
        if token.type == "NAME" and swapped and not spot.on_new_line:
            made = (("NAME", token.text), *spot.put(":"), ("NAME", before.text))
            return Hint(
                f"the name comes first: `{token.text}: {before.text}`", TokenEdit(1, 1, made)
            )
        if token.text in (")", ",", "}") or spot.on_new_line:
            help = f"a {spot.kind} has a type: `{before.text}: TYPE`"
            return Hint(help, TokenEdit(0, 0, (*spot.put(":"), ("NAME", "json"))))
    if token.text == ":" and spot.before(2).text == ":" and spot.kind == "field":
        made = (("NAME", "json"), ("NAME", before.text))
        help = f"a field has a type: `{spot.before(3).text}: TYPE`"
        return Hint(help, TokenEdit(1, 0, made), 1, "a type")
    if spot.wants(":") and spot.text == "=" and spot.before(2).text == "setting":
        help = "a setting has a type: `setting NAME: int in 1..10 = 5`"
        return Hint(help, TokenEdit(0, 0, (*spot.put(":"), ("NAME", "json"))))
    return None


def heads(spot: ErrorSite) -> Hint | None:
    """A hint about something missing or wrong in the first line of a declaration."""
    text, before, word = spot.text, spot.before().text, spot.before(2).text
    if spot.wants("(") and word in ("tool", "fn", "prompt", "memory", "pipeline"):
        help = f"parameters stand in parentheses, also where there are none: `{word} {before}()`"
        return Hint(help, TokenEdit(0, 0, spot.put("(", ")")))
    if text == "{" and spot.wants("=") and spot.wants("python"):
        return Hint("the body of a `fn` is one expression: `fn f(x: int) -> int = EXPR`")
    if spot.wants("{") and spot.token.type == "$END" and spot.kind == "declaration":
        return Hint("its contents stand in braces: `{ ... }`", TokenEdit(0, 0, spot.put("{", "}")))
    if text == "=" and spot.wants("}") and spot.after().type == "STRING":
        help = f"the outer name of a member stands right after it: `{before} {spot.after().text}`"
        return Hint(help, TokenEdit(0, 1), safe=True)
    if text == "=" and spot.wants("}") and spot.kind == "declaration":
        return Hint("members of an `enum` have no values: leave out the `=`", TokenEdit(0, 2))
    if before == "effect" and spot.on_new_line:
        return Hint("say what it does to the world: `effect read`, or pure, write, irreversible")
    if before == "effort":
        return Hint("write `effort low`, `effort medium` or `effort high`")
    if before == "language":
        return Hint("write `language 1`", TokenEdit(0, 1, (("INT", "1"),)))
    if before == "use" and text == "{":
        return Hint("the library comes first: `use std.tiers { haiku }`")
    if text == "/" and any(spot.before(n).text == "use" for n in (2, 4, 6)):
        return Hint("names of libraries have points: `use std.tiers`", spot.instead("."))
    if text == "*" and before == ".":
        help = "leave out `.*`: without names in braces, all is imported"
        return Hint(help, TokenEdit(1, 1))
    return None


def alternatives(spot: ErrorSite) -> Hint | None:
    """`type Topic = a | b`, `type Words = text max 60 tokens`: a type is a record. `enum T = a | b`
    has its members in braces.
    """
    name, word = spot.before().text, spot.before(2).text
    if spot.text != "=" or not spot.wants("{") or spot.after().text == "{":
        return None
    length = spot.rest_of_line()
    if word == "enum":
        members = [(one.type, one.text) for one in map(spot.after, range(1, length))]
        made = (*spot.put("{"), *members, *spot.put("}"))
        return Hint(f"members stand in braces: `enum {name} {{ ... }}`", TokenEdit(0, length, made))
    if word != "type":
        return None
    help = (
        f"a `type` is a record, `type {name} {{ field: TYPE }}`; alternatives are an "
        f"`enum {name} {{ one other }}`; a type has no second name"
    )
    return Hint(help, TokenEdit(0, length, spot.put("{", "}")))


def reserved_name(spot: ErrorSite) -> Hint | None:
    """`type max { }`, `step match = ...`."""
    text = spot.text
    if text in spot.grammar.reserved and "NAME" in spot.expected and not spot.wants_quantity:
        if spot.wants_expression:
            return None
        if text == "max" and spot.wants_type:
            return Hint("the limit stands behind its type: `text max 60 tokens`, `[T] max 9`")
        help = f"`{text}` is a word of the language; choose another name"
        return Hint(help, TokenEdit(0, 1, (("NAME", text),)))
    return None


def without_template(spot: ErrorSite) -> Hint | None:
    """`prompt p() Sort this ticket`, `prompt p() "..."`, `prompt p() = \"\"\"`."""
    if "TEMPLATE" not in spot.expected:
        return None
    help = 'a template stands in three double quotes, or in a file: `from "prompts/p.j2"`'
    if spot.token.type == "STRING":
        return Hint(help, TokenEdit(0, 1, (("TEMPLATE", f'""{spot.text}""'),)))
    if spot.text in ("=", ":", "->") and spot.after().type == "TEMPLATE":
        return Hint(
            f"leave out the `{spot.text}`: the template follows the parameters", TokenEdit(0, 1)
        )
    return Hint(help)
