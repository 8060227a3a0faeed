"""The order of the products of an einsum; values against NumPy's einsum, which multiplies in one go."""
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import kobai
from kobai.ops import einsum

CHAINS = [("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("i,ij,jk,k->", (3,), (3, 4), (4, 2), (2,)), ("ab,bc,cd,de,ea->", *[(3, 3)] * 5),
          ("bij,bjk,bkl,blm,bmn->bin", *[(2, 3, 3)] * 5), ("ij,ij,ij->j", (2, 3), (2, 3), (2, 3)), ("a,b,c->abc", (2,), (3,), (4,))]


@pytest.fixture(params=["numpy", "opt_einsum", "left to right"])
def planner(request, monkeypatch):
    """Who chooses the order; a stand-in for opt_einsum multiplies from left to right, unlike the others."""
    if request.param == "opt_einsum":
        pytest.importorskip("opt_einsum")
    else:
        def left_to_right(equation, *shapes, **options):
            n = len(shapes)
            return [(0, 1)] + [(0, n - 1 - i) for i in range(1, n - 1)], None
        fake = SimpleNamespace(contract_path=left_to_right) if request.param == "left to right" else None
        monkeypatch.setitem(sys.modules, "opt_einsum", fake)
    einsum._plan.cache_clear()
    yield request.param
    einsum._plan.cache_clear()


@pytest.mark.parametrize("case", CHAINS, ids=lambda c: c[0])
def test_any_order_gives_the_same(case, planner):
    equation, *shapes = case
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s) for s in shapes]
    tensors = [kobai.tensor(a, requires_grad=True) for a in arrays]
    y = kobai.einsum(equation, *tensors)
    np.testing.assert_allclose(y.detach().numpy(), np.einsum(equation, *arrays), rtol=1e-12)
    y.sum().backward()
    step = rng.standard_normal(shapes[0]) * 1e-6
    moved = [np.einsum(equation, arrays[0] + s * step, *arrays[1:]).sum() for s in (1, -1)]
    np.testing.assert_allclose((tensors[0].grad.numpy() * step).sum(), (moved[0] - moved[1]) / 2, rtol=1e-6)


def test_the_cheap_product_comes_first(planner):
    """A matrix times a matrix times a vector: from the right it is 100 times less work."""
    plan = einsum._plan(((0, 1), (1, 2), (2,)), (0,), ((100, 100), (100, 100), (100,)))
    first = next(places for op, places in plan.steps if type(op).__name__ in ("Mm", "Dot"))
    assert (0 in first) == (planner == "left to right")
