"""What the runs of a handle share: made once, however many of them are in flight."""

from __future__ import annotations

import random
from collections.abc import Mapping

from pipelang.records import dataclass
from pipelang.runtime.batching import Batches
from pipelang.runtime.breakers import Breakers
from pipelang.runtime.caching import CacheStore
from pipelang.runtime.flights import Flights
from pipelang.runtime.inbox.reaching import Reach
from pipelang.runtime.memories import MemoryStore
from pipelang.runtime.providers.protocol import ModelProvider
from pipelang.runtime.rates import Rates
from pipelang.runtime.switches import Switches
from pipelang.runtime.tools import Toolbox
from pipelang.runtime.values import Types


@dataclass(frozen=True, slots=True)
class Plugged:
    """What a host plugged in, as the runs of one program use it. `providers` are by the name of the
    program's provider.
    """

    types: Types
    providers: Mapping[str, ModelProvider]
    tools: Toolbox
    people: Reach
    chance: random.Random
    memories: MemoryStore
    cache: CacheStore
    flights: Flights
    batches: Batches
    switches: Switches
    rates: Rates
    breakers: Breakers
