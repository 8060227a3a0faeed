"""`python -m kobai`: the same as the `kobai` command."""

import sys

from kobai.cli import main

if __name__ == "__main__":
    sys.exit(main())
