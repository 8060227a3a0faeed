"""Elements picked and put at positions in the last dimensions, and what of pooling is made of that."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .window import per_dim


def flat_positions(index, lead, size):
    """Positions in a flat array of (*lead, size) from positions in each row."""
    rows = int(np.prod(lead))
    return index + (np.arange(rows) * size).reshape(*lead, *(1,) * (index.ndim - len(lead)))


class PickAt(Op):
    """The elements of x at positions in its last n dimensions, counted row by row."""

    ties = ("x",)
    n: int
    grad_name = "AdaptiveMaxPool2DBackward0"
    linear = moves = True
    samples = [S((2, 3, 4), np.array([[[0, 5], [3, 11]], [[7, 7], [1, 2]]]), params=(2,))]

    def forward(self, x, index):
        lead = x.shape[:x.ndim - self.n]
        size = int(np.prod(x.shape[x.ndim - self.n:]))
        return np.take(x.reshape(-1), flat_positions(index, lead, size))

    def vjp_x(self, g, index, x_shape):
        return AddAtPositions(tuple(x_shape[len(x_shape) - self.n:]))(g, index)

    def batch(self, size, dims, values):
        return self(*values)


class AddAtPositions(Op):
    """Zeros with x added at positions in the last dimensions, of sizes `spatial`: the transpose of PickAt."""

    spatial: tuple
    grad_name = "AdaptiveMaxPool2DBackwardBackward0"
    linear = True
    samples = [S((2, 2, 2), np.array([[[0, 5], [3, 11]], [[7, 7], [1, 2]]]), params=((3, 4),))]

    def forward(self, x, index):
        lead, size = x.shape[:x.ndim - len(self.spatial)], int(np.prod(self.spatial))
        y = np.zeros(int(np.prod(lead)) * size, x.dtype)
        np.add.at(y, flat_positions(index, lead, size).reshape(-1), x.reshape(-1))
        return y.reshape(*lead, *self.spatial)

    def vjp_x(self, g, index):
        return PickAt(len(self.spatial))(g, index)

    def batch(self, size, dims, values):
        return self(*values)


class MaxUnpool2d(AddAtPositions):
    """Zeros with x put at positions: of several at one position, the last stays."""

    grad_name = "MaxUnpool2DBackward0"
    moves = True
    samples = [S((2, 2, 2), np.array([[[0, 5], [3, 11]], [[7, 8], [1, 2]]]), params=((3, 4),))]

    def forward(self, x, index):
        lead, size = x.shape[:x.ndim - len(self.spatial)], int(np.prod(self.spatial))
        np.ravel_multi_index((index,), (size,))  # raises where one does not exist: as what it is, max_unpool2d has said
        y = np.zeros(int(np.prod(lead)) * size, x.dtype)
        y[flat_positions(index, lead, size).reshape(-1)] = x.reshape(-1)
        return y.reshape(*lead, *self.spatial)


class MaxUnpool3d(MaxUnpool2d):
    """Zeros with x put at positions in three dimensions."""

    grad_name = "MaxUnpool3DBackward0"
    samples = [S((2, 1, 1, 2), np.array([[[[0, 5]]], [[[3, 11]]]]), params=((2, 3, 2),))]


# ---- the way back ----------------------------------------------------------------------------
def _unpooled(input, kernel, stride, padding, output_size):
    """The sizes that pooling started from, as far as they can be known."""
    n = len(kernel)
    usual = [(s - 1) * t + k - 2 * p for s, t, k, p in zip(input.shape[-n:], stride, kernel, padding)]
    if output_size is None:
        return usual
    size = [int(s) for s in output_size][-n:] if len(output_size) == n + 2 else [int(s) for s in output_size]
    if len(size) != n:
        raise error("argument-count", ValueError(
                    f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
                    f"'{len(size)}'"), what="output_size", count=len(size), need="{n} or {m}", n=n, m=n + 2)
    for d, (s, u, t) in enumerate(zip(size, usual, stride)):
        if not u - t < s < u + t:
            raise error("argument-value", ValueError(
                        f'invalid output_size "{output_size}" (dim {d} must be between {u - t} and {u + t})'),
                        what=f"output_size[{d}]", value=s, must="a whole number between {low} and {high}",
                        low=u - t + 1, high=u + t - 1,
                        fix="give the size of what was pooled: output_size=x.shape[{back}:].", back=-n)
    return size


def _make_unpool(n):
    name = f"max_unpool{n}d"

    def max_unpool(input, indices, kernel_size, stride=None, padding=0, output_size=None):
        kernel = per_dim(kernel_size, n, name, "kernel_size")
        stride = kernel if stride is None else per_dim(stride, n, name, "stride")
        size = _unpooled(input, kernel, stride, per_dim(padding, n, name, "padding"), output_size)
        if dtype_of(indices) != np.int64:
            raise error("tensor-dtype", RuntimeError(
                        "elements in indices should be type int64 but got: "
                        + type_word(indices)), what="indices",
                        dtype=dtype_of(indices), fn=f"{name}()", must="whole numbers of type int64",
                        fix="give the indices that the pooling returned with return_indices=True.")
        if indices.shape != input.shape:
            raise error("shapes-differ", RuntimeError(
                        f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but "
                        f"got indices tensor with shape: {list(indices.shape)}"), what="indices",
                        shape=tuple(indices.shape), other="input", other_shape=tuple(input.shape),
                        must="both must have the same shape",
                        fix="give the indices that the pooling returned with return_indices=True.")
        _check_positions(indices, size)
        if n == 1:
            y = MaxUnpool2d((1, *size))(m.unsqueeze(input, -2), m.unsqueeze(indices, -2))
            return m.squeeze(y, -2)
        return (MaxUnpool3d if n == 3 else MaxUnpool2d)(tuple(size))(input, indices)
    max_unpool.__doc__ = (f"The values that max_pool{n}d gave back where they came from, zeros elsewhere.\n\n"
                          "    Shape: (N, C, *t) and equal indices -> (N, C, *s).")
    public("nn.functional", name=name)(max_unpool)


def _check_positions(indices, size):
    index, total = getattr(indices, "_data", indices), int(np.prod(size))
    if type(index) is np.ndarray and index.size:
        if index.min() < 0 or index.max() >= total:
            first = index[(index < 0) | (index >= total)][0]
            raise error("data-range", RuntimeError(
                        f"Found an invalid max index: {first} (output volumes are of size "
                        f"{'x'.join(map(str, size))}{'x1' * (len(size) == 1)})"), what="indices", value=int(first),
                        must="a whole number between {low} and {high}", low=0, high=total - 1,
                        fix="give output_size, the size of what was pooled, and the indices that the pooling returned.")


for _n in (1, 2, 3):
    _make_unpool(_n)
