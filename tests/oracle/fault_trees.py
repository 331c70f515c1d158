"""Fault trees as the Open-PSA format writes them, and SCRAM, which works out their probability."""

from __future__ import annotations

import functools
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as XML

HOW = "no scram: on Debian and Ubuntu, `apt-get install scram` gets it"


@functools.cache
def scram() -> str | None:
    """The command, where it is installed."""
    return shutil.which("scram")


@dataclass
class Tree:
    """A fault tree being written: gates by name, basic events by probability."""

    gates: dict[str, XML.Element] = field(default_factory=dict)
    events: dict[str, float] = field(default_factory=dict)

    def gate(self, name: str, kind: str, inputs: list[str], least: int = 0) -> None:
        gate = XML.Element("define-gate", name=name)
        formula = gate  # of one input, the gate is that input
        if len(inputs) > 1:
            formula = XML.SubElement(gate, kind, {"min": str(least)} if least else {})
        for one in inputs:
            XML.SubElement(formula, "gate" if one in self.gates else "event", name=one)
        self.gates[name] = gate

    def probability(self, folder: Path) -> float:
        """Of the gate that was made last."""
        model = XML.Element("opsa-mef")
        tree = XML.SubElement(model, "define-fault-tree", name="f")
        tree.extend(reversed(self.gates.values()))
        data = XML.SubElement(model, "model-data")
        for name, chance in self.events.items():
            event = XML.SubElement(data, "define-basic-event", name=name)
            XML.SubElement(event, "float", value=repr(chance))
        path = folder / "tree.xml"
        XML.ElementTree(model).write(path, encoding="utf-8", xml_declaration=True)
        found_at = scram()
        assert found_at is not None
        command = [found_at, "--bdd", "--probability", "true", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        last = list(self.gates)[-1]  # a step that nobody reads is a top of its own
        found = XML.fromstring(done.stdout).find(f".//sum-of-products[@name='{last}']")
        assert found is not None
        return float(found.attrib["probability"])
