"""Conditions written by hand, each of a kind that a decider once got wrong or left open, by what is
to be said of `never act when true` where a call of `act` stands behind the condition.
"""

from __future__ import annotations

HEAD = """
tool act(x: int = 0) { python "t:act" effect write permit "a" timeout 5s idempotent }
enum Kind { low "Low!" mid high "2-high" }
type Inner { p "is-p": bool?  q: int }
type Item { amount "n": money  n "amount": int  v: int? }
type Thing { b: bool  k "the kind": Kind?  i "inner": Inner  items: [Item] max 3 }
patterns digits { "^[0-9]+$" }
fn f(n: int) -> int = if n == 1 then 1 else if n == 2 then 2 else if n == 3 then 3
  else if n == 4 then 4 else if n == 5 then 5 else if n == 6 then 6 else if n == 7 then 7 else 8
fn g(a: int, b: int, c: int) -> int = f(a) * 100 + f(b) * 10 + f(c)
fn third(m: money) -> money = m / 3
fn rank(k: Kind) -> int = match k { low => 1 mid => 2 high => 3 }
"""


def program(inputs: str, condition: str) -> str:
    return f"""{HEAD}
pipeline main({inputs}) -> int {{
  permits "a"
  let so = {condition}
  when so {{ step s = call act() else fail "x" }}
  return 1
}}
prove main: never act when true
"""


PROVED = [
    ("x: number", "x == 0.1 + 0.2 and x != 0.3"),
    ("x: number", "x == 0.0 and -x != x"),
    ("j: json", "j.x == j.y and j.x == true and j.y == 1"),
    ("j: json", "j.x == j.y and j.y == true and not (j.x == true)"),
    (
        "ks: [decision Kind] max 3",
        "any(k.confidence < 80% for k in ks) and all(k.confidence >= 80% for k in ks)",
    ),
    ("a: int?, b: int?", "a == b and not (a?) and (b?)"),
    ("j: json", "j.x == true and j.x == 1"),
    ("j: json", "j.x == j.y and not (j.x?) and (j.y?)"),
    ("j: json, o: bool?", "j.x == o and not (j.x?) and (o?)"),
    ("t: Thing", "t.k == high and t.k == low"),
    ("t: Thing", "t.k == high and not (t.k?)"),
    ("xs: [int] max 3", "any(x > 5 for x in xs) and len(xs) == 0"),
    ("xs: [int] max 30", "any(x > 5 for x in xs) and len(xs) == 0"),
    ("xs: [int] max 30", "not all(x > 0 for x in xs) and xs == []"),
    ("xs: [int] max 30", "sum(xs) > 0 and xs == []"),
    ("xs: [int] max 30, ys: [int] max 30", "len(xs + ys) != len(xs) + len(ys)"),
    ("xs: [int] max 30", "len([x for x in xs if x > 0]) > len(xs)"),
    ("xs: [int] max 30", "len([x * 2 for x in xs]) != len(xs)"),
    ("xs: [int] max 30", "(min(xs)?) and xs == []"),
    ("xs: [int] max 30", "not (max(xs)?) and len(xs) > 0"),
    (
        "xs: [int] max 30, ys: [int] max 30, n: int",
        "n in xs + ys and not (n in xs) and not (n in ys)",
    ),
    ("xs: [int] max 3, n: int", "n in [x for x in xs if x > 3] and n <= 3"),
    ("xs: [int] max 3", "sum(xs) == 7 and len(xs) == 1 and xs[0] == 3"),
    ("xs: [int in 0..2] max 3", "sum(xs) > 6"),
    ("a: int, b: int", "sum([a, b]) != a + b"),
    ("n: int in 0..1000", "n * $0.10 + $0.10 != (n + 1) * $0.10"),
    (
        "n: int in 0..1000, m: int in 0..1000",
        "sum([n * $0.10, m * $0.25]) != n * $0.10 + m * $0.25",
    ),
    ("x: int in 0..100", "x / 4 * 4 != x"),
    ("b: bool", "sum([if b then $0.10 else $0.20, $0.30]) > $0.50"),
    ("m: money", "m < $0 and m * 2 > $0"),
    ("d: duration", "d * 2 < d and d >= 0s"),
    ("t: time, u: time", "t < u and u < t"),
    ("a: int, b: int, c: int", "g(a, b, c) == 111 and g(a, b, c) == 118"),
    ("a: int, b: int, c: int", "g(a, b, c) > 888"),
    ("k: Kind", "rank(k) > 3"),
    ("t: text", 't == "12" and not (t matches digits)'),
    ("t: text", 't == "ab" and t matches digits'),
    ("m: {text: int}", 'm["k"] == 1 and not ("k" in m)'),
    ("x: number, y: number", "min(x, y) > x"),
    ("x: number, y: number", "min([x, y]) == x and y < x"),
    ("xs: [int] max 9", "len(first(xs, 2)) > 2"),
    ("xs: [int] max 3, ys: [int] max 3", "xs == ys and xs[0] != ys[0]"),
    ("xs: [int] max 3", "xs == [1, 2] and xs[1] == 1"),
    ("zs: [int?] max 3", "zs == [none] and len(zs) == 0"),
    ("xs: [int] max 3", "len(xs) == 1 and not (xs[0]?)"),
    ("ts: [Item] max 2", "any(t.n > 3 for t in ts) and all(t.n < 2 for t in ts)"),
    ("ts: [Item] max 2", "any((t.v?) for t in ts) and ts == []"),
    ("t: Thing", "sum(i.n for i in t.items) > 5 and all(i.n < 2 for i in t.items)"),
    ("x: int in 0..10, y: int in 0..10", "x * y == 101"),
    ("x: int, y: int", "min(x, y, 3) == 4"),
    ("a: int, b: int", "a < b and b < a"),
    ("x: int, xs: [int] max 9", "x in xs and xs == []"),
    ("t: text max 2 tokens", "len(t) == 1001"),
    ("n: int", "n in [1, 2] + [3] and n > 3"),
    ("ns: [number] max 3", "sum(ns) > 0.0 and ns == []"),
    ("a: int, b: int", "a + b > 5 and a < 2 and b < 2"),
    ("t: text", 't == "a" and t == "b"'),
    ("t: text, u: text", "t == u and len(t) > len(u)"),
    ("os: [bool] max 2", "any(os) and all(not o for o in os)"),
    ("j: json, k: Kind", "j.x == k and k == low and j.x == 3"),
    ("xs: [int] max 3", "all(x > 5 for x in xs) and xs[0] == 5"),
    ("n: int in 0..10", "0.1 * n + 0.2 * n != 0.3 * n"),
    (
        "b: bool, xs: [int] max 2, ys: [int] max 2",
        "b and 5 in (if b then xs else ys) and all(x != 5 for x in xs)",
    ),
    (
        "ts: [Item] max 2, us: [Item] max 3",
        "ts == us and sum(t.n for t in ts) != sum(u.n for u in us)",
    ),
    ("os: [bool?] max 2", "any((o?) and o for o in os) and all(not (o?) or not o for o in os)"),
]
REFUTED = [
    ("x: number", "x == 0.1 + 0.2 and x == 0.3"),
    ("x: number", "x == 0.1 and x + 0.2 == 0.3"),
    ("n: int", "n == 1 and 1.0 / 7 * 7 == 1.0"),
    ("a: int?, b: int?", "a == b and not (a?) and not (b?)"),
    ("a: bool?, b: bool?", "not (a == b) and not (a?)"),
    ("j: json, o: bool?", "j.x == o and not (j.x?)"),
    ("j: json", "not (j.x?)"),
    ("j: json", "(j.x?) and not (j.x == true) and not (j.x == false)"),
    ("j: json, n: int", "j.x == n and n == 2"),
    ("j: json, k: Kind", "j.x == k and k == low"),
    ("t: Thing", "(t.k?) and t.k == high and t.i.p == true"),
    ("t: Thing", "not (t.i.p?) and not t.b"),
    ("xs: [int] max 3, n: int", "n in [x for x in xs if x > 3] and n <= 4"),
    ("xs: [int] max 3", "any(x > 5 for x in xs) and not all(x > 5 for x in xs)"),
    ("xs: [int] max 3", "sum(xs) == 7 and len(xs) == 2 and xs[0] == 3"),
    ("xs: [int in 0..2] max 3", "sum(xs) == 6"),
    ("m: money", "sum([m, m]) != m + m"),
    ("x: int in 0..100", "x / 3 * 3 != x"),
    ("m: money", "third(m) + third(m) + third(m) < m"),
    ("x: number", "x + 0.1 <= x"),
    ("a: int, b: int, c: int, d: int", "g(a, b, c) == 111 and g(a, b, d) == 118"),
    ("a: int, b: int, c: int", "g(a, b, c) == 888"),
    ("t: text", 't == "12" and t matches digits'),
    ("t: text", "t matches digits"),
    ("xs: [int] max 3", "xs == [1, 2]"),
    ("zs: [int?] max 3", "len(zs) == 1 and not (zs[0]?)"),
    ("ts: [Item] max 2, m: money", "sum(t.amount for t in ts) == m and m == $3"),
    ("ts: [Item] max 2", "any((t.v?) and t.v > 2 for t in ts)"),
    ("x: int in 0..10, y: int in 0..10", "x * y == 11 or x * y == 12"),
    ("n: int", "n in [1, 2] + [3] and n > 2"),
    ("b: bool?", "(b?) and not b"),
    ("x: number", "0.1 * x + 0.2 * x != 0.3 * x"),
    ("ts: [Item] max 2, us: [Item] max 3", "ts == us and sum(t.amount for t in ts) == $7"),
    ("js: [json] max 2", "any(e == 1 for e in js) and not any(e == true for e in js)"),
]
UNDECIDED = [
    ("m: {text: int}", 'm["k"] == 1'),
    ("x: number, n: int", "x == n and n > 9007199254740993"),
]
