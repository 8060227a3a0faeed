"""The tests here share `graphs_to_compile`, and a pool whose size they may change."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture
def pool():
    from kobai.backends import llvm
    pool = llvm.bridge().pool
    before = pool.size
    yield pool
    pool.resize(before)
