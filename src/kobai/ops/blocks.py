"""Blocks of images: unfold and fold, and exchanges between channels and places."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from . import strided  # noqa: F401  (first: m.unfold is that of Tensor.unfold)
from .conv import pad_zeros, scatter_windows, windows
from .reduce import not_implemented
from .window import per_dim


class Im2Col(Op):
    """Sliding blocks of (*, C, H, W) as columns: (*, C * block, positions)."""

    kernel: tuple
    dilation: tuple
    padding: tuple
    stride: tuple
    linear = True
    samples = [S((2, 3, 5, 6), params=((2, 3), (1, 2), (1, 0), (2, 1))),
               S((1, 2, 4, 4), params=((2, 2),) + ((1, 1),) * 3)]

    def forward(self, x):
        w = windows(np.ascontiguousarray(pad_zeros(x, self.padding)), self.kernel, self.stride, self.dilation)
        *lead, c, kh, kw, h, w_ = w.shape
        return w.reshape(*lead, c * kh * kw, h * w_)

    def vjp_x(self, g, x_shape):
        return Col2Im(self.kernel, self.dilation, self.padding, self.stride, tuple(x_shape[-2:]))(g)

    def batch(self, size, dims, values):
        return self(*values)


class Col2Im(Op):
    """Columns added up into images of `spatial` where their blocks were: the transpose of Im2Col."""

    kernel: tuple
    dilation: tuple
    padding: tuple
    stride: tuple
    spatial: tuple
    linear = True
    samples = [S((2, 18, 9), params=((2, 3), (1, 2), (1, 0), (2, 1), (5, 7)))]

    def forward(self, x):
        out = positions(self.spatial, self.kernel, self.dilation, self.padding, self.stride)
        lead = (*x.shape[:-2], x.shape[-2] // (self.kernel[0] * self.kernel[1]))
        padded = [s + 2 * p for s, p in zip(self.spatial, self.padding)]
        y = scatter_windows(x.reshape(*lead, *self.kernel, *out), (*lead, *padded), self.kernel, self.stride,
                            self.dilation)
        inner = [slice(p, p + s) for p, s in zip(self.padding, self.spatial)]
        return np.ascontiguousarray(y[(Ellipsis, *inner)])

    def vjp_x(self, g):
        return Im2Col(self.kernel, self.dilation, self.padding, self.stride)(g)

    def batch(self, size, dims, values):
        return self(*values)


def positions(spatial, kernel, dilation, padding, stride):
    """How many blocks fit along each dimension."""
    return tuple([(s + 2 * p - d * (k - 1) - 1) // t + 1
                  for s, k, d, p, t in zip(spatial, kernel, dilation, padding, stride)])


class PixelShuffle(Op):
    """(*, C r r, H, W) -> (*, C, H r, W r): channels become places."""

    factor: int
    linear = moves = True
    samples = [S((2, 8, 2, 3), params=(2,)), S((4, 1, 1), params=(2,)), S((0, 9, 1, 2), params=(3,))]

    def forward(self, x):
        *lead, c, h, w = x.shape
        r, n = self.factor, len(lead)
        y = x.reshape(*lead, c // (r * r), r, r, h, w).transpose(*range(n + 1), n + 3, n + 1, n + 4, n + 2)
        return y.reshape(*lead, c // (r * r), h * r, w * r)

    def vjp_x(self, g):
        return PixelUnshuffle(self.factor)(g)

    def batch(self, size, dims, values):
        return self(*values)


class PixelUnshuffle(Op):
    """(*, C, H r, W r) -> (*, C r r, H, W): places become channels."""

    factor: int
    linear = moves = True
    samples = [S((2, 2, 4, 6), params=(2,)), S((1, 3, 3), params=(3,))]

    def forward(self, x):
        *lead, c, h, w = x.shape
        r, n = self.factor, len(lead)
        y = x.reshape(*lead, c, h // r, r, w // r, r).transpose(*range(n + 1), n + 2, n + 4, n + 1, n + 3)
        return y.reshape(*lead, c * r * r, h // r, w // r)

    def vjp_x(self, g):
        return PixelShuffle(self.factor)(g)

    def batch(self, size, dims, values):
        return self(*values)


class ChannelShuffle(Op):
    """Channels in groups, dealt out in turn: (N, g k, *) with group and place in it exchanged."""

    groups: int
    linear = moves = True
    samples = [S((2, 6, 3), params=(2,)), S((1, 4, 2, 2), params=(4,))]

    def forward(self, x):
        n, c = x.shape[:2]
        y = x.reshape(n, self.groups, c // self.groups, *x.shape[2:])
        return np.ascontiguousarray(y.swapaxes(1, 2)).reshape(x.shape)

    def vjp_x(self, g):
        return ChannelShuffle(max(g.shape[1] // self.groups, 1))(g)

    def batch(self, size, dims, values):
        x, = values
        y = self(m.reshape(x, (size * x.shape[1], *x.shape[2:])))
        return m.reshape(y, tuple(x.shape))


# ---- the public functions --------------------------------------------------------------------
def _four_numbers(fn, kernel_size, dilation, padding, stride):
    values = []
    for name, v in (("kernel_size", kernel_size), ("dilation", dilation), ("padding", padding), ("stride", stride)):
        if isinstance(v, (tuple, list)) and len(v) not in (1, 2):
            raise error("argument-count", RuntimeError(f"It is expected {name} equals to 2, but got size {len(v)}"),
                        what=name, count=len(v), need="{n} or {m}", n=1, m=2)
        v = per_dim(v, 2, fn, name)
        if min(v) < (name != "padding"):
            limit = "non-negative" if name == "padding" else "greater than zero"
            short = name.replace("padding", "pad").replace("_size", "")
            raise error("argument-value", RuntimeError(
                f"{name} should be {limit}, but got {short}_height: {v[0]} {short}_width: {v[1]}"), what=name,
                value=tuple(v),
                must="whole numbers of at least 0" if name == "padding" else "whole numbers of at least 1")
        values.append(v)
    return values


@public("nn.functional")
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Sliding blocks as columns.

    Shape: (N, C, H, W) or (C, H, W) -> (N, C * block, positions).
    """
    kernel, dilation, padding, stride = _four_numbers("im2col", kernel_size, dilation, padding, stride)
    shape = tuple(input.shape)
    if len(shape) < 3:
        n = len(shape) or 1
        raise error("tensor-dims", IndexError(
            f"Dimension out of range (expected to be in range of [-{n}, {n - 1}], but got {n})"), what="input",
            shape=shape, need="{n} or {m}", n=3, m=4,
            fix="images are (batch, channels, height, width) or (channels, height, width); x.unsqueeze(0) adds a "
                "dimension in front.")
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise error("tensor-shape", RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"), shape=shape,
            why="input has shape {shape}; it must be (channels, height, width), or that with a batch in front, and "
                "only the batch may be empty.",
            fix="x.unsqueeze(0) adds a dimension in front; a size of 0 comes from an empty slice or filter before.")
    if dtype_of(input).kind in "iu":
        raise not_implemented("im2col_out_cpu", input)
    out = positions(shape[-2:], kernel, dilation, padding, stride)
    if min(out) < 1:
        raise error("dimension-size", RuntimeError(
            f"Given input with spatial size ({shape[-2]}, {shape[-1]}), kernel_size=({kernel[0]}, {kernel[1]}), "
            f"dilation=({dilation[0]}, {dilation[1]}), padding=({padding[0]}, {padding[1]}), calculated shape of the "
            f"array of sliding blocks as ({out[0]}, {out[1]}), but its components must be at least one."),
            have=shape[-2:], window=kernel, pads=padding, spread=dilation,
            why="windows of {window} elements (dilation {spread}) do not fit into the input, which is {have} with a "
                "padding of {pads}.",
            fix="give a smaller kernel_size or a larger padding, or pool (or stride) less before.")
    return Im2Col(kernel, dilation, padding, stride)(input)


@public("nn.functional")
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns added up where their blocks were: the transpose of `unfold`.

    Shape: (N, C * block, positions) or (C * block, positions) -> (N, C, *output_size).
    """
    if isinstance(output_size, (tuple, list)) and len(output_size) not in (1, 2):
        raise error("argument-count",
                    RuntimeError(f"It is expected output_size equals to 2, but got size {len(output_size)}"),
                    what="output_size", count=len(output_size), need="{n} or {m}", n=1, m=2)
    size = per_dim(output_size, 2, "col2im", "output_size")
    kernel, dilation, padding, stride = _four_numbers("col2im", kernel_size, dilation, padding, stride)
    shape, block = tuple(input.shape), kernel[0] * kernel[1]
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise error("tensor-shape", RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(shape)}"), shape=shape,
            why="input has shape {shape}; it must be (channels * window elements, blocks), or that with a batch in "
                "front, and only the batch may be empty.",
            fix="give what unfold() returns, or bring it to that shape with reshape().")
    if shape[-2] % block:
        raise error("size-divisible", RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)="
            f"{shape[-2]} and kernel_size=({kernel[0]}, {kernel[1]})."), what="input.size(-2)", value=shape[-2],
            by=block,
            fix="that dimension holds the {by} elements of a window for each channel: give the kernel_size of the "
                "unfold() that made it.")
    out = positions(size, kernel, dilation, padding, stride)
    given = (f"Given output_size=({size[0]}, {size[1]}), kernel_size=({kernel[0]}, {kernel[1]}), "
             f"dilation=({dilation[0]}, {dilation[1]}), padding=({padding[0]}, {padding[1]}), "
             f"stride=({stride[0]}, {stride[1]})")
    if shape[-1] != out[0] * out[1]:
        raise error("dimension-size", RuntimeError(
            f"{given}, expected size of input's dimension 2 to match the calculated number of sliding blocks {out[0]} "
            f"* {out[1]} = {out[0] * out[1]}, but got input.size(2)={shape[-1]}."), what="input", dim=len(shape) - 1,
            size=shape[-1], must="{n}, the number of windows", n=out[0] * out[1],
            fix="give the output_size, kernel_size, stride, padding and dilation of the unfold() that made it.")
    if dtype_of(input).kind in "iu":
        raise not_implemented("col2im_out_cpu", input)
    return Col2Im(kernel, dilation, padding, stride, size)(input)


def _check_places(fn, shape, factor, word):
    if len(shape) < 3:
        raise error("tensor-dims", RuntimeError(
            f"{fn} expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"),
            what="input", shape=shape, need="at least {n}", n=3,
            fix="images are (batch, channels, height, width) or (channels, height, width); x.unsqueeze(0) adds a "
                "dimension in front.")
    if factor <= 0:
        raise error("argument-value", RuntimeError(f"{fn} expects a positive {word}, but got {factor}"), what=word,
                    value=factor, must="a positive whole number")


@public("nn.functional torch")
def pixel_shuffle(input, upscale_factor):
    """Channels become places (Shi et al. 2016).

    Shape: (*, C r r, H, W) -> (*, C, H r, W r), r = upscale_factor.
    """
    shape = tuple(input.shape)
    _check_places("pixel_shuffle", shape, upscale_factor, "upscale_factor")
    if shape[-3] % upscale_factor ** 2:
        raise error("size-divisible", RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={shape[-3]} is not divisible by {upscale_factor ** 2}"),
            what="input.size(-3)", value=shape[-3], by=upscale_factor ** 2)
    return PixelShuffle(int(upscale_factor))(input)


@public("nn.functional torch")
def pixel_unshuffle(input, downscale_factor):
    """Places become channels: the inverse of `pixel_shuffle`.

    Shape: (*, C, H r, W r) -> (*, C r r, H, W), r = downscale_factor.
    """
    shape = tuple(input.shape)
    _check_places("pixel_unshuffle", shape, downscale_factor, "downscale_factor")
    for word, d in (("height", -2), ("width", -1)):
        if shape[d] % downscale_factor:
            raise error("size-divisible", RuntimeError(
                f"pixel_unshuffle expects {word} to be divisible by downscale_factor, but input.size({d})={shape[d]} "
                f"is not divisible by {downscale_factor}"), what=f"input.size({d})", value=shape[d],
                by=downscale_factor,
                fix="choose another downscale_factor, or pad or cut the images to a multiple of {by}.")
    return PixelUnshuffle(int(downscale_factor))(input)


@public("nn.functional torch", alias=("native_channel_shuffle",))
def channel_shuffle(input, groups):
    """Channels of `groups` dealt out in turn (Zhang et al. 2018).

    Shape: (N, C, *) -> (N, C, *).
    """
    shape = tuple(input.shape)
    if len(shape) <= 2:
        raise error("tensor-dims", RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"), what="input",
            shape=shape, need="at least {n}", n=3,
            fix="images are (batch, channels, height, width) or (channels, height, width); x.unsqueeze(0) adds a "
                "dimension in front.")
    if groups <= 0:
        raise error("argument-value", RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"), what="groups",
            value=groups, must="a positive whole number")
    if shape[1] % groups:
        raise error("size-divisible", RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} groups."),
            what="input.size(1)", value=shape[1], by=groups,
            fix="choose a number of groups that divides {value}, the number of channels.")
    return ChannelShuffle(int(groups))(input)
