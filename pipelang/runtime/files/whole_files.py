"""Files that are written as a whole or not at all: a full disk takes nothing that was there."""

from __future__ import annotations

import contextlib
import os
import stat


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
    if mode is None or (stat.S_ISREG(mode) and os.access(target, os.W_OK)):
        with contextlib.suppress(PermissionError):
            _put(target, data, mode)
            return
    with open(target, "wb") as file:
        file.write(data)


def replace_whole(path: str, data: bytes) -> None:
    """Write a file that is there anew, keeping its mode; a link stays a link. Raises OSError if the
    file is write-protected or its folder does not take a new one.
    """
    target = os.path.realpath(path)
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "it is write-protected")
    _put(target, data, os.stat(target).st_mode)


def _put(target: str, data: bytes, mode: int | None) -> None:
    """Write beside a file, and move that into its place. Without a mode it is that of new files."""
    beside = os.path.join(os.path.dirname(target), f".pipelang-{os.urandom(8).hex()}")
    first = 0o666 if mode is None else mode & 0o777

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, first)

    try:
        with open(beside, "xb", opener=opener) as file:
            file.write(data)
        if mode is not None:
            os.chmod(beside, mode & 0o7777)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
