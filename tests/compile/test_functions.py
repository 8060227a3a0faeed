"""Accuracy of the transcendental functions of machine code, in units in the last place.

The references are NumPy's functions in 80-bit extended precision (or, for erf, its series there), so
this needs a machine that has it.
"""

import numpy as np
import pytest

import kobai
from kobai.compile.approximate import FUNCTIONS, approximate
from kobai.compile.builder import build
from kobai.ops.activation import Gelu
from kobai.ops.exponential import Log2, Log10

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


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op, base", [(Log2, 2), (Log10, 10)])
def test_logarithms_of_powers_are_whole(op, base, dtype):
    """PyTorch's log2(8) is 3, and programs that count digits rely on it."""
    info = np.finfo(NUMPY[dtype])
    least, most = (info.minexp - info.nmant, info.maxexp - 1) if base == 2 else (0, int(np.log10(info.max)))
    whole = np.arange(least, most + 1)
    powers = np.array([float(base) ** int(n) for n in whole]).astype(info.dtype)
    kernel = build(op().emit, [dtype])
    assert (llvm.run(kernel, powers)[0] == whole).all()
    near = np.concatenate([np.nextafter(powers, 0), np.nextafter(powers, info.dtype.type(np.inf)), grid(dtype)])
    with np.errstate(all="ignore"):
        exact = {2: np.log2, 10: np.log10}[base](near.astype(np.longdouble))
        assert errors(llvm.run(kernel, near)[0], exact).max() <= LIMIT[dtype]


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_gradients_of_a_sum_of_large_exponentials(name):
    """The shares of both, which are 1 together: e ** (a - y) lost them with the last digits of y, and where y is infinite."""
    a = kobai.tensor([1e5, 1e20, 3.0, np.inf] * 600, requires_grad=True)
    b = kobai.tensor([1e5, 1e20, 3.0, 1.0] * 600, requires_grad=True)
    for f in (getattr(kobai, name), kobai.compile(getattr(kobai, name))):
        for _ in range(2):
            share_a, share_b = kobai.autograd.grad(f(a, b).sum(), (a, b))
            assert share_a[:4].tolist() == [0.5, 0.5, 0.5, 1] and share_b[:4].tolist() == [0.5, 0.5, 0.5, 0]


def test_the_largest_numbers_pass_a_gelu():
    for dtype in ("f32", "f64"):
        x = np.array([np.finfo(NUMPY[dtype]).max, -1e30, 5.0], NUMPY[dtype])
        y = llvm.run(build(Gelu().emit, [dtype]), x)[0]
        assert y[0] == x[0] and y[1] == 0


def test_a_sigmoid_and_the_loss_of_its_logits_share_one_exponential():
    """The more precise of the two ways is as good for both."""
    both = build(lambda k, x: k.sigmoid(x) + k.softplus(x), ["f32"])
    assert sum(n.op == "exp" for n in both.nodes) == 2
    alone = build(lambda k, x: k.softplus(x), ["f32"])
    assert [sum(n.op == "scale" for n in approximate(x).nodes) for x in (both, alone)] == [2, 2]  # of exp, of log1p
    x = grid("f32")
    with np.errstate(all="ignore"):
        wide = x.astype(np.longdouble)
        exact = 1 / (1 + np.exp(-wide)) + np.maximum(wide, 0) + np.log1p(np.exp(-abs(wide)))
        assert errors(llvm.run(both, x)[0], exact).max() <= 3
