"""Rows added up at positions: by NumPy at first, by SciPy's sparse matrices when much has been added, to the same bits."""
import subprocess
import sys

import numpy as np
import pytest

from kobai.ops import index


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("table, width, count", [(50, 257, 999), (3, 1009, 100), (1000, 64, 5000)])
def test_both_ways_give_the_same_bits(monkeypatch, table, width, count, dtype):
    rng = np.random.default_rng(0)
    rows, x = rng.integers(-table, table, count), rng.standard_normal((count, width)).astype(dtype)
    monkeypatch.setattr(index, "_left", 0)
    by_scipy = index.sum_at((table, width), (0,), (rows,), x)
    monkeypatch.setattr(index, "_left", 1 << 40)
    monkeypatch.delitem(sys.modules, "scipy.sparse", raising=False)
    by_numpy = index.sum_at((table, width), (0,), (rows,), x)
    assert np.array_equal(by_numpy.view("u1"), by_scipy.view("u1"))
    assert np.allclose(by_numpy.sum(0), x.sum(0), atol=1e-2)


def test_a_first_embedding_does_not_import_scipy():
    program = """if True:
        import sys, kobai
        table = kobai.nn.Embedding(100, 300)
        table(kobai.arange(99)).sum().backward()
        assert "scipy" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
