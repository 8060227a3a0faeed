"""`tf.GradientTape`: gradients of what was computed while it was recording.

>>> import kobai.compat.tensorflow as tf
>>> x = tf.Variable(3.0)
>>> with tf.GradientTape() as tape:
...     y = x * x
>>> print(tape.gradient(y, x))
tf.Tensor(6.0, shape=(), dtype=float32)
"""
from __future__ import annotations

import enum
from contextlib import contextmanager

import numpy as np

from ... import func
from ...autograd.engine import propagate
from ...autograd.mode import enable_grad
from ...autograd.node import Port
from ...diagnose import error
from ...op import m
from ...saved import tensor_of
from ...tensor import LiftedTensor, edge_of, wrap
from . import dtypes, nest
from .errors import invalid
from .names import export
from .notices import log
from .recording import Record, begin, end, state, value
from .slices import IndexedSlices, gathers_of, slices_of
from .tensors import EagerTensor, box
from .values import is_tensor_like, value_of
from .variables import watch

_ONCE = "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"


@export("UnconnectedGradients")
class UnconnectedGradients(enum.Enum):
    """What the gradient by something that the target does not depend on is: None, or zeros."""

    NONE = "none"
    ZERO = "zero"

    @classmethod
    def _missing_(cls, value):
        raise error("argument-choice", ValueError(f"Unknown value for unconnected_gradients: {value!r}"),
                    what="unconnected_gradients", value=value, choices=["none", "zero"])


@export("GradientTape", "autodiff.GradientTape")
class GradientTape:
    """Records operations inside `with GradientTape() as tape:` and differentiates what they computed.

    Trainable variables are watched when they are read; other tensors after `tape.watch(x)`. One gradient
    can be asked for, any number with `persistent=True`. Tapes nest: what an inner one computes as a
    gradient is recorded by the outer one, so there are derivatives of any order.
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self._persistent, self._automatic = persistent, watch_accessed_variables
        self._record, self._recording, self._seen = None, False, ()

    # ---- recording -----------------------------------------------------------------------
    def __enter__(self):
        self._push()
        return self

    def __exit__(self, *exc):
        if self._recording:
            self._pop()

    def _push(self):
        if self._recording:
            raise error("call-order", ValueError(
                "Tape is still recording, This can happen if you try to re-enter an already-active tape."),
                why="the block of this tape is open already.",
                fix="make a second tape for the inner block: derivatives of derivatives need two.")
        if self._record is None:
            self._record = Record() if self._automatic else _OnlyWatched()
        begin(self._record)
        self._recording = True

    def _pop(self):
        if not self._recording:
            raise error("call-order", ValueError("Tape is not recording."),
                        why="the block of this tape is closed already.",
                        fix="go on inside of `with tf.GradientTape() as tape:`.")
        end(self._record)
        self._recording = False

    def watch(self, tensor):
        """Record what is computed from a tensor or variable (or all in a nested structure) from now on."""
        for t in nest.flatten(tensor):
            if not is_tensor_like(t):
                raise error("argument-type", ValueError(
                    f"Passed in object {t} of type {type(t).__name__!r}, not tf.Tensor or tf.Variable or "
                    "ExtensionType."),
                    what="tensor", kind=type(t), must="a tensor or a variable")
            if not dtypes.is_differentiable(_kobai_tensor(t)._value.dtype):
                log.warning("The dtype of the watched tensor must be floating (e.g. tf.float32), got %r", t.dtype)
            elif self._record is None:
                raise error("call-order", AttributeError("'NoneType' object has no attribute 'watch'"),
                            why="the tape has not recorded anything yet.",
                            fix="call watch inside of `with tf.GradientTape() as tape:`.")
            elif isinstance(t, EagerTensor):
                self._record.watch(t._t)
            else:
                dict.pop(self._record.variables, t._number, None)
                watch(self._record, t)

    @contextmanager
    def stop_recording(self):
        """Do not record what is computed inside `with tape.stop_recording():`."""
        if not self._recording:
            raise error("call-order", RuntimeError("Trying to stop recording a tape which is not recording."),
                        why="the tape is not recording here.",
                        fix="write `with tape.stop_recording():` inside of the tape's block.")
        self._pop()
        try:
            yield
        finally:
            self._push()

    def reset(self):
        """Forget everything recorded so far."""
        self._pop()
        self._record = None
        self._push()

    def watched_variables(self):
        """The variables that were read so far, in the order of their creation."""
        seen = self._record.variables.values() if self._record is not None else self._seen
        return tuple(sorted(seen, key=lambda v: v._number))

    # ---- gradients -----------------------------------------------------------------------
    def gradient(self, target, sources, output_gradients=None, unconnected_gradients=UnconnectedGradients.NONE):
        """The gradients of `target` (the sum of all its elements; of several, of their sum) by `sources`.

        Args: `sources`, a tensor or variable, or lists and dicts of them: the result has the same form;
        `output_gradients`, the weights of the elements of the target; `unconnected_gradients`, "none" or
        "zero": what stands for sources that the target does not depend on.

        Raises: RuntimeError when the tape is not persistent and was used before.
        """
        record = self._use(target)
        if target is None:
            raise error("argument-type",
                        TypeError("Argument `target` should be a list or nested structure of Tensors, Variables or "
                                  "CompositeTensors to be differentiated, but received None."),
                        what="target", kind=type(None), must="a tensor",
                        fix="look at the function that computes it: is a `return` missing?")
        targets, flat = nest.flatten(target), nest.flatten(sources)
        weights = [None] * len(targets) if output_gradients is None else [
            None if w is None else value_of(w) for w in nest.flatten(output_gradients)]
        grads = _gradients(record, targets, flat, weights, not (self._persistent or record.shared), True)
        return nest.pack_sequence_as(sources, _finished(grads, flat, unconnected_gradients))

    def jacobian(self, target, sources, unconnected_gradients=UnconnectedGradients.NONE, parallel_iterations=None,
                 experimental_use_pfor=True):
        """The derivative of each element of `target` by each element of the sources: shape target's + source's."""
        record = self._use(target)
        flat, t = nest.flatten(sources), value_of(target) if not isinstance(target, EagerTensor) else target._t
        shape = t._value.shape
        n = int(np.prod(shape, dtype=np.int64))
        seeds = wrap(np.eye(n, dtype=t._value.dtype).reshape(n, *shape))
        rows = _by_rows(record, target, flat, seeds)
        rows = [None if r is None else m.reshape(r, (*shape, *r.shape[1:])) for r in rows]
        return nest.pack_sequence_as(sources, _finished(rows, flat, unconnected_gradients, shape))

    def batch_jacobian(self, target, source, unconnected_gradients=UnconnectedGradients.NONE,
                       parallel_iterations=None, experimental_use_pfor=True):
        """The Jacobian of each row of `target` by the same row of `source`: shape [rows, target's, source's]."""
        shape, by = target.shape, source.shape
        for s in (shape, by):
            s.with_rank_at_least(2)
        if shape[0] != by[0]:
            raise error("shapes-differ",
                        ValueError(f"Need first dimension of target shape ({shape}) and source shape ({by}) to match."),
                        what="target", shape=tuple(shape), other="source", other_shape=tuple(by),
                        must="both must have the same first size, the batch")
        record = self._use(target)
        n = int(np.prod(tuple(shape)[1:], dtype=np.int64))
        seeds = np.broadcast_to(np.eye(n, dtype=target._t._value.dtype)[:, None], (n, shape[0], n))
        row, = _by_rows(record, target, [source], wrap(np.array(seeds).reshape(n, *shape)))
        if row is not None:
            row = m.reshape(m.movedim(row, 0, 1), (*shape, *tuple(by)[1:]))
        return _finished([row], [source], unconnected_gradients, tuple(shape))[0]

    def _use(self, target):
        """The record, for one more gradient; a tape that is not persistent is spent then."""
        record = self._record
        if record is None:
            raise error("call-order", RuntimeError(_ONCE),
                        why="this tape has computed its gradient already.",
                        fix="ask for all at once: tape.gradient(y, [a, b]); or write "
                            "tf.GradientTape(persistent=True).")
        if self._recording:
            if not self._persistent:
                self._pop()
            else:
                _warn_inside()
        if not self._persistent and target is not None:
            self._seen, self._record = tuple(record.variables.values()), None
        return record


GradientTape.__module__ = "tensorflow.python.eager.backprop"


class _OnlyWatched(Record):
    """The record of a tape that does not watch variables by itself: it says that it has them all."""

    def __init__(self):
        super().__init__()
        self.variables = _Everything()


class _Everything(dict):
    def __contains__(self, key):
        return True


def _warn_inside():
    if not _warned:
        _warned.append(True)
        log.warning("Calling GradientTape.gradient on a persistent tape inside its context is significantly less "
                    "efficient than calling it outside the context (it causes the gradient ops to be recorded on the "
                    "tape, leading to increased CPU and memory usage). Only call GradientTape.gradient inside the "
                    "context if you actually want to trace the gradient in order to compute higher order "
                    "derivatives.")


_warned: list = []


def _kobai_tensor(x):
    """The kobai Tensor that stands for a tensor or variable in the graph, without reading it."""
    if isinstance(x, EagerTensor):
        return x._t
    leaf = getattr(x, "_leaf", None)
    if leaf is None:
        if x is None or isinstance(x, str):
            raise error("argument-type",
                        TypeError(f"Cannot convert the argument `type_value`: {x!r} to a TensorFlow DType."),
                        what="a source of the gradient", kind=type(x), must="a tensor or a variable")
        raise error("argument-type", AttributeError(f"{type(x).__name__!r} object has no attribute 'dtype'"),
                    what="a source of the gradient", kind=type(x), must="a tensor or a variable")
    return leaf if x._dual is None else x._dual


def _gradients(record, targets, sources, weights, free, sparse=False):
    """The gradient by each source as a kobai Tensor (or IndexedSlices, if `sparse` is allowed), or None."""
    sources_t = [_kobai_tensor(s) for s in sources]
    pairs = [(_kobai_tensor(t), w) for t, w in zip(targets, weights) if _is_tensor(t)]
    pairs = [(t, w) for t, w in pairs if t._rg]
    mine = record.nodes([t for t, _ in pairs])
    graph = bool(state.active) or any(isinstance(t, LiftedTensor) for t, _ in pairs)
    pairs = [(t, w) for t, w in pairs if _node(t) in mine or _node(t) in record.watched]
    wanted = {_node(s): s for s in sources_t if edge_of(s) is not None and (
        _node(s) in mine or _node(s) in record.watched)}
    found, gathers = {}, {}
    if pairs and wanted:
        with enable_grad():
            roots = [(edge_of(t), _seed(t, w, graph)) for t, w in pairs]
            gathers = gathers_of(wanted, [e for e, _ in roots], mine) if sparse else {}
            wanted = {e for e in wanted if e not in gathers}.union(*gathers.values())
            found = propagate(roots, keep=not free, graph=graph, wanted=wanted, within=mine)
    grads = [slices_of(found, gathers[_node(s)], s._value.shape) if gathers and _node(s) in gathers else
             _found(found, edge_of(s)) for s in sources_t]
    return [_alone(s, targets, weights) if g is None else g for g, s in zip(grads, sources)]


def _is_tensor(t):
    if not is_tensor_like(t):
        raise error("argument-type", AttributeError(f"{_full_name(type(t))!r} object has no attribute '_id'"),
                    what="the target of the gradient", kind=type(t),
                    why="the target is of type {kind}: it left the graph (.numpy(), float() or NumPy did that).",
                    fix="compute it with tf functions, inside of the tape's block.")
    return True


def _full_name(cls):
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def _node(t):
    edge = edge_of(t)
    return edge.node if type(edge) is Port else edge


def _seed(t, weight, graph):
    v = t._value
    if weight is None:
        if isinstance(t, LiftedTensor):
            return m.zeros_like(t.detach()) + 1
        g = v.dtype.type(1) if not v.shape else np.ones(v.shape, v.dtype)
        return wrap(g) if graph else g
    if weight._value.shape != v.shape:
        raise error("shapes-differ",
                    invalid("Mul", f"Incompatible shapes: {_listed(weight._value.shape)} vs. {_listed(v.shape)}"),
                    what="output_gradients", shape=tuple(weight._value.shape), other="target",
                    other_shape=tuple(v.shape), must="both must have the same shape")
    return weight if graph else weight._value


def _listed(shape):
    return "[" + ",".join(map(str, shape)) + "]"


def _found(found, edge):
    if edge is None:
        return None
    g = found.get(edge.node if type(edge) is Port else edge)
    if type(edge) is Port and g is not None:
        g = g[edge.number]
    g = tensor_of(g)
    if g is not None and type(g) is not LiftedTensor and type(g._data) is np.ndarray and not g._data.flags.writeable:
        g = wrap(np.array(g._data)) if not g._rg else g
    return g


def _alone(source, targets, weights):
    """A source that is itself a target, and was not recorded, has the gradient one."""
    for t, w in zip(targets, weights):
        if t is source and dtypes.is_differentiable(_kobai_tensor(t)._value.dtype):
            return wrap(_seed(_kobai_tensor(t), None, False)) if w is None else w
    return None


def _by_rows(record, target, sources, seeds):
    """For each source the gradients with each of `seeds` as weights, stacked in front; or None."""
    known = _gradients(record, [target], sources, [None], False)
    there = [s for s, g in zip(sources, known) if g is not None]
    if not there:
        return known

    def one(seed):
        return tuple(_gradients(record, [target], there, [seed], False))
    rows = iter(func.vmap(one)(seeds))
    return [None if g is None else next(rows) for g in known]


def _finished(grads, sources, unconnected, lead=()):
    if UnconnectedGradients(unconnected) is UnconnectedGradients.ZERO:
        grads = [wrap(_zeros(s, lead)) if g is None else g for g, s in zip(grads, sources)]
    return [g if g is None or isinstance(g, IndexedSlices) else box(g) for g in grads]


def _zeros(source, lead):
    v = value(_kobai_tensor(source))
    return np.zeros((*lead, *v.shape), v.dtype)[()]
