"""Products of plans take what is done around them: sums, scales, and transpositions of their results; against NumPy."""
import numpy as np
import pytest

import kobai as torch
from kobai.compile.contract import ProductStep


def planned(f, *args):
    """(the result, the steps of the plan)."""
    f = torch.compile(f)
    for _ in range(4):
        y = f(*args)
    assert f.reason is None
    return y.numpy(), f._last.plan.steps


@pytest.mark.parametrize("m, n, k", [(25, 37, 31), (64, 33, 17), (19, 190, 41)])
def test_a_product_wanted_transposed(m, n, k):
    a, b, other = torch.randn(m, k), torch.randn(n, k), torch.randn(n, m)
    y, steps = planned(lambda a, b, other: (a @ b.t()).t() + other, a, b, other)
    np.testing.assert_allclose(y, b.numpy() @ a.numpy().T + other.numpy(), rtol=2e-5, atol=2e-5)
    products = [s for s in steps if isinstance(s, ProductStep)]
    assert len(products) == 1 and products[0].adds
    assert (products[0].m, products[0].n) == (n, m)


def test_a_product_wanted_both_ways_is_made_once():
    a, b = torch.randn(36, 35), torch.randn(35, 36)
    y, steps = planned(lambda a, b: (lambda c: c.t().exp() + c)(a @ b), a, b)
    c = a.numpy() @ b.numpy()
    np.testing.assert_allclose(y, np.exp(c.T) + c, rtol=1e-4, atol=1e-4)
    assert sum(isinstance(s, ProductStep) for s in steps) == 1


def test_a_product_that_is_a_result_too():
    a, b = torch.randn(6, 5), torch.randn(5, 4)
    f = torch.compile(lambda a, b: (lambda c: (c, c.t() * 2))(a @ b))
    for _ in range(4):
        c, d = f(a, b)
    np.testing.assert_allclose(c.numpy(), a.numpy() @ b.numpy(), rtol=2e-5)
    assert np.array_equal(d.numpy(), c.numpy().T * 2)


def test_scaled_and_transposed():
    a, b = torch.randn(8, 5), torch.randn(8, 9)
    y, _ = planned(lambda a, b: ((a * 3).t() @ b).t() * 0.5 - 1, a, b)
    np.testing.assert_allclose(y, 1.5 * (a.numpy().T @ b.numpy()).T - 1, rtol=2e-5, atol=2e-5)


def test_transposed_twice_over():
    a, b, c = torch.randn(4, 5), torch.randn(5, 6), torch.randn(4, 3)
    y, _ = planned(lambda a, b, c: ((a @ b).t() @ c).t(), a, b, c)
    np.testing.assert_allclose(y, ((a.numpy() @ b.numpy()).T @ c.numpy()).T, rtol=2e-5, atol=2e-5)
