"""New tensors: ranges, constants of a shape, grids."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes
from .errors import InvalidArgumentError, invalid
from .names import export
from .shapes import sizes_of
from .tensors import box
from .values import array_of, inputs_of, is_tensor_like, same_dtype, value_of


def _plain(x, dtype=None):
    """The NumPy value of a tensor or number that only counts something."""
    return value_of(x, dtype)._value


@export("range")
def range(start, limit=None, delta=1, dtype=None, name="range"):
    """start, start + delta, ... below limit.

    >>> print(range(-1.0, 1.0, 0.5))
    tf.Tensor([-1.  -0.5  0.   0.5], shape=(4,), dtype=float32)
    """
    if limit is None:
        start, limit = 0, start
    ends = [_plain(v) for v in (start, limit, delta)]
    d = dtypes.as_dtype(dtype) if dtype is not None else dtypes.of(_widest(ends))
    start, limit, delta = [v.astype(d.np) for v in ends]
    if delta == 0:
        raise error("argument-value", invalid("Range", "Requires delta != 0: 0"),
                    what="delta", value=0, must="a number other than 0")
    if start > limit and delta > 0:
        raise error("argument-value",
                    invalid("Range", f"Requires start <= limit when delta > 0: {_short(start)}/{_short(limit)}"),
                    what="delta", start=_short(start), limit=_short(limit),
                    why="the range goes down from {start} to {limit}, and delta is positive.",
                    fix="write a negative delta, or exchange start and limit.")
    if start < limit and delta < 0:
        raise error("argument-value",
                    invalid("Range", f"Requires start >= limit when delta < 0: {_short(start)}/{_short(limit)}"),
                    what="delta", start=_short(start), limit=_short(limit),
                    why="the range goes up from {start} to {limit}, and delta is negative.",
                    fix="write a positive delta, or exchange start and limit.")
    if d.np.kind in "iu":
        return box(wrap(np.arange(int(start), int(limit), int(delta), d.np)))
    n = max(int(np.ceil(abs((float(limit) - float(start)) / float(delta)))), 0)
    return box(wrap(_steps(start, delta, n, d.np)))


_ORDER = ["int32", "int64", "float16", "bfloat16", "float32", "float64"]


def _widest(values):
    """The dtype in which numbers, floats and tensors of a range are brought together."""
    return max([v.dtype for v in values], key=lambda d: _ORDER.index(d.name) if d.name in _ORDER else 0)


def _short(v):
    return f"{float(v):g}"


def _steps(start, delta, n, np_dtype):
    """start + i * delta, in the precision of the result as TensorFlow computes it."""
    return (start + np.arange(n).astype(np_dtype) * delta).astype(np_dtype)


@export("linspace")
def linspace(start, stop, num, name=None, axis=0):
    """`num` equally spaced numbers from start to stop, both included."""
    a, b = same_dtype("LinSpace", start, stop)
    if a._value.dtype.kind in "iu":
        a, b = [m.cast(v, np.dtype(np.float64)) for v in (a, b)]
    d, n = a._value.dtype, int(_plain(num))
    if n < 1:
        raise error("argument-value", InvalidArgumentError(None, None, f"Requires num > 0: {n}"),
                    what="num", value=n, must="a positive whole number")
    if n == 1:
        return box(m.unsqueeze(a, axis))
    a, b = [m.unsqueeze(v, axis) for v in (a, b)]
    steps = np.arange(n, dtype=d)
    place = wrap(steps.reshape([n if i == axis % a.ndim else 1 for i in np.arange(a.ndim)]))
    delta = (b - a) / float(n - 1)
    inner = a + delta * m.narrow(place, axis, 0, n - 1)
    return box(m.cat([inner, b], axis))


@export("zeros")
def zeros(shape, dtype=dtypes.float32, name=None, layout=None):
    """Zeros of a shape.

    >>> print(zeros([2]))
    tf.Tensor([0. 0.], shape=(2,), dtype=float32)
    """
    return _filled(shape, 0, dtype)


@export("ones")
def ones(shape, dtype=dtypes.float32, name=None, layout=None):
    """Ones of a shape."""
    return _filled(shape, 1, dtype)


def _filled(shape, number, dtype):
    d = dtypes.as_dtype(dtype)
    if d is dtypes.string:
        return box(wrap(np.full(sizes_of(shape), b"", object)))
    return box(wrap(np.full(_sizes(shape), number, d.np)))


def _sizes(shape):
    sizes = sizes_of(shape)
    least = min(sizes, default=0)
    if least < 0:
        raise error("argument-value", invalid("Fill", f"Dimension {least} must be >= 0"), what="shape", value=sizes,
                    must="whole numbers of at least {low}", low=0)
    return sizes


@export("fill")
def fill(dims, value, name=None, layout=None):
    """A shape full of one number, which may be a tensor without dimensions."""
    t = value_of(value)
    if t.ndim:
        raise error("tensor-dims", invalid("Fill", f"value must represent a scalar, got shape {list(t.shape)}", None),
                    what="value", shape=tuple(t._value.shape), need="{n}", n=0,
                    fix="fill takes one number; tf.broadcast_to and tf.tile repeat a tensor.")
    if t._value.dtype.kind == "O":
        return box(wrap(np.full(sizes_of(dims), t._value[()], object)))
    return box(m.expand_to(t, _sizes(dims)))


@export("eye", "linalg.eye")
def eye(num_rows, num_columns=None, batch_shape=None, dtype=dtypes.float32, name=None):
    """The unit matrix, repeated over `batch_shape`."""
    n = int(_plain(num_rows))
    k = n if num_columns is None else int(_plain(num_columns))
    a = np.eye(n, k, dtype=dtypes.as_dtype(dtype).np)
    return box(wrap(np.array(np.broadcast_to(a, (*sizes_of(batch_shape if batch_shape is not None else ()), n, k)))))


@export("zeros_like")
def zeros_like(input, dtype=None, name=None, layout=None):
    """Zeros of the shape and dtype of another tensor."""
    return _like(input, dtype, 0)


@export("ones_like")
def ones_like(input, dtype=None, name=None, layout=None):
    """Ones of the shape and dtype of another tensor."""
    return _like(input, dtype, 1)


def _like(input, dtype, number):
    t = value_of(input)
    d = dtypes.of(t._value.dtype) if dtype is None else dtypes.as_dtype(dtype)
    if d is dtypes.string:
        return _filled(tuple(t.shape), 0, d)
    zeros = m.cast(m.zeros_like(t.detach()), d.np)
    return box(zeros + 1 if number and d.np.kind != "b" else wrap(np.ones(t.shape, bool)) if number else zeros)


@export("one_hot")
def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    """A new dimension with 1 at the given position and 0 elsewhere; all 0 for positions that do not exist.

    >>> print(one_hot([0, 2], 3))
    tf.Tensor(
    [[1. 0. 0.]
     [0. 0. 1.]], shape=(2, 3), dtype=float32)
    """
    i, n = np.asarray(_plain(indices)), int(_plain(depth))
    on, off = [None if v is None else value_of(v) for v in (on_value, off_value)]
    if dtype is not None:
        d = dtypes.as_dtype(dtype).np
    else:
        d = next((v._value.dtype for v in (on, off) if v is not None), np.dtype(np.float32))
    if i.dtype.kind not in "iu":
        raise error("tensor-dtype", InvalidArgumentError(
            None, None, f"Value for attr 'TI' of {dtypes.of(i.dtype).long_name} is not in the list of allowed "
            "values: uint8, int8, int32, int64"),
            what="indices", dtype=dtypes.of(i.dtype).name, fn="one_hot", must="whole numbers",
            fix="tf.cast(indices, tf.int32)")
    on, off = [default if v is None else v._value.astype(d) for v, default in ((on, 1), (off, 0))]
    hot = np.where(i[..., None] == np.arange(n), np.asarray(on, d), np.asarray(off, d))
    return box(wrap(np.moveaxis(hot, -1, -1 if axis is None else axis)))


@export("meshgrid")
def meshgrid(*args, **kwargs):
    """Grids of coordinates from axes; `indexing` is "xy" (the default) or "ij"."""
    axes = [m.reshape(value_of(a), (-1,)) for a in args]
    return [box(t) for t in m.meshgrid(*axes, indexing=kwargs.get("indexing", "xy"))]


@export("sequence_mask")
def sequence_mask(lengths, maxlen=None, dtype=dtypes.bool_, name=None):
    """For each length, that many True and then False, up to `maxlen`."""
    n = np.asarray(_plain(lengths))
    top = int(n.max()) if maxlen is None else int(_plain(maxlen))
    return box(wrap((np.arange(top) < n[..., None]).astype(dtypes.as_dtype(dtype).np)))


@export("identity")
def identity(input, name=None):
    """The same values as another tensor."""
    if not is_tensor_like(input) and hasattr(input, "_is_dataset"):
        return input
    t = value_of(input)
    return box(t if t._value.dtype.kind == "O" else m.identity(t))


@export("identity_n")
def identity_n(input, name=None):
    """The same values as other tensors, in a list."""
    return [identity(t) for t in input]


@export("shape")
def shape(input, out_type=dtypes.int32, name=None):
    """The sizes of the dimensions, as a tensor."""
    return box(wrap(np.array(value_of(input)._value.shape, dtypes.as_dtype(out_type).np)))


@export("shape_n")
def shape_n(input, out_type=dtypes.int32, name=None):
    """The shapes of several tensors."""
    return [shape(t, out_type) for t in input]


@export("size")
def size(input, out_type=dtypes.int32, name=None):
    """The number of elements, as a tensor."""
    return box(wrap(dtypes.as_dtype(out_type).np.type(value_of(input)._value.size)))


@export("rank")
def rank(input, name=None):
    """The number of dimensions, as a tensor."""
    return box(wrap(np.int32(value_of(input).ndim)))


@export("broadcast_static_shape")
def broadcast_static_shape(shape_x, shape_y):
    """The shape that two shapes broadcast to."""
    from .shapes import TensorShape
    return TensorShape(np.broadcast_shapes(sizes_of(shape_x), sizes_of(shape_y)))


@export("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x, shape_y):
    """The shape that two shapes broadcast to, as a tensor."""
    return box(wrap(np.array(np.broadcast_shapes(sizes_of(shape_x), sizes_of(shape_y)), np.int32)))


@export("parallel_stack")
def parallel_stack(values, name=None):
    """Tensors of one shape along a new first dimension."""
    return box(m.stack(inputs_of("Pack", values)))


@export("bitcast")
def bitcast(input, type, name=None):
    """The bits of a tensor read as another dtype."""
    x, d = np.asarray(_plain(input)), dtypes.as_dtype(type).np
    if x.dtype.itemsize == d.itemsize:
        return box(wrap(x.view(d)[()]))
    if x.dtype.itemsize > d.itemsize:
        return box(wrap(x[..., None].view(d)))
    return box(wrap(x.view(d)[..., 0]))


def constant_array(x, dtype=None):
    """`array_of`, for other families."""
    return array_of(x, dtype)
