"""`keras.ops`: functions that work on tensors and on placeholders, under NumPy's names."""
from __future__ import annotations

import numpy as np

from ....op import m
from .. import arithmetic, convolution, creation, indexing, matrices, nn_ops, reductions, shaping, sorting, values
from ..tensors import box
from ..values import value_of
from . import activations
from .symbolic import works_on_symbols

_SAME = {
    arithmetic: "abs add subtract multiply exp expm1 log log1p sqrt rsqrt square sin cos tan sinh cosh tanh negative "
                "sign floor ceil round reciprocal logical_and logical_or logical_not logical_xor equal not_equal less "
                "less_equal greater greater_equal maximum minimum erf erfinv real imag conj",
    shaping: "reshape transpose expand_dims squeeze stack split tile repeat broadcast_to roll pad",
    creation: "zeros ones zeros_like ones_like eye shape one_hot linspace meshgrid",
    indexing: "where",
    matrices: "matmul einsum tensordot norm",
    reductions: "cumsum cumprod argmax argmin",
    sorting: "sort argsort top_k searchsorted",
    nn_ops: "relu relu6 elu selu silu softplus softsign",
}
_RENAMED = {
    "divide": arithmetic.truediv, "true_divide": arithmetic.truediv, "power": arithmetic.pow, "mod": arithmetic.floormod,
    "floor_divide": arithmetic.floordiv, "arctan2": arithmetic.atan2, "arcsin": arithmetic.asin,
    "arccos": arithmetic.acos, "arctan": arithmetic.atan, "arcsinh": arithmetic.asinh, "arccosh": arithmetic.acosh,
    "arctanh": arithmetic.atanh, "isnan": arithmetic.is_nan, "isinf": arithmetic.is_inf,
    "isfinite": arithmetic.is_finite, "clip": arithmetic.clip_by_value, "absolute": arithmetic.abs,
    "divide_no_nan": arithmetic.divide_no_nan, "concatenate": shaping.concat, "unstack": shaping.unstack,
    "flip": lambda x, axis=None: shaping.reverse(x, range(x.ndim) if axis is None else [axis]),
    "arange": creation.range, "full": creation.fill, "take": lambda x, indices, axis=0: indexing.gather(
        x, indices, axis=axis), "inv": matrices.inv, "det": matrices.det, "solve": matrices.solve, "qr": matrices.qr,
    "svd": matrices.svd, "cholesky": matrices.cholesky, "trace": matrices.trace, "diag": matrices.diag,
    "sum": reductions.reduce_sum, "mean": reductions.reduce_mean, "max": reductions.reduce_max, "amax":
    reductions.reduce_max, "min": reductions.reduce_min, "amin": reductions.reduce_min, "prod": reductions.reduce_prod,
    "all": reductions.reduce_all, "any": reductions.reduce_any, "std": reductions.reduce_std,
    "var": reductions.reduce_variance, "logsumexp": reductions.reduce_logsumexp,
    "count_nonzero": reductions.count_nonzero, "sigmoid": activations.sigmoid, "softmax": activations.softmax,
    "log_softmax": activations.log_softmax, "gelu": activations.gelu, "leaky_relu": activations.leaky_relu,
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
