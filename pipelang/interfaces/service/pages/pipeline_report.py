"""The report of `check` on a pipeline that is served, in the shape that the page shows."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pipelang.interfaces.export.svg import without_style
from pipelang.records import dataclass, replace

if TYPE_CHECKING:
    from pipelang.interfaces.report.html.page import Report, Section
    from pipelang.interfaces.report.html.parts import Finding
    from pipelang.interfaces.service.deployment import Deployed


@dataclass(frozen=True, slots=True)
class Outlook:
    """The report of `check` on a pipeline, its people's load, and the findings in its file."""

    report: Report | None
    review: Section | None
    findings: tuple[Finding, ...]


_MADE: WeakKeyDictionary[Deployed, Outlook] = WeakKeyDictionary()


async def outlook_of(deployed: Deployed) -> Outlook:
    """The report on a pipeline, which is worked out once."""
    if deployed not in _MADE:
        _MADE[deployed] = await asyncio.to_thread(_report, deployed)
    return _MADE[deployed]


def _report(deployed: Deployed) -> Outlook:
    from pipelang.interfaces.report.html.page import pipeline_report, review_section
    from pipelang.interfaces.report.html.parts import finding

    checked, analysis = deployed.checked, deployed.analysis_result
    folders = {str(PurePath(name).parent) for name in (checked.path, *checked.sources)}
    shorter = Shortener(tuple(f"{one}/" for one in sorted(folders - {"."}, key=len, reverse=True)))
    findings = tuple(
        replace(one, place=shorter(one.place), message=shorter(one.message), help=shorter(one.help))
        for one in (finding(one, checked.sources) for one in checked.diagnostics)
    )
    if analysis is None:
        return Outlook(None, None, findings)
    made = pipeline_report(checked, analysis)
    sections = tuple(for_page(section, shorter) for section in made.sections)
    report = replace(made, place=shorter(made.place), sections=sections)
    return Outlook(report, review_section([checked]), findings)


@dataclass(frozen=True, slots=True)
class Shortener:
    """Takes the folders of files out of texts: where they lie is nothing for who looks at pages."""

    folders: tuple[str, ...]

    def __call__(self, text: str) -> str:
        for folder in self.folders:
            text = text.replace(folder, "")
        return text


def for_page(section: Section, shorter: Shortener) -> Section:
    """A section whose pictures take their style from the page."""
    pictures = tuple(
        replace(one, image=without_style(shorter(one.image)), words=shorter(one.words))
        for one in section.pictures
    )
    said = tuple(map(shorter, section.said))
    terms = tuple((term, shorter(meaning)) for term, meaning in section.terms)
    table = section.table
    if table is not None:
        rows = (tuple(replace(one, text=shorter(one.text)) for one in row) for row in table.rows)
        table = replace(table, rows=tuple(rows))
    return replace(section, pictures=pictures, said=said, terms=terms, table=table)
