"""The device "meta": shapes without numbers. What is expected is what PyTorch 2.13 does."""
import copy
import pickle

import pytest

import kobai
from kobai import nn
from kobai.nn import functional as F


def on_meta(*shape, **options):
    return kobai.empty(*shape, device="meta", **options)


def test_says_what_it_is():
    x = on_meta(2, 3)
    assert (x.device, x.is_meta, x.shape, x.dtype) == (kobai.device("meta"), True, (2, 3), kobai.float32)
    assert repr(x) == "tensor(..., device='meta', size=(2, 3))"
    assert repr(kobai.zeros(3, device="meta", dtype=kobai.int64)) == \
        "tensor(..., device='meta', size=(3,), dtype=torch.int64)"
    assert repr(nn.Parameter(on_meta(2))) == \
        "Parameter containing:\ntensor(..., device='meta', size=(2,), requires_grad=True)"


A, B, HUGE = (3, 4), (4, 5), (100_000, 100_000)
SHAPES = {
    "product": (lambda a, b: a @ b, (3, 5)), "cat": (lambda a, b: kobai.cat([a, a]), (6, 4)), "t": (lambda a, b: a.t(), (4, 3)),
    "view": (lambda a, b: a.view(2, 6), (2, 6)), "row": (lambda a, b: a[0], (4,)), "slice": (lambda a, b: a[:, 1:3], (3, 2)),
    "mean": (lambda a, b: a.mean(), ()), "sum": (lambda a, b: a.sum(1, keepdim=True), (3, 1)),
    "several": (lambda a, b: a.max(1).indices, (3,)), "einsum": (lambda a, b: kobai.einsum("ij,jk->ik", a, b), (3, 5)),
    "softmax": (lambda a, b: a.softmax(-1), (3, 4)), "broadcast": (lambda a, b: a[:, :1] + a[:1], (3, 4)),
    "number": (lambda a, b: a + kobai.tensor(1.0), (3, 4)), "like": (lambda a, b: kobai.randn_like(a), (3, 4)),
    "new": (lambda a, b: a.new_zeros(2), (2,)), "in place": (lambda a, b: a.add_(2).fill_(3).normal_(), (3, 4)),
    "many products": (lambda a, b: a.expand(2, 3, 3, 4) @ b, (2, 3, 3, 5)), "products": (lambda a, b: a[None] @ b[None], (1, 3, 5)),
    "relu": (lambda a, b: F.relu(a), (3, 4)), "linear": (lambda a, b: F.linear(a, b.t()), (3, 5)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_ops_find_out_shapes(name):
    fn, shape = SHAPES[name]
    y = fn(on_meta(*A), on_meta(*B))
    assert y.is_meta
    assert y.shape == shape


def test_needs_no_memory():
    x = on_meta(*HUGE)
    assert [t.shape for t in (x @ x, x.sum(0), x * 2 + x.t(), x.reshape(-1), x.float(), x.std(1))] == \
        [HUGE, HUGE[:1], HUGE, (HUGE[0] * HUGE[1],), HUGE, HUGE[:1]]
    assert copy.deepcopy(x).shape == pickle.loads(pickle.dumps(x)).shape == HUGE
    p = pickle.loads(pickle.dumps(nn.Parameter(x)))
    assert isinstance(p, nn.Parameter)
    assert p.requires_grad


def test_dtypes_are_as_those_of_numbers():
    a = on_meta(3, 4)
    assert [t.dtype for t in (a > 0, a.long() + 1.5, a.half(), a.argmax(1), a.long() @ a.long().t())] == \
        [kobai.bool, kobai.float32, kobai.float16, kobai.int64, kobai.int64]


def test_modules_without_memory():
    layer = nn.Linear(3, 4, device="meta")
    y = layer(on_meta(2, 3))
    assert (y.shape, y.requires_grad, y.grad_fn.name()) == ((2, 4), True, "AddmmBackward0")
    with kobai.device("meta"):
        large = nn.Sequential(nn.Embedding(50000, 4096), nn.TransformerEncoderLayer(4096, 32), nn.Linear(4096, 50000))
    assert all(p.is_meta for p in large.parameters())
    assert not kobai.ones(1).is_meta
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.LazyLinear(2)).to("meta")
    assert net[:3](on_meta(4, 3, 8, 8)).shape == (4, 8 * 36)
    out, (h, c) = nn.LSTM(4, 8, 2, device="meta")(on_meta(5, 2, 4))
    assert (out.shape, h.shape, c.shape) == ((5, 2, 8), (2, 2, 8), (2, 2, 8))


def test_modules_get_memory():
    layer = nn.Linear(3, 4, device="meta").to_empty(device="cpu")
    assert type(layer.weight) is nn.Parameter
    assert layer(kobai.ones(2, 3)).tolist() == [[0.0] * 4] * 2
    source = nn.Linear(3, 4)
    for assign in (False, True):
        layer = nn.Linear(3, 4, device="meta")
        layer.load_state_dict(source.state_dict(), assign=assign)
        assert layer.weight.requires_grad
        assert layer.weight.tolist() == source.weight.tolist()


def test_what_needs_numbers_says_so():
    x = on_meta(2, 3)
    with pytest.raises(RuntimeError, match=r"Tensor.item\(\) cannot be called on meta tensors"):
        x.sum().item()
    with pytest.raises(RuntimeError, match=r"Tensor.item\(\) cannot be called on meta tensors"):
        bool(x.sum() > 0)
    for copied in (x.cpu, x.tolist, lambda: x.to("cpu"), lambda: kobai.zeros(2, 3).copy_(x)):
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor; no data!"):
            copied()
    with pytest.raises(NotImplementedError, match=r"Please use torch.nn.Module.to_empty\(\) instead"):
        nn.Linear(3, 4, device="meta").to("cpu")
    with pytest.raises(TypeError, match="can't convert meta device type tensor to numpy"):
        x.numpy()


def test_numbers_and_none_do_not_mix():
    with pytest.raises(RuntimeError, match="Tensor on device cpu is not on the expected device meta!"):
        on_meta(2) + kobai.ones(2)
    with pytest.raises(RuntimeError, match="Tensor on device meta is not on the expected device cpu!"):
        kobai.ones(2) * on_meta(2)
    with pytest.raises((RuntimeError, NotImplementedError)):
        kobai.ones(2).add_(on_meta(2))


def test_shapes_that_do_not_fit():
    with pytest.raises(RuntimeError, match=r"The size of tensor a \(3\) must match the size of tensor b \(2\)"):
        on_meta(3) + on_meta(2)
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        on_meta(3, 4) @ on_meta(3, 4)


def test_shapes_that_depend_on_numbers():
    """An empty result was given, as if all numbers were zero. PyTorch 2.13 raises for each of these."""
    x, i = on_meta(2, 3), on_meta(3).long()
    for needs_numbers in (x.nonzero, lambda: x[x > 0], x.unique, lambda: kobai.bincount(i), lambda: x.masked_select(x > 0),
                          lambda: kobai.unique_consecutive(x)):
        with pytest.raises(NotImplementedError, match="attempted to run this operator with Meta tensors"):
            needs_numbers()


def test_gradients_are_without_numbers_too():
    """They were zeros on the CPU."""
    x, layer = on_meta(2, 3).requires_grad_(), nn.Linear(3, 4, device="meta")
    for _ in range(2):  # the second is added to the first
        layer(x).sum().backward()
        for t in (x, layer.weight, layer.bias):
            assert t.grad.is_meta and t.grad.shape == t.shape and t.grad.dtype == t.dtype
