"""Gradients with a history that are asked for again and again: the same numbers and the same graph, node for node.

Expected is what the engine itself gives, with `use_deterministic_algorithms(True)`, which turns programs off.
"""
import numpy as np
import pytest

import kobai as torch
import kobai.nn.functional as F
from kobai import nn
from kobai.autograd import again, grad
from kobai.backends import llvm

pytestmark = pytest.mark.skipif(not llvm.available, reason="without llvmlite no pass is recorded")


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Passes are recorded at once, and used two passes later."""
    monkeypatch.setattr(again, "PATIENCE", 1)
    monkeypatch.setattr(again, "WAIT", 2)
    monkeypatch.setattr(again, "_sites", again._Sites())


def in_use():
    """How many programs run by now."""
    return sum(bool(p and p.run) for site in again._sites.of.values() for p in (site.programs or {}).values())


def plainly(fn):
    torch.use_deterministic_algorithms(True)
    try:
        return fn()
    finally:
        torch.use_deterministic_algorithms(False)


def drawing(t):
    """The graph behind a tensor as text: names, shapes of what is saved, and how they are joined."""
    lines, numbers, alive, stack = [], {}, [], [(t.grad_fn, 0)]
    while stack:
        node, depth = stack.pop()
        if id(node) in numbers or node is None:
            lines.append(f"{depth} {numbers.get(id(node))}")
            continue
        numbers[id(node)] = len(numbers)
        alive.append(node)
        line = "" if not hasattr(node, "where") else str(node.where[0].co_name)
        lines.append(f"{depth} {node.name()} {line}")
        stack += [(n, depth + 1) for n, _ in node.next_functions]
    return "\n".join(lines)


def mlp():
    torch.manual_seed(0)
    ws = [(torch.randn(b, a) / 3).requires_grad_() for a, b in ((3, 5), (5, 4), (4, 2))]
    bs = [torch.randn(n).requires_grad_() for n in (5, 4, 2)]
    xs, y = torch.randn(8, 6, 3), torch.tensor([0, 1, 1, 0, 1, 0])

    def loss(i):
        h = xs[i % 8]
        for w, b in zip(ws, bs):
            h = torch.tanh(F.linear(h, w, b))
        return F.cross_entropy(h, y)
    return [*ws, *bs], loss


def products():
    torch.manual_seed(0)
    a, b = torch.randn(3, 4, requires_grad=True), torch.randn(4, 2, requires_grad=True)
    return [a, b], lambda i: ((a @ b).exp().mean(0) * torch.tensor(i + 1.0)).sum() + (a * a).sum()


def shared():
    x, y = torch.tensor([0.3, 1.2, -0.4], requires_grad=True), torch.tensor([1.0, 0.5, 2.0], requires_grad=True)
    return [x, y], lambda i: ((x * y).sin() * x / y + torch.full((3,), float(i)) * x).sum() ** 2


def scalars():
    a, b = torch.tensor(0.7, requires_grad=True), torch.tensor(1.3, requires_grad=True)
    return [a, b], lambda i: (a * b).exp() * a.sin() + b ** 3 * torch.tensor(float(i))


def broadcast():
    torch.manual_seed(0)
    a, b = torch.randn(4, 1, requires_grad=True), torch.randn(3, requires_grad=True)
    return [a, b], lambda i: (torch.sigmoid(a * b) ** 2 / (1 + b * b)).sum() * torch.tensor(1.0 + i)


def normed():
    torch.manual_seed(0)
    x, w = torch.randn(4, 5, requires_grad=True), torch.randn(5, requires_grad=True)
    return [x, w], lambda i: (F.softmax(F.layer_norm(x, (5,), w), -1) ** 2).sum() + F.gelu(x).mean()


def doubles():
    torch.manual_seed(0)
    x = torch.randn(7, dtype=torch.float64, requires_grad=True)
    return [x], lambda i: (torch.where(x > 0, x ** 3, x.exp()) * torch.relu(x + 1)).sum()


def moved():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, requires_grad=True)
    return [x], lambda i: (x.permute(2, 0, 1)[1:].reshape(3, 6).cumsum(1) * torch.stack([x[0, 0, :3]] * 6, 1)).pow(2).sum()


def convolved():
    torch.manual_seed(0)
    x, w = torch.randn(1, 2, 5, 5, requires_grad=True), torch.randn(3, 2, 3, 3, requires_grad=True)
    return [x, w], lambda i: F.max_pool2d(torch.tanh(F.conv2d(x, w, padding=1)), 2).pow(2).sum()


CASES = [mlp, products, shared, scalars, broadcast, normed, doubles, moved, convolved]


def what_else(t):
    return t.dtype, t.shape, t.stride(), t.requires_grad, t.is_leaf, t._version, t._is_view(), type(t._data)


def calls(make, steps, order=2):
    torch.set_default_dtype(torch.float64)  # whose rounding is no matter
    try:
        return [one(*made, i, order) for made in [make()] for i in range(steps)]
    finally:
        torch.set_default_dtype(torch.float32)


def one(leaves, loss, i, order):
    """(gradients, gradients of gradients, the graphs of the first) in step i."""
    first = grad(loss(i), leaves, create_graph=True, allow_unused=True)
    drawn = [drawing(g) for g in first]
    found = list(first)
    for _ in range(order - 1):
        found = grad(sum((g * (1 + k) * g.detach().cos()).sum() for k, g in enumerate(found) if g.requires_grad), leaves,
                     create_graph=order > 2, allow_unused=True)
        found = [torch.zeros(1) if g is None else g for g in found]
    return first, found, drawn


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("make", CASES, ids=lambda f: f.__name__)
def test_the_same_gradients_and_the_same_graph(make, order):
    want = plainly(lambda: calls(make, 12, order))
    got = calls(make, 12, order)
    for (first, second, drawn), (first_, second_, drawn_) in zip(got, want):
        for a, b in zip((*first, *second), (*first_, *second_)):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), 1e-8,
                                       1e-9 * max(1, b.detach().abs().max().item()))
            assert what_else(a) == what_else(b)
        assert drawn == drawn_
    if make not in (moved, convolved, normed):
        assert in_use()


def test_some_of_the_leaves_and_given_gradients():
    leaves, loss = mlp()
    for i in range(10):
        value = loss(i)
        g = torch.tensor(float(i))
        found = grad(value, [leaves[4], leaves[0]], g, create_graph=True)
        want = plainly(lambda: grad(value, [leaves[4], leaves[0]], g, create_graph=True))
        for a, b in zip(found, want):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), 1e-4, 1e-6)
        with_history = torch.tensor(2.0, requires_grad=True)
        one, = grad(value, leaves[1], with_history, create_graph=True)
        back, = grad(one.sum(), with_history)
        np.testing.assert_allclose(back.numpy(), one.sum().item() / 2, 1e-3, 1e-5)
    assert in_use()


def test_updates_in_place_and_new_data():
    leaves, loss = mlp()
    for i in range(20):
        if i >= 12:
            leaves[0].data = leaves[0].data * 0.9
        with torch.no_grad():
            for p in leaves:
                p.mul_(0.99)
        first = grad(loss(i), leaves, create_graph=True)
        norm = sum((g ** 2).sum() for g in first)
        norm.backward()
        want = plainly(lambda: grad(sum((g ** 2).sum() for g in grad(loss(i), leaves, create_graph=True)), leaves))
        for p, g in zip(leaves, want):
            np.testing.assert_allclose(p.grad.numpy(), g.numpy(), 1e-3, 1e-5)
            p.grad = None
    assert in_use()


def test_changes_in_place_are_found():
    x, w = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([0.5, 3.0], requires_grad=True)
    for i in range(16):
        h = x.exp() * w
        y = (h.sin() * x).sum()
        if i % 8 == 7:
            h.detach().mul_(2)
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                grad(y, x, create_graph=True)
            continue
        g, = grad(y, x, create_graph=True)
        if i % 8 == 6:  # a leaf that the gradients' graph has saved
            with torch.no_grad():
                w.add_(1.0)
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                grad(g.sum(), x)
        elif i % 8 == 5:
            h.detach().mul_(2)
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                y.backward()
        else:
            grad(g.sum(), x)
            with pytest.raises(RuntimeError, match="a second time"):
                grad(g.sum(), x)
    assert in_use()


def test_hooks_of_leaves_and_nodes():
    x, seen = torch.tensor([1.0, 2.0], requires_grad=True), []
    for i in range(14):
        h = x.exp()
        y = (h * h * x).sin().sum()
        if i >= 8:
            handle = x.register_hook(lambda g: seen.append("x") or g * 2)
        if i >= 11:
            h.register_hook(lambda g: seen.append("h"))
        g, = grad(y, x, create_graph=True)
        want, = plainly(lambda: grad((x.exp() ** 2 * x).sin().sum(), x))
        np.testing.assert_allclose(g.detach().numpy(), want.numpy(), 1e-4)
        assert g.requires_grad
        if i >= 8:
            handle.remove()
    assert (seen.count("x"), seen.count("h")) == (12, 3)  # with plainly's


def test_gradients_are_not_overwritten_and_may_be_changed():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    kept = []
    for i in range(10):
        g, = grad((x.sin() * x * torch.tensor(i + 1.0)).sum(), x, create_graph=True)
        kept.append(g)
    assert in_use()
    want = (x.cos() * x + x.sin()).detach()
    for i, g in enumerate(kept):
        np.testing.assert_allclose(g.detach().numpy(), (want * (i + 1)).numpy(), 1e-5)
        second, = grad(g.sum(), x)
        np.testing.assert_allclose(second.numpy(), ((2 * x.cos() - x.sin() * x) * (i + 1)).detach().numpy(), 1e-4)


def test_a_physics_informed_network():
    """u_xx of a network by two gradients, trained for some steps: the losses are the engine's."""
    def run():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
        opt, losses = torch.optim.SGD(net.parameters(), lr=1e-2), []
        for _ in range(20):
            x = torch.linspace(0, 1, 9)[:, None].requires_grad_()
            u = net(x)
            u_x, = grad(u, x, torch.ones_like(u), create_graph=True)
            u_xx, = grad(u_x, x, torch.ones_like(u_x), create_graph=True)
            loss = ((u_xx + u) ** 2).mean() + (u[0] - 1).pow(2).sum()
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        return losses
    losses = run()
    assert in_use() >= 2
    np.testing.assert_allclose(losses, plainly(run), 1e-4)


def test_a_program_that_gives_something_else_is_not_used(monkeypatch):
    rebuilt = again._rebuilt

    def wrong(*args):
        return {leaf: g * 1.1 for leaf, g in rebuilt(*args).items()}
    monkeypatch.setattr(again, "_rebuilt", wrong)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(12):
        g, = grad((x ** 3 * x.exp()).sum(), x, create_graph=True)
        np.testing.assert_allclose(g.detach().numpy(), ((3 * x ** 2 + x ** 3) * x.exp()).detach().numpy(), 1e-5)
    assert not in_use()


def test_without_machine_code(monkeypatch):
    monkeypatch.setattr(again, "PATIENCE", 3)
    monkeypatch.setattr(llvm, "available", False)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(20):
        g, = grad((x.exp() * x.sin() * x).sum(), x, create_graph=True)
        assert g.requires_grad
    assert all(site.programs is None for site in again._sites.of.values()) and again._sites.of


def test_the_same_seed_gives_the_same_bits():
    def run():
        leaves, loss = mlp()
        return [g.tolist() for i in range(9) for g in grad(loss(i), leaves, create_graph=True)]
    first = run()
    assert in_use()
    assert first == run()
