"""A small program that is served in tests: something quick, something slow, and people."""

from __future__ import annotations

from pathlib import Path

PROGRAM = '''\
role clerk {
  people 3
}

role signer {
  people           1
  must_differ_from clerk
}

setting limit: money in $10..$500 = $50

type Opinion {
  fair: bool
  why:  text max 40 tokens
}

tool echo(what: text) -> text max 400 tokens {
  python   "desk_tools:echo"
  effect   read
  timeout  2s
  succeeds 99.9%
}

tool nap(seconds: number) -> text max 20 tokens {
  python   "desk_tools:nap"
  effect   read
  timeout  60s
  succeeds 99.9%
}

tool pay(amount: money) -> text max 20 tokens {
  python   "desk_tools:pay"
  effect   write
  idempotent
  permit   "money.pay"
  timeout  2s
  succeeds 99.9%
}

tool weigh(paper: document) -> int {
  python   "desk_tools:weigh"
  effect   read
  timeout  2s
  succeeds 99.9%
}

prompt judge(why: text) """A customer wants money back: {{ why }}. Is that fair?"""

## Says what it is told.
pipeline say(what: text max 400 tokens) -> text max 400 tokens {
  step said = call echo(what) else fail "nothing said"

  return said
}

## Sleeps.
pipeline rest(seconds: number = 0.0) -> text max 20 tokens {
  step slept = call nap(seconds) else fail "no sleep"

  return slept
}

## Says how heavy a document is.
pipeline weight(paper: document) -> int {
  step found = call weigh(paper) else fail "not weighed"

  return found
}

## Pays a refund, after a clerk signed it.
pipeline refund(amount: money in $0..$500) -> text max 20 tokens {
  permits "money.pay"

  approve signed by clerk when amount > limit within 1h showing amount
    else escalate to clerk "not signed"

  step receipt = call pay(amount) else fail "not paid"

  return receipt
}

## Asks a clerk, and somebody else to sign.
pipeline opinion(why: text max 200 tokens) -> Opinion {
  step found: Opinion = ask judge(why) by clerk else escalate to clerk "nobody answered"

  approve signed by signer within 1h showing found
    else reject "not signed"

  return found
}
'''

TOOLS = """\
import asyncio
import os
from pathlib import Path


def echo(what):
    return what


async def nap(seconds):
    await asyncio.sleep(seconds)
    return "awake"


def weigh(paper):
    return paper.size


def pay(amount, idempotency_key):
    effects = os.environ.get("EFFECTS")
    if effects:
        with Path(effects).open("a") as file:
            file.write(f"{idempotency_key}\\n")
    return f"paid ${amount}"
"""


def write_desk(folder: Path) -> Path:
    """The program and its tools in a folder; the path of the program."""
    (folder / "desk_tools.py").write_text(TOOLS, encoding="utf-8")
    file = folder / "desk.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    return file
