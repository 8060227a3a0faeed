"""Transforms that a program makes again and again: the program made of them does what the function does, in all that
can be seen.  Expected is what a plain call gives, or mathematics where that is simpler.
"""
import threading
from functools import partial

import numpy as np
import pytest
from repeated_transforms import Net, W, X, in_use, is_off, kinds, plainly, reasons, same, soon  # noqa: F401  (a fixture)

import kobai as torch
import kobai.nn.functional as F
from kobai import nn
from kobai.autograd import whole
from kobai.backends import llvm
from kobai.compile import transform
from kobai.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap

pytestmark = pytest.mark.skipif(not llvm.available, reason="without llvmlite no transform is recorded")


# ---- closures and variables that change --------------------------------------------------------
SCALE = 1.0


def scaled(x):
    return x.sin() * SCALE


def test_a_global_that_changes():
    global SCALE
    try:
        for i in range(60):
            SCALE = 1.0 + i // 10
            got = jacrev(scaled)(X[0])
            np.testing.assert_allclose(torch.diag(got).numpy(), SCALE * np.cos(X[0].numpy()), 1e-5)
            if i == 8:
                assert in_use()
    finally:
        SCALE = 1.0


def test_a_captured_tensor_that_is_changed_in_place_and_one_that_is_another_each_time():
    w = W.clone()
    for i in range(12):
        w.mul_(1.1)
        y = torch.full((3,), float(i))
        got = jacrev(lambda x: (x @ w) * y.sum())(X)
        want = plainly(lambda: jacrev(lambda x: (x @ w) * y.sum())(X))
        same(got, want)
    assert in_use() == 1


def test_a_variable_of_the_loop_in_one_cell():
    for scale in (1.0, 2.0, 3.0, 4.0) * 8:
        same(grad(lambda x: (x * scale).sin().sum())(X[0]), scale * torch.cos(scale * X[0]))
    assert in_use() == 4


def test_a_tensor_with_two_names_of_which_one_changes():
    names = {"a": X[0]}

    def f(x, b):
        return (x * names["a"]).sum() + (x * b).sum() * 10
    for i in range(16):
        if i >= 10:
            names["a"] = X[1]
        same(grad(f)(X[0].clone(), names["a"] if i < 12 else X[0]), names["a"] + 10 * (names["a"] if i < 12 else X[0]))


def test_a_captured_tensor_that_is_a_global_too():
    b = X[0]
    TABLE["b"] = b

    def calls(b):
        return grad(lambda x: (x * TABLE["b"]).sum() + 10 * (x * b).sum())(X[1])
    for i in range(16):
        other = b if i < 10 else X[1]
        same(calls(other), b + 10 * other)


TABLE: dict = {}


def test_defaults_and_keywords():
    def f(x, s=2.0, *, t=3.0):
        return (x * s * t).sum()
    for i in range(20):
        if i == 8:
            f.__defaults__ = (4.0,)
        if i == 14:
            f.__kwdefaults__ = {"t": 1.0}
        want = 6.0 if i < 8 else 12.0 if i < 14 else 4.0
        assert grad(f)(X[0]).tolist() == pytest.approx([want] * 3)
        same(grad(f)(X[0], t=float(i)), torch.full((3,), (2.0 if i < 8 else 4.0) * i))


def test_minus_zero_is_not_zero():
    for i in range(16):
        s = 0.0 if i % 2 else -0.0
        assert np.signbit(grad(lambda x: (x * s).sum())(X[0]).numpy()).all() == (i % 2 == 0)


def test_code_and_lists_that_change():
    def f(x):
        return sum((x * c).sum() for c in coefficients)
    coefficients = [1.0, 2.0]
    for i in range(24):
        if i % 8 == 7:
            coefficients.append(float(i))
        if i == 20:
            f.__code__ = (lambda x: x.sum() if coefficients else x).__code__
        assert grad(f)(X[0])[0].item() == pytest.approx(1.0 if i >= 20 else sum(coefficients))


def test_in_dims_that_are_changed_and_made_anew():
    dims = {"w": None}
    for i in range(16):
        if i == 8:
            dims["w"] = 0
        got = vmap(lambda p, x: (x * p["w"]).sum(), in_dims=(dims, 0))({"w": X[:, 0] if i < 8 else X}, X[:, :2] if i < 8 else X)
        same(got, (X[:, :2] @ X[:, 0]) if i < 8 else (X * X).sum(1))
        same(vmap(lambda p: p["w"].sum(), in_dims=({"w": 0},))({"w": X}), X.sum(1))


# ---- modules -----------------------------------------------------------------------------------


def test_a_module_whose_state_changes():
    net = Net()
    for i in range(60):
        net.train(i // 10 % 2 == 0)
        if i == 20:
            net.factor = 3.0
        if i == 30:
            net.l1.weight.add_(0.5)
        if i == 40:
            net.l2 = nn.Linear(4, 2).requires_grad_(False)
        if i == 50:
            net.l1.weight.data = net.l1.weight.data * 2
        same(jacrev(net)(X[0]), plainly(lambda: jacrev(net)(X[0])))
    assert in_use() or "keep changing" in reasons() or is_off()


def test_training_and_validation_in_turns():
    net = Net()
    for i in range(40):
        net.train(i % 20 < 10)
        same(jacrev(net)(X[0]), plainly(lambda: jacrev(net)(X[0])))
        if i in (9, 19) or i > 21:
            assert in_use()
    assert kinds()[0].records == 4


def test_a_module_of_the_librarys_own_classes():
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh()).requires_grad_(False)
    for i in range(24):
        if i == 8:
            net[0] = nn.Linear(3, 2).requires_grad_(False)
        if i == 16:
            net.append(nn.Sigmoid())
        same(jacrev(net)(X[0]), plainly(lambda: jacrev(net)(X[0])))
    assert in_use()


def test_functions_and_methods_that_are_replaced(monkeypatch):
    net, forward, tanh = Net(), Net.forward, torch.tanh
    changes = {10: lambda: monkeypatch.setattr(torch, "tanh", torch.sigmoid),
               20: lambda: monkeypatch.setattr(torch, "tanh", tanh),
               28: lambda: monkeypatch.setattr(Net, "forward", lambda self, x: self.l2(torch.relu(self.l1(x)))),
               36: lambda: monkeypatch.setattr(Net, "forward", forward),
               44: lambda: setattr(net, "forward", lambda x: net.l1(x) * 2),
               52: lambda: delattr(net, "forward")}
    for i in range(60):
        changes.get(i, int)()
        want = plainly(lambda: jacrev(net)(X[0]))
        same(jacrev(net)(X[0]), want)
        same(jacrev(lambda x: net(x))(X[0]), want)
    assert in_use() == 2


def test_parameters_of_another_dtype_or_shape():
    net = Net()
    for i in range(24):
        if i == 8:
            net.double()
        if 8 <= i < 16:
            with pytest.raises(RuntimeError, match="dtype"):
                jacrev(net)(X[0])
            same(jacrev(net)(X[0].double()), plainly(lambda: jacrev(net)(X[0].double())))
        else:
            same(jacrev(net)(X[0]), plainly(lambda: jacrev(net)(X[0])))
        if i == 15:
            net.float()
        if i == 20:
            net.l1, net.l2.weight.data = nn.Linear(3, 5).requires_grad_(False), torch.ones(2, 5)


def test_hooks_of_modules_and_tensors():
    net, seen = Net(), []
    for i in range(16):
        if i == 8:
            handle = net.l1.register_forward_hook(lambda *a: seen.append(1))
        same(jacrev(net)(X[0]), plainly(lambda: jacrev(net)(X[0])))
    assert len(seen) == 16  # with plainly's
    handle.remove()
    for i in range(12):
        if i == 6:
            handle = torch.nn.modules.module.register_module_forward_hook(lambda *a: seen.append(2))
        jacrev(net)(X[0])
    handle.remove()
    assert seen.count(2) == 6 * 3


def test_functional_call_of_parameters():
    net = Net()
    params = dict(net.named_parameters())

    def loss(p, x, y):
        return F.cross_entropy(functional_call(net, p, (x[None],)), y[None])
    y = torch.tensor([0, 1])
    for _ in range(10):
        params = {k: v * 0.9 for k, v in params.items()}
        got = vmap(grad(loss), in_dims=(None, 0, 0))(params, X, y)
        want = plainly(lambda: vmap(grad(loss), in_dims=(None, 0, 0))(params, X, y))
        assert list(got) == list(params)
        for k in got:
            same(got[k], want[k])
    assert in_use() == 1


# ---- histories ---------------------------------------------------------------------------------
def test_results_keep_their_history():
    w = W.clone().requires_grad_()
    net = Net().requires_grad_(True)
    for _ in range(10):
        j = jacrev(lambda x: torch.tanh(x @ w))(X[0])
        assert j.requires_grad
        again, = torch.autograd.grad(j.sum(), w)
        want, = torch.autograd.grad(plainly(lambda: jacrev(lambda x: torch.tanh(x @ w))(X[0])).sum(), w)
        same(again, want)
        assert jacrev(net)(X[0]).requires_grad
        x = X[0].clone().requires_grad_()
        g = grad(lambda x: (x ** 3).sum())(x)
        g.sum().backward()
        same(x.grad, 6 * x.detach())
        with torch.no_grad():
            assert not jacrev(lambda x: torch.tanh(x @ w))(X[0]).requires_grad
        assert not torch.autograd.functional.jacobian(lambda x: x @ w, x).requires_grad
        assert torch.autograd.functional.jacobian(lambda x: (x @ w) ** 2, x, create_graph=True).requires_grad
    assert in_use()


def test_functional_with_inputs_that_require_grad():
    x = X[0].clone().requires_grad_()
    for _ in range(8):
        value, product = torch.autograd.functional.hvp(lambda x: (x ** 3).sum(), x, X[1])
        same(product, 6 * x.detach() * X[1])
        same(value, (x ** 3).sum().detach())
        same(torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), x), torch.diag(6 * x.detach()))
    assert in_use() == 2 and x.grad is None


# ---- modes, shapes, random numbers -------------------------------------------------------------
def test_other_shapes_dtypes_and_strides():
    for i in range(48):
        x = torch.arange(1.0, 2.0 + i % 4, dtype=torch.float64 if i % 3 else torch.float32)
        x = torch.stack([x, x], 1)[:, 0] if i % 5 == 0 else x
        same(jacrev(torch.sin)(x), torch.diag(x.cos()))


def test_many_kinds_and_many_functions_are_not_recorded():
    for i in range(80):
        n = 1 + i % 40
        same(grad(lambda x: (x * n).sum())(torch.ones(n)), torch.full((n,), float(n)))
    assert is_off()
    assert jacrev(lambda x: x * 2)(torch.ones(2)).tolist() == [[2, 0], [0, 2]]


def test_numbers_that_count_on(monkeypatch):
    monkeypatch.setattr(transform, "MOST_OTHERS", 20)
    for i in range(60):
        assert grad(lambda x, step: (x * x * step).sum())(X[0], i)[0].item() == pytest.approx(2 * i * X[0, 0].item())
    assert any(t.off for site in whole._sites.of.values() for t in (site.known or {}).values()) or is_off()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.complex64])
def test_other_dtypes(dtype):
    for i in range(8):
        x = torch.tensor([0.3, -0.5, 0.2 + i], dtype=dtype)
        got = vmap(lambda x: (x * x).sin() * 2)(x)
        want = plainly(lambda x=x: vmap(lambda x: (x * x).sin() * 2)(x))
        assert got.dtype == dtype and torch.allclose(got.to(torch.complex64), want.to(torch.complex64), 2e-2, 2e-2)
    assert in_use() == 1


def test_a_new_model_takes_the_place_of_an_old_one(monkeypatch):
    monkeypatch.setattr(whole, "IDLE", 4)
    monkeypatch.setattr(whole, "MOST_FUNCTIONS", 2)
    for _ in range(5):
        net = Net()
        for _ in range(8):
            same(jacrev(net)(X[0]), plainly(lambda: jacrev(net)(X[0])))
    assert in_use() == 2


@pytest.mark.parametrize("randomness", ["different", "same", "error"])
def test_random_numbers_inside_of_vmap(randomness):
    def f(x):
        return x * torch.rand(3) + torch.rand_like(x) + F.dropout(x, 0.5)

    if randomness == "error":
        for _ in range(8):
            with pytest.raises(RuntimeError, match="randomness"):
                vmap(f)(X)
        return
    torch.manual_seed(3)
    want = plainly(lambda: [vmap(f, randomness=randomness)(X) for _ in range(10)])
    torch.manual_seed(3)
    got = [vmap(f, randomness=randomness)(X) for _ in range(10)]
    for a, b in zip(got, want):
        same(a, b)
    assert len({str(v) for v in got}) == 10


def test_random_numbers_in_a_gradient():
    def f(x):
        return (F.dropout(x, 0.5) * torch.randn(3)).sum()
    torch.manual_seed(3)
    want = plainly(lambda: [grad(f)(X[0]) for _ in range(10)])
    torch.manual_seed(3)
    for b in want:
        same(grad(f)(X[0]), b)
    assert in_use() == 1


def test_modes_that_change():
    for i in range(24):
        with torch.autocast("cpu", enabled=i % 4 == 3):
            got = jacrev(lambda x: x @ W)(X[0])
        np.testing.assert_allclose(got.float().numpy(), W.T.numpy(), 1e-2)
        torch.set_default_dtype(torch.float64 if i % 8 > 5 else torch.float32)
        try:
            got = vmap(lambda x: x + torch.ones(3))(X)
            assert got.dtype == (torch.float64 if i % 8 > 5 else torch.float32)
        finally:
            torch.set_default_dtype(torch.float32)
        with torch.inference_mode(i % 6 == 5):
            same(grad(lambda x: x.sin().sum())(X[0]), X[0].cos())
    assert in_use() >= 2


def test_the_same_seed_gives_the_same_bits():
    def run():
        torch.manual_seed(1)
        x = torch.randn(7)
        return torch.stack([hessian(lambda x: (x.sin() * x.exp()).sum() ** 2)(x * (1 + i / 9))[0] for i in range(9)])
    first = run()
    assert in_use()
    assert torch.equal(first, run())


def test_inside_of_other_transforms_and_compiled_functions():
    compiled = torch.compile(lambda x: jacrev(torch.sin)(x))
    for _ in range(8):
        same(vmap(lambda x: jacfwd(torch.sin)(x).sum(0))(X), X.cos())
        same(compiled(X[0]), torch.diag(X[0].cos()))
        out, tangent = jvp(grad(lambda x: (x ** 3).sum()), (X[0],), (X[1],))
        same(tangent, 6 * X[0] * X[1])
    assert in_use() == 2


def test_several_threads():
    wrong = []

    def work(k):
        for i in range(12):
            if not torch.allclose(grad(lambda x: (x * k).sin().sum())(X[0] + i), k * torch.cos(k * (X[0] + i)), 1e-4, 1e-5):
                wrong.append((k, i))
    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_results_lie_in_memory_as_they_did():
    functions = [lambda: grad(lambda x: x.sum())(X[0]), lambda: jacrev(lambda x: torch.ones(2))(X[0]),
                 lambda: jacfwd(lambda x: x[:2] * x[0])(X[0]), lambda: grad(lambda x: x.sum(0).exp().sum())(X),
                 lambda: grad(lambda x: x.sum(1).exp().sum())(X), lambda: vmap(lambda a: torch.ones(3), out_dims=1)(X),
                 lambda: vmap(lambda a: X[0] * 2)(X), lambda: grad(lambda x: x.t().sum(0).exp().sum())(X),
                 lambda: grad(lambda x: x.mean())(X), lambda: vmap(lambda a: a.sum() * torch.ones(()).expand(3))(X),
                 lambda: vmap(grad(lambda a: a.sum()))(X), lambda: vmap(grad(lambda a: a.sum()))(X[:1])]
    for f in functions:
        results = [f() for _ in range(9)]
        for r in results:
            np.testing.assert_allclose(r.numpy(), results[0].numpy(), 1e-5)
        same(results[-1], results[0])
        assert results[-1]._data.flags.writeable == results[0]._data.flags.writeable
    assert in_use() >= 8


def test_a_program_that_gives_something_else_is_not_used(monkeypatch):
    program = transform.record

    def wrong(*args, **kwargs):
        got = program(*args, **kwargs)
        if got.program is not None:
            run = got.program.run
            got.program.run = lambda *a: tuple([t * 1.1 for t in run(*a)])
        return got
    monkeypatch.setattr(transform, "record", wrong)
    for _ in range(12):
        same(grad(lambda x: (x * x).sum())(X[0]), 2 * X[0])
    assert not in_use()


def test_results_are_not_overwritten_by_later_calls():
    kept = [jacrev(torch.sin)(X[0] + i) for i in range(10)]
    assert in_use()
    for i, j in enumerate(kept):
        same(j, torch.diag((X[0] + i).cos()))
        j.add_(1)
    same(jacrev(torch.sin)(X[0]), torch.diag(X[0].cos()))


def test_methods_partials_and_callable_objects():
    class Model:
        def __init__(self):
            self.k = 2.0

        def loss(self, x):
            return (x * self.k).sum()

        def __call__(self, x):
            return (x * self.k).sum() * 2
    model = Model()
    for i in range(24):
        model.k = 2.0 + i // 8
        if i == 20:
            model = Model()
        assert grad(model.loss)(X[0])[0].item() == pytest.approx(model.k)
        assert grad(lambda x: model.loss(x))(X[0])[0].item() == pytest.approx(model.k)
        assert grad(model)(X[0])[0].item() == pytest.approx(2 * model.k)
        assert grad(partial(lambda k, x: (x * k).sum(), float(i // 8)))(X[0])[0].item() == i // 8


def test_methods_and_partials_made_anew():
    class Model:
        def __init__(self):
            self.k = 2.0

        def loss(self, x, y):
            return (x * y * self.k).sum()

        def steps(self, y):
            return grad(self.loss)(X[0], y), grad(partial(self.loss, y=y))(X[0]), grad(partial(self.loss, y))(X[0])
    model = Model()
    for i in range(16):
        model.k = 2.0 if i < 10 else 3.0
        y = torch.full((3,), float(i))
        for g in model.steps(y):
            same(g, y * model.k)
        if i == 9:
            assert in_use() == 3


@pytest.mark.parametrize("home", ["kobai.nn.parameter", "torch.nn.parameter", "mine"])
def test_parameters_and_tensors_of_the_users_class(home, monkeypatch):
    monkeypatch.setattr(nn.Parameter, "__module__", home)  # as under `kobai run`
    p = nn.Parameter(X[0].clone(), requires_grad=False)
    for _ in range(8):
        same(grad(lambda p: (p * p).sum())(p), 2 * X[0])
    assert in_use() == (home != "mine")


def test_without_machine_code(monkeypatch):
    monkeypatch.setattr(llvm, "available", False)
    for _ in range(8):
        same(jacrev(torch.sin)(X[0]), torch.diag(X[0].cos()))
    assert not kinds() and is_off()


def test_a_breakpoint_is_met_each_time():
    import sys
    lines = []

    def f(x):
        return (x * 2).sum()

    def trace(frame, event, arg):
        if frame.f_code is f.__code__:
            lines.append(event)
    before = sys.gettrace()
    for i in range(10):
        sys.settrace(trace if i >= 6 else before)
        try:
            grad(f)(X[0])
        finally:
            sys.settrace(before)
    assert lines.count("call") == 4
