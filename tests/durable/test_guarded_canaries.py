"""A canary in front of a real worker: the worker's own beat takes it back, the next run has it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pipelang
from pipelang.runtime.durable import listing
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import Submission, submit
from pipelang.runtime.durable.versions import releases

from ..warm import command_text, start

DESK = """
role desk {{ people 1 }}

pipeline main(x: int in 0..99) -> int {{
  gate small: x < {most} else escalate to desk "too much"
  return x
}}
"""


def test_a_workers_own_beat_takes_a_canary_back(url: str, tmp_path: Path) -> None:
    """A fifth escalates with what is out, three fifths with the canary. Nobody says anything: the
    worker finds it, and the run that is submitted next is of the version before.
    """
    file = tmp_path / "desk.pipe"

    def release(most: int, version: str, *more: str) -> str:
        file.write_text(DESK.format(most=most), encoding="utf-8")
        words = ["release", str(file), "--store", url, "--as", version, "--for", "tests"]
        made = command_text(*words, "--by", "ada", *more, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        return pipelang.load(file).hash

    def run_of(x: int, key: str) -> Submission:
        return Submission(pipeline="main", program=second, input={"x": x}, key=key)

    first = release(80, "v1")
    second = release(40, "v2", "--canary", "50%", "--guard", "escalation")
    worker = start(
        "worker", file, "--store", url, "--no-cache", cwd=tmp_path, log=tmp_path / "worker.log"
    )
    store = Store.open(url)
    try:
        given = [submit(store, run_of(n % 100, f"k{n}")) for n in range(240)]
        ended = listing.wait_for(store, given, 120)
        assert ended is not None, (tmp_path / "worker.log").read_text(encoding="utf-8")
        assert {row["program"] for row in ended} == {first, second}
        until = time.monotonic() + 90
        while releases.find(store, "main", "v2").state != releases.ROLLED_BACK:
            assert time.monotonic() < until, (tmp_path / "worker.log").read_text(encoding="utf-8")
            time.sleep(0.05)
        began = time.process_time()
        after = submit(store, run_of(50, "next"))
        assert time.process_time() - began < 1.0
        found = listing.wait_for(store, [after], 60)
        assert found is not None
        row = found[0]
        assert (row["program"], row["status"]) == (first, "answered")
        entry = releases.log(store)[0][-1]
        assert (entry.act, entry.by) == ("rolled back", "pipelang:guard")
        assert "escalation is worse" in entry.why
    finally:
        store.close()
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
