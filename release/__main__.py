"""Makes `dist` anew: `python -m release`, with `--no-tries` without the empty environments."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from pipelang.version import __version__
from release.artifacts import REPO, NotReproducible, epoch, sha256, twice
from release.sbom import sbom
from release.tries import pythons, tried


def main() -> int:
    line = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    line.add_argument("--no-tries", action="store_true", help="skip the empty environments")
    asked = line.parse_args()
    dist = REPO / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    time = epoch()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        try:
            built = twice(REPO, dist, work, time)
        except (NotReproducible, RuntimeError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print(f"built twice, the same bytes: {', '.join(file.name for file in built)}")
        words = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built)]
        if subprocess.run(words, check=False).returncode:
            return 1
        bill = dist / f"pipelang_dsl-{__version__}.cdx.json"
        bill.write_text(sbom(built, project, __version__, int(time)), encoding="utf-8")
        every = [*built, bill]
        sums = "".join(f"{sha256(file)}  {file.name}\n" for file in every)
        (dist / "SHA256SUMS").write_text(sums, encoding="utf-8")
        print(sums, end="")
        if asked.no_tries:
            return 0
        return _try(next(file for file in built if file.suffix == ".whl"), work)


def _try(wheel: Path, work: Path) -> int:
    failed = 0
    for version, python in pythons():
        place = work / version
        place.mkdir()
        wrong = "" if python is None else tried(wheel, python, place)
        said = "not on this machine" if python is None else wrong or "installs and works"
        print(f"Python {version}: {said}")
        failed |= bool(wrong)
    return failed


if __name__ == "__main__":
    sys.exit(main())
