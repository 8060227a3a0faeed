"""Special functions, by SciPy; `erf` and `lgamma` also work where there is only NumPy."""
from __future__ import annotations

import math
import sys

import numpy as np

from ..diagnose import error
from ..dtypes import get_default_dtype
from ..inplace import into, replace
from ..op import Elementwise, dtype_of, m
from ..public import export, public
from ..testing.samples import Ints, S, binary, predicate, unary
from .error_function import erf as erf_by_numpy


def scipy_function(name):
    """SciPy's function of that name, imported when first called."""
    found = []

    def call(*args):
        if not found:
            found.append(_find(name))
        return found[0](*args)
    return call


def _find(name):
    try:
        import scipy.special  # noqa: PLC0415  (not there in a browser, and slow to import)
    except ImportError:
        plain = getattr(math, _WITHOUT_SCIPY.get(name, ""), None)
        if plain is None:
            raise error("machine", ImportError(f"{name} needs SciPy: pip install scipy"),
                        why="{fn}() is computed by SciPy, and this Python does not have it.", fn=name,
                        fix="install it: pip install scipy.") from None
        return lambda x: np.vectorize(plain, otypes=[np.asarray(x).dtype])(x)
    return getattr(scipy.special, name)


def _erf_at_first_without_scipy():
    """erf by SciPy, but not for the first numbers in float32: to the bit the same, and nothing is imported."""
    by_scipy, left = scipy_function("erf"), 1 << 24

    def call(x):
        nonlocal left
        if left > 0 and x.dtype == np.float32 and "scipy.special" not in sys.modules:
            left -= x.size + (1 << 16)
            return erf_by_numpy(x)
        return by_scipy(x)
    return call


_WITHOUT_SCIPY = {"erf": "erf", "erfc": "erfc", "gammaln": "lgamma"}
_2_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


def _keeps_dtype(fn):
    """SciPy computes some functions in double only."""
    def forward(self, *xs):
        y = fn(*xs)
        d = getattr(xs[0], "dtype", None) or xs[1].dtype  # the first may be a Python number
        return y if y.dtype == d else y.astype(d)
    return forward


class _Special(Elementwise):
    """An elementwise function of SciPy: `scipy` is its name there."""

    scipy = ""
    floats = True
    public = "torch Tensor special"

    def __init_subclass__(cls):
        if cls.scipy and "forward" not in vars(cls):
            function = _erf_at_first_without_scipy() if cls.scipy == "erf" else scipy_function(cls.scipy)
            cls.forward = _keeps_dtype(function)
            cls.inputs = cls.args
        super().__init_subclass__()

    args = ("x",)


class Erf(_Special):
    """The error function, 2/sqrt(pi) times the integral of exp(-t*t) from 0 to x."""

    scipy = "erf"
    samples = unary(-2, 2)

    def d_x(self, x):
        return m.exp(-(x * x)) * _2_OVER_SQRT_PI

    def emit(self, k, x):
        return k.erf(x)


class Erfc(_Special):
    """1 - erf(x), exact for large x."""

    scipy = "erfc"
    samples = unary(-2, 2)

    def d_x(self, x):
        return m.exp(-(x * x)) * -_2_OVER_SQRT_PI


class Erfinv(_Special):
    """The inverse of the error function."""

    scipy = "erfinv"
    samples = unary(-0.8, 0.8)

    def d_x(self, y):
        return m.exp(y * y) * (1 / _2_OVER_SQRT_PI)


class Erfcx(_Special):
    """exp(x*x) * erfc(x), without overflow."""

    public = "special"
    scipy = "erfcx"
    samples = unary(-1, 2)

    def d_x(self, x, y):
        return 2 * x * y - _2_OVER_SQRT_PI


class Lgamma(_Special):
    """Logarithm of the absolute value of the gamma function."""

    public = "torch Tensor"
    scipy = "gammaln"
    samples = unary(0.5, 3)

    def d_x(self, x):
        return m.digamma(x)


class Digamma(_Special):
    """The derivative of lgamma."""

    scipy = "psi"
    samples = unary(0.5, 3)

    def forward(self, x):
        y = np.asarray(_psi(x)).astype(x.dtype)
        return np.where(x == 0, np.copysign(np.inf, -x), y).astype(x.dtype)[()]

    def d_x(self, x):
        return m.polygamma_order(1)(x)


_psi = scipy_function("psi")


class Polygamma(_Special):
    """The n-th derivative of digamma."""

    n: int
    samples = unary(0.5, 3, params=(1,)) + unary(0.5, 3, params=(2,))

    def forward(self, x):
        return np.asarray(_polygamma(self.n, x)).astype(x.dtype)[()]

    def d_x(self, x):
        return Polygamma(self.n + 1)(x)


_polygamma = scipy_function("polygamma")
m.polygamma_order = Polygamma


@public("torch special", name="polygamma")
def _polygamma_public(n, input):
    """The n-th derivative of the digamma function."""
    if n < 0:
        raise error("argument-value", RuntimeError("polygamma(n, x) does not support negative n."), what="n", value=n,
                    must="a whole number of at least {low}", low=0)
    return m.digamma(input) if n == 0 else Polygamma(n)(m.to_float(input))


def polygamma(self, n):
    """The n-th derivative of the digamma function."""
    return _polygamma_public(n, self)


def polygamma_(self, n):
    """In-place version of `polygamma`."""
    return replace(self, _polygamma_public(n, self))


export("Tensor", "polygamma", polygamma)
export("Tensor", "polygamma_", polygamma_)


class I0(_Special):
    """Modified Bessel function of the first kind, order 0."""

    scipy = "i0"
    samples = unary(-2, 2)

    def d_x(self, x):
        return m.i1(x)


class I0e(_Special):
    """exp(-|x|) * i0(x)."""

    public = "special"
    scipy = "i0e"
    samples = unary(0.2, 2) + unary(-2, -0.2)

    def d_x(self, x, y):
        return m.i1e(x) - m.sgn(x) * y


class I1(_Special):
    """Modified Bessel function of the first kind, order 1."""

    public = "special"
    scipy = "i1"
    samples = unary(0.2, 2) + unary(-2, -0.2)

    def d_x(self, x, y):
        zero = m.eq(x, 0)
        safe = m.where(zero, m.zeros_like(x) + 1, x)
        return m.where(zero, m.zeros_like(x) + 0.5, m.i0(x) - y / safe)


class I1e(_Special):
    """exp(-|x|) * i1(x)."""

    public = "special"
    scipy = "i1e"
    samples = unary(0.2, 2) + unary(-2, -0.2)

    def d_x(self, x, y):
        zero = m.eq(x, 0)
        safe = m.where(zero, m.zeros_like(x) + 1, x)
        return m.where(zero, m.zeros_like(x) + 0.5, m.i0e(x) - y * (m.sgn(x) + 1 / safe))


class Ndtr(_Special):
    """Distribution function of the normal distribution."""

    public = "special"
    scipy = "ndtr"
    samples = unary(-2, 2)

    def d_x(self, x):
        return m.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))


class Ndtri(_Special):
    """The inverse of ndtr."""

    public = "special"
    scipy = "ndtri"
    samples = unary(0.2, 0.8)

    def d_x(self, y):
        return m.exp(y * y * 0.5) * math.sqrt(2 * math.pi)


class LogNdtr(_Special):
    """log(ndtr(x)), exact for very negative x."""

    public = "special"
    scipy = "log_ndtr"
    samples = unary(-2, 2)

    def d_x(self, x):
        return math.sqrt(2 / math.pi) / m.erfcx(x * -math.sqrt(0.5))


class Entr(_Special):
    """-x * log(x), 0 at 0, and -inf below."""

    public = "special"
    samples = unary(0.2, 2)
    scipy = "entr"

    def d_x(self, x):
        return -m.log(x) - 1


class Logit(Elementwise):
    """log(z / (1 - z)) of z = x kept between eps and 1 - eps."""

    eps: float = None
    floats = True
    samples = unary(0.2, 0.8) + unary(0.2, 0.8, params=(0.1,))

    def forward(self, x):
        z = x if self.eps is None else np.clip(x, x.dtype.type(self.eps), x.dtype.type(1 - self.eps))
        return np.log(z / (1 - z))

    def vjp_x(self, g, x):
        d = g / (x * (1 - x))
        if self.eps is None:
            inside = m.logical_and(m.ge(x, 0), m.le(x, 1))
            return m.where(inside, d, m.zeros_like(d) + float("nan"))
        return m.where(m.logical_and(m.ge(x, self.eps), m.le(x, 1 - self.eps)), d, m.zeros_like(d))


@public("torch Tensor special", inplace=True)
def logit(input, eps=None):
    """log(z / (1 - z)) of z = input kept between eps and 1 - eps."""
    return Logit(eps)(input)


class Xlog1py(_Special):
    """a * log(1 + b), and 0 where a is 0."""

    public = "special"
    scipy = "xlog1py"
    args = ("a", "b")
    samples = binary(0.5, 2)

    def d_a(self, a, b):
        return m.where(m.logical_and(m.eq(a, 0), m.le(b, -1)), m.zeros_like(b), m.log1p(b))

    def d_b(self, a, b):
        return a / (b + 1)


class Zeta(_Special):
    """The Hurwitz zeta function: the sum of 1 / (k + b) ** a over k >= 0."""

    public = "special"
    scipy = "zeta"
    args = ("a", "b")
    samples = [S((2, 3), (3,), low=1.5, high=2.5, smooth=False)]

    def vjp_a(self, g):
        raise error("not-defined",
                    RuntimeError("the derivative for 'zeta' with respect to its first argument is not implemented."),
                    what="d zeta(x, q) / dx", fix="use x.detach() if its gradient is not needed.")

    def d_b(self, a, b):
        return -a * m.zeta(a + 1, b)


class Igamma(_Special):
    """The regularised lower incomplete gamma function."""

    name = "igamma"
    alias = ("gammainc",)
    scipy = "gammainc"
    args = ("a", "b")
    samples = [S((2, 3), (3,), low=1.5, high=2.5, smooth=False)]

    def vjp_a(self, g):
        raise error("not-possible", NotImplementedError("the derivative for 'igamma: input' is not implemented."),
                    why="{fn} has a derivative by x only, here as in PyTorch: the one by a has no closed form.",
                    fn="torch.igamma(a, x)", fix="use a.detach() if the gradient by a is not needed.")

    def d_b(self, a, b):
        return m.exp((a - 1) * m.log(b) - b - m.lgamma(a))


class Igammac(_Special):
    """The regularised upper incomplete gamma function."""

    name = "igammac"
    alias = ("gammaincc",)
    scipy = "gammaincc"
    args = ("a", "b")
    samples = [S((2, 3), (3,), low=1.5, high=2.5, smooth=False)]

    def vjp_a(self, g):
        raise error("not-possible", NotImplementedError("the derivative for 'igammac: input' is not implemented."),
                    why="{fn} has a derivative by x only, here as in PyTorch: the one by a has no closed form.",
                    fn="torch.igammac(a, x)", fix="use a.detach() if the gradient by a is not needed.")

    def d_b(self, a, b):
        return -m.exp((a - 1) * m.log(b) - b - m.lgamma(a))


@public("torch Tensor", inplace=True)
def mvlgamma(input, p):
    """The multivariate log-gamma function of dimension p."""
    if p < 1:
        raise error("argument-value", RuntimeError("p has to be greater than or equal to 1"), what="p", value=p,
                    must="a positive whole number")
    x = m.to_float(input)
    total = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = m.lgamma(x - j / 2) + total
    return total


@public("special")
def multigammaln(input, p):
    """The multivariate log-gamma function of dimension p, as `mvlgamma`."""
    return mvlgamma(input, p)


@public("special")
def gammaln(input):
    """The logarithm of the gamma function's absolute value, as `lgamma`."""
    return m.lgamma(input)


@public("special")
def psi(input):
    """The derivative of the logarithm of the gamma function, as `digamma`."""
    return m.digamma(input)


def to_float(x):
    """Integers as the default float dtype; the rest as it is."""
    return m.cast(x, get_default_dtype()) if dtype_of(x).kind in "iub" else x


m.to_float = to_float


# ---- without derivatives in PyTorch ----------------------------------------------------------
def _plain(name, scipy, doc):
    cls = type("".join(p.title() for p in name.split("_")), (_Special,), {
        "__doc__": doc, "__module__": __name__, "scipy": scipy, "public": "special", "name": name,
        "samples": predicate(1), "inplace": False})
    return cls


for _name, _scipy, _doc in (
        ("bessel_j0", "j0", "Bessel function of the first kind, order 0."),
        ("bessel_j1", "j1", "Bessel function of the first kind, order 1."),
        ("bessel_y0", "y0", "Bessel function of the second kind, order 0."),
        ("bessel_y1", "y1", "Bessel function of the second kind, order 1."),
        ("modified_bessel_i0", "i0", "Modified Bessel function of the first kind, order 0."),
        ("modified_bessel_i1", "i1", "Modified Bessel function of the first kind, order 1."),
        ("modified_bessel_k0", "k0", "Modified Bessel function of the second kind, order 0."),
        ("modified_bessel_k1", "k1", "Modified Bessel function of the second kind, order 1."),
        ("scaled_modified_bessel_k0", "k0e", "exp(x) * modified_bessel_k0(x)."),
        ("scaled_modified_bessel_k1", "k1e", "exp(x) * modified_bessel_k1(x).")):
    _plain(_name, _scipy, _doc)


class SphericalBesselJ0(Elementwise):
    """sin(x) / x, and 1 at 0."""

    name = "spherical_bessel_j0"
    public = "special"
    inplace = False
    floats = True
    samples = predicate(1)

    def forward(self, x):
        return np.sinc(x / math.pi).astype(x.dtype)


class AiryAi(Elementwise):
    """The Airy function Ai."""

    name = "airy_ai"
    public = "special"
    inplace = False
    floats = True
    samples = predicate(1)

    def forward(self, x):
        return np.asarray(_airy(x)[0]).astype(x.dtype)[()]


_airy = scipy_function("airy")


class Polynomial(Elementwise):
    """A classical orthogonal polynomial of degree n, by its three-term recurrence."""

    family: str
    floats = True
    samples = [S((2, 3), Ints((3,), 5), params=(f,), smooth=False)
               for f in ("chebyshev_t", "chebyshev_u", "hermite_h", "hermite_he", "laguerre_l", "legendre_p")]

    def forward(self, x, n):
        d = np.result_type(x, n)
        x, n = np.broadcast_arrays(np.asarray(x, d), n)
        n = n.astype(np.int64)
        before, now = np.ones_like(x), _FIRST[self.family](x)
        y = np.where(n == 0, before, now)
        for k in range(1, int(n.max(initial=0))):
            before, now = now, _NEXT[self.family](x, k, now, before)
            y = np.where(n == k + 1, now, y)
        return np.where(n < 0, 0, y).astype(d)[()]


def _chebyshev(x, k, now, before):
    return 2 * x * now - before


_FIRST = {"chebyshev_t": lambda x: x, "chebyshev_u": lambda x: 2 * x, "chebyshev_v": lambda x: 2 * x - 1,
          "chebyshev_w": lambda x: 2 * x + 1, "hermite_h": lambda x: 2 * x, "hermite_he": lambda x: x,
          "laguerre_l": lambda x: 1 - x, "legendre_p": lambda x: x}
_NEXT = {"chebyshev_t": _chebyshev, "chebyshev_u": _chebyshev, "chebyshev_v": _chebyshev, "chebyshev_w": _chebyshev,
         "hermite_h": lambda x, k, now, before: 2 * x * now - 2 * k * before,
         "hermite_he": lambda x, k, now, before: x * now - k * before,
         "laguerre_l": lambda x, k, now, before: ((2 * k + 1 - x) * now - k * before) / (k + 1),
         "legendre_p": lambda x, k, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1)}


def _polynomial(name, family, shifted):
    def fn(input, n):
        x = input * 2 - 1 if shifted else input
        return Polynomial(family)(x, n)
    fn.__doc__ = f"The {'shifted ' if shifted else ''}polynomial {family} of degree n at each element."
    export("special", name, _with_out(fn, name))


def _with_out(fn, name):
    fn.__name__ = fn.__qualname__ = name

    def call(input, n, *, out=None):
        y = fn(input, n)
        return y if out is None else into(out, y)
    call.__doc__, call.__name__ = fn.__doc__, name
    return call


for _family in _FIRST:
    _head, _, _tail = _family.rpartition("_")
    _polynomial(f"{_head}_polynomial_{_tail}", _family, False)
    if _head == "chebyshev":
        _polynomial(f"shifted_chebyshev_polynomial_{_tail}", _family, True)
