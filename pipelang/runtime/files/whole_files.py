"""Files that are written as a whole or not at all: a full disk takes nothing that was there."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator


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
            if mode is None:
                put(target, data)
            else:
                _put_in_place_of(target, data, mode)
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
    _put_in_place_of(target, data, os.stat(target).st_mode)


def put(
    target: str | os.PathLike[str],
    data: bytes,
    created: int = 0o666,
    mode: int | None = None,
    flushed: bool = False,
) -> None:
    """Write beside a file and move that into its place: who reads sees the old or the new one.

    It is `created` with this mode, of which the user's mask takes its part, and has `mode` in the
    end, if one is given. `flushed`: it is on the disk before it is in its place. A link is
    replaced. Raises OSError, and leaves what was there then.
    """
    with moved_into_place(target, flushed) as beside:
        with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, created)) as file:
            file.write(data)
        if mode is not None:
            os.chmod(beside, mode)


@contextlib.contextmanager
def moved_into_place(target: str | os.PathLike[str], flushed: bool = False) -> Iterator[str]:
    """The path of a file that is not there yet, beside another: what is written into it is moved
    into the place of that one, if nothing is raised; else it is deleted. `flushed`: it is on the
    disk before. Raises OSError.
    """
    beside = os.path.join(os.path.dirname(target), f".pipelang-{os.urandom(8).hex()}")
    try:
        yield beside
        if flushed:
            _flush(beside)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _flush(path: str) -> None:
    """Have a file be on its disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _put_in_place_of(target: str, data: bytes, mode: int) -> None:
    """Put a file in the place of one of this mode. Nobody reads it meanwhile who may not."""
    put(target, data, created=mode & 0o777, mode=mode & 0o7777)
