"""A graph as a picture: measured boxes, a layout of our own, SVG. No program outside is needed.

Pipelines are made of parts within parts, so the layout is too: a line of parts down an axis, the
way aside to the right of each, branches as columns, a region in layers. Every part is entered at
the top of its axis and left at the bottom.
"""

from pipelang.interfaces.export.svg.drawing import svg, without_style

__all__ = ["svg", "without_style"]
