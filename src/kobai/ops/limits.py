"""The larger and the smaller of two, and clamping."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..diagnose.errors import error
from ..op import Elementwise, dtype_of, m
from ..public import by_form, public
from ..takes import Not
from ..testing.samples import binary, unary
from .arguments import wrapped
from .rounding import TRIPLES


class Maximum(Elementwise):
    """The larger of each pair; NaN if either is. At a tie each gets half the gradient.

    >>> kobai.maximum(kobai.tensor([1, 5]), kobai.tensor([3, 2]))
    tensor([3, 5])
    """

    takes = Not(c="maximum not implemented for complex tensors.")
    ufunc = np.maximum
    inplace = False
    samples = binary(-1, 1)

    def vjp_a(self, g, a, b):
        return _share(g, m.lt(a, b), m.eq(a, b))

    def vjp_b(self, g, a, b):
        return _share(g, m.gt(a, b), m.eq(a, b))

    def emit(self, k, a, b):
        return k.maximum(a, b)


class Minimum(Elementwise):
    """The smaller of each pair; NaN if either is. At a tie each gets half the gradient.

    >>> kobai.minimum(kobai.tensor([1, 5]), kobai.tensor([3, 2]))
    tensor([1, 2])
    """

    takes = Not(c="minimum not implemented for complex tensors.")
    ufunc = np.minimum
    inplace = False
    samples = binary(-1, 1)

    def vjp_a(self, g, a, b):
        return _share(g, m.gt(a, b), m.eq(a, b))

    def vjp_b(self, g, a, b):
        return _share(g, m.lt(a, b), m.eq(a, b))

    def emit(self, k, a, b):
        return k.minimum(a, b)


def _share(g, lost, tie):
    """All of the gradient, none where the other is chosen, half at a tie; with a NaN, all for both."""
    return m.where(lost, m.zeros_like(g), m.where(tie, g / 2, g))


class Fmax(Elementwise):
    """The larger of each pair; a number wins over NaN."""

    takes = Not(c="fmax not implemented for complex tensors.")
    ufunc = np.fmax
    inplace = False
    samples = binary(-1, 1)

    def vjp_a(self, g, a, b):
        return m.where(m.logical_or(m.ge(a, b), m.isnan(b)), g, m.zeros_like(g))

    def vjp_b(self, g, a, b):
        return m.where(m.logical_or(m.ge(a, b), m.isnan(b)), m.zeros_like(g), g)

    def emit(self, k, a, b):
        return k.where(k.isnan(a), b, k.where(k.isnan(b), a, k.maximum(a, b)))


class Fmin(Elementwise):
    """The smaller of each pair; a number wins over NaN."""

    takes = Not(c="fmin not implemented for complex tensors.")
    ufunc = np.fmin
    inplace = False
    samples = binary(-1, 1)

    def vjp_a(self, g, a, b):
        return m.where(m.logical_or(m.le(a, b), m.isnan(b)), g, m.zeros_like(g))

    def vjp_b(self, g, a, b):
        return m.where(m.logical_or(m.le(a, b), m.isnan(b)), m.zeros_like(g), g)

    def emit(self, k, a, b):
        return k.where(k.isnan(a), b, k.where(k.isnan(b), a, k.minimum(a, b)))


class Clamp(Elementwise):
    """x kept between two numbers; either may be None. At a bound the gradient passes."""

    low: float
    high: float
    grad_name = "ClampBackward1"
    samples = unary(-1, 1, params=(-0.5, 0.5)) + unary(-1, 1, params=(None, 0.3))

    def forward(self, x):
        try:
            if self.low is not None:
                x = np.maximum(x, x.dtype.type(self.low))
            return x if self.high is None else np.minimum(x, x.dtype.type(self.high))
        except OverflowError:
            x = x if self.low is None else np.maximum(x, wrapped(x.dtype, self.low))
            return x if self.high is None else np.minimum(x, wrapped(x.dtype, self.high))

    def vjp_x(self, g, x):
        if self.low is None:
            inside = m.le(x, self.high)
        elif self.high is None:
            inside = m.ge(x, self.low)
        else:
            inside = m.logical_and(m.ge(x, self.low), m.le(x, self.high))
        return m.where(inside, g, m.zeros_like(g))

    def emit(self, k, x):
        return k.clamp(x, self.low, self.high)


class ClampTensors(Elementwise):
    """x kept between the elements of two tensors."""

    grad_name = "ClampBackward0"
    public = ""
    samples = TRIPLES

    def forward(self, x, low, high):
        return np.minimum(np.maximum(x, low), high)

    def vjp_x(self, g, x, low, high):
        return m.where(m.logical_and(m.ge(x, low), m.le(x, high)), g, m.zeros_like(g))

    def vjp_low(self, g, x, low, high):
        return m.where(m.logical_and(m.lt(x, low), m.lt(low, high)), g, m.zeros_like(g))

    def vjp_high(self, g, x, low, high):
        return m.where(m.logical_or(m.gt(x, high), m.lt(high, low)), g, m.zeros_like(g))

    def emit(self, k, x, low, high):
        return k.minimum(k.maximum(x, low), high)


class ClampMin(Elementwise):
    """max(a, b) with the gradient at a tie to a."""

    public = ""
    samples = binary(-1, 1)

    def forward(self, a, b):
        return np.maximum(a, b)

    def vjp_a(self, g, a, b):
        return m.where(m.ge(a, b), g, m.zeros_like(g))

    def vjp_b(self, g, a, b):
        return m.where(m.lt(a, b), g, m.zeros_like(g))

    def emit(self, k, a, b):
        return k.maximum(a, b)


class ClampMax(Elementwise):
    """min(a, b) with the gradient at a tie to a."""

    public = ""
    samples = binary(-1, 1)

    def forward(self, a, b):
        return np.minimum(a, b)

    def vjp_a(self, g, a, b):
        return m.where(m.le(a, b), g, m.zeros_like(g))

    def vjp_b(self, g, a, b):
        return m.where(m.gt(a, b), g, m.zeros_like(g))

    def emit(self, k, a, b):
        return k.minimum(a, b)


@public("torch Tensor", inplace=True, alias=("clip",))
@by_form
def clamp(input, min=None, max=None):
    """The input kept between `min` and `max`: numbers, tensors, or None for no bound.

    >>> kobai.tensor([-1., 0.5, 2.]).clamp(0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise error("clamp-bounds")
    if dtype_of(input).kind == "c":
        raise error("tensor-dtype", NotImplementedError("clamp is not supported for complex types"), what="input",
                    dtype=dtype_of(input), fn="clamp()", must="numbers that are not complex",
                    fix="complex numbers have no order; clamp their parts: torch.complex(x.real.clamp(...), "
                        "x.imag.clamp(...)).")
    if hasattr(min, "shape") or hasattr(max, "shape"):
        if max is None:
            return ClampMin()(input, min)
        return ClampMax()(input, max) if min is None else ClampTensors()(input, min, max)
    if dtype_of(input).kind in "iub":
        bounds = [b for b in (min, max) if b is not None]
        if any(isinstance(b, float) for b in bounds):
            input = m.cast(input, dtypes.get_default_dtype())
        elif dtype_of(input).kind == "b":
            input = m.cast(input, np.dtype(np.int64))
    return Clamp(min, max)(input)


@public("torch Tensor", inplace=True)
def clamp_min(input, min):
    """The input, at least `min`."""
    return clamp(input, min)


@public("torch Tensor", inplace=True)
def clamp_max(input, max):
    """The input, at most `max`."""
    return clamp(input, None, max)
