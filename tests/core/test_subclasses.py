"""Classes with `__torch_function__`: subclasses of Tensor, and others. What is expected is what PyTorch 2.13 does."""
import functools

import pytest

import kobai
from kobai.nn import functional as F
from kobai.subclasses import DisableTorchFunctionSubclass


class Plain(kobai.Tensor):
    """Adds nothing."""


class Tagged(kobai.Tensor):
    """Notes what it is asked, and hands its tag on."""

    asked: list = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.asked.append(func.__name__)
        out = super().__torch_function__(func, types, args, kwargs or {})
        tags = [a.tag for a in args if isinstance(a, cls) and "tag" in vars(a)]
        if isinstance(out, cls) and tags:
            out.tag = tags[0]
        return out


RESULTS = {
    "operator": lambda s, t: s + 1, "reflected": lambda s, t: 1 - s, "right": lambda s, t: t * s,
    "function": lambda s, t: kobai.sin(s), "second": lambda s, t: kobai.add(t, s), "list": lambda s, t: kobai.stack([t, s]),
    "method": lambda s, t: s.sum(), "of a plain one": lambda s, t: t.mul(s), "view": lambda s, t: s.view(3, 2),
    "index": lambda s, t: s[0], "attribute": lambda s, t: s.T, "detach": lambda s, t: s.detach(),
    "data": lambda s, t: s.data, "new": lambda s, t: s.new_zeros(2), "module": lambda s, t: kobai.nn.Linear(3, 2)(s),
    "recurrent": lambda s, t: kobai.nn.LSTM(3, 2)(s)[0], "functional": lambda s, t: F.softmax(s, dim=0),
    "loss": lambda s, t: F.mse_loss(s, t), "in place": lambda s, t: s.add_(1), "whole numbers": lambda s, t: (s > 0) + 1,
    "dtype": lambda s, t: s.to(kobai.float64), "several": lambda s, t: s.split(1)[0], "max": lambda s, t: s.max(1).values,
    "zeros_like": lambda s, t: kobai.zeros_like(s), "full_like": lambda s, t: kobai.full_like(s, 2.0),
    "empty_like": lambda s, t: kobai.empty_like(s, dtype=kobai.int64), "einsum": lambda s, t: kobai.einsum("ij,kj->ik", s, t), "where": lambda s, t: kobai.where(t > 0, s, t),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_of_the_class(name):
    t = kobai.ones(2, 3)
    s = kobai.arange(6.0).reshape(2, 3).as_subclass(Plain)
    result, expected = RESULTS[name](s, t), None
    if name not in ("module", "recurrent"):  # random weights
        plain = kobai.arange(6.0).reshape(2, 3)
        expected = RESULTS[name](plain, t)
    assert type(result) is Plain
    if expected is not None:
        assert type(expected) is kobai.Tensor
        assert result.tolist() == expected.tolist()


def test_random_numbers_like_those_of_the_class():
    s = Plain([1.0, 2.0])
    kobai.manual_seed(0)
    a = kobai.rand_like(s)
    kobai.manual_seed(0)
    assert type(a) is Plain
    assert a.tolist() == kobai.rand(2).tolist()


def test_what_is_no_tensor_and_gradients_stay_plain():
    s = Plain([1.0, 2.0]).requires_grad_()
    assert (type(s.shape), s.tolist(), s.sum().item()) == (kobai.Size, [1.0, 2.0], 3.0)
    loss = (s * s).sum()
    assert type(loss) is Plain
    assert loss.grad_fn.name() == "AliasBackward0"
    loss.backward()
    assert type(s.grad) is kobai.Tensor
    assert s.grad.tolist() == [2.0, 4.0]


def test_as_subclass_keeps_the_history():
    x = kobai.tensor([3.0], requires_grad=True)
    (x * 2).as_subclass(Plain).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_prints_under_its_name():
    assert repr(Plain([[1.0, 2.0], [3.0, 4.0]])) == "Plain([[1., 2.],\n       [3., 4.]])"


def test_the_class_is_asked_about_the_function_that_was_called():
    t = Tagged([1.0, 2.0])
    t.tag = "kept"
    Tagged.asked.clear()
    results = [t + 1, kobai.sigmoid(t), F.cross_entropy(t.view(1, 2), kobai.tensor([0])), kobai.stack([t, t]), t[0], -t]
    assert Tagged.asked == ["add", "sigmoid", "view", "cross_entropy", "stack", "__getitem__", "neg"]
    assert [r.tag for r in (*results[:3], *results[4:])] == ["kept"] * 5


def test_disabled_they_are_plain():
    s = Plain([1.0])
    with DisableTorchFunctionSubclass():
        assert type(s + 1) is kobai.Tensor
    assert type(s + 1) is Plain


def test_a_subclass_may_override_methods_and_call_the_originals():
    class Louder(kobai.Tensor):
        def __add__(self, other):
            return super().__add__(other) * 10

        def __repr__(self):
            return f"<{super().__repr__()}>"
    s = Louder([1.0]) + 1
    assert repr(s) == "<Louder([20.])>"


def test_parameters_of_a_subclass_count_as_plain():
    class Weight(kobai.nn.Parameter):
        def __new__(cls, data, lr):
            self = super().__new__(cls, data)
            self.lr = lr
            return self
    w = Weight(kobai.ones(2), 0.5)
    assert (type(w), w.lr, type(w * 2)) == (Weight, 0.5, kobai.Tensor)
    assert repr(w) == "Parameter containing:\nParameter(Weight([1., 1.], requires_grad=True))"


HANDLED = {}


def implements(function):
    def register(fn):
        functools.update_wrapper(fn, function)
        HANDLED[function] = fn
        return fn
    return register


class Diagonal:
    """No tensor at all: one number on a diagonal."""

    def __init__(self, n, value):
        self.n, self.value = n, value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func not in HANDLED:
            return NotImplemented
        return HANDLED[func](*args, **(kwargs or {}))


@implements(kobai.mean)
def mean(input):
    return input.value / input.n


@implements(kobai.Tensor.add)
@implements(kobai.add)
def add(input, other):
    return "added", input, other


@implements(kobai.nn.functional.relu)
def relu(input, inplace=False):
    return "relu", input


@implements(kobai.stack)
def stack(tensors, dim=0):
    return len(tensors), dim


def test_functions_ask_what_is_no_tensor():
    d, t = Diagonal(4, 2.0), kobai.ones(2)
    assert kobai.mean(d) == 0.5
    assert kobai.add(d, t) == ("added", d, t)
    assert kobai.add(t, d) == ("added", t, d)
    assert t + d == ("added", t, d)
    assert F.relu(d) == ("relu", d)
    assert kobai.stack([d, t], dim=1) == (2, 1)


def test_nobody_answers():
    with pytest.raises(TypeError, match=r"Multiple dispatch failed for 'torch.mul'; all __torch_function__ handlers "
                                        r"returned NotImplemented"):
        kobai.mul(Diagonal(1, 2.0), 2)
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \*"):
        kobai.ones(1) * Diagonal(1, 2.0)


def test_errors_of_plain_tensors_are_as_they_were():
    with pytest.raises(TypeError, match=r"sin\(\): argument 'input' \(position 1\) must be Tensor, not float"):
        kobai.sin(1.0)
    with pytest.raises(TypeError, match=r"'input' \(position 1\) must be Tensor, not int"):
        kobai.maximum(1, 2)
    assert kobai.add(1, 2).item() == 3  # PyTorch takes two numbers here


def test_overrides():
    from kobai.overrides import handle_torch_function, has_torch_function, is_tensor_like, resolve_name
    d, t = Diagonal(1, 2.0), kobai.ones(1)
    assert [is_tensor_like(v) for v in (d, t, 3)] == [True, True, False]
    assert [has_torch_function((v,)) for v in (d, t, Plain([1.0]), kobai.nn.Parameter(t))] == [True, False, True, False]
    assert resolve_name(kobai.add) == "torch.add"

    def double(x):
        return handle_torch_function(double, (x,), x) if has_torch_function((x,)) else x * 2
    assert double(3) == 6
    HANDLED[double] = lambda x: x.value * 2
    assert double(d) == 4.0
    del HANDLED[double]
    with pytest.raises(TypeError, match="no implementation found for"):
        double(d)


def test_modes_are_asked_about_what_the_program_calls():
    from kobai.overrides import TorchFunctionMode

    class Counts(TorchFunctionMode):
        def __init__(self):
            super().__init__()
            self.called = []

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.called.append(func.__name__)
            return func(*args, **(kwargs or {})) * 2 if func is kobai.exp else func(*args, **(kwargs or {}))
    before = kobai.exp, kobai.Tensor.__add__
    with Counts() as counts:
        x = kobai.zeros(2)
        y = kobai.exp(x) + x.cos()
        F.softmax(y, dim=0)
        kobai.nn.ReLU()(y)
    assert counts.called == ["zeros", "exp", "cos", "add", "softmax", "relu"]
    assert y.tolist() == [3.0, 3.0]
    assert (kobai.exp, kobai.Tensor.__add__) == before
    kobai.exp(x)
    assert len(counts.called) == 6


def test_rows_are_of_the_class():
    """A loop over a tensor of a class gave plain rows; PyTorch asks the class about unbind."""
    class Rows(kobai.Tensor):
        pass
    t = kobai.arange(6).reshape(2, 3).as_subclass(Rows)
    assert [(type(r), r.tolist()) for r in t] == [(Rows, [0, 1, 2]), (Rows, [3, 4, 5])]
    first, *_ = t
    assert type(first) is Rows
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(t.sum())
