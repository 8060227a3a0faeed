"""A program for test_several_threads.py: five threads do all kinds of things at once, taking turns as often as they can.

What kobai does after many uses (compile an op, a backward pass, an optimiser's formula, apply ops by machine code) it
does here after a few.
"""
import copy
import io
import random
import sys
import threading
import traceback

import numpy as np
import pytest

import kobai as torch
from kobai import autograd, func, large, nn
from kobai.autograd import again, node, repeated, whole
from kobai.nn import functional as F
from kobai.optim import fused
from kobai.utils.data import DataLoader, TensorDataset

large.BUDGET.update(dict.fromkeys(large.BUDGET, 1000))
repeated.PATIENCE = repeated.WAIT = whole.PATIENCE = again.PATIENCE = 2
fused.BUDGET = 1000
node.many.below = -50


def train(r):
    width = r.choice([3, 40, 100])
    model = nn.Sequential(nn.Linear(width, 50), r.choice([nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU])(), nn.LayerNorm(50),
                          nn.Dropout(0.1), nn.Linear(50, 3))
    opt = r.choice([torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop])(model.parameters(), lr=0.01)
    for _ in range(8):
        opt.zero_grad()
        n = r.choice([7, 64])
        loss = F.cross_entropy(model(torch.randn(n, width)), torch.randint(0, 3, (n,)))
        loss.backward()
        opt.step()
    assert np.isfinite(loss.item())


def convolve(r):
    w = torch.ones(4, 3, 3, 3, requires_grad=True)
    for _ in range(3):
        w.grad = None
        F.max_pool2d(F.conv2d(torch.ones(2, 3, 16, 16), w, padding=1).relu(), 2).sum().backward()
    assert w.grad.sum() == 2 * 4 * 64 * 27  # the largest of each window: one that does not touch the border


def compiled(r):
    w = torch.ones(5, requires_grad=True)

    @torch.compile
    def step(x):
        loss = (w * x).square().sum()
        loss.backward()
        return loss
    x = torch.arange(5.0)
    assert [step(x).item() for _ in range(6)] == [30.0] * 6
    assert w.grad.tolist() == [6 * 2 * i * i for i in range(5)]


def transform(r):
    x = torch.randn(5, dtype=torch.float64)

    def f(x):
        return (x.sin() * x).sum()
    for _ in range(6):
        np.testing.assert_allclose(func.jacrev(f)(x).numpy(), np.sin(x.numpy()) + x.numpy() * np.cos(x.numpy()))
        assert func.vmap(func.grad(f))(torch.randn(3, 5)).shape == (3, 5)
        assert func.hessian(f)(x).shape == (5, 5)


def load(r):
    data = TensorDataset(torch.arange(20.0).reshape(10, 2), torch.arange(10))
    batches = DataLoader(data, batch_size=3, shuffle=True, generator=torch.Generator().manual_seed(r.randrange(100)))
    assert sorted(i for _, y in batches for i in y.tolist()) == [*range(10)]


def draw(r):
    x = torch.ones(2, requires_grad=True)
    assert "SinBackward0" in torch.make_dot((x * 2).sin().sum(), params={"x": x}).source


def large_arrays(r):
    x = torch.linspace(0, 1, r.choice([5000, 20_000])).requires_grad_()
    for _ in range(4):
        x.grad = None
        (x.exp().tanh() * x).softmax(0).cumsum(0).sum().backward()
        assert torch.isfinite(x.grad).all()
    assert torch.cat([x.detach()] * 8).shape == (8 * len(x),)
    assert torch.equal(x.detach().reshape(10, -1).t().reshape(-1)[:10], x.detach()[::len(x) // 10])
    a = torch.ones(70, 70)
    assert ((a @ a) == 70).all()
    table = torch.arange(500.0).repeat(64, 1).t().contiguous()
    assert table[torch.full((700,), 7)].sum() == 700 * 64 * 7


def modes(r):
    x = torch.ones(3, 4, requires_grad=True)
    with torch.no_grad():
        assert not (x * 2).requires_grad
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert F.linear(x, torch.ones(2, 4)).dtype == torch.bfloat16
    y = F.linear(x, torch.ones(2, 4))
    assert y.dtype == torch.float32 and y.requires_grad


def profile(r):
    with torch.profiler.profile() as found:
        torch.ones(3).exp()
    assert "aten::exp" in [e.key for e in found.key_averages()]


def seed(r):
    n = r.randrange(100)
    assert torch.equal(*[torch.rand(3, generator=torch.Generator().manual_seed(n)) for _ in range(2)])
    torch.manual_seed(n)


def store(r):
    model, file = nn.LSTM(4, 5), io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = copy.deepcopy(model)
    other.load_state_dict(torch.load(file))
    x = torch.randn(3, 2, 4)
    assert torch.allclose(model(x)[0], other(x)[0], atol=1e-6)  # not all calls are made by the same code


def fail(r):
    for f in (lambda: torch.ones(2) @ torch.ones(3), lambda: torch.ones(2).backward(), lambda: nn.Linear(2, 3)(torch.ones(3))):
        with pytest.raises(RuntimeError, match="cause:|原因"):
            f()


def override(r):
    class Counts(torch.overrides.TorchFunctionMode):
        calls = 0

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.calls += 1
            return func(*args, **(kwargs or {}))
    with Counts() as mode:
        torch.exp(torch.ones(2))
    assert mode.calls == 2, mode.calls


def trace(r):
    traced = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    assert traced(torch.ones(1, 2)).shape == (1, 2)


def more_families(r):
    a = torch.eye(4, dtype=torch.float64) * 4
    assert torch.allclose(torch.linalg.cholesky(a) @ torch.linalg.inv(a), torch.eye(4, dtype=torch.float64) / 2)
    assert torch.allclose(torch.fft.ifft(torch.fft.fft(a)).real, a)
    normal = torch.distributions.Normal(torch.zeros(3), torch.ones(3))
    assert torch.distributions.kl_divergence(normal, normal).sum() == 0
    assert "2., 3." in repr(torch.arange(4.0))
    x = torch.ones(2, requires_grad=True)
    torch.utils.checkpoint.checkpoint(lambda v: v * v * v, x, use_reentrant=False).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert autograd.functional.jacobian(lambda v: v * v, x.detach()).tolist() == [[2, 0], [0, 2]]


JOBS = [train, convolve, compiled, transform, load, draw, large_arrays, modes, profile, seed, store, fail, override, trace,
        more_families]


def main(number, count=5):
    """Each thread does all jobs twice, in an order of its own."""
    sys.setswitchinterval(1e-6)
    gate, failures = threading.Barrier(count), []
    threading.excepthook = lambda a: failures.append(f"in {a.thread.name}: {a.exc_value!r}")

    def run(k):
        r = random.Random(100 * number + k)
        jobs = r.sample(JOBS * 2, 2 * len(JOBS))
        gate.wait()
        for job in jobs:
            try:
                job(r)
            except BaseException:
                failures.append(traceback.format_exc())
    workers = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    print(*failures or ["fine"], sep="\n")


main(int(sys.argv[1]))
