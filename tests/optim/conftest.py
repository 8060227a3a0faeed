"""Parameters and gradients for tests of optimisers."""
import numpy as np
import pytest

import kobai


@pytest.fixture
def make_params():
    """A function shapes -> parameters with random values, the same for each call."""
    def make(*shapes, dtype="float32", seed=0):
        rng = np.random.RandomState(seed)
        return [kobai.tensor(np.asarray(rng.randn(*s)).astype(dtype), requires_grad=True) for s in shapes]
    return make


@pytest.fixture
def set_grads():
    """A function (params, seed) that gives each parameter a random gradient."""
    def fill(params, seed):
        rng = np.random.RandomState(seed)
        for p in params:
            p.grad = kobai.tensor(np.asarray(rng.randn(*p.shape)), dtype=p.dtype)
    return fill
