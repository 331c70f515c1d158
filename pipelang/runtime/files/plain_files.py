"""Files that are read: plain ones, and nothing that waits or never ends, such as a pipe or a device
that somebody put in their place.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_plain(path: Path) -> BinaryIO:
    """Open a file to be read. Raises OSError, also for what is no plain file."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        must_be_plain(descriptor)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_plain(path: Path) -> bytes:
    """The bytes of a plain file. Raises OSError."""
    with open_plain(path) as file:
        return file.read()


def must_be_plain(descriptor: int) -> None:
    """Raise OSError if what is open is no plain file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError("it is no plain file")
