"""The process that works numbers out, started as a module by `background`.

It reads jobs from standard input, a line of JSON each, and answers on standard output the same way.
Every job is done by a fork of this process, which has everything imported already and, from the
second job on, has worked out a program before: the server may kill the fork at any time (its number
comes first), and nothing of a job is left behind. Where there is no fork, the job is done here, and
the server kills the whole process.

Nothing of a workspace is imported or run: tools are looked for in texts alone.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import Any


def main() -> int:
    """Answer jobs until standard input ends."""
    from pipelang.interfaces.language_server.analysis.job import prepare

    # What a job prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    _be_polite()
    prepare()
    try:
        return _answer(answers)
    except BrokenPipeError:  # the server is gone
        return 0


def _answer(answers: Any) -> int:
    from pipelang.interfaces.language_server.analysis.job import do, practise

    practised = False
    for line in sys.stdin.buffer:
        job = json.loads(line)
        _enter(job["folder"])
        if not hasattr(os, "fork"):
            _tell(answers, {"id": job["id"], "pid": os.getpid()})
            for answer in do(job, partial(_tell, answers)):
                _tell(answers, answer)
            _tell(answers, {"id": job["id"], "end": True})
            continue
        child = os.fork()
        if not child:
            code = 1
            try:
                for answer in do(job, partial(_tell, answers)):
                    _tell(answers, answer)
                code = 0
            finally:
                os._exit(code)
        _tell(answers, {"id": job["id"], "pid": child})
        if not practised:  # beside the first job, which is not kept waiting for it
            practised = True
            practise()
        _, status = os.waitpid(child, 0)
        _tell(answers, {"id": job["id"], "end": True, "failed": status != 0})
    return 0


def _tell(answers: Any, answer: dict[str, Any]) -> None:
    data = json.dumps(answer, separators=(",", ":")).encode() + b"\n"
    while data:
        data = data[answers.write(data) :]


def _enter(folder: str) -> None:
    """Work in the folder of a job: it may have been deleted since the last one, and made anew."""
    try:
        os.chdir(folder)
    except OSError:  # it has just gone, and the files with it
        os.chdir(os.path.abspath(os.sep))


def _be_polite() -> None:
    """Whoever types comes first."""
    if hasattr(os, "nice"):
        os.nice(5)


if __name__ == "__main__":
    sys.exit(main())
