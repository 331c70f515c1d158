"""Principals: who asks the service for something, and what they may."""

from __future__ import annotations

from typing import Literal, get_args

from pipelang.records import dataclass

Right = Literal["caller", "approver", "operator"]
"""A caller starts and reads runs of its tenant; an approver decides the cases of its tenant; an
operator sees everything and turns switches.
"""

RIGHTS: tuple[Right, ...] = get_args(Right)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was recognised. `name` is who decides; `tenant` is whose runs they see, None for
    the runs of nobody in particular; `token` is the public id of their token, None on a machine of
    their own that asks for none.
    """

    name: str
    rights: frozenset[Right]
    tenant: str | None = None
    token: str | None = None

    def has(self, *rights: Right) -> bool:
        """Whether one of these rights is theirs."""
        return not self.rights.isdisjoint(rights)

    @property
    def sees_all(self) -> bool:
        """Whether the runs of all tenants are shown to them."""
        return "operator" in self.rights

    def sees(self, tenant: str | None) -> bool:
        """Whether the runs of a tenant are shown to them."""
        return self.sees_all or tenant == self.tenant


def local_principal(name: str) -> Principal:
    """The user of this machine, where no tokens are asked for: they may everything."""
    return Principal(name, frozenset(RIGHTS))
