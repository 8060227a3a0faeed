"""The tests of repeated transforms share `repeated_transforms`."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
