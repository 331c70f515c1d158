"""Sound pipelines that lose their guard: every source of a text with every guard, the plain ones
with every way to an effect, and what can go wrong with the guard.

A guard is lost, looks at another value of the same source (another field, element, key, run, or the
value before it was made again), or at a part of the value.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where a text comes from: its name in the pipeline, and that of another text beside it."""

    items: str
    value: str
    other: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard of `{v}`, and guards that look as if they were one."""

    text: str
    broken: tuple[str, ...]
    before: str = ""


@dataclass(frozen=True, slots=True)
class Planted:
    """A pipeline with a hole, and the sound one that it was made of."""

    name: str
    hole: str
    sound: str


SURE = "{ catches 90% false_alarms 1% } else reject"

SOURCES = {
    "field": Source("$DRAFT", "d.body", "d.title"),
    "element": Source(
        "let x = m.tags[0] let y = m.tags[1] gate there: x? and y? else reject", "y", "x"
    ),
    "key": Source(
        'let x = m.extra["a"] let y = m.extra["b"] gate there: x? and y? else reject', "y", "x"
    ),
    "copy": Source("$DRAFT let v = d.body", "v", "d.title"),
    "copy-unless-empty": Source(
        '$DRAFT let v = if d.body == "" then "(empty)" else d.body', "v", "d.title"
    ),
    "beginning": Source("$DRAFT let v = first(d.body, 30 tokens)", "v", "d.title"),
    "child": Source(
        "step d = run drafts(m) step e = run drafts(m)",
        "e.body",
        "d.body",
        "pipeline drafts(m: Mail) -> Draft { $DRAFT return d }\n",
    ),
    "made-again": Source("$DRAFT step e: Draft = ask write(d.body) by opus", "d.body", "e.title"),
    "recalled": Source(
        "step r = recall notes(m.id) step q = recall notes(m.order) gate there: r? and q? $SURE",
        "r",
        "q",
        "pipeline learns(m: Mail) -> int { remember notes(m.order) = m.body return 1 }\n",
    ),
    "fallback": Source(
        "step d: Draft = ask plain() by opus else "
        "{body: m.body, title: m.body, confidence: 50%} { accuracy 50% }",
        "d.body",
        "d.title",
    ),
}

GUARDS = {
    "gate": Guard(
        f"gate g: no_links({{v}}) {SURE}",
        (
            f"gate g: len({{v}}) < 10 {SURE}",
            f"gate g: m.vip or no_links({{v}}) {SURE}",
            f"gate g: no_links(first({{v}}, 3 tokens)) {SURE}",
            f'gate g: {{v}} != "x" {SURE}',
        ),
    ),
    "gate-of-a-function": Guard(
        f"gate g: clean({{v}}, m.id, m.vip) {SURE}",
        (f"gate g: clean(m.id, {{v}}, m.vip) {SURE}",),
        "fn clean(t: untrusted text, u: untrusted text, v: bool) -> bool = v and no_links(t)\n",
    ),
    "gate-of-a-let": Guard(
        f"let seen = {{v}} gate g: no_links(seen) {SURE}",
        (f"let seen = len({{v}}) gate g: seen < 10 {SURE}",),
    ),
    "gate-by-case": Guard(
        f"gate g: (if m.vip then no_links({{v}}) else code({{v}})) {SURE}",
        (f"gate g: (if m.vip then no_links({{v}}) else true) {SURE}",),
    ),
    "on-both-ways": Guard(
        f"when m.vip {{ gate g: no_links({{v}}) {SURE} }}"
        " else { approve ok by staff showing {v} else reject }",
        (
            f"when m.vip {{ gate g: no_links({{v}}) {SURE} }} else {{ }}",
            f"when m.vip {{ gate g: no_links({{v}}) {SURE} }}"
            " else { hold ok for 5m by staff showing {v} else reject }",
        ),
    ),
    "approval": Guard(
        "approve ok by staff showing {v} else reject",
        (
            'approve ok by staff showing {v} == "x" else reject',
            "approve ok by staff showing len({v}) else reject",
            "approve ok by staff showing first({v}, 3 tokens) else reject",
            'approve ok by staff showing (if m.vip then {v} else "x") else reject',
            "approve ok by staff when m.vip showing {v} else reject",
        ),
    ),
    "approval-of-several": Guard(
        "approve ok by staff showing [m.id, {v}] else reject",
        ("approve ok by staff showing [m.id, shorter({v})] else reject",),
    ),
}

SINKS = {
    "call": ('step s = call send("desk", {v})', ""),
    "child": (
        "step s = run sends({v})",
        'pipeline sends(t: text max 2k tokens) -> int { step s = call send("desk", t) return 1 }\n',
    ),
    "each": ('step s = each one in [{v}] { call send("desk", one) }', ""),
    "let": ('let out = {v} step s = call send("desk", out)', ""),
}


def planted() -> Iterator[Planted]:
    """Return every combination with every mutation; the sound one stands beside each."""
    for source_name, source in SOURCES.items():
        for guard_name, guard in GUARDS.items():
            sinks = SINKS if guard_name in ("gate", "approval") else {"call": SINKS["call"]}
            for sink_name, (call, inner) in sinks.items():
                before = source.before + guard.before + inner
                sound = _file(before, source, _of(guard.text, source.value), call)
                broken = ["", _of(guard.text, source.other)]
                broken += [_of(text, source.value) for text in guard.broken]
                for at, text in enumerate(broken):
                    name = f"{source_name}/{guard_name}/{sink_name}/{at}"
                    yield Planted(name, _file(before, source, text, call), sound)


def _of(guard: str, value: str) -> str:
    return guard.replace("{v}", value)


def _file(before: str, source: Source, guard: str, call: str) -> str:
    items = " ".join([source.items, guard, call.replace("{v}", source.value)])
    return f"{before}pipeline main(m: Mail) -> int {{ {items} return 1 }}\n"
