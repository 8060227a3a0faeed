"""torch.masked against NumPy's masked arrays."""
import numpy as np
import pytest

import kobai


@pytest.mark.parametrize("dim", [None, 0, 1])
@pytest.mark.parametrize("name, numpys", [
    ("sum", "sum"), ("prod", "prod"), ("mean", "mean"), ("amax", "max"), ("amin", "min"), ("var", "var"),
    ("std", "std")])
def test_reductions(name, numpys, dim):
    rng = np.random.default_rng(0)
    x, mask = rng.standard_normal((5, 6)), rng.random((5, 6)) < 0.7
    unbiased = {"correction": 0} if name in ("var", "std") else {}
    have = getattr(kobai.masked, name)(kobai.tensor(x), dim, mask=kobai.tensor(mask), **unbiased)
    want = getattr(np.ma.array(x, mask=~mask), numpys)(axis=dim)
    np.testing.assert_allclose(have.numpy(), np.asarray(want), rtol=1e-12)


def test_what_is_masked_out_has_no_gradient():
    x = kobai.tensor([1.0, float("nan"), 3.0], requires_grad=True)
    kobai.masked.mean(x, mask=kobai.tensor([True, False, True])).backward()
    assert x.grad.tolist() == [0.5, 0.0, 0.5]
