"""The same elements in another shape, order or number."""
from __future__ import annotations

import builtins
from math import prod

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import wrap
from .errors import InvalidArgumentError, invalid, wrong_axis, wrong_rank
from .names import export
from .shapes import TensorShape, sizes_of
from .tensors import box
from .values import axis_of, inputs_of, is_tensor_like, same_dtype, value_of


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


@export("reshape", "manip.reshape")
def reshape(tensor, shape, name=None):
    """The elements in another shape, row by row; one size may be -1.

    >>> print(reshape([1, 2, 3, 4], [2, -1]))
    tf.Tensor(
    [[1 2]
     [3 4]], shape=(2, 2), dtype=int32)

    Raises: InvalidArgumentError if the number of elements differs.
    """
    t = value_of(tensor)
    want = [-1 if s is None else int(s) for s in (shape if isinstance(shape, (list, tuple)) else sizes_of(shape))]
    have, known = t._value.size, prod([s for s in want if s != -1])
    if want.count(-1) > 1:
        raise error("argument-value",
                    invalid("Reshape", f"Only one input size may be -1, not both {want.index(-1)} and "
                            f"{want.index(-1, want.index(-1) + 1)}", None),
                    what="shape", value=want, must="sizes with at most one -1")
    if -1 in want and (not known or have % known):
        raise error("argument-value", invalid(
            "Reshape", f"Input to reshape is a tensor with {have} values, but the requested shape requires "
            f"a multiple of {known}", None),
            what="shape", value=want, shape=tuple(t._value.shape), have_count=have, known=known,
            why="the tensor of shape {shape} has {have_count} elements, and the sizes {value} need a "
                "multiple of {known}.",
            fix="choose sizes whose product is {have_count}; one may be -1, which is computed.")
    if -1 not in want and known != have:
        raise error("argument-value",
                    invalid("Reshape", f"Input to reshape is a tensor with {have} values, but the requested shape has "
                            f"{known}", None),
                    what="shape", value=want, shape=tuple(t._value.shape), have_count=have, known=known,
                    why="the tensor of shape {shape} has {have_count} elements, and the sizes {value} need {known}.",
                    fix="choose sizes whose product is {have_count}; one may be -1, which is computed.")
    return box(m.reshape(t, tuple([have // known if s == -1 else s for s in want])))


@export("transpose")
def transpose(a, perm=None, conjugate=False, name="transpose"):
    """The dimensions in the order `perm`; in reverse order without it."""
    t = value_of(a)
    dims = tuple(builtins.range(t.ndim))[::-1] if perm is None else tuple([d % max(t.ndim, 1) for d in sizes_of(perm)])
    if sorted(dims) != list(builtins.range(t.ndim)):
        raise error("argument-value", invalid(
            "Transpose", f"transpose expects a vector of size {t.ndim}. But input(1) is a vector of size "
            f"{len(dims)}", None),
            what="perm", value=list(dims), must="each number from 0 to {last} once", last=t.ndim - 1)
    y = m.permute(t, dims)
    return box(m.conj(y) if conjugate else y)


@export("linalg.matrix_transpose")
def matrix_transpose(a, name=None, conjugate=False):
    """The last two dimensions exchanged."""
    t = value_of(a)
    if t.ndim < 2:
        raise wrong_rank(ValueError(f"Argument `a` should be a (batch) matrix with rank >= 2. Received `a` = {a} with shape: "
                         f"{TensorShape(t.shape)}"), "a", t._value.shape, "at least {n}", n=2)
    y = m.swapaxes(t, -1, -2) if hasattr(m, "swapaxes") else m.permute(
        t, (*builtins.range(t.ndim - 2), t.ndim - 1, t.ndim - 2))
    return box(m.conj(y) if conjugate else y)


@export("expand_dims")
def expand_dims(input, axis, name=None):
    """A new dimension of size 1."""
    t, axis = value_of(input), int(axis)
    if not -t.ndim - 1 <= axis <= t.ndim:
        raise wrong_axis(invalid("ExpandDims", f"Tried to expand dim index {axis} for tensor with {t.ndim} "
                                 "dimensions."), axis, t.ndim)
    return box(m.reshape(t, _with_one(tuple(t.shape), axis)) if t._value.dtype.kind == "O" else m.unsqueeze(t, axis))


def _with_one(shape, axis):
    axis += len(shape) + 1 if axis < 0 else 0
    return (*shape[:axis], 1, *shape[axis:])


@export("squeeze")
def squeeze(input, axis=None, name=None):
    """Without the dimensions of size 1, or those of them given."""
    t = value_of(input)
    shape = tuple(t._value.shape)
    if axis is None:
        drop = [i for i, s in enumerate(shape) if s == 1]
    else:
        drop = [axis_of(a, t.ndim, "Squeeze") for a in sizes_of(axis)] or [i for i, s in enumerate(shape) if s == 1]
        for d in drop:
            if shape[d] != 1:
                raise error("dimension-size",
                            invalid("Squeeze", f"Can not squeeze dim[{d}], expected a dimension of 1, got {shape[d]}"),
                            dim=d, what="the tensor", size=shape[d], must="{n}", n=1,
                            fix="squeeze only dimensions of size 1; without axis all of those go.")
    return box(m.reshape(t, tuple([s for i, s in enumerate(shape) if i not in drop])))


@export("broadcast_to")
def broadcast_to(input, shape, name=None):
    """The tensor repeated to a shape that it broadcasts to."""
    t, shape = value_of(input), sizes_of(shape)
    try:
        ok = np.broadcast_shapes(t._value.shape, shape) == shape
    except ValueError:
        ok = False
    if not ok:
        raise error("shapes-differ", invalid(
            "BroadcastTo", f"Incompatible shapes: {_listed(t._value.shape)} vs. {_listed(shape)}", None),
            what="the tensor", shape=tuple(t._value.shape), other="shape", other_shape=tuple(shape),
            must="sizes, counted from the last dimension on, must be equal, or 1 in the tensor")
    return box(m.expand_to(t, shape))


@export("tile")
def tile(input, multiples, name=None):
    """The tensor repeated along each dimension."""
    t, times = value_of(input), sizes_of(multiples)
    if len(times) != t.ndim:
        raise error("argument-count",
                    invalid("Tile", f"Expected multiples argument to be a vector of length {t.ndim} but got length "
                            f"{len(times)}", None),
                    what="multiples", count=len(times), need="{n}", n=t.ndim,
                    fix="give one number for each dimension of the tensor.")
    return box(m.repeat(t, *times) if times else m.identity(t))


@export("repeat")
def repeat(input, repeats, axis=None, name=None):
    """Each element (or slice along `axis`) repeated in its place."""
    t, times = value_of(input), value_of(repeats)
    if axis is None:
        t, axis = m.reshape(t, (t._value.size,)), 0
    axis = axis_of(axis, t.ndim, "Repeat")
    n = np.broadcast_to(np.asarray(times._value), (t._value.shape[axis],))
    return box(m.index_select(t, axis, wrap(np.repeat(np.arange(len(n)), n))))


@export("reverse")
def reverse(tensor, axis, name=None):
    """Some dimensions backwards."""
    t = value_of(tensor)
    return box(m.flip(t, tuple([axis_of(a, t.ndim, "ReverseV2") for a in sizes_of(axis)])))


@export("roll")
def roll(input, shift, axis, name=None):
    """Elements moved along dimensions; what leaves at one end comes in at the other."""
    t = value_of(input)
    return box(m.roll(t, sizes_of(shift), tuple([axis_of(a, t.ndim, "Roll") for a in sizes_of(axis)])))


@export("pad")
def pad(tensor, paddings, mode="CONSTANT", constant_values=0, name=None):
    """More elements before and after, along each dimension: a number, or the tensor mirrored."""
    t = value_of(tensor)
    widths = np.asarray(value_of(paddings)._value).reshape(-1, 2).tolist()
    if len(widths) != t.ndim:
        raise error("argument-count", invalid(
            "Pad", f"The first dimension of paddings must be the rank of inputs {_listed((len(widths), 2))} "
            f"{_listed(t._value.shape)}"),
            what="paddings", count=len(widths), need="{n}", n=t.ndim,
            fix="give a pair (before, after) for each dimension: [[0, 0], [1, 1]].")
    mode = mode.upper()
    if mode == "CONSTANT":
        return box(_pad_constant(t, widths, constant_values))
    if mode not in ("REFLECT", "SYMMETRIC"):
        raise error("argument-choice",
                    ValueError("Value of argument `mode` expected to be one of 'CONSTANT', 'REFLECT', or 'SYMMETRIC'. "
                               f"Received `mode` = {mode}"),
                    what="mode", value=mode, choices=["CONSTANT", "REFLECT", "SYMMETRIC"])
    for axis, (before, after) in enumerate(widths):
        if before or after:
            places = np.pad(np.arange(t._value.shape[axis]), (before, after), mode.lower())
            t = m.index_select(t, axis, wrap(places))
    return box(t)


def _pad_constant(t, widths, number):
    d = t._value.dtype
    number = value_of(number)._value.astype(d)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            shape = list(t._value.shape)
            parts = [wrap(np.full((*shape[:axis], n, *shape[axis + 1:]), number, d)) for n in (before, after)]
            t = m.cat([parts[0], t, parts[1]], axis)
    return t


# ---- joining and splitting -------------------------------------------------------------------
@export("concat")
def concat(values, axis, name="concat"):
    """Tensors one after the other along an existing dimension."""
    if not isinstance(values, (list, tuple)):
        values = [values]
    ts = same_dtype("ConcatV2", *values)
    axis = axis_of(int(axis), ts[0].ndim, "ConcatV2", "concatenating dimension")
    first = tuple(ts[0]._value.shape)
    for i, t in enumerate(ts):
        have = tuple(t._value.shape)
        if len(have) != len(first):
            raise error("shapes-differ", invalid(
                "ConcatV2", f"ConcatOp : Ranks of all input tensors should match: shape[0] = {_listed(first)} "
                f"vs. shape[{i}] = {_listed(have)}", name, inputs=len(ts)),
                what="values[0]", shape=first, other=f"values[{i}]", other_shape=have,
                must="both must have as many dimensions",
                fix="tf.expand_dims adds a dimension; tf.stack joins tensors along a new one.")
        if any(a != b for k, (a, b) in enumerate(zip(first, have)) if k != axis):
            raise error("shapes-differ", invalid(
                "ConcatV2", f"ConcatOp : Dimension {_differing(first, have, axis)} in both shapes must be "
                f"equal: shape[0] = {_listed(first)} vs. shape[{i}] = {_listed(have)}", name, inputs=len(ts)),
                what="values[0]", shape=first, other=f"values[{i}]", other_shape=have,
                must="all sizes but the one along axis {axis} must be the same", axis=axis)
    if ts[0]._value.dtype.kind == "O":
        return box(wrap(np.concatenate([t._value for t in ts], axis)))
    return box(m.cat(ts, axis) if len(ts) > 1 else m.identity(ts[0]))


def _differing(a, b, axis):
    return next((k for k, (x, y) in enumerate(zip(a, b)) if x != y and k != axis), 0)


@export("stack")
def stack(values, axis=0, name="stack"):
    """Tensors of one shape along a new dimension."""
    ts = inputs_of("Pack", values)
    first = tuple(ts[0]._value.shape)
    for i, t in enumerate(ts):
        if tuple(t._value.shape) != first:
            raise error("shapes-differ",
                        invalid("Pack", f"Shapes of all inputs must match: values[0].shape = {_listed(first)} != "
                                f"values[{i}].shape = {_listed(t._value.shape)}", name, inputs=len(ts)),
                        what="values[0]", shape=first, other=f"values[{i}]", other_shape=tuple(t._value.shape),
                        must="both must have the same shape",
                        fix="tf.concat joins tensors of different sizes along a dimension they have.")
    if not -len(first) - 1 <= axis <= len(first):
        raise wrong_axis(ValueError(f"Argument `axis` = {axis} not in range [{-len(first) - 1}, {len(first) + 1})"),
                         axis, len(first))
    if ts[0]._value.dtype.kind == "O":
        return box(wrap(np.stack([t._value for t in ts], axis)))
    return box(m.stack(ts, axis))


@export("unstack")
def unstack(value, num=None, axis=0, name="unstack"):
    """The slices along a dimension, in a list."""
    t = value_of(value)
    axis = axis_of(axis, t.ndim, "Unpack")
    return [box(v) for v in m.unbind(t, axis)]


@export("split")
def split(value, num_or_size_splits, axis=0, num=None, name="split"):
    """Parts along a dimension: of equal size if a number is given, else of the given sizes (one may be -1)."""
    t = value_of(value)
    axis = axis_of(axis, t.ndim, "Split")
    n = t._value.shape[axis]
    sizes = np.asarray(value_of(num_or_size_splits)._value)
    if not sizes.ndim:
        parts = int(sizes)
        if n % parts:
            raise error("size-divisible", InvalidArgumentError(None, None, (
                f"{{{{function_node __wrapped__Split_num_split_{parts}_device_/job:localhost/replica:0/task:0/device:"
                f"CPU:0}}}} Number of ways to split should evenly divide the split dimension, but got split_dim {axis}"
                f" (size = {n}) and num_split {parts} [Op:Split] name: {name}")),
                what="the size of the dimension", value=n, by=parts,
                fix="choose a number of parts that divides {value}, or give a list of sizes.")
        sizes = [n // parts] * parts
    else:
        sizes = sizes.tolist()
        sizes = [n - sum(s for s in sizes if s >= 0) if s < 0 else s for s in sizes]
        if sum(sizes) != n:
            raise error("argument-value", invalid(
                "SplitV", f"Determined shape must either match input shape along split_dim exactly if fully "
                f"specified, or be less than the size of the input along split_dim if not fully specified.  "
                f"Got: {sum(sizes)}"),
                what="num_or_size_splits", value=sizes, must="sizes whose sum is {n}", n=n)
    return [box(v) for v in m.split_with_sizes(t, sizes, axis)]


@export("ensure_shape")
def ensure_shape(x, shape, name=None):
    """The tensor. Raises InvalidArgumentError unless it has this shape (None: any size)."""
    t, shape = value_of(x), TensorShape(shape)
    if not shape.is_compatible_with(t._value.shape):
        raise error("tensor-shape", invalid(
            "EnsureShape", f"Shape of tensor ... {_listed(t._value.shape)} is not compatible with expected "
            f"shape {_listed(['?' if d is None else d for d in shape])}."),
            what="x", shape=tuple(t._value.shape), want=shape)
    return x if is_tensor_like(x) else box(t)


@export("nn.space_to_depth")
def space_to_depth(input, block_size, data_format="NHWC", name=None):
    """Blocks of pixels moved into the channels."""
    t, k = value_of(input), int(block_size)
    n, h, w, c = t._value.shape
    t = m.permute(m.reshape(t, (n, h // k, k, w // k, k, c)), (0, 1, 3, 2, 4, 5))
    return box(m.reshape(t, (n, h // k, w // k, k * k * c)))


@export("nn.depth_to_space")
def depth_to_space(input, block_size, data_format="NHWC", name=None):
    """Channels moved out into blocks of pixels."""
    t, k = value_of(input), int(block_size)
    n, h, w, c = t._value.shape
    t = m.permute(m.reshape(t, (n, h, w, k, k, c // (k * k))), (0, 1, 3, 2, 4, 5))
    return box(m.reshape(t, (n, h * k, w * k, c // (k * k))))




@export("reverse_sequence")
def reverse_sequence(input, seq_lengths, seq_axis=None, batch_axis=0, name=None):
    """The first `seq_lengths[i]` elements of each sample along `seq_axis` in reversed order."""
    t, lengths = value_of(input), np.asarray(value_of(seq_lengths)._value)
    axis, batch = axis_of(seq_axis, t.ndim, "ReverseSequence"), axis_of(batch_axis, t.ndim, "ReverseSequence")
    n = t._value.shape[axis]
    order = np.array([[*range(k)][::-1] + [*range(k, n)] for k in lengths.tolist()], np.int64).reshape(len(lengths), n)
    order = order if batch < axis else order.T
    wide = [s if d in (batch, axis) else 1 for d, s in enumerate(t._value.shape)]
    return box(m.take_along_dim(t, wrap(order.reshape(wide)), axis))
