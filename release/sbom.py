"""Writes what pipelang rests on as a software bill of materials, in CycloneDX 1.6.

Versions and licences are those of the environment that builds, which has what `constraints.txt`
pins. What every installation gets is `required`, what only an extra brings is `optional`;
what of the latter is not installed here stands without a version. Markers are those of this
machine: another system or Python may leave out or add one or the other.
"""

from __future__ import annotations

import datetime
import importlib.metadata as installed
import json
import sys
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.artifacts import sha256

PACKAGE = "pipelang-dsl"
DEVELOPING = {"dev", "docs", "test"}
"""Extras for those who work on pipelang; nothing of them is at work where it is used."""


def sbom(artifacts: Iterable[Path], project: dict[str, Any], version: str, epoch: int) -> str:
    """The bill of a project's tables (`[project]` of pyproject.toml) as JSON, for its artifacts."""
    hashes = [{"alg": "SHA-256", "content": sha256(file)} for file in sorted(artifacts)]
    extras = {
        name: one
        for name, one in project.get("optional-dependencies", {}).items()
        if name not in DEVELOPING
    }
    required = closure(project["dependencies"])
    optional = closure([one for found in extras.values() for one in found])
    components = [
        component(name, "required" if name in required else "optional")
        for name in sorted({*required, *optional})
    ]
    root = f"pkg:pypi/{PACKAGE}@{version}"
    every = {**optional, **required}
    edges = {purl(name): sorted(map(purl, found)) for name, found in every.items()}
    direct = {*map(_name, project["dependencies"])} | {
        _name(one) for found in extras.values() for one in found
    }
    edges[root] = sorted(purl(name) for name in direct if name in every)
    time = datetime.datetime.fromtimestamp(epoch, datetime.UTC)
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([root, hashes]))}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "library",
                "bom-ref": root,
                "name": PACKAGE,
                "version": version,
                "description": project["description"],
                "licenses": [{"expression": project["license"]}],
                "purl": root,
                "hashes": hashes,
            },
            "properties": [
                {"name": "pipelang:python", "value": "{}.{}".format(*sys.version_info)},
                {"name": "pipelang:platform", "value": sys.platform},
            ],
        },
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": found} for ref, found in sorted(edges.items())],
    }
    return json.dumps(bill, indent=2, ensure_ascii=False) + "\n"


def closure(requirements: Iterable[str]) -> dict[str, set[str]]:
    """What requirements bring, each with what it brings itself as far as it is installed."""
    found: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    left = [Requirement(one) for one in requirements]
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        if name == PACKAGE:
            continue  # an extra made of others of our own: those are asked for by themselves
        brings = found.setdefault(name, set())
        for extra in ("", *sorted(one.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for next_one in _required(name, extra):
                brings.add(canonicalize_name(next_one.name))
                left.append(next_one)
    return found


def _required(name: str, extra: str) -> Iterator[Requirement]:
    for line in (installed.requires(name) if version_of(name) else None) or []:
        one = Requirement(line)
        applies = one.marker is None or one.marker.evaluate({"extra": extra})
        without = one.marker is None or one.marker.evaluate({"extra": ""})
        if applies and (not extra or not without):
            yield one


def component(name: str, scope: str) -> dict[str, Any]:
    """The entry of a package."""
    version = version_of(name)
    entry: dict[str, Any] = {"type": "library", "bom-ref": purl(name), "name": name}
    if version:
        entry["version"] = version
    entry |= {"scope": scope, "purl": purl(name)}
    licences = _licences(installed.metadata(name)) if version else []
    if licences:
        entry["licenses"] = licences
    return entry


def _licences(about: Any) -> list[dict[str, Any]]:
    expression = about.get("License-Expression")
    if expression:
        return [{"expression": expression}]
    named = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    told = (about.get("License") or "").strip().splitlines()
    if not named and told and len(told[0]) < 80:
        named = [told[0]]
    return [{"license": {"name": name}} for name in sorted(named)]


def purl(name: str) -> str:
    """The package URL of a package, with its version where it is installed."""
    version = version_of(name)
    return f"pkg:pypi/{name}@{version}" if version else f"pkg:pypi/{name}"


def version_of(name: str) -> str | None:
    """The version of a package that is installed here, None if it is not."""
    try:
        return installed.version(name)
    except installed.PackageNotFoundError:
        return None


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
