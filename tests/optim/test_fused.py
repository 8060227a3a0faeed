"""Update formulas as machine code: to the bit what the same formulas give on NumPy arrays."""
import numpy as np
import pytest

import kobai
from kobai import optim
from kobai.optim import fused

pytest.importorskip("llvmlite")

CASES = [
    ("SGD", {"lr": .1}), ("SGD", {"momentum": .9, "dampening": .5, "weight_decay": .1}),
    ("SGD", {"momentum": .9, "nesterov": True, "maximize": True}), ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": .1}), ("AdamW", {"weight_decay": .5, "betas": (.3, .9)}), ("Adamax", {}),
    ("NAdam", {"weight_decay": .1, "decoupled_weight_decay": True}), ("RAdam", {}),
    ("RMSprop", {"momentum": .9, "centered": True}), ("Adagrad", {"lr_decay": .1}), ("Adadelta", {}),
    ("ASGD", {"t0": 3}), ("Rprop", {}),
]
SHAPES = (5001,), (41, 500), (7, 13), (3, 5), (0, 3), ()


@pytest.fixture
def at_once(monkeypatch):
    """Kernels from the second step on, for small arrays too; gives the table of what is known."""
    monkeypatch.setattr(fused, "BUDGET", 1)
    monkeypatch.setattr(fused, "LEAST", 64)
    monkeypatch.setattr(fused, "_known", {})
    return fused._known


def train(name, options, dtype, steps=12, shapes=SHAPES):
    rng = np.random.RandomState(0)
    params = [kobai.tensor(np.asarray(rng.randn(*s)).astype(dtype), requires_grad=True) for s in shapes]
    opt = getattr(optim, name)(params, **options)
    for t in range(steps):
        for p in params:
            p.grad = kobai.tensor(np.asarray(rng.randn(*p.shape)).astype(dtype))
        if t == 7:
            opt.param_groups[0]["lr"] = 0.05
        opt.step()
    kept = [v.numpy() for p in params for v in opt.state[p].values() if v is not None]
    return [p.detach().numpy() for p in params] + kept


def kernels(known):
    return sum(bool(use.run) for variants in known.values() for use in variants or ())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, options", CASES, ids=str)
def test_same_bits_as_numpy(name, options, dtype, at_once, monkeypatch):
    with_kernels = train(name, options, dtype)
    assert kernels(at_once) >= 1
    monkeypatch.setattr(fused, "LEAST", 1 << 40)
    for a, b in zip(train(name, options, dtype), with_kernels, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_formula_that_answers_otherwise_later_gets_another_kernel(at_once):
    train("RAdam", {}, "float32")  # the step is rectified from the sixth on
    assert kernels(at_once) == 2


def test_a_learning_rate_that_changes_needs_no_new_kernel(at_once):
    train("AdamW", {}, "float32", steps=20, shapes=[(500,)])
    assert kernels(at_once) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_threads(threads, at_once, monkeypatch):
    before = kobai.get_num_threads()
    kobai.set_num_threads(threads)
    try:
        found = train("AdamW", {}, "float32", shapes=[(70_001,)])
    finally:
        kobai.set_num_threads(before)
    assert kernels(at_once) == 1
    monkeypatch.setattr(fused, "LEAST", 1 << 40)
    for a, b in zip(train("AdamW", {}, "float32", shapes=[(70_001,)]), found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_formulas_of_the_user_stay_as_they_are(at_once):
    class Drifting(optim.Optimizer):
        scale = 1.0

        def update(self, h, p, g):
            self.scale *= 0.5  # a kernel would know nothing of this
            return (p - h.lr * self.scale * g,)
    p = kobai.zeros(300, requires_grad=True)
    opt = Drifting([p], {"lr": 1.0})
    for _ in range(4):
        p.grad = kobai.ones(300)
        opt.step()
    assert p[0].item() == -(0.5 + 0.25 + 0.125 + 0.0625)
    assert not kernels(at_once)


def test_memory_that_is_not_contiguous(at_once, monkeypatch):
    def run():
        rng = np.random.RandomState(1)
        p = kobai.tensor(rng.randn(40, 30)).t().requires_grad_()
        opt = optim.Adam([p])
        for t in range(6):
            g = kobai.tensor(rng.randn(40, 30)).t()
            p.grad = g if t % 2 else g.contiguous()
            opt.step()
        return p.detach().numpy()
    found = run()
    monkeypatch.setattr(fused, "LEAST", 1 << 40)
    np.testing.assert_array_equal(run(), found)


@pytest.mark.parametrize("make, first, last", [
    (lambda p: optim.Adam(p, 0.05), 0.700794, 0.85), (lambda p: optim.RMSprop(p, 0.01), 0.561968, 0.771087),
    (lambda p: optim.SGD(p, 0.1, momentum=0.9), -0.875999, -0.122), (lambda p: optim.SGD(p, 0.1), 0.024, 0.4)])
@pytest.mark.parametrize("late", [False, True])
def test_parameters_that_share_memory_are_updated_one_after_the_other(make, first, last, late):
    """Written back together, the last one's values undid the update of the others. Numbers: PyTorch 2.13."""
    base = kobai.ones(12)
    a, b = kobai.nn.Parameter(kobai.ones(4, 3)), kobai.nn.Parameter(kobai.ones(2, 4))
    optimizer = make([a, b])

    def step():
        optimizer.zero_grad()
        ((a * 2).sum() + (b * b).sum()).backward()
        optimizer.step()
    if late:  # when they are in packs already
        for group in optimizer.param_groups:
            group["lr"], rate = 0.0, group["lr"]
        for _ in range(2):
            step()
        for kept in optimizer.state.values():
            for t in kept.values():
                t.zero_()
        for group in optimizer.param_groups:
            group["lr"] = rate
    a.data, b.data = base.view(4, 3), base[:8].view(2, 4)
    for _ in range(3):
        step()
    assert np.allclose([base[0].item(), base[11].item()], [first, last], atol=1e-5)
