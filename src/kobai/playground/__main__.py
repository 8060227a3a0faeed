"""`python -m kobai.playground build FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .build import PYODIDE, build


def main(arguments: list[str] | None = None) -> int:
    """Build the site; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kobai.playground", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="build")
    command = commands.add_parser("build", help="write the static site into FOLDER")
    command.add_argument("folder", type=Path, metavar="FOLDER")
    command.add_argument("--pyodide", default=PYODIDE, metavar="ADDRESS",
                         help="where Pyodide and its packages are: an address, or a folder that is copied into the "
                              "site (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        build(given.folder, given.pyodide)
    except OSError as error:
        print(f"kobai.playground: {error}", file=sys.stderr)
        return 1
    print(f"The playground is in {given.folder}. To look at it: python -m http.server -d {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
