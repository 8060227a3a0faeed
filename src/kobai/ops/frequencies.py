"""The frequencies of a transform's points, and zero frequency moved to the middle and back."""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..op import m
from ..public import export, public
from .arguments import as_dtype, check_options
from .creation import made
from .movement import normal_dim


def _frequencies(name, points):
    def create(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
        check_options(device, layout)
        kind = as_dtype(dtype, out.dtype if out is not None else dtypes.get_default_dtype(), name)
        if kind.category < dtypes.FLOAT:
            raise error("argument-value", RuntimeError(f"{name} requires a floating point or complex dtype"),
                        what="dtype", value=kind, must="a floating point or complex dtype")
        return made((points(n) / (n * d)).astype(kind.np) if n else np.empty(0, kind.np), requires_grad, out)
    create.__name__ = create.__qualname__ = name
    return create


fftfreq = _frequencies("fftfreq", lambda n: np.fft.ifftshift(np.arange(n) - n // 2).astype(np.float64))
fftfreq.__doc__ = """The frequencies of the n points of `fft`, in cycles per unit, of samples `d` units apart.

>>> kobai.fft.fftfreq(5)
tensor([ 0.0000,  0.2000,  0.4000, -0.4000, -0.2000])
"""
rfftfreq = _frequencies("rfftfreq", lambda n: np.arange(n // 2 + 1, dtype=np.float64))
rfftfreq.__doc__ = """The frequencies of the points of `rfft` of n samples that are `d` units apart.

>>> kobai.fft.rfftfreq(5)
tensor([0.0000, 0.2000, 0.4000])
"""
for _fn in (fftfreq, rfftfreq):
    export("fft", _fn.__name__, _fn)


@public("fft")
def fftshift(input, dim=None):
    """The second half of each of the dimensions before the first: zero frequency in the middle.

    >>> kobai.fft.fftshift(kobai.arange(5))
    tensor([3, 4, 0, 1, 2])
    """
    return _shifted(input, dim, lambda n: n // 2)


@public("fft")
def ifftshift(input, dim=None):
    """The inverse of `fftshift`: zero frequency in front."""
    return _shifted(input, dim, lambda n: (n + 1) // 2)


def _shifted(x, dim, by):
    dims = range(len(x.shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    dims = [normal_dim(d, len(x.shape)) for d in dims]
    return m.roll(x, [by(x.shape[d]) for d in dims], dims) if dims else x
