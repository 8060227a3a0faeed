"""Chains over the rows of recurrent layers: the same numbers as step by step, whatever the sizes and the threads."""
import numpy as np
import pytest

import kobai
from kobai import nn
from kobai.compile.chain import ChainStep
from kobai.compile.contract import ProductStep

CASES = {
    # kind: (layer, batch, steps, inputs, features)
    "lstm": (lambda i, h: nn.LSTM(i, h, batch_first=True), 32, 12, 5, 32),
    "lstm-of-odd-sizes": (lambda i, h: nn.LSTM(i, h), 12, 11, 3, 37),
    "two-layers-both-ways": (lambda i, h: nn.LSTM(i, h, 2, bidirectional=True), 8, 9, 3, 24),
    "projected": (lambda i, h: nn.LSTM(i, h, proj_size=16), 10, 10, 4, 32),
    "one-example": (lambda i, h: nn.LSTM(i, h), 1, 13, 3, 32),
    "prime-batch": (lambda i, h: nn.LSTM(i, h), 31, 9, 3, 24),
    "without-bias": (lambda i, h: nn.GRU(i, h, bias=False), 16, 9, 3, 24),
    "gru": (lambda i, h: nn.GRU(i, h, batch_first=True), 24, 10, 3, 32),
    "gru-both-ways": (lambda i, h: nn.GRU(i, h, 2, bidirectional=True), 8, 9, 3, 20),
    "tanh": (lambda i, h: nn.RNN(i, h, 2), 16, 10, 3, 32),
    "relu": (lambda i, h: nn.RNN(i, h, nonlinearity="relu", bidirectional=True), 20, 9, 3, 32),
}
CHAINED = ("lstm", "lstm-of-odd-sizes", "two-layers-both-ways", "projected", "gru", "tanh", "relu")


def _made(name, grads=True):
    make, batch, count, inputs, size = CASES[name]
    kobai.manual_seed(1)
    layer = make(inputs, size)
    x = kobai.randn(*((batch, count) if layer.batch_first else (count, batch)), inputs)

    def step(x):
        x = x.clone().requires_grad_()
        y, states = layer(x)
        states = states if isinstance(states, tuple) else (states,)
        loss = (y * y).sum() + sum((s * 0.5).sum() for s in states)
        if not grads:
            return y, loss
        found = kobai.autograd.grad(loss, [x, *layer.parameters()])
        return y, loss, *found
    return step, x


def _numbers(ys):
    return [y.detach().numpy().copy() for y in ys]


def _compiled(step, x, times=3):
    run = kobai.compile(step)
    for _ in range(times):
        ys = _numbers(run(x))
    assert run.reason is None
    return run, ys


@pytest.mark.parametrize("name", CASES)
def test_as_eager(name):
    step, x = _made(name)
    _, ys = _compiled(step, x)
    for y, z in zip(ys, _numbers(step(x)), strict=True):
        np.testing.assert_allclose(y, z, rtol=3e-4, atol=3e-5 * max(1, abs(z).max()))


@pytest.mark.parametrize("name", CASES)
def test_the_same_bits_for_any_threads(name):
    step, x = _made(name)
    threads, found = kobai.get_num_threads(), []
    try:
        for n in (1, 2, 3):
            kobai.set_num_threads(n)
            found.append(_compiled(step, x)[1])
    finally:
        kobai.set_num_threads(threads)
    for other in found[1:]:
        assert all(a.tobytes() == b.tobytes() for a, b in zip(found[0], other))


@pytest.mark.parametrize("name", CHAINED)
def test_examples_go_through_all_time_steps(name):
    step, x = _made(name, grads=False)
    run, _ = _compiled(step, x)
    steps = run._last.plan.steps
    batch, count = CASES[name][1:3]
    chains = [s for s in steps if isinstance(s, ChainStep)]
    assert chains and all(sum(isinstance(s, ProductStep) for s in c.steps) >= count - 1 for c in chains)
    assert not any(isinstance(s, ProductStep) and s.m == batch and s.k > 5 for s in steps)


@pytest.mark.parametrize("mixed", [lambda h: h.flip(0), lambda h: h.roll(1, 0), lambda h: h - h.mean(0),
                                   lambda h: kobai.cat([h[4:], h[:4]])])
def test_examples_that_look_at_each_other(mixed):
    kobai.manual_seed(2)
    w, h0 = kobai.randn(32, 64)[:, :32] * 0.2, kobai.randn(16, 32)

    def step(h, w):
        for _ in range(10):
            h = kobai.tanh(mixed(h) @ w)
        return h, h.sum()
    _, ys = _compiled(lambda h: step(h, w), h0)
    for y, z in zip(ys, _numbers(step(h0, w)), strict=True):
        np.testing.assert_allclose(y, z, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kind", "batch", "size", "chains"), [
    ("LSTMCell", 16, 32, 2), ("GRUCell", 12, 20, 2),  # there and back
    ("RNNCell", 20, 37, 1)])                          # its way back sums over examples in the same kernels
def test_loops_of_cells(kind, batch, size, chains):
    kobai.manual_seed(3)
    cell, x = getattr(nn, kind)(3, size), kobai.randn(9, batch, 3)

    def step(x):
        h = kobai.zeros(batch, size)
        states = (h, kobai.zeros(batch, size)) if kind == "LSTMCell" else h
        for row in x:
            states = cell(row, states)
        y = states[0] if kind == "LSTMCell" else states
        loss = (y * y).sum()
        return loss, *kobai.autograd.grad(loss, list(cell.parameters()))
    run, ys = _compiled(step, x)
    for y, z in zip(ys, _numbers(step(x)), strict=True):
        np.testing.assert_allclose(y, z, rtol=3e-4, atol=3e-5 * max(1, abs(z).max()))
    assert sum(isinstance(s, ChainStep) for s in run._last.plan.steps) == chains
