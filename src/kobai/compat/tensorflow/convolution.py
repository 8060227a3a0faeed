"""Convolutions and pooling: channels last, as TensorFlow has them on a CPU."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from ...op import m
from . import dtypes
from .errors import invalid, not_allowed
from .names import export
from .tensors import box
from .values import same_dtype, value_of


def numbers(v, n):
    """`n` numbers for the spatial dimensions, from one number, n of them, or one for every dimension."""
    if hasattr(v, "numpy"):
        v = v.numpy().tolist()
    v = [int(v)] if isinstance(v, (int, np.integer)) else [int(k) for k in v]
    if len(v) == 1:
        return v * n
    if len(v) == n + 2:
        return v[1:-1]
    if len(v) != n:
        raise error("argument-count", ValueError(
            f"strides should be of length 1, {n} or {n + 2}. Received: strides={v} of length {len(v)}"),
            what="strides or dilations", count=len(v), need="{n}, {m} or {k}", n=1, m=n, k=n + 2)
    return v


def to_front(t):
    """Channels behind the batch: what kobai's operations take."""
    return m.movedim(t, -1, 1)


def to_back(t):
    """Channels last again."""
    return m.movedim(t, 1, -1)


def _is_first(data_format):
    return data_format is not None and data_format.startswith("NC")


def same_padding(sizes, kernel, strides, dilations=None):
    """(before, after) for each dimension, so that there is a result for every `stride`-th place."""
    out = []
    for size, k, s, d in zip(sizes, kernel, strides, dilations or [1] * len(sizes)):
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        out.append((total // 2, total - total // 2))
    return out


def paddings_of(padding, x_shape, kernel, strides, dilations, first):
    """(before, after) for each spatial dimension from TensorFlow's `padding` argument."""
    if isinstance(padding, str):
        if padding.upper() == "VALID":
            return [(0, 0)] * len(kernel)
        if padding.upper() == "SAME":
            return same_padding(x_shape, kernel, strides, dilations)
        raise error("argument-choice", ValueError(
            f'Value for attr \'padding\' of "{padding}" is not in the list of allowed values: "SAME", '
            '"VALID", "EXPLICIT"'),
            what="padding", value=padding, choices=["SAME", "VALID"])
    pairs = [tuple(p) for p in padding]
    return pairs[2:] if first else pairs[1:-1]


def pad_spatial(t, pairs, number=0):
    """A tensor with channels in front, with a number around its spatial dimensions."""
    if not any(a or b for a, b in pairs):
        return t
    flat = [n for pair in reversed(pairs) for n in pair]
    return m.pad(t, flat, "constant", number)


def convolve(t, w, strides, padding, dilations, n, first=False, op="Conv2D", groups=1):
    """The convolution of a kobai Tensor (channels last unless `first`) with filters [..., in, out]."""
    strides, dilations = numbers(strides, n), numbers(1 if dilations is None else dilations, n)
    x = t if first else to_front(t)
    if x.ndim != n + 2:
        raise error("tensor-dims",
                    invalid(op, f"convolution input must be {n + 2}-dimensional: {_listed(t._value.shape)}"),
                    what="input", shape=tuple(t._value.shape), need="{n}", n=n + 2,
                    fix="an input is [batch, ..., channels]: see tf.expand_dims(x, 0), tf.expand_dims(x, -1).")
    if x._value.shape[1] != w._value.shape[-2] * groups:
        raise error("shapes-differ",
                    invalid(op, f"input depth must be evenly divisible by filter depth: {x._value.shape[1]} vs "
                            f"{w._value.shape[-2]}"),
                    what="input", shape=tuple(t._value.shape), other="filters", other_shape=tuple(w._value.shape),
                    must="the filters must have as many input channels as the input has channels",
                    fix="filters are [height, width, in_channels, out_channels].")
    pairs = paddings_of(padding, x._value.shape[2:], w._value.shape[:n], strides, dilations, first)
    even = all(a == b for a, b in pairs)
    if not even:
        x = pad_spatial(x, pairs)
    kernel = m.movedim(w, (-1, -2), (0, 1))
    fn = (m.conv1d, m.conv2d, m.conv3d)[n - 1]
    y = fn(x, kernel, None, tuple(strides), tuple(a for a, _ in pairs) if even else 0, tuple(dilations), groups)
    return y if first else to_back(y)


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


def _float(x, op):
    t = value_of(x)
    if t._value.dtype.kind not in "fV":
        raise not_allowed(op, "input", dtypes.of(t._value.dtype), ("half", "bfloat16", "float", "double"))
    return t


@export("nn.conv1d")
def conv1d(input, filters, stride, padding, data_format="NWC", dilations=None, name=None):
    """Convolution over one dimension: input [batch, width, channels], filters [width, in, out]."""
    t, w = same_dtype("Conv2D", _boxed(_float(input, "Conv2D")), filters)
    return box(convolve(t, w, stride, padding, dilations, 1, _is_first(data_format)))


@export("nn.conv2d")
def conv2d(input, filters, strides, padding, data_format="NHWC", dilations=None, name=None):
    """Convolution over two dimensions: input [batch, height, width, channels], filters [height, width, in, out].

    >>> import kobai.compat.tensorflow as tf
    >>> tf.nn.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([3, 3, 1, 2]), strides=1, padding="SAME").shape
    TensorShape([1, 4, 4, 2])
    """
    t, w = same_dtype("Conv2D", _boxed(_float(input, "Conv2D")), filters)
    return box(convolve(t, w, strides, padding, dilations, 2, _is_first(data_format)))


@export("nn.conv3d")
def conv3d(input, filters, strides, padding, data_format="NDHWC", dilations=None, name=None):
    """Convolution over three dimensions."""
    t, w = same_dtype("Conv3D", _boxed(_float(input, "Conv3D")), filters)
    return box(convolve(t, w, strides, padding, dilations, 3, _is_first(data_format), "Conv3D"))


@export("nn.convolution")
def convolution(input, filters, strides=None, padding="VALID", data_format=None, dilations=None, name=None):
    """Convolution over as many dimensions as the filters have."""
    t, w = same_dtype("Conv2D", _boxed(_float(input, "Conv2D")), filters)
    return box(convolve(t, w, 1 if strides is None else strides, padding, dilations, w.ndim - 2,
                        _is_first(data_format)))


@export("nn.depthwise_conv2d")
def depthwise_conv2d(input, filter, strides, padding, data_format=None, dilations=None, name=None):
    """Each channel convolved with filters of its own: filter [height, width, channels, multiplier]."""
    t, w = same_dtype("DepthwiseConv2dNative", _boxed(_float(input, "DepthwiseConv2dNative")), filter)
    return box(depthwise(t, w, strides, padding, dilations, _is_first(data_format)))


def depthwise(t, w, strides, padding, dilations, first=False, n=2):
    """`depthwise_conv2d` on kobai Tensors, over n dimensions."""
    *kernel, c, k = w._value.shape
    return convolve(t, m.reshape(w, (*kernel, 1, c * k)), strides, padding, dilations, n, first, groups=c)


@export("nn.separable_conv2d")
def separable_conv2d(input, depthwise_filter, pointwise_filter, strides, padding, data_format=None, dilations=None,
                     name=None):
    """A depthwise convolution, and then one of single points."""
    between = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d(between, pointwise_filter, 1, "VALID", data_format or "NHWC")


@export("nn.bias_add")
def bias_add(value, bias, data_format=None, name=None):
    """value + bias, over the channels."""
    t, b = same_dtype("BiasAdd", value, bias)
    channel = 1 if _is_first(data_format) else t.ndim - 1
    if b.ndim != 1 or t.ndim < 2 or t._value.shape[channel] != b._value.shape[0]:
        raise error("shapes-differ",
                    invalid("BiasAdd", f"Must provide as many biases as the last dimension of the input tensor: "
                            f"{_listed(b._value.shape)} vs. {_listed(t._value.shape)}"),
                    what="bias", shape=tuple(b._value.shape), other="value", other_shape=tuple(t._value.shape),
                    must="bias must have one number for each channel")
    if _is_first(data_format):
        b = m.reshape(b, (-1, *(1,) * (t.ndim - 2)))
    return box(t + b)


def _boxed(t):
    return box(t)


# ---- transposed ------------------------------------------------------------------------------
def convolve_transposed(t, w, output_sizes, strides, padding, n):
    """What a convolution with these filters [..., out, in] sends back to its input, of given spatial sizes."""
    strides, kernel = numbers(strides, n), w._value.shape[:n]
    pairs = paddings_of(padding, output_sizes, kernel, strides, [1] * n, False)
    x = to_front(t)
    fn = (m.conv_transpose1d, m.conv_transpose2d, m.conv_transpose3d)[n - 1]
    y = fn(x, m.movedim(w, (-1, -2), (0, 1)), None, tuple(strides))
    want = [size + a + b for size, (a, b) in zip(output_sizes, pairs)]
    more = [(0, max(need - have, 0)) for need, have in zip(want, y._value.shape[2:])]
    y = pad_spatial(y, more)
    cut = tuple([slice(a, a + size) for size, (a, _) in zip(output_sizes, pairs)])
    return to_back(m.getitem(y, (slice(None), slice(None), *cut)))


@export("nn.conv2d_transpose")
def conv2d_transpose(input, filters, output_shape, strides, padding="SAME", data_format="NHWC", dilations=None,
                     name=None):
    """The transpose of a convolution, which enlarges: filters [height, width, out, in]."""
    t, w = same_dtype("Conv2DBackpropInput", _boxed(_float(input, "Conv2DBackpropInput")), filters)
    return box(convolve_transposed(t, w, numbers(output_shape, 2), strides, padding, 2))


@export("nn.conv1d_transpose")
def conv1d_transpose(input, filters, output_shape, strides, padding="SAME", data_format="NWC", dilations=None,
                     name=None):
    """The transpose of a convolution over one dimension."""
    t, w = same_dtype("Conv2DBackpropInput", _boxed(_float(input, "Conv2DBackpropInput")), filters)
    return box(convolve_transposed(t, w, numbers(output_shape, 1), strides, padding, 1))


# ---- pooling ---------------------------------------------------------------------------------
def pool(t, kind, size, strides, padding, n, first=False):
    """The largest ("MAX") or mean ("AVG") of windows, of a kobai Tensor."""
    size = numbers(size, n)
    strides = size if strides is None else numbers(strides, n)
    x = t if first else to_front(t)
    pairs = paddings_of(padding, x._value.shape[2:], size, strides, None, first)
    padded = any(a or b for a, b in pairs)
    if kind == "MAX":
        x = pad_spatial(x, pairs, float("-inf")) if padded else x
        y = (m.max_pool1d, m.max_pool2d, m.max_pool3d)[n - 1](x, tuple(size), tuple(strides))
    else:
        average = (m.avg_pool1d, m.avg_pool2d, m.avg_pool3d)[n - 1]
        y = average(pad_spatial(x, pairs), tuple(size), tuple(strides))
        if padded:  # what is outside does not count
            ones = m.zeros_like(x.detach()) + 1
            y = y / average(pad_spatial(ones, pairs), tuple(size), tuple(strides))
    return y if first else to_back(y)


def _pooling(kind, n, op, *names):
    def call(input, ksize, strides, padding, data_format=None, name=None):
        return box(pool(_float(input, op), kind, ksize, strides, padding, n, _is_first(data_format)))
    what = "largest" if kind == "MAX" else "mean"
    call.__name__ = call.__qualname__ = names[0].rpartition(".")[2]
    call.__doc__ = f"The {what} of each window over {n} dimension{'s' * (n > 1)}; what lies outside does not count."
    return export(*names)(call)


max_pool1d = _pooling("MAX", 1, "MaxPool", "nn.max_pool1d")
max_pool2d = _pooling("MAX", 2, "MaxPool", "nn.max_pool2d")
max_pool3d = _pooling("MAX", 3, "MaxPool3D", "nn.max_pool3d")
avg_pool1d = _pooling("AVG", 1, "AvgPool", "nn.avg_pool1d")
avg_pool2d = _pooling("AVG", 2, "AvgPool", "nn.avg_pool2d")
avg_pool3d = _pooling("AVG", 3, "AvgPool3D", "nn.avg_pool3d")


@export("nn.max_pool")
def max_pool(input, ksize, strides, padding, data_format=None, name=None):
    """The largest of each window over the dimensions between batch and channels."""
    t = _float(input, "MaxPool")
    return box(pool(t, "MAX", ksize, strides, padding, t.ndim - 2, _is_first(data_format)))


@export("nn.avg_pool")
def avg_pool(input, ksize, strides, padding, data_format=None, name=None):
    """The mean of each window over the dimensions between batch and channels."""
    t = _float(input, "AvgPool")
    return box(pool(t, "AVG", ksize, strides, padding, t.ndim - 2, _is_first(data_format)))
