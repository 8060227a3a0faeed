"""Tests made from the op classes: the scalar code of every op that has some.

Three ways to compute the same: the op's own forward, its kernel on NumPy, its kernel as machine code.
"""

from types import SimpleNamespace

import numpy as np
import pytest

import kobai
from kobai.backends import llvm, numpy as reference
from kobai.compile.emit import kernel_of, kernel_of_graph, kernel_of_vjp, row_dims
from kobai.op import registry
from kobai.rules import compiled_rules

OPS = [cls for cls in registry if cls.emit is not None and getattr(cls, "samples", None)]
CASES = [pytest.param(cls, s, id=f"{cls.__name__}-{i}") for cls in OPS for i, s in enumerate(cls.samples)]


def inputs(sample, dtype):
    return [None if a is None else np.asarray(a) for a in sample.arrays(np.random.default_rng(0), dtype)]


def results(op, arrays):
    with np.errstate(all="ignore"):
        y = op.forward(*arrays)
    return [np.asarray(v) for v in (y if isinstance(y, tuple) else (y,))]


def run(engine, kernel, op, arrays):
    """A kernel by an engine, its rows being the dimensions the op goes over."""
    dims = row_dims(op, max(a.ndim for a in arrays))
    if dims is None:
        return engine.run(kernel, *arrays)
    last, ndim = range(-len(dims), 0), max(a.ndim for a in arrays)
    arrays = [a.reshape((1,) * (ndim - a.ndim) + a.shape) for a in arrays]
    outputs = engine.run(kernel, *[np.moveaxis(a, dims, last) for a in arrays], inner=len(dims))
    outputs = [np.moveaxis(o, last, dims) for o in outputs]
    if getattr(op, "keepdim", False) or not kernel.per_row[kernel.outputs[0]]:
        return outputs
    return [o.squeeze(dims) for o in outputs]


def close(got, expected, dtype):
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    tolerance = {"f4": 3e-6, "f8": 1e-14}[dtype]
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("cls", "sample"), CASES)
def test_kernel_of_an_op(cls, sample, dtype):
    op, arrays = cls(*sample.params), inputs(sample, dtype)
    kernel = kernel_of(op, [None if a is None else a.dtype for a in arrays])
    if kernel is None:
        pytest.skip("no scalar code for this sample")
    expected = results(op, arrays)
    arrays = [a for a in arrays if a is not None]
    for e, defined in zip(expected, run(reference, kernel, op, arrays), strict=True):
        close(defined, e, dtype)
    if llvm.available:
        for e, got in zip(expected, run(llvm, kernel, op, arrays), strict=True):
            close(got, e, dtype)


@pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@pytest.mark.parametrize("cls", [c for c in OPS if c.elementwise], ids=lambda c: c.__name__)
def test_half_precision_is_rounded_once(cls, half):
    """As the eager engine does: computed in float32, then rounded; so both give the same bits."""
    dtype = getattr(kobai, half).np
    sample = max(cls.samples, key=lambda s: len(str(s.inputs)))
    arrays = [a.astype(dtype) if a.dtype == np.float32 else a for a in inputs(sample, "f4")]
    op = cls(*sample.params)
    kernel = kernel_of(op, [a.dtype for a in arrays])
    if kernel is None:
        pytest.skip("no scalar code for this sample")
    wide = results(op, [a.astype("f4") if a.dtype == dtype else a for a in arrays])
    for e, defined, got in zip(wide, reference.run(kernel, *arrays), llvm.run(kernel, *arrays), strict=True):
        e = e.astype(dtype) if e.dtype == np.float32 else e
        assert got.dtype == defined.dtype == e.dtype
        np.testing.assert_allclose(
            got.astype("f8"), e.astype("f8"), rtol=1e-2 if half == "bfloat16" else 1e-3
        )


def test_a_chain_of_ops_is_one_kernel():
    """tanh(a * b + c) and its sum over all elements, as one pass over memory."""
    op = {cls.__name__: cls for cls in registry}
    a, b, c = [np.random.default_rng(i).standard_normal((50, 300)).astype("f4") for i in range(3)]
    names = [(n, np.float32) for n in "abc"]
    nodes = [
        (op["Mul"](), names[:2], "ab"),
        (op["Add"](), ["ab", names[2]], "abc"),
        (op["Tanh"](), ["abc"], "y"),
        (op["SumAll"](), ["y"], "total"),
    ]
    kernel = kernel_of_graph(nodes, ["total", "y"])
    assert [n.op for n in kernel.nodes] == ["load", "load", "mul", "load", "add", "tanh", "sum"]
    expected = np.tanh(a * b + c)
    for engine in [reference, llvm] if llvm.available else [reference]:
        total, y = engine.run(kernel, a, b, c)
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(total.item(), expected.sum(dtype="f8"), rtol=1e-5)


def saved_for_rules(op, sample, dtype):
    arrays = inputs(sample, dtype)
    return {"y": results(op, arrays)[0], **dict(zip(op.inputs, arrays))}


ELEMENTWISE = [c for c in OPS if c.elementwise and c.differentiable]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("cls", ELEMENTWISE, ids=lambda c: c.__name__)
def test_backward_is_one_kernel(cls, dtype):
    """The rules of an op run on scalar values give the kernel of its backward pass."""
    sample = max(cls.samples, key=lambda s: len(str(s.inputs)))
    op = cls(*sample.params)
    saved = saved_for_rules(op, sample, dtype)
    if any(a.dtype.kind not in "fb" for a in saved.values()):
        pytest.skip("not a float op")
    mask = (1 << len(op.inputs)) - 1
    vjp = kernel_of_vjp(op, mask, {n: (a.shape, a.dtype) for n, a in saved.items()})
    if vjp is None:
        pytest.skip("a rule needs what has no scalar code")
    g = np.random.default_rng(1).standard_normal(saved["y"].shape).astype(dtype)
    rules = compiled_rules(cls, mask, False)[1]
    versions = [[0]] * rules.cells + [0] * bool(rules.cells)
    asked = [
        saved[a] if a in saved else getattr(saved[a.rsplit("_", 1)[0]], a.rsplit("_", 1)[1])
        for a in rules.asks
    ]
    with np.errstate(all="ignore"):
        expected = rules(SimpleNamespace(op=op, fit=None), g, (*asked, *versions))
    expected = [np.broadcast_to(e, saved["y"].shape) for e in expected if e is not None]
    arrays = [g if name == "g" else saved[name] for name in vjp.reads]
    arrays = [np.broadcast_to(a, saved["y"].shape) for a in arrays]
    for e, got in zip(expected, reference.run(vjp.kernel, *arrays), strict=True):
        close(got, e.astype(got.dtype), dtype)
    if llvm.available:
        for e, got in zip(expected, llvm.run(vjp.kernel, *arrays), strict=True):
            close(got, e.astype(got.dtype), dtype)


def test_softmax_s_backward_is_one_pass_over_rows():
    op = {cls.__name__: cls for cls in registry}["Softmax"](1)
    like = ((50, 30), np.dtype("f4"))
    vjp = kernel_of_vjp(op, 1, {"y": like, "x": like})
    assert vjp.dims == (1,) and vjp.reads == ("g", "y")
    g, y = [np.random.default_rng(i).standard_normal((50, 30)).astype("f4") for i in range(2)]
    expected = y * (g - (g * y).sum(1, keepdims=True))
    np.testing.assert_allclose(reference.run(vjp.kernel, g, y, inner=1)[0], expected, rtol=1e-4, atol=1e-5)
