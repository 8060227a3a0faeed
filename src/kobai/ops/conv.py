"""Convolutions, as matrix products of the weights with columns of the input (im2col).

Three bilinear ops are each other's derivatives: Conv (x, w -> y), ConvInput (a, w -> x, which is also
the transposed convolution) and ConvWeight (x, a -> w), where a is like y.
"""
from __future__ import annotations

from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..diagnose import error
from ..dtypes import c_name, type_word
from ..op import Contraction, dtype_of, m
from ..public import public
from ..testing.samples import S
from .labels import gradients_by

_CHUNK = 1 << 20  # elements of columns made at a time: they stay in the cache


def out_size(n, k, stride, padding, dilation):
    """Length of a convolution's output along one dimension."""
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1


def pad_zeros(x, padding):
    """`x` with zeros around its spatial dimensions."""
    if not any(padding):
        return x
    lead = x.ndim - len(padding)
    y = np.zeros((*x.shape[:lead], *[s + 2 * p for s, p in zip(x.shape[lead:], padding)]), x.dtype)
    y[(Ellipsis, *[slice(p, p + s) for s, p in zip(x.shape[lead:], padding)])] = x
    return y


def windows(x, kernel, stride, dilation):
    """View (..., *kernel, *out) of padded input (..., *spatial): all windows, without a copy."""
    lead = x.ndim - len(kernel)
    out = [(s - d * (k - 1) - 1) // t + 1 for s, k, t, d in zip(x.shape[lead:], kernel, stride, dilation)]
    steps = x.strides[lead:]
    return as_strided(x, (*x.shape[:lead], *kernel, *out), (
        *x.strides[:lead], *[s * d for s, d in zip(steps, dilation)], *[s * t for s, t in zip(steps, stride)]))


def scatter_windows(cols, shape, kernel, stride, dilation):
    """The transpose of `windows`: add columns (..., *kernel, *out) into an array of padded `shape`."""
    y = np.zeros(shape, cols.dtype)
    n = len(kernel)
    lead = cols.ndim - 2 * n
    out = cols.shape[lead + n:]
    for offset in np.ndindex(*kernel):
        place = tuple([slice(o * d, o * d + t * (size - 1) + 1, t)
                       for o, d, t, size in zip(offset, dilation, stride, out)])
        y[(Ellipsis, *place)] += cols[(slice(None),) * lead + offset]
    return y


class _Conv(Contraction):
    grad_name = "ConvolutionBackward0"
    ties = ("x", "a", "w")
    planned = True
    stride: tuple
    padding: tuple
    dilation: tuple
    groups: int

    def visits(self, given):
        """How many columns NumPy makes of each element."""
        kernel = getattr(self, "kernel", None) or (given["w"].shape if "w" in given else given["w_shape"])[2:]
        return max(1, prod(kernel) // prod(self.stride))

    def _chunks(self, n, per_sample):
        """Slices of the batch whose columns fit the cache."""
        step = max(1, _CHUNK // max(per_sample, 1))
        return [slice(i, min(i + step, n)) for i in range(0, n, step)]

    def _columns(self, x, kernel):
        """Columns (n, groups, channels * kernel, positions) of padded samples."""
        g = self.groups
        w = windows(x, kernel, self.stride, self.dilation)
        n, c = w.shape[:2]
        count = int(np.prod(w.shape[2 + len(kernel):]))
        return w.reshape(n, g, c // g * int(np.prod(kernel)), count)


class Conv(_Conv):
    """Cross-correlation of x (n, c, *s) with w (o, c / groups, *k), plus bias (o,)."""

    gradient_shown = gradients_by(shared=True, x="ConvolutionBackwardBackward0(g, x, w)",
                                  w="ConvolutionBackwardBackward0(g, x, w)")
    samples = [S((2, 3, 7), (4, 3, 3), (4,), params=((1,), (1,), (1,), 1)),
               S((2, 4, 6, 5), (6, 2, 3, 2), None, params=((2, 1), (1, 0), (1, 2), 2)),
               S((1, 2, 4, 3, 4), (2, 2, 2, 2, 2), (2,), params=((1, 1, 2), (0, 1, 0), (1, 1, 1), 1))]

    def forward(self, x, w, bias):
        kernel, g, o = w.shape[2:], self.groups, w.shape[0]
        n, c = x.shape[:2]
        out = tuple([out_size(*v) for v in zip(x.shape[2:], kernel, self.stride, self.padding, self.dilation)])
        y = np.empty((n, o, *out), np.result_type(x, w))
        flat = w.reshape(g, o // g, -1)
        count = int(np.prod(out))
        x = pad_zeros(x, self.padding)
        for part in self._chunks(n, c * int(np.prod(kernel)) * count):
            cols = self._columns(x[part], kernel)
            np.matmul(flat, cols, out=y[part].reshape(-1, g, o // g, count))
        if bias is not None:
            y += bias.reshape(-1, *(1,) * len(kernel))
        return y

    def shapes(self, x, w, bias=None):
        """(shape, dtype) of the result."""
        out = [out_size(*v) for v in zip(x.shape[2:], w.shape[2:], self.stride, self.padding, self.dilation)]
        return [((x.shape[0], w.shape[0], *out), np.result_type(x.dtype, w.dtype))]

    def vjp_x(self, g, w, x_shape):
        return ConvInput(self.stride, self.padding, self.dilation, self.groups, x_shape[2:])(g, m.conj(w), None)

    def vjp_w(self, g, x, w_shape):
        return ConvWeight(self.stride, self.padding, self.dilation, self.groups, w_shape[2:])(m.conj(x), g)

    def vjp_bias(self, g):
        return m.sum(g, (0, *range(2, len(g.shape))))

    def batch(self, size, batched, values):
        return _fold_batch(self, size, batched, values)


class ConvInput(_Conv):
    """What Conv's input gets from a: the transposed convolution of a (n, o, *t) with w (o, c / groups, *k)."""

    spatial: tuple  # of the result
    samples = [S((2, 4, 7), (4, 3, 3), (3,), params=((1,), (1,), (1,), 1, (7,))),
               S((2, 6, 4, 3), (6, 2, 3, 2), None, params=((2, 1), (1, 0), (1, 2), 2, (7, 5)))]

    def forward(self, a, w, bias):
        kernel, g = w.shape[2:], self.groups
        n, o = a.shape[:2]
        c = w.shape[1] * g
        padded = [s + 2 * p for s, p in zip(self.spatial, self.padding)]
        x = np.empty((n, c, *self.spatial), np.result_type(a, w))
        flat = w.reshape(g, o // g, -1).swapaxes(1, 2)
        out, count = a.shape[2:], int(np.prod(a.shape[2:]))
        a = np.ascontiguousarray(a)
        inner = (Ellipsis, *[slice(p, p + s) for p, s in zip(self.padding, self.spatial)])
        for part in self._chunks(n, c * int(np.prod(kernel)) * count):
            cols = np.matmul(flat, a[part].reshape(-1, g, o // g, count))
            cols = cols.reshape(-1, c, *kernel, *out)
            x[part] = scatter_windows(cols, (len(cols), c, *padded), kernel, self.stride, self.dilation)[inner]
        if bias is not None:
            x += bias.reshape(-1, *(1,) * len(kernel))
        return x

    def shapes(self, a, w, bias=None):
        """(shape, dtype) of the result."""
        return [((a.shape[0], w.shape[1] * self.groups, *self.spatial), np.result_type(a.dtype, w.dtype))]

    def _with(self, kind, last=()):
        return kind(self.stride, self.padding, self.dilation, self.groups, *last)

    def vjp_a(self, g, w, a_shape):
        return _cut_to(self._with(Conv)(g, m.conj(w), None), a_shape)

    def vjp_w(self, g, a, w_shape):
        return self._with(ConvWeight, (w_shape[2:],))(g, m.conj(a))

    def vjp_bias(self, g):
        return m.sum(g, (0, *range(2, len(g.shape))))

    def batch(self, size, batched, values):
        return _fold_batch(self, size, batched, values)


class ConvWeight(_Conv):
    """What Conv's weight gets: x (n, c, *s) correlated with a (n, o, *t), summed over the batch."""

    kernel: tuple
    samples = [S((2, 3, 7), (2, 4, 7), params=((1,), (1,), (1,), 1, (3,))),
               S((2, 4, 6, 5), (2, 6, 3, 3), params=((2, 1), (1, 0), (1, 2), 2, (3, 2)))]

    def forward(self, x, a):
        g, (n, c), o = self.groups, x.shape[:2], a.shape[1]
        count = int(np.prod(a.shape[2:]))
        w = np.zeros((g, o // g, c // g * int(np.prod(self.kernel))), np.result_type(x, a))
        x = pad_zeros(x, self.padding)
        a = np.ascontiguousarray(a)
        for part in self._chunks(n, c * int(np.prod(self.kernel)) * count):
            cols = self._columns(self._cut(x[part], a.shape[2:]), self.kernel)
            w += np.matmul(a[part].reshape(-1, g, o // g, count), cols.swapaxes(-1, -2)).sum(0)
        return w.reshape(o, c // g, *self.kernel)

    def shapes(self, x, a):
        """(shape, dtype) of the result."""
        return [((a.shape[1], x.shape[1] // self.groups, *self.kernel), np.result_type(x.dtype, a.dtype))]

    def _cut(self, x, out):
        """Only what the windows reach: a stride may leave a rest of the input untouched."""
        ends = [(o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(out, self.stride, self.dilation, self.kernel)]
        return x[(slice(None), slice(None), *[slice(0, e) for e in ends])]

    def vjp_x(self, g, a, x_shape):
        return ConvInput(self.stride, self.padding, self.dilation, self.groups, x_shape[2:])(a, m.conj(g), None)

    def vjp_a(self, g, x, a_shape):
        return _cut_to(Conv(self.stride, self.padding, self.dilation, self.groups)(x, m.conj(g), None), a_shape)

    def batch(self, size, batched, values):
        w = _more_groups(self, size)(*[_beside(v) for v in values])
        return m.reshape(w, (size, -1, *w.shape[1:]))


def _cut_to(y, shape):
    """Output padding can leave room for one more window than there was."""
    for dim, size in enumerate(shape):
        if y.shape[dim] != size:
            y = m.narrow(y, dim, 0, size)
    return y


def _fold_batch(op, size, batched, values):
    """vmap: examples that share the weights are one bigger batch; otherwise each has groups of its own."""
    x, w, bias = values
    n = x.shape[1]
    if batched[1] or bias is not None and batched[2]:
        w = m.reshape(w, (size * w.shape[1], *w.shape[2:]))
        y = _more_groups(op, size)(_beside(x), w, bias if bias is None else m.reshape(bias, (size * bias.shape[1],)))
        return m.movedim(m.reshape(y, (n, size, -1, *y.shape[2:])), 1, 0)
    first = m.reshape(x, (size * n, *x.shape[2:]))
    y = op(first, m.select(w, 0, 0), None if bias is None else m.select(bias, 0, 0))
    return m.reshape(y, (size, n, *y.shape[1:]))


def _more_groups(op, size):
    return type(op)(*[size * op.groups if name == "groups" else getattr(op, name) for name in op.fields])


def _beside(x):
    """(size, n, c, ...) with the channels of all examples beside each other: (n, size * c, ...)."""
    return m.reshape(m.movedim(x, 0, 1), (x.shape[1], x.shape[0] * x.shape[2], *x.shape[3:]))


# ---- the public functions --------------------------------------------------------------------
def ntuple(v, n):
    """One number for all dimensions, or a tuple of n."""
    if isinstance(v, int):
        return (v,) * n
    v = (v,) if getattr(v, "shape", None) == () else v  # a NumPy number, a tensor without dimensions
    v = tuple([int(i) for i in v])
    return v * n if len(v) == 1 else v


def _check_counts(n, **given):
    for what, numbers in given.items():
        if len(numbers) != n and not isinstance(numbers, str):
            raise error("argument-count", RuntimeError(
                f"expected {what} to be a single integer value or a list of {n} values to match the convolution dimensions, "
                f"but got {what}={list(numbers)}"), what=what, count=len(numbers), need="{n}", n=n)


def _conv(input, weight, bias, stride, padding, dilation, groups, n):
    stride, dilation = ntuple(stride, n), ntuple(dilation, n)
    padding = padding if isinstance(padding, str) else ntuple(padding, n)
    _check_counts(n, stride=stride, padding=padding, dilation=dilation)
    _check_numbers(stride, () if isinstance(padding, str) else padding, dilation, groups)
    unbatched = len(input.shape) == n + 1
    if unbatched:
        input = m.unsqueeze(input, 0)
    _check(input, weight, bias, groups, n, unbatched)
    if isinstance(padding, str):
        input, padding = _named_padding(input, weight, padding, stride, dilation, n)
    spatial = [s + 2 * p for s, p in zip(input.shape[2:], padding)]
    reach = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], dilation)]
    if any(r > s for r, s in zip(reach, spatial)):
        raise error("conv-kernel", have=" x ".join(map(str, spatial)), kernel=" x ".join(map(str, reach)))
    y = Conv(stride, padding, dilation, groups)(input, weight, bias)
    return m.squeeze(y, 0) if unbatched else y


def _check_numbers(stride, padding, dilation, groups):
    """PyTorch's errors for numbers that no convolution takes."""
    if groups < 1:
        raise error("argument-value", RuntimeError("non-positive groups is not supported"), what="groups",
                    value=groups, must="a positive whole number")
    if padding and min(padding) < 0:
        raise error("argument-value", RuntimeError("negative padding is not supported"), what="padding",
                    value=tuple(padding), must="whole numbers of at least 0",
                    fix="pass whole numbers of at least 0; F.pad(x, (-1, -1)) cuts borders off.")
    if min(stride) < 1:
        raise error("argument-value", RuntimeError("non-positive stride is not supported"), what="stride",
                    value=tuple(stride), must="whole numbers of at least 1")
    if min(dilation) < 1:
        raise error("argument-value", RuntimeError("dilation should be greater than zero"), what="dilation",
                    value=tuple(dilation), must="whole numbers of at least 1")


def _check_weight(input, weight, n):
    dims = len(weight.shape)
    text = "weight should have at least three dimensions" if dims < 3 else \
        f"Expected {dims}-dimensional input for {dims}-dimensional weight {list(weight.shape)}, but got " \
        f"{len(input.shape)}-dimensional input of size {list(input.shape)} instead"
    return error("tensor-dims", RuntimeError(text), what="weight", shape=weight.shape, need="{n}", n=n + 2,
                 fix="a weight is (channels out, channels in, *kernel_size).")


def _check(input, weight, bias, groups, n, unbatched, transposed=False):
    if len(input.shape) != n + 2:
        raise error("conv-dims", unbatched=n + 1, batched=n + 2, n=n, have=tuple(input.shape)[unbatched:])
    if len(weight.shape) != n + 2:
        raise _check_weight(input, weight, n)
    for name, v in (("bias", bias), ("weight", weight)):
        if v is not None and dtype_of(v) != dtype_of(input):
            raise _dtypes(input, v, name, weight)
    size = weight.shape[0]
    if size < groups or size % groups:
        raise error("size-divisible", RuntimeError(
            f"Given groups={groups}, expected weight to be {'at least' if size < groups else 'divisible by'} {groups} at "
            f"dimension 0, but got weight of size {list(weight.shape)} instead"), what="weight.shape[0]", value=size,
            by=groups, fix="choose a number of groups that divides the channels: those of the input and of the result.")
    have, want = input.shape[1], size if transposed else weight.shape[1] * groups
    if have != want:
        raise error("conv-channels", groups=groups, weight_size=str(list(weight.shape)),
                    input_size=str(list(input.shape)), a=have, b=want, grown=input, size=have)
    out = weight.shape[1] * groups if transposed else size
    if bias is not None and tuple(bias.shape) != (out,):
        raise error("tensor-shape", RuntimeError(
            f"Given {'transposed=1, ' * transposed}weight of size {list(weight.shape)}, expected bias to be 1-dimensional "
            f"with {out} elements, but got bias of size {list(bias.shape)} instead"), what="bias", shape=bias.shape,
            want=(out,), fix="give one number for each of the {n} channels of the result.", n=out)


def _dtypes(input, other, name, weight):
    """The error for a weight or bias of another dtype than the input."""
    if name == "weight":
        return error("dtypes-differ", RuntimeError(
            f"expected scalar type {type_word(input)} but found {type_word(other)}"), what="input",
            dtype=dtype_of(input), other="weight", other_dtype=dtype_of(other),
            fix="convert one of them: x.float() for the data, layer.double() for the layer.")
    if dtype_of(weight) == dtype_of(other):
        return error("dtype-conv", input=input, weight=weight, bias=other)
    return error("dtypes-differ", RuntimeError(
        f"Input type ({c_name(input)}) and bias type ({c_name(other)}) should be the same"), what="input",
        dtype=dtype_of(input), other="bias", other_dtype=dtype_of(other),
        fix="convert one of them: x.float() for the data, layer.double() for the layer.")


def _named_padding(input, weight, padding, stride, dilation, n):
    if padding == "valid":
        return input, (0,) * n
    if padding != "same":
        raise error("argument-choice", RuntimeError(f"Invalid padding string: '{padding}'"), what="padding",
                    value=padding, choices=["valid", "same"])
    if any(s != 1 for s in stride):
        raise error("arguments-exclude", RuntimeError("padding='same' is not supported for strided convolutions"),
                    stride=tuple(stride),
                    why="with stride={stride} the result is smaller than the input, so padding cannot keep the size "
                        "the same.",
                    fix="use stride=1, or give padding as a number: kernel_size // 2 for an odd kernel_size.")
    total = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation)]
    if any(t % 2 for t in total):  # one more zero behind than in front
        extra = [v for t in reversed(total) for v in (0, t % 2)]
        input = m.pad(input, extra)
    return input, tuple([t // 2 for t in total])


def _conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation, n):
    stride, padding, dilation = ntuple(stride, n), ntuple(padding, n), ntuple(dilation, n)
    extra = ntuple(output_padding, n)
    _check_counts(n, stride=stride, padding=padding, dilation=dilation, output_padding=extra)
    _check_numbers(stride, padding, dilation, groups)
    unbatched = len(input.shape) == n + 1
    if unbatched:
        input = m.unsqueeze(input, 0)
    if len(input.shape) == n + 2 and input.shape[1] != weight.shape[0]:
        raise error("dimension-size", RuntimeError(
            f"Given transposed=1, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have "
            f"{weight.shape[0]} channels, but got {input.shape[1]} channels instead"), n=weight.shape[0], dims=n,
            weights=weight.shape, shape=input.shape, size=input.shape[1],
            why="the weight of shape {weights} takes {n} channels; the input of shape {shape} has {size} in dimension "
                "1.",
            fix="use nn.ConvTranspose{dims}d({size}, ...), or bring the channels to dimension 1: x.movedim(-1, 1).")
    _check(input, weight, bias, groups, n, unbatched, True)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        raise error("argument-value", RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            + " ".join(_sides("output_padding", extra, 0) + _sides("stride", stride, 1) + _sides("dilation", dilation,
            1))),
            what="output_padding", value=tuple(extra), must="numbers below stride or dilation, in each dimension")
    spatial = tuple([(s - 1) * t - 2 * p + d * (k - 1) + e + 1 for s, t, p, d, k, e in zip(
        input.shape[2:], stride, padding, dilation, weight.shape[2:], extra)])
    y = ConvInput(stride, padding, dilation, groups, spatial)(input, weight, bias)
    return m.squeeze(y, 0) if unbatched else y


def _sides(name, sizes, one):
    """PyTorch's list of sizes by side; a sequence is an image of one line, with `one` as the size across."""
    sizes = (one, *sizes) if len(sizes) == 1 else sizes
    return [f"{name}_{side}: {v}" for side, v in zip(("depth", "height", "width")[-len(sizes):], sizes)]


def _make(n):
    def conv(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return _conv(input, weight, bias, stride, padding, dilation, groups, n)

    def conv_transpose(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        return _conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation, n)
    conv.__doc__ = (f"{n}-d cross-correlation.\n\n    Shape: input (n, c, *s), weight (o, c / groups, *k), bias (o,) "
                    "-> (n, o, *t), t = (s + 2 padding - dilation (k - 1) - 1) / stride + 1, rounded down.")
    conv_transpose.__doc__ = (f"{n}-d transposed convolution: the gradient of conv{n}d by its input.\n\n    Shape: "
                              "input (n, o, *t), weight (o, c / groups, *k) -> (n, c, *s).")
    public("nn.functional torch", name=f"conv{n}d")(conv)
    public("nn.functional torch", name=f"conv_transpose{n}d")(conv_transpose)


for _n in (1, 2, 3):
    _make(_n)
