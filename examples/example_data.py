"""Writers of made-up data that the scripts `make.py` of the examples share."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Shape = tuple[float, float]


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """JSON Lines, with letters of all languages as they are."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """One JSON value, in lines that a diff can show."""
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


def pdf(pages: list[bytes], size: tuple[int, int], font: str = "") -> bytes:
    """A PDF of pages by their content, `size` points wide and high, with Helvetica as `F1`."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica{font} >>".encode(),
    ]
    for at, content in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}]"
            f" /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * at} 0 R >>".encode()
        )
        objects.append(
            f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"
        )
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n".encode() + one + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    tail = f"trailer\n<< /Root 1 0 R /Size {len(objects) + 1} >>\nstartxref\n{len(made)}\n%%EOF\n"
    return made + (head + tail).encode()


def recording_head(note: str = "made up for the example by make.py") -> dict[str, Any]:
    """The first line of recorded answers that no model gave."""
    return {"recording": 1, "source": "hand-written", "note": note}


def verdicts(source: random.Random, right: int, wrong: int) -> list[bool]:
    """So many right and wrong answers, shuffled."""
    made = [True] * right + [False] * wrong
    source.shuffle(made)
    return made


def confidences(
    source: random.Random, right: int, wrong: int, when_right: Shape, when_wrong: Shape
) -> list[dict[str, Any]]:
    """Labelled answers, whose confidences are Beta-distributed by whether they are right."""
    return [
        {
            "confidence": min(
                round(source.betavariate(*(when_right if correct else when_wrong)), 2), 0.99
            ),
            "correct": correct,
        }
        for correct in verdicts(source, right, wrong)
    ]


def numbered(name: str, rows: list[dict[str, Any]], digits: int = 4) -> list[dict[str, Any]]:
    """The rows with an id of a case each: the name and a number."""
    return [
        {"case": f"{name}{number:0{digits}}", **row} for number, row in enumerate(rows, start=1)
    ]
