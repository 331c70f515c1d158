"""Files and folders for their owner only: what runs leave may hold what people wrote."""

from __future__ import annotations

import os
from pathlib import Path

from pipelang.runtime.files.plain_files import must_be_plain
from pipelang.runtime.files.whole_files import put


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, with those above it that are missing; one that
    is there stays as it is. Raises OSError.
    """
    for above in reversed([folder, *folder.parents]):
        try:
            above.mkdir(mode=0o700)
        except FileExistsError:
            if not above.is_dir():
                raise
        except OSError:
            if not above.is_dir():  # a root that cannot be written, and is there
                raise


def append_line(path: Path, data: bytes) -> None:
    """Append whole lines to a private file, in one write. A line that a process left half written
    stays a line of its own. Raises OSError, also where only a part was written.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        must_be_plain(file)
        size = os.fstat(file).st_size
        if size:
            os.lseek(file, size - 1, os.SEEK_SET)
            if os.read(file, 1) != b"\n":
                data = b"\n" + data
        if os.write(file, data) != len(data):
            raise OSError(f"`{path}`: the disk took only a part of the line")
    finally:
        os.close(file)


def replace_file(path: Path, data: bytes) -> None:
    """Write a private file beside its place and move it there: who reads sees the old or the new
    one, whole. Raises OSError.
    """
    put(path, data, created=0o600)
