"""The rows of providers (P561), a part of the table in `codes`."""

from __future__ import annotations

from pipelang.diagnostics.rules import row

PROVIDER_ADDRESS = row(
    "P561",
    "provider-address",
    "the `base_url` of `{name}` {what}",
)
