"""The program: typed, resolved, immutable; the input of analysis and interpreter.

Everything that a file says about a pipeline is here in the form in which it means something: names
are resolved, options are numbers in dollars, seconds and tokens, settings have their values, blocks
know their regions and barriers. Nothing here estimates and nothing here runs.
"""

from pipelang.semantics.program.actions import *  # noqa: F403
from pipelang.semantics.program.items import *  # noqa: F403
from pipelang.semantics.program.pipelines import *  # noqa: F403
from pipelang.semantics.program.world import *  # noqa: F403
