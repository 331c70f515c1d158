"""Builds the wheel and the sdist, so that the same sources give the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

_EVERY = ("-z", "--cached", "--others", "--exclude-standard")
REPO = Path(__file__).resolve().parents[1]


class NotReproducible(Exception):
    """Two builds of the same sources differ. The message names the files."""


def epoch() -> str:
    """The time that stands in the artifacts, in seconds: SOURCE_DATE_EPOCH or the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return given
    words = ["git", "-C", str(REPO), "log", "-1", "--format=%ct"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "1577836800"  # without git, the first of January 2020


def build(source: Path, target: Path, time: str) -> list[Path]:
    """Build the sdist and the wheel of the sources at `source` into `target`; their paths."""
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(source)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": time}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the build failed:\n{done.stdout}{done.stderr}")
    return sorted(target.iterdir())


def twice(source: Path, target: Path, work: Path, time: str) -> list[Path]:
    """Build into `target`, and once more elsewhere from a copy; the paths of the first.

    The copy has other times, another place and other rights. Raises NotReproducible.
    """
    target.mkdir(parents=True, exist_ok=True)
    copy = work / "a copy of it"
    wanted = (source / ".gitignore", source / "pyproject.toml")
    listed = subprocess.run(
        ["git", "-C", str(source), "ls-files", *_EVERY], capture_output=True, check=True
    ).stdout.decode()
    for name in {*filter(None, listed.split("\0")), *(file.name for file in wanted)}:
        file = source / name
        if file.is_file():
            place = copy / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
            place.chmod(0o600 | (file.stat().st_mode & 0o100))
    first = build(source, target, time)
    second = build(copy, work / "again", time)
    apart = [
        one.name for one, other in zip(first, second, strict=True) if sha256(one) != sha256(other)
    ]
    if apart:
        raise NotReproducible(f"built twice, these differ: {', '.join(apart)}")
    return first


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
