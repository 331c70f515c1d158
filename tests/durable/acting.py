"""The pipeline of the harness, and tools that write down from outside what they do."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

PIPE = """
tool put(x: text) -> text {
  python "acts:put"
  effect write idempotent cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
tool pay(x: text) -> text {
  python "acts:pay"
  effect irreversible cost $0.00002 latency 1ms median succeeds 99% timeout 20s
}
tool look(x: text) -> text {
  python "acts:look"
  effect read cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
role boss { people 1 handles 1m responds 1m median, 2m p95 accuracy 99% }
pipeline inner(x: text) -> text {
  budget $1, 600s
  step a = call put(x) else fail "none"
  step b = call pay(a) else fail "unpaid"
  return b
}
pipeline acts(x: text) -> text {
  budget $1, 600s
  step seen = call look(x) else "nothing"
  step first = call pay(seen) else fail "unpaid"
  step more: [text?] max 3 = each y in ["a", first, "c"] { call pay(y) } { need any } else fail "e"
  step last = run inner(first) else fail "inner"
  return last
}
pipeline asks(x: text) -> text {
  budget $1, 600s
  step first = call pay(x) else fail "unpaid"
  approve sure by boss within 1h showing first else reject "no"
  step second = call pay(first) else fail "unpaid"
  return second
}
"""

TOOLS = """
import os
import random
import time

SLOW = float(os.environ.get("SLOW", "0.05"))


def put(x: str, idempotency_key: str) -> str:
    return act("put", x, idempotency_key)


def pay(x: str, idempotency_key: str) -> str:
    return act("pay", x, idempotency_key)


def look(x: str) -> str:
    return f"seen {x}"


def act(tool: str, x: str, key: str) -> str:
    time.sleep(random.random() * SLOW)
    line = f"{tool} {key}\\n".encode()
    file = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)
    time.sleep(random.random() * SLOW)
    return f"{tool} {x}"
"""

KEYS = {
    "acts": ("first/0", "more/0", "more/1", "more/2", "last/a/0", "last/b/0"),
    "asks": ("first/0", "second/0"),
}


COSTS = {"pay": Decimal("0.00002"), "put": Decimal("0.00001")}


def write_into(folder: Path, text: str = PIPE) -> Path:
    """Write a program and its tools into a folder; the program's file."""
    (folder / "acts.py").write_text(TOOLS, encoding="utf-8")
    file = folder / "acts.pipe"
    file.write_text(text, encoding="utf-8")
    return file
