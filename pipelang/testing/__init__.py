"""Parts to test model providers with: a server that fails as models' servers do, and the suite that
every provider passes.

    from pipelang.testing import ChatDialect, provider_suite

    TestMine = provider_suite(lambda url: MyProvider(url), ChatDialect())
"""

from pipelang.testing.dialects import ChatDialect, Dialect, GoogleDialect, MessagesDialect
from pipelang.testing.dialects import ResponsesDialect as ResponsesDialect
from pipelang.testing.fault_server import FaultServer
from pipelang.testing.provider_suite import provider_suite
from pipelang.testing.replies import Reply

__all__ = [
    "ChatDialect",
    "Dialect",
    "FaultServer",
    "GoogleDialect",
    "MessagesDialect",
    "Reply",
    "ResponsesDialect",
    "provider_suite",
]
