"""Recurrent layers: a cell applied at every time step, in either direction, in several layers.

A layer over a sequence is one op for each direction (kobai/ops/sequence.py); single cells are made here.
"""
from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import empty, zeros
from ..diagnose import error
from ..ops.recurrent import GruCell, LstmCell
from ..ops.rnn import examples_first, recurrent_layers
from ..tensor import Tensor
from . import functional as F, init
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

State = tuple  # (h,) or (h, c), each (batch, hidden)


class Weights(NamedTuple):
    """The parameters of one layer in one direction, in the order in which they are registered."""

    ih: Tensor
    hh: Tensor
    b_ih: Tensor | None
    b_hh: Tensor | None
    hr: Tensor | None


# --------------------------------------------------------------------- cells
def _tanh_cell(x: Tensor, state: State, w: Weights) -> State:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh)."""
    return ((x + F.linear(state[0], w.hh, w.b_hh)).tanh(),)


def _relu_cell(x: Tensor, state: State, w: Weights) -> State:
    """h' = relu(W_ih x + b_ih + W_hh h + b_hh)."""
    return ((x + F.linear(state[0], w.hh, w.b_hh)).relu(),)


def _gru_cell(x: Tensor, state: State, w: Weights) -> State:
    """Cho et al. 2014, with the reset gate after the multiplication: n = tanh(x_n + r · (W_hn h + b_hn))."""
    return (GRU_GATES(x, F.linear(state[0], w.hh, w.b_hh), state[0])[0],)


def _lstm_cell(x: Tensor, state: State, w: Weights) -> State:
    """Hochreiter and Schmidhuber 1997, with a forget gate; `hr` projects the output (Sak et al. 2014)."""
    h, c, _ = LSTM_GATES(x, F.linear(state[0], w.hh, w.b_hh), state[1])
    return (h if w.hr is None else F.linear(h, w.hr), c)


LSTM_GATES, GRU_GATES = LstmCell(), GruCell()
_CELLS: dict[str, tuple[Callable, int]] = {     # mode -> the cell, and how many gates it has
    "RNN_TANH": (_tanh_cell, 1), "RNN_RELU": (_relu_cell, 1), "GRU": (_gru_cell, 3), "LSTM": (_lstm_cell, 4),
}


# --------------------------------------------------------------------- layers
def _no_pair(hx: Tensor, rank: int) -> Exception:
    """The error for one tensor as the state of an LSTM. PyTorch's words depend on what it looks at first."""
    n = hx.ndim - 1
    if not hx.ndim or len(hx) < 2:
        first: Exception = IndexError(f"index 1 is out of bounds for dimension 0 with size {len(hx) if hx.ndim else 1}")
    elif n != rank:
        first = RuntimeError(f"For {'batched 3-D' if rank == 3 else 'unbatched 2-D'} input, hx and cx should also be {rank}-D "
                             f"but got ({n}-D, {n}-D) tensors")
    else:
        first = TypeError("lstm() received an invalid combination of arguments - got (Tensor, Tensor, list, bool, int, float, "
                          "bool, bool, bool)")
    return error("argument-type", first, what="hx", kind="Tensor", must="a tuple of tensors",
                 why="the state of an LSTM is a pair (h, c), and a tensor was given.",
                 fix="write output, (h, c) = lstm(x, (h0, c0)).")


class RNNBase(Module):
    """Base class of `RNN`, `LSTM` and `GRU`."""

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device=None, dtype=None,
    ) -> None:
        super().__init__()
        if mode not in _CELLS:
            raise error("argument-choice", ValueError("Unrecognized RNN mode: " + mode), what="mode", value=mode,
                        choices=list(_CELLS))
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout) if isinstance(dropout, (int, float)) else dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_arguments(dropout)
        self._make_weights(device, dtype)
        self.reset_parameters()

    def _check_arguments(self, dropout: Any) -> None:
        if not isinstance(dropout, (int, float)) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise error("argument-value",
                        ValueError("dropout should be a number in range [0, 1] representing the probability of an "
                                   "element being zeroed"),
                        what="dropout", value=dropout, low=0, high=1, must="a number between {low} and {high}")
        if dropout > 0 and self.num_layers == 1:
            warnings.warn("dropout option adds dropout after all but last recurrent layer, so non-zero "
                          f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                          "num_layers=1",
                          stacklevel=4)
        if not isinstance(self.hidden_size, int):
            raise error("argument-type",
                        TypeError(f"hidden_size should be of type int, got: {type(self.hidden_size).__name__}"),
                        what="hidden_size", kind=type(self.hidden_size), must="a positive whole number")
        if self.hidden_size <= 0:
            raise error("argument-value", ValueError("hidden_size must be greater than zero"), what="hidden_size",
                        value=self.hidden_size, must="a positive whole number")
        if self.num_layers <= 0:
            raise error("argument-value", ValueError("num_layers must be greater than zero"), what="num_layers",
                        value=self.num_layers, must="a positive whole number")
        if self.proj_size < 0:
            raise error("argument-value",
                        ValueError("proj_size should be a positive integer or zero to disable projections"),
                        what="proj_size", value=self.proj_size, low=0, must="a whole number of at least {low}")
        if self.proj_size >= self.hidden_size:
            raise error("argument-value", ValueError("proj_size has to be smaller than hidden_size"), what="proj_size",
                        value=self.proj_size, high=self.hidden_size,
                        must="a whole number below {high}, the hidden_size")

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _output_size(self) -> int:
        return self.proj_size or self.hidden_size

    def _make_weights(self, device, dtype) -> None:
        gates = _CELLS[self.mode][1] * self.hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(self.num_layers):
            inputs = self.input_size if layer == 0 else self._output_size * self._directions
            for direction in range(self._directions):
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                shapes = self._shapes(gates, inputs)
                for name, shape in shapes.items():
                    setattr(self, name + suffix, Parameter(empty(shape, device=device, dtype=dtype)))
                self._all_weights.append([name + suffix for name in shapes])

    def _shapes(self, gates: int, inputs: int) -> dict[str, tuple[int, ...]]:
        """The parameters of one layer and direction, in order."""
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (gates, inputs), "weight_hh": (gates, self._output_size)}
        if self.bias:
            shapes.update(bias_ih=(gates,), bias_hh=(gates,))
        if self.proj_size:
            shapes.update(weight_hr=(self.proj_size, self.hidden_size))
        return shapes

    def reset_parameters(self) -> None:
        """Everything uniform within ±1/√hidden_size."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters, grouped by layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing: PyTorch packs the weights for a GPU library here."""

    def _weights_of(self, layer: int, direction: int) -> Weights:
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        return Weights(*(getattr(self, name + suffix, None)
                         for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")))

    # ---------------------------------------------------------------- checking
    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise unless the input fits the weights."""
        if input.dtype != self.weight_ih_l0.dtype:
            raise error("dtypes-differ",
                        ValueError(f"RNN input dtype ({input.dtype}) does not match weight dtype "
                                   f"({self.weight_ih_l0.dtype}). Convert input: "
                                   f"input.to({self.weight_ih_l0.dtype}), or convert model: model.to({input.dtype})"),
                        what="input", dtype=input.dtype, other="weight", other_dtype=self.weight_ih_l0.dtype,
                        fix="write input.to({other_dtype}), or convert the layer: layer.to({dtype}).")
        expected = 2 if batch_sizes is not None else 3
        if input.ndim != expected:
            raise error("tensor-dims", RuntimeError(f"input must have {expected} dimensions, got {input.ndim}"),
                        what="input", shape=input.shape, need="{n}", n=expected)
        if input.shape[-1] != self.input_size:
            raise error("rnn-features", a=input.shape[-1], b=self.input_size, grown=input, size=input.shape[-1])

    def _check_state(self, state: State, batch: int) -> None:
        layers = self.num_layers * self._directions
        for i, (s, size) in enumerate(zip(state, (self._output_size, self.hidden_size))):
            which = f"hidden[{i}]" if len(state) == 2 else "hidden"
            if tuple(s.shape) != (layers, batch, size):
                raise error("rnn-state", which=which, want_size=str((layers, batch, size)), got=str(list(s.shape)))

    # ----------------------------------------------------------------- calling
    def forward(self, input: Any, hx: Any = None) -> tuple:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        name = type(self).__name__
        if input.ndim not in (2, 3):
            raise error("tensor-dims",
                        ValueError(f"{name}: Expected input to be 2D or 3D, got {input.ndim}D"
                                   f"{' tensor' if name == 'RNN' else ''} instead"),
                        what="input", shape=input.shape, need="{n} or {m}", n=2, m=3,
                        fix="its dimensions are time, batch (may be left out), features; with batch_first=True the "
                            "batch comes first.")
        batched = input.ndim == 3
        state = self._given_state(hx, batched)
        time_dim = 1 if self.batch_first and batched else 0
        xs = input.transpose(0, 1) if time_dim else input
        if not batched:
            xs = xs.unsqueeze(1)
        output, state = self._layers(xs, None, state)
        if not batched:
            return output.squeeze(1), self._returned(tuple(s.squeeze(1) for s in state))
        return (examples_first(output, self.mode) if time_dim else output), self._returned(state)

    def _forward_packed(self, input: PackedSequence, hx: Any) -> tuple:
        data, sizes, order, back = input
        state = self._as_state(hx)
        if state is not None and order is not None:
            state = tuple(s.index_select(1, order) for s in state)
        output, state = self._layers(data, sizes, state)
        if back is not None:
            state = tuple(s.index_select(1, back) for s in state)
        return PackedSequence(output, sizes, order, back), self._returned(state)

    def _layers(self, xs: Tensor, batch_sizes: Tensor | None, state: State | None) -> tuple[Tensor, State]:
        """All layers: `xs` is (time, batch, input), or packed data (all steps one after the other, input)."""
        self.check_input(xs, batch_sizes)
        sizes = None if batch_sizes is None else tuple(batch_sizes.tolist())
        batch = xs.shape[1] if sizes is None else sizes[0]
        if state is None:
            state = self._zero_state(xs, batch)
        self._check_state(state, batch)
        weights = [self._weights_of(layer, direction)
                   for layer in range(self.num_layers) for direction in range(self._directions)]
        return recurrent_layers(self.mode, xs, sizes, state, weights, self._directions,
                                self.dropout if self.training else 0.0)

    # ------------------------------------------------------------------- state
    def _zero_state(self, like: Tensor, batch: int) -> State:
        layers = self.num_layers * self._directions
        return tuple(zeros((layers, batch, size), dtype=like.dtype, device=like.device)
                     for size in (self._output_size, self.hidden_size)[:2 if self.mode == "LSTM" else 1])

    def _as_state(self, hx: Any) -> State | None:
        return None if hx is None else tuple(hx) if self.mode == "LSTM" else (hx,)

    def _returned(self, state: State) -> Any:
        return state if self.mode == "LSTM" else state[0]

    def _given_state(self, hx: Any, batched: bool) -> State | None:
        if hx is None:
            return None
        rank = 3 if batched else 2
        if self.mode == "LSTM" and isinstance(hx, Tensor) and (batched or hx.ndim != 3 or len(hx) < 2):
            raise _no_pair(hx, rank)
        state = self._as_state(hx)
        if any(s.ndim != rank for s in state):
            what, got = "hx", f"{state[0].ndim}-D tensor"
            if len(state) == 2:
                what, got = "hx and cx", f"({state[0].ndim}-D, {state[1].ndim}-D) tensors"
            raise error("tensor-dims",
                        RuntimeError(f"For {'batched 3-D' if batched else 'unbatched 2-D'} input, {what} should also "
                                     f"be {rank}-D but got {got}"),
                        what="hx" if state[0].ndim != rank else "cx",
                        shape=next(s.shape for s in state if s.ndim != rank), need="{n}", n=rank,
                        fix="for a batch its shape is (layers, batch, hidden_size); h.unsqueeze(1) adds the batch."
                            if batched else
                            "without a batch its shape is (layers, hidden_size); h.squeeze(1) drops a batch of size 1.")
        return state if batched else tuple(s.unsqueeze(1) for s in state)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False),
                              ("dropout", 0), ("bidirectional", False)):
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh) over a sequence (or relu, by `nonlinearity`).

    Shape: (L, N, input_size), with `batch_first` (N, L, input_size), or (L, input_size); the state is
    (num_layers · directions, N, hidden_size).

    >>> output, h_n = kobai.nn.RNN(3, 4)(kobai.ones(5, 2, 3))
    >>> output.shape, h_n.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False,
                 device=None, dtype=None, **unknown: Any) -> None:
        if "proj_size" in unknown:
            raise error("not-possible", ValueError("proj_size argument is only supported for LSTM, not RNN or GRU"),
                        why="only nn.LSTM can make its output smaller by a projection.",
                        fix="leave proj_size out, or use nn.LSTM.")
        if nonlinearity not in ("tanh", "relu"):
            raise error("argument-choice",
                        ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."),
                        what="nonlinearity", value=nonlinearity, choices=["tanh", "relu"])
        super().__init__("RNN_" + nonlinearity.upper(), input_size, hidden_size, num_layers, bias,
                         batch_first,
                         dropout, bidirectional, device=device, dtype=dtype, **unknown)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory over a sequence; the state is a pair (h, c).

    >>> output, (h_n, c_n) = kobai.nn.LSTM(3, 4, num_layers=2, batch_first=True)(kobai.ones(2, 5, 3))
    >>> output.shape, h_n.shape
    (torch.Size([2, 5, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
                 proj_size: int = 0,
                 device=None, dtype=None) -> None:
        super().__init__("LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional,
                         proj_size, device, dtype)


class GRU(RNNBase):
    """Gated recurrent unit over a sequence.

    >>> output, h_n = kobai.nn.GRU(3, 4, bidirectional=True)(kobai.ones(5, 2, 3))
    >>> output.shape, h_n.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 2, 4]))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
                 device=None, dtype=None, **unknown: Any) -> None:
        if "proj_size" in unknown:
            raise error("not-possible", ValueError("proj_size argument is only supported for LSTM, not RNN or GRU"),
                        why="only nn.LSTM can make its output smaller by a projection.",
                        fix="leave proj_size out, or use nn.LSTM.")
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional,
                         device=device, dtype=dtype, **unknown)


# ---------------------------------------------------------------- single cells
class RNNCellBase(Module):
    """Base class of the cells: one time step, one layer."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device=None,
                 dtype=None) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        shapes = {"weight_ih": (num_chunks * hidden_size, input_size),
                  "weight_hh": (num_chunks * hidden_size, hidden_size),
                  "bias_ih": (num_chunks * hidden_size,) if bias else None,
                  "bias_hh": (num_chunks * hidden_size,) if bias else None}
        for name, shape in shapes.items():
            value = None if shape is None else Parameter(empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Everything uniform within ±1/√hidden_size."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _step(self, mode: str, input: Tensor, state: State | None, names: tuple = ("hidden",)) -> State:
        cls, batched = type(self).__name__, input.ndim == 2
        if input.ndim not in (1, 2):
            raise error("tensor-dims", ValueError(f"{cls}: Expected input to be 1D or 2D, got {input.ndim}D instead"),
                        what="input", shape=input.shape, need="{n} or {m}", n=1, m=2, layer=mode.partition("_")[0],
                        fix="a cell computes one step, from (batch, features) or (features,); nn.{layer} takes whole "
                            "sequences.")
        for s, name in zip(state or (), names):
            if s.ndim not in (1, 2):
                raise error("tensor-dims", ValueError(f"{cls}: Expected {name} to be 1D or 2D, got {s.ndim}D instead"),
                            what=name, shape=s.shape, need="{n} or {m}", n=1, m=2,
                            fix="the state of a cell has shape (batch, hidden_size) or (hidden_size,), without a "
                                "dimension for layers.")
        x = input if batched else input.unsqueeze(0)
        if state is None:
            zero = zeros((x.shape[0], self.hidden_size), dtype=x.dtype, device=x.device)
            state = (zero,) * len(names)
        elif not batched:
            state = tuple(s.unsqueeze(0) for s in state)
        self._check_sizes(x, state)
        weights = Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None)
        state = _CELLS[mode][0](F.linear(x, self.weight_ih, self.bias_ih), state, weights)
        return state if batched else tuple(s.squeeze(0) for s in state)

    def _check_sizes(self, x: Tensor, state: State) -> None:
        if x.shape[1] != self.input_size:
            raise error("dimension-size",
                        RuntimeError(f"input has inconsistent input_size: got {x.shape[1]} expected {self.input_size}"),
                        what="input", dim=-1, size=x.shape[1], features=self.input_size, name=type(self),
                        must="{features}, the input_size of {name}")
        for i, s in enumerate(state):
            if x.shape[0] != s.shape[0]:
                raise error("shapes-differ",
                            RuntimeError(f"Input batch size {x.shape[0]} doesn't match hidden{i} batch size "
                                         f"{s.shape[0]}"),
                            what="input", shape=x.shape, other=f"hidden{i}", other_shape=s.shape,
                            must="dimension 0 of both, the batch, must have the same size")
            if s.shape[1] != self.hidden_size:
                raise error("dimension-size",
                            RuntimeError(f"hidden{i} has inconsistent hidden_size: got {s.shape[1]}, expected "
                                         f"{self.hidden_size}"),
                            what=f"hidden{i}", dim=-1, size=s.shape[1], features=self.hidden_size, name=type(self),
                            must="{features}, the hidden_size of {name}")

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    >>> kobai.nn.RNNCell(3, 4)(kobai.ones(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
                 device=None, dtype=None) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        mode = "RNN_" + self.nonlinearity.upper()
        if mode not in _CELLS:
            raise error("argument-choice", RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}"),
                        what="nonlinearity", value=self.nonlinearity, choices=["tanh", "relu"])
        return self._step(mode, input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM: (h, c) → (h', c').

    >>> h, c = kobai.nn.LSTMCell(3, 4)(kobai.ones(2, 3))
    >>> h.shape, c.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device=None, dtype=None) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        if isinstance(hx, Tensor):
            raise error("argument-type", TypeError("lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor"),
                        what="hx", kind="Tensor", must="a tuple of tensors",
                        why="the state of an LSTM is a pair (h, c), and a tensor was given.",
                        fix="write h, c = cell(x, (h, c)).")
        return self._step("LSTM", input, hx, ("hx[0]", "hx[1]"))


class GRUCell(RNNCellBase):
    """One step of a GRU.

    >>> kobai.nn.GRUCell(3, 4)(kobai.ones(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device=None, dtype=None) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step("GRU", input, None if hx is None else (hx,))[0]
