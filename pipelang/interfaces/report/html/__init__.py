"""The report as one HTML page that needs nothing else: no network, no script, no font.

`parts` turns the rows of the text report into what the template shows, `page` gathers them, and the
template (`report.html`, with `report.css`) escapes every text: what stands in a file is never
markup. Pictures are our own SVG, whose texts are escaped where they are drawn.
"""
