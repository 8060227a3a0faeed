"""How values lie in memory: whatever follows, a value stays within its own."""
import numpy as np
import pytest

import kobai as torch
from kobai.compile.place import laid_out
from kobai.compile.windows import own


def pairs(k):
    """As rotary embeddings turn pairs of elements."""
    half = k.shape[-1] // 2
    return torch.stack([k[..., :half] * 2, k[..., half:] * 3], -1).flatten(-2)


PROGRAMS = {
    "stack, each head twice": lambda k, w: pairs(k).repeat_interleave(2, 1),
    "stack, expanded": lambda k, w: pairs(k)[:, :, None].expand(-1, -1, 3, -1, -1).reshape(k.shape[0], -1, *k.shape[2:]),
    "cat, each twice": lambda k, w: torch.cat([k * 2, k + 1], -1).repeat_interleave(2, 0),
    "product, each head twice": lambda k, w: (k @ w).repeat_interleave(2, 1) + 1,
    "product, transposed, each twice": lambda k, w: (k @ w).transpose(1, 2).repeat_interleave(2, 1),
    "product of what is repeated": lambda k, w: k @ pairs(k).repeat_interleave(1, 1).transpose(-1, -2),
    "grouped queries": lambda k, w: torch.cat([k, k], 1) @ pairs(k).repeat_interleave(2, 1).transpose(-1, -2),
}


@pytest.mark.parametrize("shape", [(2, 2, 5, 8), (1, 3, 1, 4), (3, 1, 7, 2), (2, 2, 33, 16)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_that_are_repeated(name, shape):
    """A value that is expanded and then copied was laid out with gaps, and reached beyond its memory."""
    f = PROGRAMS[name]
    k, w = torch.randn(shape), torch.randn(shape[3], 6)
    expected = f(k, w).numpy()
    g = torch.compile(f)
    g(k, w)
    graph, homes = laid_out(g._last.plan.graph)
    for v in (v for n in graph.nodes for v in n.outs):
        if v not in homes and v.shape:
            lies = own(v)
            assert sum((n - 1) * s for n, s in zip(v.shape, lies.strides)) < np.prod(v.shape) * v.dtype.itemsize
    for _ in range(2):
        np.testing.assert_allclose(g(k, w).numpy(), expected, rtol=1e-5, atol=1e-5)
