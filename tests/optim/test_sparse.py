"""Sparse gradients. The optimisers ask a gradient for `coalesce`, `indices` and `values`, no more."""
import numpy as np
import pytest

import kobai
from kobai import optim


class Rows:
    """A gradient with some rows only, as an embedding's."""

    is_sparse = True

    def __init__(self, rows, values):
        self.rows, self.numbers = np.asarray(rows), np.asarray(values)

    def coalesce(self):
        """Each row once, in order."""
        rows, where = np.unique(self.rows, return_inverse=True)
        total = np.zeros((len(rows), *self.numbers.shape[1:]), self.numbers.dtype)
        np.add.at(total, where, self.numbers)
        return Rows(rows, total)

    def indices(self):
        return kobai.from_numpy(self.rows[None])

    def values(self):
        return kobai.from_numpy(self.numbers)


START = np.arange(10.0).reshape(5, 2)
STEPS = [([1, 3, 1], [[1.0, 2.0], [-1.0, 0.5], [0.5, 0.5]]), ([3, 4], [[2.0, -2.0], [1.0, 0.1]]),
         ([1], [[0.3, -4.0]])]


def train(name, **options):
    p = kobai.tensor(START, requires_grad=True)
    opt = getattr(optim, name)([p], **options)
    for rows, values in STEPS:
        p._grad = Rows(rows, values)
        opt.step()
    return p, opt


def test_sparse_adam_is_adam_on_the_touched_rows():
    """With t counting all steps: a row's averages stay while it is not touched."""
    p, opt = train("SparseAdam", lr=0.1)
    x, m, v = START.copy(), np.zeros((5, 2)), np.zeros((5, 2))
    for t, (rows, values) in enumerate(STEPS, 1):
        g = Rows(rows, values).coalesce()
        for row, d in zip(g.rows, g.numbers):
            m[row] = 0.9 * m[row] + 0.1 * d
            v[row] = 0.999 * v[row] + 0.001 * d * d
            x[row] -= 0.1 * np.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t) * m[row] / (np.sqrt(v[row]) + 1e-8)
    np.testing.assert_allclose(p.detach().numpy(), x, rtol=1e-9)
    assert list(opt.state[p]) == ["step", "exp_avg", "exp_avg_sq"] and opt.state[p]["step"] == 3
    np.testing.assert_array_equal(p.detach().numpy()[0], START[0])


def test_sgd_and_adagrad_move_only_the_touched_rows():
    p, _ = train("SGD", lr=0.1)
    expected = START.copy()
    for rows, values in STEPS:
        np.subtract.at(expected, rows, 0.1 * np.array(values))
    np.testing.assert_allclose(p.detach().numpy(), expected)
    p, opt = train("Adagrad", lr=0.1)
    np.testing.assert_array_equal(p.detach().numpy()[[0, 2]], START[[0, 2]])
    assert opt.state[p]["sum"].numpy()[4].tolist() == pytest.approx([1.0, 0.01])
    assert p.detach().numpy()[4] == pytest.approx(START[4] - 0.1)


@pytest.mark.parametrize(("name", "options", "message"), [
    ("Adam", {}, "Adam does not support sparse gradients, please consider SparseAdam instead"),
    ("RMSprop", {}, "RMSprop does not support sparse gradients"),
    ("Adagrad", {"weight_decay": 0.1}, "weight_decay option is not compatible with sparse gradients\n"),
    ("SGD", {"momentum": 0.9}, "SGD does not support sparse gradients with momentum or weight_decay\n")])
def test_who_cannot_says_so(name, options, message):
    with pytest.raises(RuntimeError) as caught:
        train(name, **options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["SparseAdam", "SGD", "Adagrad"])
def test_compiled_steps_with_sparse_gradients_are_the_eager_ones(name):
    def losses(compiled):
        kobai.manual_seed(0)
        table = kobai.nn.Embedding(7, 3, sparse=True)
        opt = getattr(optim, name)(table.parameters(), lr=0.1)
        rows = kobai.tensor([1, 5, 1])

        def step():
            opt.zero_grad()
            loss = (table(rows) - 1).pow(2).sum()
            loss.backward()
            opt.step()
            return loss
        step = kobai.compile(step) if compiled else step
        return [step().item() for _ in range(4)], table.weight.tolist()
    assert losses(True) == losses(False)
