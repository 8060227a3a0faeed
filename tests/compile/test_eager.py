"""Ops on arrays as machine code, through the callables that eager mode uses: values, shapes, memory order."""

import gc
import subprocess
import sys

import numpy as np
import pytest

import kobai  # noqa: F401  (fills the registry)
from kobai.backends import eager, llvm
from kobai.compile.lower import Layout
from kobai.op import registry
from kobai.ops.normalize import NativeLayerNorm
from kobai.rules import compiled_rules

pytestmark = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
OP = {cls.__name__: cls for cls in registry}
FLAT = Layout(("1", "1"), 1, 0)
RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype("f4")


def check(op, *arrays, rtol=1e-6):
    # Copies: NumPy computes `a + b` in place where it thinks that nobody else holds a.
    expected, got = op.forward(*[a.copy("K") for a in arrays]), eager.forward(op, arrays)
    assert type(got) is type(expected)
    assert got.dtype == expected.dtype and got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-6)
    return got, expected


@pytest.mark.parametrize("shape", [(1,), (5,), (3, 4), (1000,), (40, 50), (100, 1000), (2, 3, 4, 5), (0, 3)])
def test_contiguous(shape):
    got, _ = check(OP["Tanh"](), normal(*shape))
    assert got.flags.c_contiguous and got.flags.owndata and got.flags.writeable and got.flags.aligned
    check(OP["Add"](), normal(*shape), normal(*shape))
    check(OP["Lt"](), normal(*shape), normal(*shape))


@pytest.mark.parametrize(
    "view",
    [lambda x: x.T, lambda x: x[::2], lambda x: x[:, 1:], lambda x: x.transpose(1, 0)[::-1], lambda x: x[0]],
)
def test_results_have_numpy_s_memory_order(view):
    got, expected = check(OP["Exp"](), view(normal(20, 30)))
    assert got.strides == expected.strides


def test_broadcasting():
    check(OP["Mul"](), normal(20, 30), normal(30))
    check(OP["Mul"](), normal(20, 1), normal(30))
    check(OP["Add"](), normal(20, 30), np.asarray(normal()))


@pytest.mark.parametrize("dim", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_reductions(dim, keepdim):
    check(OP["Sum"](dim, keepdim), normal(7, 11, 13), rtol=1e-5)
    check(OP["Sum"](dim, keepdim), normal(13, 11, 7).T, rtol=1e-5)


@pytest.mark.parametrize("dim", [0, 1])
def test_softmax_and_its_backward(dim):
    op, x, g = OP["Softmax"](dim), normal(40, 70), normal(40, 70)
    y, _ = check(op, x)
    (got,) = eager.backward(op, 1, {"y": y, "x": x}, g)
    np.testing.assert_allclose(got, y * (g - (g * y).sum(dim, keepdims=True)), rtol=1e-4, atol=1e-6)


def test_backward_gives_what_the_mask_asks_for():
    a, b, g = normal(50), normal(50), normal(50)
    y = a * b
    for mask in (1, 2, 3):
        grads = eager.backward(OP["Mul"](), mask, {"y": y, "a": a, "b": b}, g)
        assert [x is not None for x in grads] == [bool(mask & 1), bool(mask & 2)]
    np.testing.assert_array_equal(grads[0], g * b)
    np.testing.assert_array_equal(grads[1], g * a)


def test_types_without_scalar_code():
    assert eager.forward(OP["Add"](), (np.ones(3, "c8"), np.ones(3, "c8"))) is None


def test_subclasses_and_other_byte_orders_are_not_taken_for_arrays():
    program = eager.Program(eager.kernel_of(OP["Neg"](), [np.float32]))
    kind, address = np.dtype("f4"), llvm.compiled(program.kernel, FLAT).address
    refused = []
    flat = llvm.bridge().flat(address, [kind], [kind], lambda *a: refused.append(a))
    x = normal(100)
    assert np.array_equal(flat(x), -x)
    others = [
        (np.ma.masked_array(x),),
        (x.astype(">f4"),),
        (x.astype("f8"),),
        (x[::2],),
        (x, x),
        (1.0,),
        (x[0],),
    ]
    for arguments in others:
        flat(*arguments)
    assert len(refused) == len(others)


def test_errors_of_the_general_way_are_passed_on():
    kind, kernel = np.dtype("f4"), eager.kernel_of(OP["Neg"](), [np.float32])

    def refuse(*arrays):
        raise ValueError("no such arrays")

    flat = llvm.bridge().flat(llvm.compiled(kernel, FLAT).address, [kind], [kind], refuse)
    with pytest.raises(ValueError, match="no such arrays"):
        flat(normal(10)[::2])


@pytest.mark.parametrize("size", [10, 100_000])
def test_references_are_counted(size):
    op, x = OP["Mul"](), np.ones(size, "f4")
    y = eager.forward(op, (x, x))
    eager.backward(op, 3, {"y": y, "a": x, "b": x}, x)
    eager.forward(op, (x[::2], x[::2]))
    gc.collect()  # what other tests left
    before = sys.getrefcount(x), sys.getrefcount(y.dtype), sys.getrefcount(NotImplemented)
    for _ in range(200):
        z = eager.forward(op, (x, x))
        eager.backward(op, 3, {"y": z, "a": x, "b": x}, x)
        eager.forward(op, (x[::2], x[::2]))
    del z
    gc.collect()
    after = sys.getrefcount(x), sys.getrefcount(y.dtype), sys.getrefcount(NotImplemented)
    assert max(abs(b - a) for a, b in zip(before, after)) <= 3
    assert sys.getrefcount(y) == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_given_back():
    op, x = OP["Neg"](), np.ones(4_000_000, "f4")
    eager.forward(op, (x,))
    before = _resident()
    for _ in range(50):
        eager.forward(op, (x,))
    assert _resident() - before < 100


def _resident():
    """Megabytes of memory this process uses."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096 / 1e6


def test_results_begin_at_a_cache_line():
    for shape in ((5000,), (100, 300)):
        assert eager.forward(OP["Exp"](), (normal(*shape),)).ctypes.data % 64 == 0


def test_results_are_ordinary_arrays():
    y = eager.forward(OP["Exp"](), (normal(5000),))
    y += 1
    assert y.base is None
    assert np.array_equal(y.copy(), y)
    assert np.concatenate([y, y]).shape == (10000,)


def test_other_threads_run_meanwhile():
    import threading

    op, x = OP["Exp"](), normal(2_000_000)
    expected = op.forward(x)
    results = [None] * 4

    def work(i):
        results[i] = eager.forward(op, (x,))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in results:
        np.testing.assert_allclose(r, expected, rtol=1e-6)


def test_without_llvmlite_everything_falls_back_to_numpy():
    code = """if True:
        import sys
        sys.modules["llvmlite"] = None
        import numpy as np
        import kobai
        from kobai.backends import eager, llvm, numpy
        from kobai.compile.builder import build
        assert not llvm.available
        op = next(c for c in kobai.op.registry if c.__name__ == "Add")()
        assert eager.forward(op, (np.ones(3, "f4"),) * 2) is None
        kernel = build(lambda k, x: k.tanh(x), ["f32"])
        assert numpy.run(kernel, np.zeros(3, "f4"))[0].tolist() == [0, 0, 0]
        kobai.manual_seed(0)
        kobai.randn(100_000)
        print("fine")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "fine\n", done.stderr


@pytest.mark.parametrize("rows", [1, 2])
def test_a_gradient_that_is_handed_on_does_not_leave_the_others_to_numpy(rows):
    op, rng = NativeLayerNorm(1e-5, (-1,)), np.random.default_rng(0)
    x, g, w = [rng.standard_normal(s).astype("f4") for s in ((rows, 30), (rows, 30), 30)]
    run = eager.backward_of(op, 7, compiled_rules(NativeLayerNorm, 7, False)[1].asks, (g, x, w))
    assert run, "with one row the bias's gradient is g itself"
    want = op.back(g.astype("f8"), x.astype("f8"), w.astype("f8"), (True, True, True))
    for y, z in zip(run(g, x, w), want):
        assert y.shape == z.shape and not np.shares_memory(y, g)
        np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5)
