"""Makes the picture and the document of `37_scans.pipe`: a receipt and an invoice of two pages.

    python examples/gallery/samples/make.py

The invoice is written by hand, the receipt drawn by Pillow (`pip install 'pipelang-dsl[media]'`).
"""

from pathlib import Path

HERE = Path(__file__).parent

INVOICE = [
    ["Invoice 2026-117", "Bolts and nuts, 400 pieces", "$ 36.00", "continued on page 2"],
    ["Invoice 2026-117, page 2", "Shipping  $ 6.50", "Total  $ 42.50"],
]
RECEIPT = ["CORNER CAFE", "2 x espresso   5.00", "1 x cake       4.20", "TOTAL          9.20"]


def page_text(lines: list[str]) -> bytes:
    """The content of a page: its lines, from the top."""
    shown = "".join(f"({line}) Tj 0 -22 Td " for line in lines)
    return f"BT /F1 14 Tf 40 240 Td {shown}ET".encode()


def invoice(pages: list[list[str]]) -> bytes:
    """A PDF of pages with lines of text."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, lines in enumerate(pages):
        text = page_text(lines)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 280]"
            b" /Resources << /Font << /F1 3 0 R >> >>" + f" /Contents {5 + 2 * at} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(text)} >>\nstream\n".encode() + text + b"\nendstream")
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n".encode() + one + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    return (
        made
        + (
            f"xref\n0 {count}\n0000000000 65535 f \n{table}"
            f"trailer\n<< /Root 1 0 R /Size {count} >>\nstartxref\n{len(made)}\n%%EOF\n"
        ).encode()
    )


def receipt(path: Path, lines: list[str]) -> None:
    """Draw a picture of lines of text."""
    from PIL import Image, ImageDraw

    drawn = Image.new("1", (220, 24 + 20 * len(lines)), 1)
    pen = ImageDraw.Draw(drawn)
    for number, line in enumerate(lines):
        pen.text((12, 12 + 20 * number), line, fill=0)
    drawn.save(path, "PNG", optimize=True)


if __name__ == "__main__":
    (HERE / "invoice.pdf").write_bytes(invoice(INVOICE))
    receipt(HERE / "receipt.png", RECEIPT)
