"""kobai.compile: what runs as a recorded program gives what the program itself gives, step after step.

The expected numbers are those of the same steps run eagerly.
"""
import numpy as np
import pytest

import kobai as torch
import kobai.nn.functional as F
from kobai import nn
from kobai.backends import llvm

STEPS = 7


def both(make, steps=STEPS, rtol=2e-5, atol=1e-6):
    """Run `make(compile)` -> (step(i), state()) eagerly and compiled, compare all results and the state at the end."""
    def run(compile):
        torch.manual_seed(0)
        step, state = make(compile)
        results = [numbers(step(i)) for i in range(steps)]
        return results, numbers(state())
    made = []

    def compiled(fn):
        made.append(torch.compile(fn))
        return made[-1]
    expected, got = run(lambda fn: fn), run(compiled)
    for i, (a, b) in enumerate(zip(expected[0], got[0])):
        close(a, b, rtol, atol, f"step {i}")
    close(expected[1], got[1], rtol, atol, "state")
    return made


def numbers(v):
    if isinstance(v, torch.Tensor):
        return v.detach().numpy().copy()
    if isinstance(v, dict):
        return {k: numbers(x) for k, x in v.items()}
    if isinstance(v, (tuple, list)):
        return [numbers(x) for x in v]
    return v


def close(a, b, rtol, atol, where):
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for k in a:
            close(a[k], b[k], rtol, atol, f"{where}, {k}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b)):
            close(x, y, rtol, atol, f"{where}, {i}")
    elif isinstance(a, np.ndarray):
        np.testing.assert_allclose(b, a, rtol, atol, err_msg=where)
        assert a.dtype == b.dtype and a.shape == b.shape, where
    else:
        assert a == b, where


def is_recorded(compiled):
    run = getattr(compiled, "_compiled", compiled)
    return run.reason is None and any(v.programs for v in run.variants.values())


def state_of(model, opt):
    return lambda: (dict(model.state_dict()), [p.grad for p in model.parameters()],
                    [list(opt.state[p].values()) for p in model.parameters()])


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, lr_decay=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.01),
    "rprop": lambda p: torch.optim.Rprop(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_whole_steps(name):
    def make(compile):
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        opt = OPTIMIZERS[name](model.parameters())
        xs, y = torch.randn(STEPS, 5, 4), torch.tensor([0, 1, 2, 1, 0])

        @compile
        def step(x, y):
            opt.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            return loss
        return lambda i: step(xs[i], y), state_of(model, opt)
    step, = both(make)
    assert is_recorded(step), step.reason


def test_a_learning_rate_may_change_without_recording_again():
    def make(compile):
        w = torch.tensor([1.0, -2.0], requires_grad=True)
        opt = torch.optim.Adam([w], lr=0.1)
        schedule = torch.optim.lr_scheduler.ExponentialLR(opt, 0.7)

        @compile
        def step():
            opt.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            opt.step()
            return loss

        def one(i):
            loss = step()
            schedule.step()
            return loss
        return one, lambda: w
    step, = both(make)
    assert is_recorded(step)
    assert [v.records for v in step.variants.values()] == [1]


MODELS = {
    "convolution": lambda: nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
                                         nn.Flatten(), nn.Linear(27, 3)),
    "norms": lambda: nn.Sequential(nn.Flatten(), nn.LayerNorm(72), nn.GELU(), nn.Linear(72, 3)),
    "dropout": lambda: nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(72, 8), nn.Tanh(), nn.Linear(8, 3)),
    "in place": lambda: nn.Sequential(nn.Flatten(), nn.Linear(72, 8), nn.ReLU(inplace=True), nn.Linear(8, 3)),
    "softplus": lambda: nn.Sequential(nn.Flatten(), nn.Linear(72, 8), nn.Softplus(), nn.Linear(8, 3), nn.Sigmoid()),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    def make(compile):
        model = MODELS[name]()
        opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        xs, y = torch.randn(STEPS, 4, 2, 6, 6), torch.tensor([0, 1, 2, 1])

        @compile
        def step(x, y):
            opt.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            return loss
        return lambda i: step(xs[i], y), state_of(model, opt)
    step, = both(make)
    assert is_recorded(step), step.reason


@pytest.mark.parametrize("name", MODELS)
def test_a_compiled_module_in_an_ordinary_loop(name):
    def make(compile):
        model = MODELS[name]()
        run = compile(model)
        opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        xs, y = torch.randn(STEPS, 4, 2, 6, 6), torch.tensor([0, 1, 2, 1])

        def step(i):
            opt.zero_grad()
            loss = F.cross_entropy(run(xs[i]), y)
            loss.backward()
            opt.step()
            return loss
        return step, state_of(model, opt)
    model, = both(make)
    assert is_recorded(model), model._compiled.reason


def test_a_compiled_module_is_the_module():
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    run = torch.compile(model)
    assert isinstance(run, nn.Sequential) and run._orig_mod is model
    assert run.state_dict().keys() == model.state_dict().keys()
    run.eval()
    assert not model.training
    assert run[0] is model[0]


def test_evaluation_and_training_are_told_apart():
    def make(compile):
        model = compile(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)))
        x = torch.randn(6, 3)

        def step(i):
            model.train(i % 3 != 2)
            return model(x)
        return step, lambda: dict(model.state_dict())
    both(make, steps=12)


def test_clipped_and_accumulated_gradients():
    def make(compile):
        model = nn.Linear(3, 2)
        opt = torch.optim.SGD(model.parameters(), lr=0.1)
        xs = torch.randn(STEPS, 2, 5, 3)

        @compile
        def step(x):
            opt.zero_grad()
            for part in (x[0], x[1]):
                (model(part).square().mean() / 2).backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            opt.step()
            return norm
        return lambda i: step(xs[i]), state_of(model, opt)
    step, = both(make)
    assert is_recorded(step), step.reason


def test_gradients_accumulate_over_calls():
    def make(compile):
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        xs = torch.randn(STEPS, 2)

        @compile
        def micro(x):
            (w * x).tanh().sum().backward()

        def step(i):
            if i % 3 == 0:
                w.grad = None
            micro(xs[i])
            return w.grad.clone()
        return step, lambda: w.grad
    both(make)


def test_gradients_kept_by_the_caller_do_not_change():
    w = torch.tensor([1.0, 2.0], requires_grad=True)

    @torch.compile
    def step(x):
        w.grad = None
        (w * x).sum().backward()
    kept = []
    for i in range(5):
        step(torch.tensor([float(i), 1.0]))
        kept.append(w.grad)
    assert [g.tolist() for g in kept] == [[float(i), 1.0] for i in range(5)]
    assert is_recorded(step)


def test_results_kept_by_the_caller_do_not_change():
    f = torch.compile(lambda x: (x * 2, x.sum()))
    kept = [f(torch.tensor([float(i), 1.0])) for i in range(6)]
    assert [a.tolist() for a, _ in kept] == [[2.0 * i, 2.0] for i in range(6)]
    assert [b.item() for _, b in kept] == [i + 1.0 for i in range(6)]


def test_gradients_of_any_order_go_through():
    def make(compile):
        f = compile(lambda x, y: ((x * y).sin() + x ** 3).sum())
        x = torch.tensor([0.5, -1.0], requires_grad=True)
        y = torch.tensor([2.0, 3.0], requires_grad=True)

        def step(i):
            gx, gy = torch.autograd.grad(f(x, y), (x, y), create_graph=True)
            hx, hy = torch.autograd.grad((gx * gx).sum() + gy.sum(), (x, y), create_graph=True)
            third, = torch.autograd.grad(hx.sum(), x)
            return gx, gy, hx, hy, third
        return step, lambda: 0
    f, = both(make, rtol=1e-4)
    assert is_recorded(f)


def test_inside_transforms():
    def make(compile):
        w = torch.randn(3)
        f = compile(lambda x: (x * w).tanh().sum())
        xs = torch.randn(STEPS, 4, 3)

        def step(i):
            return (torch.vmap(torch.func.grad(f))(xs[i]), torch.func.jvp(f, (xs[i, 0],), (xs[i, 1],)),
                    torch.func.hessian(f)(xs[i, 0]))
        return step, lambda: w
    both(make)


def test_transforms_inside():
    def make(compile):
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        params = {k: v.detach() for k, v in model.named_parameters()}

        def loss(p, x):
            return torch.func.functional_call(model, p, (x,)).square().sum()
        per_sample = compile(torch.vmap(torch.func.grad(loss), in_dims=(None, 0)))
        hessian = compile(lambda x: torch.func.hessian(lambda v: loss(params, v))(x))
        xs = torch.randn(STEPS, 5, 3)
        return lambda i: (per_sample(params, xs[i]), hessian(xs[i, 0])), lambda: 0
    made = both(make, rtol=1e-4)
    assert [is_recorded(f) for f in made] == [True, True], [f.reason for f in made]


def test_other_shapes_are_other_variants():
    f = torch.compile(lambda x: x.exp().sum(0))
    for n in (2, 3, 2, 3, 2, 3, 4):
        x = torch.randn(n, 2)
        np.testing.assert_allclose(f(x).numpy(), np.exp(x.numpy()).sum(0), 1e-5)
    assert len(f.variants) == 3


def test_numbers_among_the_arguments_are_told_apart():
    f = torch.compile(lambda x, n, flag=False: x * n + flag)
    for n in (2, 3, 2.0, 3, 2, 2, 3):
        for flag in (False, True):
            assert f(torch.tensor([1.0, 2.0]), n, flag=flag).tolist() == [n + flag, 2 * n + flag]


class Holder:
    def __init__(self):
        self.scale, self.count, self.items = 2.0, 0, []


def test_variables_that_change_are_noticed():
    holder, factor = Holder(), 1.0
    table = {"shift": 0.0}

    @torch.compile
    def f(x):
        return x * holder.scale * factor + table["shift"]
    x = torch.ones(2)
    for _ in range(4):
        assert f(x).tolist() == [2.0, 2.0]
    holder.scale = 3.0
    for _ in range(4):
        assert f(x).tolist() == [3.0, 3.0]
    factor = 10.0
    assert f(x).tolist() == [30.0, 30.0]
    table["shift"] = 1.0
    for _ in range(4):
        assert f(x).tolist() == [31.0, 31.0]
    assert is_recorded(f)


def test_tensors_that_are_replaced_are_noticed():
    table = {"w": torch.tensor([1.0, 2.0])}

    @torch.compile
    def f(x):
        return x * table["w"]
    x = torch.ones(2)
    for _ in range(3):
        assert f(x).tolist() == [1.0, 2.0]
    table["w"].mul_(2)
    assert f(x).tolist() == [2.0, 4.0]
    table["w"] = torch.tensor([5.0, 6.0])
    for _ in range(4):
        assert f(x).tolist() == [5.0, 6.0]
    table["w"].data = torch.tensor([7.0, 8.0])
    for _ in range(4):
        assert f(x).tolist() == [7.0, 8.0]


def test_random_numbers_are_drawn_anew():
    def make(compile):
        probability = torch.tensor([0.2, 0.8, 0.5])

        @compile
        def f(x):
            noise = torch.randn(3) + torch.rand_like(x)
            x.normal_(mean=1.0)
            return x * noise, torch.bernoulli(probability), torch.randperm(4)
        return lambda i: f(torch.zeros(3)), lambda: torch.rand(2)
    f, = both(make)
    assert is_recorded(f), f.reason


def test_gradients_of_gradients_see_the_same_random_numbers():
    def make(compile):
        f = compile(lambda x: (F.dropout(x, 0.5, True) ** 3).sum())
        x = torch.arange(1.0, 9.0).requires_grad_()

        def step(i):
            g, = torch.autograd.grad(f(x), x, create_graph=True)
            h, = torch.autograd.grad(g.sum(), x)
            return g, h
        return step, lambda: 0
    f, = both(make)
    assert is_recorded(f), f.reason


def test_views_of_a_dataset_as_arguments():
    def make(compile):
        f = compile(lambda x: (x * x).sum(0))
        data = torch.randn(20, 3)
        return lambda i: f(data[2 * i:2 * i + 2]), lambda: 0
    f, = both(make)
    assert is_recorded(f)


def test_an_exception_leaves_things_as_eager_does():
    @torch.compile
    def f(x, w):
        w.add_(1)
        return x @ w
    w = torch.zeros(2)
    for _ in range(4):
        with pytest.raises(RuntimeError):
            f(torch.ones(3, 3), w)
    assert w.tolist() == [4.0, 4.0]
    assert f(torch.ones(2, 2), w).tolist() == [10.0, 10.0]


def test_writes_into_arguments_and_views():
    def make(compile):
        @compile
        def f(x, y):
            x[0] = y
            x[:, 1] += 1
            x.t()[2].mul_(2)
            z = x * 1
            x.zero_()
            x.copy_(z.flip(0))
            return z
        x = torch.randn(3, 3)

        def step(i):
            return f(x, torch.full((3,), float(i))), x.clone()
        return step, lambda: x
    f, = both(make)
    assert is_recorded(f), f.reason


def test_versions_are_counted():
    @torch.compile
    def f(x):
        x.mul_(2)
    x = torch.ones(2)
    for _ in range(3):
        f(x)
    assert x._version == 3
    w = torch.ones(2, requires_grad=True)
    y = (w * x).sin()
    f(x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_second_backward_is_refused_as_always():
    f = torch.compile(lambda x: (x * x).sum())
    x = torch.ones(2, requires_grad=True)
    for _ in range(4):
        y = f(x)
        y.backward()
        with pytest.raises(RuntimeError, match="a second time"):
            y.backward()
    assert x.grad.tolist() == [8.0, 8.0]


def test_unused_outputs_and_inputs():
    def make(compile):
        f = compile(lambda x, y: (x * 2, y.exp(), x.detach() + 1))
        x, y = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)

        def step(i):
            x.grad = y.grad = None
            a, b, c = f(x, y)
            (a if i % 2 else b).sum().backward()
            assert not c.requires_grad
            return [v.grad if v.grad is not None else torch.zeros(3) for v in (x, y)]
        return step, lambda: 0
    both(make)


@pytest.mark.parametrize("nothing", [lambda: (), lambda: {}, lambda: [], lambda: ((), {})])
def test_results_without_leaves(nothing):
    def make(compile):
        x = torch.zeros(2)

        @compile
        def f():
            x.add_(1)
            return nothing()
        return lambda i: f(), lambda: x
    f, = both(make)
    assert is_recorded(f), f.reason


def test_an_output_given_twice():
    def make(compile):
        def f(x):
            y = x.exp()
            return y, y, y.detach(), y.view(3)
        f = compile(f)
        x = torch.randn(3, requires_grad=True)

        def step(i):
            x.grad = None
            a, b, c, d = f(x)
            (a.sum() + 2 * b.sum() + 4 * d.sum()).backward()
            assert not c.requires_grad
            return x.grad, a, b, c, d
        return step, lambda: 0
    f, = both(make)
    assert is_recorded(f), f.reason


def test_aliasing_arguments():
    def make(compile):
        @compile
        def f(a, b):
            a.add_(1)
            return a * b
        x, y = torch.ones(2), torch.ones(2)
        return lambda i: f(x, x) if i % 2 else f(x, y), lambda: (x, y)
    both(make, steps=10)


def test_a_tensor_and_its_view_as_arguments():
    def make(compile):
        @compile
        def f(a, b):
            a.add_(1)
            return a.sum() * b
        x = torch.arange(4.0)
        y = torch.arange(4.0)
        return lambda i: f(x, x[1:3]) if i > 4 else f(x, y[1:3]), lambda: (x, y)
    both(make, steps=10)


def test_decorated_methods():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(2, 2)

        @torch.compile
        def forward(self, x):
            return self.l(x).tanh()

    def make(compile):
        net, xs = Net(), torch.randn(STEPS, 3, 2)
        return lambda i: net(xs[i]), lambda: dict(net.state_dict())
    both(make)


def test_ops_of_the_optimiser_alone():
    def make(compile):
        model = nn.Linear(3, 2)
        opt = torch.optim.AdamW(model.parameters(), lr=0.01)
        opt_step = compile(opt.step)
        xs = torch.randn(STEPS, 4, 3)

        def step(i):
            opt.zero_grad()
            loss = model(xs[i]).square().mean()
            loss.backward()
            opt_step()
            return loss
        return step, state_of(model, opt)
    step, = both(make)
    assert is_recorded(step), step.reason


@pytest.mark.skipif(not llvm.available, reason="without llvmlite calls go through Python")
def test_calls_of_one_kind_do_not_go_through_python(monkeypatch):
    """A guard that never holds in native code would only make calls slow, and nobody would see it."""
    model, calls = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), []
    opt = torch.optim.Adam(model.parameters())

    def loss_of(x, y=2.0):
        return (model(x) * y).square().mean()

    @torch.compile
    def step(x):
        opt.zero_grad()
        loss = loss_of(x)
        loss.backward()
        opt.step()
        return loss
    for _ in range(3):
        step(torch.ones(4, 2))
    assert is_recorded(step), step.reason
    step._entry.program.run = lambda *args: calls.append(args)
    assert isinstance(step(torch.ones(4, 2)), torch.Tensor)
    assert not calls
