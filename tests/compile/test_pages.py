"""Memory of values that a recorded program no longer needs is given back, and only that.

Instead of being given back it is overwritten here, at every chance there is.
"""
import gc
import os
import subprocess
import sys

import numpy as np
import pytest

import kobai as torch
from kobai import nn
from kobai.autograd.function import Function
from kobai.backends import llvm
from kobai.compile import pages
from kobai.compile.before import Before
from kobai.compile.trace import recording


@pytest.fixture
def overwritten(monkeypatch):
    """The arrays that were given up, with what they held."""
    found = []

    def discard(self, a):
        if a.flags.owndata and a.flags.writeable:
            self._gone.add(id(a))
            found.append((a, a.copy()))
            a.fill(77)
    exec(compile("def _discard(self, a): discard(self, a)", pages.__file__, "exec"), scope := {"discard": discard})
    monkeypatch.setattr(pages.Pages, "_discard", scope["_discard"])
    monkeypatch.setattr(Before, "is_blind", False)  # calls are computed while they are recorded
    monkeypatch.setattr(pages, "SWEEP", -1)
    monkeypatch.setattr(pages, "_system", pages._system or object())
    return found


def test_what_nobody_holds(overwritten):
    x = torch.arange(4.0)
    with recording():
        y = x + 1
        z = y * 2
        del y
        kept = z.reshape(2, 2)
        w = z + 1
        del z
        w = w * 1
    given_up = [list(was) for _, was in overwritten]
    assert [1, 2, 3, 4] in given_up        # y
    assert [2, 4, 6, 8] not in given_up    # z: `kept` looks into it
    assert kept.tolist() == [[2, 4], [6, 8]] and w.tolist() == [3, 5, 7, 9] and x.tolist() == [0, 1, 2, 3]


def test_an_owner_that_no_op_gave(overwritten):
    """A result may be a part of an array that the op made for itself."""
    with recording():
        y = torch.arange(5.0).unbind()
        z = y[1] * 1
        x = torch.sort(torch.tensor([3.0, 1.0, 2.0]))[1]
        del y
        z = z + x
    assert z.tolist() == [2, 3, 1]


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.square = x * x
        return ctx.square * x

    @staticmethod
    def backward(ctx, g):
        return 3 * ctx.square * g


def networks():
    yield nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3))
    yield nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 4, 3, padding=1), nn.BatchNorm1d(4), nn.ReLU(), nn.Flatten(),
                        nn.Dropout(0.3), nn.Linear(12, 3))
    yield nn.TransformerEncoderLayer(3, 1, 6, dropout=0.1, batch_first=True)


def steps(model, compile):
    torch.manual_seed(1)
    opt = torch.optim.AdamW(model.parameters(), lr=0.01)

    @compile
    def step(x):
        opt.zero_grad()
        loss = model(Cube.apply(x) + x).square().mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        return loss
    return [step(torch.randn(4, 3)).item() for _ in range(6)]


def recurrent(compile):
    torch.manual_seed(2)
    model = nn.LSTM(3, 4, 2, batch_first=True)

    @compile
    def step(x, h):
        y, h = model(x, h)
        model.zero_grad()
        y.square().mean().backward()
        return y.mean(), tuple(t.detach() for t in h)
    h, found = (torch.zeros(2, 5, 4),) * 2, []
    for _ in range(6):
        y, h = step(torch.randn(5, 6, 3), h)
        found.append(y.item())
    return found + model.weight_ih_l0.grad.flatten().tolist()


@pytest.mark.parametrize("number", range(3))
def test_programs_give_the_same(number, overwritten):
    torch.manual_seed(0)
    want = steps(list(networks())[number], lambda f: f)
    torch.manual_seed(0)
    have = steps(list(networks())[number], torch.compile)
    np.testing.assert_allclose(have, want, 1e-4)
    assert len(overwritten) > 20


def test_recurrent_networks_give_the_same(overwritten):
    """The gates of the cells are results that only the node of the op holds, not a tensor."""
    np.testing.assert_allclose(recurrent(torch.compile), recurrent(lambda f: f), 1e-4, 1e-6)
    assert len(overwritten) > 20


@pytest.mark.skipif(pages._system is None, reason="only Linux takes single pages back")
def test_pages_are_given_back(monkeypatch):
    """What the system has taken back reads as zeros."""
    monkeypatch.setattr(pages, "SWEEP", 1 << 20)
    with recording() as recorder:
        y = torch.ones(1 << 18)
        for _ in range(12):
            y = y + 1
    left = [a for a in recorder.alive if isinstance(a, np.ndarray) and a.nbytes == 1 << 20 and a[5000:-5000].any()]
    assert len(left) <= 5 and y.tolist()[:2] == [13, 13] and (y == 13).all()
    assert recorder.bytes >= 12 << 20


@pytest.mark.skipif(pages._system is None, reason="needs malloc_trim")
def test_memory_is_trimmed_when_the_last_of_some_arrays_has_gone(monkeypatch):
    asked = []

    class System:
        def malloc_trim(self, pad):
            asked.append(pad)
    monkeypatch.setattr(pages, "_system", System())
    a, b = np.ones(3), np.ones(4)
    view = b[1:]
    before = len(pages._waiting)
    pages.trim_without([a, view, b])
    gc.collect()
    del a
    assert not asked and len(pages._waiting) == before + 1
    del b
    assert not asked
    del view
    assert len(asked) == 1 and len(pages._waiting) == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_code_of_a_library_comes_back_when_it_is_needed():
    program = """if True:
        from kobai.backends import llvm
        from kobai.compile import pages
        from kobai.compile.builder import Builder
        import numpy as np

        def resident():
            lines = open("/proc/self/smaps").read().splitlines()
            starts = [i for i, line in enumerate(lines) if "libllvmlite" in line and "r-xp" in line]
            return sum(int(next(line for line in lines[i:] if line.startswith("Rss:")).split()[1]) for i in starts)

        def kernel(n):
            k = Builder("k")
            return k.finish(k.operand("f4", "x") * n)
        x = np.arange(5, dtype="f4")
        assert llvm.run(kernel(2), x)[0].tolist() == [0, 2, 4, 6, 8]
        before = resident()
        pages.trim()
        assert resident() < before // 4, (before, resident())
        assert llvm.run(kernel(3), x)[0].tolist() == [0, 3, 6, 9, 12]
    """
    if not llvm.available:
        pytest.skip("needs machine code")
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "KOBAI_CACHE": "0"}, check=True)
