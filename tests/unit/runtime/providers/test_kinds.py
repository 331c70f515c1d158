"""Keys of providers: none that a program names may be shown, whoever answers. Known kinds."""

from __future__ import annotations

import pytest

from pipelang.records import replace
from pipelang.runtime.providers import kinds
from pipelang.runtime.providers.kinds import SDK_KINDS, secrets_of
from tests.memory import MemoryLoader

SIMULATED_WITH_A_KEY = """
provider lab { kind simulated key "env:LAB_KEY" available 100% }
"""


def test_a_key_is_a_secret_even_of_a_provider_that_asks_nobody() -> None:
    from pipelang.semantics.build import build

    built = build("m.pipe", MemoryLoader({"m.pipe": SIMULATED_WITH_A_KEY}))
    assert built.program is not None
    assert "env:LAB_KEY" in secrets_of(built.program.providers.values())


def test_keys_of_sdks_are_secrets_of_every_program() -> None:
    assert set(secrets_of(())) == {kind.key for kind in SDK_KINDS.values()}


def test_a_kind_of_our_own_is_known_without_a_look_at_all_that_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each start of `pipelang run` asks; reading every distribution's entry points takes 10 ms."""
    from pipelang.semantics.build import build

    built = build("m.pipe", MemoryLoader({"m.pipe": SIMULATED_WITH_A_KEY}))
    assert built.program is not None
    (lab,) = built.program.providers.values()
    monkeypatch.setattr(kinds, "installed_kinds", lambda: pytest.fail("looked"))
    assert all(kinds.not_installed(replace(lab, kind=one)) is None for one in kinds.BUILT_IN)
    monkeypatch.setattr(kinds, "installed_kinds", lambda: ("other", "plugged"))
    assert kinds.not_installed(replace(lab, kind="plugged")) is None
    assert "`strange`" in (kinds.not_installed(replace(lab, kind="strange")) or "")
