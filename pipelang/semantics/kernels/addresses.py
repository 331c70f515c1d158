"""The kernel of addresses: what a provider's `base_url` may be."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def address_problem(url: str) -> str | None:
    """The words for what is wrong with the address of an API; None for one that can be asked. They
    hold nothing of the address, in which a secret may stand.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname:
        return "is no http or https address, such as `https://gateway.lab/v1`"
    if any(letter.isspace() for letter in url):
        return "holds a blank"
    if "?" in url or "#" in url:
        return "has a query, behind which no path of the API can be added"
    return None


def holds_user(url: str) -> bool:
    """Whether an address names a user, with a password or without."""
    parts = _split(url)
    return "@" in (url if parts is None else parts.netloc)


def secrets_in(url: str) -> tuple[str, ...]:
    """The user and the password of an address, as far as no text can hold them by chance."""
    parts = _split(url)
    if parts is None:
        return ()
    found = (parts.password, parts.username)
    return tuple(one for one in found if one and len(one) >= _LEAST)


_LEAST = 4


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
    except ValueError:
        return None
    return parts
