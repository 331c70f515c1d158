"""The kinds of model providers that are installed, and the keys that they need."""

from __future__ import annotations

from pipelang.runtime.engine.secrets import SecretMissing, resolve_secret
from pipelang.semantics import program as p

ANTHROPIC, SIMULATED, REPLAY = "anthropic", "simulated", "replay"

BUILT_IN = (ANTHROPIC, SIMULATED, REPLAY)

ENTRY_POINTS = "pipelang.providers"
"""The group of entry points by which others bring providers in, each named by its kind."""

DEFAULT_KEY = "env:ANTHROPIC_API_KEY"


def installed_kinds() -> tuple[str, ...]:
    """Every `kind` that a provider may have here: the built-in ones, then those of plug-ins.

    Nothing is imported. That a kind is installed says nothing about its key.
    """
    from importlib.metadata import entry_points

    plugged = sorted({entry.name for entry in entry_points(group=ENTRY_POINTS)})
    return tuple(dict.fromkeys((*BUILT_IN, *plugged)))


def is_real(provider: p.Provider) -> bool:
    """Whether a provider asks models, and neither plays answers back nor draws them."""
    return provider.kind not in (SIMULATED, REPLAY)


def key_of_provider(provider: p.Provider) -> str | None:
    """The reference to the key that a provider needs; None for one that needs none."""
    if not is_real(provider):
        return None
    return provider.key or (DEFAULT_KEY if provider.kind == ANTHROPIC else None)


def has_key(provider: p.Provider) -> bool:
    """Whether the key of a provider is there, if it needs one."""
    reference = key_of_provider(provider)
    if reference is None:
        return True
    try:
        return bool(resolve_secret(reference).strip())
    except (SecretMissing, OSError, UnicodeDecodeError):
        return False


def not_installed(provider: p.Provider) -> str | None:
    """The message for a provider whose kind is not installed, None if it is."""
    kinds = installed_kinds()
    if provider.kind in kinds:
        return None
    return (
        f"provider `{provider.name}`: nothing is installed for providers of kind "
        f"`{provider.kind}`; installed are: {', '.join(kinds)}"
    )
