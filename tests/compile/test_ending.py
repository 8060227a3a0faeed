"""Numbers that a compiled step returns: `return loss.item()` does not send it to eager mode, any other use does.

The expected results are those of the same function run eagerly.
"""

import pytest
from eager_and_compiled import check, xs

import kobai as torch
import kobai.nn.functional as F
from kobai import nn


def training(ending):
    """A case: a step of training that ends in what `ending(loss, p, y)` returns; it is a function given as text."""
    def case(compile):
        m = nn.Linear(3, 2)
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        space = {"m": m, "opt": opt, "F": F, "torch": torch}
        text = ("def step(x, y):\n    opt.zero_grad()\n    p = m(x)\n    loss = F.cross_entropy(p, y)\n    loss.backward()\n")
        exec(text + "".join(f"    {line}\n" for line in ending.split("\n")), space)
        step = compile(space["step"])
        got = [step(torch.randn(4, 3), torch.randint(0, 2, (4,))) for _ in range(8)]
        return [[type(v).__name__ for v in g] if isinstance(g, tuple) else type(g).__name__ for g in got], got, m.weight
    return case


COMPILED = {
    "alone": "opt.step()\nreturn loss.item()",
    "before the update": "value = loss.item()\nopt.step()\nreturn value",
    "before a change": "value = loss.item()\nwith_it = loss.detach()\nwith_it.mul_(2)\nopt.step()\nreturn value, with_it",
    "many": "opt.step()\nreturn loss.item(), (p.argmax(1) == y).sum().item(), {'p': p.detach(), 'l': [loss.item()]}",
    "arithmetic": "opt.step()\nn = len(y)\nreturn (loss.item() * n - 1) / 2, -loss.item(), (p.argmax(1) == y).sum().item() / n, "
                  "loss.item() ** 0.5, loss.item() + p.sum().item(), (p.argmax(1) == y).sum().item() // 2",
    "augmented": "total = 0.0\ntotal += loss.item()\nopt.step()\nreturn total",
}
EAGERLY = {
    "branch": "opt.step()\nreturn 1 if loss.item() > 0.7 else 2",
    "text": "opt.step()\nreturn f'{loss.item():.3f}'",
    "formatted": "opt.step()\nreturn '%.3f' % loss.item()",
    "called": "opt.step()\nreturn round(loss.item(), 2)",
    "used": "opt.step()\nreturn p.detach() * loss.item()",
    "index": "opt.step()\nreturn [1, 2, 3, 4, 5][(p.argmax(1) == y).sum().item()]",
    "repeated": "opt.step()\nreturn 'x' * (p.argmax(1) == y).sum().item()",
    "list": "opt.step()\nreturn [0] * (p.argmax(1) == y).sum().item()",
    "key": "opt.step()\nreturn {loss.item(): 1}",
    "comparison": "opt.step()\nreturn loss.item() < 0.5",
    "loop": "opt.step()\ntotal = 0\nfor k in range(2):\n    total += loss.item()\nreturn total",
    "power": "opt.step()\nreturn 2 ** loss.item(), loss.item() ** 2",
    "all variables": "opt.step()\nvalue = loss.item()\nreturn '%(value).3f' % locals()",
    "handler": "try:\n    value = loss.item()\n    opt.step()\n    [][value > 0]\n    return value\n"
               "except IndexError:\n    return f'{value:.3f}'",
    "handler of another": "try:\n    value = loss.item()\n    opt.step()\n    opt.nothing\n    return value\n"
                          "except AttributeError:\n    return f'{value:.3f}'",
    "remainder": "opt.step()\nreturn loss.item() % 0.1",
    "float": "opt.step()\nreturn float(loss)",
}


@pytest.mark.parametrize("name", COMPILED)
def test_returned(name):
    check(training(COMPILED[name]))


@pytest.mark.parametrize("name", EAGERLY)
def test_used(name):
    check(training(EAGERLY[name]), eagerly="item() needs the numbers of a tensor")


def test_with_gradients_for_the_caller():
    def case(compile):
        w = torch.randn(3, requires_grad=True)

        def f(x):
            y = (w * x).sum()
            return y, y.item()
        f, out = compile(f), []
        for x in xs():
            y, number = f(x)
            out += [number, torch.autograd.grad(y, w)[0]]
        return out
    check(case)


def test_in_a_function_that_another_calls():
    """What becomes of the number there is not known."""
    def number(x):
        return x.sum().item()

    def case(compile):
        f = compile(lambda x: x * 2 if number(x) > 0 else x)
        return [f(x) for x in xs()]
    check(case, eagerly="item()")


@pytest.mark.parametrize("dtype", ["bfloat16", "float64", "int32", "bool"])
def test_dtypes(dtype):
    def f(x):
        return x.sum().to(getattr(torch, dtype)).item()

    def case(compile):
        g = compile(f)
        return [(type(v).__name__, v) for x in xs() for v in [g(x)]]
    check(case, eagerly="item()" if dtype == "bool" else None)


def test_the_first_call_need_not_know_the_number(monkeypatch):
    """The program computes it: nothing is computed op by op before."""
    import kobai as torch
    from kobai.compile.trace import Recorder
    model = torch.nn.Linear(3, 1)
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    waited, catch_up = [], Recorder.catch_up
    monkeypatch.setattr(Recorder, "catch_up", lambda self: (waited.append(self.waits), catch_up(self))[1])

    def step(x):
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        number = loss.item()
        return number / 2, {"loss": number}
    expected = model(torch.ones(2, 3)).square().mean().item()
    half, found = torch.compile(step)(torch.ones(2, 3))
    assert found["loss"] == 2 * half and abs(half * 2 - expected) < 1e-5
    assert not any(waited)


def test_a_number_that_is_not_only_returned_after_all():
    """Adding a truth value is none of the sums that are put off: the number is computed there, as always."""
    import kobai as torch

    @torch.compile
    def f(x):
        y = x * 2
        number = y.sum().item()
        return number + (len(x) == 3)
    assert [f(torch.full((3,), float(k))) for k in range(4)] == [1.0, 7.0, 13.0, 19.0]
    assert "item()" in f.reason
