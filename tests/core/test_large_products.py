"""Products that NumPy computes for kobai use one of its threads, and leave NumPy as it was."""
import numpy as np
import pytest

from kobai import openblas


def test_numpy_computes_on_one_thread_and_is_left_as_it_was(monkeypatch):
    threads = openblas.openblas()
    if threads is None:
        pytest.skip("NumPy has come without OpenBLAS")
    count, choose = threads
    before, seen = count(), []
    monkeypatch.setattr(openblas.np, "matmul", lambda a, b: seen.append(count()) or a @ b)
    try:
        choose(2)
        a = np.random.default_rng(0).standard_normal((64, 64))
        np.testing.assert_array_equal(openblas.alone(a, a), a @ a)
        assert seen == [1] and count() == 2
        with pytest.raises(ValueError):
            openblas.alone(a, np.zeros((3, 64)))
        assert count() == 2
    finally:
        choose(before)
