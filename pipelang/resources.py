"""Paths of the data folders: the lark and editor grammars, and the `.pipe` library.

They lie at the top of the repository, because people read and edit them there, and travel in the
wheel below the package. This is the one function that knows of both places, so that nothing else
asks whether it runs from a wheel, an editable install or a checkout.
"""

from __future__ import annotations

import os

# A constant and not `typing.TYPE_CHECKING`: `check` on an unchanged file has some 40 ms in all,
# and `typing` and `pathlib` would take a good part of them. Type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

_DISTRIBUTION = 'name = "pipelang-dsl"'


def resource(kind: Literal["grammar", "stdlib"]) -> Path:
    """The folder `kind`: an existing, absolute path.

    Raises FileNotFoundError, naming both places, where neither holds it: a broken installation.
    """
    from pathlib import Path

    return Path(resource_folder(kind))


def resource_folder(kind: Literal["grammar", "stdlib"]) -> str:
    """The same as a text, for those who have no time to import `pathlib`."""
    package = package_folder()
    if (package, kind) not in _FOUND:
        _FOUND[package, kind] = _found(package, kind)
    return _FOUND[package, kind]


_FOUND: dict[tuple[str, str], str] = {}
"""Folders that were found: a half-written file asks for the library a dozen times a key."""


def _found(package: str, kind: str) -> str:
    """The folder `kind` of a package."""
    installed = os.path.join(package, "_data", kind)
    if os.path.isdir(installed):
        return installed

    # An editable install imports the package from the checkout, so the two are one case.
    root = os.path.dirname(package)
    checkout = os.path.join(root, kind)
    if os.path.isdir(checkout) and _is_checkout(root):
        return checkout

    raise FileNotFoundError(
        f"pipelang's folder `{kind}` is missing: neither `{installed}` (an installed wheel) nor "
        f"`{checkout}` (a checkout with its pyproject.toml) is there; install pipelang-dsl again"
    )


def package_folder() -> str:
    """The folder of our own code."""
    return os.path.dirname(os.path.abspath(__file__))


def _is_checkout(root: str) -> bool:
    """Whether `root` is a checkout of this project.

    A folder called `stdlib` beside a package is nothing special: it may be anybody's.
    """
    try:
        with open(os.path.join(root, "pyproject.toml"), encoding="utf-8") as file:
            return any(line.strip() == _DISTRIBUTION for line in file)
    except (OSError, UnicodeDecodeError):
        return False
