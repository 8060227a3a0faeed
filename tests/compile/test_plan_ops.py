"""Tests made from the op classes: a plan of each op alone, whatever it becomes there, gives what the op gives."""
from math import prod

import numpy as np
import pytest
from graphs_to_compile import expected

import kobai  # noqa: F401  (fills the registry)
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
