"""Accuracy of the transcendental functions of machine code, in units in the last place.

The references are NumPy's functions in 80-bit extended precision (or, for erf, its series there), so
this needs a machine that has it.
"""

import numpy as np
import pytest

from kobai.compile.approximate import FUNCTIONS, approximate
from kobai.compile.builder import build

llvm = pytest.importorskip("kobai.backends.llvm")
pytestmark = [
    pytest.mark.skipif(not llvm.available, reason="needs llvmlite"),
    pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="no reference more precise than float64"),
]
LIMIT = {"f32": 2.0, "f64": 4.0}
NUMPY = {"f32": np.float32, "f64": np.float64}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.0, -3.0, 1.5, np.inf, -np.inf, np.nan]


def erf(x):
    """2/sqrt(pi) * exp(-x*x) * sum of 2**n x**(2n+1) / (2n+1)!!, all terms positive."""
    a = np.minimum(np.abs(x), np.longdouble(7))
    term, total = a.copy(), a.copy()
    for n in range(1, 190):
        term = term * (2 * a * a) / (2 * n + 1)
        total = total + term
    pi = np.longdouble(np.pi) + np.longdouble(1.2246467991473532e-16)
    value = np.where(a > 6.5, np.longdouble(1), total * np.exp(-a * a) * 2 / np.sqrt(pi))
    return np.where(np.isnan(x), x, np.copysign(value, x))


REFERENCE = {"erf": erf, "pow": np.power, "atan": np.arctan} | {
    name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tanh")
}


def grid(dtype, seed=0, count=60000):
    """All sizes of numbers (random bits), more of them near zero and one, and the special values."""
    rng = np.random.default_rng(seed)
    numpy = np.dtype(NUMPY[dtype])
    bits = np.dtype(f"i{numpy.itemsize}")
    anything = rng.integers(np.iinfo(bits).min, np.iinfo(bits).max, count, dtype=bits).view(numpy)
    around = [rng.uniform(-s, s, count // 2).astype(numpy) for s in (0.8, 2, 10, 100, 800)]
    info = np.finfo(numpy)
    edges = [info.tiny, info.smallest_subnormal, info.max, -info.tiny, -info.smallest_subnormal, -info.max]
    return np.concatenate([anything, *around, 1 + around[0] / 8, np.array(SPECIAL + edges, numpy)])


def pairs(dtype):
    """Bases and exponents: any, the special values with each other, and results over the whole range."""
    rng = np.random.default_rng(1)
    x, y = grid(dtype, 2), grid(dtype, 3)
    y = rng.permutation(y)
    a, b = [m.ravel() for m in np.meshgrid(x[-19:], x[-19:])]
    top = 85 if dtype == "f32" else 705
    base = np.exp(rng.uniform(-top, top, 60000)).astype(x.dtype)
    base = np.concatenate([base, 1 + rng.uniform(-0.3, 0.3, 60000).astype(x.dtype)])
    with np.errstate(all="ignore"):
        power = (rng.uniform(-top, top, len(base)) / np.log(base)).astype(x.dtype)
        whole = np.round(y)
    return np.concatenate([np.abs(x), x, a, base]), np.concatenate([y, whole, b, power])


def errors(got, exact):
    """Distance in units in the last place; 0 where both are the same special value."""
    rounded = exact.astype(got.dtype)
    unit = np.maximum(np.spacing(np.abs(rounded)), np.finfo(got.dtype).smallest_subnormal)
    distance = np.abs(got.astype(np.longdouble) - exact) / unit.astype(np.longdouble)
    special = (got == rounded) & ~np.isfinite(rounded) | np.isnan(got) & np.isnan(exact)
    return np.where(special, 0, np.where(np.isfinite(distance), distance, np.inf))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", REFERENCE)
def test_ulp(name, dtype):
    inputs = pairs(dtype) if name == "pow" else (grid(dtype),)
    kernel = build(
        lambda k, *x: k._node(name, tuple(v.id for v in x), None, dtype), [dtype] * len(inputs), name
    )
    with np.errstate(all="ignore"):
        exact = REFERENCE[name](*[x.astype(np.longdouble) for x in inputs])
        got = llvm.run(kernel, *inputs)[0]
        distance = errors(got, exact)
        sign = np.signbit(exact.astype(got.dtype))
    worst = int(np.argmax(distance))
    assert distance[worst] <= LIMIT[dtype], [f"{float(x[worst])!r}" for x in inputs]
    wrong = (np.signbit(got) != sign) & ~np.isnan(got)
    assert not wrong.any(), [x[wrong][:5] for x in inputs]


MADE_OF_OTHERS = {"sigmoid": lambda x: np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x))), "tan": np.tan,
                  "asin": np.arcsin, "acos": np.arccos, "sinh": np.sinh, "cosh": np.cosh, "asinh": np.arcsinh, "acosh": np.arccosh,
                  "atanh": np.arctanh, "rsqrt": lambda x: 1 / np.sqrt(x)}


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", MADE_OF_OTHERS)
def test_ulp_of_what_is_made_of_others(name, dtype):
    """Over the whole range, with results below the normal numbers, and NaN where they are not defined."""
    near = np.random.default_rng(5).uniform(-12, 12, 300000)
    x = np.concatenate([grid(dtype), near.astype(NUMPY[dtype])])
    with np.errstate(all="ignore"):
        exact = MADE_OF_OTHERS[name](x.astype(np.longdouble))
        got = llvm.run(build(lambda k, x: getattr(k, name)(x), [dtype]), x)[0]
        distance = errors(got, exact)
    worst = int(np.argmax(distance))
    assert distance[worst] <= LIMIT[dtype], float(x[worst])


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", sorted(set(REFERENCE) - {"pow"}))
def test_machine_code_agrees_with_the_expansion_on_numpy(name, dtype):
    """The same polynomials run by the interpreter: differences are those of its fma in f64 only."""
    from kobai.backends.numpy import run

    x = grid(dtype, 4, 5000)
    kernel = build(lambda k, x: getattr(k, name)(x), [dtype])
    expanded = approximate(kernel, llvm.machine().has_tables)
    assert not any(n.op in FUNCTIONS and n.attr != "library" for n in expanded.nodes)
    with np.errstate(all="ignore"):
        got, expected = llvm.run(kernel, x)[0], run(expanded, x)[0]
    if dtype == "f32" and name not in ("sin", "cos"):
        assert np.array_equal(got, expected, equal_nan=True)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-6 if dtype == "f32" else 1e-15, atol=1e-300)


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("name", ["exp", "tanh", "erf"])
def test_ulp_of_each_expansion(name, tables):
    """With tables and without, whatever this machine would use."""
    from kobai.backends.numpy import run

    x = grid("f32", 5)
    expanded = approximate(build(lambda k, x: getattr(k, name)(x), ["f32"]), tables)
    assert any(n.op == "table" for n in expanded.nodes) == (tables and name != "exp")
    with np.errstate(all="ignore"):
        exact, got = REFERENCE[name](x.astype(np.longdouble)), run(expanded, x)[0]
        distance = errors(got, exact)
    assert distance.max() <= LIMIT["f32"], x[np.argmax(distance)]
    assert np.array_equal(np.signbit(got), np.signbit(exact))


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_functions_that_reach_one_do_so(name):
    x = np.array([9.02, 30, 3e38, np.inf], np.float32)
    kernel = build(lambda k, x: getattr(k, name)(x), ["f32"])
    assert (llvm.run(kernel, np.concatenate([x, -x]))[0] == [1, 1, 1, 1, -1, -1, -1, -1]).all()
    ordered = np.sort(grid("f32", 6))
    y = llvm.run(kernel, ordered[~np.isnan(ordered)])[0]
    assert np.abs(y).max() == 1 and (np.diff(y) >= -1.2e-7).all()
