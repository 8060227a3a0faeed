"""gradcheck accepts right derivatives and refuses wrong ones; checkpoint gives the same gradients."""
import pytest

import kobai as torch
from kobai.utils.checkpoint import checkpoint, checkpoint_sequential


class Wrong(torch.autograd.Function):
    """x ** 2 with half its gradient."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]


def double(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("fast", [False, True])
def test_right_derivatives(fast):
    x, w = double(3, 4), double(4, 2)
    assert torch.autograd.gradcheck(lambda x, w: (x @ w).tanh(), (x, w), check_forward_ad=True, fast_mode=fast)
    assert torch.autograd.gradgradcheck(lambda x, w: (x @ w).tanh(), (x, w), fast_mode=fast)


def test_complex():
    z = double(2, dtype=torch.complex128)
    assert torch.autograd.gradcheck(lambda z: (z * z.conj() * z).abs(), z)


@pytest.mark.parametrize("fast", [False, True])
def test_a_wrong_derivative(fast):
    x = double(3)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        torch.autograd.gradcheck(Wrong.apply, x, fast_mode=fast)
    assert not torch.autograd.gradcheck(Wrong.apply, x, raise_exception=False)


def test_it_warns_of_single_precision_and_needs_an_input():
    with pytest.warns(UserWarning, match="not a double precision"):
        torch.autograd.gradcheck(lambda x: x * 1, torch.ones(2, requires_grad=True), eps=1e-2)
    with pytest.raises(ValueError, match="at least one input"):
        torch.autograd.gradcheck(lambda x: x * 1, torch.ones(2))


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoint(reentrant):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    x = torch.randn(3, 4, requires_grad=True)

    def gradients(forward):
        x.grad = None
        model.zero_grad()
        torch.manual_seed(1)
        forward().sum().backward()
        return [x.grad.tolist(), model[0].weight.grad.tolist()]
    plain = gradients(lambda: model(x))
    assert gradients(lambda: checkpoint(model, x, use_reentrant=reentrant)) == plain
    assert gradients(lambda: checkpoint_sequential(model, 2, x, use_reentrant=reentrant)) == plain


def test_checkpoint_runs_again_only_in_backward():
    calls = []

    def f(x):
        calls.append(1)
        return x.sin().exp()
    y = checkpoint(f, torch.ones(2, requires_grad=True), use_reentrant=False)
    assert len(calls) == 1
    y.sum().backward()
    assert len(calls) == 2


def test_anomaly_mode_names_the_operation():
    w = torch.zeros(2, requires_grad=True)
    with torch.autograd.detect_anomaly():
        y = (w.sqrt() * w).sum()
        with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output"):
            y.backward()


def test_compile_runs_the_function():
    """Until there is a compiler for whole steps, `torch.compile` is honest about doing nothing."""
    assert torch.compile(lambda x: x + 1)(torch.ones(1)).item() == 2
    assert torch.compile(fullgraph=True)(lambda x: x * 3)(torch.ones(1)).item() == 3
