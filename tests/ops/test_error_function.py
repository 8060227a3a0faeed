"""erf of float32 without SciPy: the numbers are SciPy's (double precision, rounded)."""
import subprocess
import sys

import numpy as np
import pytest
import scipy.special

from kobai.ops.error_function import erf


def test_the_same_bits_as_scipys_for_numbers_of_all_sizes():
    x = np.arange(0, 2 ** 32, 9973, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(invalid="ignore"):
        ours, theirs = erf(x), scipy.special.erf(x)
    known = ~np.isnan(x)
    assert np.array_equal(ours[known].view(np.int32), theirs[known].view(np.int32)) and np.isnan(ours[~known]).all()


@pytest.mark.parametrize("x", [
    np.float32(0.7), np.zeros((0, 3), "f4"), np.ones((), "f4"), np.linspace(-3, 3, 30, dtype="f4").reshape(5, 6).T,
    np.linspace(-5, 5, 20011, dtype="f4")[::-2], np.broadcast_to(np.float32(1.5), (3, 4)),
], ids=["number", "empty", "0-d", "turned", "backwards", "expanded"])
def test_shapes_and_strides(x):
    y, expected = erf(x), scipy.special.erf(x)
    assert np.array_equal(y, expected) and y.shape == expected.shape and y.dtype == np.float32


def test_a_first_gelu_does_not_import_scipy():
    program = """if True:
        import sys, kobai
        x = kobai.linspace(-2, 2, 5, requires_grad=True)
        kobai.nn.functional.gelu(x).sum().backward()
        assert "scipy" not in sys.modules
        for _ in range(600):
            kobai.erf(x)
        assert "scipy.special" in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
