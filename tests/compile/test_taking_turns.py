"""Functions that take turns: what one switches (`model.train()`, a flag) the other finds, on each call.

What is expected are the numbers that the same functions give eagerly.
"""
import pytest

import kobai as torch

CALLS = 7


class Flags:
    def __init__(self):
        self.debug, self.scale = False, 2.0


def modes_of_a_model(compile):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1))
    opt = torch.optim.SGD(model.parameters(), lr=0.1)

    @compile
    def train(x):
        model.train()
        opt.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        opt.step()
        return loss

    @compile
    @torch.no_grad()
    def evaluate(x):
        model.eval()
        return model(x).mean()
    return [train, evaluate], lambda: [m.training for m in model.modules()]


def a_flag(compile):
    flags = Flags()

    @compile
    def on(x):
        found = flags.debug
        flags.debug = True
        return x * flags.scale + (1 if found else 2)

    @compile
    def off(x):
        found = flags.debug
        flags.debug = False
        return x / flags.scale - (1 if found else 2)
    return [on, off], lambda: flags.debug


@pytest.mark.parametrize("make", [modes_of_a_model, a_flag])
@pytest.mark.parametrize("order", ["abab", "aabb", "abba", "aaab", "ba"])
def test_functions_that_take_turns(make, order):
    """Each is recorded once for each state that it finds, or once more: not on each call."""
    results = []
    for compile in (lambda fn: fn, torch.compile):
        torch.manual_seed(0)
        functions, state = make(compile)
        found = []
        for k in range(CALLS):
            for which in order:
                found.append(functions["ab".index(which)](torch.linspace(k, k + 2, 12).reshape(4, 3)).tolist())
                found.append(state())
        results.append(found)
    eager, compiled = results
    assert torch.allclose(torch.tensor(_flat(compiled)), torch.tensor(_flat(eager)), rtol=1e-4, atol=1e-5)
    for fn in functions:
        variant, = fn.variants.values()
        assert fn.reason is None and variant.programs and variant.records <= 4, (fn.reason, variant.records)


def _flat(v):
    return [n for item in v for n in _flat(item)] if isinstance(v, list) else [float(v)]


def test_the_first_call_of_a_function_that_switches_a_mode_is_planned():
    model = torch.nn.Linear(3, 2).eval()

    @torch.compile
    def step(x):
        model.train()
        return model(x).sum().detach()
    step(torch.ones(3))
    model.eval()
    step(torch.ones(3))
    variant, = step.variants.values()
    assert variant.records == 1 and len(variant.programs) == 1 and model.training
