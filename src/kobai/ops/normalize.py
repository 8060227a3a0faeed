"""Normalisation to mean 0 and variance 1: over batches, layers, groups and instances.

One op each, all with the same rule: y = (x - mean) / sqrt(var + eps) * weight + bias, where mean and
variance are taken over some dimensions. They are found again in the backward pass, so that nothing
needs to be saved but x, and what follows may work in place on y.
"""
from __future__ import annotations

from math import prod

import numpy as np

from ..autograd.mode import modes
from ..diagnose import error
from ..general import apply_any
from ..op import Op, apply3, dtype_of, m
from ..public import by_form, public
from ..tensor import LiftedTensor
from ..testing.samples import S
from .reduce import not_implemented
from .summation import add_up

_F32 = np.dtype(np.float32)


def inner(a, b, dims):
    """The sum of a * b over `dims`, which stay as dimensions of size 1."""
    last = a.ndim - 1
    if last in dims and a.shape[last] > 8:
        y = np.vecdot(a, b)[..., None]
        rest = tuple([d for d in dims if d != last])
        return add_up(y, rest, True) if rest else y
    return add_up(a * b, dims, True)


def moments(x, dims):
    """x - mean, mean and variance (divided by n) of an array over `dims`, which stay with size 1."""
    n = max(prod([x.shape[d] for d in dims]), 1)
    mean = add_up(x, dims, True) / x.dtype.type(n)
    centered = x - mean
    return centered, mean, inner(centered, centered, dims) / x.dtype.type(n)


def gradients(g, x, weight, dims, eps, needs):
    """The gradients of x, weight and bias, for a weight that broadcasts over x (or None).

    With h = (x - mean) / std and the mean over `dims`: (g w - mean(g w) - h mean(g w h)) / std.
    """
    gw = g if weight is None else g * weight
    mean = m.mean(x, dims, keepdim=True)
    centered = x - mean
    rstd = m.rsqrt(m.mean(centered * centered, dims, keepdim=True) + eps)
    h = centered * rstd
    g_x = None
    if needs[0]:
        g_x = (gw - m.mean(gw, dims, keepdim=True) - h * m.mean(gw * h, dims, keepdim=True)) * rstd
    g_weight = m.sum_to(g * h, tuple(weight.shape)) if needs[1] else None
    return g_x, g_weight, g


def gradients_of_arrays(g, x, weight, dims, eps, needs, constant):
    """The same on arrays, in place. Over `constant`, some of `dims`, the weight is constant: they are summed first."""
    n = x.dtype.type(max(prod([x.shape[d] for d in dims]), 1))
    h, _, var = moments(x, dims)
    rstd = 1 / np.sqrt(var + x.dtype.type(eps))
    gh, g_sum = (inner(g, h, constant), add_up(g, constant, True)) if constant else (g * h, g)
    g_weight = _weighted(rstd, gh, weight) if needs[1] else None
    if not needs[0]:
        return None, g_weight, g_sum
    rest = tuple([d for d in dims if d not in constant])
    h *= _over(gh, weight, rest) * rstd * rstd * rstd / -n
    if constant:
        h += g * (rstd if weight is None else rstd * weight)
    else:
        scaled = np.multiply(g, rstd, out=gh)
        h += scaled if weight is None else np.multiply(scaled, weight, out=scaled)
    h += _over(g_sum, weight, rest) * rstd / -n
    return h, g_weight, g_sum


def _over(x, weight, dims):
    """The sum of x * weight over `dims`; of rows a product with a vector."""
    if x.ndim == 2 and weight is not None:
        return x @ weight.T
    x = x if weight is None else x * weight
    return add_up(x, dims, True) if dims else x


def _weighted(rstd, x, like):
    """The sum of rstd * x over the dimensions in which `like` has size 1."""
    if x.ndim > 2:
        return _down(x * rstd, like)
    # A long product adds one row after the other: blocks of it keep the digits.
    parts = [rstd[i:i + _BLOCK].T @ x[i:i + _BLOCK] for i in range(0, len(x), _BLOCK)]
    return parts[0] if len(parts) == 1 else np.add.reduce(parts, 0) if parts else np.zeros(like.shape, x.dtype)


_BLOCK = 1024  # rows


def _down(x, like):
    """The sum of x over the dimensions in which `like` has size 1."""
    dims = tuple([d for d, s in enumerate(like.shape) if s == 1 and x.shape[d] != 1])
    return add_up(x, dims, True) if dims else x


class _Normalize(Op):
    eps: float
    constant = ()  # dimensions of the mean over which the weight is constant

    def layout(self, shape):
        """(shape in which to work, dimensions of the mean, shape of the weight there) for an input's shape."""
        raise NotImplementedError

    def normalized(self, x, weight, bias):
        """y, and mean and variance with the reduced dimensions kept."""
        shape, dims, w_shape = self.layout(x.shape)
        y, mean, var = moments(x.reshape(shape), dims)
        scale = 1 / np.sqrt(var + x.dtype.type(self.eps))
        if weight is not None:
            weight = weight.reshape(w_shape)
            if all(w_shape[d] == 1 for d in dims):
                scale, weight = scale * weight, None
        y *= scale
        if weight is not None:
            y *= weight
        if bias is not None:
            y += bias.reshape(w_shape)
        return y.reshape(x.shape), mean, var

    def in_steps(self, x, weight, bias):
        """`normalized` in terms of simpler ops."""
        shape, dims, w_shape = self.layout(tuple(x.shape))
        x = m.reshape(x, shape)
        mean = m.mean(x, dims, keepdim=True)
        y = x - mean
        var = m.mean(y * y, dims, keepdim=True)
        scale = m.rsqrt(var + self.eps)
        y = y * (scale if weight is None else scale * m.reshape(weight, w_shape))
        return y if bias is None else y + m.reshape(bias, w_shape), mean, var

    def back(self, g, x, weight, needs):
        """Gradients of x, weight and bias in their own shapes."""
        shape, dims, w_shape = self.layout(tuple(x.shape))
        needs = tuple(needs) + (False,) * (3 - len(needs))
        arrays = type(g) is np.ndarray and type(x) is np.ndarray and (weight is None or type(weight) is np.ndarray)
        w = None if weight is None else m.reshape(weight, w_shape)
        given = (m.reshape(g, shape), m.reshape(x, shape), w, dims, self.eps, needs)
        g_x, g_weight, g_bias = gradients_of_arrays(*given, self.constant) if arrays else gradients(*given)
        if needs[2]:
            g_bias = m.reshape(m.sum_to(g_bias, w_shape), (prod(w_shape),))
        return (m.reshape(g_x, tuple(x.shape)) if needs[0] else None,
                m.reshape(g_weight, tuple(weight.shape)) if needs[1] else None, g_bias if needs[2] else None)


class NativeLayerNorm(_Normalize):
    """Over the last dimensions, `dim` = (-n, ..., -1)."""

    dim: tuple
    samples = [S((3, 4), (4,), (4,), params=(0.1, (-1,))), S((2, 3, 4), (3, 4), None, params=(0.1, (-2, -1))),
               S((2, 5), None, None, params=(0.1, (-1,))), S((0, 3), (3,), (3,), params=(0.1, (-1,))),
               S((40, 12), (12,), (12,), params=(0.1, (-1,)))]

    def layout(self, shape):
        lead = shape[:len(shape) - len(self.dim)]
        size = prod(shape[len(lead):])
        return (prod(lead), size), (1,), (1, size)

    def forward(self, x, weight, bias):
        return self.normalized(x, weight, bias)[0]

    def vjp(self, g, x, weight, needs):
        g_x, g_weight, g_bias = self.back(g, x, weight, needs)
        return g_x, g_weight, g_bias if g_bias is None else m.reshape(
            g_bias, tuple(x.shape[len(x.shape) - len(self.dim):]))

    def batch(self, size, dims, values):
        x, weight, bias = values
        if not _own(dims, values):
            return self(x, *[None if w is None else m.select(w, 0, 0) for w in (weight, bias)])
        y, middle = self(x, None, None), (1,) * (len(x.shape) - 1 - len(self.dim))
        weight, bias = (w if w is None else m.reshape(w, (size, *middle, *w.shape[1:])) for w in (weight, bias))
        y = y if weight is None else y * weight
        return y if bias is None else y + bias

    def lower(self, x, weight, bias):
        """In the terms of `gradients`, so that what both compute is computed once."""
        shape, dims, w_shape = self.layout(tuple(x.shape))
        z = m.reshape(x, shape)
        centered = z - m.mean(z, dims, keepdim=True)
        y = centered * m.rsqrt(m.mean(centered * centered, dims, keepdim=True) + self.eps)
        y = y if weight is None else y * m.reshape(weight, w_shape)
        return m.reshape(y if bias is None else y + m.reshape(bias, w_shape), tuple(x.shape))

    def emit(self, k, x, weight, bias):
        n = k.cast(k.size(), x.dtype)
        d = x - k.sum(x) / n
        y = d * k.rsqrt(k.sum(d * d) / n + self.eps)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias


def _own(batched, values):
    """Whether the examples of a vmap have weights of their own."""
    return any(own for own, w in zip(batched[1:], values[1:]) if w is not None)


def _more_examples(op, values):
    """vmap where all examples share the weights: one call over all of them."""
    x, *weights = values
    size, n = x.shape[:2]
    y = op(m.reshape(x, (size * n, *x.shape[2:])), *[None if w is None else m.select(w, 0, 0) for w in weights])
    return m.reshape(y, tuple(x.shape))


def _more_channels(op, values):
    """vmap where each example has weights of its own: their channels beside each other."""
    x, *weights = values
    size, n, c = x.shape[:3]
    x = m.reshape(m.movedim(x, 0, 1), (n, size * c, *x.shape[3:]))
    return op(x, *[None if w is None else m.reshape(w, (size * c,)) for w in weights])


def _examples_first(y, size):
    """(n, size * c, ...) as (size, n, c, ...)."""
    return m.movedim(m.reshape(y, (y.shape[0], size, -1, *y.shape[2:])), 1, 0)


class NativeGroupNorm(_Normalize):
    """Over `groups` of neighbouring channels and all that follows, of each example."""

    groups: int
    constant = (3,)
    samples = [S((2, 4, 3), (4,), (4,), params=(0.1, 2)), S((2, 6, 2, 2), None, (6,), params=(0.1, 3)),
               S((3, 4), (4,), None, params=(0.1, 1))]

    def layout(self, shape):
        n, c = shape[:2]
        return ((n, self.groups, c // self.groups, prod(shape[2:])), (2, 3), (1, self.groups, c // self.groups, 1))

    def forward(self, x, weight, bias):
        return self.normalized(x, weight, bias)[0]

    def lower(self, x, weight, bias):
        return m.reshape(self.in_steps(x, weight, bias)[0], tuple(x.shape))

    def vjp(self, g, x, weight, needs):
        return self.back(g, x, weight, needs)

    def batch(self, size, dims, values):
        if not _own(dims, values):
            return _more_examples(self, values)
        return _examples_first(_more_channels(NativeGroupNorm(self.eps, size * self.groups), values), size)


class NativeBatchNorm(_Normalize):
    """Over the batch and all that follows the channels; also gives mean and variance of each channel."""

    outputs = "many"
    constant = (0, 2)
    samples = [S((5, 2), (2,), (2,), params=(0.1,)), S((3, 2, 4), (2,), None, params=(0.1,)),
               S((2, 3, 2, 2), None, None, params=(0.1,)), S((4, 2, 10), (2,), (2,), params=(0.1,))]

    def layout(self, shape):
        n, c = shape[:2]
        return (n, c, prod(shape[2:])), (0, 2), (1, c, 1)

    def forward(self, x, weight, bias):
        y, mean, var = self.normalized(x, weight, bias)
        return y, mean.reshape(-1), var.reshape(-1)

    def lower(self, x, weight, bias):
        y, mean, var = self.in_steps(x, weight, bias)
        channels = (x.shape[1],)
        return m.reshape(y, tuple(x.shape)), m.reshape(mean, channels), m.reshape(var, channels)

    def vjp(self, g, x, weight, needs):
        g_y, g_mean, g_var = g
        g_x, g_weight, g_bias = (None,) * 3 if g_y is None else self.back(g_y, x, weight, needs)
        if needs[0]:
            for extra in (self.of_mean(g_mean, x), self.of_var(g_var, x)):  # where somebody uses them
                g_x = extra if g_x is None else g_x if extra is None else g_x + extra
        return g_x, g_weight, g_bias

    def of_mean(self, g, x):
        if g is not None:
            shape, _, w_shape = self.layout(tuple(x.shape))
            g = m.reshape(g / (shape[0] * shape[2]), w_shape)
            return m.reshape(m.expand_to(g, shape), tuple(x.shape))

    def of_var(self, g, x):
        if g is not None:
            shape, dims, w_shape = self.layout(tuple(x.shape))
            z = m.reshape(x, shape)
            z = (z - m.mean(z, dims, keepdim=True)) * m.reshape(g, w_shape) * (2 / (shape[0] * shape[2]))
            return m.reshape(z, tuple(x.shape))

    def batch(self, size, dims, values):
        y, *moments = _more_channels(self, values)
        return (_examples_first(y, size), *[m.reshape(v, (size, -1)) for v in moments])


NativeBatchNorm.Node.materialize_grads = False


class BatchNormRunning(Op):
    """With mean and variance given for each channel: batch normalisation in evaluation."""

    eps: float
    grad_name = "NativeBatchNormBackward0"
    samples = [S((5, 2), (2,), (2,), (2,), np.array([0.5, 2.0]), params=(0.1,)),
               S((3, 2, 4), None, None, (2,), np.array([0.5, 2.0]), params=(0.1,))]

    def forward(self, x, weight, bias, mean, var):
        scale = 1 / np.sqrt(var + var.dtype.type(self.eps))
        if weight is not None:
            scale = scale * weight
        shift = -mean * scale if bias is None else bias - mean * scale
        along = (1, -1, *(1,) * (x.ndim - 2))
        y = x * scale.reshape(along)
        y += shift.reshape(along)
        return y

    def vjp(self, g, x, weight, mean, var, needs):
        along, dims = (1, -1, *(1,) * (len(x.shape) - 2)), (0, *range(2, len(x.shape)))
        rstd = m.rsqrt(var + self.eps)
        scale = rstd if weight is None else rstd * weight
        needs = needs + (False,) * (5 - len(needs))
        g_x = g * m.reshape(scale, along) if needs[0] else None
        g_sum = m.sum(g, dims) if needs[2] or needs[3] else None
        gx_sum = m.sum(g * (x - m.reshape(mean, along)), dims) if needs[1] or needs[4] else None
        return (g_x, gx_sum * rstd if needs[1] else None, g_sum if needs[2] else None,
                -g_sum * scale if needs[3] else None, gx_sum * scale * rstd * rstd * -0.5 if needs[4] else None)

    def batch(self, size, dims, values):
        if not _own(dims, values):
            return _more_examples(self, values)
        return _examples_first(_more_channels(self, values), size)


# ---- the public functions --------------------------------------------------------------------
def _check_dtypes(x, params, kernel):
    d = dtype_of(x)
    if d.kind not in "fV":
        raise not_implemented(kernel, x)
    for p in params:
        if p is not None and dtype_of(p) != d and not (d.itemsize == 2 and dtype_of(p) == _F32):
            raise error("dtypes-differ", RuntimeError("mixed dtype (CPU): " + (
                "all inputs must share same datatype." if dtype_of(p) == _F32 else
                "expect parameter to have scalar type of Float")), dtype=d, other_dtype=dtype_of(p),
                        why="the input has dtype {dtype}, a weight or running statistic {other_dtype}.",
                        fix="convert one of them: x.float() for the data, layer.double() for the layer.")


@public("nn.functional")
def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel (Ioffe and Szegedy 2015).

    In training, mean and variance are those of the batch, and the running ones, if given, move towards
    them: running = (1 - momentum) * running + momentum * batch.

    Shape: input (N, C, *), the others (C,) -> (N, C, *).

    >>> kobai.nn.functional.batch_norm(kobai.tensor([[1.], [3.]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    shape = tuple(input.shape)
    if training and shape[0] * prod(shape[2:]) == 1 and len(shape) > 1:
        raise error("norm-one-value", have=str(input.shape))
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps):
    channels = input.shape[1] if len(input.shape) > 1 else 0
    if not channels and len(input.shape) == 1 and not input.shape[0]:
        return m.clone(input)
    if not training:
        for name, v in (("running_mean", running_mean), ("running_var", running_var)):
            if v is None:
                raise error("argument-missing", RuntimeError(f"{name} must be defined in evaluation mode"), what=name,
                            why="in evaluation, batch_norm() takes mean and variance from before, and {what} is None.",
                            fix="give running_mean and running_var (nn.BatchNorm1d keeps them), or training=True.")
    for name, v in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if v is not None and tuple(v.shape) != (channels,):
            raise error("norm-channels", what=name, a=channels, b=prod(v.shape), grown=input, size=channels)
    _check_dtypes(input, (weight, bias, running_mean, running_var), "batch_norm")
    if not training:
        if modes.grad:  # later training steps change the running statistics, not those of this call
            running_mean, running_var = m.clone(running_mean), m.clone(running_var)
        return BatchNormRunning(eps)(input, weight, bias, running_mean, running_var)
    y, mean, var = NativeBatchNorm(eps)(input, weight, bias)
    if running_mean is not None:
        _remember(running_mean, mean, momentum)
    if running_var is not None:
        n = input.shape[0] * prod(input.shape[2:])
        _remember(running_var, var, momentum, n / max(n - 1, 1))
    return y


def _remember(running, new, momentum, correction=1.0):
    """running = (1 - momentum) * running + momentum * correction * new, in place."""
    if modes.trace is None and not isinstance(running, LiftedTensor) and not isinstance(new, LiftedTensor) \
            and not running.is_meta:
        a = running._array()
        a *= a.dtype.type(1 - momentum)
        a += new._data * a.dtype.type(momentum * correction)
        return
    running.mul_(1 - momentum).add_(new.detach(), alpha=momentum * correction)


@public("nn.functional")
def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """As `batch_norm`, with mean and variance of each channel of each example (Ulyanov et al. 2016).

    Shape: input (N, C, *), the others (C,) -> (N, C, *).
    """
    shape = tuple(input.shape)
    if use_input_stats and prod(shape[2:]) == 1:
        raise error("tensor-shape", ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"), shape=input.shape,
            why="input has shape {shape}: each channel of a sample holds one element, which has no variance.",
            fix="give larger images, or use a layer norm or batch norm here.")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise error("argument-missing", RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"),
            why="use_input_stats=False asks for mean and variance from before, and running_mean or running_var is "
                "None.", fix="give both, or leave out use_input_stats=False.")
    n, c = shape[:2]

    def repeated(v):
        return v if v is None else m.repeat(v, n)
    means, variances = repeated(running_mean), repeated(running_var)
    y = _batch_norm(m.view(m.contiguous(input), (1, n * c, *shape[2:])), means, variances, repeated(weight),
                    repeated(bias), use_input_stats, momentum, eps)
    for old, new in ((running_mean, means), (running_var, variances)):
        if old is not None and use_input_stats:
            _set(old, m.mean(m.reshape(new, (n, c)), 0))
    return m.view(y, shape)


def _set(running, new):
    if modes.trace is not None or isinstance(running, LiftedTensor) or isinstance(new, LiftedTensor) or running.is_meta:
        running.copy_(new.detach())
    else:
        running._array()[...] = new._data


_LAST = {n: tuple(range(-n, 0)) for n in range(1, 9)}


@public("nn.functional torch")
@by_form
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions (Ba et al. 2016).

    Shape: input (*, *normalized_shape), weight and bias normalized_shape -> as input.

    >>> kobai.nn.functional.layer_norm(kobai.tensor([1., 3.]), (2,))
    tensor([-1.0000,  1.0000])
    """
    try:
        if weight is None and bias is None and isinstance(normalized_shape, tuple):
            x, n = input._data, len(normalized_shape)
            if x.dtype is _F32 and n and x.shape[x.ndim - n:] == normalized_shape:
                return apply_any(NativeLayerNorm(eps, _LAST[n]), (input, None, None))
        x, w, b = input._data, weight._data, bias._data
        if x.dtype is _F32 and w.dtype is _F32 and b.dtype is _F32 \
                and w.shape == b.shape == normalized_shape == x.shape[x.ndim - w.ndim:] and w.ndim:
            return apply3(NativeLayerNorm(eps, _LAST[w.ndim]), input, weight, bias)  # nothing to complain about
    except (AttributeError, LookupError):
        pass
    size = _normalized(input, normalized_shape, weight, bias, "layer_norm", "*, ")
    _check_dtypes(input, (weight, bias), "LayerNormKernelImpl")
    return NativeLayerNorm(eps, tuple(range(-len(size), 0)))(input, weight, bias)


def _normalized(input, normalized_shape, weight, bias, fn, star):
    """The shape that is normalised over, checked."""
    if not isinstance(normalized_shape, (tuple, list)):
        raise error("argument-type", TypeError(
            f"{fn}(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}"), what="normalized_shape", kind=type(normalized_shape),
            must="a tuple of whole numbers", fix="give the last sizes of the input as a tuple: (10,), or x.shape[-1:].")
    size = tuple(normalized_shape)
    if not size:
        raise error("argument-count", RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"), what="normalized_shape", count=0, need="at least {n}", n=1,
            fix="give the last sizes of the input as a tuple: (10,), or x.shape[-1:].")
    for name, v in (("weight", weight), ("bias", bias)):
        if v is not None and tuple(v.shape) != size:
            raise error("tensor-shape", RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(v.shape)} and "
                f"normalized_shape = {list(size)}"), what=name, shape=v.shape, want=size)
    shape = tuple(input.shape)
    if len(shape) < len(size) or shape[len(shape) - len(size):] != size:
        raise error("layer-norm-shape", normal=str(list(size)), wanted=f"{star}{', '.join(map(str, size))}",
                    have=str(list(shape)), grown=input, size=shape[-1] if shape else 0)
    return size


@public("nn.functional torch")
@by_form
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean(x^2) + eps) * weight over the last dimensions (Zhang and Sennrich 2019).

    `eps` is the smallest step above 1 of the dtype, if not given.
    """
    size = _normalized(input, normalized_shape, weight, None, "rms_norm", "*")
    kind = dtype_of(input)
    if kind.kind not in "fV":
        raise not_implemented("rms_norm", input)
    eps = float(np.finfo(np.float64 if kind == np.float64 else np.float32).eps) if eps is None else eps
    x = m.cast(input, _F32) if kind.itemsize == 2 else input
    mean = m.mean(m.pow(x, 2), tuple(range(-len(size), 0)), keepdim=True)
    y = x * m.rsqrt(mean + eps)
    return m.cast(y if weight is None else y * weight, kind)


@public("nn.functional torch")
@by_form
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """(x - mean) / sqrt(var + eps) * weight + bias over groups of channels (Wu and He 2018).

    Shape: input (N, C, *), weight and bias (C,) -> (N, C, *).
    """
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise error("tensor-dims", RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"), what="input", shape=shape,
            need="at least {n}", n=2,
            fix="the input is (batch, channels, ...); x.unsqueeze(0) adds a dimension in front.")
    if num_groups == 0:
        raise error("argument-value", ZeroDivisionError("integer division or modulo by zero"), what="num_groups",
                    value=num_groups, must="a positive whole number")
    if shape[0] * (shape[1] // num_groups) * prod(shape[2:]) == 1:
        raise error("tensor-shape", ValueError(
            f"Expected more than 1 value per channel when training, got input size {list(shape)}"), shape=shape,
            groups=num_groups,
            why="the input has shape {shape}: with {groups} groups, each holds one element, which has no variance.",
            fix="use fewer groups, or more channels.")
    if shape[1] % num_groups:
        raise error("size-divisible", RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(shape)} "
            f"and num_groups={num_groups}"), what="input.size(1)", value=shape[1], by=num_groups,
            fix="choose a number of groups that divides {value}, the number of channels.")
    for name, v in (("weight", weight), ("bias", bias)):
        if v is not None and tuple(v.shape) != shape[1:2]:
            raise error("tensor-shape", RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(v.shape)} and input of shape {list(shape)}"), what=name, shape=v.shape, want=shape[1:2])
    _check_dtypes(input, (weight, bias), "GroupNormKernelImpl")
    return NativeGroupNorm(eps, int(num_groups))(input, weight, bias)


@public("nn.functional")
def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha / size * the sum of x^2 over `size` neighbouring channels)^beta (Krizhevsky et al. 2012).

    Shape: (N, C, *) -> (N, C, *).
    """
    shape = tuple(input.shape)
    if len(shape) < 3:
        raise error("tensor-dims", ValueError(
            f"Expected 3D or higher dimensionality                          input (got {len(shape)} dimensions)"),
            what="input", shape=shape, need="at least {n}", n=3,
            fix="the input is (batch, channels, ...); x.unsqueeze(0) adds a dimension in front.")
    if 0 in shape:
        return input
    square = m.unsqueeze(input * input, 1)
    before, after = size // 2, (size - 1) // 2
    if len(shape) == 3:
        mean = m.squeeze(m.avg_pool2d(m.pad(square, (0, 0, before, after)), (size, 1), 1), 1)
    else:
        square = m.view(square, (shape[0], 1, shape[1], shape[2], -1))
        mean = m.squeeze(m.avg_pool3d(m.pad(square, (0, 0, 0, 0, before, after)), (size, 1, 1), 1), 1)
        mean = m.view(mean, shape)
    return input / m.pow(mean * alpha + k, beta)
