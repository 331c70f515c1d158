"""`python -m pipelang`: the same as the command `pipelang`."""

import sys

from pipelang.interfaces.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
