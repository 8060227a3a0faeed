"""The NumPy interpreter, which defines the vocabulary, and what is composed from it.

Expected numbers: NumPy's functions of the same name where there are some, Python's arithmetic and
fractions, or the definition written out.
"""

import math
from fractions import Fraction

import numpy as np
import pytest

from kobai.backends.numpy import fma, run
from kobai.compile.builder import build

V = np.array([-3, -1, -0.5, -0.0, 0.0, 0.2, 0.99, 1, 2, 50, 1e-300, 1e-8, np.nan, np.inf, -np.inf])
A, B = [m.ravel() for m in np.meshgrid(V, V)]


def value(emit, *arrays, types=None, inner=None):
    kernel = build(emit, types or [np.asarray(a).dtype for a in arrays])
    return run(kernel, *arrays, inner=inner)[0]


def same(got, expected, rtol=4e-16):
    with np.errstate(all="ignore"):
        close = np.abs(got - expected) <= rtol * np.abs(expected)
    assert np.all(close | (got == expected) | (np.isnan(got) & np.isnan(expected)))
    number = ~np.isnan(expected)
    assert np.array_equal(np.signbit(got[number]), np.signbit(expected[number]))


UNARY = {
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tan": np.tan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "reciprocal": np.reciprocal,
    "square": np.square,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "signbit": np.signbit,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sign": lambda x: np.where(np.isnan(x), 0, np.sign(x)) + 0.0,
    "softplus": lambda x: np.logaddexp(x, 0),
}


@pytest.mark.parametrize("name", UNARY)
def test_function(name):
    with np.errstate(all="ignore"):
        expected = UNARY[name](V)
    got = value(lambda k, x: getattr(k, name)(x), V)
    if expected.dtype == bool:
        assert np.array_equal(got, expected)
    else:
        same(got, expected)


@pytest.mark.parametrize(
    ("name", "function"),
    [("atan2", np.arctan2), ("hypot", np.hypot), ("logaddexp", np.logaddexp), ("copysign", np.copysign)],
)
def test_function_of_two(name, function):
    with np.errstate(all="ignore"):
        expected = function(A, B)
    same(value(lambda k, a, b: getattr(k, name)(a, b), A, B), expected, 1e-15)


def test_floor_division_and_remainder_are_pythons():
    finite = np.isfinite(A) & np.isfinite(B) & (B != 0)
    a, b = A[finite], B[finite]
    pairs = [divmod(x, y) for x, y in zip(a.tolist(), b.tolist())]
    same(value(lambda k, a, b: a // b, a, b), np.array([q for q, _ in pairs]), 0)
    rest = value(lambda k, a, b: a % b, a, b)
    assert np.array_equal(rest, np.array([r for _, r in pairs]))


@pytest.mark.parametrize("dtype", ["i8", "i32", "i64"])
def test_integer_division(dtype):
    low = {"i8": -128, "i32": -(2**31), "i64": -(2**63)}[dtype]
    numbers = np.array(
        [low, -7, -1, 0, 1, 2, 5, -low - 1], dtype={"i8": "i1", "i32": "i4", "i64": "i8"}[dtype]
    )
    a, b = [m.ravel() for m in np.meshgrid(numbers, numbers)]
    kernel = build(lambda k, a, b: (k.div(a, b), k.fmod(a, b), a // b, a % b), [dtype] * 2)
    quotient, rest, down, modulo = run(kernel, a, b)
    for i, (x, y) in enumerate(zip(a.tolist(), b.tolist())):
        if y == 0:
            assert quotient[i] == 0 and rest[i] == 0
        elif not (x == low and y == -1):
            assert quotient[i] == int(Fraction(x, y))
            assert rest[i] == x - y * int(Fraction(x, y))
            assert (down[i], modulo[i]) == divmod(x, y)


def test_integer_power_wraps_around():
    a, b = [m.ravel() for m in np.meshgrid(np.arange(-5, 6, dtype="i4"), np.arange(0, 40, dtype="i4"))]
    got = value(lambda k, a, b: a**b, a, b)
    expected = [((x**y + 2**31) % 2**32) - 2**31 for x, y in zip(a.tolist(), b.tolist())]
    assert got.tolist() == expected
    negative = value(
        lambda k, a, b: a**b, np.array([1, -1, -1, 2, 0], "i4"), np.array([-2, -2, -3, -1, -1], "i4")
    )
    assert negative.tolist() == [1, 1, -1, 0, 0]


def test_fma_in_single_precision_rounds_once():
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(20000).astype("f4") for _ in range(2))
    c = (-a.astype("f8") * b * (1 + rng.choice([0, 1e-7, 1e-5, 1], 20000))).astype("f4")
    got = fma(a, b, c)
    exact = [Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(a, b, c)]
    for g, e in zip(got, exact):
        neighbours = [np.nextafter(g, np.float32(-np.inf)), np.nextafter(g, np.float32(np.inf))]
        assert all(abs(Fraction(float(g)) - e) <= abs(Fraction(float(n)) - e) for n in neighbours)


def test_extremes_pass_nan_on():
    nan = np.array([np.nan, 1.0, np.nan]), np.array([1.0, np.nan, np.nan])
    assert np.isnan(value(lambda k, a, b: k.maximum(a, b), *nan)).all()
    assert np.isnan(value(lambda k, a, b: k.minimum(a, b), *nan)).all()
    assert np.isnan(value(lambda k, a: k.clamp(a, 0, 1), np.array([np.nan]))).all()


def test_casts():
    x = np.array([-1.9, 1.9, 0.0, np.nan, 300.0])
    assert value(lambda k, x: k.cast(x, "i32"), x[:3]).tolist() == [-1, 1, 0]
    assert value(lambda k, x: k.cast(x, "bool"), x).tolist() == [True, True, False, True, True]
    assert value(lambda k, x: k.cast(x, "u8"), np.array([300.0, -1.0])).tolist() == [44, 255]
    assert value(lambda k, x: k.cast(x, "f32"), np.array([True, False])).tolist() == [1.0, 0.0]


def test_rows():
    x = np.arange(12.0).reshape(3, 4)
    kernel = build(
        lambda k, x: (k.sum(x), x - k.amax(x), k.index("f64") + 10 * k.row_index("f64"), k.size()), ["f64"]
    )
    total, below, position, size = run(kernel, x, inner=1)
    assert total.tolist() == [[6.0], [22.0], [38.0]]
    assert below.tolist() == (x - x.max(1, keepdims=True)).tolist()
    assert position.tolist() == [[10 * r + c for c in range(4)] for r in range(3)]
    assert size.tolist() == [[4], [4], [4]]


def test_a_sum_over_a_row_counts_broadcast_values_for_every_element():
    total = value(lambda k, a, b: k.sum(a) + 0 * k.sum(b), np.ones((2, 1)), np.zeros((2, 5)), inner=1)
    assert total.tolist() == [[5.0], [5.0]]


def test_scale_rounds_once():
    x = np.array([1.5, 1.0 + 2**-52, -3.0, np.inf])
    assert value(lambda k, x: k.scale(x, -1074.0), x).tolist() == [math.ldexp(v, -1074) for v in x]
