"""Transforms whose results have a history (the model's parameters require grad): the same numbers and the same graph,
node for node, as a plain call gives.  Expected is what a plain call gives, or mathematics where that is simpler.
"""
import numpy as np
import pytest
from repeated_transforms import W, X, in_use, plainly, reasons, same, soon  # noqa: F401  (a fixture)

import kobai as torch
import kobai.nn.functional as F
from kobai import nn
from kobai.backends import llvm
from kobai.compile import transform
from kobai.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap

pytestmark = pytest.mark.skipif(not llvm.available, reason="without llvmlite no transform is recorded")


def drawing(t, lines_too=True):
    """The graph behind a tensor as text: names, lines, shapes of what is saved, and how they are joined."""
    lines, numbers, alive, stack = [], {}, [], [(t.grad_fn, 0)]
    while stack:
        node, depth = stack.pop()
        if id(node) in numbers or node is None:
            lines.append(f"{depth} {numbers.get(id(node))}")
            continue
        numbers[id(node)] = len(numbers)
        alive.append(node)
        at = "" if not hasattr(node, "where") or not lines_too else f"{node.where[0].co_name}:{node.where[1]}"
        lines.append(f"{depth} {node.name()} {at}")
        stack += [(n, depth + 1) for n, _ in node.next_functions]
    return "\n".join(lines)


def leaves_of(t):
    found, stack, seen = [], [t.grad_fn], {}
    while stack:
        node = stack.pop()
        if node is not None and id(node) not in seen:
            seen[id(node)] = node  # alive, so that no other gets its id
            stack += [n for n, _ in node.next_functions]
            if node.name() == "torch::autograd::AccumulateGrad":
                found.append(node.variable)
    return found


def model(*sizes, activation=nn.Tanh):
    torch.manual_seed(0)
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers[:-1])


net = model(3, 5, 2)
P = {k: p.detach().clone().requires_grad_() for k, p in net.named_parameters()}
Y = torch.tensor([0, 1])
w = (W * 1.5).requires_grad_()
s = torch.tensor(0.7, requires_grad=True)
h = (w * 2).exp()   # has a history itself
q = X[0].clone().requires_grad_()


def loss(p, x, y):
    return F.cross_entropy(functional_call(net, p, (x[None],)), y[None])


CALLS = {
    "jacrev of a model": lambda: jacrev(net)(X[0]),
    "jacfwd of a model": lambda: jacfwd(net)(X[0]),
    "jacrev by the parameters": lambda: jacrev(lambda p: functional_call(net, p, (X[0],)))(P)["0.weight"],
    "gradients of examples": lambda: vmap(grad(loss), in_dims=(None, 0, 0))(P, X, Y)["2.weight"],
    "a gradient": lambda: grad(loss)(P, X[0], Y[0])["0.bias"],
    "a Hessian": lambda: hessian(lambda x: net(x).sin().sum())(X[0]),
    "a Hessian product": lambda: jvp(grad(lambda x: net(x).pow(2).sum()), (X[0],), (X[1],))[1],
    "a batch": lambda: vmap(net)(X),
    "a batch, columns": lambda: vmap(net, out_dims=1)(X),
    "a captured tensor": lambda: jacrev(lambda x: torch.tanh(x @ w))(X[0]),
    "a captured number": lambda: grad(lambda x: (x * s).sin().sum())(X[0]),
    "a captured history": lambda: jacrev(lambda x: torch.tanh(x @ h))(X[0]),
    "an input": lambda: grad(lambda x: (x ** 3).sum())(q),
    "an input with a history": lambda: grad(lambda x: (x ** 3).sum())(q.sin()),
    "two sources": lambda: jacrev(lambda x: net(x) * w[0])(X[0]),
    "no examples": lambda: vmap(net)(X[:0]),
    "one example": lambda: vmap(grad(lambda x: net(x).sum()))(X[:1]),
    "every second": lambda: vmap(net)(X.repeat(2, 1)[::2]),
    "float64": lambda: jacrev(lambda x: torch.tanh(x @ w.double()))(X[0].double()),
    "bfloat16": lambda: vmap(lambda x: torch.tanh(x @ w.bfloat16()))(X.bfloat16()),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_same_graph(name):
    call = CALLS[name]
    want = plainly(call)
    for _ in range(9):
        got = call()
        np.testing.assert_allclose(got.detach().float().numpy(), want.detach().float().numpy(), 1e-5, 1e-5)
        assert (got.dtype, got.shape, got.stride(), got.requires_grad) == (want.dtype, want.shape, want.stride(), True)
        assert drawing(got) == drawing(want)
    if name != "no examples":
        assert in_use() == 1, reasons()


@pytest.mark.parametrize("name", CALLS)
def test_the_same_gradients_to_any_order(name):
    call = CALLS[name]
    wanted = [w, s, q, *P.values(), *net.parameters()]

    def gradients():
        out = call()
        first = torch.autograd.grad((out.float() * out.detach().float().cos()).sum(), wanted, allow_unused=True, create_graph=True)
        total = sum([(g * g).sum() for g in first if g is not None and g.requires_grad], torch.zeros(()))
        second = torch.autograd.grad(total, wanted, allow_unused=True, retain_graph=True) if total.requires_grad else ()
        return [g for g in (*first, *second) if g is not None]
    want = plainly(gradients)
    for _ in range(7):
        got = gradients()
        assert len(got) == len(want)
        for a, b in zip(got, want):
            np.testing.assert_allclose(a.detach().float().numpy(), b.detach().float().numpy(), 1e-4, 1e-4)


# ---- what can be done with the graph -------------------------------------------------------------
def used(call, n=6):
    """A result of the program that runs for a call."""
    for _ in range(n):
        call()
    assert in_use(), reasons()
    return call()


def test_a_graph_is_freed_by_the_first_pass_and_kept_if_so_asked():
    f = jacrev(net)
    j = used(lambda: f(X[0]))
    a = torch.autograd.grad(j.sum(), net[0].weight, retain_graph=True)[0]
    b = torch.autograd.grad(j.sum(), net[0].weight)[0]
    assert torch.equal(a, b)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(j.sum(), net[0].weight)


def test_hooks_see_the_gradients_inside():
    f, seen = jacrev(net), []
    j = used(lambda: f(X[0]))
    j.register_hook(seen.append)
    j.grad_fn.next_functions[0][0].register_hook(lambda gi, go: seen.append(go[0]))
    handle = net[0].weight.register_hook(seen.append)
    torch.autograd.grad(j.sum(), net[0].weight)
    handle.remove()
    assert len(seen) == 3 and torch.equal(seen[0], torch.ones_like(j))


def test_a_parameter_that_is_changed_before_the_backward_pass():
    other = model(3, 4, 2)
    f = jacrev(other)
    j = used(lambda: f(X[0]))
    with torch.no_grad():
        other[0].weight.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        j.sum().backward()
    same(f(X[0]).detach(), plainly(lambda: f(X[0])).detach())


def test_a_result_that_is_changed_in_place():
    f = vmap(lambda x: torch.tanh(x @ w))
    y = used(lambda: f(X))
    y.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    g = vmap(lambda x: (x @ w) + 1)
    y = used(lambda: g(X))
    y.mul_(2.0)
    same(torch.autograd.grad(y.sum(), w)[0], 2 * X.sum(0)[:, None].expand(3, 2).contiguous())


def test_results_of_later_calls_leave_earlier_ones_alone():
    f = jacrev(lambda x: torch.tanh(x @ w))
    used(lambda: f(X[0]))
    kept = [f(X[0] + i) for i in range(5)]
    for i, j in enumerate(kept):
        want = plainly(lambda i=i: f(X[0] + i))
        same(j, want)
        same(torch.autograd.grad(j.sum(), w)[0], torch.autograd.grad(want.sum(), w)[0])


def test_training_by_gradients_of_a_jacobian():
    def train():
        torch.manual_seed(0)
        m = model(3, 4, 2)
        optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
        f, losses = jacrev(m), []
        for i in range(14):
            optimizer.zero_grad()
            value = (f(X[i % 2]) ** 2).sum()
            value.backward()
            optimizer.step()
            losses.append(value.item())
        return losses
    want = plainly(train)
    got = train()
    assert in_use() == 1
    np.testing.assert_allclose(got, want, 1e-5)
    assert got[-1] < got[0]


def test_parameters_that_are_frozen_and_thawed():
    m = model(3, 4, 2)
    f = jacrev(m)
    for i in range(36):
        if i % 9 == 4:
            m.requires_grad_(i % 2 == 1)
        if i == 20:
            m[0].weight.requires_grad_(False)
        want = plainly(lambda: f(X[0]))
        got = f(X[0])
        same(got, want)
        assert not got.requires_grad or {id(v) for v in leaves_of(got) if isinstance(v, nn.Parameter)} == {
            id(v) for v in leaves_of(want) if isinstance(v, nn.Parameter)}
        with torch.no_grad():
            assert not f(X[0]).requires_grad


def test_arguments_with_and_without_a_history_in_turns():
    f = grad(lambda x, y: (x * y).sin().sum())
    for i in range(40):
        x = (X[0] + i).requires_grad_(i // 8 % 2 == 1)
        y = x if i % 8 == 5 else (X[1] * 2).requires_grad_(i // 16 % 2 == 1)
        got, want = f(x, y), plainly(lambda: f(x, y))
        same(got, want)
        if want.requires_grad:
            assert drawing(got, False) == drawing(want, False)
            a = torch.autograd.grad(got.sum(), [t for t in (x, y) if t.requires_grad], allow_unused=True)
            b = torch.autograd.grad(want.sum(), [t for t in (x, y) if t.requires_grad], allow_unused=True)
            for g, k in zip(a, b):
                assert (g is None) == (k is None)
                if g is not None:
                    same(g, k)


def test_the_leaf_of_a_call_is_another_each_time():
    f = jacrev(net)
    a, b = used(lambda: f(X[0])), f(X[0])
    own = [{id(v) for v in leaves_of(j)} - {id(p) for p in net.parameters()} for j in (a, b)]
    assert not own[0] & own[1]
    (a + b).sum().backward()
    assert X.grad is None
    net.zero_grad()


def test_inplace_changes_custom_functions_and_hooks_stay_op_by_op():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 3 * g * x * x

    def changed(x):
        y = x * w[:, 0]
        y.mul_(2.0)
        return y.sum()

    def hooked(x):
        y = x * w[:, 0]
        y.register_hook(lambda g: g * 3)
        return y.sum()
    for f in (changed, hooked, lambda x: Cube.apply(x * w[:, 0]).sum()):
        want = plainly(lambda: grad(f)(X[0]))
        for _ in range(8):
            got = grad(f)(X[0])
            same(got, want)
            same(torch.autograd.grad(got.sum(), w)[0], torch.autograd.grad(plainly(lambda: grad(f)(X[0])).sum(), w)[0])


def test_the_same_seed_gives_the_same_bits():
    def run():
        torch.manual_seed(1)
        out = [(jacrev(net)(torch.randn(3) * i)) for i in range(12)]
        return torch.stack([*out, *[torch.autograd.grad(j.sum(), net[0].weight)[0][:2] for j in out]]).detach()
    first = run()
    assert in_use()
    assert torch.equal(first, run())


def test_a_graph_unlike_the_functions_is_not_used(monkeypatch):
    monkeypatch.setattr(transform, "is_alike", lambda found, plain: False)
    for _ in range(10):
        same(jacrev(net)(X[0]), plainly(lambda: jacrev(net)(X[0])))
    assert not in_use()
