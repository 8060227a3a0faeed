"""torch.lstm, gru, rnn_tanh, rnn_relu and their cells: layers of recurrent ops under PyTorch's names."""
from __future__ import annotations

from ..autograd.node import Node, Port, shown_edge
from ..op import dtype_of, m
from ..public import public
from .index import Index
from .join import Cat, Stack
from .labels import shown_as
from .movement import Reshape, Transpose, Unsqueeze
from .recurrent import GruCell, LstmCell
from .sequence import GruSequence, LstmSequence, RnnRelu, RnnTanh, last_rows

_PLAIN = {"RNN_TANH": RnnTanh, "RNN_RELU": RnnRelu}


def one_direction(mode, x, state, w_hh, b_hh, project, sizes, reverse):
    """(outputs of all steps, last states) of one layer in one direction.

    `x` (rows, gates) is what the input contributes, `state` (h,) or (h, c).
    """
    if mode == "LSTM":
        h, c, _ = LstmSequence(sizes, reverse)(x, *state, w_hh, b_hh, project)
        return h, (_last(h, sizes, reverse), _last(c, sizes, reverse))
    h = GruSequence(sizes, reverse)(x, *state, w_hh, b_hh)[0] if mode == "GRU" else _PLAIN[mode](sizes, reverse)(
        x, *state, w_hh, b_hh)
    return h, (_last(h, sizes, reverse),)


def _last(states, sizes, reverse):
    n = sizes[0]
    if sizes[-1] == n:
        return states[:n] if reverse else states[n * (len(sizes) - 1):]
    return Index((0,))(states, last_rows(sizes, reverse))


def recurrent_layers(mode, x, sizes, state, weights, directions=1, dropout=0.0):
    """All layers of a recurrent network: (outputs, states), each state (layers * directions, examples, size).

    Args: `x` is (time, examples, features), or the rows of a packed sequence with the number of examples
    at each step in `sizes`; `weights` has (w_ih, w_hh, b_ih, b_hh, projection) for each layer and direction.
    """
    shape = tuple(x.shape)
    packed = sizes is not None
    if not packed:
        sizes = (shape[1],) * shape[0]
        x = m.reshape(x, (shape[0] * shape[1], shape[2]))
    last, layers = [], len(weights) // directions
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            w_ih, w_hh, b_ih, b_hh, project = weights[k]
            y, end = one_direction(mode, m.linear(x, w_ih, b_ih), [m.select(s, 0, k) for s in state], w_hh, b_hh,
                                   project, sizes, bool(direction))
            outputs.append(y)
            last.append(end)
        x = outputs[0] if directions == 1 else Cat(1)(*outputs)
        if dropout and layer < layers - 1:
            x = m.dropout(x, dropout)
    if not packed:
        name = "Cat" if directions == 2 else _PLAIN_NAME.get((mode, dtype_of(x).name), "Stack")
        same = None if name == "Stack" else _as_before
        x = shown_as(Reshape((*shape[:2], x.shape[1])), name + "Backward0", None, same, True)(x)
    return x, tuple([_FIRST(s[0]) if len(s) == 1 else _LAST(*s) for s in zip(*last)])


def _as_before(node, number):
    """Rows in the form of steps are what they were."""
    return shown_edge(node.edges[0])[0] or node


def _ends(node):
    """Behind the last states: the layers themselves, whose second and third results they are in PyTorch."""
    found = []
    for e in node.edges:
        cut = e.edges[0] if isinstance(e, Node) and e.op is not None and len(e.edges) == 1 else None
        port = isinstance(cut, Port) and type(cut.node.op) is LstmSequence
        found.append((cut.node, cut.number + 1) if port else shown_edge(e))
    return tuple(found)


_PLAIN_NAME = {("LSTM", "float32"): "MkldnnRnnLayer"}  # one way on, PyTorch stacks the steps of all others
_FIRST = shown_as(Unsqueeze(0), "StackBackward0", _ends, None, True)
_LAST = shown_as(Stack(0), "StackBackward0", _ends)
_BATCH_FIRST = {"LSTM": Transpose(0, 1)}


def examples_first(y, mode):
    """Outputs with the examples before the time."""
    return _BATCH_FIRST.get(mode, _TURNED)(y)


_TURNED = shown_as(Transpose(0, 1), "TransposeBackward1")


# ---- under PyTorch's names -------------------------------------------------------------------
def _grouped(params, has_biases, projected):
    """The flat list of parameters as (w_ih, w_hh, b_ih, b_hh, projection) for each layer and direction."""
    n = 2 + 2 * bool(has_biases) + projected
    groups = [list(params[i:i + n]) for i in range(0, len(params), n)]
    return [(*g[:2], *(g[2:4] if has_biases else (None, None)), g[-1] if projected else None) for g in groups]


def _layered(mode, args):
    """torch.lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first), or
    with batch sizes as second argument and without batch_first."""
    packed = len(args) == 9 and isinstance(args[3], (list, tuple))
    if packed:
        x, batch_sizes, hx, params, has_biases, _, dropout, train, bidirectional = args
        sizes, batch_first = tuple([int(n) for n in batch_sizes.tolist()]), False
    else:
        x, hx, params, has_biases, _, dropout, train, bidirectional, batch_first = args
        sizes = None
    state = tuple(hx) if mode == "LSTM" else (hx,)
    projected = mode == "LSTM" and state[0].shape[-1] != state[1].shape[-1]
    x = m.transpose(x, 0, 1) if batch_first else x
    y, last = recurrent_layers(mode, x, sizes, state, _grouped(params, has_biases, projected),
                               1 + bool(bidirectional), dropout if train else 0.0)
    return (examples_first(y, mode) if batch_first else y, *last)


def _make_layers(mode):
    name = mode.lower()

    def layers(*args):
        return _layered(mode, args)
    layers.__doc__ = (f"{name}(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first): "
                      "outputs and last states.")
    public("torch", name=name)(layers)


for _mode in ("LSTM", "GRU", "RNN_TANH", "RNN_RELU"):
    _make_layers(_mode)


@public("torch")
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an LSTM: (h, c) -> (h', c')."""
    h, c, _ = LstmCell()(m.linear(input, w_ih, b_ih), m.linear(hx[0], w_hh, b_hh), hx[1])
    return h, c


@public("torch")
def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of a GRU."""
    return GruCell()(m.linear(input, w_ih, b_ih), m.linear(hx, w_hh, b_hh), hx)[0]


@public("torch")
def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """tanh(w_ih input + b_ih + w_hh hx + b_hh)."""
    return m.tanh(m.linear(input, w_ih, b_ih) + m.linear(hx, w_hh, b_hh))


@public("torch")
def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """relu(w_ih input + b_ih + w_hh hx + b_hh)."""
    return m.relu(m.linear(input, w_ih, b_ih) + m.linear(hx, w_hh, b_hh))


m.recurrent_layers = recurrent_layers
__all__ = ["one_direction", "recurrent_layers"]
