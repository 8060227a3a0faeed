"""Discrete Fourier transforms: three linear ops, of complex, real and Hermitian input, and torch.fft made of them.

Each op is the others' transpose. `norm` says who divides by the number of points n: "backward" the
inverse transform, "forward" the forward one, "ortho" each by the root of n.
"""
from __future__ import annotations

import numpy as np

from .. import dtypes
from ..diagnose import error
from ..op import Op, dtype_of, m
from ..public import public
from ..testing.samples import S
from .movement import PutSlice, Slice, normal_dim

_ADJOINT = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _complex(*shape):
    n = np.arange(1.0, np.prod(shape) + 1)
    return np.cos(n).reshape(shape) + 1j * np.sin(n * n).reshape(shape)


class FftC2C(Op):
    """The transform of complex numbers over `dims`, or its inverse."""

    dims: tuple
    norm: str = "backward"
    inverse: bool = False
    linear = True
    samples = [S(_complex(3, 4), params=((1,), "backward")), S(_complex(3, 4), params=((0, 1), "ortho", True)),
               S(_complex(1), params=((0,), "forward"))]

    def forward(self, x):
        return (np.fft.ifftn if self.inverse else np.fft.fftn)(x, axes=self.dims, norm=self.norm)

    def vjp_x(self, g):
        return FftC2C(self.dims, _ADJOINT[self.norm], not self.inverse)(g)

    def batch(self, size, dims, values):
        return FftC2C(_later(self.dims), self.norm, self.inverse)(*values)


class FftR2C(Op):
    """The transform of real numbers over `dims`; `onesided`: of the last of them the first n // 2 + 1 points."""

    dims: tuple
    norm: str = "backward"
    onesided: bool = True
    linear = True
    samples = [S((3, 4), params=((1,), "backward")), S((5, 2), params=((1, 0), "ortho")),
               S((1,), params=((0,), "forward")), S((3, 4), params=((1,), "backward", False))]

    def forward(self, x):
        return (np.fft.rfftn if self.onesided else np.fft.fftn)(x, axes=self.dims, norm=self.norm)

    def vjp_x(self, g, x_shape):
        if not self.onesided:
            return m.real(FftC2C(self.dims, _ADJOINT[self.norm], True)(g))
        n = x_shape[self.dims[-1]]
        return FftC2R(self.dims, _ADJOINT[self.norm], n)(g * _weights(g, self.dims[-1], n, 0.5))

    def batch(self, size, dims, values):
        return FftR2C(_later(self.dims), self.norm, self.onesided)(*values)


class FftC2R(Op):
    """The inverse transform of the first half of a Hermitian spectrum: `size` real numbers along the last of `dims`."""

    dims: tuple
    norm: str
    size: int
    linear = True
    samples = [S(_complex(3, 3), params=((1,), "backward", 4)), S(_complex(3, 2), params=((1, 0), "ortho", 5)),
               S(_complex(1), params=((0,), "forward", 1))]

    def forward(self, x):
        sizes = [x.shape[d] for d in self.dims[:-1]]
        return np.fft.irfftn(x, [*sizes, self.size], self.dims, self.norm)

    def vjp_x(self, g):
        y = FftR2C(self.dims, _ADJOINT[self.norm])(g)
        return y * _weights(y, self.dims[-1], self.size, 2.0)

    def batch(self, size, dims, values):
        return FftC2R(_later(self.dims), self.norm, self.size)(*values)


def _later(dims):
    return tuple([d + 1 for d in dims])


def _weights(x, dim, n, middle):
    """`middle` for the points along `dim` that stand for two of all n, 1 for the others; to multiply with x."""
    w = np.full(n // 2 + 1, middle, np.float32 if dtype_of(x).itemsize == 8 else np.float64)
    w[0] = 1
    if n % 2 == 0:
        w[-1] = 1
    return w.reshape([-1 if i == dim else 1 for i in range(len(x.shape))])


# ---- arguments -------------------------------------------------------------------------------
def _floats(x, name, real=False):
    """`x` in a dtype that can be transformed."""
    d = dtype_of(x)
    if d.kind in "bui":
        return m.cast(x, dtypes.get_default_dtype())
    if d.itemsize == 2:
        raise error("tensor-dtype", RuntimeError(f"Unsupported dtype {'Half' if d == np.float16 else 'BFloat16'}"),
                    what="input", dtype=d, fn="torch.fft", must="numbers of 32 or 64 bits",
                    fix="convert it first: {what}.float().")
    if real and d.kind == "c":
        raise error("tensor-dtype", RuntimeError(real.format("ComplexFloat" if d.itemsize == 8 else "ComplexDouble")),
                    what="input", dtype=d, fn=name, must="numbers that are not complex",
                    fix="use the transform without r, such as torch.fft.fft, or give x.real.")
    return x


def _norm(norm):
    if norm not in (None, *_ADJOINT):
        raise error("argument-choice", RuntimeError(f"Invalid normalization mode: \"{norm}\""), what="norm", value=norm,
                    choices=["backward", "ortho", "forward"])
    return norm or "backward"


def _points(n):
    if n < 1:
        raise error("argument-value", RuntimeError(f"Invalid number of data points ({n}) specified"), n=n,
                    why="a transform needs at least one point, and here there are {n}.",
                    fix="give a positive n, or look why the dimension is empty.")
    return n


def _plan(x, s, dim, name, last=None):
    """(dims, sizes): which dimensions of x are transformed, and the size of each after padding."""
    ndim = len(x.shape)
    if dim is not None:
        dims = tuple([normal_dim(int(d), ndim) for d in ((dim,) if isinstance(dim, int) else dim)])
        if dims and not ndim:
            raise _no_dims(x, dims[0])
        if len(set(dims)) < len(dims):
            raise error("argument-value", RuntimeError("FFT dims must be unique"), what="dim", value=dim,
                        must="different dimensions")
    if s is not None:
        s = (s,) if isinstance(s, int) else tuple(s)
        if dim is not None and len(s) != len(dims):
            raise error("lengths-differ", RuntimeError("When given, dim and shape arguments must have the same length"),
                        what="s", count=len(s), other="dim", other_count=len(dims))
        if len(s) > ndim:
            raise error("argument-count", RuntimeError(
                f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions."), what="s", count=len(s),
                need="at most {n}", n=ndim)
    if dim is None:
        dims = tuple(range(ndim - len(s) if s is not None else 0, ndim))
    sizes = [x.shape[d] for d in dims] if s is None else [x.shape[d] if n == -1 else n for d, n in zip(dims, s)]
    if last is not None:
        if not dims:
            raise error("argument-missing", RuntimeError(f"{name} must transform at least one axis"),
                        why="there is no dimension to transform.",
                        fix="give a tensor with dimensions, and name at least one in dim=.")
        if last == "hermitian" and (s is None or s[-1] == -1):
            sizes[-1] = 2 * (x.shape[dims[-1]] - 1)
    return dims, [_points(n) for n in sizes]


def _no_dims(x, dim):
    return error("tensor-dims", IndexError(f"Dimension specified as {dim} but tensor has no dimensions"),
                 what="input", shape=x.shape, need="at least {n}", n=1)


def _one(x, n, dim, name, hermitian=False):
    """As `_plan`, for one dimension."""
    if n is not None and (isinstance(n, (bool, float)) or not hasattr(n, "__index__")):
        raise error("argument-type", TypeError(
            f"fft_{name}(): argument 'n' (position 2) must be int, not {type(n).__name__}"), what="n", kind=type(n),
            must="a whole number")
    if not x.shape:
        raise _no_dims(x, dim)
    d = normal_dim(dim, len(x.shape))
    size = n if n is not None else 2 * (x.shape[d] - 1) if hermitian else x.shape[d]
    return (d,), [_points(int(size))]


def _resized(x, dims, sizes):
    """`x` cut, or filled up with zeros, to `sizes` along `dims`."""
    for d, n in zip(dims, sizes):
        have = x.shape[d]
        if n < have:
            x = Slice(d, 0, n)(x)
        elif n > have:
            x = PutSlice(d, 0, have, 1, (*x.shape[:d], n, *x.shape[d + 1:]))(x)
    return x


# ---- what all functions do -------------------------------------------------------------------
def _c2c(x, plan, norm, inverse):
    x, (dims, sizes), norm = _floats(x, "fft"), plan, _norm(norm)
    x = _resized(x, dims, sizes)
    if not dims:
        return m.to_complex(x)
    if dtype_of(x).kind == "c":
        return FftC2C(dims, norm, inverse)(x)
    if len(dims) > 1:
        return FftC2C(dims, norm, inverse)(m.to_complex(x))
    return m.conj(FftR2C(dims, _ADJOINT[norm], False)(x)) if inverse else FftR2C(dims, norm, False)(x)


def _to_complex(x):
    d = dtype_of(x)
    return x if d.kind == "c" else m.cast(x, np.dtype(np.complex64 if d.itemsize == 4 else np.complex128))


m.to_complex = _to_complex


def _r2c(x, plan, norm, message, inverse=False):
    x, (dims, sizes), norm = _floats(x, "rfft", message), plan, _norm(norm)
    x = _resized(x, dims, sizes)
    if not inverse:
        return FftR2C(dims, norm)(x)
    y = m.conj(FftR2C(dims[-1:], _ADJOINT[norm])(x))
    return FftC2C(dims[:-1], norm, True)(y) if len(dims) > 1 else y


def _c2r(x, plan, norm, inverse=True):
    """irfftn; without `inverse`, hfftn."""
    x, (dims, sizes), norm = m.to_complex(_floats(x, "irfft")), plan, _norm(norm)
    size = sizes[-1]
    x = _resized(x, dims, [*sizes[:-1], size // 2 + 1])
    return FftC2R(dims, norm, size)(x) if inverse else FftC2R(dims, _ADJOINT[norm], size)(m.conj(x))


_REAL = "{}fft expects a real input tensor, but got {{}}"
_REAL_N = "rfftn expects a real-valued input tensor, but got {}"
_REAL_H = "Only supports floating-point dtypes, but found: {}"


# ---- torch.fft -------------------------------------------------------------------------------
@public("fft")
def fft(input, n=None, dim=-1, norm=None):
    """The Fourier transform over one dimension: y[k] = sum over j of x[j] exp(-2 pi i j k / n).

    Args:
        n: x is cut or filled up with zeros to this size first.
        norm: "backward" (nothing is divided), "ortho" (by the root of n), "forward" (by n).

    >>> kobai.fft.fft(kobai.tensor([1.0, 2.0, 3.0, 4.0])).abs()
    tensor([10.0000,  2.8284,  2.0000,  2.8284])
    """
    return _c2c(input, _one(input, n, dim, "fft"), norm, False)


@public("fft")
def ifft(input, n=None, dim=-1, norm=None):
    """The inverse of `fft`: divides by n unless `norm` says otherwise."""
    return _c2c(input, _one(input, n, dim, "ifft"), norm, True)


@public("fft")
def rfft(input, n=None, dim=-1, norm=None):
    """The first n // 2 + 1 points of the transform of real numbers; the others are their conjugates."""
    return _r2c(input, _one(input, n, dim, "rfft"), norm, _REAL.format("r"))


@public("fft")
def irfft(input, n=None, dim=-1, norm=None):
    """The inverse of `rfft`: n real numbers (2 * (points - 1) by default).

    >>> kobai.fft.irfft(kobai.tensor([4. + 0j, 0j, 0j]))
    tensor([1., 1., 1., 1.])
    """
    return _c2r(input, _one(input, n, dim, "irfft", True), norm)


@public("fft")
def hfft(input, n=None, dim=-1, norm=None):
    """The transform of a Hermitian signal, of which `input` is the first half: n real numbers."""
    return _c2r(input, _one(input, n, dim, "hfft", True), norm, False)


@public("fft")
def ihfft(input, n=None, dim=-1, norm=None):
    """The inverse of `hfft`: the first half of the Hermitian signal that has this real spectrum."""
    return _r2c(input, _one(input, n, dim, "ihfft"), norm, _REAL.format("ih"), True)


@public("fft")
def fftn(input, s=None, dim=None, norm=None):
    """The transform over several dimensions, or all; `s` gives the size of each."""
    return _c2c(input, _plan(input, s, dim, "fftn"), norm, False)


@public("fft")
def ifftn(input, s=None, dim=None, norm=None):
    """The inverse of `fftn`."""
    return _c2c(input, _plan(input, s, dim, "ifftn"), norm, True)


@public("fft")
def rfftn(input, s=None, dim=None, norm=None):
    """The transform of real numbers over several dimensions; of the last only half, as in `rfft`."""
    return _r2c(input, _plan(input, s, dim, "rfftn", "real"), norm, _REAL_N)


@public("fft")
def irfftn(input, s=None, dim=None, norm=None):
    """The inverse of `rfftn`."""
    return _c2r(input, _plan(input, s, dim, "irfftn", "hermitian"), norm)


@public("fft")
def hfftn(input, s=None, dim=None, norm=None):
    """The transform of a signal that is Hermitian over several dimensions, of which the last has its first half."""
    return _c2r(input, _plan(input, s, dim, "hfftn", "hermitian"), norm, False)


@public("fft")
def ihfftn(input, s=None, dim=None, norm=None):
    """The inverse of `hfftn`."""
    return _r2c(input, _plan(input, s, dim, "ihfftn", "real"), norm, _REAL_H, True)


@public("fft")
def fft2(input, s=None, dim=(-2, -1), norm=None):
    """`fftn` over the last two dimensions."""
    return fftn(input, s, dim, norm)


@public("fft")
def ifft2(input, s=None, dim=(-2, -1), norm=None):
    """`ifftn` over the last two dimensions."""
    return ifftn(input, s, dim, norm)


@public("fft")
def rfft2(input, s=None, dim=(-2, -1), norm=None):
    """`rfftn` over the last two dimensions."""
    return rfftn(input, s, dim, norm)


@public("fft")
def irfft2(input, s=None, dim=(-2, -1), norm=None):
    """`irfftn` over the last two dimensions."""
    return irfftn(input, s, dim, norm)


@public("fft")
def hfft2(input, s=None, dim=(-2, -1), norm=None):
    """`hfftn` over the last two dimensions."""
    return hfftn(input, s, dim, norm)


@public("fft")
def ihfft2(input, s=None, dim=(-2, -1), norm=None):
    """`ihfftn` over the last two dimensions."""
    return ihfftn(input, s, dim, norm)
