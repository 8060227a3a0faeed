"""What tests of repeated transforms share: recording at once, and looks at what was recorded."""
import numpy as np
import pytest

import kobai as torch
from kobai import nn
from kobai.autograd import whole
from kobai.compile import transform


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Transforms are recorded at once, and used two calls later."""
    monkeypatch.setattr(whole, "PATIENCE", 1)
    monkeypatch.setattr(transform, "WAIT", 2)
    monkeypatch.setattr(transform, "AGAIN", 1)
    monkeypatch.setattr(whole, "_sites", whole._Sites())


def kinds():
    known = [t for site in whole._sites.of.values() for t in (site.known or {}).values()]
    return [kind for t in known for kind in t.kinds.values()]


def in_use():
    """How many programs run by now."""
    return sum(kind.program is not None and kind.job is None for kind in kinds())


def reasons():
    return " | ".join(kind.reason for kind in kinds() if kind.reason)


def is_off():
    """Whether a line is not looked at any more."""
    return any(site.known is None for site in whole._sites.of.values())


def plainly(fn):
    """What fn() gives where nothing is recorded."""
    torch.use_deterministic_algorithms(True)
    try:
        return fn()
    finally:
        torch.use_deterministic_algorithms(False)


def same(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), 1e-5, 1e-5)
    assert (a.dtype, a.stride(), a.requires_grad) == (b.dtype, b.stride(), b.requires_grad)


X = torch.tensor([[0.3, -1.0, 2.0], [1.5, 0.2, -0.7]])
W = torch.tensor([[0.5, 1.0], [-0.3, 0.2], [0.9, -1.1]])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.factor = nn.Linear(3, 4), nn.Linear(4, 2), 1.0
        for p in self.parameters():
            p.requires_grad_(False)

    def forward(self, x):
        return self.l2(torch.tanh(self.l1(x))) * (self.factor if self.training else 0.5)
