"""Makes the picture and the document of `37_scans.pipe`: a receipt and an invoice of two pages.

    python examples/gallery/samples/make.py

The invoice is written by hand, the receipt drawn by Pillow (`pip install 'pipelang-dsl[media]'`).
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))  # where example_data.py lies

from example_data import pdf  # noqa: E402

INVOICE = [
    ["Invoice 2026-117", "Bolts and nuts, 400 pieces", "$ 36.00", "continued on page 2"],
    ["Invoice 2026-117, page 2", "Shipping  $ 6.50", "Total  $ 42.50"],
]
RECEIPT = ["CORNER CAFE", "2 x espresso   5.00", "1 x cake       4.20", "TOTAL          9.20"]


def page_text(lines: list[str]) -> bytes:
    """The content of a page: its lines, from the top."""
    shown = "".join(f"({line}) Tj 0 -22 Td " for line in lines)
    return f"BT /F1 14 Tf 40 240 Td {shown}ET".encode()


def receipt(path: Path, lines: list[str]) -> None:
    """Draw a picture of lines of text."""
    from PIL import Image, ImageDraw

    drawn = Image.new("1", (220, 24 + 20 * len(lines)), 1)
    pen = ImageDraw.Draw(drawn)
    for number, line in enumerate(lines):
        pen.text((12, 12 + 20 * number), line, fill=0)
    drawn.save(path, "PNG", optimize=True)


if __name__ == "__main__":
    pages = [page_text(lines) for lines in INVOICE]
    (HERE / "invoice.pdf").write_bytes(pdf(pages, (300, 280)))
    receipt(HERE / "receipt.png", RECEIPT)
