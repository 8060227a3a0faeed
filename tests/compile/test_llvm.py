"""Machine code against the NumPy interpreter, which defines what a kernel means."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from kobai.backends import numpy as reference
from kobai.compile.builder import build
from kobai.compile.kernel import NoKernel, kind_of, numpy_type
from kobai.compile.lower import fit

llvm = pytest.importorskip("kobai.backends.llvm")
pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
RNG = np.random.default_rng(0)


def normal(*shape, dtype="f4"):
    return RNG.standard_normal(shape).astype(dtype)


def check(emit, *arrays, inner=None, rtol=0.0):
    """Both engines on the same arrays; equal bits unless a tolerance is given."""
    kernel = build(emit, [a.dtype for a in arrays])
    compare(reference.run(kernel, *arrays, inner=inner), llvm.run(kernel, *arrays, inner=inner), rtol)


def compare(expected, got, rtol=0.0):
    for e, g in zip(expected, got, strict=True):
        assert (g.shape, g.dtype) == (e.shape, e.dtype)
        if rtol and e.dtype.kind in "fV":
            scale = float(np.max(np.abs(e), initial=1.0, where=np.isfinite(e)))
            np.testing.assert_allclose(g.astype("f8"), e.astype("f8"), rtol=rtol, atol=rtol * scale)
        else:
            assert np.array_equal(g, e, equal_nan=e.dtype.kind in "fV"), (g, e)


# --- shapes and strides


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 63, 64, 65, 200, 4097])
def test_every_length(size):
    check(lambda k, a, b: (a * b + 1, a < b), normal(size), normal(size))
    check(lambda k, a: (k.sum(a), k.amax(a), k.amin(a)), normal(size), rtol=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((7, 33), (33,)),
        ((7, 33), (7, 1)),
        ((7, 33), ()),
        ((1, 33), (7, 1)),
        ((2, 3, 4, 5), (3, 1, 5)),
        ((5, 1, 6, 1), (1, 4, 1, 3)),
        ((0, 3), (3,)),
        ((), ()),
    ],
)
def test_broadcasting(a, b):
    check(lambda k, a, b: a - b, normal(*a), normal(*b))


VIEWS = {
    "transposed": lambda x: x.T,
    "reversed": lambda x: x[::-1, ::-1],
    "every second": lambda x: x[:, ::2],
    "rows apart": lambda x: x[::3],
    "window": lambda x: x[2:9, 5:21],
    "cube": lambda x: x.reshape(12, 2, 17).transpose(2, 0, 1),
}


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "?"])
@pytest.mark.parametrize("view", VIEWS)
def test_strides(view, dtype):
    x = VIEWS[view](normal(12, 34, dtype="f8") > 0 if dtype == "?" else (normal(12, 34) * 50).astype(dtype))
    if dtype == "?":
        check(lambda k, a: (~a, k.amax(a)), x)
    else:
        check(lambda k, a, b: a + b * a, x, np.ascontiguousarray(x))
        check(lambda k, a: k.sum(a), x, inner=1, rtol=1e-6)
        check(lambda k, a: a - k.amax(a), x, inner=1)


def test_unaligned_memory():
    raw = np.zeros(4 * 100 + 1, np.uint8)
    x = raw[1:].view(np.float32)
    x[:] = normal(100)
    check(lambda k, a: a * 2, x)


def test_output_in_place():
    """An output may be the memory of an operand of the same shape, if the kernel has no rows."""
    from kobai.compile.lower import fit

    kernel = build(lambda k, a, b: a * b + a, ["f32", "f32"])
    a, b = normal(1003), normal(1003)
    expected = reference.run(kernel, a, b)[0]
    fitted = fit(kernel, a.shape, [a.strides, b.strides, a.strides])
    llvm.compiled(kernel, fitted.layout)(fitted, [a.ctypes.data, b.ctypes.data, a.ctypes.data])
    assert np.array_equal(a, expected)


# --- rows

SOFTMAX = (lambda k, x: k.exp(x - k.amax(x)) / k.sum(k.exp(x - k.amax(x))), 1e-6)


def _layer_norm(k, x):
    mean = k.sum(x) / k.size("f32")
    centred = x - mean
    variance = k.sum(centred * centred) / k.size("f32")
    return centred * k.rsqrt(variance + 1e-5), mean, variance


ROWS = {
    "softmax": SOFTMAX,
    "layer_norm": (_layer_norm, 1e-5),
    "logsumexp": (lambda k, x: k.amax(x) + k.log(k.sum(k.exp(x - k.amax(x)))), 1e-6),
    "argmax": (lambda k, x: k.amin(k.where(x == k.amax(x), k.index(), k.size())), 0.0),
    "product": (lambda k, x: k.prod(x), 1e-5),
    "any, all": (lambda k, x: (k.amax(x > 2), k.amin(x > -2)), 0.0),
    "positions": (lambda k, x: x + k.index("f32") + 100 * k.row_index("f32"), 0.0),
    "size": (lambda k, x: (k.sum(x) / k.size("f32"), k.size()), 1e-6),
}


@pytest.mark.parametrize(
    ("shape", "inner"), [((5, 70), 1), ((3, 2, 9, 17), 2), ((40, 3), 1), ((1, 5000), 1), ((6,), 1)]
)
@pytest.mark.parametrize("name", ROWS)
def test_rows(name, shape, inner):
    emit, rtol = ROWS[name]
    x = normal(*shape)
    check(emit, x, inner=inner, rtol=rtol)
    check(emit, np.asfortranarray(x), inner=inner, rtol=rtol)
    check(emit, np.moveaxis(x, 0, -1), inner=inner, rtol=rtol)


def test_reductions_over_columns_run_in_lanes_of_rows():
    from kobai.compile.lower import fit

    x = normal(500, 70)
    kernel = build(lambda k, x: (k.sum(x), k.amax(x)), ["f32"])
    assert fit(kernel, x.T.shape, [x.T.strides, (4, 0), (4, 0)], 1).layout.vector == 0
    check(lambda k, x: (k.sum(x), k.amax(x), x - k.amin(x)), x.T, inner=1, rtol=1e-6)


@pytest.mark.parametrize("rows", [(1, 50), (7, 1), (3, 17), (5, 33)])
@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_many_short_rows(rows, length):
    """Lanes are rows then, whatever lies together in memory."""
    m, n = rows
    check(lambda k, a, b: (k.tanh(k.sum(a * b)), a * b + k.sum(a)), normal(m, 1, length), normal(1, n, length), inner=1,
          rtol=1e-5)


def test_long_sums_are_accurate():
    """The error of a sum of a million numbers is that of the last rounding: partial sums are in double."""
    x = RNG.uniform(0, 1, 10**6).astype("f4")
    kernel = build(lambda k, x: k.sum(x), ["f32"])
    exact = x.astype(np.longdouble).sum()
    assert abs(float(llvm.run(kernel, x)[0].item() - exact)) <= 4e-7 * float(exact)


def test_reductions_over_nothing():
    check(lambda k, x: (k.sum(x), k.prod(x), k.amax(x), k.amin(x)), np.zeros((3, 0), "f4"), inner=1)
    check(lambda k, x: (k.sum(x), k.amax(x)), np.zeros((0, 3), "f4"), inner=1)
    check(lambda k, x, w: x - k.sum(x) * w, np.zeros((0, 3), "f4"), np.ones(3, "f4"), inner=1)


def test_nan_and_infinities_in_reductions():
    x = normal(4, 40)
    x[0, 7], x[1, 39], x[2, 3] = np.nan, np.inf, -np.inf
    check(lambda k, x: (k.amax(x), k.amin(x), k.sum(x)), x, inner=1, rtol=1e-6)


# --- operations


EDGES = np.array([0.0, -0.0, 1.0, -1.5, 2.5, 3.5, 1e30, -1e-30, np.inf, -np.inf, np.nan, 1e-40])
ELEMENTWISE = {
    "arithmetic": lambda k, a, b: (a + b, a - b, a * b, a / b, -a, abs(a)),
    "rounding": lambda k, a, b: (k.floor(a), k.round(a), k.ceil(a), k.trunc(a), k.sqrt(a)),
    "extremes": lambda k, a, b: (k.clamp(a, -1, 2), k.clamp(a, high=2.0), k.clamp(a, low=-1)),
    "comparison": lambda k, a, b: (a == b, a < b, a <= b, a != b, a > b, a >= b, k.isnan(a), k.isinf(a)),
    "remainder": lambda k, a, b: (k.fmod(a, b), a % b, a // b),
    "choice": lambda k, a, b: (k.where(a < b, a, b * 2), k.where(a < b, a, b * 2, rare=True), k.sign(a)),
    "signs": lambda k, a, b: (k.copysign(a, b), k.signbit(a)),
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_floats(name, dtype):
    a, b = [m.ravel().astype(dtype) for m in np.meshgrid(EDGES, EDGES)]
    check(ELEMENTWISE[name], a, b)
    check(ELEMENTWISE[name], normal(333, dtype=dtype), normal(333, dtype=dtype))


def test_fma_is_exact():
    a, b = normal(4000), normal(4000)
    check(lambda k, a, b, c: k.fma(a, b, c), a, b, (-a * b))


def test_products_and_sums_are_not_contracted():
    a, b = normal(4000), normal(4000)
    check(lambda k, a, b, c: a * b + c, a, b, -a * b)


def test_maximum_passes_nan_on():
    a, b = [m.ravel() for m in np.meshgrid(EDGES, EDGES)]
    kernel = build(lambda k, a, b: (k.maximum(a, b), k.minimum(a, b)), ["f64"] * 2)
    for got, expected in zip(llvm.run(kernel, a, b), reference.run(kernel, a, b)):
        assert np.array_equal(got, expected, equal_nan=True)  # the sign of a zero may differ


def test_scale():
    a = normal(2000, dtype="f8")
    n = RNG.integers(-1100, 1100, 2000).astype("f8")
    check(lambda k, a, n: k.scale(a, n), a, n)
    check(lambda k, a, n: k.scale(a, n), a.astype("f4"), (n / 8).round().astype("f4"))


INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype):
    info = np.iinfo(dtype)
    numbers = np.array(
        [
            info.min,
            info.min + 1,
            0,
            1,
            2,
            3,
            7,
            info.max - 1,
            info.max,
            *(() if dtype[0] == "u" else (-1, -7)),
        ],
        dtype,
    )
    a, b = [m.ravel() for m in np.meshgrid(numbers, numbers)]
    check(lambda k, a, b: (a + b, a - b, a * b, k.div(a, b), k.fmod(a, b), a // b, a % b), a, b)
    check(lambda k, a, b: (a & b, a | b, a ^ b, ~a, a << (b & 7), a >> (b & 7), -a, abs(a)), a, b)
    check(lambda k, a, b: (a == b, a < b, a <= b, k.maximum(a, b), k.minimum(a, b), k.sign(a)), a, b)
    check(lambda k, a, b: (k.sum(a), k.prod(a), k.amax(b), k.amin(b)), a, b)


TYPES = ["bool", "u8", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"]


@pytest.mark.parametrize("source", TYPES)
def test_casts(source):
    x = np.concatenate([np.arange(0, 100, 7), RNG.uniform(0, 100, 50)])
    if kind_of(source) in "ihf":
        x = np.concatenate([x, -x])
    x = x.astype(numpy_type(source))
    for target in TYPES:
        if target == "u8" and x.min() < 0 and kind_of(source) in "hf":
            continue  # C leaves it open; test_definition says what we do
        check(lambda k, x, t=target: k.cast(x, t), x)


def test_rounding_to_bfloat16():
    ties = (np.arange(0x3F800000, 0x3F800000 + 0x40000, 0x1000, dtype="u4")).view("f4")
    odd = np.array([np.nan, -np.nan, np.inf, 3.4e38, -3.4e38, 1e-40, -1e-45, 0.0, -0.0], "f4")
    check(lambda k, x: (k.cast(x, "bf16"), k.cast(x, "f16")), np.concatenate([ties, odd, normal(1000)]))


# --- rare branches


@pytest.mark.parametrize("limit", [-1.0, 0.5, 100.0])
def test_rare_values_are_computed_where_wanted(limit):
    check(lambda k, x: k.where(abs(x) > limit, k.sqrt(x * x + 3) * 2, x, rare=True) + 1, normal(1000))


def test_rare_branches_nest_and_share():
    def emit(k, x):
        costly = x * x + 1
        inner = k.where(x > 2, costly / 3, x - 1, rare=True)
        return k.where(x > 1, inner * 2, costly, rare=True), costly

    check(emit, normal(1000))


def test_the_rare_value_may_be_the_condition_s_argument():
    check(lambda k, x: k.where(x * 2 > 1, x * 2, x, rare=True), normal(100))


# --- random kernels


@st.composite
def programs(draw):
    """A random kernel over a few types: (function that builds it, operand types)."""
    types = draw(
        st.lists(st.sampled_from(["f32", "f64", "i32", "i64", "u8", "bool"]), min_size=1, max_size=3)
    )
    steps = draw(st.lists(st.tuples(st.integers(0, 12), *[st.integers(0, 30)] * 3), min_size=1, max_size=14))

    def emit(k, *inputs):
        values = list(inputs)
        for what, *which in steps:
            a, b, c = [values[w % len(values)] for w in which]
            try:
                values.append(_step(k, what, a, k.cast(b, a.dtype), k.cast(c, "bool")))
            except TypeError:
                values.append(k.cast(a, "f32"))
        return tuple(values[-3:])

    return emit, types


def _step(k, what, a, b, c):
    return [
        lambda: a + b,
        lambda: a - b,
        lambda: a * b,
        lambda: k.maximum(a, b),
        lambda: a < b,
        lambda: k.where(c, a, b),
        lambda: a & b,
        lambda: a ^ b,
        lambda: -a,
        lambda: abs(a),
        lambda: a == b,
        lambda: k.floor(a),
        lambda: k.where(c, a * b, b, rare=True),
    ][what]()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs(), st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 2**32 - 1), st.data())
def test_random_kernels(program, shape, seed, data):
    emit, types = program
    rng = np.random.default_rng(seed)
    arrays = []
    for t in types:
        own = tuple(1 if data.draw(st.booleans()) and data.draw(st.booleans()) else s for s in shape)
        values = rng.integers(0, 2 if t == "bool" else 9, own)
        order = data.draw(st.permutations(range(len(own))))
        arrays.append(
            np.moveaxis(
                np.ascontiguousarray(np.moveaxis(values.astype(numpy_type(t)), range(len(own)), order)),
                order,
                range(len(own)),
            )
        )
    kernel = build(emit, types)
    compare(reference.run(kernel, *arrays), llvm.run(kernel, *arrays))


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (40, 100), (7, 1000), (5, 3, 20)])
def test_the_next_row_is_asked_for_while_one_is_computed(shape):
    """Where rows take several passes; also beyond the last row, where there may be no memory."""
    kernel = build(SOFTMAX[0], ["f32"])
    fitted = fit(kernel, shape, [normal(*shape).strides] * 2, 1)
    assert ("llvm.prefetch" in llvm.compiled(kernel, fitted.layout).text) == (len(fitted.sizes) > 1 and not fitted.layout.tall)
    check(SOFTMAX[0], normal(*shape), inner=1, rtol=SOFTMAX[1])


def test_rows_of_one_pass_and_long_ones_are_read_as_they_come():
    for emit, width in ((lambda k, x: k.sum(x), 100), (SOFTMAX[0], 5000)):
        kernel = build(emit, ["f32"])
        layout = fit(kernel, (9, width), [(4 * width, 4), (4 * width, 4) if width > 100 else (4, 0)], 1).layout
        assert "llvm.prefetch" not in llvm.compiled(kernel, layout).text


# --- compiling


def test_equal_kernels_share_machine_code():
    from kobai.compile.lower import fit

    first, second = [build(lambda k, x: k.exp(x) * 3, ["f32"], name) for name in ("one", "two")]
    layout = fit(first, (5,), [(4,), (4,)]).layout
    assert llvm.compiled(first, layout) is llvm.compiled(second, layout)


def test_missing_type():
    with pytest.raises(NoKernel):
        build(lambda k, x: x, [np.complex128])


TABLES = '''
import numpy as np
from kobai.backends import llvm, numpy
from kobai.compile.builder import build
from kobai.compile.kernel import numpy_type
for count in (16, 32):
    table = [(-1.5) ** i for i in range(count)]
    place = np.arange(-70, 71, dtype="i4")
    kernels = [build(emit, types) for emit, types in (
        (lambda k, i, x: (k.table(table, i), k.table(table, k.cast(i, "u32")) * x), ["i4", "f4"]),
        (lambda k, i, x: k.cast(k.table(table, i), "f64") + x, ["i4", "f8"]),  # fewer lanes
        (lambda k, i, x: k.table(table, k.cast(i, "i64")) + k.cast(x, "f32"), ["i4", "i8"]))]
    for kernel in kernels:
        dtype = numpy_type(kernel.operands[1].dtype)
        for p in (place, place[:1], place[:17], np.int32(5)):  # the last is one number: no lanes
            x = np.arange(np.size(place), dtype=dtype)
            x = x[: np.size(p)] if np.ndim(p) else x
            for got, expected in zip(llvm.run(kernel, p, x), numpy.run(kernel, p, x)):
                assert np.array_equal(got, expected), kernel
print("fine")
'''


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names x86 CPUs")
@pytest.mark.parametrize("cpu", ["x86-64-v2", "x86-64-v3", ""])
def test_tables(cpu):
    done = subprocess.run([sys.executable, "-c", TABLES], capture_output=True, text=True, env={**os.environ, "KOBAI_CPU": cpu})
    assert done.stdout == "fine\n", done.stderr


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names x86 CPUs")
@pytest.mark.parametrize("cpu", ["x86-64-v2", "x86-64-v3"])
def test_older_processors(cpu):
    code = """if True:
        import numpy as np
        from kobai.backends import llvm, numpy
        from kobai.compile.builder import build
        x = np.concatenate([np.linspace(-120, 120, 5001), [np.inf, -np.inf, np.nan]]).astype("f4")
        for t in ("f4", "f8"):
            a = x.astype(t)
            kernel = build(lambda k, x: (k.exp(x), k.tanh(x), k.sin(x), k.erf(x), k.log(x), k.cast(x, "bf16")), [t])
            rtol = 3e-7 if t == "f4" else 1e-15
            for got, expected in zip(llvm.run(kernel, a), numpy.run(kernel, a)):
                np.testing.assert_allclose(got.astype("f8"), expected.astype("f8"), rtol, atol=3e-45)
        rows = x[:5000].reshape(50, 100)
        kernel = build(lambda k, x: (k.exp(x - k.amax(x)) / k.sum(k.exp(x - k.amax(x))), k.sum(x)), ["f4"])
        for got, expected in zip(llvm.run(kernel, rows, inner=1), numpy.run(kernel, rows, inner=1)):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-4)
        print("fine")
    """
    environment = {**os.environ, "KOBAI_CPU": cpu}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "fine\n", done.stderr
