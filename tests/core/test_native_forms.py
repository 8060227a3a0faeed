"""Functions that go through doors (backends/forms.py) do what they do without: the same objects, bits, graphs and errors.

What is right is what the functions give without machine code, which are tested everywhere else.
"""
import gc
import inspect
import sys
import threading
import warnings

import numpy as np
import pytest

import kobai
import kobai.nn.functional as F
from kobai.large import small
from kobai.ops.gather import Gather
from kobai.ops.indexed import IndexSelect
from kobai.ops.order import Topk
from kobai.public import formed
from kobai.tensor import Tensor

apply = pytest.importorskip("kobai.backends.apply")
try:
    NATIVE = apply.install()
except Exception:  # no LLVM
    NATIVE = False
pytestmark = pytest.mark.skipif(not NATIVE, reason="no machine code here")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def natively():
    apply.use(True)
    yield
    apply.use(True)


def told(v):
    """What tells whether two results are the same: values, layout, history, what they are views of, versions."""
    if isinstance(v, Tensor):
        node = v._node
        return [type(v), v._value.dtype, v._value.shape, v._value.strides, v._value.tobytes(), v._rg, list(v._ver)[0],
                v._base is None, v._is_view(), type(node).__name__, repr(getattr(node, "op", None)),
                len(getattr(node, "edges", ()))]
    if isinstance(v, (tuple, list)):
        return [type(v).__name__, *map(told, v)]
    return v


def outcome(fn, *args):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = told(fn(*args))
        except Exception as e:
            found = type(e), str(e).splitlines()[0]
    return found, [(w.category, str(w.message), w.filename) for w in seen]


def tensor(*shape, dtype="f4", grad=False):
    t = kobai.tensor((RNG.standard_normal(shape) * 3).astype(dtype))
    return t.requires_grad_() if grad else t


def arguments(shape, dtype, grad):
    """Tensors of a shape in several layouts."""
    yield tensor(*shape, dtype=dtype, grad=grad)
    if len(shape) > 1:
        yield tensor(*shape[::-1], dtype=dtype, grad=grad).T
    if shape:
        yield tensor(shape[0] * 2, *shape[1:], dtype=dtype, grad=grad)[::2]


CALLS = {
    "reshape": lambda x: x.reshape(-1), "reshape to itself": lambda x: x.reshape(x.shape), "view": lambda x: x.view(-1),
    "flatten": lambda x: x.flatten(), "flatten 1": lambda x: x.flatten(1), "permute": lambda x: x.permute(1, 0),
    "transpose": lambda x: x.transpose(0, -1), "t": lambda x: x.t(), "unsqueeze": lambda x: x.unsqueeze(-1),
    "squeeze": lambda x: x.squeeze(), "squeeze 0": lambda x: x.squeeze(0), "expand": lambda x: x.expand(3, *x.shape),
    "sum": lambda x: x.sum(0), "sum to": lambda x: x.sum(-1, True), "sum of dtype": lambda x: kobai.sum(x, dtype=kobai.float64),
    "mean": lambda x: x.mean(-1), "max": lambda x: x.max(0), "max of all": lambda x: x.max(), "amax": lambda x: x.amax(-1),
    "argmax": lambda x: x.argmax(0), "any": lambda x: x.any(), "std": lambda x: x.std(), "var": lambda x: x.var(0, unbiased=False),
    "norm": lambda x: x.norm(), "prod": lambda x: x.prod(), "cumsum": lambda x: x.cumsum(0), "softmax": lambda x: x.softmax(-1),
    "F.softmax": lambda x: F.softmax(x, dim=0), "F.softmax without dim": lambda x: F.softmax(x),
    "log_softmax": lambda x: F.log_softmax(x, 0), "relu": lambda x: F.relu(x), "silu": F.silu, "elu": F.elu,
    "leaky_relu": lambda x: F.leaky_relu(x, negative_slope=0.2), "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": F.softplus, "relu in place": lambda x: F.relu(x * 1, inplace=True), "clamp": lambda x: x.clamp(-1, 1),
    "clamp min": lambda x: x.clamp(min=0.5), "cat": lambda x: kobai.cat([x, x + 1]), "cat 1": lambda x: kobai.cat((x, x + 1), 1),
    "cat with itself": lambda x: kobai.cat([x, x], -1), "stack": lambda x: kobai.stack([x, x + 1], -1),
    "chunk": lambda x: x.chunk(2), "split": lambda x: x.split(2), "unbind": lambda x: x.unbind(), "flip": lambda x: x.flip(0),
    "roll": lambda x: x.roll(1), "repeat": lambda x: x.repeat(2, *x.shape), "pad": lambda x: F.pad(x, (1, 2)),
    "pad with a tensor": lambda x: F.pad(x, (1, 0), value=x.sum()), "where": lambda x: kobai.where(x > 0, x, x * 2),
    "where with itself": lambda x: kobai.where(x > 0, x, x), "sort": lambda x: x.sort(descending=True),
    "topk": lambda x: x.topk(2), "layer_norm": lambda x: F.layer_norm(x, x.shape[-1:]),
    "mse_loss": lambda x: F.mse_loss(x, x * 2), "cross_entropy": lambda x: F.cross_entropy(x, kobai.arange(len(x)) % x.shape[1]),
    "bce": lambda x: F.binary_cross_entropy_with_logits(x, x.sigmoid()), "old loss": lambda x: F.mse_loss(x, x * 2, reduce=False),
    "linear": lambda x: F.linear(x, x + 1), "mm": lambda x: x.mm(x.t()), "gather": lambda x: x.gather(0, kobai.zeros_like(x).long()),
    "index_select": lambda x: x.index_select(0, kobai.tensor([0, 0])), "embedding": lambda x: F.embedding(kobai.tensor([0, 1]), x),
    "column": lambda x: x[:, 0], "slices": lambda x: x[1:, ::2], "last": lambda x: x[..., -1], "element": lambda x: x[1, 0],
    "new dims": lambda x: x[:, None], "mask": lambda x: x[x > 0], "positions in a column": lambda x: x[:, kobai.tensor([0, 0])],
    "byte mask": lambda x: x[(x > 0).byte()], "place in a tensor": lambda x: x[:, kobai.tensor(1)], "equal": lambda x: x.equal(x + 0),
    "bad column": lambda x: x[:, 99], "bad count": lambda x: x[0, 0, 0, 0], "transposed": lambda x: x.T, "mT": lambda x: x.mT,
    "bad dim": lambda x: x.sum(5), "bad shape": lambda x: x.reshape(7, 7, 7), "bad name": lambda x: x.flatten(begin=1),
    "bad topk": lambda x: x.topk(100), "bad gather": lambda x: x.gather(0, kobai.zeros_like(x).long() + 99),
    "bad linear": lambda x: F.linear(x, tensor(3, 99)), "bad cat": lambda x: kobai.cat([x, tensor(9, 8, 7)]),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_is_what_it_is_without(name):
    fn = CALLS[name]
    xs = [x for shape in [(2, 3), (1, 4), (5,), (), (0, 3), (2, 3, 4)] for dtype in ("f4", "i8", "?")
          for grad in (False, True)[:1 + (dtype == "f4")] for x in arguments(shape, dtype, grad)]

    def outcomes():
        for x in xs:
            yield outcome(fn, x)
            with kobai.no_grad():
                yield outcome(fn, x)
    apply.use(False)
    want = [*outcomes()]
    apply.use(True)
    for _ in range(3):  # the second learns, the third knows
        assert [*outcomes()] == want


def test_two_tensors_are_not_taken_for_one():
    x, y = tensor(2, 3), tensor(2, 3)
    for _ in range(4):
        assert kobai.equal(kobai.where(x > 0, x, x), x)
    assert kobai.equal(kobai.where(x > 0, y, x), kobai.tensor(np.where(x.numpy() > 0, y.numpy(), x.numpy())))
    for _ in range(4):
        kobai.cat([x, y])
    assert kobai.equal(kobai.cat([y, x])[:2], y) and kobai.equal(kobai.cat([x, x])[2:], x)


def test_values_of_arguments_count():
    x = tensor(4, 6)
    for _ in range(4):
        for dim in (0, 1, -1, True):
            assert x.softmax(dim).sum(int(dim)).tolist() == pytest.approx([1.0] * x.shape[1 - int(dim) % 2], abs=1e-5)
        for slope in (0.5, 0.25, 1):
            assert F.leaky_relu(x, slope)[x < 0].tolist() == pytest.approx((x[x < 0] * slope).tolist())
        for value in (kobai.tensor(1.0), kobai.tensor(2.0)):  # a number in a tensor is no part of the form
            assert F.pad(x, (1, 0), value=value)[0, 0].item() == value.item()
        assert x.sum(dtype=kobai.float64).dtype is kobai.float64 and x.sum(dtype=kobai.float32).dtype is kobai.float32


def test_what_depends_on_elements_is_not_learned():
    fine, wrong = kobai.tensor([0.1, 0.9]), kobai.tensor([0.1, 1.5])
    for _ in range(4):
        F.binary_cross_entropy(fine, fine)
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        F.binary_cross_entropy(wrong, fine)
    place = kobai.tensor([0, 1])
    for _ in range(4):
        F.embedding(place, kobai.ones(2, 3) / 3, max_norm=1.0)
    assert F.embedding(place, kobai.ones(2, 4), max_norm=1.0).tolist() == [[pytest.approx(0.5)] * 4] * 2


def test_the_default_dtype_counts():
    x = kobai.tensor([1, 2, 3])
    for _ in range(4):
        assert x.clamp(0.5, 2.5).dtype is kobai.float32
    kobai.set_default_dtype(kobai.float64)
    try:
        assert all(x.clamp(0.5, 2.5).dtype is kobai.float64 for _ in range(4))
    finally:
        kobai.set_default_dtype(kobai.float32)
    assert x.clamp(0.5, 2.5).dtype is kobai.float32


def test_autocast_counts():
    x, w = tensor(3, 4), tensor(5, 4)
    for _ in range(4):
        assert F.linear(x, w).dtype is kobai.float32 and x.softmax(1).dtype is kobai.float32
    for _ in range(3):
        with kobai.autocast("cpu"):
            assert all(F.linear(x, w).dtype is kobai.bfloat16 for _ in range(4))
        assert F.linear(x, w).dtype is kobai.float32


def test_gradients_are_the_same():
    def program():
        kobai.manual_seed(0)
        x = kobai.randn(6, 5, requires_grad=True)
        found = []
        for _ in range(5):
            x.grad = None
            h = F.silu(x.reshape(5, 6).transpose(0, 1)).flatten().view(6, 5)
            h = kobai.cat([h, h.chunk(2)[0]]).softmax(1).gather(1, kobai.zeros(9, 5, dtype=kobai.int64)) + h.topk(1).values.sum()
            (F.cross_entropy(h, kobai.arange(9) % 5) + h.std()).backward()
            found.append(x.grad.numpy().tobytes())
        return found
    have = [program() for _ in range(2)]
    apply.use(False)
    assert have == [program()] * 2


def test_lifted_values_and_own_classes_pass_by():
    class Own(Tensor):
        pass
    x = tensor(4, 3)
    for _ in range(4):
        x.softmax(1), x.reshape(-1), x.max(1)
    rows = kobai.vmap(lambda r: r.softmax(0).reshape(3, 1))(x)
    assert rows.shape == (4, 3, 1) and kobai.allclose(rows[:, :, 0], x.softmax(1))
    assert type(x.as_subclass(Own).reshape(-1)) is Own
    y, dy = kobai.func.jvp(lambda v: v.softmax(1), (x,), (kobai.ones(4, 3),))
    assert kobai.allclose(y, x.softmax(1)) and kobai.allclose(dy, kobai.zeros(4, 3), atol=1e-6)


def test_views_stay_views_after_their_base_changed():
    b = kobai.ones(3, 2, requires_grad=True) * 1
    for _ in range(4):
        b.reshape(-1)
    v = b.reshape(-1)
    b.mul_(3)
    w = v.view(2, 3)
    assert w._base is b and w._version == b._version and w.tolist() == [[3.0] * 3] * 2
    w.sum().backward()
    with kobai.no_grad():
        v.add_(1)
    assert b.tolist() == [[4.0] * 2] * 3


def test_functions_look_as_before():
    for fn, _ in formed:
        apply.use(False)
        want = str(inspect.signature(fn)), fn.__name__, fn.__doc__, fn.__defaults__, fn.__kwdefaults__, fn.__code__.co_filename
        apply.use(True)
        have = str(inspect.signature(fn)), fn.__name__, fn.__doc__, fn.__defaults__, fn.__kwdefaults__, fn.__code__.co_filename
        assert have == want


def test_a_recorder_sees_every_op():
    x = tensor(4, 3)
    for _ in range(4):
        x.softmax(1).reshape(-1)
    f = kobai.compile(lambda x: x.softmax(1).reshape(-1).cumsum(0))
    want = x.softmax(1).reshape(-1).cumsum(0)
    assert kobai.allclose(f(x), want) and kobai.allclose(f(x), want)
    assert "softmax" in str(f.graph).lower()


def test_threads_learn_together():
    wrong = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(300):
            n, k = rng.integers(1, 9, 2)
            a = rng.standard_normal((n, k)).astype("f4")
            x = kobai.tensor(a)
            if x.reshape(-1).tolist() != a.reshape(-1).tolist() or x.max(0).indices.tolist() != a.argmax(0).tolist() \
                    or kobai.cat([x, kobai.tensor(a)], 1).shape != (n, 2 * k):
                wrong.append((n, k))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_nothing_is_kept():
    x = tensor(4, 3)
    y = tensor(4, 3)

    def once():
        x.max(1), x.topk(2), kobai.cat([x, y]), x.reshape(-1), F.cross_entropy(x, LABELS), x.chunk(2), x > 0, ~MASK, LABELS + 1
        try:
            F.embedding(LABELS + 9, x)
        except IndexError:
            pass
    for _ in range(10):
        once()
    held = [x, y, LABELS, MASK, x._data, LABELS._data, None, kobai.float32]
    gc.collect()
    before = [sys.getrefcount(v) for v in held]
    for _ in range(500):
        once()
    gc.collect()
    assert all(abs(sys.getrefcount(v) - n) < 20 for v, n in zip(held, before))


LABELS, MASK = kobai.arange(4) % 3, kobai.tensor([True, False])


# ---- machine code for picking: backends/pick.py ---------------------------------------------------
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "?"])
def test_picking(dtype):
    for trial in range(150):
        shape = tuple(RNG.integers(trial % 7 != 0, 6, RNG.integers(1, 4)))
        dim = int(RNG.integers(len(shape)))
        n, x = shape[dim], (RNG.standard_normal(shape) * 10).astype(dtype)
        for each in (True, False):
            size = [*shape[:dim], int(RNG.integers(0, 7)), *shape[dim + 1:]] if each else RNG.integers(0, 4, RNG.integers(0, 3))
            i = np.asarray(RNG.integers(0, max(n, 1), size))
            y = small.pick(x, i, dim, each)
            if not x.size or not i.size:
                assert y is None
                continue
            want = np.take_along_axis(x, i, dim) if each else np.take(x, i, dim)
            assert told(kobai.tensor(y)) == told(kobai.tensor(want)) and y.flags.c_contiguous
            for wrong in (n, -1, -(1 << 63)):
                i.reshape(-1)[-1] = wrong
                assert small.pick(x, i, dim, each) is None
    x, i = np.ones((3, 4), "f4"), np.zeros((3, 4), np.int64)
    for odd in ((x.T, i), (x, i.T), (x, i.astype("i4")), (x, i[:2]), (x, i[0]), (x.astype("c8"), i), (x[0, 0], i)):
        assert small.pick(*odd, 1, True) is None


def test_ops_without_and_with_it(monkeypatch):
    x = RNG.standard_normal((4, 5)).astype("f4")
    i = RNG.integers(0, 4, (2, 5))
    have = [Gather(0).forward(x, i), IndexSelect(1).forward(x, i[0]), *Topk(1, None, 2).forward(x)]
    monkeypatch.setattr(small, "pick", None)
    monkeypatch.setattr(small, "top", None)
    want = [Gather(0).forward(x, i), IndexSelect(1).forward(x, i[0]), *Topk(1, None, 2).forward(x)]
    assert [h.tobytes() for h in have] == [w.tobytes() for w in want]


ODD = np.array([np.nan, -np.nan, 0.0, -0.0, np.inf, -np.inf, 1, 1, 2, -1, 1e-45, -1e-45], "f4")


@pytest.mark.parametrize("largest", [True, False])
def test_the_largest(largest, monkeypatch):
    """In order, the first of equal ones first, NaN above all: as a stable sort has them."""
    for trial in range(150):
        n = int(RNG.integers(1, 300))
        shape = (*RNG.integers(trial % 9 != 0, 5, RNG.integers(0, 3)), n)
        x = RNG.choice(ODD, shape) if trial % 2 else RNG.standard_normal(shape).astype("f4")
        k = int(RNG.integers(0, min(n, 128) + 1))
        rank = np.where(np.isnan(x), np.inf, x)
        rank = [(-r if largest else r, -u if largest else u) for r, u in zip(rank.reshape(-1, n), np.isnan(x).astype(int).reshape(-1, n))]
        order = np.array([np.lexsort((np.arange(n), u, r)) for r, u in rank]).reshape(-1, n)[:, :k].reshape(*shape[:-1], k)
        for native in (True, False):
            with monkeypatch.context() as m:
                if not native:
                    m.setattr(small, "top", None)
                y, i = Topk(len(shape) - 1, None, k, largest).forward(x)
            assert i.dtype == np.int64 and i.tolist() == order.tolist()
            assert y.tobytes() == np.take_along_axis(x, i, -1).tobytes()
    assert small.top(np.ones(9), 1, True) is None and small.top(np.ones((3, 3), "f4").T[::2], 1, True) is None
    assert small.top(np.ones(3, "f4"), 4, True) is None and small.top(np.ones(300, "f4"), 129, True) is None
