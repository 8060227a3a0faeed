"""`keras.ops`: functions that work on tensors and on placeholders, under NumPy's names."""
from __future__ import annotations

import numpy as np

from ....op import m
from .. import arithmetic, convolution, creation, indexing, matrices, nn_ops, reductions, shaping, sorting, values
from ..tensors import box
from ..values import value_of
from . import activations, losses
from .symbolic import works_on_symbols

_SAME = {
    arithmetic: "abs add subtract multiply exp expm1 log log1p sqrt rsqrt square sin cos tan sinh cosh tanh negative "
                "sign floor ceil round reciprocal logical_and logical_or logical_not logical_xor equal not_equal less "
                "less_equal greater greater_equal maximum minimum erf erfinv real imag conj",
    shaping: "reshape transpose expand_dims squeeze stack split tile repeat broadcast_to pad",
    creation: "zeros ones zeros_like ones_like eye one_hot linspace meshgrid",
    indexing: "where",
    matrices: "matmul einsum tensordot norm",
    sorting: "sort argsort top_k searchsorted",
    nn_ops: "relu relu6 elu selu silu softplus softsign",
}
_RENAMED = {
    "divide": arithmetic.truediv, "true_divide": arithmetic.truediv, "power": arithmetic.pow, "mod": arithmetic.floormod,
    "floor_divide": arithmetic.floordiv, "arctan2": arithmetic.atan2, "arcsin": arithmetic.asin,
    "arccos": arithmetic.acos, "arctan": arithmetic.atan, "arcsinh": arithmetic.asinh, "arccosh": arithmetic.acosh,
    "arctanh": arithmetic.atanh, "isnan": arithmetic.is_nan, "isinf": arithmetic.is_inf,
    "isfinite": arithmetic.is_finite, "clip": arithmetic.clip_by_value, "absolute": arithmetic.abs,
    "divide_no_nan": arithmetic.divide_no_nan,
    "concatenate": lambda xs, axis=0: shaping.concat(xs, axis), "unstack": shaping.unstack,
    "flip": lambda x, axis=None: shaping.reverse(x, range(x.ndim) if axis is None else [axis]),
    "arange": creation.range, "full": creation.fill, "take": lambda x, indices, axis=0: indexing.gather(
        x, indices, axis=axis), "inv": matrices.inv, "det": matrices.det, "solve": matrices.solve, "qr": matrices.qr,
    "cholesky": matrices.cholesky, "trace": matrices.trace,
    "sum": reductions.reduce_sum, "mean": reductions.reduce_mean, "max": reductions.reduce_max, "amax":
    reductions.reduce_max, "min": reductions.reduce_min, "amin": reductions.reduce_min, "prod": reductions.reduce_prod,
    "all": reductions.reduce_all, "any": reductions.reduce_any, "std": reductions.reduce_std,
    "var": reductions.reduce_variance, "logsumexp": reductions.reduce_logsumexp,
    "count_nonzero": lambda x, axis=None: reductions.count_nonzero(x, axis, dtype="int32"),
    "sigmoid": activations.sigmoid, "softmax": activations.softmax,
    "log_softmax": activations.log_softmax, "gelu": lambda x, approximate=True: activations.gelu(x, approximate),
    "leaky_relu": activations.leaky_relu,
    "hard_sigmoid": activations.hard_sigmoid, "hard_silu": activations.hard_silu, "log_sigmoid":
    activations.log_sigmoid, "celu": activations.celu, "conv": convolution.convolution,
    "cast": values.cast, "convert_to_tensor": values.convert_to_tensor, "identity": creation.eye,
    "segment_sum": lambda data, segment_ids, num_segments=None: reductions._segments(
        data, segment_ids, num_segments, reductions._by_sum),
}
for _family, _names in _SAME.items():
    globals().update({_n: works_on_symbols(getattr(_family, _n)) for _n in _names.split()})
globals().update({_n: works_on_symbols(_f) for _n, _f in _RENAMED.items()})


def _of_kobai(name, fn, doc):
    def call(*args, **kwargs):
        return box(fn(*args, **kwargs))
    call.__name__, call.__doc__ = name, doc
    return works_on_symbols(call)


def _along(fn):
    """A running sum or product: of all elements in one row, if no axis is named."""
    return lambda x, axis=None, dtype=None: fn(shaping.reshape(x, (-1,)), 0) if axis is None else fn(x, axis)


def _place(fn):
    """The place of an extreme: among all elements, if no axis is named."""
    def place(x, axis=None, keepdims=False):
        y = values.cast(fn(shaping.reshape(x, (-1,)), 0) if axis is None else fn(x, axis), "int32")
        if keepdims:
            y = shaping.reshape(y, (1,) * len(shape(x))) if axis is None else shaping.expand_dims(y, axis)
        return y
    return place


def _diag(x, k=0):
    t = value_of(x)
    return matrices.diag(x, k=k) if t.ndim == 1 else box(m.diagonal(t, k))


def _roll(x, shift, axis=None):
    return shaping.roll(x, shift, axis) if axis is not None else shaping.reshape(
        shaping.roll(shaping.reshape(x, (-1,)), shift, 0), x.shape)


def _svd(x, full_matrices=True, compute_uv=True):
    found = matrices.svd(x, full_matrices, compute_uv)
    if not compute_uv:
        return found
    s, u, v = found
    return u, s, box(m.transpose(value_of(v), -2, -1))


def _average(x, axis=None, weights=None):
    if weights is None:
        return reductions.reduce_mean(x, axis)
    x, w = value_of(x), value_of(weights)
    if w.ndim == 1 and x.ndim > 1 and axis is not None:  # a weight for each place along the axis
        w = m.reshape(w, [-1 if d == axis % x.ndim else 1 for d in range(x.ndim)])
    return box(m.sum(x * w, axis) / m.sum(x * 0 + w, axis))


def _crossentropy(fn):
    return lambda target, output, from_logits=False, axis=-1: fn(target, output, from_logits, axis=axis)


globals().update({_n: works_on_symbols(_f) for _n, _f in {
    "cumsum": _along(reductions.cumsum), "cumprod": _along(reductions.cumprod), "argmax": _place(reductions.argmax),
    "argmin": _place(reductions.argmin), "diag": _diag, "roll": _roll, "svd": _svd, "average": _average,
    "hstack": lambda xs: shaping.concat(xs, 1 if xs[0].ndim > 1 else 0), "vstack": lambda xs: shaping.concat(
        xs, 0), "vdot": lambda a, b: box(m.sum(value_of(a) * value_of(b))),
    "logaddexp": lambda a, b: box(m.logaddexp(value_of(a), value_of(b))), "isclose": lambda a, b, rtol=1e-5, atol=1e-8:
        box(m.isclose(value_of(a), value_of(b), rtol, atol)), "size": creation.size, "slice": indexing.slice_,
    "scatter": lambda indices, values, shape: indexing.scatter_nd(indices, values, shape),
    "binary_crossentropy": lambda target, output, from_logits=False: box(value_of(losses.binary_crossentropy(
        values.convert_to_tensor(target)[..., None], values.convert_to_tensor(output)[..., None], from_logits))),
    "categorical_crossentropy": _crossentropy(losses.categorical_crossentropy),
    "sparse_categorical_crossentropy": _crossentropy(losses.sparse_categorical_crossentropy)}.items()})


def shape(x):
    """The shape as a tuple; sizes that are not known are None."""
    return tuple(x.shape if hasattr(x, "shape") else np.shape(x))


def ndim(x):
    """The number of dimensions."""
    return len(shape(x))


def cond(pred, true_fn, false_fn):
    """What one of two functions returns."""
    return true_fn() if pred else false_fn()


dot = _of_kobai("dot", lambda a, b: m.matmul(value_of(a), value_of(b)), "The product of vectors or matrices.")
outer = _of_kobai("outer", lambda a, b: m.outer(value_of(a), value_of(b)), "All products of pairs.")
ravel = _of_kobai("ravel", lambda x: m.reshape(value_of(x), (-1,)), "All elements in one dimension.")
moveaxis = _of_kobai("moveaxis", lambda x, source, destination: m.movedim(value_of(x), source, destination),
                     "Dimensions moved.")
swapaxes = _of_kobai("swapaxes", lambda x, a, b: m.transpose(value_of(x), a, b), "Two dimensions exchanged.")
tril = _of_kobai("tril", lambda x, k=0: m.tril(value_of(x), k), "The lower triangle.")
triu = _of_kobai("triu", lambda x, k=0: m.triu(value_of(x), k), "The upper triangle.")
median = _of_kobai("median", lambda x, axis=None: _median(value_of(x), axis), "The value in the middle.")


def _median(t, axis):
    t, axis = (m.reshape(t, (-1,)), 0) if axis is None else (t, axis % t.ndim)
    n = t._value.shape[axis]
    order = np.sort(np.asarray(t._value), axis)
    middle = np.take(order, [(n - 1) // 2, n // 2], axis).mean(axis)
    return value_of(np.asarray(middle, t._value.dtype))


def convert_to_numpy(x):
    """The NumPy value."""
    return np.asarray(value_of(x)._value)


def is_tensor(x):
    """Whether x is a tensor."""
    return values.is_tensor_like(x)


def stop_gradient(x):
    """The same values, through which no gradient passes."""
    return box(value_of(x).detach())


def __getattr__(name):
    from ...missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
