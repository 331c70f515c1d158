"""Keys of providers: none that a program names may be shown, whoever answers."""

from __future__ import annotations

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
