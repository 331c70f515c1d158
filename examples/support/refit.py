"""Tells the way of bad ratings: negative examples, a re-fit, and a canary of the new version.

    python examples/support/refit.py

Everything happens in a folder that is thrown away. The re-fit is the simplest there is: what was
wrong and what would have been right go into the prompt of the replies.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # where run_example.py lies

import run_example  # noqa: E402

import pipelang  # noqa: E402

TOO_MANY = 20
STORE = ("--store", "sqlite:///runs.db")


def pipelang_says(folder: Path, *words: str) -> str:
    """The output of a command in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelang", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"pipelang {words[0]}: {done.stderr or done.stdout}")
    return done.stdout or done.stderr


def rate(state: Path) -> tuple[int, str]:
    """Ratings one after the other until a re-fit is due: how many, and who asks for it."""
    os.environ[run_example.STATE] = str(state)
    learn = pipelang.load(HERE / "support.pipe").pipeline("learn_from")
    ratings = list(run_example.lines(HERE / "data" / "ratings.jsonl"))
    for number, given in enumerate(ratings * 2, 1):
        result = learn.run_sync(**given)
        if isinstance(result, pipelang.Escalated):
            return number, f"{result.reason}: {result.text}"
    raise SystemExit("no re-fit is due")


def refitted(folder: Path, negatives: list[dict[str, Any]]) -> None:
    """Write what was wrong, and what would have been right, into the prompt of the replies."""
    prompt = folder / "prompts" / "answer.j2"
    text = prompt.read_text(encoding="utf-8")
    seen: dict[str, str] = {row["ticket"]: row["corrected"] for row in negatives}
    facts = "".join(f"- {one}\n" for one in dict.fromkeys(seen.values()))
    before, mark, after = text.partition("\nYour confidence is")
    said = f"\nColleagues corrected replies. What they wrote is right:\n{facts}"
    prompt.write_text(f"{before}{said}{mark}{after}", encoding="utf-8")


def story() -> list[str]:
    """The story, a line an event."""
    said = []
    with tempfile.TemporaryDirectory(prefix="pipelang-refit-") as name:
        folder = Path(name)
        shutil.copytree(HERE, folder / "support")
        ratings, asked = rate(folder / "state")
        said.append(f"{ratings} ratings, {TOO_MANY} of them below 3: {asked}")
        kept = folder / "state" / "pipelang-support" / "negative-examples.jsonl"
        negatives = list(run_example.lines(kept))
        work = folder / "support"
        said.append(
            pipelang_says(
                work, "release", "support.pipe", "handle_ticket", *STORE, "--as", "v1",
                "--for", "what runs today", "--by", "ada",
            )
        )  # fmt: skip
        pipelang_says(work, "evidence", "stamp", "evals/reply.jsonl")
        refitted(work, negatives)
        kept.rename(kept.with_name("fitted.jsonl"))
        said.append(f"{len(negatives)} corrected answers are in the prompt: counting starts anew")
        check = pipelang_says(work, "check", "support.pipe").splitlines()
        said += [
            f"{line} {after.strip()}" for line, after in itertools.pairwise(check) if "P530" in line
        ]
        said.append(
            pipelang_says(
                work, "release", "support.pipe", "handle_ticket", *STORE, "--as", "v2",
                "--for", "fewer ratings below 3", "--by", "ada", "--canary", "10%",
                "--guard", "escalation + 20%, failure",
            )
        )  # fmt: skip
        said.append(pipelang_says(work, "releases", "list", *STORE))
    return said


if __name__ == "__main__":
    for part in story():
        print(part.rstrip())
