"""Wire formats of the makers, as a server writes them and demands them."""

from pipelang.testing.dialects.chat import ChatDialect as ChatDialect
from pipelang.testing.dialects.dialect import KEY as KEY
from pipelang.testing.dialects.dialect import Body as Body
from pipelang.testing.dialects.dialect import Dialect as Dialect
from pipelang.testing.dialects.dialect import bearer as bearer
from pipelang.testing.dialects.google import GoogleDialect as GoogleDialect
from pipelang.testing.dialects.messages import MessagesDialect as MessagesDialect
from pipelang.testing.dialects.responses import ResponsesDialect as ResponsesDialect
