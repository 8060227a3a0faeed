"""Backward passes that a program makes again and again: the recorded pass gives what the engine gives.

The expected numbers are the engine's own, from a process in which no pass is recorded.
"""
import numpy as np
import pytest

import kobai as torch
import kobai.nn.functional as F
from kobai.autograd import repeated
from kobai.backends import llvm

pytestmark = pytest.mark.skipif(not llvm.available, reason="without llvmlite no pass is recorded")


@pytest.fixture
def soon(monkeypatch):
    """Passes are recorded at once, and used two passes later."""
    monkeypatch.setattr(repeated, "PATIENCE", 1)
    monkeypatch.setattr(repeated, "WAIT", 2)
    monkeypatch.setattr(repeated, "_sites", repeated._Sites())


def in_use():
    """How many recorded passes run by now."""
    return sum(bool(p and p.run) for site in repeated._sites.of.values() if site.programs for p in site.programs.values())


def grads(make, steps):
    torch.manual_seed(0)
    leaves, loss = make()
    results = []
    for i in range(steps):
        for t in leaves:
            t.grad = None
        loss(i).backward()
        results.append([None if t.grad is None else t.grad.numpy().copy() for t in leaves])
    return results


def mlp():
    w, v, b = torch.randn(4, 3, requires_grad=True), torch.randn(3, 2, requires_grad=True), torch.randn(2)
    b.requires_grad_()
    xs, y = torch.randn(8, 5, 4), torch.tensor([0, 1, 1, 0, 1])
    return (w, v, b), lambda i: F.cross_entropy(torch.tanh(xs[i % 8] @ w) @ v + b, y)


def scalars():
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    return (a, b), lambda i: (a * b + (a * torch.tensor(float(i))).sin()) ** 2


def twice():
    x = torch.randn(4, requires_grad=True)
    y = torch.randn(4, requires_grad=True)
    return (x, y), lambda i: ((x * y).exp() * x + x).sum()


def alternating():
    """The same line, but other arrays are the same ones."""
    x, y = torch.randn(4, requires_grad=True), torch.randn(4, requires_grad=True)
    return (x, y), lambda i: (torch.exp(x) * (x if i % 2 else y) * y).sum()


def shapes():
    w = torch.randn(3, requires_grad=True)
    return (w,), lambda i: (torch.ones(1 + i % 3, 3) * w * 2).tanh().sum()


@pytest.mark.parametrize("make", [mlp, scalars, twice, alternating, shapes], ids=lambda f: f.__name__)
def test_the_same_gradients(make, soon):
    with pytest.MonkeyPatch.context() as m:
        m.setattr(repeated, "PATIENCE", 10**9)
        expected = grads(make, 20)
    repeated._sites.of.clear()
    got = grads(make, 20)
    for a, b in zip(expected, got):
        for g, h in zip(a, b):
            np.testing.assert_allclose(h, g, 1e-5, 1e-6)
            assert type(h) is type(g) and h.dtype == g.dtype
    assert in_use()


def test_gradients_add_up_and_a_kept_graph_can_be_used_again(soon):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(10):
        y = (x.exp() * x).sum() * 2
        x.grad = None
        y.backward(retain_graph=True)
        once = x.grad.clone()
        y.backward()
        assert torch.allclose(x.grad, 2 * once)
        with pytest.raises(RuntimeError, match="a second time"):
            y.backward()
    assert in_use()


def test_errors_stay(soon):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for i in range(12):
        h = x.exp()
        y = (h * h * x).sum()
        if i % 4 == 3:
            h.detach().mul_(2)
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                y.backward()
        else:
            y.backward()
    assert in_use()


def test_hooks_are_called(soon):
    x, seen = torch.tensor([1.0, 2.0], requires_grad=True), []
    for i in range(12):
        h = x.exp()
        y = (h * h * x).sum()
        if i == 9:
            h.register_hook(lambda g: seen.append(g))
        y.backward()
    assert len(seen) == 1


def test_hooks_of_leaves_are_called(soon):
    x, seen = torch.tensor([1.0, 2.0], requires_grad=True), []
    x.register_hook(lambda g: seen.append(g.clone()))
    for _ in range(9):
        x.grad = None
        (x.exp() * x * 3).sum().backward()
        assert torch.allclose(seen[-1], x.grad)
    assert len(seen) == 9 and in_use()


def test_who_looks_at_each_step_sees_each(soon):
    x = torch.tensor([1.0, -2.0], requires_grad=True)

    def loss():
        return (x.exp() * x * 3).sqrt().sum()
    for _ in range(8):
        with torch.autograd.set_detect_anomaly(False):
            loss().backward()
    with torch.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="returned nan values"):
        loss().backward()


def test_a_line_with_ever_new_graphs_is_left_alone(soon):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for i in range(2 * repeated.MOST_SIGNATURES):
        y = x
        for _ in range(i + 2):
            y = y.sin()
        y.sum().backward()
    assert not in_use()
    site, = repeated._sites.of.values()
    assert site.programs is None


def test_seeding_starts_anew_and_runs_are_alike(soon):
    def run():
        torch.manual_seed(3)
        w, x = torch.randn(50, 40, requires_grad=True), torch.randn(30, 50)
        losses = []
        for _ in range(12):
            w.grad = None
            loss = torch.tanh(x @ w).square().mean()
            loss.backward()
            with torch.no_grad():
                w -= 0.5 * w.grad
            losses.append(loss.item())
        return losses, w.tolist()
    first = run()
    assert in_use()
    assert run() == first


def test_it_can_be_turned_off(soon):
    x = torch.ones(3, requires_grad=True)
    torch.use_deterministic_algorithms(True)
    try:
        for _ in range(9):
            (x.exp() * x * 3).sum().backward()
    finally:
        torch.use_deterministic_algorithms(False)
    assert not in_use()


def test_the_gradient_that_a_pass_starts_with_is_another_each_time(soon):
    """It was once taken for a constant of the recorded pass."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for i in range(10):
        x.grad = None
        (x.exp() * x * 3).backward(torch.tensor([float(i), 1.0]))
        expected = 3 * x.detach().exp() * (1 + x.detach()) * torch.tensor([float(i), 1.0])
        np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), 1e-6)
    assert in_use()


# ---- autograd.grad ---------------------------------------------------------------------------
def collect(make, steps=20, **options):
    """What autograd.grad gives on each step, as arrays."""
    torch.manual_seed(0)
    leaves, loss = make()
    found = [torch.autograd.grad(loss(i), leaves, **options) for i in range(steps)]
    return [[None if g is None else g.numpy() for g in gs] for gs in found]


def hessian_product():
    """Two outputs, one of them shared by both directions, and a graph that was made by another pass."""
    w, v = torch.randn(4, 3, requires_grad=True), torch.randn(3, requires_grad=True)
    x = torch.randn(5, 4)

    def loss(i):
        gs = torch.autograd.grad((torch.tanh(x @ w) @ v).square().sum(), (w, v), create_graph=True)
        return sum((g * torch.tensor(i + 1.0)).sum() for g in gs)
    return (w, v), loss


@pytest.mark.parametrize("make", [mlp, scalars, twice, alternating, shapes, hessian_product], ids=lambda f: f.__name__)
def test_grad_gives_the_same(make, soon):
    with pytest.MonkeyPatch.context() as m:
        m.setattr(repeated, "PATIENCE", 10**9)
        expected = collect(make)
    repeated._sites.of.clear()
    for a, b in zip(expected, collect(make), strict=True):
        for g, h in zip(a, b, strict=True):
            np.testing.assert_allclose(h, g, 1e-5, 1e-6)
            assert type(h) is type(g) and h.dtype == g.dtype
    assert in_use()


def test_grad_of_several_outputs_with_directions(soon):
    x, y = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    for i in range(12):
        a, b = (x * y).exp(), x.sin() * y
        g = torch.full((3,), i + 1.0)
        for h in (g, 2 * g):  # the same array twice, and two arrays
            gx, gy = torch.autograd.grad([a, b], [x, y], [g, h], retain_graph=True)
            e = (x * y).exp().detach() * g
            np.testing.assert_allclose(gx.numpy(), (e * y + x.cos() * y * h).detach().numpy(), rtol=1e-5)
            np.testing.assert_allclose(gy.numpy(), (e * x + x.sin() * h).detach().numpy(), rtol=1e-5)
    assert in_use()


def test_grad_frees_what_it_passed_and_nothing_else(soon):
    x, y = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    for _ in range(12):
        h = x.exp()
        loss = (h * h * y.exp()).sum()
        only, = torch.autograd.grad(loss, [x], retain_graph=True)
        gx, = torch.autograd.grad(loss, [x])
        assert torch.equal(only, gx)
        with pytest.raises(RuntimeError, match="a second time"):
            torch.autograd.grad(loss, [x])
    assert in_use()


def test_grad_of_inputs_that_are_not_reached_or_inside(soon):
    x, y = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    for _ in range(12):
        h = x.exp()
        loss = (h.sin() * h).sum() * 2
        gx, gy = torch.autograd.grad(loss, [x, y], retain_graph=True, allow_unused=True)
        assert gy is None and gx is not None
        gh, = torch.autograd.grad(loss, [h], retain_graph=True)
        np.testing.assert_allclose((gh * h).detach().numpy(), gx.numpy(), rtol=1e-5)
        with pytest.raises(RuntimeError, match="appears to not have been used"):
            torch.autograd.grad(loss, [x, y])


def test_hooks_of_leaves_are_called_by_grad(soon):
    x = torch.randn(3, requires_grad=True)
    x.register_hook(lambda g: g * 10)
    for _ in range(12):
        g, = torch.autograd.grad((x.exp() * x).sum() * 2, [x])
        np.testing.assert_allclose(g.numpy(), (20 * (x + 1) * x.exp()).detach().numpy(), rtol=1e-5)
    assert in_use()
