"""The tests here share `graphs_to_compile`."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
