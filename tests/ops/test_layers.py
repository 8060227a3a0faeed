"""Normalisation, embeddings, dropout, attention and recurrent layers, against their definitions."""
import numpy as np
import pytest

import kobai
import kobai.nn.functional as F
from kobai.ops import attention, sequence
from kobai.ops.dropout import DropoutNoise


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(x, grad=False):
    return kobai.from_numpy(np.array(x)).requires_grad_(grad)


# ---- normalisation ---------------------------------------------------------------------------
def standardised(x, dims, eps=1e-5):
    return (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)


def test_normalisations_by_definition():
    x = normal(4, 6, 5) * 3 + 2
    w, b = normal(6), normal(6, seed=1)
    t = tensor(x)
    np.testing.assert_allclose(F.batch_norm(t, None, None, tensor(w), tensor(b), True).numpy(),
                               standardised(x, (0, 2)) * w[:, None] + b[:, None])
    np.testing.assert_allclose(F.instance_norm(t).numpy(), standardised(x, 2))
    np.testing.assert_allclose(F.layer_norm(t, (6, 5)).numpy(), standardised(x, (1, 2)))
    np.testing.assert_allclose(F.group_norm(t, 3).numpy(), standardised(x.reshape(4, 3, 10), 2).reshape(x.shape))
    np.testing.assert_allclose(F.rms_norm(t, (5,), eps=0.1).numpy(), x / np.sqrt((x * x).mean(2, keepdims=True) + 0.1))


def test_batch_norm_remembers():
    """Mean as it is, variance divided by n - 1, a tenth of each (Ioffe and Szegedy 2015)."""
    x, mean, var = normal(8, 2), kobai.zeros(2).double(), kobai.ones(2).double()
    F.batch_norm(tensor(x), mean, var, training=True)
    np.testing.assert_allclose(mean.numpy(), 0.1 * x.mean(0))
    np.testing.assert_allclose(var.numpy(), 0.9 + 0.1 * x.var(0, ddof=1))
    y = F.batch_norm(tensor(x), mean, var)
    np.testing.assert_allclose(y.numpy(), (x - mean.numpy()) / np.sqrt(var.numpy() + 1e-5))


def test_a_variance_far_from_zero_keeps_its_digits():
    """float32 numbers around 1000: the square of the mean must not drown the variance."""
    x = (normal(64, 3) + 1000).astype("f")
    y = F.batch_norm(tensor(x), None, None, training=True).numpy()
    np.testing.assert_allclose(y, standardised(x.astype("d"), 0), atol=2e-4)
    z = F.layer_norm(tensor(np.ascontiguousarray(x.T)), (64,)).numpy()
    np.testing.assert_allclose(z, standardised(x.T.astype("d"), 1), atol=2e-4)


def test_what_follows_batch_norm_may_work_in_place():
    x = tensor(normal(5, 3), True)
    y = F.relu(F.batch_norm(x, None, None, training=True), inplace=True)
    y.sum().backward()
    assert x.grad is not None


def test_evaluation_keeps_its_statistics_when_training_goes_on():
    x, mean, var = tensor(normal(5, 3), True), kobai.zeros(3).double(), kobai.ones(3).double()
    y = F.batch_norm(x, mean, var)
    F.batch_norm(x.detach() + 5, mean, var, training=True)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 / np.sqrt(1 + 1e-5))


@pytest.mark.parametrize("shape", [(3, 4), (40, 12), (2, 3, 10)])
def test_both_formulas_of_the_gradient_agree(shape):
    """The one in place, and the one that is recorded for second derivatives."""
    x, w, b = tensor(normal(*shape), True), tensor(normal(*shape[-1:]), True), tensor(normal(*shape[-1:], seed=2), True)
    y = F.layer_norm(x, shape[-1:], w, b)
    g = tensor(normal(*shape, seed=3))
    once = kobai.autograd.grad(y, (x, w, b), g, retain_graph=True)
    recorded = kobai.autograd.grad(y, (x, w, b), g, create_graph=True)
    for have, want in zip(recorded, once):
        np.testing.assert_allclose(have.detach().numpy(), want.numpy(), rtol=1e-9, atol=1e-12)


# ---- embeddings ------------------------------------------------------------------------------
def test_embedding_gradient_counts():
    w = kobai.zeros(4, 2, requires_grad=True)
    F.embedding(kobai.tensor([1, 3, 1, 2]), w, padding_idx=2).sum().backward()
    assert w.grad.tolist() == [[0, 0], [2, 2], [0, 0], [1, 1]]


def test_sparse_gradients_add_up_and_train():
    table = kobai.nn.Embedding(5, 2, sparse=True)
    before = table.weight.detach().clone()
    (table(kobai.tensor([1, 1])).sum() + table(kobai.tensor([3])).sum()).backward()
    assert table.weight.grad.is_sparse
    assert table.weight.grad.to_dense().tolist() == [[0, 0], [2, 2], [0, 0], [1, 1], [0, 0]]
    kobai.optim.SparseAdam(table.parameters(), lr=0.1).step()
    moved = (table.weight.detach() - before).abs().sum(1)
    np.testing.assert_allclose(moved.numpy(), [0, 0.2, 0, 0.2, 0], atol=1e-6)


def test_bags():
    w = tensor(np.arange(12.0).reshape(6, 2))
    index, offsets = kobai.tensor([1, 2, 4, 5]), kobai.tensor([0, 3, 3])
    assert F.embedding_bag(index, w, offsets, mode="sum").tolist() == [[14, 17], [0, 0], [10, 11]]
    assert F.embedding_bag(index, w, offsets, mode="max").tolist() == [[8, 9], [0, 0], [10, 11]]
    assert F.embedding_bag(index, w, offsets, mode="mean", padding_idx=1).tolist() == [[6, 7], [0, 0], [10, 11]]


# ---- dropout ---------------------------------------------------------------------------------
def test_dropout_numbers_of_pytorch():
    """torch.manual_seed(0); torch.nn.functional.dropout(torch.ones(8), 0.3)."""
    kobai.manual_seed(0)
    y = F.dropout(kobai.ones(8), 0.3)
    np.testing.assert_allclose(y.numpy(), np.array([0, 0, 1, 0, 1, 0, 1, 1]) / 0.7, rtol=1e-6)
    kobai.manual_seed(0)
    y = F.alpha_dropout(kobai.ones(8), 0.3, True)
    np.testing.assert_allclose(y.numpy(), np.where([0, 0, 1, 0, 1, 0, 1, 1], 1.3150, -1.0595), atol=1e-4)


def test_alpha_dropout_keeps_mean_and_variance():
    kobai.manual_seed(0)
    y = F.alpha_dropout(kobai.randn(100000), 0.4, True)
    assert abs(y.mean().item()) < 0.02 and abs(y.var().item() - 1) < 0.02


def test_channels_drop_together():
    kobai.manual_seed(0)
    y = F.dropout2d(kobai.ones(20, 10, 3, 3), 0.5)
    sums = y.sum((2, 3))
    assert set(sums.flatten().tolist()) == {0.0, 18.0}


def test_each_call_of_a_recorded_dropout_op_draws_anew():
    x = kobai.ones(1000)
    assert not kobai.equal(DropoutNoise(0.5)(x), DropoutNoise(0.5)(x))


# ---- attention -------------------------------------------------------------------------------
def naive_attention(q, k, v, mask):
    s = np.einsum("...le,...se->...ls", q, k) / np.sqrt(q.shape[-1]) + mask
    e = np.exp(s - s.max(-1, keepdims=True))
    return np.einsum("...ls,...sf->...lf", e / e.sum(-1, keepdims=True), v)


@pytest.mark.parametrize("mask", [(3, 5), (2, 4, 3, 5), (4, 1, 5), (2, 1, 1, 5)])
@pytest.mark.parametrize("piece", [1, 20, 70, 1 << 18])
def test_attention_in_pieces(monkeypatch, mask, piece):
    monkeypatch.setattr(attention, "_PIECE", piece)
    q, k, v, given = (normal(*s, seed=i) for i, s in enumerate(((2, 4, 3, 6), (2, 4, 5, 6), (2, 4, 5, 2), mask)))
    inputs = [tensor(a, True) for a in (q, k, v, given)]
    y = F.scaled_dot_product_attention(*inputs)
    np.testing.assert_allclose(y.detach().numpy(), naive_attention(q, k, v, given), rtol=1e-10)
    g = tensor(normal(*y.shape, seed=9))
    once = kobai.autograd.grad(y, inputs, g, retain_graph=True)
    recorded = kobai.autograd.grad(y, inputs, g, create_graph=True)
    for have, want in zip(once, recorded):
        np.testing.assert_allclose(have.numpy(), want.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_causal_attention_does_not_look_ahead():
    q = tensor(normal(1, 4, 3), True)
    y = F.scaled_dot_product_attention(q, q.detach(), q.detach() + 0, is_causal=True)
    v = tensor(normal(1, 4, 3), True)
    F.scaled_dot_product_attention(q, q, v, is_causal=True)[0, 1].sum().backward()
    assert (v.grad[0, 2:] == 0).all() and (v.grad[0, :2] != 0).all()
    np.testing.assert_allclose(y[0, 0].detach().numpy(), q[0, 0].detach().numpy())


def test_rows_without_anything_to_look_at_are_zero():
    q = tensor(normal(1, 2, 3), True)
    y = F.scaled_dot_product_attention(q, q, q, kobai.tensor([[True, False], [False, False]]))
    assert (y[0, 1] == 0).all()
    y.sum().backward()
    assert kobai.isfinite(q.grad).all()


# ---- recurrent layers ------------------------------------------------------------------------
def logistic(x):
    return 1 / (1 + np.exp(-x))


def one_step(kind, x, state, w, b):
    h = state[0]
    if kind == "LSTM":
        i, f, n, o = np.split(x + w @ h + b, 4)
        c = logistic(f) * state[1] + logistic(i) * np.tanh(n)
        return logistic(o) * np.tanh(c), c
    if kind == "GRU":
        (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(x, 3), np.split(w @ h + b, 3)
        z, n = logistic(x_z + h_z), np.tanh(x_n + logistic(x_r + h_r) * h_n)
        return ((1 - z) * n + z * h,)
    return (np.tanh(x + w @ h + b),)


OPS = {"RNN": (sequence.RnnTanh, 1, 1), "LSTM": (sequence.LstmSequence, 4, 2), "GRU": (sequence.GruSequence, 3, 1)}


@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [(3, 3), (4, 2, 1), (5,)])
def test_sequences_are_cells_in_a_row(kind, reverse, lengths):
    """Each example by itself, step by step; the op has the rows of all examples, one time step after the other."""
    op, gates, states = OPS[kind]
    sizes = tuple([sum(n > t for n in lengths) for t in range(max(lengths))])
    x, w, b = normal(sum(sizes), 2 * gates), normal(2 * gates, 2, seed=1), normal(2 * gates, seed=2)
    start = [normal(len(lengths), 2, seed=3 + i) for i in range(states)]
    extra = (None,) if kind == "LSTM" else ()
    y = op(sizes, reverse)(x, *start, w, b, *extra)
    y = y if isinstance(y, tuple) else (y,)
    first_row = np.concatenate([[0], np.cumsum(sizes)])
    for k, n in enumerate(lengths):
        state = tuple(s[k] for s in start)
        for t in range(n)[::-1] if reverse else range(n):
            row = first_row[t] + k
            state = one_step(kind, x[row], state, w, b)
            for have, want in zip(y, state):
                np.testing.assert_allclose(have[row], want, rtol=1e-10)
        np.testing.assert_array_equal(y[0][sequence.last_rows(sizes, reverse)[k]], y[0][row])


def test_large_gates_do_not_overflow():
    layer = kobai.nn.LSTM(1, 2)
    with kobai.no_grad():
        layer.weight_ih_l0.fill_(1000.0)
    y, _ = layer(kobai.tensor([[[1.0]], [[-1.0]]]))
    assert kobai.isfinite(y).all()
