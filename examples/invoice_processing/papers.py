"""Writer of the invoices' papers: PDFs of lines of text, and one that is only a picture."""

from __future__ import annotations

from example_data import pdf


def printed(pages: list[list[str]]) -> bytes:
    """A PDF of pages with lines of text; a page without lines has a grey box, as a scan has."""
    return pdf([drawn(lines) for lines in pages], (595, 842), " /Encoding /WinAnsiEncoding")


def drawn(lines: list[str]) -> bytes:
    """The content of a page."""
    if not lines:
        return b"0.8 g 60 100 470 640 re f"
    escaped = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines)
    shown = "".join(f"({line}) Tj 0 -20 Td " for line in escaped)
    return f"BT /F1 11 Tf 60 780 Td {shown}ET".encode("cp1252")
