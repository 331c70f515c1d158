"""The tools that the gallery's pipelines name: small stand-ins for what your systems offer."""

from __future__ import annotations

from decimal import Decimal


def in_stock(name: str) -> int:
    """How many of an item are there."""
    return {"lamp": 12, "chair": 0}.get(name, 3)


def price_of(name: str) -> Decimal:
    """The price of an item."""
    return {"lamp": Decimal("39.90"), "chair": Decimal("120")}.get(name, Decimal("9.99"))


def worth_of(voucher: str) -> Decimal:
    """What a voucher takes off. Raises `LookupError` for one that was never issued."""
    if voucher != "SUMMER":
        raise LookupError(f"no voucher `{voucher}`")
    return Decimal("25")


def read_gauge(name: str) -> dict[str, float]:
    """The water level at a gauge."""
    return {"metres": {"Elbe": 4.2, "Rhine": 3.1}.get(name, 1.8)}


def file_receipt(amount: Decimal) -> dict[str, str]:
    """Look up the receipt of a payment."""
    return {"number": f"R-{amount}"}


def pay(order: str) -> str:
    """Pay an order back: nothing happens here."""
    return "P-1"


def transfer(amount: Decimal) -> str:
    """Transfer money: nothing happens here."""
    return "T-1"


def publish(body: str) -> str:
    """Publish a post: nothing happens here."""
    return "/blog/1"


def send(to: str, body: str) -> str:
    """Send a mail: nothing happens here."""
    return "M-1"
