"""Files that are written as a whole or not at all: a full disk takes nothing that was there."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile


def write_whole(path: str, data: bytes) -> None:
    """Write a file, new or in the place of an old one whose mode it keeps; a link stays a link.
    What is no file (a device, a pipe) is written to, and so is a file in a folder that takes no new
    one. Raises OSError, and leaves what was there then.
    """
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and (not stat.S_ISREG(mode) or not os.access(target, os.W_OK)):
        _write(target, data)
        return
    try:
        handle, beside = tempfile.mkstemp(prefix=".pipelang-", dir=os.path.dirname(target))
    except PermissionError:
        _write(target, data)
        return
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(beside, _mode_of_new() if mode is None else mode & 0o7777)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _write(target: str, data: bytes) -> None:
    with open(target, "wb") as file:
        file.write(data)


def _mode_of_new() -> int:
    """The mode of a new file: what the user's mask leaves."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
