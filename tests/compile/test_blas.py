"""Matrix products by machine code, against NumPy in double precision; the same bits for any number of threads."""

import ctypes
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import kobai
from kobai import large
from kobai.backends import blas, gemm, gemm_cut, gemm_half, llvm
from kobai.compile.kernel import NoKernel

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
RNG = np.random.default_rng(0)
SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


@pytest.fixture
def pools():
    """`pools(f)`: what f gives with pools of several sizes."""
    pool = llvm.bridge().pool
    before = pool.size

    def of_each(f):
        found = []
        for count in (1, 2, 5):
            pool.resize(count)
            found.append(f())
        return found
    yield of_each
    pool.resize(before)


def random(shape, dtype, order="C"):
    """Normal numbers; order F: the last two dimensions the other way round in memory; S: every second element."""
    if order == "F":
        return random((*shape[:-2], shape[-1], shape[-2]), dtype).swapaxes(-1, -2)
    if order == "S":
        return random((*shape[:-2], 2 * shape[-2], 2 * shape[-1]), dtype)[..., ::2, ::2]
    return RNG.standard_normal(shape).astype(dtype)


def close(y, a, b, e=0.0):
    """Whether y is a @ b + e within what rounding each product and sum may do."""
    a, b = a.astype("f8"), b.astype("f8")
    bound = (a.shape[-1] + 2) * np.finfo(y.dtype).eps * (np.abs(a) @ np.abs(b) + np.abs(e))
    return bool((np.abs(y - (a @ b + e)) <= bound).all())


SHAPES = [(1, 1, 1), (5, 3, 7), (12, 32, 16), (13, 33, 17), (64, 64, 64), (100, 37, 300), (257, 100, 513), (3, 200, 1000),
          (1, 333, 100), (500, 1, 77), (2, 2, 3000), (700, 600, 20)]  # fmt: skip


@pytest.mark.parametrize("order", ["CC", "CF", "FC", "FF", "SC", "CS", "SS"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("m, n, k", SHAPES)
def test_products(m, n, k, dtype, order):
    a, b, e = random((m, k), dtype, order[0]), random((k, n), dtype, order[1]), random((n,), dtype)
    assert close(blas.product(a, b), a, b)
    assert close(blas.product(a, b, e), a, b, e)


@pytest.mark.parametrize("order", ["CC", "CF", "FC", "FF", "SC", "CS"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("m", [11, 12, 13, 18, 29, 108, 113, 122])
def test_panels_and_slivers_of_all_sizes(m, dtype, order):
    """Around the rows of a panel, and of what meets two slivers at once; one sliver, two, three and a bit, many."""
    for n, k in [(32, 9), (64, 300), (97, 513), (200, 70), (300, 600)]:
        a, b, e = random((m, k), dtype, order[0]), random((k, n), dtype, order[1]), random((m, n), dtype)
        assert close(blas.product(a, b), a, b)
        c = np.full((m, n + 3), np.nan, dtype)
        run(dtype, a, b, c[:, :n], e, alpha=0.5, beta=-2.0)
        assert close(np.ascontiguousarray(c[:, :n]), 0.5 * a, b, -2.0 * e)
        assert np.isnan(c[:, n:]).all()


@pytest.mark.parametrize("left", ["C", "F", "S"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("m, n, k", [(1, 1031, 70), (2, 600, 257), (3, 128, 333), (4, 64, 601), (4, 259, 99), (5, 300, 300),
                                     (7, 129, 401)])  # fmt: skip
def test_few_rows_times_a_matrix_that_is_read_once(m, n, k, dtype, left, pools):
    a, b, e = random((m, k), dtype, left), random((k, n), dtype), random((n,), dtype)
    found = pools(lambda: blas.product(a, b, e))
    assert close(found[0], a, b, e)
    assert all(np.array_equal(y, found[0]) for y in found)
    c, more = np.full((m, n + 3), np.nan, dtype), random((m, n), dtype)
    run(dtype, a, b, c[:, :n], more, alpha=0.5, beta=-2.0)
    assert close(np.ascontiguousarray(c[:, :n]), 0.5 * a, b, -2.0 * more)
    assert np.isnan(c[:, n:]).all()


@pytest.mark.parametrize("size", [4, 8, 9])
def test_large_batches_of_small_matrices(size, pools):
    a, b = random((300, size, size), "f4"), random((300, size, size), "f4")
    found = pools(lambda: blas.product(a, b))
    assert close(found[0], a, b)
    assert all(np.array_equal(y, found[0]) for y in found)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 600), st.sampled_from(["C", "F"]), st.sampled_from(["C", "F"]))
def test_products_of_any_shape(m, n, k, left, right):
    a, b = random((m, k), "f4", left), random((k, n), "f4", right)
    assert close(blas.product(a, b), a, b)


@pytest.mark.parametrize("lead", [(3,), (2, 3), (4, 1, 2)])
@pytest.mark.parametrize("order", ["CC", "CF", "FC"])
def test_batches(lead, order):
    a, b = random((*lead, 20, 30), "f4", order[0]), random((*lead, 30, 40), "f4", order[1])
    assert close(blas.product(a, b), a, b)


def test_heads_of_attention_are_read_where_they_are():
    q, k = random((2, 30, 4, 16), "f4"), random((2, 30, 4, 16), "f4")
    a, b = q.transpose(0, 2, 1, 3), k.transpose(0, 2, 3, 1)
    assert close(blas.product(a, b), a, b)


def test_one_matrix_for_a_whole_batch():
    a, b = random((5, 20, 30), "f4"), np.broadcast_to(random((30, 40), "f4"), (5, 30, 40))
    assert close(blas.product(a, b), a, b)


def test_what_is_left_to_numpy():
    a = random((4, 5), "f4")
    assert blas.product(a, random((5, 3), "f8")) is None
    assert blas.product(a.astype("c8"), random((5, 3), "f4").astype("c8")) is None
    assert blas.product(a[:, :0], random((0, 3), "f4")) is None
    assert blas.product(a.astype("i4"), np.ones((5, 3), "i4")) is None
    with pytest.raises(NoKernel):
        blas.words_of(np.dtype("f4"), 4, 3, 5, (20, 4), (12, 4), (24, 8))


def run(dtype, a, b, c, e=None, begin=0, end=None, **changes):
    """The code on arrays, some of its words changed."""
    dtype = np.dtype(dtype)
    m, n, k = a.shape[0], b.shape[1], a.shape[1]
    scale = {key: changes.pop(key) for key in ("alpha", "beta") if key in changes}
    address, words, extent, _ = blas.words_of(
        dtype, m, n, k, a.strides, b.strides, c.strides, None if e is None else e.strides, **scale)  # fmt: skip
    for key, value in changes.items():
        words[gemm.AT[key]] = value
    operands = [x.ctypes.data for x in (a, b, e, c) if x is not None]
    block = (ctypes.c_int64 * (len(operands) + len(words)))(*operands, *words)
    SIGNATURE(address)(ctypes.addressof(block), begin, extent if end is None else end)
    return extent


@pytest.mark.parametrize("copy_a", [gemm_cut.AS_IT_IS, gemm_cut.PANELS, gemm_cut.ROWS])
@pytest.mark.parametrize("depth", [64, 256])
def test_alpha_and_beta_and_nothing_outside_is_written(copy_a, depth):
    a, b, e = random((70, 200), "f8"), random((200, 90), "f8"), random((70, 90), "f8")
    c = np.full((70, 96), np.nan)
    run("f8", a, b, c[:, :90], e, alpha=0.5, beta=-2.0, copy_a=copy_a, depth=depth)
    assert close(c[:, :90], 0.5 * a, b, -2.0 * e)
    assert np.isnan(c[:, 90:]).all()


def test_results_may_be_added_to_what_is_there():
    a, b, c = random((70, 200), "f4"), random((200, 90), "f4"), random((70, 90), "f4")
    before = c.copy()
    run("f4", a, b, c, c)
    assert close(c, a, b, before)


def test_results_may_lie_by_columns():
    a, b, e, c = random((70, 20), "f4"), random((20, 90), "f4"), random((70, 90), "f4", "F"), random((70, 90), "f4", "F")
    run("f4", a, b, c, e)
    assert close(c, a, b, e)


def test_tiles_may_be_done_in_any_order():
    a, b = random((300, 250), "f4"), random((250, 300), "f4")
    c, d = np.empty((300, 300), "f4"), np.empty((300, 300), "f4")
    tiles = dict(rows=140, cols=160, across=2, tiles=6)
    run("f4", a, b, c, end=6, **tiles)
    for i in reversed(range(6)):
        run("f4", a, b, d, begin=i, end=i + 1, **tiles)
    assert np.array_equal(c, d)


@pytest.mark.parametrize("shape", [(64, 64, 64), (300, 500, 200), (1024, 30, 700), (10, 1000, 300)])
def test_the_same_bits_for_any_number_of_threads(shape):
    m, n, k = shape
    a, b, pool = random((m, k), "f4"), random((k, n), "f4"), llvm.bridge().pool
    before = pool.size
    try:
        results = []
        for count in (1, 2, 3, 7):
            pool.resize(count)
            results += [blas.product(a, b) for _ in range(3)]
    finally:
        pool.resize(before)
    for r in results[1:]:
        assert np.array_equal(r, results[0])


def test_nan_and_infinity_go_where_they_belong():
    """0 * inf is NaN: nothing is left out, and the padding of narrow slivers reaches no result."""
    a, b = random((13, 40), "f4"), random((40, 35), "f4")
    b[7, 34], a[3, :] = np.inf, 0.0
    y = blas.product(a, b)
    with np.errstate(invalid="ignore"):
        expected = np.matmul(a.astype("f8"), b)
    assert np.array_equal(np.isnan(y), np.isnan(expected))
    assert np.array_equal(np.isinf(y), np.isinf(expected))


CHECK = """
import numpy as np
from kobai.backends import blas
r = np.random.default_rng(0)
for m, n, k in [(1, 1, 1), (13, 33, 17), (40, 70, 300), (2, 200, 100), (200, 1, 40)]:
    for t in "fd":
        for left in (0, 1):
            for right in (0, 1):
                a, b = r.standard_normal((k, m) if left else (m, k)), r.standard_normal((n, k) if right else (k, n))
                a, b = [x.astype(t).T if turn else x.astype(t) for x, turn in ((a, left), (b, right))]
                y, e = blas.product(a, b), np.finfo(t).eps * (k + 2)
                assert (abs(y - a.astype("d") @ b) <= e * (abs(a).astype("d") @ abs(b))).all(), (m, n, k, t)
print("ok")
"""


@pytest.mark.parametrize("cpu", ["x86-64-v4", "x86-64-v3", "x86-64-v2"])
def test_other_processors(cpu, monkeypatch):
    """Code for processors with registers of 64, 32 and 16 bytes, the last without multiply-add."""
    if "x86" not in llvm.machine().triple or cpu == "x86-64-v4" and llvm.machine().vector_bytes < 64:
        pytest.skip("not this kind of processor")
    monkeypatch.setenv("KOBAI_CPU", cpu)
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=120)
    assert done.stdout == "ok\n", done.stderr


@pytest.mark.parametrize("m, n, k, batch", [(64, 64, 64, 1), (1, 5000, 300, 1), (2048, 2048, 2048, 1), (64, 64, 32, 500),
                                            (256, 784, 512, 1), (10, 10, 100_000, 1), (100_000, 3, 3, 1)])  # fmt: skip
def test_tiles_cover_the_result_and_fit_the_copies(m, n, k, batch):
    for threads in (1, 2, 64):
        t = gemm_cut.tiling(m, n, k, batch, 12, 32, threads=threads)
        assert t.rows % 12 == 0 == t.cols % 32
        assert t.cols <= gemm.MOST_COLS
        assert t.depth <= gemm.MOST_DEPTH
        assert t.depth == gemm_cut.tiling(m, n, k, batch, 12, 32).depth
        assert t.grain >= 1
        tiles = -(-m // t.rows) * -(-n // t.cols) * batch
        if m * n * k * batch > 1 << 22:
            assert -(-tiles // t.grain) >= min(threads, max(1, m // 24) * max(1, n // 64) // 3 * batch)


@pytest.mark.parametrize("m, n, k, batch", [(1024, 1024, 1024, 1), (700, 700, 700, 1), (4000, 300, 200, 1), (300, 300, 300, 3),
                                            (2048, 2048, 64, 1)])  # fmt: skip
@pytest.mark.parametrize("threads", [1, 2, 3, 5, 8])
def test_threads_have_about_equally_much_to_do(m, n, k, batch, threads):
    t = gemm_cut.tiling(m, n, k, batch, 14, 32, threads=threads)
    tiles = -(-m // t.rows) * -(-n // t.cols) * batch
    chunks = -(-tiles // t.grain)
    busiest = -(-chunks // threads) * t.grain * t.rows * t.cols
    assert busiest <= 1.3 * m * n * batch / threads


@pytest.mark.parametrize("m, n, k, order, copied", [
    (192, 192, 192, "C", gemm_cut.AS_IT_IS), (2000, 512, 512, "C", gemm_cut.AS_IT_IS), (512, 512, 1024, "C", gemm_cut.ROWS),
    (14, 512, 1024, "C", gemm_cut.AS_IT_IS), (512, 64, 1024, "C", gemm_cut.AS_IT_IS),
    (192, 128, 192, "F", gemm_cut.AS_IT_IS), (192, 512, 192, "F", gemm_cut.PANELS), (512, 96, 192, "F", gemm_cut.PANELS)])
def test_rows_of_a_are_read_where_they_are_if_they_do_not_compete_for_the_cache(m, n, k, order, copied):
    a = np.empty((m, k), "f4", order=order)
    assert gemm_cut.copies(gemm_cut.Tiling(m, n, k, 1), m, n, 4, a.strides, 14, 32) == copied


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("m", [13, 14, 15, 28, 31])
@pytest.mark.parametrize("n, k", [(31, 1), (32, 2), (33, 3), (64, 4), (70, 7), (95, 1027)])
def test_rows_or_columns_or_neither_are_contiguous(m, n, k, dtype):
    """The first rows of A bring B into the order in which others read it, in whichever way they are multiplied."""
    whole_a, whole_b = random((2 * m, 2 * k), dtype), random((2 * k, 2 * n), dtype)
    found = []
    for a in (whole_a[:m, :k].copy(), whole_a[:m, :k].copy("F"), whole_a[:m, :k], np.repeat(np.repeat(whole_a[:m, :k], 2, 0), 2, 1)[::2, ::2]):
        for b in (whole_b[:k, :n].copy(), whole_b[:k, :n].copy("F"), whole_b[:k, :n], np.repeat(whole_b[:k, :n], 3, 1)[:, ::3]):
            found.append(blas.ready(dtype)(a, b))
    assert close(found[0], whole_a[:m, :k], whole_b[:k, :n])
    assert all(np.array_equal(c, found[0]) for c in found)


@pytest.mark.parametrize("m, n, k, shared", [
    (64, 128, 64, False), (100, 100, 100, False), (128, 128, 128, True), (512, 512, 512, True),
    (16, 512, 256, True), (100_000, 3, 3, True)])  # fmt: skip
def test_small_products_of_plans_are_not_shared(m, n, k, shared):
    """What one thread has just made lies in its core's cache; but where there are few multiplications for each number it pays."""
    tile = gemm_cut.worth_sharing(m, n, k)
    t = gemm_cut.tiling(m, n, k, 1, 14, 32, tile=tile)
    tiles = -(-m // t.rows) * -(-n // t.cols)
    assert (tiles > t.grain) is shared


@pytest.mark.parametrize("m, n, k", [(13, 17, 5), (300, 500, 260), (700, 40, 33), (1, 900, 50), (239, 129, 513)])
def test_the_same_bits_however_it_is_cut_and_copied(m, n, k):
    a, b = random((m, k), "f4"), random((k, n), "f4")
    found = []
    for rows, cols in [(14, 32), (70, 512), (1022, 96)]:
        for copy_a in (gemm_cut.AS_IT_IS, gemm_cut.PANELS, gemm_cut.ROWS):
            c, across = np.full((m, n), np.nan, "f4"), -(-n // cols)
            tiles = across * -(-m // rows)
            run("f4", a, b, c, end=tiles, rows=rows, cols=cols, across=across, tiles=tiles, copy_a=copy_a)
            found.append(c)
    assert close(found[0], a, b)
    assert all(np.array_equal(c, found[0]) for c in found)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("m, n, k", [(96, 128, 64), (130, 96, 200), (100, 48, 33), (90, 16, 7)])
def test_rows_of_b_at_cache_lines_and_elsewhere_give_the_same_bits(m, n, k, dtype):
    a, b = random((m, k), dtype), random((k, n), dtype)
    room, size = np.empty(b.nbytes + 192, np.uint8), b.itemsize
    start, found = -room.ctypes.data % 64, []
    for shift in (0, size, 16, 64):
        moved = room[start + shift : start + shift + b.nbytes].view(dtype).reshape(k, n)
        moved[...] = b
        found.append(blas.ready(dtype)(a, moved))
    assert close(found[0], a, b)
    assert all(np.array_equal(c, found[0]) for c in found)


def test_the_code_is_what_the_text_says():
    """The LLVM text names every function that is loaded."""
    text = gemm.text("float", 64, "x86_64-unknown-linux-gnu")
    assert all(f"@{order}_float(" in text for order in gemm.ORDERS)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("m, n, k", [(1, 1, 1), (4, 8, 16), (1, 512, 1), (3, 5, 7)])
def test_tiny_products_have_code_of_their_own(m, n, k, dtype):
    """Compiled in a few milliseconds; as exact, with alpha, beta and batches."""
    a, b, e, c = [random((3, *s), dtype)[1] for s in ((m, k), (k, n), (m, n), (m, n))]
    run(dtype, a, b, c, e, alpha=0.5, beta=-2.0)
    assert close(c, 0.5 * a, b, -2.0 * e)
    assert blas.words_of(np.dtype(dtype), m, n, k, a.strides, b.strides, c.strides)[0] in blas.code(
        np.dtype(dtype), tiny=True).addresses.values()  # fmt: skip


# ---- bfloat16 -----------------------------------------------------------------------------------
HALF_SHAPES = [(1, 1, 1), (16, 16, 16), (5, 3, 7), (33, 31, 65), (300, 500, 200), (64, 1000, 64), (100, 70, 1300)]


def halves_with(amx):
    """The entry ``abec`` for bfloat16 with or without tile registers, or a skip."""
    machine = llvm.machine()
    features = machine.features.split(",")
    if f"+{'amx-bf16' if amx else 'avx512bf16'}" not in features or machine.vector_bytes < 64:
        pytest.skip("this CPU has no such instructions")
    if amx and not gemm_half.may_use_amx():
        pytest.skip("the system does not allow tile registers")
    text = gemm_half.text(machine.triple, amx)
    return SIGNATURE(machine.load(machine.remembered(f"test {amx}", lambda: text), "abec_bfloat")[0])


@pytest.mark.parametrize("amx", [True, False])
@pytest.mark.parametrize("order", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("m, n, k", HALF_SHAPES)
def test_halves_are_summed_in_float32_and_rounded_once(m, n, k, order, amx, monkeypatch):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    half = np.dtype(ml_dtypes.bfloat16)
    code = halves_with(amx)
    monkeypatch.setitem(blas._loaded, ("E", False), blas._Code({"abec": ctypes.cast(code, ctypes.c_void_p).value}, 32, 32, 512))
    a, b, e = [random(s, "f4", o).astype(half, order="K") for s, o in (((m, k), order[0]), ((k, n), order[1]), ((1, n), "C"))]
    e = np.broadcast_to(e, (m, n))
    c = np.full((m, n + 5), 7, half)
    run(half, a, b, c[:, :n], e)
    wide = [x.astype("f8") for x in (a, b, e)]
    exact = wide[0] @ wide[1] + wide[2]
    in_float32 = (k + 2) * 2.0**-23 * (abs(wide[0]) @ abs(wide[1]) + abs(wide[2]))
    assert (abs(c[:, :n].astype("f8") - exact) <= 2.0**-8 * abs(exact) * 1.01 + in_float32).all()
    assert (c[:, n:] == 7).all()


def test_halves_that_are_not_numbers(monkeypatch):
    half = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    a, b = random((40, 40), "f4").astype(half), random((40, 40), "f4").astype(half)
    a[3, 5], a[4, 6], b[39, 39] = np.nan, np.inf, -np.inf
    try:
        y = blas.ready(half)(a, b).astype("f4")
    except NoKernel:
        pytest.skip("no fast bfloat16 here")
    with np.errstate(invalid="ignore"):
        expected = a.astype("f4") @ b.astype("f4")
    assert np.array_equal(np.isnan(y), np.isnan(expected))
    assert np.array_equal(np.isposinf(y), np.isposinf(expected))
    assert np.array_equal(np.isneginf(y), np.isneginf(expected))


def test_halves_that_do_not_follow_each_other():
    """Every second element, backwards, one row for all: such matrices gave sums of their neighbours."""
    half = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    a, b = kobai.randn(64, 256).bfloat16(), kobai.randn(256, 64).bfloat16()
    exact = a.float()[:, ::2] @ b.float()[::2]
    assert large.product(a.numpy()[:, ::2], b.numpy()[::2]).dtype == half
    for left, right, expected in (
        (a.numpy()[:, ::2], b.numpy()[::2], exact),
        (a.numpy()[:, ::-1], b.numpy(), a.float().flip(1) @ b.float()),
        (np.broadcast_to(a.numpy()[:, :1], a.shape), b.numpy(), a.float()[:, :1].expand(*a.shape) @ b.float()),
    ):
        y = blas.product(left, right)
        y = large.product(left, right) if y is None else y
        assert np.allclose(y.astype("f4"), expected.numpy(), 1e-2, 1e-1)


@pytest.mark.parametrize("m, n, k", [(1, 1, 1), (1, 40, 33), (7, 5, 3), (32, 32, 32), (65, 33, 129), (3, 257, 700)])
def test_compiled_products_of_halves_are_steps_of_their_own(m, n, k):
    half = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    if not blas.has(half):
        pytest.skip("this CPU has no fast instructions for bfloat16")
    x, w, c = [kobai.randn(*s).bfloat16() for s in ((m, k), (n, k), (n,))]
    f = kobai.compile(lambda x, w, c: kobai.nn.functional.linear(x, w, c))
    for _ in range(3):
        y = f(x, w, c)
    assert "product of" in str(f._last.plan) and f.reason is None
    exact = x.double() @ w.double().T + c.double()
    bound = exact.abs() / 256 + (x.double().abs() @ w.double().abs().T + c.double().abs()) * k * 2.0**-23
    assert bool(((y.double() - exact).abs() <= bound).all())


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize("m, k", [(1, 1), (5, 33), (130, 257), (300, 600)])
def test_matrices_of_halves_times_vectors_are_rounded_once(m, k, kind):
    """Eager and compiled: within half a unit of the last place of the exact sum, and what float32 adds."""
    dtype = getattr(kobai, kind)
    a, b = kobai.randn(m, k).to(dtype), kobai.randn(k).to(dtype)
    exact, most = a.double() @ b.double(), a.double().abs() @ b.double().abs()
    f = kobai.compile(lambda a, b: (a @ b, a[0] @ b))
    bound = exact.abs() * kobai.finfo(dtype).eps / 2 + most * k * 2.0**-23 + 2.0**-24
    for _ in range(3):
        y, one = f(a, b)
        assert y.dtype == one.dtype == dtype and f.reason is None
        assert bool(((y.double() - exact).abs() <= bound).all())
        assert abs(one.double() - exact[0]) <= bound[0]
    assert bool((((a @ b).double() - exact).abs() <= bound).all())


def test_bfloat16_without_instructions_is_left_to_others(monkeypatch):
    half = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    monkeypatch.setattr(gemm_half, "may_use_amx", lambda: False)
    monkeypatch.setattr(llvm.machine(), "cpu", "generic")
    monkeypatch.delitem(blas._loaded, ("E", False), raising=False)
    monkeypatch.setattr(blas, "_plans", {})
    assert blas.product(np.ones((64, 64), half), np.ones((64, 64), half)) is None


# ---- threads and processes ------------------------------------------------------------------------
def test_several_python_threads_at_once():
    a, b = random((150, 300), "f4"), random((300, 200), "f4")
    expected, wrong = blas.product(a, b), []

    def work():
        wrong.extend(1 for _ in range(40) if not np.array_equal(blas.product(a, b), expected))

    callers = [threading.Thread(target=work) for _ in range(6)]
    for c in callers:
        c.start()
    for c in callers:
        c.join()
    assert not wrong


FORK = """
import os, sys
import numpy as np
from kobai.backends import blas, llvm
a = np.random.default_rng(0).standard_normal((300, 300)).astype("f4")
llvm.bridge().pool.resize(3)
y = blas.product(a, a)
child = os.fork()
if child == 0:
    ok = np.array_equal(blas.product(a, a), y)
    llvm.bridge().pool.resize(2)
    ok = ok and np.array_equal(blas.product(a, a), y)
    os._exit(0 if ok else 1)
print(os.waitpid(child, 0)[1], np.array_equal(blas.product(a, a), y))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_multiplies_alone_and_with_threads_of_its_own():
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "0 True\n"), done.stderr


@pytest.mark.parametrize("left, right", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("m, n, k", [(33, 31, 65), (300, 700, 1500), (1100, 17, 700), (97, 101, 2999), (1, 513, 1025), (2, 300, 600),
                                     (3, 65, 1100), (5, 31, 99), (8, 700, 513)])  # fmt: skip
def test_large_products_of_bfloat16(m, n, k, left, right, pools):
    """Several blocks, stretches and tiles; the same bits for any number of threads."""
    half = pytest.importorskip("ml_dtypes").bfloat16
    try:
        product = blas.ready(half)
    except NoKernel:
        pytest.skip("this CPU has no fast instructions for bfloat16")
    a, b, e = random((m, k), half, left), random((k, n), half, right), random((n,), half)
    found = pools(lambda: product(a, b, e))
    assert all(np.array_equal(y.view("u2"), found[0].view("u2")) for y in found)
    a, b, e = a.astype("f8"), b.astype("f8"), e.astype("f8")
    exact = a @ b + e
    assert (np.abs(found[0].astype("f8") - exact) <= np.abs(exact) / 256 + (np.abs(a) @ np.abs(b) + np.abs(e)) * k * 2.0**-24).all()
