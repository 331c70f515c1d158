"""Builds the playground: the page, Pyodide, and pipelang with what it runs on, in one folder."""

from __future__ import annotations

import importlib.metadata
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from website.pages import REPO
from website.playground.sources import LIBRARIES, RUNTIME, library, pyodide

HERE = Path(__file__).parent
PURE = ("click", "jinja2", "markupsafe", "networkx")
"""What pipelang runs on, of which a page can take the Python files as they are."""

LEFT_OUT = {"tests", "__pycache__"}
OF_EXAMPLES = {".pipe", ".jsonl", ".j2", ".md", ".txt"}
EPOCH = (1980, 1, 1, 0, 0, 0)


def build(target: Path, cache: Path) -> Path:
    """Make the folder `target` anew; downloads are kept in `cache`. Raises SourceMissing."""
    cache.mkdir(parents=True, exist_ok=True)
    runtime = pyodide(cache)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(HERE / "page", target)
    (target / "pyodide").mkdir()
    for name in RUNTIME:
        shutil.copyfile(runtime / name, target / "pyodide" / name)
    for name in LIBRARIES:
        wheel = library(name, runtime, cache)
        shutil.copyfile(wheel, target / "pyodide" / wheel.name)
    pack(target / "inside.zip")
    return target


def pack(target: Path) -> None:
    """Write the zip of what is unpacked beside Python on the page, always with the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as held:
        for name, file in sorted(inside()):
            held.writestr(zipfile.ZipInfo(name, EPOCH), file.read_bytes(), zipfile.ZIP_DEFLATED)


def inside() -> Iterator[tuple[str, Path]]:
    """The files of that zip, with their places in it."""
    for file in _files(HERE / "inside"):
        place = file.relative_to(HERE / "inside").as_posix().removeprefix("stand_ins/")
        yield place, file
    for file in _files(REPO / "pipelang"):
        yield file.relative_to(REPO).as_posix(), file
    for folder in ("grammar", "stdlib"):
        for file in _files(REPO / folder):
            yield f"pipelang/_data/{file.relative_to(REPO).as_posix()}", file
    for file in _files(REPO / "examples"):
        within = file.relative_to(REPO / "examples")
        if file.suffix in OF_EXAMPLES and within.parts[1:2] != ("data",):
            yield f"examples/{within.as_posix()}", file
    for name in PURE:
        for packed in importlib.metadata.files(name) or []:
            file = Path(str(packed.locate()))
            if _wanted(packed) and file.suffix not in {".so", ".c", ".pyd"}:
                yield packed.as_posix(), file


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and _wanted(file.relative_to(folder)):
            yield file


def _wanted(path: Path | importlib.metadata.PackagePath) -> bool:
    return not LEFT_OUT & set(path.parts) and ".." not in path.parts
