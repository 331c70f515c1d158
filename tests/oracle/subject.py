"""The one place where the oracle touches the product: `check`, `compile --to prism`, in process."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any


def whole_report(path: Path) -> dict[str, Any]:
    """The report of `pipelang check --format json PATH`."""
    # Imported late, so that the oracle and its own tests run without any product.
    check = importlib.import_module("pipelang.interfaces.cli.check.report")
    report: dict[str, Any] = check.check_report([str(path)])
    return report


def analyse(path: Path) -> dict[str, Any]:
    """`report["pipelines"]` of the same."""
    report = whole_report(path)
    pipelines: dict[str, Any] = report.get("pipelines") or {}
    if not pipelines:
        found = [f"{d['code']} line {d['line']}: {d['message']}" for d in report["diagnostics"]]
        raise AssertionError("no pipeline was analysed:\n  " + "\n  ".join(found))
    return pipelines


@dataclass(frozen=True)
class Exported:
    """A pipeline as PRISM text; `accuracies` are the constants behind each step's accuracy."""

    text: str
    accuracies: dict[str, list[str]]

    @property
    def unknown(self) -> list[str]:
        """The constants that the file leaves without a value."""
        return re.findall(r"^const double (\w+);", self.text, re.MULTILINE)

    def value(self, constant: str) -> Fraction:
        found = re.search(rf"^const double {constant} = ([^;]+);", self.text, re.MULTILINE)
        assert found is not None
        return Fraction(found[1])

    def opened(self, constants: list[str]) -> str:
        """The text with some constants left without a value."""
        text = self.text
        for name in constants:
            text = re.sub(rf"^(const double {name}) = [^;]+;", r"\1;", text, flags=re.MULTILINE)
        return text

    def given(self, values: dict[str, str]) -> str:
        """The text with a value for constants that had none."""
        text = self.text
        for name, value in values.items():
            text = text.replace(f"const double {name};", f"const double {name} = {value};")
        return text


def exported(path: Path) -> dict[str, Exported]:
    """The pipelines of a file in the PRISM language; without those that cannot be said in it."""
    prism = importlib.import_module("pipelang.interfaces.export.prism")
    disk = importlib.import_module("pipelang.interfaces.check.disk_loader")
    build = importlib.import_module("pipelang.semantics.build").build
    walk = importlib.import_module("pipelang.semantics.walk")
    program = build(str(path), disk.DiskLoader()).program
    found = {}
    for name, pipeline in program.pipelines.items():
        try:
            model = prism.model(program, name)
        except prism.NotExportable:
            continue
        words = set(re.findall(r"\w+", model.text))
        accuracies: dict[str, list[str]] = {}
        for item in walk.all_items(pipeline.block):
            for link in walk.inner_links(item.chain) if hasattr(item, "chain") else ():
                chances = [link.accuracy, *link.accuracy_by_tier.values()]
                names = {model.constants.named(chance) for chance in chances} & words
                known = accuracies.setdefault(item.name, [])
                known.extend(sorted(names - set(known)))
        found[name] = Exported(model.text, accuracies)
    return found
