"""Random texts in which constructs stand together that the other generators never combine.

The other generators make the oracle's own tree of a program. Here text is made, so that whatever
the language says can be in it: values in values, presence, decisions, functions, settings and
`match` in conditions, thresholds that hang on a case, hard cases, shares of what is left of a
budget, and all of it inside lists, pipelines that are run, branches and redos. The judge is the
interpreter, all of whose runs are played (`every_run`), so nothing here needs a model of its own.
"""

from __future__ import annotations

from .mixed_items import MixedItems
from .mixed_tests import OPTIONAL, TEXT

HEAD = f"""
enum Kind {{ plain tricky odd }}
enum Mood {{ calm angry }}
type Inner {{ hot: bool  mood: Mood }}
type Q {{ flag: bool  kind: Kind  inner: Inner  note: text? max 9 tokens  body: {TEXT} }}
type A {{ flag: bool  ok: bool  kind: Kind  inner: Inner  confidence: probability  body: {TEXT} }}
fn is_odd(k: Kind) -> bool = k == odd
fn mood_of(k: Kind, hot: bool) -> Mood =
  if hot then angry else match k {{ odd => angry  else => calm }}
setting level: int in 0..3 = LEVEL
setting floor: probability in 50%..99% = 80%
"""


def tier(name: str, provider: str, transient: str, price: str, takes: str) -> str:
    times = f"latency {takes} median, {takes} p95 context 200k tokens"
    given = f"provider {provider} transient {transient} price $0 in, {price} out"
    return f"tier {name} {{ {given} {times} }}"


def generate_mixed(
    seed: int, *, cached: bool = False, measured: bool = True
) -> tuple[str, dict[str, str]]:
    """A text, and the files of evidence beside it."""
    m = MixedItems(seed, cached=cached, measured=measured)
    rng = m.rng
    m.budget = 1.0 if m.one_in(4) else 0.0
    pipelines = []
    for number in range(rng.choice([0, 1, 1, 2, 2])):
        m.acts = m.one_in(3)
        name = f"{'act' if m.acts else 'sub'}_{number}"
        more = [TEXT, "bool", "Kind", "Q", "A", "[Q] max 2", OPTIONAL]
        params = [(f"x_{number}", "Q")]
        kinds = rng.sample(more, rng.choice([0, 1, 1, 2]))
        params += [(f"y{i}_{number}", t) for i, t in enumerate(kinds) if "?" not in t]
        text = m.pipeline(name, params, rng.randint(1, 4), "97%" if m.hard and m.one_in(2) else "")
        acts = any(w in text for w in ("by desk", "send(", "remember", "run act"))
        if acts and not name.startswith("act"):
            text, name = (
                text.replace(f"pipeline {name}(", f"pipeline act_{number}("),
                f"act_{number}",
            )
        pipelines.append(text)
        m.children.append((name, params, "A", acts))
    m.acts = not m.one_in(3)
    params = [("q", "Q"), ("p", "Q")][: rng.choice([1, 2])]
    if m.one_in(2):
        params.append(("qs", "[Q] max 2"))
    if m.one_in(4):
        params.append(("extra", OPTIONAL))
    main = m.pipeline("main", params, rng.randint(2, 6), "30%" if m.hard else "")
    pipelines.append(main)
    pick = rng.choice
    available, transient = pick(["100%", "100%", "90%"]), pick(["0%", "0%", "10%"])
    world = [
        HEAD.replace("LEVEL", pick(["1", "2"])),
        f"provider a {{ available {available} }}\nprovider b {{ available 100% }}",
        tier("cheap", "a", transient, "$5000", "1s"),
        tier("mid", "a", pick(["0%", "20%"]), "$100", "2s"),
        tier("dear", "b", pick(["0%", "0%", "5%"]), "$900", "3s"),
        f"role desk {{ responds 10m median, 10m p95 accuracy {pick(['90%', '100%', '75%'])} }}",
    ]
    for tool, effect, ok, right, cost in (
        ("see", "read", pick(["100%", "70%"]), pick(["100%", "90%"]), "$0.5"),
        ("free", "pure", "", "", ""),
        ("look", "read", "100%", "100%", ""),
        ("send", "write", pick(["100%", "80%"]), "100%", "$1"),
    ):
        lines = [f'python "m:{tool}"', f"effect {effect}"]
        lines.append("timeout 10s latency 1s median, 1s p95")
        if effect != "pure":
            lines.append(f"succeeds {ok} accuracy {right}")
        if effect == "write":
            lines.append("idempotent")
        if cost:
            lines.append(f"cost {cost}")
        world.append(f"tool {tool}(x: {TEXT}) -> A {{ {' '.join(lines)} }}")
    world.append(f"memory notes(key: {TEXT}) -> {TEXT} {{ keeps 24h }}")
    files = {
        path: "".join(f'{{"confidence": {c}, "correct": {str(r).lower()}}}\n' for c, r in rows)
        for path, rows in m.files.items()
    }
    return "\n\n".join([*world, *m.texts, *pipelines]) + "\n", files
