"""Variables that are others on each call, as counters of steps are: what reads them runs as always, the rest in parts.

The results are those of the same function uncompiled.
"""
import types

from eager_and_compiled import close
from test_parts import parts_of, trained

import kobai as torch

step_number = 0


def reads_a_global(state):
    model, opt = trained(state)

    def step(x):
        opt.zero_grad()
        loss = model(x).square().mean()
        if step_number % 3 == 2:
            loss = loss + sum(p.abs().sum() for p in model.parameters()) * 0.1
        loss.backward()
        opt.step()
        return loss
    return step


def accumulates(state):
    """What a class for training often does."""
    model, opt = trained(state)

    class Trainer:
        def __init__(self):
            self.opt, self.losses, self.global_step = opt, [], 0

        def step(self, x):
            loss = model(x).square().mean() / 4
            loss.backward()
            self.losses.append(loss.detach())
            self.global_step += 1
            if self.global_step % 4 == 0:
                self.opt.step()
                self.opt.zero_grad()
            return loss
    state.trainer = Trainer()
    return state.trainer.step


def reads_an_item(state):
    model, opt = trained(state)
    state.settings = {"epoch": 0}

    def step(x):
        opt.zero_grad()
        scale = 1 / (1 + state.settings["epoch"])
        loss = model(x).square().mean() * scale
        loss.backward()
        opt.step()
        return loss
    return step


def backward_elsewhere(state):
    model, opt = trained(state)
    state.calls = 0

    def forward(x):
        state.calls += 1
        return model(x)

    def step(x):
        opt.zero_grad()
        y = forward(x)
        loss = y.square().mean()
        loss.backward()
        opt.step()
        return loss
    return step


def run(make, compile):
    global step_number
    state = types.SimpleNamespace()
    fn, results = compile(make(state)), []
    for k in range(48):
        step_number = k
        if hasattr(state, "settings"):
            state.settings["epoch"] = k
        results.append(fn(torch.linspace(-1, 1, 12).reshape(4, 3) * (k % 5 + 1) / 4).item())
    return results, [p.tolist() for p in state.model.parameters()], fn, state


def native(compiled):
    """How many of the parts go to machine code at once."""
    return sum(not isinstance(type(p).__call__, types.FunctionType) for p in parts_of(compiled))


def check(make, parts):
    eager, compiled = run(make, lambda f: f), run(make, torch.compile)
    close(eager[:2], compiled[:2])
    assert native(compiled[2]) >= parts, compiled[2].reason
    return eager, compiled


def test_a_global_that_the_loop_counts():
    check(reads_a_global, 1)


def test_accumulated_gradients():
    eager, compiled = check(accumulates, 1)
    assert compiled[3].trainer.global_step == 48
    close([v.item() for v in eager[3].trainer.losses], [v.item() for v in compiled[3].trainer.losses])


def test_an_optimizer_after_a_backward_pass_that_is_not_recorded():
    _, compiled = check(backward_elsewhere, 2)
    assert compiled[3].calls == 48


def test_an_item_of_a_dict():
    check(reads_an_item, 1)
