"""Jacobians and Hessians: one vmapped vjp (jacrev) or jvp (jacfwd) for all their rows or columns."""
from __future__ import annotations

import functools

import numpy as np

from ..autograd.whole import whole
from ..op import m
from ..pytree import flatten, tree_map, unflatten
from ..tensor import constant, wrap
from .batching import vmap
from .forward import jvp
from .reverse import arguments, pullback, put


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """The Jacobian of `func` by reverse mode: one vmapped vjp for all outputs.

    >>> kobai.func.jacrev(kobai.square)(kobai.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    def by_rows(*args, **kwargs):
        nums = arguments(argnums, args)
        out, back, aux, inputs = pullback(
            lambda *chosen: func(*put(args, nums, chosen), **kwargs), [args[i] for i in nums], has_aux)
        outs, out_spec = flatten(out)
        result = unflatten([_rows(outs, k, out_spec, back, chunk_size, isinstance(argnums, int))
                            for k in range(len(outs))], out_spec)
        result = tree_map(inputs.released, result)
        return (result, tree_map(inputs.released, aux)) if has_aux else result
    return _jacobian(func, by_rows)


def _jacobian(func, matrix):
    """The function of the user's arguments that calls `matrix`."""
    matrix.__wrapped__ = func

    @functools.wraps(func)
    def jacobian(*args, **kwargs):
        return whole(matrix, args, kwargs)
    return jacobian


def _rows(outs, k, out_spec, back, chunk_size, single):
    """The derivatives of all elements of output k, as a tree like the inputs."""
    o = outs[k]

    def row(e):
        return back(unflatten([e if j == k else m.zeros_like(q.detach()) for j, q in enumerate(outs)], out_spec))
    grads = vmap(row, chunk_size=chunk_size)(_basis(o))
    grads = tree_map(lambda g: m.reshape(g, (*o.shape, *g.shape[1:])), grads)
    return grads[0] if single else tuple(grads)


def _basis(t):
    """The unit vectors of t's space, along a new first dimension."""
    n = t.numel()
    return constant(wrap(np.eye(n, dtype=t._value.dtype).reshape(n, *t.shape)))


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """The Jacobian of `func` by forward mode: one vmapped jvp for all inputs."""
    def by_columns(*args, **kwargs):
        nums = arguments(argnums, args)
        chosen = tuple([args[i] for i in nums])
        leaves, spec = flatten(chosen)
        columns, aux = [], None
        for k, t in enumerate(leaves):
            def column(e, k=k):
                tangents = unflatten([e if j == k else m.zeros_like(q) for j, q in enumerate(leaves)], spec)
                got = jvp(lambda *chosen: func(*put(args, nums, chosen), **kwargs), chosen, tangents, has_aux=has_aux)
                return got[1:] if has_aux else got[1]
            got = vmap(column, randomness=randomness)(_basis(t))
            if has_aux:
                got, aux = got[0], tree_map(lambda a: a[0], got[1])
            columns.append(tree_map(lambda j, t=t: m.reshape(m.movedim(j, 0, -1), (*j.shape[1:], *t.shape)), got))
        result = _by_output(columns, spec, isinstance(argnums, int))
        return (result, aux) if has_aux else result
    return _jacobian(func, by_columns)


def _by_output(columns, spec, single):
    """From one tree of outputs per input to one tree of inputs per output."""
    flat = [flatten(c) for c in columns]
    per_output = [unflatten([f[0][k] for f in flat], spec) for k in range(len(flat[0][0]))]
    return unflatten([tree[0] if single else tree for tree in per_output], flat[0][1])


def hessian(func, argnums=0):
    """Second derivatives: forward mode over reverse mode.

    >>> kobai.func.hessian(lambda x: (x ** 3).sum())(kobai.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


