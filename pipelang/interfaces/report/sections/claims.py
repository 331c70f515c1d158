"""The lines of `prove`: proved and by what, refuted, or not decided and why."""

from __future__ import annotations

from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed, plural
from pipelang.interfaces.text.table import Cell, Row, lay_out

_MARKS = {
    "proved": Cell("✓", "good"),
    "refuted": Cell("✗", "bad"),
    "undecided": Cell("?", "unsure"),
}


def claims(view: View) -> list[str]:
    """A row a claim; nothing if nothing is claimed. Paths are told with the findings."""
    mine = [proof for proof in view.proofs if proof.claim.pipeline == view.pipeline.name]
    if not mine:
        return []
    rows: list[Row] = []
    for proof in mine:
        if proof.verdict == "proved":
            said = "proved, nothing calls it" if proof.vacuous else "proved"
            said += f" by {listed(list(proof.by), 'and')}" if proof.by else ""
        elif proof.verdict == "refuted":
            said = f"refuted by a path of {plural(len(proof.path), 'step')}"
        else:
            said = f"not decided: {proof.why}"
        if proof.claimed_by:
            said += f", as claimed by {listed(list(proof.claimed_by), 'and')}"
        rows.append([_MARKS[proof.verdict], proof.claim.text, Cell(said, "dim")])
    lines = lay_out(rows, "<<<", view.paint, width=view.width, whole=True)
    if view.declassifies:
        told = listed([f"`{name}`" for name in view.declassifies], "and")
        lines += wrap(f"{told} may tell what is private (`-> public`)", view.width, 2)
    return [view.heading("Claims (prove)"), *lines]
