"""Transforms that a program makes again and again: functions with effects, errors and state are called each time."""
import random

import pytest
from repeated_transforms import Net, W, X, in_use, is_off, kinds, plainly, reasons, same, soon  # noqa: F401  (a fixture)

import kobai as torch
from kobai import nn
from kobai.backends import llvm
from kobai.func import grad, grad_and_value, jacrev

pytestmark = pytest.mark.skipif(not llvm.available, reason="without llvmlite no transform is recorded")
TABLE: dict = {}
SCALE = 1.0


# ---- effects -----------------------------------------------------------------------------------
def test_functions_with_effects_are_called_each_time(capsys):
    count, log = [0], []

    def counts(x):
        count[0] += 1
        return x.sin()

    def prints(x):
        print("here")
        return x.sin()

    def logs(x):
        log.append(x.shape)
        return x.sin()

    def draws(x):
        return x * random.random()

    def counter():
        n = 0

        def f(x):
            nonlocal n
            n += 1
            return x * n
        return f
    f = counter()
    numbers = iter(range(100))
    for i in range(12):
        jacrev(counts)(X[0])
        jacrev(prints)(X[0])
        jacrev(logs)(X[0])
        random.seed(i)
        expected = random.random()
        random.seed(i)
        assert jacrev(draws)(X[0])[0, 0].item() == pytest.approx(expected)
        assert jacrev(f)(X[0])[0, 0].item() == i + 1
        assert jacrev(lambda x: x * next(numbers))(X[0])[0, 0].item() == i
        one = counter()
        assert [jacrev(one)(X[0])[0, 0].item() for _ in range(2)] == [1, 2]
    assert count == [12] and len(log) == 12 and capsys.readouterr().out == "here\n" * 12
    assert not in_use()


def test_what_depends_on_numbers():
    def f(x):
        return x * 2 if x.sum() > 0 else x * 3
    for i in range(12):
        x = X[0] if i % 2 else -X[0]
        assert grad(lambda x: f(x).sum())(x)[0].item() == (2 if i % 2 else 3)
        value, aux = grad_and_value(lambda x: ((x * x).sum(), x.sum().item()), has_aux=True)(x)[1]
        assert aux == pytest.approx(x.sum().item()) and type(aux) is float and value.item() > 0


def test_errors_of_a_later_call():
    table = torch.arange(4.0)
    for i in range(16):
        k = torch.tensor([0, 5 if i % 4 == 3 else 2])
        if i % 4 == 3:
            with pytest.raises(IndexError):
                jacrev(lambda x: (x * table)[k])(X[0, :1])
        else:
            assert jacrev(lambda x: (x * table)[k])(X[0, :1]).shape == (2, 1)


def test_errors_that_the_function_catches():
    def f(x):
        try:
            return torch.linalg.cholesky(x * torch.eye(1)).sum()
        except RuntimeError:
            return x * 7
    for i in range(16):
        x = torch.tensor(4.0 if i % 3 else -4.0)
        assert grad(f)(x).item() == pytest.approx(0.25 if i % 3 else 7)
    assert in_use() == 1


def test_a_function_that_raises_and_one_that_raises_later():
    def f(x):
        if TABLE.get("fail"):
            raise KeyError("mine")
        return x.sin()
    for i in range(16):
        TABLE["fail"] = i % 8 == 7
        if i % 8 == 7:
            with pytest.raises(KeyError, match="mine"):
                jacrev(f)(X[0])
            assert not torch.autograd.mode.modes.whole
        else:
            jacrev(f)(X[0])
        with pytest.raises(RuntimeError, match="scalar"):
            grad(lambda x: x)(X[0])


def test_arguments_that_the_function_changes():
    def f(p):
        p["n"] = p["w"] * 2
        return p["n"].sin()

    def in_place(w, x):
        x.mul_(2)
        return (x * w).sum()
    for _ in range(10):
        p = {"w": X[0]}
        grad(lambda x, p: (f(p) + x).sum())(X[0], p)
        assert "n" in p
        x = X.clone()
        same(grad(in_place)(X, x), X * 2)
        same(x, X * 2)


def test_effects_that_leave_nothing_new():
    """A function that sets what was set already: when it is something else, it has to be set again."""
    state, table, items, kinds_seen = Net(), {"a": 7}, [7], []

    def sets(x):
        state.factor = 7.0
        return (x * x).sum()

    def sets_by_name(x):
        setattr(state, "factor", 7.0)  # noqa: B010
        return (x * x).sum()

    def updates(x):
        table.update(a=7)
        return (x * x).sum()

    def puts(x):
        items[0] = 7
        return (x * x).sum()

    def clears(x):
        kinds_seen.clear()
        return (x * x).sum()
    for i in range(40):
        if i % 10 > 7:
            state.factor, table["a"], items[0] = float(i), i, i
            kinds_seen.append(i)
        for f in (sets, updates, puts, clears):
            same(grad(f)(X[0] + i), 2 * (X[0] + i))
        assert (state.factor, table, items, kinds_seen) == (7.0, {"a": 7}, [7], [])
        state.factor = 1.0
        grad(sets_by_name)(X[0])
        assert state.factor == 7.0


def test_what_a_function_stores_is_that_of_this_call():
    class Store:
        pass
    store, table = Store(), {}

    def by_attribute(x):
        store.last = (x * 2).detach()
        return (x * x).sum()

    def by_key(x):
        table["last"] = x.detach() * 1
        return (x * x).sum()

    def by_global(x):
        global SCALE
        SCALE = (x * 3).detach()
        return (x * x).sum()
    for i in range(12):
        for f in (by_attribute, by_key, by_global):
            grad(f)(X[0] + i)
        assert store.last.tolist() == (2 * (X[0] + i)).tolist() and table["last"].tolist() == (X[0] + i).tolist()
        assert SCALE.tolist() == (3 * (X[0] + i)).tolist()
    globals()["SCALE"] = 1.0


def test_buffers_and_optimizers():
    norm = nn.BatchNorm1d(3).requires_grad_(False)
    p = torch.zeros(3, requires_grad=True)
    opt = torch.optim.SGD([p], lr=0.5)

    def f(x):
        opt.zero_grad()
        (p * 2).sum().backward()
        opt.step()
        return (x * x).sum()
    for _ in range(10):
        jacrev(norm)(X)
        grad(f)(X[0])
    assert norm.num_batches_tracked == 10 and p.tolist() == [-10.0] * 3


def test_decompositions_that_fail_later():
    a = torch.eye(3) * 2
    for i in range(16):
        one = a if i % 4 != 3 else -a
        if i % 4 == 3:
            with pytest.raises(RuntimeError, match="positive-definite"):
                jacrev(torch.linalg.cholesky)(one)
            with pytest.raises(RuntimeError, match="singular"):
                grad(lambda a: torch.linalg.inv(a).sum())(one * 0)
        else:
            assert jacrev(torch.linalg.cholesky)(one).shape == (3, 3, 3, 3)
            grad(lambda a: torch.linalg.inv(a).sum())(one)
    assert in_use() == 2
