"""Results of compiled functions share memory, versions and bases as those of the function itself do."""
import numpy as np
import pytest
from eager_and_compiled import check, reasons

import kobai as torch

W = torch.randn(3, 4, requires_grad=True)
C = torch.randn(3, 4)
PLAIN = {
    "transposed": lambda x: (x * 2).t(), "view": lambda x: (x * 2).view(-1), "column": lambda x: (x * 2)[:, 1],
    "every other": lambda x: (x * 2)[:, ::2], "expanded": lambda x: (x * 2)[:1].expand(3, 4), "diagonal": lambda x: (x * 2).diagonal(),
    "both": lambda x: (lambda y: (y, y.t(), y[0]))(x * 2), "parts": lambda x: (x * 2).split(2, 1), "unbound": lambda x: (x * 2).unbind(0),
    "overlapping": lambda x: (lambda y: (y[:2], y[1:]))(x * 2), "windows": lambda x: (x * 2).unfold(1, 2, 1),
    "kept layout": lambda x: x.t().sin(), "a product turned": lambda x: (x @ x.t()).t(), "number": lambda x: (x * 2)[0, 0],
    "detached": lambda x: (lambda y: (y, y.detach(), y.t().detach()))(x * 2), "itself twice": lambda x: (lambda y: [y, {"y": y}])((x * 2).t()),
    "of the argument": lambda x: (x.t(), x[0], x * 2), "the argument, detached": lambda x: (x.detach(), x.detach()[0], x.data, x * 2),
    "of a tensor": lambda x: (C.t(), C[1], C.detach(), x * 2), "of a parameter": lambda x: (W.t(), W.detach(), W.data.t(), x * 2),
    "after a change": lambda x: (x.mul_(2).t(), x[0]), "with a history": lambda x: (x * W).t(),
    "a history each": lambda x: (lambda y: (y[:2], y[1:], y.detach()))(x * W), "without grad mode": lambda x: _without(x * W),
    "complex": lambda x: torch.view_as_complex((x * 2).view(6, 2)),
    "changed through a view": lambda x: _changed(x * W), "permuted history": lambda x: ((x * W).t().exp(), (x * W).t().sin().square()),
}


def _without(y):
    with torch.no_grad():
        return y[0], y


def _changed(y):
    v = y[0]
    y.mul_(3)
    return v


def leaves(r):
    if isinstance(r, dict):
        r = list(r.values())
    return [t for v in r for t in leaves(v)] if isinstance(r, (list, tuple)) else [r]


def base_of(t, seen):
    """What a tensor is a view of; None where nobody can see that: it is all of a value that is not among those seen."""
    b = t._base
    alone = b is not None and b.numel() == t.numel() and not any(
        o is not t and np.shares_memory(o.detach().numpy(), t.detach().numpy()) for o in seen)
    return None if alone else b


def described(r, x):
    """How results lie in memory, and which look into each other, the argument, W and C."""
    found, others = leaves(r), [x, W, C]
    arrays = [t.detach().numpy() for t in (*found, *others)]
    places = {id(t): k for k, t in reversed(list(enumerate([*found, *others])))}
    bases = [base_of(t, [*found, *others]) for t in found]
    return [[tuple(t.shape), t.stride(), t.is_contiguous(), t.requires_grad, t.is_leaf, places[id(t)],
             None if base is None else (tuple(base.shape), places.get(id(base), "another")),
             [np.shares_memory(a, b) for b in arrays], [t._ver is o._ver for o in (*found, *others)]]
            for t, a, base in zip(found, arrays, bases)]


@pytest.mark.parametrize("history", [False, True])
def test_all_of_a_value_that_nobody_else_sees_is_no_view(history):
    """As in PyTorch, where a function that is compiled gives one such result: no tensor is made that is only looked into."""
    w = torch.randn(3, 4, requires_grad=history)
    step = torch.compile(lambda x: (x * w).view(2, 6).t())
    step(torch.randn(3, 4))
    for _ in range(3):
        x = torch.randn(3, 4)
        y = step(x)
        assert y._base is None and not y._is_view() and y.requires_grad == history
        np.testing.assert_array_equal(y.detach().numpy(), (x.numpy() * w.detach().numpy()).reshape(2, 6).T)
        if history:
            g, = torch.autograd.grad(y.square().sum(), w)
            np.testing.assert_allclose(g.numpy(), 2 * x.numpy() ** 2 * w.detach().numpy(), rtol=1e-6)
            y = step(x)
            y.mul_(2)
            g, = torch.autograd.grad(y.sum(), w)
            np.testing.assert_allclose(g.numpy(), 2 * x.numpy(), rtol=1e-6)
    assert step.reason is None


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", PLAIN)
def test_shapes_strides_and_bases(name, turned):
    f = PLAIN[name]

    def case(compile):
        step, out = compile(lambda x: f(x)), []
        for _ in range(5):
            x = torch.randn(4, 3).t() if turned else torch.randn(3, 4)
            r = step(x)
            out.append(described(r, x))
            out.append([t.detach().clone() for t in leaves(r)])
        return out
    check(case)


@pytest.mark.parametrize("name", [n for n in PLAIN if not n.startswith(("of a ", "expanded", "windows"))])
@pytest.mark.parametrize("first", [0, -1])
def test_changes_of_one_are_seen_by_the_others(name, first):
    f = PLAIN[name]

    def case(compile):
        step, out = compile(lambda x: f(x)), []
        for _ in range(4):
            x = torch.randn(3, 4)
            found = leaves(step(x))
            before = [t._version for t in found]
            with torch.no_grad():
                found[first].mul_(1.5)
            out += [[t.detach().clone() for t in found], [t._version - b for t, b in zip(found, before)], x.clone()]
        return out
    check(case)


@pytest.mark.parametrize("name", ["with a history", "a history each", "changed through a view", "permuted history", "without grad mode"])
def test_gradients(name):
    f = PLAIN[name]

    def case(compile):
        step, out = compile(lambda x: f(x)), []
        for _ in range(4):
            W.grad = None
            found = leaves(step(torch.randn(3, 4)))
            total = sum((t.sin() * (k + 1)).sum() for k, t in enumerate(found) if t.requires_grad)
            g, = torch.autograd.grad(total, W, create_graph=True)
            g.square().sum().backward()
            out += [g.detach(), W.grad.clone()]
        return out
    check(case, 1e-3)


def test_views_and_others_in_any_order():
    """The gradient for each result goes to that result, for gradients of gradients, too."""
    def case(compile):
        def f(x):
            a, b, c = x * W, x * W.exp(), (x * W).sin()
            return a.t(), b, c[1:], a[0], c[:, 0]
        step, out = compile(f), []
        for _ in range(4):
            W.grad = None
            total = sum((t * t * (k + 1)).sum() for k, t in enumerate(step(torch.randn(3, 4))))
            g, = torch.autograd.grad(total, W, create_graph=True)
            g.square().sum().backward()
            out += [g.detach(), W.grad.clone()]
        return out
    check(case, 1e-3)


def test_views_of_parameters():
    layer = torch.nn.Linear(3, 2)

    def case(compile):
        step, out = compile(lambda x: (layer(x), layer.weight.t(), layer.bias.detach())), []
        for _ in range(4):
            layer.zero_grad()
            y, w, b = step(torch.randn(4, 3))
            (y.sum() + w.square().sum()).backward()
            out += [y.detach(), w.stride(), w._base is layer.weight, b.data_ptr() == layer.bias.data_ptr(), layer.weight.grad.clone()]
        return out
    check(case)


def test_a_view_with_a_history_is_changed():
    def case(compile):
        step, out = compile(lambda x: (lambda y: (y, y.t()))(x * W)), []
        for _ in range(4):
            W.grad = None
            y, v = step(torch.randn(3, 4))
            v[0].mul_(3.0)
            y.sum().backward()
            out += [y.detach().clone(), v.detach().clone(), W.grad.clone()]
        return out
    check(case)


@pytest.mark.parametrize("history", [False, True])
def test_a_small_part_of_much_has_memory_of_its_own(history):
    x, w = torch.randn(64, 1000), torch.randn(64, 1000, requires_grad=history)
    step = torch.compile(lambda x: (x * w)[:, -1])
    step(x)
    for _ in range(3):
        w.grad, y = None, step(x)
        assert y.untyped_storage().nbytes() == y.nbytes and torch.equal(y, x[:, -1] * w[:, -1])
        if history:
            y.sum().backward()
            assert torch.equal(w.grad[:, -1], x[:, -1]) and not w.grad[:, :-1].any()


@pytest.mark.parametrize("write", [
    lambda y, x: y.unfold(1, 2, 1), lambda y, x: y.t().contiguous().t().unfold(1, 2, 2),
    lambda y, x: torch.view_as_complex(y.view(3, 2, 2)).mul_(1j), lambda y, x: y.view(torch.int32).add_(1)])
def test_memory_seen_in_other_ways(write):
    """Windows made by as_strided, and views of another dtype, are the same memory."""
    def case(compile):
        def f(x):
            y = x * 2
            v = write(y, x)
            y.add_(1)
            return v.clone(), y.clone()
        step = compile(f)
        x = torch.randn(4, 3).t()
        return [step(v) for v in (torch.randn(3, 4), torch.randn(3, 4), torch.randn(3, 4), x, x, x)]
    reasons(case)


def test_memory_seen_as_another_type():
    def fn(x):
        y = x * 2
        return y, y.view(torch.int32)
    run = torch.compile(fn)
    for k in range(1, 5):
        y, bits = run(torch.full((3,), float(k)))
        assert bits.tolist() == np.full(3, 2 * k, np.float32).view(np.int32).tolist() and bits.data_ptr() == y.data_ptr()


def test_arguments_that_overlap_are_read():
    """Words and those that come after them, as language models take them from one text; and where one is written."""
    text = torch.arange(40.0)
    f = torch.compile(lambda x, y: ((x * y).sum(), y[2:]))
    for i in range(0, 30, 3):
        total, part = f(text[i:i + 5], text[i + 1:i + 6])
        assert total.item() == sum((i + j) * (i + j + 1) for j in range(5))
        assert part.tolist() == text[i + 3:i + 6].tolist() and part.data_ptr() == text[i + 3:].data_ptr()
    assert f.reason is None
    _, part = f(text[:5], text[7:12])  # another distance between them
    assert part.data_ptr() == text[9:].data_ptr()

    g = torch.compile(lambda x, y: (y.add_(1), x * 2)[1])
    text = torch.zeros(9)
    assert [g(text[i:i + 3], text[i + 1:i + 4]).tolist() for i in range(4)] == [[0, 2, 2], [2, 4, 4], [4, 6, 4], [6, 6, 4]]


@pytest.mark.parametrize("make", [
    lambda x: x.sum().expand(3), lambda x: (x * 2)[1:2].expand(3).detach(),
    lambda x: (x * W[0, :3].detach())[None].expand(2, 3).detach(),
    lambda x: torch.broadcast_tensors(x * 2, torch.ones(2, 3)), lambda x: (x * 2)[None].expand(2, 3).t()])
def test_memory_that_repeats_an_element_is_not_written_later(make):
    compiled = torch.compile(make)
    for _ in range(5):
        want, have = make(torch.ones(3)), compiled(torch.ones(3))
        for a, b in zip(*[v if isinstance(v, (tuple, list)) else [v] for v in (want, have)]):
            assert a.stride() == b.stride() and a.tolist() == b.tolist()
            if 0 in a.stride():
                with pytest.raises(RuntimeError, match="single memory location"):
                    b.detach().mul_(2)


def test_what_a_first_call_changes_is_changed_once_where_a_result_repeats_an_element():
    kept = []

    @torch.compile
    def f(x):
        y = (x * 2)[1:2].expand(3)
        x.add_(x)
        kept[:] = [y.detach()]
        return y
    for _ in range(6):
        x = torch.ones(3)
        assert f(x).tolist() == [2.0] * 3 == x.tolist()
