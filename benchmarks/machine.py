"""What the numbers were taken on, and of what."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from benchmarks.peers import ROOT, VERSIONS


def described() -> dict[str, str]:
    """Machine, system, Python, and the state of this repository."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f"{os.getloadavg()[1]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "processor": f"{_processor()}, {cores} cores",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": f"{load} processes wanted to run, in the mean of the last five minutes",
        "Node": _said("node", "--version") or "none",
        "pipelang": _said("git", "-C", str(ROOT), "describe", "--always", "--dirty") or "unknown",
        "peers": ", ".join(f"{name} {version}" for name, version in sorted(VERSIONS.items())),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def _said(*words: str) -> str:
    if shutil.which(words[0]) is None:
        return ""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() if not done.returncode else ""
