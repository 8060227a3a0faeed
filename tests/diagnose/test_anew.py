"""A freed graph recorded once more: the guesses are right or there are none."""
import numpy as np
import pytest

import kobai as torch
from kobai import nn
from kobai.diagnose.anew import Lost, is_freed, recorded_anew, tape_of
from kobai.nn import functional as F


def again(loss, **variables):
    """The loss with a new graph, which must be its equal, and the gradients of that; None if there is none."""
    assert is_freed([loss])
    found = recorded_anew([loss], [variables])
    if isinstance(found, Lost):
        return None
    new = found.tensors[loss.grad_fn, loss.output_nr]
    assert not is_freed([new]) and new.grad_fn.where == loss.grad_fn.where
    np.testing.assert_allclose(new.detach().numpy(), loss.detach().numpy(), rtol=2e-6)
    return new


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, given):
        return self.b(torch.tanh(self.a(given))) * 0.5 + 1


def losses():
    """(name, loss before backward, its variables)."""
    torch.manual_seed(1)
    w, x, t = torch.tensor(2.0, requires_grad=True), torch.randn(6, 3), torch.tensor([0, 1, 1, 0, 1, 0])
    yield "numbers", (w**2 - 2) * (1 - w) / torch.tensor(2.0) + 3 * w, {"torch": torch}
    net, stack = Net(), nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 2))
    yield "module", F.mse_loss(net(x), x[:, :1]), {"x": x, "t": t}
    yield "classes", nn.CrossEntropyLoss()(stack(x), t), {"t": t, "x": x}
    yield "logits", F.binary_cross_entropy_with_logits(net(x).squeeze(1), t.float()), {"x": x, "t": t}
    images = torch.randn(2, 1, 8, 8)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    yield "images", net(images).sum(), {"images": images, "other": torch.randn(2, 1, 8, 8)}


@pytest.mark.parametrize("case", range(5))
def test_common_losses(case):
    """The gradients of the new graph are those that the program itself got."""
    name, loss, variables = list(losses())[case]
    loss.backward()
    new = again(loss, **variables)
    assert new is not None, name
    leaves = _leaves(loss)
    before = [leaf.grad.clone() for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    new.backward()
    for leaf, g in zip(leaves, before):
        np.testing.assert_allclose(leaf.grad.numpy(), g.numpy(), rtol=1e-5, atol=1e-7)


def _leaves(loss):
    from kobai.autograd.engine import reached
    from kobai.tensor import Tensor, edge_of
    return [e for e in reached([(edge_of(loss), None)]) if isinstance(e, Tensor)]


def test_a_wrong_guess_does_not_count():
    """Only a tensor with which the same loss comes out is taken for the one that was used."""
    w, used = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0])
    loss = (w * used).sum()
    loss.backward()
    assert again(loss, other=torch.tensor([4.0, 3.0])) is None
    assert again(loss, other=torch.tensor([4.0, 3.0]), renamed=used) is not None


def test_what_cannot_be_repeated():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    w = torch.ones(3, requires_grad=True)
    for loss in (Twice.apply(w).exp().sum(), F.dropout(w.exp(), 0.5).sum()):
        state = torch.get_rng_state()
        loss.backward()
        assert again(loss, w=w) is None
        assert torch.equal(torch.get_rng_state(), state)


def test_the_search_ends():
    """Many inputs to look for and many variables: it gives up instead of trying them all."""
    w = torch.ones(2, requires_grad=True)
    lost = [torch.randn(2) for _ in range(40)]
    y = w
    for c in lost:
        y = y * c
    loss = y.sum()
    loss.backward()
    assert again(loss, **{f"v{i}": torch.randn(2) for i in range(20)}) is None


def test_explain_and_why_nan_after_backward(capsys):
    w, x = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0)
    y = w * x
    y.backward()
    told = torch.explain(y, show=False)
    assert "computed once more" in told and "dy/dw = 1 * 5 = 5" in told and "y = w * x = 2 * 5 = 10" in told
    tape, anew = tape_of(y)
    assert anew and not tape.freed
    v = torch.tensor([1.0, 0.0], requires_grad=True)
    loss = v.sqrt().sum()
    loss.backward()
    assert torch.why_nan(loss, show=False).facts["op"] == "Sqrt"


def test_explain_knows_what_the_graph_did_not_save():
    """Constants of sums and in-place changes, conditions, indices: nothing is a question mark."""
    a, e = torch.tensor(2.0, requires_grad=True), torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = a * 3
    b += 1
    b.mul_(2)
    assert "v2 = v1 + 1 = 6 + 1 = 7" in torch.explain(b, show=False)
    z = torch.tensor([-1.0, 4.0], requires_grad=True)
    told = torch.explain(torch.where(z > 0, z.sqrt(), 0 * z).sum(), show=False)
    assert "where(z > 0, v1, v2)" in told and "= ?" not in told
    told = torch.explain(e[torch.tensor([1, 1])].sum(), show=False)
    assert "index(e, torch.tensor([1, 1]), dims=(0,)) = [[3, 4], [3, 4]]" in told and "[addat(g, " in told
    y = torch.tensor([1.0, 1.0])
    assert "y: stops here, it was made without requires_grad=True" in torch.explain((z - y).sum(), show=False)


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * 3 * x * x


def test_why_a_graph_is_lost():
    w = torch.ones(3, requires_grad=True)

    def why(loss, **variables):
        loss.backward()
        return recorded_anew([loss], [variables])

    assert why(Cube.apply(w).sum(), w=w) == Lost("function", "Cube")
    assert why(F.dropout(w, 0.5).sum(), w=w).why == "either"
    gone = (w * torch.tensor([1.0, 2.0, 3.0])).sum()
    line = gone.grad_fn.next_functions[0][0].where[0].co_firstlineno + 9
    assert why(gone, w=w) == Lost("input", f"test_anew.py:{line}   gone = (w * torch.tensor([1.0, 2.0, 3.0])).sum()")
    y = (w.exp() * w).sum()
    y.backward()
    with torch.no_grad():
        w += 1
    assert recorded_anew([y], [{"w": w, "y": y}]) == Lost("changed")
    y = w.sum()
    for _ in range(6000):
        y = y + 1
    assert why(y, w=w) == Lost("many", "6,001")


def test_numbers_that_are_written_out_need_no_guess():
    """A loop of 1,500 operations with a number each: only 60 inputs are looked for."""
    w = torch.tensor(1.0, requires_grad=True)
    y = w
    for _ in range(750):
        y = y * 1.001
        y = (y - -0.5).sin()
    y.backward()
    new = again(y, w=w)
    new.backward()
    assert new is not None and is_freed([new])
