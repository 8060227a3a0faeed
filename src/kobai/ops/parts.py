"""Complex numbers and the real numbers they are made of."""
from __future__ import annotations

import numpy as np

from ..diagnose import error
from ..dtypes import type_word
from ..op import Elementwise, Movement, dtype_of, m
from ..public import export, public
from ..tensor import Tensor
from ..testing.samples import S, binary
from .movement import Identity, Select

_REAL = {np.dtype(np.complex64): np.dtype(np.float32), np.dtype(np.complex128): np.dtype(np.float64)}
_COMPLEX = {v: k for k, v in _REAL.items()}
_PAIRS = np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 3.0]])


class ViewAsReal(Movement):
    """Complex numbers as pairs of reals, in a new last dimension."""

    samples = [S(np.array([1 + 2j, 3 - 1j])), S(np.array([[1j], [2.0]]))]

    def forward(self, x):
        return x[..., None].view(_REAL[x.dtype])

    def vjp_x(self, g):
        return view_as_complex(g)

    def batch(self, size, dims, values):
        return self(*values)


class ViewAsComplex(Movement):
    """Pairs of reals in the last dimension as complex numbers."""

    samples = [S(_PAIRS), S(np.array([1.0, -2.0]))]

    def forward(self, x):
        if x.strides[-1] != x.itemsize:
            x = np.ascontiguousarray(x)
        return x.view(_COMPLEX[x.dtype])[..., 0]

    def vjp_x(self, g):
        return view_as_real(g)

    def batch(self, size, dims, values):
        return self(*values)


class Polar(Elementwise):
    """abs * (cos(angle) + i sin(angle))."""

    params = ("abs", "angle")
    public = ""
    inplace = False
    samples = binary(0.2, 1)

    def forward(self, a, b):
        return m.complex.forward(a * np.cos(b), a * np.sin(b))

    def vjp_a(self, g, b):
        return m.real(g) * m.cos(b) + m.imag(g) * m.sin(b)

    def vjp_b(self, g, a, b):
        return a * (m.imag(g) * m.cos(b) - m.real(g) * m.sin(b))


@public("torch")
def view_as_real(input):
    """Complex numbers as pairs of reals, in a new last dimension: a view."""
    if dtype_of(input).kind != "c":
        raise error("tensor-dtype", RuntimeError("view_as_real is only supported for complex tensors"), what="input",
                    dtype=dtype_of(input), fn="view_as_real()", must="complex numbers",
                    fix="a tensor that is not complex is real already: leave out view_as_real, or convert with "
                        "x.to(torch.complex64).")
    return ViewAsReal()(input)


@public("torch")
def view_as_complex(input):
    """Pairs of reals in the last dimension as complex numbers: a view."""
    if dtype_of(input) not in _COMPLEX:
        raise error("tensor-dtype", RuntimeError(
                    "view_as_complex is only supported for half, float and double tensors, but got a tensor of "
                    f"scalar type: {type_word(input)}"), what="input", dtype=dtype_of(input), fn="view_as_complex()",
                    must="numbers of type float16, float32 or float64",
                    fix="a complex tensor needs no view; whole numbers convert with x.float().")
    if input.ndim == 0:
        raise error("tensor-dims", RuntimeError("Input tensor must have one or more dimensions"), what="input",
                    shape=(), need="at least {n}", n=1,
                    fix="the last dimension holds real and imaginary part: torch.tensor([re, im]).")
    if input.shape[-1] != 2:
        raise error("dimension-size", RuntimeError("Tensor must have a last dimension of size 2"), what="input",
                    dim=input.ndim - 1, size=input.shape[-1], must="2",
                    fix="the last dimension holds real and imaginary part: torch.stack([re, im], -1).")
    return ViewAsComplex()(input)


@public("torch")
def real(input):
    """The real parts: a view; a real tensor itself."""
    if dtype_of(input).kind != "c":
        return input
    return Select(input.ndim, 0)(ViewAsReal()(input))


@public("torch")
def imag(input):
    """The imaginary parts of a complex tensor: a view."""
    if dtype_of(input).kind != "c":
        raise error("tensor-dtype", RuntimeError("imag is not implemented for tensors with non-complex dtypes."),
                    what="input", dtype=input.dtype, fn="imag()", must="complex numbers")
    return Select(input.ndim, 1)(ViewAsReal()(input))


def _part(index):
    def set_part(self, value):
        part = (real, imag)[index](self)
        part.copy_(value) if isinstance(value, Tensor) else part.fill_(value)
    return set_part


export("Tensor", "real", property(real, _part(0)))
export("Tensor", "imag", property(imag, _part(1)))


@public("torch")
def complex(real, imag):
    """Complex numbers from tensors of real and imaginary parts.

    >>> kobai.complex(kobai.tensor([1.]), kobai.tensor([2.]))
    tensor([1.+2.j])
    """
    _check_pair(real, imag, "complex", ("real", "imag"))
    return m.complex(real, imag)


@public("torch")
def polar(abs, angle):
    """Complex numbers from tensors of absolute values and angles."""
    _check_pair(abs, angle, "polar", ("abs", "angle"))
    return Polar()(abs, angle)


def _check_pair(a, b, name, names):
    for position, v in enumerate((a, b)):
        if not hasattr(v, "shape"):
            raise error("argument-type", TypeError(
                        f"{name}(): argument '{names[position]}' (position {position + 1}) must be Tensor, not "
                        f"{type(v).__name__}"), what=names[position], kind=type(v), must="a tensor",
                        fix="make it a tensor: torch.tensor({what}).")
    if dtype_of(a) not in _COMPLEX:
        raise error("tensor-dtype", RuntimeError(
                    f"Expected both inputs to be Half, Float or Double tensors but got {type_word(a)} and "
                    f"{type_word(b)}"), what=names[0], dtype=dtype_of(a), fn=f"{name}()",
                    must="numbers of type float16, float32 or float64")
    if dtype_of(a) != dtype_of(b):
        raise error("dtypes-differ", RuntimeError(
                    f"Expected object of scalar type {type_word(a)} but got scalar type {type_word(b)} for "
                    "second argument"), what=names[0], dtype=dtype_of(a), other=names[1], other_dtype=dtype_of(b))


def _conj_method(self):
    """The complex conjugate; a real tensor itself. Differs from PyTorch: computed at once, not when used."""
    return m.conj(self)


@public("torch Tensor")
def conj_physical(input):
    """The complex conjugate, in memory of its own."""
    return m.conj(input) if dtype_of(input).kind == "c" else Identity()(input)


@public("torch Tensor")
def resolve_conj(input):
    """The tensor itself: conjugates are computed at once here."""
    return input


@public("torch Tensor")
def resolve_neg(input):
    """The tensor itself: negations are computed at once here."""
    return input


@public("torch Tensor")
def is_conj(input):
    """Whether a conjugation is still to be computed: never."""
    return False


@public("torch Tensor")
def is_neg(input):
    """Whether a negation is still to be computed: never."""
    return False


def conj_physical_(self):
    """Conjugate in place."""
    return self.copy_(m.conj(self.detach())) if not self.requires_grad else m.write(self, m.conj(self))


export("Tensor", "conj", _conj_method)
export("torch", "conj", _conj_method)
export("Tensor torch", "conj_physical_", conj_physical_)
