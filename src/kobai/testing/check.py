"""Checks of one op on one sample: each compares the op's rules with mathematics, in float64.

Gradients are compared with central differences in one random direction, with a random cotangent
(as HIPS autograd does): a rule that is wrong anywhere is wrong in almost every direction.
"""
from __future__ import annotations

import numpy as np

from ..autograd.engine import grad
from ..func import jvp, vjp, vmap
from ..tensor import Tensor, wrap

STEP = 1e-6


def differentiable(op, i, a):
    """Whether input number i takes part in derivatives: a float that the op has a rule for."""
    if not isinstance(a, np.ndarray) or a.dtype.kind not in "fc":
        return False
    return bool(op.joint) or op.linear or op.inputs[i] in op.rules


def run(op, arrays):
    """The float outputs of the op on arrays, as a list of arrays."""
    y = op(*[np.array(a) if isinstance(a, np.ndarray) else a for a in arrays])
    return [np.asarray(v) for v in (y if op.outputs != 1 else (y,)) if np.asarray(v).dtype.kind in "fc"]


def tensors(op, arrays, requires_grad=False):
    """The arrays as Tensors; those that can, require grad."""
    return [wrap(np.array(a)).requires_grad_(requires_grad and differentiable(op, i, a))
            if isinstance(a, np.ndarray) else a for i, a in enumerate(arrays)]


def apply(op, inputs):
    """The float outputs of the op on Tensors, as a list of Tensors."""
    y = op(*inputs)
    return [v for v in (y if op.outputs != 1 else (y,)) if v._value.dtype.kind in "fc"]


def direction(op, rng, arrays):
    """A random direction for the differentiable inputs, None for the others."""
    return [_normal(rng, a) if differentiable(op, i, a) else None for i, a in enumerate(arrays)]


def _normal(rng, a):
    v = np.asarray(rng.standard_normal(a.shape))
    return v + 1j * rng.standard_normal(a.shape) if a.dtype.kind == "c" else v


def along(arrays, directions, t):
    """The inputs moved by t along the directions."""
    return [a if d is None else np.asarray(a + t * d) for a, d in zip(arrays, directions)]


def inner(a, b):
    """Real inner product of two lists of arrays."""
    return sum(float(np.real(np.vdot(x, y))) for x, y in zip(a, b) if x is not None and y is not None)


def check_gradient(op, arrays, rng):
    """vjp against central differences: <cotangent, df> = <gradient, direction>."""
    d = direction(op, rng, arrays)
    plus, minus = run(op, along(arrays, d, STEP)), run(op, along(arrays, d, -STEP))
    cot = [_normal(rng, v) for v in plus]
    want = inner(cot, [(p - q) / (2 * STEP) for p, q in zip(plus, minus)])
    inputs = tensors(op, arrays, True)
    outs = apply(op, inputs)
    found = _gradients(outs, inputs, [wrap(np.asarray(c)) for c in cot])
    for g, t in zip(found, [t for t in inputs if isinstance(t, Tensor) and t._rg]):
        assert g is None or (g.shape, g.dtype) == (t.shape, t.dtype), f"gradient {g.shape} {g.dtype} for {t.shape}"
    have = inner([None if g is None else g._data for g in found], [v for v in d if v is not None])
    _close(have, want, f"{op} gradient")


def check_second(op, arrays, rng):
    """The gradient of <gradient, v> against central differences of the gradient."""
    d = direction(op, rng, arrays)
    cot = [wrap(np.asarray(_normal(rng, v))) for v in run(op, arrays)]
    v = direction(op, rng, arrays)

    def first(moved, graph):
        inputs = tensors(op, moved, True)
        outs = apply(op, inputs)
        return inputs, _gradients(outs, inputs, cot, graph)

    vs = [x for x in v if x is not None]
    want = (inner([None if g is None else g._data for g in first(along(arrays, d, STEP), False)[1]], vs)
            - inner([None if g is None else g._data for g in first(along(arrays, d, -STEP), False)[1]], vs)) / (2 * STEP)
    inputs, grads = first(arrays, True)
    pairs = [(g, wrap(np.asarray(x))) for g, x in zip(grads, vs) if g is not None and g.requires_grad]
    have = 0.0
    if pairs:
        leaves = [t for t in inputs if isinstance(t, Tensor) and t._rg]
        second = grad([g for g, _ in pairs], leaves, [x for _, x in pairs], allow_unused=True)
        have = inner([None if g is None else g._data for g in second], [x for x in d if x is not None])
    _close(have, want, f"{op} second derivative", 2e-4)


def _gradients(outs, inputs, cot, graph=False):
    pairs = [(o, c) for o, c in zip(outs, cot) if o.requires_grad]
    leaves = [t for t in inputs if isinstance(t, Tensor) and t._rg]
    if not pairs:
        return [None] * len(leaves)
    return grad([o for o, _ in pairs], leaves, [c for _, c in pairs], create_graph=graph, allow_unused=True)


def check_jvp(op, arrays, rng):
    """Forward mode against central differences."""
    d = direction(op, rng, arrays)
    plus, minus = run(op, along(arrays, d, STEP)), run(op, along(arrays, d, -STEP))
    chosen = [i for i, v in enumerate(d) if v is not None]
    inputs = tensors(op, arrays)

    def f(*moving):
        full = list(inputs)
        for i, t in zip(chosen, moving):
            full[i] = t
        return tuple(apply(op, full))
    _, found = jvp(f, tuple([inputs[i] for i in chosen]), tuple([wrap(np.asarray(d[i])) for i in chosen]))
    for have, p, q in zip(found, plus, minus):
        want = (p - q) / (2 * STEP)
        np.testing.assert_allclose(have._data, want, rtol=1e-5, atol=1e-6 * max(1, np.abs(want).max(initial=0)),
                                   err_msg=f"{op} jvp")


def check_vmap(op, arrays, rng):
    """vmap over a batch of two against two calls, with all array inputs batched, then only the first."""
    places = [i for i, a in enumerate(arrays) if isinstance(a, np.ndarray)]
    for chosen in dict.fromkeys((tuple(places), tuple(places[:1]))):
        other = [np.roll(a, 1) if i in chosen and a.size else a for i, a in enumerate(arrays)]
        stacked = [np.stack([a, b]) if i in chosen else a for i, (a, b) in enumerate(zip(arrays, other))]
        if not chosen:
            continue

        def f(*batched, chosen=chosen):
            full = tensors(op, arrays)
            for i, t in zip(chosen, batched):
                full[i] = t
            y = op(*full)
            return y if op.outputs != 1 else (y,)
        found = vmap(f, randomness="different")(*[wrap(stacked[i]) for i in chosen])
        for k, one in enumerate((arrays, other)):
            y = op(*one)
            for have, want in zip(found, y if op.outputs != 1 else (y,)):
                np.testing.assert_allclose(have._array()[k], want, rtol=1e-9, atol=1e-12,
                                           err_msg=f"{op} vmap")


def check_vmap_of_gradient(op, arrays):
    """The gradients of a batch of two, by vmap over vjp, against those of two calls."""
    places = [i for i, a in enumerate(arrays) if isinstance(a, np.ndarray)]
    chosen = [i for i in places if differentiable(op, i, arrays[i])]
    other = [np.roll(a, 1) if i in places and a.size else a for i, a in enumerate(arrays)]

    def gradients(*inputs):
        full = list(arrays)
        for i, t in zip(places, inputs):
            full[i] = t

        def f(*moving):
            for i, t in zip(chosen, moving):
                full[i] = t
            return tuple(apply(op, full))
        outs, back = vjp(f, *[full[i] for i in chosen])
        return back(tuple([(v.detach() * 0.3 + 1).conj() for v in outs]))
    found = vmap(gradients)(*[wrap(np.stack([arrays[i], other[i]])) for i in places])
    for k, one in enumerate((arrays, other)):
        for have, want in zip(found, gradients(*[wrap(np.array(one[i])) for i in places])):
            np.testing.assert_allclose(have._array()[k], want._array(), rtol=1e-8, atol=1e-11, err_msg=f"{op} vmap of vjp")


def check_strides(op, arrays):
    """Inputs that are not contiguous give the same result."""
    strided = [_strided(a) if isinstance(a, np.ndarray) and a.ndim else a for a in arrays]
    for have, want in zip(run(op, strided), run(op, arrays)):
        np.testing.assert_allclose(have, want, rtol=1e-12, err_msg=f"{op} on strided input")


def _strided(a):
    wide = np.repeat(a, 2, axis=-1)
    return wide[..., ::2]


def _close(have, want, what, rel=2e-5):
    assert abs(have - want) <= rel * max(1.0, abs(want), abs(have)), f"{what}: {have}, finite differences give {want}"
