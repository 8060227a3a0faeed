"""Max pooling: the largest value of each window, where it was, and the way back."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .reduce import not_implemented
from .unpool import AddAtPositions, PickAt
from .window import Windows, as_image, by_pieces, check_dims, padded, per_dim, plan, windows_of


def lowest(dtype):
    """What stands in the padding, so that it is never the largest."""
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def along_axes(p, x):
    """[x, largest along the last dimension, ... along the last two, ...]: the last has the results.

    A window's maximum is found one dimension after the other, which takes k + k steps instead of k * k.
    """
    steps = [x]
    for places in reversed(p.places):
        y = np.array(x[places[0]]) if len(places) == 1 else np.maximum(x[places[0]], x[places[1]])
        for place in places[2:]:
            np.maximum(y, x[place], out=y)
        steps.append(y)
        x = y
    return steps


def send_back(g, x, y, places, apart):
    """The gradient of x from that of y, the largest of x along one dimension: to the first that is y.

    `apart`: no two windows share an element, so that nothing needs to be added up.
    """
    g_x = np.zeros(x.shape, g.dtype)
    rest = None
    for p in places[:-1]:
        hit = x[p] == y
        if rest is None:
            rest = ~hit
        else:
            hit &= rest
            rest ^= hit
        if apart:
            np.multiply(g, hit, out=g_x[p])
        else:
            g_x[p] += g * hit
    g_x[places[-1]] += g if rest is None else g * rest
    return g_x


def pick_forward(v, x, y, places):
    """The transpose of `send_back`: v at the first place where x is y."""
    out, rest = np.zeros(y.shape, v.dtype), None
    for p in places[:-1]:
        hit = x[p] == y
        if rest is None:
            rest = ~hit
        else:
            hit &= rest
            rest ^= hit
        out += v[p] * hit
    out += v[places[-1]] if rest is None else v[places[-1]] * rest
    return out


class MaxPool2d(Op):
    """The largest value of each window over the last dimensions."""

    windows: Windows
    planned = True
    grad_name = "MaxPool2DWithIndicesBackward0"
    samples = [S((2, 1, 5, 6), params=(Windows((2, 3), (2, 1), (1, 0), (1, 2)),)),
               S((3, 4, 5), params=(Windows((3, 2), (2, 2), (1, 1), (1, 1), True),)),
               S((0, 1, 4, 4), params=(Windows((2, 2), (2, 2), (0, 0), (1, 1)),))]

    def forward(self, x):
        n, low = len(self.windows.kernel), lowest(x.dtype)
        p = plan(self.windows, x.shape[-n:])
        return by_pieces(lambda x: along_axes(p, padded(x, p.around, low))[-1], [x], n)

    def vjp_x(self, g, x):
        return SendToMax(self.windows)(g, x)

    def batch(self, size, dims, values):
        return self(*values)


class MaxPool3d(MaxPool2d):
    """The largest value of each window over the last three dimensions."""

    grad_name = "MaxPool3DWithIndicesBackward0"
    samples = [S((2, 4, 5, 4), params=(Windows((2, 3, 2), (2, 1, 2), (1, 0, 0), (1, 1, 1)),))]


class SendToMax(Op):
    """Each g to the place in x where its window has the largest value: zeros elsewhere.

    Products with 0 and 1 are much faster than positions, but wrong where NaN or infinities are about.
    """

    windows: Windows
    planned = True
    grad_name = "MaxPool2DWithIndicesBackwardBackward0"
    samples = [S((2, 3, 4), (2, 5, 6), params=(Windows((2, 3), (2, 1), (1, 0), (1, 1)),), smooth=False)]

    def forward(self, a, x):
        n, low = len(self.windows.kernel), lowest(x.dtype)
        spatial = x.shape[-n:]
        p = plan(self.windows, spatial)

        def back(x, a):
            steps = along_axes(p, padded(x, p.around, low))
            if not (np.isfinite(steps[-1]).all() and np.isfinite(a).all()):
                return AddAtPositions(spatial).forward(a, MaxPoolIndices(self.windows).forward(x))
            for places, apart, before, after in zip(p.places, p.apart, steps[-2::-1], steps[:0:-1]):
                a = send_back(a, before, after, places, apart)
            return a[p.inside]
        return by_pieces(back, [x, a], n)

    def vjp_a(self, g, x):
        return PickAtMax(self.windows)(g, x)

    def batch(self, size, dims, values):
        return self(*values)


class PickAtMax(Op):
    """v at the place of each window where x is largest: the transpose of SendToMax."""

    windows: Windows
    grad_name = "MaxPool2DWithIndicesBackward0"
    samples = [S((2, 5, 6), (2, 5, 6), params=(Windows((2, 3), (2, 1), (1, 0), (1, 1)),), smooth=False)]

    def forward(self, v, x):
        n, low = len(self.windows.kernel), lowest(x.dtype)
        p = plan(self.windows, x.shape[-n:])
        steps = along_axes(p, padded(x, p.around, low))
        if not (np.isfinite(steps[-1]).all() and np.isfinite(v).all()):
            return PickAt(n).forward(v, MaxPoolIndices(self.windows).forward(x))
        v = padded(v, p.around, 0)
        for places, before, after in zip(reversed(p.places), steps, steps[1:]):
            v = pick_forward(v, before, after, places)
        return v

    def vjp_v(self, g, x):
        return SendToMax(self.windows)(g, x)

    def batch(self, size, dims, values):
        return self(*values)


class MaxPoolIndices(Op):
    """Where in the last dimensions, counted row by row, each window has its largest value."""

    windows: Windows
    samples = [S((2, 5, 6), params=(Windows((2, 3), (2, 1), (1, 0), (1, 1)),), smooth=False)]

    def forward(self, x):
        w, n = self.windows, len(self.windows.kernel)
        spatial, out = x.shape[-n:], w.out(x.shape[-n:])
        y = padded(x, w.around(spatial), lowest(x.dtype))
        index, valid = None, True
        for i in reversed(range(n)):
            y, index, valid = self._narrow(y, index, valid, i, out[i], spatial)
        return np.array(np.broadcast_to(index, y.shape))

    def _narrow(self, x, index, valid, i, count, spatial):
        """Largest values along one dimension, their positions, and whether these lie inside the input."""
        w, n = self.windows, len(spatial)
        weight, tail = int(np.prod(spatial[i + 1:])), (1,) * (n - 1 - i)
        y = ok = where = None
        for o, p in enumerate(w.places(i, count)):
            at = np.arange(count) * w.stride[i] + o * w.dilation[i] - w.padding[i]
            here = ((at >= 0) & (at < spatial[i])).reshape(-1, *tail) & (valid if valid is True else valid[p])
            place = (at * weight).reshape(-1, *tail) + (0 if index is None else index[p])
            v = x[p]
            if y is None:
                y, ok, where = np.array(v), np.broadcast_to(here, v.shape), np.broadcast_to(place, v.shape)
                continue
            better = here & ((v > y) | (v != v) | ~ok)
            y, where, ok = np.where(better, v, y), np.where(better, place, where), ok | here
        return y, where, ok

    def batch(self, size, dims, values):
        return self(*values)


# ---- the public functions --------------------------------------------------------------------
def _check_shape(shape, n, fn):
    usual = f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got:"
    if n == 1 or len(shape) in (n + 1, n + 2):
        check_dims(shape, n, (f"{fn}: " if n == 1 else "") + usual + str(list(shape)))
    check_dims(shape, n, f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input")


def _check_1d(shape, kernel_size, stride, padding, dilation):
    """What PyTorch says of windows over one dimension, in its own words."""
    given = ("kernel_size", kernel_size), ("padding", padding), ("dilation", dilation)
    k, p, d = (per_dim(v, 1, "max_pool1d", name)[0] for name, v in given)
    for name, v in (("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation)):
        if v and per_dim(v, 1, "max_pool1d", name)[0] <= 0 or v == 0:
            raise error("argument-value", RuntimeError(
                f"max_pool1d() {name} must be greater than zero, but got {per_dim(v, 1, '', '')[0]}"), what=name,
                value=v, must="a positive whole number")
    if p < 0:
        raise error("argument-value", RuntimeError(f"max_pool1d() padding must be non-negative, but got {p}"),
                    what="padding", value=p, must="a whole number of at least {low}", low=0)
    if p > k // 2 and d == 1:
        raise error("argument-value", RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}"),
            what="padding", value=p, must="a number of at most {high}", high=k // 2, k=k,
            fix="a padding of at most {high}, half of kernel_size={k}; F.pad(x, (1, 1), value=-math.inf) adds more.")
    if shape[-1] + 2 * p < d * (k - 1) + 1:
        size = (shape[-1] + 2 * p - d * (k - 1) - 1) // per_dim(stride or kernel_size, 1, "max_pool1d", "stride")[0] + 1
        raise error("dimension-size", RuntimeError(f"max_pool1d() Invalid computed output size: {size}"),
                    have=(shape[-1],),
                    window=(d * (k - 1) + 1,), pads=(p,),
                    why="windows of {window} elements do not fit into the input, which is {have} with a padding of "
                        "{pads}.",
                    fix="give a smaller kernel_size or a larger padding, or pool (or stride) less before.")


def _max_pool(input, n, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    try:
        op = _op(n, tuple(input.shape), kernel_size, stride, padding, dilation, ceil_mode)
    except TypeError:  # lists
        op = _op(n, tuple(input.shape), *[tuple(v) if isinstance(v, list) else v for v in (
            kernel_size, stride, padding, dilation, ceil_mode)])
    if dtype_of(input).kind in "bc":
        raise not_implemented(f"max_pool{n}d", input)
    if n > 1:
        y = op(input)
        return (y, MaxPoolIndices(op.windows)(input)) if return_indices else y
    row = m.unsqueeze(input, -2)  # in PyTorch, too, a row is an image of height 1
    y = m.squeeze(op(row), -2)
    return (y, m.squeeze(MaxPoolIndices(op.windows)(row), -2)) if return_indices else y


@lru_cache(1024)
def _op(n, shape, kernel_size, stride, padding, dilation, ceil_mode):
    """The op for an input of this shape, once all arguments are known to be good."""
    name = f"max_pool{n}d"
    _check_shape(shape, n, name)
    if n == 1:
        _check_1d(shape, kernel_size, stride, padding, dilation)
    w = windows_of(shape, name, n, kernel_size, stride, padding, dilation, ceil_mode)
    return (MaxPool3d if n == 3 else MaxPool2d)(as_image(w) if n == 1 else w)


def _make_max_pool(n):
    name = f"max_pool{n}d"

    def max_pool(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return _max_pool(input, n, kernel_size, stride, padding, dilation, ceil_mode, return_indices)

    def with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=True):
        return _max_pool(input, n, kernel_size, stride, padding, dilation, ceil_mode, True)
    max_pool.__doc__ = (f"The largest value of each window over the last {n} dimensions.\n\n    Shape: (N, C, *s) or "
                        "(C, *s) -> (N, C, *t), t = (s + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1,\n"
                        "    rounded down, or up with `ceil_mode`. With `return_indices` also where the values were.")
    with_indices.__doc__ = f"`{name}` and where the values were."
    public("nn.functional torch", name=name)(max_pool)
    public("nn.functional torch" if n == 1 else "nn.functional", name=name + "_with_indices")(with_indices)


for _n in (1, 2, 3):
    _make_max_pool(_n)
