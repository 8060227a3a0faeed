"""Tests made from the op classes: a plan of each op alone, whatever it becomes there, gives what the op gives."""
from math import prod

import numpy as np
import pytest
from graphs_to_compile import expected

import kobai
from kobai.compile import rewrite
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.plan import plan
from kobai.op import registry

OPS = [cls for cls in registry if getattr(cls, "samples", None) and not getattr(cls, "random", False)]
CASES = [pytest.param(cls, s, id=f"{cls.__name__}-{i}") for cls in OPS for i, s in enumerate(cls.samples)]


def single(op, arrays):
    """(graph of one op, its input arrays), or None where the op does not take such inputs."""
    with np.errstate(all="ignore"):
        y = op.forward(*arrays)
    ys = y if isinstance(y, tuple) else (y,)
    if not all(isinstance(v, (np.ndarray, np.generic)) for v in ys):
        return None
    values = [None if a is None else Value(a.shape, a.dtype, strides=a.strides) for a in arrays]
    node = Node(op, values, [(np.shape(v), v.dtype) for v in ys])
    known = [(v, a) for v, a in zip(values, arrays) if v is not None]
    return Graph([v for v, _ in known], [node], node.outs), [a for _, a in known]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("cls", "sample"), CASES)
def test_op(cls, sample, dtype, monkeypatch):
    op = cls(*sample.params)
    arrays = [None if a is None else np.asarray(a) for a in sample.arrays(np.random.default_rng(0), dtype)]
    found = single(op, arrays)
    if found is None:
        pytest.skip("it gives no arrays")
    graph, arrays = found
    if prod(arrays[0].shape) % 2:  # as matrix products are treated if they are not tiny
        monkeypatch.setattr(rewrite, "TINY", 0)
    with np.errstate(all="ignore"):
        wanted, _ = expected(graph, arrays)
        got = plan(graph)(arrays)
    for a, b in zip(got, wanted, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        tolerance = {"f4": 1e-5, "f8": 1e-12}[dtype]
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("norm", ["LayerNorm(8)", "BatchNorm1d(8)", "GroupNorm(2, 8)", "InstanceNorm1d(8, affine=True)"])
@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_half_precision_beside_float32(norm, kind):
    """Results were float32 where eager ones are not, and their gradients were read and written as if they were:
    a compiled network with a norm under autocast crashed."""
    results = []
    for compile in (lambda fn: fn, kobai.compile):
        kobai.manual_seed(0)
        layer, found = eval(f"kobai.nn.{norm}"), []
        f = compile(layer)
        for _ in range(4):
            x = kobai.randn(6, 8, 5).to(getattr(kobai, kind)).requires_grad_() if "Layer" not in norm else \
                kobai.randn(6, 8).to(getattr(kobai, kind)).requires_grad_()
            y = f(x)
            y.float().square().sum().backward()
            found.append((y.dtype, y.float().tolist(), x.grad.dtype, x.grad.float().tolist(), layer.weight.grad.tolist()))
        results.append(found)
    for (d, y, e, g, w), (d2, y2, e2, g2, w2) in zip(*results):
        assert d == d2 == getattr(kobai, kind) and e == e2 == d
        assert np.allclose(y, y2, rtol=1e-2, atol=1e-2) and np.allclose(g, g2, rtol=2e-2, atol=5e-2)
        assert np.allclose(w, w2, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 3])
def test_rounding_keeps_its_decimals(decimals):
    f = kobai.compile(lambda x: x.round(decimals=decimals) * 2)
    x = kobai.arange(-50, 51) * 3.1457
    for _ in range(3):
        y = f(x)
    assert y.equal(x.round(decimals=decimals) * 2)
