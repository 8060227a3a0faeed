"""What a function that runs in parts still does in its order and with its own variables, as uncompiled."""
import types

import pytest

import kobai as torch

later = 100.0  # another thing than the variable of the function below


def test_a_variable_that_is_not_set_yet_is_no_global():
    losses = []

    def step(x, k):
        y = (x.exp() + 1).log().sum() + x.sin().mean()
        losses.append(y.item())
        if k == 3:
            y = y.tanh() + (x.cos() * later).sum()  # noqa: F823  (this is the mistake)
        later = (y * x).exp().mean().sqrt()
        return later

    def other(x, k):
        y = (x.exp() + 1).log().sum() + x.sin().mean()
        losses.append(y.item() if k < 3 else later)  # noqa: F823
        later = (y * x).exp().mean().sqrt()
        return y + later
    for fn in (step, other):
        compiled = torch.compile(fn)
        for k in (0, 0, 0, 1, 2, 3, 3):
            if k == 3:
                with pytest.raises(UnboundLocalError, match="later"):
                    compiled(torch.ones(3), k)
            else:
                assert compiled(torch.ones(3), k).item() == pytest.approx(fn(torch.ones(3), k).item())


def test_what_is_called_is_looked_up_first():
    """The list to which a loss is appended is the one that is there before the loss is computed."""
    def run(compile):
        first, second = [], []
        s = types.SimpleNamespace(losses=first, calls=0)

        def loss(x):
            s.calls += 1
            s.losses = second if s.calls == 3 else s.losses
            return (x.exp() + 1).log().sum() + x.sin().mean() * x.cos().mean()

        def step(x):
            s.losses.append(float(loss(x).item()))
            return s.calls
        compiled = compile(step)
        return [compiled(torch.ones(3)) for _ in range(5)], len(first), len(second)
    assert run(torch.compile) == run(lambda f: f)
