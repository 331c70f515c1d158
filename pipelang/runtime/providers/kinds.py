"""The kinds of model providers that are installed, and the keys that they need."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pipelang.records import dataclass
from pipelang.semantics import program as p

ANTHROPIC, OPENAI, OPENAI_COMPATIBLE, GOOGLE = "anthropic", "openai", "openai_compatible", "google"
SIMULATED, REPLAY, OTHER = "simulated", "replay", "other"


@dataclass(frozen=True, slots=True)
class SdkKind:
    """A kind behind a maker's SDK: the module here and its class, where a key is looked for if a
    provider names none, and whether one is needed at all.
    """

    module: str
    provider: str
    key: str
    sdk: str = "anthropic"
    """The module of the maker's SDK, and the extra that installs it."""
    extra: str = "anthropic"
    needs_key: bool = True
    ambient: tuple[str, ...] = ()
    """Environment variables of which any says that credentials are there without a key."""


SDK_KINDS = {
    ANTHROPIC: SdkKind("anthropic", "AnthropicProvider", "env:ANTHROPIC_API_KEY"),
    OPENAI: SdkKind("openai", "OpenAIProvider", "env:OPENAI_API_KEY", "openai", "openai"),
    OPENAI_COMPATIBLE: SdkKind(
        "openai",
        "OpenAICompatibleProvider",
        "env:OPENAI_COMPATIBLE_API_KEY",
        "openai",
        "openai",
        needs_key=False,
    ),
    GOOGLE: SdkKind("google", "GoogleProvider", "env:GEMINI_API_KEY", "google.genai", "google"),
    "anthropic_bedrock": SdkKind(
        "anthropic_platforms",
        "BedrockProvider",
        "env:AWS_BEARER_TOKEN_BEDROCK",
        ambient=(
            "AWS_PROFILE",
            "AWS_ACCESS_KEY_ID",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ),
    ),
    "anthropic_vertex": SdkKind(
        "anthropic_platforms",
        "VertexProvider",
        "env:CLOUDSDK_AUTH_ACCESS_TOKEN",
        ambient=("GOOGLE_APPLICATION_CREDENTIALS",),
    ),
    "anthropic_foundry": SdkKind(
        "anthropic_platforms", "FoundryProvider", "env:ANTHROPIC_FOUNDRY_API_KEY"
    ),
    OTHER: SdkKind(
        "other.provider",
        "OtherProvider",
        "env:PIPELANG_OTHER_API_KEY",
        "pydantic_ai",
        "models",
        needs_key=False,
    ),
}

BUILT_IN = (*SDK_KINDS, SIMULATED, REPLAY)

ENTRY_POINTS = "pipelang.providers"
"""The group of entry points by which others bring providers in, each named by its kind."""


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
    """The reference to the key that a provider may need; None for one that needs none."""
    if not is_real(provider):
        return None
    if provider.key is not None:
        return provider.key
    kind = SDK_KINDS.get(provider.kind)
    return kind.key if kind is not None else None


def secrets_of(providers: Iterable[p.Provider]) -> tuple[str, ...]:
    """References to the keys that no text of a run may show: those that its providers declare, also
    ones that ask no model, and those that a maker's SDK is used with.
    """
    declared = [provider.key for provider in providers if provider.key is not None]
    return tuple(dict.fromkeys((*declared, *(kind.key for kind in SDK_KINDS.values() if kind.key))))


def found_key(provider: p.Provider) -> str | None:
    """The key of a provider; None where it is not there."""
    from pipelang.runtime.engine.secrets import SecretMissing, resolve_secret

    reference = key_of_provider(provider)
    if reference is None:
        return None
    try:
        return resolve_secret(reference)
    except SecretMissing:
        return None


def has_key(provider: p.Provider) -> bool:
    """Whether the key of a provider is there, if it needs one."""
    kind = SDK_KINDS.get(provider.kind)
    optional = kind is not None and provider.key is None and _goes_without(kind)
    if optional or key_of_provider(provider) is None:
        return True
    try:
        return bool((found_key(provider) or "").strip())
    except (OSError, UnicodeDecodeError):
        return False


def _goes_without(kind: SdkKind) -> bool:
    """Whether a kind needs no key here."""
    return not kind.needs_key or any(os.environ.get(name) for name in kind.ambient)


def sdk_missing(provider: p.Provider) -> str | None:
    """The message for a provider whose maker's SDK is not installed, None if it is. Nothing of the
    SDK is imported.
    """
    kind = SDK_KINDS.get(provider.kind)
    if kind is None or _is_there(kind.sdk):
        return None
    return (
        f"provider `{provider.name}`: the `{kind.sdk}` SDK isn't installed: "
        f"pip install 'pipelang-dsl[{kind.extra}]'"
    )


def _is_there(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def not_installed(provider: p.Provider) -> str | None:
    """The message for a provider whose kind is not installed, None if it is."""
    if provider.kind in BUILT_IN:  # the plug-ins of all that is installed are long to look through
        return None
    kinds = installed_kinds()
    if provider.kind in kinds:
        return None
    return (
        f"provider `{provider.name}`: nothing is installed for providers of kind "
        f"`{provider.kind}`; installed are: {', '.join(kinds)}"
    )
