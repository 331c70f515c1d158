"""Builds the playground: `python -m website.playground [FOLDER]`, into build/playground else."""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

from website.pages import REPO
from website.playground.build import build
from website.playground.sources import SourceMissing


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m website.playground", description=__doc__)
    asked.add_argument("folder", nargs="?", type=Path, default=REPO / "build" / "playground")
    target = asked.parse_args().folder
    try:
        build(target, REPO / "build" / "cache")
    except SourceMissing as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    sizes = {
        file.relative_to(target).as_posix(): file.read_bytes()
        for file in sorted(target.rglob("*"))
        if file.is_file()
    }
    packed = {name: len(gzip.compress(data, 6)) for name, data in sizes.items()}
    for name, data in sizes.items():
        print(f"{len(data) / 1e6:7.2f} MB  {packed[name] / 1e6:6.2f} MB  {name}")
    total = sum(map(len, sizes.values())) / 1e6
    print(f"{total:7.2f} MB  {sum(packed.values()) / 1e6:6.2f} MB  in all: as it lies, and by gzip")
    print(f"look at it: {Path(sys.executable).name} -m http.server --directory {target} 8001")
    return 0


if __name__ == "__main__":
    sys.exit(main())
