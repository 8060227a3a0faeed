"""Checkpointing: the same numbers with less memory."""
import weakref

import pytest

import kobai
from kobai.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential

BOTH = pytest.mark.parametrize("reentrant", [True, False])


def f(x):
    return (x.exp() * x).sin()


@BOTH
def test_the_same_gradients_and_random_numbers(reentrant):
    kobai.manual_seed(0)
    model = kobai.nn.Sequential(kobai.nn.Linear(4, 8), kobai.nn.Dropout(0.5), kobai.nn.ReLU(), kobai.nn.Linear(8, 2))
    x = kobai.randn(3, 4, requires_grad=True)

    def gradients(forward):
        x.grad = None
        model.zero_grad()
        kobai.manual_seed(1)
        forward().sum().backward()
        return [x.grad.tolist(), model[0].weight.grad.tolist(), kobai.rand(2).tolist()]
    plain = gradients(lambda: model(x))
    assert gradients(lambda: checkpoint(model, x, use_reentrant=reentrant)) == plain
    assert gradients(lambda: checkpoint_sequential(model, 2, x, use_reentrant=reentrant)) == plain


@BOTH
def test_it_runs_again_only_in_backward_and_only_as_far_as_needed(reentrant):
    calls = []

    def g(x):
        calls.append("begin")
        y = f(x)
        calls.append("end")
        return y * 2
    y = checkpoint(g, kobai.ones(2, requires_grad=True), use_reentrant=reentrant)
    assert calls == ["begin", "end"]
    y.sum().backward()
    assert calls == ["begin", "end", "begin"] + ["end"] * reentrant


@BOTH
def test_nothing_inside_is_kept(reentrant):
    inside = []

    def g(x):
        h = x.exp()
        inside.append(weakref.ref(h._data))
        return (h * h).sin()
    x = kobai.ones(3, requires_grad=True)
    y = checkpoint(g, x, use_reentrant=reentrant)
    assert inside[0]() is None
    y.sum().backward()
    assert inside[1]() is None


def test_custom_functions_keep_nothing_either():
    class Cube(kobai.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g
    inside = []

    def g(x):
        h = x.exp()
        inside.append(weakref.ref(h))
        return Cube.apply(h)
    x = kobai.zeros(2, requires_grad=True)
    y = checkpoint(g, x, use_reentrant=False)
    assert inside[0]() is None
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_any_order():
    x = kobai.tensor([0.5, 1.0], requires_grad=True)
    expected = kobai.func.vmap(kobai.func.grad(kobai.func.grad(f)))(x.detach())
    g, = kobai.autograd.grad(checkpoint(f, x, use_reentrant=False).sum(), x, create_graph=True)
    h, = kobai.autograd.grad(g.sum(), x)
    assert kobai.allclose(h, expected)


def test_a_function_that_changes():
    calls = []

    def g(x):
        calls.append(1)
        return x[:len(calls)].exp()
    y = checkpoint(g, kobai.ones(2, requires_grad=True), use_reentrant=False)
    with pytest.raises(CheckpointError, match="Recomputed values for the following tensors have different metadata"):
        y.sum().backward()


def test_reentrant_goes_to_all_leaves_or_not_at_all():
    x = kobai.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad()"):
        kobai.autograd.grad(checkpoint(f, x, use_reentrant=True).sum(), x)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        assert not checkpoint(f, x.detach(), use_reentrant=True).requires_grad
    with pytest.warns(UserWarning, match="the use_reentrant parameter should be passed explicitly"):
        checkpoint(f, x).sum().backward()
