"""Services: the objects that all runs of a handle share, however many are in flight."""

from __future__ import annotations

import random
from collections.abc import Mapping

from pipelang.records import dataclass
from pipelang.runtime.engine.values import Types
from pipelang.runtime.inbox.routing import PeopleRouter
from pipelang.runtime.providers.protocol import ModelProvider
from pipelang.runtime.shared.batching import Batches
from pipelang.runtime.shared.cache import CacheStore
from pipelang.runtime.shared.circuit_breakers import Breakers
from pipelang.runtime.shared.kill_switches import Switches
from pipelang.runtime.shared.memory_store import MemoryStore
from pipelang.runtime.shared.quotas import Quotas
from pipelang.runtime.shared.secret_stores import SecretStores
from pipelang.runtime.shared.single_flight import SingleFlight
from pipelang.runtime.tools.rate_limits import Rates
from pipelang.runtime.tools.registry import Toolbox


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a host, as the runs of one program use them. `providers` are by the name of
    the program's provider.
    """

    types: Types
    providers: Mapping[str, ModelProvider]
    tools: Toolbox
    people: PeopleRouter
    chance: random.Random
    memories: MemoryStore
    cache: CacheStore
    flights: SingleFlight
    batches: Batches
    switches: Switches
    rates: Rates
    breakers: Breakers
    quotas: Quotas
    secrets: SecretStores
