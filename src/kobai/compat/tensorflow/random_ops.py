"""`tf.random`: with the same seeds the numbers that TensorFlow draws on a CPU.

Not TensorFlow's numbers: gamma and poisson, and `categorical` of so many rows that TensorFlow shares them
out among threads. Without a seed each process draws others.
"""
from __future__ import annotations

import os
import random as _python_random
from itertools import count

import numpy as np

from ...diagnose import error
from ...op import m
from ...tensor import wrap
from . import dtypes, philox
from .errors import invalid
from .names import export
from .philox import Philox
from .shapes import sizes_of
from .tensors import box
from .values import array_of, value_of
from .variables import Variable

_MAX = 2 ** 31 - 1
_GRAPH_SEED = 87654321  # for operations with a seed of their own, when there is no global one
_RESERVED = 256         # blocks that TensorFlow sets aside for each number


class _Global:
    """The global seed, the seeds it gives to operations, and how far each seeded operation has come."""

    seed = None
    draws = None
    streams: dict = {}
    function = None         # (streams, count of operations so far) inside a function


_state = _Global()


@export("random.set_seed")
def set_seed(seed):
    """Start again: the same operations draw the same numbers as after any other `set_seed(seed)`."""
    _state.seed = int(seed)
    _state.draws = _python_random.Random(_state.seed)
    _state.streams = {}


class function_seeds:
    """Inside a function of TensorFlow's, operations are numbered from 0, and these are their seeds.

    `streams` is what the function keeps from call to call: how far its operations have come.
    """

    def __init__(self, streams):
        self._streams = streams

    def __enter__(self):
        self._before = _state.function
        _state.function = self._streams, count()

    def __exit__(self, *exc):
        _state.function = self._before


def has_seed(op_seed):
    """Whether an operation with this seed always draws the same numbers."""
    return _state.seed is not None or op_seed is not None


def operation_seeds(op_seed):
    """The two seeds of an operation, as TensorFlow derives them in eager execution."""
    if _state.seed is not None:
        if op_seed is None:
            op_seed = _state.draws.randint(0, _MAX) if _state.function is None else next(_state.function[1])
        seeds = _state.seed % _MAX, int(op_seed) % _MAX
    elif op_seed is not None:
        seeds = _GRAPH_SEED, int(op_seed) % _MAX
    else:
        fresh = int.from_bytes(os.urandom(16), "little")
        return fresh % 2 ** 64, fresh >> 64
    return (0, _MAX) if seeds == (0, 0) else seeds


def _stream(op, dtype, seed, number, reserved=_RESERVED):
    """The place from which an operation draws that many numbers; the next one with the same seeds draws behind them."""
    seeds = operation_seeds(seed)
    streams = _state.streams if _state.function is None else _state.function[0]
    key = (op, dtype, *seeds)
    stream = streams.get(key)
    if stream is None:
        stream = streams[key] = philox.seeded(*seeds)
    return stream.skip(number * reserved)


def _shaped(values, shape):
    return values.reshape(shape) if shape else values.reshape(-1)[0]


def _count(shape):
    return int(np.prod(shape, dtype=np.int64))


def _scaled(values, shape, factor, offset):
    """values * factor + offset, as tensors."""
    t = wrap(_shaped(values, shape))
    d = dtypes.of(t._value.dtype)
    if not (isinstance(factor, (int, float)) and factor == 1):
        t = t * value_of(factor, hint=d)
    if not (isinstance(offset, (int, float)) and offset == 0):
        t = t + value_of(offset, hint=d)
    return box(t)


def _limits(minval, maxval, d):
    if maxval is None:
        if d.is_integer:
            raise error("argument-missing", ValueError("Must specify maxval for integer dtype " + repr(d)),
                        fn="random.uniform", what="maxval", must="a whole number")
        maxval = 1
    return minval, maxval


# ---- with a global state ---------------------------------------------------------------------
@export("random.uniform")
def uniform(shape, minval=0, maxval=None, dtype=dtypes.float32, seed=None, name=None):
    """Numbers in [minval, maxval), all equally likely; maxval is 1 for floats if not given."""
    d, shape = dtypes.as_dtype(dtype), sizes_of(shape)
    low, high = _limits(minval, maxval, d)
    n = _count(shape)
    if d.is_integer:
        low, high = _integer_limits(low, high, "RandomUniformInt")
        return box(wrap(_shaped(philox.integers(_stream("int", d, seed, n), n, low, high, d.np), shape)))
    values = philox.uniform(_stream("uniform", d, seed, n), n, d.np)
    return _scaled(values, shape, _difference(high, low, d), low)


def _difference(high, low, d):
    if isinstance(high, (int, float)) and isinstance(low, (int, float)):
        return 1 if (low, high) == (0, 1) else float(d.np.type(high) - d.np.type(low))
    return box(value_of(high, hint=d) - value_of(low, hint=d))


def _integer_limits(low, high, op):
    low, high = [int(np.asarray(value_of(v)._value)) for v in (low, high)]
    if low >= high:
        raise error("argument-value", invalid(op, f"Need minval < maxval, got {low} >= {high}"),
                    what="maxval", value=high, must="a number above {low}", low=low)
    return low, high


@export("random.normal")
def normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Numbers of a normal distribution.

    >>> import kobai.compat.tensorflow as tf
    >>> tf.random.set_seed(42)
    >>> print(tf.random.normal([3]))
    tf.Tensor([ 0.3274685 -0.8426258  0.3194337], shape=(3,), dtype=float32)
    """
    d, shape = dtypes.as_dtype(dtype), sizes_of(shape)
    n = _count(shape)
    return _scaled(philox.normal(_stream("normal", d, seed, n), n, d.np), shape, stddev, mean)


@export("random.truncated_normal")
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Numbers of a normal distribution, none further than two standard deviations from the mean."""
    d, shape = dtypes.as_dtype(dtype), sizes_of(shape)
    n = _count(shape)
    return _scaled(philox.truncated_normal(_stream("truncated", d, seed, n), n, d.np), shape, stddev, mean)


@export("random.shuffle")
def shuffle(value, seed=None, name=None):
    """The slices along the first dimension in random order."""
    t = value_of(value)
    n = t._value.shape[0] if t.ndim else 1
    if n <= 1:
        return box(m.identity(t))
    order = philox.permutation(_stream("shuffle", dtypes.of(t._value.dtype), seed, -(-n // 4), 1), n)
    if t._value.dtype.kind == "O":
        return box(wrap(t._value[order]))
    return box(m.index_select(t.detach(), 0, wrap(order)))


@export("random.categorical")
def categorical(logits, num_samples, dtype=None, seed=None, name=None):
    """For each row of logits (unnormalised logarithms of probabilities), that many classes."""
    rows, n = np.asarray(value_of(logits)._value), int(num_samples)
    if rows.ndim != 2:
        raise error("tensor-dims", invalid("Multinomial", f"logits should be a matrix, got shape {list(rows.shape)}"),
                    what="logits", shape=tuple(rows.shape), need="{n}", n=2,
                    fix="tf.expand_dims(logits, 0) makes one row of a vector.")
    d = dtypes.int64 if dtype is None else dtypes.as_dtype(dtype)
    stream = _stream("categorical", d, seed, len(rows) * (-(-n // 4) * 4) * 2)
    return box(wrap(philox.categorical(stream, rows, n).astype(d.np)))


def _numpy_generator(op, seed):
    words = _stream(op, None, seed, 1).words(4)
    return np.random.default_rng(words)


@export("random.gamma")
def gamma(shape, alpha, beta=None, dtype=dtypes.float32, seed=None, name=None):
    """Numbers of gamma distributions (not TensorFlow's numbers)."""
    d, a = dtypes.as_dtype(dtype), np.asarray(value_of(alpha)._value)
    b = np.asarray(1.0 if beta is None else value_of(beta)._value)
    drawn = _numpy_generator("gamma", seed).standard_gamma(a, (*sizes_of(shape), *np.broadcast(a, b).shape))
    return box(wrap((drawn / b).astype(d.np)))


@export("random.poisson")
def poisson(shape, lam, dtype=dtypes.float32, seed=None, name=None):
    """Numbers of Poisson distributions (not TensorFlow's numbers)."""
    d, rate = dtypes.as_dtype(dtype), np.asarray(value_of(lam)._value)
    return box(wrap(_numpy_generator("poisson", seed).poisson(rate, (*sizes_of(shape), *rate.shape)).astype(d.np)))


# ---- stateless -------------------------------------------------------------------------------
def _stateless(seed):
    a, b = np.asarray(value_of(seed)._value).astype(np.int64).tolist()
    return philox.stateless(a, b)


@export("random.stateless_uniform")
def stateless_uniform(shape, seed, minval=0, maxval=None, dtype=dtypes.float32, name=None, alg="auto_select"):
    """As `uniform`; the same two seeds always give the same numbers."""
    return uniform_from(_stateless(seed), shape, minval, maxval, dtypes.as_dtype(dtype))


def uniform_from(stream, shape, minval, maxval, d):
    """Uniform numbers from a given place of a stream."""
    shape = sizes_of(shape)
    n = _count(shape)
    if d.is_integer and minval is None and maxval is None:
        return box(wrap(_shaped(philox.bits(stream, n, d.np), shape)))
    low, high = _limits(minval, maxval, d)
    if d.is_integer:
        low, high = _integer_limits(low, high, "StatelessRandomUniformIntV2")
        return box(wrap(_shaped(philox.integers(stream, n, low, high, d.np), shape)))
    return _scaled(philox.uniform(stream, n, d.np), shape, _difference(high, low, d), low)


@export("random.stateless_normal")
def stateless_normal(shape, seed, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None, alg="auto_select"):
    """As `normal`; the same two seeds always give the same numbers."""
    d, shape = dtypes.as_dtype(dtype), sizes_of(shape)
    return _scaled(philox.normal(_stateless(seed), _count(shape), d.np), shape, stddev, mean)


@export("random.stateless_truncated_normal")
def stateless_truncated_normal(shape, seed, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None, alg="auto_select"):
    """As `truncated_normal`; the same two seeds always give the same numbers."""
    d, shape = dtypes.as_dtype(dtype), sizes_of(shape)
    return _scaled(philox.truncated_normal(_stateless(seed), _count(shape), d.np), shape, stddev, mean)


@export("random.stateless_categorical")
def stateless_categorical(logits, num_samples, seed, dtype=dtypes.int64, name=None):
    """As `categorical`; the same two seeds always give the same classes."""
    rows = np.asarray(value_of(logits)._value)
    found = philox.categorical(_stateless(seed), rows, int(num_samples))
    return box(wrap(found.astype(dtypes.as_dtype(dtype).np)))


@export("random.split", "random.experimental.stateless_split")
def split(seed, num=2, alg="auto_select"):
    """More seeds from one: [num, 2]."""
    d = dtypes.of(value_of(seed)._value.dtype)
    return stateless_uniform([int(num), 2], seed, None, None, d)


@export("random.fold_in", "random.experimental.stateless_fold_in")
def fold_in(seed, data, alg="auto_select"):
    """Another seed, from a seed and a number."""
    d = dtypes.of(value_of(seed)._value.dtype)
    first = stateless_uniform([1], seed, None, None, d)
    return box(m.cat([first._t, wrap(np.atleast_1d(array_of(int(data), d)))], 0))


# ---- generators ------------------------------------------------------------------------------
@export("random.Generator")
class Generator:
    """A source of random numbers with a state of its own.

    >>> import kobai.compat.tensorflow as tf
    >>> print(tf.random.Generator.from_seed(1).normal([2]))
    tf.Tensor([ 0.43842274 -0.53439844], shape=(2,), dtype=float32)
    """

    def __init__(self, copy_from=None, state=None, alg=None):
        place = copy_from._stream if copy_from is not None else Philox(0, int.from_bytes(os.urandom(16), "little"))
        if state is not None:
            a, b, key = np.asarray(value_of(state)._value).astype(np.int64).tolist()
            place = Philox(key, a % 2 ** 64 | (b % 2 ** 64) << 64)
        self._stream = Philox(place.key, place.counter)

    @classmethod
    def from_seed(cls, seed, alg=None):
        """The generator of a seed."""
        return cls(state=np.array([int(seed), 0, 0], np.int64))

    @classmethod
    def from_state(cls, state, alg=None):
        """The generator in a state that another had."""
        return cls(state=state)

    @classmethod
    def from_non_deterministic_state(cls, alg=None):
        """A generator whose numbers no one can foresee."""
        return cls()

    @property
    def state(self):
        low, high = self._stream.counter % 2 ** 64, self._stream.counter >> 64
        return Variable(np.array([low, high, self._stream.key], np.uint64).astype(np.int64), name="StateVar")

    def reset_from_seed(self, seed):
        """Start the stream of a seed."""
        self._stream = Philox(0, int(seed))

    def _take(self, n):
        return self._stream.skip(n * _RESERVED)

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None):
        """Numbers of a normal distribution."""
        d, shape = dtypes.as_dtype(dtype), sizes_of(shape)
        n = _count(shape)
        return _scaled(philox.normal(self._take(n), n, d.np), shape, stddev, mean)

    def truncated_normal(self, shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None):
        """Numbers of a normal distribution cut at two standard deviations."""
        d, shape = dtypes.as_dtype(dtype), sizes_of(shape)
        n = _count(shape)
        return _scaled(philox.truncated_normal(self._take(n), n, d.np), shape, stddev, mean)

    def uniform(self, shape, minval=0, maxval=None, dtype=dtypes.float32, name=None):
        """Numbers in [minval, maxval)."""
        return uniform_from(self._take(_count(sizes_of(shape))), shape, minval, maxval, dtypes.as_dtype(dtype))

    def make_seeds(self, count=1):
        """Seeds for stateless operations, [2, count]."""
        keys = self.uniform([count], None, None, dtypes.int64)
        return box(m.stack([keys._t, m.zeros_like(keys._t)]))

    def split(self, count=1):
        """That many generators with streams of their own."""
        keys = np.asarray(self.uniform([count], None, None, dtypes.int64)._t._value).tolist()
        return [Generator(state=np.array([0, 0, k], np.int64)) for k in keys]


_generator: list = []


@export("random.get_global_generator")
def get_global_generator():
    """The generator that all share."""
    if not _generator:
        _generator.append(Generator())
    return _generator[0]


@export("random.set_global_generator")
def set_global_generator(generator):
    """Share this generator."""
    _generator[:] = [generator]
