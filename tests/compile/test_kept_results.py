"""What a compiled function returns and its backward pass needs is kept once; changed in between, it is an error as in PyTorch."""
import numpy as np
import pytest

import kobai as torch
from kobai.nn import functional as F

OPS = {"exp": torch.exp, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softmax": lambda x: F.softmax(x, -1),
       "two": lambda x: (x.exp(), x.tanh()), "same": lambda x: (lambda y: (y, y))(x.exp()),
       "inner": lambda x: (lambda y: (y * y, y))(x.exp()), "view": lambda x: (lambda y: (y, y[1:], y.t()))(x.exp())}


def compiled(name):
    f = torch.compile(lambda x: OPS[name](x))
    for k in range(3):
        x = torch.arange(6.0).reshape(2, 3) + k
        total(f(x.requires_grad_())).backward()
    assert f.reason is None
    return f


def total(ys):
    return sum((y * (k + 2)).sum() for k, y in enumerate(ys)) if isinstance(ys, tuple) else (ys * 3).sum()


@pytest.mark.parametrize("name", OPS)
def test_gradients_and_gradients_of_gradients(name):
    f = compiled(name)
    for k in range(3):
        x = (torch.arange(6.0).reshape(2, 3) / 7 + k).requires_grad_()
        got, = torch.autograd.grad(total(f(x)), x, create_graph=True)
        want, = torch.autograd.grad(total(OPS[name](x)), x, create_graph=True)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=2e-6)
        second = [torch.autograd.grad((g * g).sum(), x)[0].numpy() for g in (got, want)]
        np.testing.assert_allclose(*second, rtol=2e-5)


@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid", "softmax"])
def test_kept_once(name):
    outputs = compiled(name)._last.graph.outputs
    assert len(set(outputs)) == len(outputs)


@pytest.mark.parametrize("change", [lambda y: y.add_(1), lambda y: y.detach().zero_(), lambda y: y.mul_(2)])
@pytest.mark.parametrize("name", ["exp", "tanh", "inner", "two"])
def test_changed_before_the_backward_pass(name, change):
    f = compiled(name)
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()
    ys = f(x)
    change(ys[-1] if isinstance(ys, tuple) else ys)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total(ys).backward()


def test_what_is_not_needed_may_change():
    f = torch.compile(lambda x: x * 3)
    for _ in range(5):
        x = torch.arange(3.0).requires_grad_()
        y = f(x)
        y.add_(1)
        y.sum().backward()
        assert x.grad.tolist() == [3.0, 3.0, 3.0]


def test_gradients_that_are_results_stay_apart():
    """x.grad is changed in place between steps; what the backward pass of a result needs is not."""
    @torch.compile
    def f(x):
        y = x.exp()
        y.sum().backward(retain_graph=True)
        return y

    for _ in range(5):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = f(x)
        x.grad.zero_()
        y.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), np.exp([1.0, 2.0]), rtol=1e-6)
