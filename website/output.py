"""Runs commands of pipelang in this process and takes what they print."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator

from pipelang.interfaces.cli.main import main
from website.pages import REPO


@contextlib.contextmanager
def plain_terminal(columns: int = 96) -> Iterator[None]:
    """Work at the repository's top, without colours, for a screen of this width."""
    wanted = {"NO_COLOR": "1", "COLUMNS": str(columns), "PIPELANG_NO_CACHE": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    folder = os.getcwd()
    os.environ.update(wanted)
    os.chdir(REPO)
    try:
        yield
    finally:
        os.chdir(folder)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def printed(*words: str, code: int = 0) -> str:
    """What `pipelang WORDS` prints in the repository. Raises ValueError if it ends otherwise."""
    out = io.StringIO()
    with plain_terminal(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        ended = main(list(words))
    if ended != code:
        raise ValueError(f"pipelang {' '.join(words)} ended with {ended}:\n{out.getvalue()}")
    return out.getvalue()
