"""Filters and tests of Jinja2 that a template may use: elaboration and rendering agree on them."""

FILTERS = frozenset(
    """abs capitalize default e escape first float int items join last length list lower max min
    replace reverse round sort string sum title tojson trim truncate unique upper wordcount
    indent""".split()
)
TESTS = frozenset(
    "defined undefined none true false boolean equalto eq ne in string number".split()
)
