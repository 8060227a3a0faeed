"""Jacobians, Hessians and products with them (torch.autograd.functional's names)."""
from __future__ import annotations

from ..lifted import m
from ..tensor import Tensor
from .engine import grad
from .mode import enable_grad


def _as_tuple(v, what="inputs"):
    if isinstance(v, Tensor):
        return (v,), True
    if isinstance(v, (tuple, list)) and all(isinstance(t, Tensor) for t in v):
        return tuple(v), False
    raise TypeError(f"The {what} must be either a Tensor or a tuple of Tensors but got {type(v).__name__}")


def _fresh(inputs, create_graph):
    return tuple([m.identity(t) if create_graph and t.requires_grad else t.detach().requires_grad_() for t in inputs])


def _call(func, inputs):
    out = func(*inputs)
    return _as_tuple(out, "outputs of the user-provided function")


def _grads(outs, inputs, vs, create_graph, strict):
    pairs = [(o, v) for o, v in zip(outs, vs) if o.requires_grad]
    if strict and len(pairs) < len(outs):
        raise RuntimeError("The output of the user-provided function is independent of the input. This is not "
                           "allowed in strict mode.")
    if not pairs:
        return tuple([m.zeros_like(t.detach()) for t in inputs])
    got = grad([o for o, _ in pairs], inputs, [v for _, v in pairs], create_graph=create_graph, retain_graph=True,
               allow_unused=True)
    if strict and any(g is None for g in got):
        raise RuntimeError("The output of the user-provided function is independent of an input. This is not "
                           "allowed in strict mode.")
    return tuple([m.zeros_like(t.detach()) if g is None else g for g, t in zip(got, inputs)])


def _release(values, create_graph):
    return values if create_graph else tuple([v.detach() for v in values])


def _single(values, is_single):
    return values[0] if is_single else values


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v^T J)."""
    inputs, single = _as_tuple(inputs)
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        outs, out_single = _call(func, xs)
        vs = _direction(v, outs, out_single, "v")
        grads = _grads(outs, xs, vs, create_graph, strict)
    return _single(_release(outs, create_graph), out_single), _single(_release(grads, create_graph), single)


def _direction(v, like, single, name):
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector {name} can only be None if the user-provided function returns a single "
                               "Tensor with a single element.")
        return (m.zeros_like(like[0].detach()) + 1,)
    vs, _ = _as_tuple(v, name)
    if len(vs) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}.")
    for i, (a, b) in enumerate(zip(vs, like)):
        if tuple(a.shape) != tuple(b.shape):
            raise RuntimeError(f"Entry {i} of v has invalid size: should be {b.shape} but got {a.shape}.")
    return vs


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), J v), by differentiating the vjp (so that it works at any order)."""
    inputs, single = _as_tuple(inputs)
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        outs, out_single = _call(func, xs)
        vs = _direction(v, xs, single, "v")
        us = tuple([m.zeros_like(o.detach()).requires_grad_() for o in outs])
        back = _grads(outs, xs, us, True, strict)
        got = _grads(back, us, vs, create_graph, False)
    return _single(_release(outs, create_graph), out_single), _single(_release(got, create_graph), out_single)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of `func`: shape outputs' + inputs', nested in tuples as outputs and inputs are.

    >>> import kobai
    >>> kobai.autograd.functional.jacobian(lambda x: x ** 2, kobai.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if vectorize or strategy == "forward-mode":
        return _vectorized(func, inputs, strategy)
    inputs, single = _as_tuple(inputs)
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        outs, out_single = _call(func, xs)
        rows = []
        for o in outs:
            flat = m.reshape(o, (-1,))
            per_input = [[] for _ in xs]
            for i in range(flat.shape[0]):
                got = _grads([m.select(flat, 0, i)], xs, [None], create_graph, strict)
                for column, g in zip(per_input, got):
                    column.append(g)
            rows.append(tuple([_stack_rows(col, o, x) for col, x in zip(per_input, xs)]))
    rows = tuple([_release(r, create_graph) for r in rows])
    rows = tuple([_single(r, single) for r in rows])
    return _single(rows, out_single)


def _stack_rows(rows, out, x):
    shape = (*out.shape, *x.shape)
    return m.reshape(m.stack(rows), shape) if rows else m.reshape(x.detach(), (-1,))[:0].reshape(shape)


def _vectorized(func, inputs, strategy):
    from ..func import jacfwd, jacrev  # noqa: PLC0415  (they stand above this module)
    inputs, single = _as_tuple(inputs)
    of = jacfwd if strategy == "forward-mode" else jacrev
    return of(func, argnums=0 if single else tuple(range(len(inputs))))(*inputs)


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """Second derivatives of a scalar function."""
    inputs, single = _as_tuple(inputs)

    def gradient(*xs):
        out = func(*xs)
        if not isinstance(out, Tensor) or out.numel() != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
        xs_diff = tuple([x if x.requires_grad else x.requires_grad_() for x in xs])
        return _grads([m.reshape(out, ())], xs_diff, [None], True, strict) if not single else _grads(
            [m.reshape(out, ())], xs_diff, [None], True, strict)[0]
    return jacobian(gradient, inputs[0] if single else inputs, create_graph, strict)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v^T H) for a scalar function."""
    return _second(func, inputs, v, create_graph, strict)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), H v) for a scalar function."""
    return _second(func, inputs, v, create_graph, strict)


def _second(func, inputs, v, create_graph, strict):
    """H is symmetric: both products are the gradient of <gradient, v>."""
    inputs, single = _as_tuple(inputs)
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        outs, _ = _call(func, xs)
        if len(outs) != 1 or outs[0].numel() != 1:
            raise RuntimeError("The function given to vhp should return a single Tensor with a single element")
        vs = _direction(v, xs, single, "v")
        first = _grads(outs, xs, [m.zeros_like(outs[0].detach()) + 1], True, strict)
        got = _grads(first, xs, vs, create_graph, strict)
    return _release(outs, create_graph)[0], _single(_release(got, create_graph), single)


def grad_batched(outputs, inputs, grad_outputs, create_graph, allow_unused, materialize_grads):
    """`autograd.grad(..., is_grads_batched=True)`: a vmap over the gradients of the outputs."""
    from ..func import vmap  # noqa: PLC0415  (it stands above this module)
    got = {}

    def one(*gs):
        got["found"] = grad(outputs, inputs, gs, retain_graph=True, create_graph=create_graph,
                            allow_unused=allow_unused, materialize_grads=materialize_grads)
        return tuple([g for g in got["found"] if g is not None])
    values = iter(vmap(one)(*grad_outputs))
    return tuple([None if g is None else next(values) for g in got["found"]])
