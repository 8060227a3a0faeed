"""Checks of one op under `kobai.compile`: four calls with other numbers each give what the op itself gives.

From the second or third call on a recorded program runs; that it did is part of the check.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..autograd.engine import grad
from ..compile.front import compiled
from ..op import m
from ..random import manual_seed
from ..tensor import Tensor, wrap
from . import check

CALLS = 4


def largest(samples):
    """The sample with the most elements: the one that has vectors, tails and broadcasting to get wrong."""
    return max(samples, key=lambda s: sum(a.size for a in s.arrays(np.random.default_rng(0)) if isinstance(a, np.ndarray)))


def check_forward(op, arrays) -> str | None:
    """The op as a compiled function; returns the reason if it runs eagerly."""
    def f(*inputs):
        return _own(op, op(*inputs))
    return _alike(op, f, lambda f, k: _list(f(*_inputs(op, arrays, k))))


def check_training(op, arrays) -> str | None:
    """The op and its gradients for given cotangents, all inside a compiled function."""
    able = tuple([check.differentiable(op, i, a) for i, a in enumerate(arrays)])

    def f(*inputs):
        inputs = [t.detach().requires_grad_(d) if isinstance(t, Tensor) else t for t, d in zip(inputs, able)]
        outs = [y for y in check.apply(op, inputs) if y.requires_grad]
        leaves = [t for t in inputs if isinstance(t, Tensor) and t.requires_grad]
        found = grad(outs, leaves, [m.cos(y.detach()) for y in outs], allow_unused=True)
        return [*_own(op, [y.detach() for y in outs]), *found]
    return _alike(op, f, lambda f, k: _list(f(*_inputs(op, arrays, k))))


def check_differentiated(op, arrays) -> str | None:
    """A compiled function whose caller takes gradients, and gradients of gradients."""
    def f(*inputs):
        return tuple(_own(op, check.apply(op, inputs)))

    def run(f, k):
        rng = np.random.default_rng(k)
        inputs = _inputs(op, arrays, k, True)
        outs = [y for y in f(*inputs) if y.requires_grad]
        leaves = [t for t in inputs if isinstance(t, Tensor) and t.requires_grad]
        first = _gradients(outs, leaves, rng, k != 2)
        second = _gradients([g for g in first if g is not None and g.requires_grad], leaves, rng, False)
        return [*outs, *first, *second]
    return _alike(op, f, run)


def _gradients(outs, leaves, rng, graph):
    if not outs:
        return []
    cotangents = [wrap(np.asarray(check._normal(rng, y._value), y._value.dtype)) for y in outs]
    return grad(outs, leaves, cotangents, allow_unused=True, create_graph=graph)


def _own(op, y):
    """Outputs that are not views of the arguments: those a recorded program does not return."""
    ys = _list(y)
    return [v.clone() if isinstance(v, Tensor) else v for v in ys] if op.view else ys


def _list(y):
    return list(y) if isinstance(y, (tuple, list)) else [y]


def _inputs(op, arrays, k: int, requires_grad=False):
    """The inputs of call number k: other numbers of the same kind."""
    other = [a if not isinstance(a, np.ndarray) or not a.size else np.asarray(a * (1 - 0.02 * k), a.dtype)
             if a.dtype.kind in "fc" else np.roll(a, k) if a.ndim else a for a in arrays]
    return check.tensors(op, other, requires_grad)


def _alike(op, f, run: Callable) -> str | None:
    fast = compiled(f)
    want, have = [], []
    for found, g in ((want, f), (have, fast)):
        for k in range(CALLS):
            manual_seed(k)
            found.append([v if v is None else np.array(v.detach()._array() if isinstance(v, Tensor) else v)
                          for v in run(g, k)])
    for k, (a, b) in enumerate(zip(want, have)):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            _same(x, y, f"{op}, call {k}, result {i}")
    if fast.reason is not None or not any(v.programs for v in fast.variants.values()):
        return fast.reason or "no program was made"
    return None


def _same(want, have, where: str):
    if want is None or have is None:
        assert want is have or not np.any(want if have is None else have), f"{where}: {have}, eagerly {want}"
        return
    assert (have.shape, have.dtype) == (want.shape, want.dtype), f"{where}: {have.shape} {have.dtype}"
    scale = np.abs(want[np.isfinite(want)]).max(initial=0) if want.dtype.kind in "fc" else 0
    # what was recorded adds up in another order
    tolerance = 1e-10 if want.dtype.itemsize >= 8 and want.dtype != np.complex64 else 3e-5
    np.testing.assert_allclose(have, want, tolerance, tolerance * float(scale), err_msg=where)
