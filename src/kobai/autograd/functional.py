"""Jacobians, Hessians and products with them (torch.autograd.functional's names)."""
from __future__ import annotations

from ..diagnose import error
from ..lifted import m
from ..tensor import Tensor, anew
from .engine import grad
from .mode import enable_grad
from .whole import whole

_SECOND = ("While computing the hessian, found that the jacobian of the user-provided function with respect to input "
           "{i} is independent of the input. This is not allowed in strict mode. You should ensure that your function "
           "is twice differentiable and that the jacobian depends on the inputs.")
_FIRST = "The output of the user-provided function is independent of input {i}. This is not allowed in strict mode."
_GRAPH = ("The jacobian of the user-provided function is independent of input {i}. This is not allowed in strict mode "
          "when create_graph=True.")


# ---- arguments and results -------------------------------------------------------------------
def _as_tuple(v, what, fn):
    """(tensors as a tuple, whether it was one tensor)."""
    if isinstance(v, Tensor):
        return (v,), True
    wrong = next((i for i, t in enumerate(v) if not isinstance(t, Tensor)), None) if isinstance(v, tuple) else None
    if not isinstance(v, tuple):
        where = f"the given {what} has type {type(v)}"
    elif wrong is not None:
        where = f"the value at index {wrong} has type {type(v[wrong])}"
    else:
        return v, False
    raise error("argument-type",
                TypeError(f"The {what} given to {fn} must be either a Tensor or a tuple of Tensors but {where}."),
                what=what, kind=type(v), must="a tensor or a tuple of tensors")


def _fresh(inputs, create_graph):
    """Tensors to differentiate by: still connected to what is around, or cut off."""
    return tuple([m.identity(t) if create_graph and t.requires_grad else anew(t).requires_grad_() for t in inputs])


def _call(func, inputs, fn, strict):
    """(outputs, whether it is one tensor) of the user's function."""
    what = "outputs of the user-provided function"
    outs, single = _as_tuple(func(*inputs), what, fn)
    for i, o in enumerate(outs):
        if strict and not o.requires_grad:
            raise error("wrong-return",
                        RuntimeError(f"Output {i} of the user-provided function does not require gradients. The outputs must "
                                     "be computed in a differentiable manner from the input when running in strict mode."),
                        what="the function", kind="a constant", must="a result that depends on its input",
                        why="output {i} does not depend on the inputs in a way that is recorded.", i=i,
                        fix="look for .detach(), .item(), torch.no_grad() in the function, or leave out strict=True.")
    return outs, single


def _scalar(func, inputs, fn, strict):
    outs, single = _call(func, inputs, fn, strict)
    if not single:
        raise error("wrong-return", RuntimeError(f"The function given to {fn} should return a single Tensor"),
                    what="the function", kind=f"{len(outs)} tensors", must="one tensor")
    if outs[0].numel() != 1:
        raise error("wrong-return",
                    RuntimeError(f"The Tensor returned by the function given to {fn} should contain a single element"),
                    what="the function", kind=f"a tensor of shape {tuple(outs[0].shape)}",
                    must="a tensor of one element", fix="sum it up: return y.sum().")
    return outs[0]


def _direction(v, like, fn, whose):
    """The vectors `v`, one for each of `like`; a single number's may be left out."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise error("argument-missing",
                        RuntimeError(f"The vector v can only be None if {whose} a single Tensor with a single element."),
                        fn=fn, what="v", must="a tensor", fix="pass v, of the same shape(s): torch.ones_like(...).")
        return (m.zeros_like(like[0].detach()) + 1,)
    vs, single = _as_tuple(v, "v", fn)
    if len(like) == 1 and len(vs) != 1:
        raise error("argument-count", RuntimeError("The given v should contain a single Tensor."),
                    what="v", count=len(vs), need="{n}", n=1)
    if len(vs) != len(like):
        raise error("argument-count",
                    RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}."),
                    what="v", count=len(vs), need="{n}", n=len(like))
    for i, (a, b) in enumerate(zip(vs, like)):
        if tuple(a.shape) != tuple(b.shape):
            raise error("tensor-shape",
                        RuntimeError(f"{'' if single else f'Entry {i} in '}v has invalid size: should be {b.shape} but got "
                                     f"{a.shape}."),
                        what="v" if single else f"v[{i}]", shape=a.shape, want=b.shape)
    return vs


_RETURNS = "the user-provided function returns"
_INPUT = "the input to the user-provided function is"


def _grads(outs, inputs, vs, create_graph, message=None):
    """The gradients of <outs, vs>: zeros where nothing depends, or RuntimeError(message)."""
    pairs = [(o, v) for o, v in zip(outs, vs) if o.requires_grad]
    found = (None,) * len(inputs)
    if pairs:
        found = grad([o for o, _ in pairs], inputs, [v for _, v in pairs], create_graph=create_graph,
                     retain_graph=True, allow_unused=True)
    for i, g in enumerate(found):
        if message is not None and g is None:
            raise error("wrong-return", RuntimeError(message.format(i=i)),
                        what="the function", kind="a constant", must="a result that depends on its input",
                        why="with strict=True everything must depend on everything; entry {i} does not.", i=i,
                        fix="look for .detach(), .item(), torch.no_grad() in the function, or leave out strict=True.")
    return tuple([m.zeros_like(t.detach()) if g is None else g for g, t in zip(found, inputs)])


def _need_graph(grads, message):
    for i, g in enumerate(grads):
        if not g.requires_grad:
            raise error("wrong-return", RuntimeError(message.format(i=i)),
                        what="the function", kind="a constant", must="a result that depends on its input",
                        why="with strict=True everything must depend on everything; entry {i} does not.", i=i,
                        fix="look for .detach(), .item(), torch.no_grad() in the function, or leave out strict=True.")


def _release(values, create_graph):
    return values if create_graph else tuple([anew(v) for v in values])


def _single(values, is_single):
    return values[0] if is_single else values


def _once(plain, func, tensors, create_graph, *options):
    """plain(func, *tensors, create_graph, *options), the way that is quick where it is done often."""
    if create_graph:
        return plain(func, *tensors, True, *options)

    def call(*tensors):
        return plain(func, *tensors, False, *options)
    return whole(call, tensors, {}, True)


# ---- products --------------------------------------------------------------------------------
def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v^T J)."""
    return _once(_vjp, func, (inputs, v), create_graph, strict)


def _vjp(func, inputs, v, create_graph, strict):
    inputs, single = _as_tuple(inputs, "inputs", "vjp")
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        outs, out_single = _call(func, xs, "vjp", strict)
        vs = _direction(v, outs, "vjp", _RETURNS)
        grads = _grads(outs, xs, vs, create_graph, _FIRST if strict else None)
        if strict and create_graph:
            _need_graph(grads, _GRAPH)
    return _single(_release(outs, create_graph), out_single), _single(_release(grads, create_graph), single)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), J v), by differentiating the vjp: v^T J is linear in v."""
    return _once(_jvp, func, (inputs, v), create_graph, strict)


def _jvp(func, inputs, v, create_graph, strict):
    inputs, single = _as_tuple(inputs, "inputs", "jvp")
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        vs = _direction(v, xs, "jvp", _INPUT)
        outs, out_single = _call(func, xs, "jvp", strict)
        us = tuple([m.zeros_like(o.detach()).requires_grad_() for o in outs])
        back = _grads(outs, xs, us, True, _FIRST if strict else None)
        got = _grads(back, us, vs, create_graph)
        if strict and create_graph:
            _need_graph(got, _GRAPH)
    return _single(_release(outs, create_graph), out_single), _single(_release(got, create_graph), out_single)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), v^T H) for a scalar function."""
    return _once(_second, func, (inputs, v), create_graph, strict, "vhp")


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), H v) for a scalar function."""
    return _once(_second, func, (inputs, v), create_graph, strict, "hvp")


def _second(func, inputs, v, create_graph, strict, fn):
    """H is symmetric: both products are the gradient of <gradient, v>."""
    inputs, single = _as_tuple(inputs, "inputs", fn)
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        vs = _direction(v, xs, fn, _INPUT)
        out = _scalar(func, xs, fn, strict)
        first = _grads((out,), xs, [None], True, _FIRST if strict else None)
        if strict:
            _need_graph(first, _SECOND)
        got = _grads(first, xs, vs, create_graph, _SECOND if strict else None)
    return _release((out,), create_graph)[0], _single(_release(got, create_graph), single)


# ---- matrices --------------------------------------------------------------------------------
def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of `func`: shape outputs' + inputs', nested in tuples as outputs and inputs are.

    >>> import kobai
    >>> kobai.autograd.functional.jacobian(lambda x: x ** 2, kobai.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _once(_jacobian, func, (inputs,), create_graph, strict, vectorize, strategy)


def _jacobian(func, inputs, create_graph, strict, vectorize, strategy):
    _check_strategy(strategy)
    inputs, single = _as_tuple(inputs, "inputs", "jacobian")
    if strict and vectorize:
        raise error("arguments-exclude",
                    RuntimeError("torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported "
                                 "together. Please either set `strict=False` or `vectorize=False`."),
                    what="strict=True", other="vectorize=True")
    with enable_grad():
        xs = _fresh(inputs, create_graph)
        if vectorize or strategy == "forward-mode":
            return _released(_vectorized(func, xs, single, strategy), create_graph)
        outs, out_single = _call(func, xs, "jacobian", strict)
        message = f"Output {{k}} of {_FIRST[len('The output of '):]}" if strict else None
        rows = tuple([_block(o, xs, create_graph, message and message.replace("{k}", str(k)))
                      for k, o in enumerate(outs)])
        if strict and create_graph:
            for row in rows:
                _need_graph(row, _GRAPH)
    rows = tuple([_single(_release(r, create_graph), single) for r in rows])
    return _single(rows, out_single)


def _check_strategy(strategy):
    if strategy not in ("forward-mode", "reverse-mode"):
        raise error("argument-choice",
                    AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".'),
                    what="strategy", value=strategy, choices=["forward-mode", "reverse-mode"])


def _block(out, xs, create_graph, message):
    """The derivatives of all elements of one output by each input."""
    flat = m.reshape(out, (-1,))
    rows = [_grads([m.select(flat, 0, i)], xs, [None], create_graph, message) for i in range(flat.shape[0])]
    shapes = [(*out.shape, *x.shape) for x in xs]
    if not rows:
        return tuple([m.zeros_like(m.reshape(x.detach(), (-1,))[:0]).reshape(s) for x, s in zip(xs, shapes)])
    return tuple([m.reshape(m.stack(list(column)), s) for column, s in zip(zip(*rows), shapes)])


def _vectorized(func, xs, single, strategy):
    from ..func import jacfwd, jacrev  # noqa: PLC0415  (they stand above this module)

    def checked(*inputs):
        return _single(*_call(func, inputs, "jacobian", False))
    of = jacfwd if strategy == "forward-mode" else jacrev
    return of(checked, argnums=0 if single else tuple(range(len(xs))))(*xs)


def _released(tree, create_graph):
    return tuple([_released(t, create_graph) for t in tree]) if isinstance(tree, tuple) \
        else _release((tree,), create_graph)[0]


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """Second derivatives of a scalar function: the Jacobian of its gradient."""
    return _once(_hessian, func, (inputs,), create_graph, strict, vectorize, outer_jacobian_strategy)


def _hessian(func, inputs, create_graph, strict, vectorize, strategy):
    _check_strategy(strategy)
    xs, single = _as_tuple(inputs, "inputs", "hessian")

    def gradient(*xs):
        xs = tuple([x if x.requires_grad else anew(x).requires_grad_() for x in xs])
        out = _scalar(func, xs, "hessian", strict)
        grads = _grads((m.reshape(out, ()),), xs, [None], True, _SECOND if strict else None)
        if strict:
            _need_graph(grads, _SECOND)
        return _single(grads, single)
    return _jacobian(gradient, xs[0] if single else xs, create_graph, strict, vectorize, strategy)


def grad_batched(outputs, inputs, grad_outputs, create_graph, allow_unused, materialize_grads):
    """`autograd.grad(..., is_grads_batched=True)`: a vmap over the gradients of the outputs."""
    from ..func import vmap  # noqa: PLC0415  (it stands above this module)
    found = []

    def one(*gs):
        found[:] = grad(outputs, inputs, gs, retain_graph=True, create_graph=create_graph,
                        allow_unused=allow_unused, materialize_grads=materialize_grads)
        return tuple([g for g in found if g is not None])
    values = iter(vmap(one)(*grad_outputs))
    return tuple([None if g is None else next(values) for g in found])
