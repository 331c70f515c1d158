"""`python -m pipelang`: the same as the command `pipelang`.

`-m` makes the working directory the first place that modules are looked for in. What is checked may
lie there, and nothing of it may run: a `json.py` or `click.py` beside a `.pipe` file is no library
of ours. (Where the working directory holds a whole package `pipelang`, Python has chosen that one
before this line: `python -P -m pipelang`, or the command, never looks there.)
"""

import os
import sys

if __name__ == "__main__":
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        here = ""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", here):
        del sys.path[0]
    from pipelang.interfaces.cli.main import main

    sys.exit(main())
