"""Planted holes: pipelines with one flow that must be found, each with its twin that is sound.

`holes.txt` has them, `channels.txt` those by which data is told of without being passed on (and
what a gate really bounds), `told.txt` what a secret has picked, what is left of a budget, what
people write who send back, pictures and decisions, `again.txt` second rounds, and how many elements
a template goes through, `shown.txt` what templates read of lists. Each is written once:
`<<hole|mended>>` is where the two differ, `$NAME` stands for a piece that many share.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from pipelang.analysis.findings.verify import prove
from pipelang.diagnostics import Severity
from pipelang.semantics.build import build

from ....memory import MemoryLoader

NAMES = ("holes", "channels", "told", "again", "shown")
FILES = [Path(__file__).with_name(f"{name}.txt") for name in NAMES]

WORLD = '''
provider lab { available 99.9% }
tier opus { provider lab price $1 in, $5 out transient 1% context 50k tokens }
role staff { people 5 handles 4m responds 10m median, 1h p95 accuracy 98% }
patterns links { "https?://" }
enum Act { answer archive delete }
enum Level { gold plain }
type Mail {
  id:     text max 40 tokens
  order:  text max 40 tokens
  vip:    bool
  sender: private text max 40 tokens
  body:   untrusted text max 2k tokens
  tags:   [untrusted text max 20 tokens] max 5
  extra:  {text: untrusted text max 20 tokens} max 5
  token:  secret text max 20 tokens
  level:  secret Level
}
type Many {
  id: text max 9 tokens
  a: private text max 9 tokens
  b: private text max 9 tokens
  c: private text max 9 tokens
  d: private text max 9 tokens
  e: private text max 9 tokens
  f: private text max 9 tokens
}
type Draft { body: text max 500 tokens  title: text max 50 tokens  confidence: probability }
type Plan {
  act: Act
  flag: bool
  n: int
  few: int in 1..10
  much: money
  name: text max 50 tokens
  note: text? max 50 tokens
  acts: [Act] max 5
  names: [text max 20 tokens] max 5
}
type Order { id: text max 40 tokens  n: int }
type Box { open: text max 40 tokens  hidden: secret text max 40 tokens }
tool send(to: text, body: text) -> text max 10 tokens { effect irreversible }
tool delete(id: text) -> text max 10 tokens { effect irreversible }
tool pay(id: text, much: money) -> text max 10 tokens { effect irreversible }
tool take(id: text, n: int) -> text max 10 tokens { effect write }
tool take_few(id: text, n: int in 1..10) -> text max 10 tokens { effect write }
tool order(what: Order) -> text max 10 tokens { effect write }
tool keep(box: Box) -> text max 10 tokens { effect read }
tool lookup(q: untrusted text) -> untrusted text max 500 tokens { effect read }
tool crm(id: text) -> private text max 200 tokens { effect read }
tool login(t: secret text) -> text max 10 tokens { effect read }
tool sign_in(name: text, t: secret text) -> text max 10 tokens { effect read }
tool open_session(id: text) -> secret text max 10 tokens { effect read }
tool plain_session(id: text) -> text max 10 tokens { effect read }
prompt plain() """hi"""
prompt write(m: text) """{{ m }}"""
prompt again(m: text) """{{ m }} {{ feedback or "" }}"""
prompt both(a: text, b: text) """{{ a }} {{ b }}"""
prompt many(m: Many, h: text) """
  {{ m.a }}{{ m.b }}{{ m.c }}{{ m.d }}{{ m.e }}{{ m.f }}{{ h }}
"""
fn no_links(body: untrusted text) -> bool = not (body matches links)
fn code(body: untrusted text) -> bool python "checks:code"
fn score(body: untrusted text) -> number python "checks:score"
fn shorter(body: untrusted text) -> text python "checks:shorter"
memory notes(k: text max 40 tokens) -> text max 200 tokens { keeps 24h }
memory acts(k: text max 40 tokens) -> Act { keeps 24h }
memory kept(k: text max 40 tokens) -> int { keeps 24h }
tier top { provider lab price $2 in, $9 out transient 1% context 50k tokens }
type Pics {
  own: image
  free: image?
  frees: [image] max 3
  shot: untrusted image
  face: private image
  maybe: private image?
  faces: private [image] max 3
  hidden: secret image
  doc: untrusted document max 5 pages
  mine: document max 5 pages
}
type Priv {
  xs: private [text max 9 tokens] max 5
  ys: [text max 9 tokens] max 5
  ns: private [int in 0..9] max 5
  ms: [int in 0..9] max 5
  map: private {text: text max 9 tokens} max 5
  free_map: {text: text max 9 tokens} max 5
  js: private json
  free_js: json
}
tool post(pic: image) -> text max 10 tokens { python "a:b" effect write }
tool fetch(q: text) -> untrusted image { python "a:b" effect read }
tool fetch_own(q: text) -> image { python "a:b" effect read }
tool grade(p: probability) -> text max 10 tokens { effect write }
tool ping(t: text) -> text max 10 tokens { effect read }
tool look_up(q: text) -> text max 10 tokens { effect read }
tool is_admin(id: text) -> secret bool { effect read }
tool is_open(id: text) -> bool { effect read }
tool pure_one(t: text) -> text max 10 tokens { effect pure }
prompt see(p: image) """{{ p }}"""
prompt see_all(ps: [image] max 3) """{% for p in ps %}{{ p }}{% endfor %}"""
prompt read_doc(p: document) """{{ p }}"""
prompt loop_over(xs: [text max 9 tokens] max 5) """{% for x in xs %}.{% endfor %}"""
prompt counted(xs: [text max 9 tokens] max 5) """{% for x in xs %}{{ loop.index }}{% endfor %}"""
prompt branchy(m: text) """{% if m == "x" %}a{% else %}b{% endif %}"""
prompt set_it(m: text) """{% set y = m %}{{ y }}"""
prompt sys(m: text) { system """{{ m }}""" user """hi""" }
'''

PIECES = {
    "$SORTING": "pipeline sorting(m: Mail) -> Act { $ACT return a }",
    "$SURE": "{ catches 90% false_alarms 1% } else reject",
    "$PLAN": "step a: Plan = ask write(m.body) by opus",
    "$ACT": "step a: Act = ask write(m.body) by opus",
    "$DRAFT": "step d: Draft = ask write(m.body) by opus",
    "$DELETE": "step gone = call delete(m.id)",
    "$PROBE": 'pipeline probe(n: int) -> int { gate g: n < 3 else fail "no" return 1 }',
    "$WIPE": "pipeline wipe(id: text max 40 tokens) -> int { step s = call delete(id) return 1 }",
}

_TWO = re.compile(r"<<(.*?)\|(.*?)>>", re.DOTALL)
_WORD = re.compile(r"\w+")


@cache
def written() -> dict[str, str]:
    """The cases by their names, as they are written."""
    found = {}
    for file in FILES:
        for part in file.read_text("utf-8").split("--- ")[1:]:
            name, text = part.split("\n", 1)
            assert name not in found, name
            found[name] = text
    return found


def hole(name: str) -> str:
    """The file with the hole."""
    return whole(_TWO.sub(r"\1", written()[name]))


def mended(name: str) -> str:
    """The same file without it."""
    return whole(_TWO.sub(r"\2", written()[name]))


@cache
def _world() -> dict[str, str]:
    """The declarations of the world by their names."""
    parts = re.split(r"^(?=\w)", WORLD, flags=re.MULTILINE)[1:]
    return {_WORD.findall(part)[1]: part for part in parts}


@cache
def _named(text: str) -> frozenset[str]:
    """The declarations of the world that a text names, with those that these name."""
    found = frozenset(_WORD.findall(text)) & _world().keys()
    return found.union(*(_named(_world()[name]) for name in found if _world()[name] != text))


def whole(text: str) -> str:
    """A file of these pipelines, with what they name of the world that they all stand in: to read
    and elaborate all of it took most of the time of each case.
    """
    for name, piece in PIECES.items():
        text = text.replace(name, piece)
    needed = _named(text)
    return "\n".join(part for name, part in _world().items() if name in needed) + "\n" + text


def told(text: str) -> list[tuple[str, str]]:
    """The codes and messages of the errors of flow in a file that is otherwise right."""
    built = build("case.pipe", MemoryLoader({"case.pipe": text}))
    wrong = [one for one in built.diagnostics if one.is_error]
    assert built.program is not None, wrong
    assert not wrong, [(one.message, text[one.span.start :][:60]) for one in wrong if one.span]
    return sorted(
        (one.rule.code, one.message)
        for one in prove(built.program, ())[1]
        if one.rule.severity is Severity.ERROR and one.rule.code[:2] in ("P4", "P7")
    )
