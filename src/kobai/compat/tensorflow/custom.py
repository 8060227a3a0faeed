"""Derivatives of the program's own, and values without any."""
from __future__ import annotations

import functools
import inspect

import numpy as np

from ...autograd.function import Function
from ...diagnose import error
from ...tensor import wrap
from . import nest
from .names import export
from .recording import Record, begin, end, state
from .tape import GradientTape
from .tensors import EagerTensor, box
from .values import convert_to_tensor, is_tensor_like, value_of


@export("stop_gradient")
def stop_gradient(input, name=None):
    """The same values, through which no gradient passes."""
    if isinstance(input, (list, tuple, dict)) and any(is_tensor_like(v) for v in nest.flatten(input)):
        return nest.map_structure(stop_gradient, input)
    return box(value_of(input).detach())


class _Custom(Function):
    """A function whose values are known; `call` turns the gradients of the outputs into those of the inputs."""

    @staticmethod
    def forward(ctx, call, outs, *inputs):
        ctx.call = call
        return tuple([t.detach() for t in outs])

    @staticmethod
    def backward(ctx, *gs):
        return (None, None, *ctx.call(gs))


@export("custom_gradient")
def custom_gradient(f=None):
    """Decorate a function that returns its value and a function from the gradient of that to those of its arguments.

    >>> import kobai.compat.tensorflow as tf
    >>> @tf.custom_gradient
    ... def log1pexp(x):
    ...     e = tf.exp(x)
    ...     return tf.math.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    >>> x = tf.Variable(100.)
    >>> with tf.GradientTape() as tape:
    ...     y = log1pexp(x)
    >>> print(tape.gradient(y, x))
    tf.Tensor(1.0, shape=(), dtype=float32)
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args, **kwargs):
        return _call(f, args, kwargs)
    return decorated




def _call(f, args, kwargs):
    args = nest.map_structure(lambda a: convert_to_tensor(a) if is_tensor_like(a) or not isinstance(a, (
        str, type(None))) else a, args)
    watcher = Record()
    begin(watcher)
    try:
        result, grad_fn = f(*args, **kwargs)
    finally:
        end(watcher)
    variables = list(watcher.variables.values())
    takes = "variables" in _parameters(grad_fn)
    if variables and not takes:
        raise error("call-form", TypeError(
            "@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses "
            f"variables: {variables}"),
            fn="grad_fn",
            why="the function reads variables, so grad_fn gets them, and returns their gradients, too.",
            fix="write `def grad_fn(dy, variables=None): return by_inputs, by_variables`.")
    if not state.active and not _is_dual(args):
        return result
    inputs = [a for a in nest.flatten(args) if is_tensor_like(a)]
    outs = [value_of(t) for t in nest.flatten(result)]
    tensors = [value_of(a) for a in inputs] + [v._read() for v in variables]
    shapes = [(t._value.shape, t._value.dtype) for t in outs]

    def back(gs):
        gs = [box(wrap(np.zeros(*s)) if g is None else g) for g, s in zip(gs, shapes)]
        extra = []
        if variables:
            found, extra = grad_fn(*gs, variables=variables)
            if len(extra) != len(variables):
                raise error("lengths-differ",
                            ValueError("Must return gradient for each variable from @custom_gradient grad_fn."),
                            what="the second result of grad_fn", count=len(extra), other="variables",
                            other_count=len(variables),
                            fix="return (gradients by the arguments, [gradients by the variables]).")
        else:
            found = grad_fn(*gs)
        found = nest.flatten(found)
        if len(found) != len(inputs):
            raise error("lengths-differ",
                        ValueError(f"custom_gradient function expected to return {len(inputs)} gradients, but returned "
                                   f"{len(found)} instead."),
                        what="the result of grad_fn", count=len(found), other="the list of arguments",
                        other_count=len(inputs),
                        fix="return one gradient for each argument, in their order; None where there is none.")
        return [None if g is None else value_of(g) for g in (*found, *extra)]
    made = _Custom.apply(back, outs, *tensors)
    return nest.pack_sequence_as(result, [box(t) for t in made])


def _parameters(fn):
    try:
        return inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return ()


def _is_dual(args):
    return any(isinstance(a, EagerTensor) and not hasattr(a._t, "_data") for a in nest.flatten(args))


@export("grad_pass_through")
def grad_pass_through(f):
    """A function whose derivative is taken to be that of the identity."""
    @custom_gradient
    def passed(*args, **kwargs):
        def grad(*gs, variables=None):
            return (gs, [None] * len(variables)) if variables is not None else gs
        return f(*args, **kwargs), grad
    return passed


@export("recompute_grad")
def recompute_grad(f):
    """The function itself: intermediate values are kept, not computed again."""
    @functools.wraps(f)
    def same(*args, **kwargs):
        return f(*args, **kwargs)
    return same


@export("gradients", "hessians")
def gradients(ys, xs, *args, **kwargs):
    """Only for TensorFlow 1's graphs. Raises RuntimeError."""
    raise error("not-possible", RuntimeError(
        "tf.gradients is not supported when eager execution is enabled. Use tf.GradientTape instead."),
        why="operations run at once, so there is no graph to differentiate.",
        fix="compute inside `with tf.GradientTape() as tape:`, then tape.gradient(y, x).")


@export("test.compute_gradient")
def compute_gradient(f, x, delta=1.0 / 1024):
    """Jacobians of `f(*x)` by the tape and by central differences, a matrix [y's size, x's size] for each x.

    >>> import kobai.compat.tensorflow as tf
    >>> by_tape, by_differences = tf.test.compute_gradient(lambda x: x * x, [tf.constant([1.0, 2.0])])
    >>> by_tape[0]
    array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    if not isinstance(x, (list, tuple)):
        raise error("argument-type", ValueError(
            "`x` must be a list or tuple of values convertible to a Tensor (arguments to `f`), not a "
            f"{type(x)}"),
            what="x", kind=type(x), must="a list or tuple of tensors")
    values = [convert_to_tensor(v) for v in x]
    with GradientTape(persistent=True) as tape:
        tape.watch(values)
        y = f(*values)
    size = int(np.prod(y.shape, dtype=np.int64))
    found = tape.jacobian(y, values, unconnected_gradients="zero")
    return (tuple([j.numpy().reshape(size, -1) for j in found]),
            [_differences(f, values, i, delta).reshape(size, -1) for i in range(len(values))])


def _differences(f, values, which, delta):
    """The Jacobian by the `which`-th of the values: a column for each of its elements."""
    at, columns = values[which].numpy(), []
    for k in range(at.size):
        ends = []
        for step in (delta, -delta):
            moved = at.copy().reshape(-1)
            moved[k] += step
            with_it = [*values[:which], convert_to_tensor(moved.reshape(at.shape)), *values[which + 1:]]
            ends.append(f(*with_it).numpy().reshape(-1))
        columns.append((ends[0] - ends[1]) / (2 * delta))
    return np.stack(columns, -1).astype(at.dtype)
