"""Packed and padded sequences, and recurrent layers on them."""
import numpy as np
import pytest

import kobai
from kobai import nn
from kobai.nn.utils import rnn


def three():
    return [kobai.tensor([1.0, 2.0, 3.0]), kobai.tensor([4.0]), kobai.tensor([5.0, 6.0])]


def test_pad_and_unpad():
    padded = rnn.pad_sequence(three(), batch_first=True, padding_value=-1)
    assert padded.tolist() == [[1, 2, 3], [4, -1, -1], [5, 6, -1]]
    assert rnn.pad_sequence(three()).tolist() == [[1, 4, 5], [2, 0, 6], [3, 0, 0]]
    left = rnn.pad_sequence(three(), batch_first=True, padding_side="left")
    assert left.tolist() == [[1, 2, 3], [0, 0, 4], [0, 5, 6]]
    back = rnn.unpad_sequence(padded, kobai.tensor([3, 1, 2]), batch_first=True)
    assert [s.tolist() for s in back] == [[1, 2, 3], [4], [5, 6]]


def test_pack_and_unpack():
    packed = rnn.pack_sequence(three(), enforce_sorted=False)
    assert packed.data.tolist() == [1, 5, 4, 2, 6, 3]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [0, 2, 1]
    assert packed.unsorted_indices.tolist() == [0, 2, 1]
    padded, lengths = rnn.pad_packed_sequence(packed, batch_first=True, total_length=4)
    assert padded.tolist() == [[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 0, 0]] and lengths.tolist() == [3, 1, 2]
    assert [s.tolist() for s in rnn.unpack_sequence(packed)] == [[1, 2, 3], [4], [5, 6]]
    assert packed.double().data.dtype == kobai.float64 and not packed.is_cuda


@pytest.mark.parametrize("fn, exc, text", [
    (lambda: rnn.pack_sequence(three()), RuntimeError,
     "`lengths` array must be sorted in decreasing order"),
    (lambda: rnn.pack_padded_sequence(kobai.ones(3, 2), [3, 0]), RuntimeError,
     "Length of all samples has to be greater than 0"),
    (lambda: rnn.pack_padded_sequence(kobai.ones(3, 2), [3]), RuntimeError,
     "Expected `len(lengths)` to be equal to batch_size, but got 1 (batch_size=2)"),
    (lambda: rnn.pad_packed_sequence(rnn.pack_sequence(three(), False), total_length=2), ValueError,
     "Expected total_length to be at least the length of the longest sequence in input, but got "
     "total_length=2 and max sequence length being 3"),
    (lambda: rnn.pad_sequence(three(), padding_side="up"), RuntimeError,
     "Expected padding_side to be one of"),
])
def test_packing_errors(fn, exc, text):
    with pytest.raises(exc) as caught:
        fn()
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("layer", [
    lambda: nn.RNN(2, 3), lambda: nn.GRU(2, 3, bidirectional=True), lambda: nn.LSTM(2, 3, num_layers=2),
    lambda: nn.LSTM(2, 3, 2, bidirectional=True, proj_size=1),
])
def test_a_packed_batch_is_each_sequence_by_itself(layer):
    kobai.manual_seed(0)
    layer = layer()
    sequences = [kobai.randn(n, 2) for n in (2, 4, 1)]
    packed, state = layer(rnn.pack_sequence(sequences, enforce_sorted=False))
    outputs = rnn.unpack_sequence(packed)
    for i, sequence in enumerate(sequences):
        alone, alone_state = layer(sequence)
        assert kobai.allclose(outputs[i], alone, atol=1e-6)
        pairs = zip(state, alone_state) if isinstance(state, tuple) else [(state, alone_state)]
        for together, single in pairs:
            assert kobai.allclose(together[:, i], single, atol=1e-6)


def test_an_initial_state_is_in_the_order_of_the_sequences():
    kobai.manual_seed(0)
    layer, h0 = nn.GRU(2, 3), kobai.randn(1, 3, 3)
    sequences = [kobai.randn(n, 2) for n in (1, 3, 2)]
    _, h = layer(rnn.pack_sequence(sequences, enforce_sorted=False), h0)
    for i, sequence in enumerate(sequences):
        assert kobai.allclose(h[:, i], layer(sequence, h0[:, i])[1], atol=1e-6)


def test_batch_first_is_only_a_transposition():
    kobai.manual_seed(0)
    a, b = nn.LSTM(2, 3), nn.LSTM(2, 3, batch_first=True)
    b.load_state_dict(a.state_dict())
    x = kobai.randn(4, 5, 2)
    (ya, sa), (yb, sb) = a(x), b(x.transpose(0, 1))
    assert kobai.allclose(ya, yb.transpose(0, 1)) and kobai.allclose(sa[1], sb[1])


def test_a_layer_is_its_cell_repeated():
    kobai.manual_seed(0)
    layer, cell = nn.LSTM(2, 3), nn.LSTMCell(2, 3)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x, state = kobai.randn(4, 5, 2), None
    for step in x:
        state = cell(step, state)
    assert kobai.allclose(layer(x)[1][0][0], state[0], atol=1e-6)


def test_names_and_shapes_of_weights():
    lstm = nn.LSTM(2, 3, num_layers=2, bidirectional=True, proj_size=1)
    shapes = {k: tuple(v.shape) for k, v in lstm.state_dict().items()}
    assert list(shapes)[:6] == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0",
                                "weight_ih_l0_reverse"]
    assert shapes["weight_ih_l0"] == (12, 2) and shapes["weight_ih_l1"] == (12, 2)
    assert shapes["weight_hr_l1_reverse"] == (1, 3)
    assert len(lstm.all_weights) == 4 and len(lstm.all_weights[0]) == 5


@pytest.mark.parametrize("fn, exc, text", [
    (lambda: nn.RNN(2, 3)(kobai.ones(5, 2, 4)), RuntimeError,
     "input.size(-1) must be equal to input_size. Expected 2, got 4"),
    (lambda: nn.LSTM(2, 3)(kobai.ones(2)), ValueError,
     "LSTM: Expected input to be 2D or 3D, got 1D"),
    (lambda: nn.GRU(2, 3)(kobai.ones(5, 4, 2), kobai.zeros(1, 4, 2)), RuntimeError,
     "Expected hidden size (1, 4, 3), got [1, 4, 2]"),
    (lambda: nn.LSTM(2, 3)(kobai.ones(5, 4, 2), (kobai.zeros(1, 4, 3), kobai.zeros(1, 1, 3))), RuntimeError,
     "Expected hidden[1] size (1, 4, 3), got [1, 1, 3]"),
    (lambda: nn.GRU(2, 3)(kobai.ones(5, 4, 2), kobai.zeros(1, 3)), RuntimeError,
     "For batched 3-D input, hx should also be 3-D but got 2-D tensor"),
    (lambda: nn.RNN(2, 3, nonlinearity="sin"), ValueError,
     "Unknown nonlinearity 'sin'. Select from 'tanh' or 'relu'."),
    (lambda: nn.RNN(2, 0), ValueError, "hidden_size must be greater than zero"),
    (lambda: nn.GRU(2, 3, proj_size=1), ValueError,
     "proj_size argument is only supported for LSTM, not RNN or GRU"),
    (lambda: nn.LSTM(2, 3, proj_size=3), ValueError, "proj_size has to be smaller than hidden_size"),
    (lambda: nn.LSTM(2, 3, dropout=2), ValueError, "dropout should be a number in range [0, 1]"),
    (lambda: nn.RNNCell(3, 4)(kobai.ones(2, 5)), RuntimeError,
     "input has inconsistent input_size: got 5 expected 3"),
    (lambda: nn.LSTMCell(3, 4)(kobai.ones(2, 3, 1)), ValueError,
     "LSTMCell: Expected input to be 1D or 2D, got 3D instead"),
    (lambda: nn.GRUCell(3, 4)(kobai.ones(2, 3), kobai.ones(2, 9)), RuntimeError,
     "hidden0 has inconsistent hidden_size: got 9, expected 4"),
    (lambda: nn.GRUCell(3, 4)(kobai.ones(2, 3), kobai.ones(3, 4)), RuntimeError,
     "Input batch size 2 doesn't match hidden0 batch size 3"),
])
def test_errors(fn, exc, text):
    with pytest.raises(exc) as caught:
        fn()
    assert str(caught.value).startswith(text)


def test_dropout_between_one_layer_warns():
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
        nn.LSTM(2, 3, dropout=0.5)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [kobai.float32, kobai.float64])
def test_lstms_of_few_features(size, dtype):
    """Expected values are the definition, in Python: NumPy negates single columns of rows of 16 bytes wrongly."""
    layer = nn.LSTM(2, size).to(dtype)
    x = kobai.randn(5, 3, 2, dtype=dtype)
    w, u, b, d = [p.detach().numpy().astype(float) for p in layer.parameters()]
    h = c = np.zeros((3, size))
    for t in range(5):
        i, f, n, o = np.split(x[t].numpy() @ w.T + h @ u.T + b + d, 4, axis=1)
        i, f, o = [1 / (1 + np.exp(-v)) for v in (i, f, o)]
        c = f * c + i * np.tanh(n)
        h = o * np.tanh(c)
        np.testing.assert_allclose(layer(x)[0][t].detach().numpy(), h, rtol=1e-5, atol=1e-6)
