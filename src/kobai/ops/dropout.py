"""Dropout in its variants: random zeros, with the random numbers that PyTorch would take."""
from __future__ import annotations

import math
import warnings

import numpy as np

from .. import random as sampler
from ..diagnose import error
from ..dtypes import type_word
from ..inplace import inplace as _inplace
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S


class DropoutNoise(Op):
    """1 with probability 1 - p, else 0, for each element of x, or for each (example, channel).

    An op of x, though it looks only at the shape: so whoever records the program draws anew each time.
    `order`: the dimensions as x lies in memory, where that is known; else they are looked up.
    """

    p: float
    features: bool = False
    order: tuple | None = None
    random = True
    samples = [S((2, 3), params=(0.0,), smooth=False), S((2, 3, 4), params=(0.0, True), smooth=False)]

    def forward(self, x):
        shape = (*x.shape[:2], *(1,) * (x.ndim - 2)) if self.features else x.shape
        if self.p == 1:
            return np.zeros(shape, x.dtype)
        order = () if self.features else _order(x) if self.order is None else self.order
        if not order:
            return sampler.bernoulli(shape, x.dtype, 1 - self.p)
        noise = sampler.bernoulli(tuple([shape[d] for d in order]), x.dtype, 1 - self.p)
        return noise.transpose(np.argsort(order))


def _order(x):
    """The dimensions of an array as they lie in memory, in which PyTorch goes through it; () in row-major order."""
    if x.ndim < 2 or x.flags.c_contiguous:
        return ()
    return tuple(sorted(range(x.ndim), key=lambda d: -abs(x.strides[d])))


_ALPHA = 1.7580993408473766  # scale * alpha of selu: what alpha dropout puts in the place of zeros


def _dropped(x, p, train, features=False, alpha=False):
    if p < 0 or p > 1:
        raise error("dropout-p", p=p)
    if not train or p == 0 or 0 in x.shape:
        return x
    if features and len(x.shape) < 2:
        raise error("tensor-dims", RuntimeError("Feature dropout requires at least 2 dimensions in the input"),
                    what="input", shape=x.shape, need="at least {n}", n=2,
                    fix="the input is (batch, channels, ...), and whole channels become 0; F.dropout takes any shape.")
    if dtype_of(x).kind not in "fcV":
        raise error("tensor-dtype", RuntimeError(
            f"result type Float can't be cast to the desired output type {type_word(x)}"),
            what="input", dtype=dtype_of(x), fn="dropout()", must="floating point or complex numbers",
            fix="convert it first: {what}.float().")
    data = getattr(x, "_data", None)  # what a compiler makes of x may lie otherwise
    noise = DropoutNoise(float(p), features, _order(data) if data.__class__ is np.ndarray else None)(x)
    if p == 1:
        return x * noise
    if not alpha:
        return x * (noise / (1 - p))
    a = 1 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    return x * (noise * a) + ((noise - 1) * (_ALPHA * a) + _ALPHA * a * p)


def _make(name, where, features=False, alpha=False, default=True):
    """nn.functional.<name>(input, p, training, inplace), and torch.<name>(input, p, train)."""
    def functional(input, p=0.5, training=default, inplace=False):
        return _inplace(_dropped, input, p, training, features, alpha) if inplace else _dropped(
            input, p, training, features, alpha)

    def plain(input, p, train):
        return _dropped(input, p, train, features, alpha)
    functional.__doc__ = _DOC[features, alpha]
    plain.__doc__ = _DOC[features, alpha]
    if "nn.functional" in where:
        public("nn.functional", name=name)(functional)
    public("torch", name=name if name in _TORCH else "feature_dropout", inplace=True)(plain)


_DOC = {(False, False): "x with each element zero with probability p, the others divided by 1 - p.",
        (True, False): "x with whole channels zero with probability p, the others divided by 1 - p.",
        (False, True): "Dropout that keeps mean and variance of what selu gives (Klambauer et al. 2017).",
        (True, True): "Dropout of whole channels that keeps mean and variance of what selu gives."}
_TORCH = {"dropout", "alpha_dropout", "feature_alpha_dropout"}

_make("dropout", "nn.functional")
_make("alpha_dropout", "nn.functional", alpha=True, default=False)
_make("feature_alpha_dropout", "nn.functional", features=True, alpha=True, default=False)
_make("feature_dropout", "", features=True)


def _warn(name, n, ndim):
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {n} spatial dimensions, a channel dimension, "
        f"and an optional batch dimension (i.e. {n + 1}D or {n + 2}D inputs).", stacklevel=4)


@public("nn.functional")
def dropout1d(input, p=0.5, training=True, inplace=False):
    """x with whole channels zero with probability p; (N, C, L) or (C, L)."""
    ndim = len(input.shape)
    if p < 0 or p > 1:
        _dropped(input, p, training)
    if ndim not in (2, 3):
        raise error("tensor-dims", RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."), what="input", shape=input.shape, need="{n} or {m}", n=2, m=3,
            fix="the input is (batch, channels, length) or (channels, length); F.dropout takes any shape.")
    return _of_channels(input, p, training, inplace, ndim == 2)


@public("nn.functional")
def dropout2d(input, p=0.5, training=True, inplace=False):
    """x with whole channels zero with probability p; (N, C, H, W)."""
    ndim = len(input.shape)
    if 0 <= p <= 1 and ndim not in (3, 4):
        _warn("dropout2d", 2, ndim)
    if 0 <= p <= 1 and ndim == 3:
        warnings.warn("dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior "
                      "is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior "
                      "will change in a future release to interpret the input as one without a batch dimension, i.e. "
                      "shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using "
                      "dropout1d instead.", stacklevel=3)
    return _of_channels(input, p, training, inplace, False)


@public("nn.functional")
def dropout3d(input, p=0.5, training=True, inplace=False):
    """x with whole channels zero with probability p; (N, C, D, H, W) or (C, D, H, W)."""
    ndim = len(input.shape)
    if 0 <= p <= 1 and ndim not in (4, 5):
        _warn("dropout3d", 3, ndim)
    return _of_channels(input, p, training, inplace, ndim != 5)


def _of_channels(x, p, training, inplace, unbatched):
    def drop(x):
        if not unbatched:
            return _dropped(x, p, training, True)
        return m.squeeze(_dropped(m.unsqueeze(x, 0), p, training, True), 0)
    return _inplace(drop, x) if inplace else drop(x)


@public("torch")
def native_dropout(input, p, train):
    """(x with random zeros, where it was kept)."""
    if train is False or p == 0:
        return input, m.logical_not(m.zeros_like(m.cast(input, np.dtype(np.bool_))))
    noise = DropoutNoise(float(p))(input)
    return input * (noise / (1 - p)), m.cast(noise, np.dtype(np.bool_))


