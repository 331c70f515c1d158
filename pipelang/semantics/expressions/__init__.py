"""Typed expressions: names are resolved, types checked, and settings filled in.

Pure, loop-free, total. Quantities are exact: probabilities and money are `Decimal`, durations are
seconds in `Decimal`. A setting has become the constant of this program, with its name kept.
"""

from pipelang.semantics.expressions.confidences import of_lowest as of_lowest
from pipelang.semantics.expressions.nodes import *  # noqa: F403
from pipelang.semantics.expressions.show import OVER_ELEMENTS as OVER_ELEMENTS
from pipelang.semantics.expressions.show import brief as brief
from pipelang.semantics.expressions.show import show as show
from pipelang.semantics.expressions.traverse import at_element as at_element
from pipelang.semantics.expressions.traverse import by_cases as by_cases
from pipelang.semantics.expressions.traverse import mentions as mentions
from pipelang.semantics.expressions.traverse import operands_of as operands_of
from pipelang.semantics.expressions.traverse import parts as parts
from pipelang.semantics.expressions.traverse import path_of as path_of
from pipelang.semantics.expressions.traverse import place_of as place_of
from pipelang.semantics.expressions.traverse import rebuilt as rebuilt
from pipelang.semantics.expressions.traverse import substitute as substitute
from pipelang.semantics.expressions.traverse import walk as walk
