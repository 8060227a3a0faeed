"""When eager mode turns to machine code, and that nothing but speed changes: values, errors, gradients, order.

Expected values are NumPy's, by the same ops on small parts or in float64.
"""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import kobai
import kobai.nn.functional as F
from kobai import large
from kobai.backends import llvm
from kobai.ops.activation import Gelu
from kobai.ops.elementwise import Mul
from kobai.ops.exponential import Exp
from kobai.ops.index import AddAt
from kobai.ops.normalize import NativeBatchNorm, NativeGroupNorm, NativeLayerNorm

pytestmark = pytest.mark.filterwarnings("error:no machine code", "error::pytest.PytestUnhandledThreadExceptionWarning")
needs_llvm = pytest.mark.skipif(not llvm.available, reason="needs llvmlite")
RNG = np.random.default_rng(0)


@pytest.fixture
def at_once(monkeypatch):
    """Machine code from the second use on, for ops that this test meets first."""
    monkeypatch.setattr(large, "BUDGET", dict.fromkeys(large.BUDGET, 1))
    _forget()
    yield
    _forget()


def _forget():
    for cls in kobai.op.registry:
        for op in [*cls._instances.values()]:
            for name in ("uses", "quick", "backs"):
                op.__dict__.pop(name, None)
            if op.pace is not None:
                op.pace.words[:] = -1


(TANH,) = [cls for cls in kobai.op.registry if cls.__name__ == "Tanh"]


def tensor(*shape, grad=True, dtype="f4"):
    return kobai.tensor(RNG.standard_normal(shape).astype(dtype), requires_grad=grad)


def uses(op):
    return {k: bool(u.run) for k, u in op.uses.items()}


TARGET = tensor(128, 65, grad=False)
ZERO_ONE = (TARGET > 0).float()
CLASSES = kobai.tensor(RNG.integers(0, 65, 128))
CASES = {
    "exp": (kobai.exp, (72, 64)),
    "gelu": (F.gelu, (72, 64)),
    "softmax": (lambda x: F.softmax(x, -1), (72, 64)),
    "softmax over columns": (lambda x: F.softmax(x, 0), (72, 64)),
    "log_softmax": (lambda x: F.log_softmax(x, 1), (72, 64)),
    "logsumexp": (lambda x: kobai.logsumexp(x, 1), (72, 64)),
    "layer_norm": (lambda x: F.layer_norm(x, (64,)), (4, 16, 64)),
    "group_norm": (lambda x: F.group_norm(x, 4), (4, 16, 8, 8)),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True), (8, 16, 8, 8)),
    "mean": (lambda x: x.mean((0, 2)), (12, 16, 20)),
    "amax": (lambda x: x.amax(0), (72, 64)),
    "norm": (lambda x: x.norm(dim=1), (72, 64)),
    "number": (lambda x: kobai.lerp(x, x * 2, 0.3), (72, 64)),
    "transposed": (lambda x: kobai.tanh(x.T), (72, 64)),
    "strided": (lambda x: kobai.tanh(x[::2, 1:]), (128, 65)),
    "expanded": (lambda x: kobai.sigmoid(x.expand(64, 64)), (64, 1)),
    "square": (lambda x: kobai.logsumexp(x, 1), (64, 64)),
    "prod": (lambda x: x.prod(1), (64, 40)),
    "where": (lambda x: kobai.where(x > 0, x, 0.5 * x), (200, 200)),
    "broadcast": (lambda x: x * x[:1] + x[:, :1], (200, 200)),
    "layer_norm without weights": (lambda x: F.layer_norm(x, (65,)), (3, 7, 65)),
    "layer_norm of two dimensions": (lambda x: F.layer_norm(x, (7, 65), None, None), (3, 7, 65)),
    "cross_entropy": (lambda x: F.cross_entropy(x, CLASSES), (128, 65)),
    "nll_loss": (lambda x: F.nll_loss(x, CLASSES, reduction="none"), (128, 65)),
    "bce_with_logits": (lambda x: F.binary_cross_entropy_with_logits(x, ZERO_ONE), (128, 65)),
    "bce_with_logits, weighted": (
        lambda x: F.binary_cross_entropy_with_logits(x, ZERO_ONE, TARGET.abs(), pos_weight=TARGET[0].abs()), (128, 65)),
    "bce": (lambda x: F.binary_cross_entropy(kobai.sigmoid(x), ZERO_ONE, TARGET.abs(), reduction="sum"), (128, 65)),
} | {
    f"{loss}, {reduction}": (lambda x, loss=loss, reduction=reduction: getattr(F, loss)(x, TARGET, reduction=reduction),
                             (128, 65))
    for loss in ("mse_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss")
    for reduction in ("none", "mean", "sum")
}


@needs_llvm
@pytest.mark.parametrize("name", CASES)
def test_later_uses_give_what_the_first_gave(at_once, name):
    f, shape = CASES[name]
    results = []
    x, g = tensor(*shape), None
    for _ in range(4):
        x.grad = None
        y = f(x)
        g = RNG.standard_normal(y.shape).astype("f4") if g is None else g
        y.backward(kobai.tensor(g))
        results.append((y.detach().numpy().copy(), x.grad.numpy().copy()))
    for y, dx in results[1:]:
        assert y.shape == results[0][0].shape and y.dtype == results[0][0].dtype
        np.testing.assert_allclose(y, results[0][0], rtol=2e-5, atol=2e-6)
        np.testing.assert_allclose(dx, results[0][1], rtol=2e-4, atol=2e-5)


@needs_llvm
@pytest.mark.parametrize(
    "op, shape, features",
    [(NativeLayerNorm(1e-5, (-1,)), (6, 20, 33), 33), (NativeGroupNorm(1e-5, 4), (10, 16, 5, 5), 16),
     (NativeBatchNorm(1e-5), (10, 16, 5, 5), 16), (NativeBatchNorm(1e-5), (300, 16), 16)],
    ids=lambda v: str(v),
)  # fmt: skip
def test_normalisation_in_several_kernels(op, shape, features):
    from kobai.backends import eager

    x, g = (RNG.standard_normal(shape).astype("f4") for _ in range(2))
    w, b = (RNG.standard_normal(features).astype("f4") for _ in range(2))
    several = op.outputs != 1
    wide = [v.astype("f8") for v in (x, w, b, g)]
    run = eager.forward_of(op, (x, w, b))
    for got, want in zip(*[r if several else (r,) for r in (run(x, w, b), op.forward(*wide[:3]))], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    seeds = [(v, None, None) if several else v for v in (g, wide[3])]
    run = eager.backward_of(op, 7, ("x", "weight"), (seeds[0], x, w))
    expected = op.vjp(seeds[1], *wide[:2], needs=(True, True, True))
    for got, want in zip(run(seeds[0], x, w), expected, strict=True):
        assert got.shape == want.shape and got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@needs_llvm
def test_numpy_serves_small_arrays_and_first_uses():
    _forget()
    x = tensor(large.PASS - 1, grad=False)
    for _ in range(3):
        kobai.exp(x)
    assert uses(Exp()) == {}
    x = tensor(large.PASS, grad=False)
    for _ in range(-(-large.BUDGET[large.PASS] // (large.PASS + large.CALL))):
        kobai.exp(x)
    assert list(uses(Exp()).values()) == [False]
    kobai.exp(x)
    assert list(uses(Exp()).values()) == [True]
    _forget()


@needs_llvm
def test_the_change_comes_after_the_same_use_in_every_run(tmp_path):
    code = """if True:
        import hashlib, kobai, numpy as np
        kobai.manual_seed(0)
        x = kobai.randn(100, 1000)
        h = hashlib.md5()
        for i in range(12):
            h.update(kobai.nn.functional.gelu(x).numpy())
            print(h.hexdigest())
    """
    env = {**os.environ, "KOBAI_CACHE_DIR": str(tmp_path)}
    runs = [subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
            for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]


@needs_llvm
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("given, wanted", [*[(a, "f") for a in "edE"], *[("f", b) for b in "edE"]])
def test_numbers_are_converted_as_by_numpy(given, wanted, turned, monkeypatch):
    """All numbers of 16 bits, or some of all kinds of more: subnormal ones, those between two results, too large ones, NaN."""
    types = {"e": np.dtype(np.float16), "E": kobai.bfloat16.np, "f": np.dtype(np.float32), "d": np.dtype(np.float64)}
    monkeypatch.setattr(large, "_conversions", {(given, wanted): large.count(1)})
    if types[given].itemsize == 2:
        x = np.arange(1 << 16, dtype=np.uint16).view(types[given])
    else:
        x = np.arange(1 << 16, dtype=np.uint32)
        x = np.concatenate([x << 16, (x << 16) + 0x8000, (x << 16) + 0x8001, (x << 16) + 0x1000]).view(np.float32)
        if given == "d":
            with np.errstate(all="ignore"):
                x = np.concatenate([x * (1 + s * 2.0 ** -40) for s in (-1.0, 0.0, 1.0)] + [RNG.integers(0, 1 << 63, 9999).view("f8")])
    x = x[:x.size // 4 * 4].reshape(4, -1)
    x = x.T if turned else x
    with np.errstate(all="ignore"):
        expected = x.astype(types[wanted])
        for _ in range(3):
            found = large.converted(x, types[wanted])
        number, nan = ~np.isnan(expected.astype("f8")), np.isnan(found.astype("f8"))
    assert large._conversions[given, wanted].run
    assert found.dtype == types[wanted] and found.strides == expected.strides
    bits = f"u{found.itemsize}"
    assert np.array_equal(found.view(bits)[number], expected.view(bits)[number]) and nan[~number].all()


@needs_llvm
@pytest.mark.parametrize("dtype", [kobai.float16, kobai.bfloat16])
def test_half_precision_is_converted_by_machine_code(dtype, monkeypatch):
    """Tensors, and operands of products where the CPU has no instructions for them: NumPy converts one number after another."""
    kinds = {("f", dtype.np.char): large.count(1), (dtype.np.char, "f"): large.count(1)}
    monkeypatch.setattr(large, "_conversions", kinds)
    monkeypatch.setattr(large, "_products", large._Products())  # NumPy's turn
    x = kobai.ones(64, 64)
    for _ in range(3):
        assert (x.to(dtype).float() == 1).all() and (x.to(dtype) @ x.to(dtype) == 64).all()
    assert all(use.run for use in kinds.values())


@needs_llvm
@pytest.mark.parametrize("f", [lambda x: F.layer_norm(x, (20,)), lambda x: F.group_norm(x.reshape(-1, 20), 4), kobai.sum,
                               lambda x: F.batch_norm(x.reshape(-1, 20, 5), None, None, training=True)],
                         ids=["layer_norm", "group_norm", "sum", "batch_norm"])  # fmt: skip
def test_shapes_take_turns(at_once, f):
    whole = [tensor(30, 10, 20), tensor(40, 10, 20), tensor(30, 20, 20), tensor(60, 10, 10).reshape(30, 10, 20)]
    expected = [f(x).detach().numpy() for x in whole]
    for _ in range(3):
        for x, y in zip(whole, expected):
            np.testing.assert_allclose(f(x).detach().numpy(), y, rtol=1e-4, atol=1e-5)


@needs_llvm
def test_errors_are_the_same(at_once):
    a, b = tensor(200, 200), tensor(200, 100)
    for _ in range(3):
        a * tensor(200, 200)
        with pytest.raises(RuntimeError, match="The size of tensor a"):
            a * b
    y = kobai.exp(a)
    y.sum().backward()
    for _ in range(3):
        y = kobai.exp(a)
        with kobai.no_grad():
            y.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()
        y = kobai.exp(a).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
            y.backward()


@needs_llvm
def test_gradients_of_gradients_and_hooks(at_once):
    x = tensor(64, 64)
    for _ in range(3):
        y = kobai.tanh(x)
        (g,) = kobai.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = kobai.autograd.grad(g.sum(), x)
        t = np.tanh(x.detach().numpy().astype("f8"))
        np.testing.assert_allclose(h.numpy(), -2 * t * (1 - t * t), rtol=1e-4, atol=1e-5)
        seen = []
        with kobai.autograd.graph.saved_tensors_hooks(lambda v: seen.append(1) or v, lambda v: v):
            kobai.tanh(x).sum().backward()
        assert seen


@needs_llvm
def test_half_precision_is_computed_in_float32_and_rounded_once(at_once):
    if kobai.bfloat16 is None:
        pytest.skip("needs ml_dtypes")
    x = tensor(64, 64, grad=False)
    for dtype in (kobai.float16, kobai.bfloat16):
        small = x.to(dtype)
        expected = Gelu().forward(small.float().numpy()).astype(small.numpy().dtype)
        for _ in range(3):
            y = F.gelu(small)
            assert y.dtype == dtype
            off = np.abs(y.float().numpy() - expected.astype("f4"))
            assert off.max() <= 2.0**-8 and (off > 0).mean() < 0.01  # a tie, at most


@needs_llvm
def test_integers_and_types_without_scalar_code(at_once):
    a = kobai.arange(100_000)
    c = kobai.complex(tensor(300, 300, grad=False), tensor(300, 300, grad=False))
    for _ in range(3):
        assert (a * a)[777].item() == 777 * 777
        assert (a > 5).sum().item() == 100_000 - 6
        np.testing.assert_array_equal((c * c).numpy(), c.numpy() * c.numpy())


@needs_llvm
def test_threads_change_together(at_once):
    x, results = tensor(300, 300, grad=False), []
    expected = np.tanh(x.numpy())

    def work():
        for _ in range(20):
            results.append(kobai.tanh(x).numpy())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for y in results:
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)
    assert list(uses(TANH()).values()) == [True]


def run_of(seed):
    """Bits of a small training run after a seed."""
    kobai.manual_seed(seed)
    x = kobai.randn(100, 300, requires_grad=True)
    bits = []
    for _ in range(12):
        y = F.layer_norm(kobai.tanh(x) * kobai.sigmoid(x), (300,)).exp()
        (g,) = kobai.autograd.grad(y.sum(), x)
        x = (x.detach() - 0.01 * g).requires_grad_()
        bits.append(x.detach().numpy().tobytes())
    return bits


@needs_llvm
def test_a_seed_makes_runs_alike_in_one_process(monkeypatch):
    monkeypatch.setattr(large, "BUDGET", dict.fromkeys(large.BUDGET, 100_000))
    _forget()
    first = run_of(1)
    assert any(uses(TANH()).values())
    assert run_of(1) == first
    kobai.use_deterministic_algorithms(True)
    try:
        always = run_of(1)
        assert run_of(1) == always
    finally:
        kobai.use_deterministic_algorithms(False)
    _forget()


@needs_llvm
def test_deterministic_algorithms_do_not_wait(monkeypatch):
    _forget()
    kobai.use_deterministic_algorithms(True)
    try:
        x = tensor(64, 64)
        F.gelu(x).sum().backward()
        assert list(uses(Gelu()).values()) == [True]
    finally:
        kobai.use_deterministic_algorithms(False)
        _forget()


@needs_llvm
def test_a_forked_child_computes_on():
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    code = """if True:
        import os, numpy as np, kobai
        x = kobai.randn(300, 1000)
        for _ in range(2):
            y = kobai.tanh(x)  # compiling has begun
        child = os.fork()
        z = kobai.tanh(kobai.tanh(x))
        assert np.allclose(z.numpy(), np.tanh(np.tanh(x.numpy())), atol=1e-6)
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print("fine")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "fine\n", done.stderr


def test_without_llvmlite_nothing_changes():
    code = """if True:
        import sys
        sys.modules["llvmlite"] = None
        import kobai
        x = kobai.ones(1000, 1000, requires_grad=True)
        for _ in range(4):
            kobai.nn.functional.gelu(x).sum().backward()
        print("fine")
    """
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.stdout == "fine\n", done.stderr


def test_products_with_numbers_on_either_side(at_once):
    x = tensor(200, 200)
    for _ in range(3):
        x.grad = None
        (2 * x + x * 3).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), np.full((200, 200), 5, "f4"))
    assert uses(Mul())


@needs_llvm
def test_losses_do_run_as_machine_code(at_once):
    from kobai.ops.loss import BinaryCrossEntropyWithLogits, MseLoss

    x = tensor(128, 65)
    for _ in range(4):
        (F.binary_cross_entropy_with_logits(x, ZERO_ONE) + F.mse_loss(x, TARGET)).backward()
        F.layer_norm(x, (65,)).sum().backward()
    for op in (BinaryCrossEntropyWithLogits("mean"), MseLoss("mean"), NativeLayerNorm(1e-5, (-1,))):
        assert list(uses(op).values()) == [True], op


def test_targets_that_are_no_classes_are_refused_and_ignored_ones_do_not_count():
    x = tensor(5, 3)
    for wrong in (3, -1):
        with pytest.raises(IndexError, match=f"Target {wrong} is out of bounds"):
            F.cross_entropy(x, kobai.tensor([0, 1, wrong, 2, 0]))
    for ignored in (-100, 1):
        t = kobai.tensor([0, 2, ignored, 2, 0])
        part = F.cross_entropy(x[[0, 1, 3, 4]], t[[0, 1, 3, 4]])
        whole = F.cross_entropy(x, t, ignore_index=ignored)
        np.testing.assert_allclose(whole.item(), part.item(), rtol=1e-6)
        x.grad = None
        whole.backward()
        assert not x.grad[2].any() and x.grad[0].any()
    assert np.isnan(F.cross_entropy(tensor(0, 3), kobai.zeros(0, dtype=kobai.int64)).item())


@needs_llvm
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_copies_into_row_major_order(dtype, monkeypatch):
    """Whatever lies otherwise in memory: the same elements, in memory of their own."""
    for use in large._copies.values():
        monkeypatch.setattr(use, "left", 1)
    for shape, order in [((8, 16, 33, 32), (0, 2, 1, 3)), ((7, 13, 101, 3), (2, 0, 1, 3)), ((300, 301), (1, 0)),
                         ((5, 1, 50, 64), (2, 1, 0, 3)), ((9, 1000), (0, 1))]:
        a = np.asarray(RNG.standard_normal(shape) * 100).astype(dtype).transpose(order)
        for v in (a, a[::-1], a[1:], a[..., :-1], np.broadcast_to(a, (3, *a.shape))):
            want = np.array(v.ravel())
            for _ in range(3):
                np.testing.assert_array_equal(large.in_rows(v).reshape(-1), want)
            if min(v.strides) < 0 or not v.flags.writeable:
                continue
            x = kobai.from_numpy(v)
            y, z = x.contiguous(), x.reshape(-1)
            assert y.is_contiguous() and y.shape == x.shape
            np.testing.assert_array_equal(y.numpy().ravel(), want)
            np.testing.assert_array_equal(z.numpy(), want)
            np.testing.assert_array_equal(kobai.op.m.reshape(v, (v.size,)), want)
    y = kobai.zeros(64, 200).t()[:, :50]
    assert not np.shares_memory(y.contiguous().numpy(), y.numpy())


@needs_llvm
def test_gradients_of_sums_have_memory_of_their_own(monkeypatch):
    for use in large._copies.values():
        monkeypatch.setattr(use, "left", 1)
    for dtype in ("f4", "f8"):
        x, y = tensor(130, 70, dtype=dtype), tensor(130, 70, dtype=dtype)
        for _ in range(4):
            x.grad = y.grad = None
            ((x.sum() + y.sum()) * 3).backward()
            assert x.grad.eq(3).all() and x.grad.is_contiguous() and not np.shares_memory(x.grad.numpy(), y.grad.numpy())
            x.grad += 1
            assert y.grad.eq(3).all()


@needs_llvm
def test_gradients_that_arrive_twice_add_up(at_once):
    x = tensor(130, 70)
    for _ in range(4):
        x.grad = None
        y = x * 2.0
        (y.sin() * 3.0 + y).backward(kobai.ones(130, 70))
        want = 6 * np.cos(2 * x.detach().numpy().astype("f8")) + 2
        np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-5, atol=1e-5)


@needs_llvm
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape, count", [((50, 16), 8), ((7, 67), 500), ((3, 5, 11), 40), ((1, 200), 3), ((400, 1), 600)])
def test_gradients_of_rows(at_once, shape, count, threads, dtype):
    """Rows named often or never, from the front or from the end; other uses of the same op stay right."""
    before = kobai.get_num_threads()
    kobai.set_num_threads(threads)
    try:
        x, g = tensor(*shape, dtype=dtype), tensor(count, *shape[1:], grad=False, dtype=dtype)
        for _ in range(5):
            index = RNG.integers(-shape[0], shape[0], count)
            x.grad = None
            x[kobai.tensor(index)].backward(g)
            want = np.zeros(shape)
            np.add.at(want, index, g.numpy().astype("f8"))
            np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-5, atol=1e-5)
        assert True in uses(AddAt((0,), shape)).values() or g.numel() < large.OWN
    finally:
        kobai.set_num_threads(before)


@needs_llvm
def test_rows_that_do_not_exist_are_errors_on_each_use(at_once):
    w, good = tensor(50, 16), kobai.tensor([0, 49, 3])
    for _ in range(6):
        w.grad = None
        F.embedding(good, w).sum().backward()
        assert w.grad[[0, 3, 49]].eq(1).all() and w.grad.sum() == 48
        for bad in (50, -1):
            with pytest.raises(IndexError, match="index out of range in self"):
                F.embedding(kobai.tensor([0, bad]), w)


@needs_llvm
@pytest.mark.parametrize("dim", [0, 1, 2, -1])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_arrays_joined_by_all_threads(dim, dtype, monkeypatch):
    monkeypatch.setattr(large, "BUDGET", dict.fromkeys(large.BUDGET, 1))
    monkeypatch.setattr(large, "_joins", {})
    a = RNG.standard_normal((37, 40, 41)).astype(dtype)
    for views in ([a, a * 2], [a.transpose(2, 1, 0), a[:41, ::-1].transpose(2, 1, 0)], [a[:, :0], a, a] if dim == 1 else [a],
                  [np.broadcast_to(a[:1], a.shape), a], [a[::2], a[1::2]] if dim == 0 else [a, a, a]):
        for _ in range(3):
            got = large.joined(views, dim % 3)
            np.testing.assert_array_equal(got, np.concatenate(views, dim))
            assert got.strides == np.concatenate(views, dim).strides and got.dtype == dtype
    assert all(use.run for use in large._joins.values()) and large._joins
    x, y = tensor(37, 40, 41), tensor(37, 40, 41)
    for _ in range(3):
        x.grad = y.grad = None
        z = kobai.cat([x, y], dim)
        z.backward(z.detach())
        assert kobai.equal(x.grad, x) and kobai.equal(y.grad, y)
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        kobai.cat([x, y[:, :, :-1]], 0)


@needs_llvm
@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell"])
def test_gradients_of_each_batch_are_its_own(name, monkeypatch):
    """Expected values are NumPy's: machine code kept what the first of these batches had saved."""
    _forget()
    expected = _gradients_of_batches(name)
    monkeypatch.setattr(large, "BUDGET", dict.fromkeys(large.BUDGET, 1))
    _forget()
    for found, want in zip(_gradients_of_batches(name), expected):
        for a, b in zip(found, want):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    _forget()


def _gradients_of_batches(name):
    kobai.manual_seed(0)
    layer, found = getattr(kobai.nn, name)(5, 32), []
    for i in range(4):
        x = kobai.tensor(np.random.default_rng(i).standard_normal((6, 5)).astype("f4"))
        layer.zero_grad()
        out = layer(x if "Cell" in name else x.reshape(3, 2, 5))
        (out[0] if isinstance(out, tuple) else out).square().sum().backward()
        found.append([p.grad.numpy().copy() for p in layer.parameters()])
    return found


@needs_llvm
@pytest.mark.parametrize("kernel", [1, 7])
def test_convolutions_count_the_columns_that_numpy_makes(kernel):
    """NumPy copies an element once for each place of the kernel: a kernel of 7 x 7 waits 49 times shorter."""
    _forget()
    x, w = tensor(2, 3, 20, 20, grad=False), tensor(3, 1, kernel, kernel)
    budget = large.BUDGET[large.OWN] // kernel ** 2
    uses = -(-budget // (x.numel() + large.CALL)) if kernel > 1 else 3
    for _ in range(uses):
        kobai.nn.functional.conv2d(x, w, groups=3).sum().backward()
    made = [u for cls in kobai.op.registry if cls.__name__.startswith("Conv")
            for o in cls._instances.values() for u in o.__dict__.get("uses", {}).values()]
    assert {u.budget for u in made} == {budget}
    assert all((u.left <= 0) == (kernel > 1) for u in made)
    _forget()


@needs_llvm
@pytest.mark.parametrize("correction", [0, 1, 1.5])
@pytest.mark.parametrize("shape, dim", [((40, 50), 1), ((40, 50), 0), ((7, 11, 13, 17), (0, 2, 3)), ((2000, 1), 1), ((5003,), None)])
@pytest.mark.filterwarnings("ignore:.*degrees of freedom", "ignore:.*encountered in divide")
def test_spread_in_several_kernels(at_once, shape, dim, correction):
    """NumPy's float64 results, from machine code as soon as from NumPy; none for no degrees of freedom."""
    x = kobai.tensor(RNG.standard_normal(shape).astype("f4") + 3)
    wide = x.numpy().astype("f8")
    with np.errstate(all="ignore"):
        want = wide.var(dim, ddof=correction), wide.std(dim, ddof=correction), wide.mean(dim)
    for _ in range(3):
        got = *kobai.var_mean(x, dim, correction=correction), *kobai.std_mean(x, dim, correction=correction)
        for y, i in zip((kobai.var(x, dim, correction=correction), kobai.std(x, dim, correction=correction), *got),
                        (0, 1, 0, 2, 1, 2)):
            np.testing.assert_allclose(y.numpy(), want[i], rtol=2e-5)
    made = [u for cls in kobai.op.registry if cls.__name__ in ("Var", "StdMean")
            for o in cls._instances.values() for u in o.__dict__.get("uses", {}).values()]
    assert made and all(bool(u.run) == (shape != (2000, 1) or correction == 0) for u in made)
