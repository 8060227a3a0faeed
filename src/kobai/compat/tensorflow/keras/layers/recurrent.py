"""Recurrent layers: a cell that is called step by step along a sequence."""
from __future__ import annotations

import numpy as np

from .....diagnose import error
from .....op import m
from .....tensor import wrap
from ... import creation, shaping
from ...tensors import box
from ...values import value_of
from .. import activations, constraints, initializers, regularizers, seeds
from ..layer import Layer
from ..naming import snake_case
from ..spec import InputSpec


class _Cell(Layer):
    """One step: weights for `gates` gates, of which inputs and states give the sums."""

    gates = 1
    states = 1

    def __init__(self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
                 recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
                 bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs):
        if units <= 0:
            raise error("argument-value",
                        ValueError("Received an invalid value for argument `units`, expected a positive integer, got "
                                   f"{units}."),
                        what="units", value=units, must="a positive whole number")
        super().__init__(**kwargs)
        self.units, self.use_bias, self.seed = units, use_bias, seed
        if self.gates == 1:  # the order in which seeds are drawn is Keras's
            self.seed_generator = seeds.SeedGenerator(seed)
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        if self.gates > 1:
            self.seed_generator = seeds.SeedGenerator(seed)

    state_size = property(lambda self: [self.units] * self.states)
    output_size = property(lambda self: self.units)

    def build(self, input_shape):
        width = self.units * self.gates
        self.kernel = self.add_weight((input_shape[-1], width), self.kernel_initializer, name="kernel",
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, name="recurrent_kernel",
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint)
        self.bias = self.add_weight(self._bias_shape(width), self._first_bias(), name="bias",
                                    regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None
        self.built = True

    def _bias_shape(self, width):
        return (width,)

    def _first_bias(self):
        return self.bias_initializer

    def call(self, inputs, states, training=False):
        states = states if isinstance(states, (list, tuple)) else [states]
        x = self.masks(inputs, states[0], training)[0](value_of(inputs))
        out = self.step(self.project(x), [value_of(s) for s in states])
        return box(out[0]), [box(s) for s in out[1:]]

    def get_initial_state(self, batch_size=None):
        """Zeros for each state."""
        return [creation.zeros((batch_size, n), self._dtype) for n in self.state_size]

    def project(self, x):
        """What the inputs give to the gates, for one step or all at once."""
        y = self._to_gates(x, self.kernel._read())
        return y + self._input_bias() if self.use_bias else y

    def _to_gates(self, x, w):
        """x @ w; of a list, each gate's columns with an x of its own."""
        if not isinstance(x, list):
            return m.matmul(x, w)
        n = self.units
        return m.cat([m.matmul(v, m.narrow(w, -1, i * n, n)) for i, v in enumerate(x)], -1)

    def _input_bias(self):
        return self.bias._read()

    def masks(self, inputs, state, training):
        """Functions that drop some inputs, and some states: the same ones in all steps.

        If states are dropped, each gate has masks of its own.
        """
        found, own = [], self.recurrent_dropout > 0 and self.gates > 1
        for rate, like in ((self.dropout, inputs), (self.recurrent_dropout, state)):
            masks = []
            if training and rate > 0:
                ones = creation.ones((like.shape[0], like.shape[-1]), self._dtype)
                masks = [value_of(seeds.dropout(ones, rate, seed=self.seed_generator))
                         for _ in range(self.gates if own else 1)]
            found.append(_dropping(masks, own))
        return found

    def step(self, x, states, drop=lambda t: t):
        """(output, *new states) from the projected inputs of one step and the states."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape, *args):
        return (input_shape[0], self.units)

    def _split(self, t):
        return [m.narrow(t, -1, i * self.units, self.units) for i in range(self.gates)]


def _dropping(masks, own):
    """A function that applies one mask, or each of several."""
    def drop(t):
        found = [t * (m.unsqueeze(k, 1) if t.ndim == 3 else k) for k in masks]
        return t if not masks else found if own else found[0]
    return drop


def _act(fn, t):
    return value_of(fn(box(t)))


class SimpleRNNCell(_Cell):
    """activation(x @ kernel + h @ recurrent_kernel + bias)."""

    def step(self, x, states, drop=lambda t: t):
        h = _act(self.activation, x + self._to_gates(drop(states[0]), self.recurrent_kernel._read()))
        return h, h


class LSTMCell(_Cell):
    """Gates i, f, c, o decide what a memory takes up, forgets and shows."""

    gates, states = 4, 2

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 unit_forget_bias=True, **kwargs):
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    def _first_bias(self):
        if not self.unit_forget_bias:
            return self.bias_initializer
        n = self.units

        def first(shape, dtype=None):
            parts = [self.bias_initializer((n,), dtype=dtype), initializers.Ones()((n,), dtype=dtype),
                     self.bias_initializer((2 * n,), dtype=dtype)]
            return shaping.concat(parts, 0)
        return first

    def step(self, x, states, drop=lambda t: t):
        h, c = states
        i, f, g, o = self._split(x + self._to_gates(drop(h), self.recurrent_kernel._read()))
        i, f, o = [_act(self.recurrent_activation, v) for v in (i, f, o)]
        c = f * c + i * _act(self.activation, g)
        h = o * _act(self.activation, c)
        return h, h, c


class GRUCell(_Cell):
    """Gates z, r decide how much of the state stays, and what it gives to the next."""

    gates = 3

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, reset_after=True,
                 **kwargs):
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation, self.reset_after = activations.get(recurrent_activation), reset_after

    def _bias_shape(self, width):
        return (2, width) if self.reset_after else (width,)

    def _input_bias(self):
        b = self.bias._read()
        return m.select(b, 0, 0) if self.reset_after else b

    def step(self, x, states, drop=lambda t: t):
        h, w = states[0], self.recurrent_kernel._read()
        xz, xr, xh = self._split(x)
        if self.reset_after:
            inner = self._to_gates(drop(h), w)
            if self.use_bias:
                inner = inner + m.select(self.bias._read(), 0, 1)
            hz, hr, hh = self._split(inner)
            z, r = [_act(self.recurrent_activation, v) for v in (xz + hz, xr + hr)]
            new = _act(self.activation, xh + r * hh)
        else:
            n = self.units
            hz, hr, _ = self._split(self._to_gates(drop(h), w))
            z, r = [_act(self.recurrent_activation, v) for v in (xz + hz, xr + hr)]
            last = drop(h)
            last = last[2] if isinstance(last, list) else last
            new = _act(self.activation, xh + m.matmul(r * last, m.narrow(w, -1, 2 * n, n)))
        h = z * h + (1 - z) * new
        return h, h


class StackedRNNCells(Layer):
    """Cells on top of each other as one cell."""

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        self.cells = list(cells)

    state_size = property(lambda self: [c.state_size for c in self.cells])
    output_size = property(lambda self: self.cells[-1].output_size)

    def get_initial_state(self, batch_size=None):
        """The first states of all cells."""
        return [c.get_initial_state(batch_size) for c in self.cells]

    def call(self, inputs, states, training=False):
        new = []
        for cell, state in zip(self.cells, states):
            inputs, state = cell(inputs, state, training=training)
            new.append(state)
        return inputs, new


class RNN(Layer):
    """A cell along a sequence [batch, steps, features].

    Args: `return_sequences`, give the outputs of all steps, not only of the last; `return_state`, give the
    last states too; `go_backwards`, begin with the last step; `stateful`, go on from the states of the last call.
    """

    def __init__(self, cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False,
                 unroll=False, zero_output_for_mask=False, **kwargs):
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        super().__init__(**kwargs)
        self.cell, self.return_sequences, self.return_state = cell, return_sequences, return_state
        self.go_backwards, self.stateful, self.supports_masking = go_backwards, stateful, True
        self.input_spec = InputSpec(ndim=3)
        self._kept = None

    def build(self, sequences_shape, initial_state_shape=None):
        if not self.cell.built and isinstance(self.cell, _Cell):
            self.cell.build((sequences_shape[0], sequences_shape[2]))
            self.cell.built = True
        self.built = True

    def call(self, sequences, initial_state=None, mask=None, training=False):
        state = self._kept if initial_state is None and self.stateful else initial_state
        if state is None:
            state = self._first_state(sequences)
        state = list(state) if isinstance(state, (list, tuple)) else [state]
        run = self._run_gates if isinstance(self.cell, _Cell) else self._run_any
        outputs, last, state = run(sequences, state, mask, training)
        if self.stateful:
            self._kept = state
        result = shaping.stack(outputs, 1) if self.return_sequences else last
        return (result, *state) if self.return_state else result

    def _first_state(self, sequences):
        """The cell's own first state, or zeros of its `state_size`."""
        if hasattr(self.cell, "get_initial_state"):
            return self.cell.get_initial_state(batch_size=sequences.shape[0])
        sizes = self.cell.state_size
        sizes = sizes if isinstance(sizes, (list, tuple)) else [sizes]
        return [creation.zeros((sequences.shape[0], *([n] if isinstance(n, int) else n)), dtype=self.compute_dtype) for n in sizes]

    def _steps(self, n):
        return range(n - 1, -1, -1) if self.go_backwards else range(n)

    def _run_gates(self, sequences, state, mask, training):
        """The inputs of all steps are projected at once."""
        cell, x = self.cell, value_of(sequences)
        drop_in, drop_state = cell.masks(sequences, state[0], training)
        projected = cell.project(drop_in(x))
        states, outputs, last = [value_of(s) for s in state], [], None
        there = None if mask is None else np.asarray(value_of(mask)._value)
        for k in self._steps(x._value.shape[1]):
            y, *new = cell.step(m.select(projected, 1, k), states, drop_state)
            if there is not None:
                here = wrap(there[:, k, None])
                y = m.where(here, y, m.zeros_like(y) if last is None else last)
                new = [m.where(here, a, b) for a, b in zip(new, states)]
            states, last = new, y
            outputs.append(box(y))
        return outputs, box(last), [box(s) for s in states]

    def _run_any(self, sequences, state, mask, training):
        """A cell of the program's own, step by step."""
        outputs, last = [], None
        takes_training = "training" in type(self.cell).call.__code__.co_varnames
        for k in self._steps(sequences.shape[1]):
            extra = {"training": training} if takes_training else {}
            last, state = self.cell(sequences[:, k], state, **extra)
            state = list(state) if isinstance(state, (list, tuple)) else [state]
            outputs.append(last)
        return outputs, last, state

    def reset_state(self, states=None):
        """Begin with zeros again."""
        self._kept = states

    reset_states = reset_state

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        n = self.cell.output_size
        out = (sequences_shape[0], sequences_shape[1], n) if self.return_sequences else (sequences_shape[0], n)
        if not self.return_state:
            return out
        return (out, *[(sequences_shape[0], k) for k in self.cell.state_size])

    def compute_mask(self, _, mask):
        return mask if self.return_sequences else None


_OF_RNN = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask", "name",
           "dtype", "trainable", "activity_regularizer", "input_shape", "input_dim", "batch_input_shape", "batch_shape")


def _layer_of(cls, name, doc):
    """The layer that runs one kind of cell, with the arguments of both."""
    class Recurrent(RNN):
        def __init__(self, units, *args, **kwargs):
            own = {k: kwargs.pop(k) for k in _OF_RNN if k in kwargs}
            for unused in ("use_cudnn", "implementation"):
                kwargs.pop(unused, None)
            super().__init__(cls(units, *args, name=f"{snake_case(name)}_cell", **kwargs), **own)

        def __getattr__(self, attribute):
            if attribute != "cell" and "cell" in self.__dict__ and hasattr(self.__dict__["cell"], attribute):
                return getattr(self.__dict__["cell"], attribute)
            return super().__getattr__(attribute)
    Recurrent.__name__ = Recurrent.__qualname__ = name
    Recurrent.__doc__, Recurrent.__module__ = doc, __name__
    return Recurrent


SimpleRNN = _layer_of(SimpleRNNCell, "SimpleRNN", "The simplest recurrent layer.")
LSTM = _layer_of(LSTMCell, "LSTM", "Long short-term memory.")
GRU = _layer_of(GRUCell, "GRU", "Gated recurrent units.")


class Bidirectional(Layer):
    """A recurrent layer forwards, and another backwards, brought together."""

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        if merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise error("argument-choice",
                        ValueError(f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of "
                                   '{"sum", "mul", "ave", "concat", None}'),
                        what="merge_mode", value=merge_mode, choices=["sum", "mul", "ave", "concat", None])
        super().__init__(**kwargs)
        args, given = layer._made_with
        self.forward_layer = type(layer)(*args, **{**given, "name": "forward_" + layer.name})
        self.backward_layer = backward_layer or type(layer)(
            *args, **{**given, "go_backwards": True, "name": "backward_" + layer.name})
        self.merge_mode, self.return_sequences = merge_mode, layer.return_sequences
        self.return_state, self.supports_masking = layer.return_state, True
        self.input_spec = layer.input_spec

    def build(self, sequences_shape, initial_state_shape=None):
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        self.built = True

    def call(self, sequences, initial_state=None, mask=None, training=None):
        half = None if initial_state is None else len(initial_state) // 2
        parts = (None, None) if half is None else (initial_state[:half], initial_state[half:])
        found = [layer(sequences, initial_state=state, mask=mask, training=training)
                 for layer, state in zip((self.forward_layer, self.backward_layer), parts)]
        states = []
        if self.return_state:
            states = [s for f in found for s in f[1:]]
            found = [f[0] for f in found]
        a, b = found
        if self.return_sequences:
            b = shaping.reverse(b, [1])
        merged = {"concat": lambda: shaping.concat([a, b], -1), "sum": lambda: a + b, "mul": lambda: a * b,
                  "ave": lambda: (a + b) / 2.0, None: lambda: (a, b)}[self.merge_mode]()
        if self.return_state:
            return (*(merged if self.merge_mode is None else (merged,)), *states)
        return merged

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        out = self.forward_layer.compute_output_shape(sequences_shape)
        out, states = (out[0], list(out[1:])) if self.return_state else (out, [])
        if self.merge_mode == "concat":
            out = (*out[:-1], out[-1] * 2)
        result = [out, out] if self.merge_mode is None else [out]
        result += states * 2
        return tuple(result) if len(result) > 1 else out

    def compute_mask(self, _, mask):
        return mask if self.return_sequences else None


