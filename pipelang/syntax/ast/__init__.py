"""The syntax tree: frozen records closed by unions, one record a construct.

Every node carries the span it was read from. Spans never count in comparisons, so two trees are
equal when the programs they were read from mean the same letters, however they were laid out.
"""

from pipelang.syntax.ast.action_options import *  # noqa: F403
from pipelang.syntax.ast.actions import *  # noqa: F403
from pipelang.syntax.ast.declarations import *  # noqa: F403
from pipelang.syntax.ast.expressions import *  # noqa: F403
from pipelang.syntax.ast.items import *  # noqa: F403
from pipelang.syntax.ast.options import *  # noqa: F403
from pipelang.syntax.ast.tests import *  # noqa: F403
from pipelang.syntax.ast.types import *  # noqa: F403
