"""TensorFlow's source of random numbers: Philox 4x32-10, and how its bits become numbers.

The generator is that of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3"
(2011): a counter of 128 bits is scrambled with a key of 64 bits in ten rounds, which gives four words of
32 bits. Where TensorFlow's kernels for the CPU leave a choice, what they do is said in the function.
"""
from __future__ import annotations

import numpy as np

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_WORD = 2 ** 64


class Philox:
    """A place in a stream: `key` (64 bits) and `counter` (128 bits), both Python ints."""

    __slots__ = ("key", "counter")

    def __init__(self, key, counter=0):
        self.key, self.counter = key % _WORD, counter % _WORD ** 2

    def skip(self, blocks):
        """Go forward by blocks of four words; returns the place before."""
        before = Philox(self.key, self.counter)
        self.counter = (self.counter + blocks) % _WORD ** 2
        return before

    def blocks(self, n, start=0, step=1):
        """`n` blocks of four words, [n, 4] uint32, beginning at `start`, every `step`-th."""
        low, high = divmod(self.counter + start, _WORD)[::-1]
        low64 = np.uint64(low) + np.arange(n, dtype=np.uint64) * np.uint64(step)
        high64 = np.uint64(high) + (low64 < np.uint64(low)).astype(np.uint64)
        return _scramble([low64 & _LOW, low64 >> _32, high64 & _LOW, high64 >> _32], self.key)

    def words(self, n):
        """`n` words in a row."""
        return self.blocks(-(-n // 4)).reshape(-1)[:n]


def _scramble(c, key):
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        a, b = _M0 * c[0], _M1 * c[2]
        c = [(b >> _32) ^ c[1] ^ np.uint64(k0), b & _LOW, (a >> _32) ^ c[3] ^ np.uint64(k1), a & _LOW]
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack(c, -1).astype(np.uint32)


def seeded(seed, seed2):
    """The stream of an operation with two seeds."""
    return Philox(seed, (seed2 % _WORD) << 64)


def stateless(seed0, seed1):
    """The stream of a stateless operation: its two seeds are scrambled first, so that any will do."""
    mix = Philox(0x02461E293EC8F720, (seed0 % _WORD) | (seed1 % _WORD) << 64).blocks(1)[0].tolist()
    return Philox(mix[0] | mix[1] << 32, (mix[2] | mix[3] << 32) << 64)


# ---- from bits to numbers --------------------------------------------------------------------
def _unit32(words):
    """Float32 in [0, 1) from the lower 23 bits of each word."""
    return ((words & np.uint32(0x7FFFFF)) | np.uint32(127 << 23)).view(np.float32) - np.float32(1)


def _unit64(first, second):
    """Float64 in [0, 1) from 52 bits: 20 of the first word above 32 of the second."""
    bits = (first & np.uint32(0xFFFFF)).astype(np.uint64) << _32 | second.astype(np.uint64)
    return (bits | np.uint64(1023 << 52)).view(np.float64) - 1.0


def uniform(stream, n, dtype):
    """`n` floats in [0, 1)."""
    if dtype == np.float64:
        w = stream.blocks(-(-n // 2)).reshape(-1, 2)[:n]
        return _unit64(w[:, 0], w[:, 1])
    return _unit32(stream.words(n)).astype(dtype)


def integers(stream, n, low, high, dtype):
    """`n` integers in [low, high): a word (two for 64 bits) modulo the width."""
    width = int(high) - int(low)
    if dtype.itemsize == 8:
        w = stream.blocks(-(-n // 2)).reshape(-1, 2)[:n].astype(np.uint64)
        values = (w[:, 0] | w[:, 1] << _32) % np.uint64(width)
    else:
        values = stream.words(n) % np.uint32(width)
    return (values.astype(np.int64) + int(low)).astype(dtype)


def bits(stream, n, dtype):
    """`n` integers of any value."""
    if dtype.itemsize == 8:
        w = stream.blocks(-(-n // 2)).reshape(-1, 2)[:n].astype(np.uint64)
        return (w[:, 0] | w[:, 1] << _32).astype(dtype)
    return stream.words(n).view(dtype)


def _pairs32(x0, x1):
    """Box and Muller's method: two normal float32 from two words.

    NumPy's functions of float32 are less exact than those of the C library, which TensorFlow calls: they are
    computed in float64 and rounded.
    """
    u = np.maximum(_unit32(x0), np.float32(1e-7)).astype(np.float64)
    angle = (2.0 * np.pi * _unit32(x1).astype(np.float64)).astype(np.float32).astype(np.float64)
    length = np.sqrt(np.float32(-2) * np.log(u).astype(np.float32))
    return np.stack([np.sin(angle).astype(np.float32) * length, np.cos(angle).astype(np.float32) * length], -1)


def _pairs64(w):
    """Two normal float64 from four words."""
    u = np.maximum(_unit64(w[:, 0], w[:, 1]), 1e-7)
    angle = 2 * np.pi * _unit64(w[:, 2], w[:, 3])
    length = np.sqrt(-2.0 * np.log(u))
    return np.stack([np.sin(angle) * length, np.cos(angle) * length], -1)


def normal(stream, n, dtype):
    """`n` floats of the standard normal distribution."""
    if dtype == np.float64:
        return _pairs64(stream.blocks(-(-n // 2))).reshape(-1)[:n]
    w = stream.blocks(-(-n // 4))
    return _pairs32(w[:, 0::2], w[:, 1::2]).reshape(-1)[:n].astype(dtype)


def truncated_normal(stream, n, dtype):
    """As `normal`, drawn again where the size is 2 or more.

    Each group of four numbers (two of float64) has 256 blocks (128) of its own, and uses as many as it needs.
    """
    double = dtype == np.float64
    size = 2 if double else 4
    groups = -(-n // size)
    out = np.empty((groups, size), np.float64 if double else np.float32)
    have = np.zeros(groups, np.int64)
    spans = size * 64
    for turn in range(spans):
        open_ = np.flatnonzero(have < size)
        if not len(open_):
            break
        w = _blocks_at(stream, open_ * spans + turn)
        found = _pairs64(w) if double else _pairs32(w[:, 0::2], w[:, 1::2]).reshape(len(open_), 4)
        for column in found.T:
            good = (np.abs(column) < 2) & (have[open_] < size)
            rows = open_[good]
            out[rows, have[rows]] = column[good]
            have[rows] += 1
    return out.reshape(-1)[:n].astype(dtype)


def _blocks_at(stream, places):
    """The blocks at these distances from the place of the stream."""
    low, high = divmod(stream.counter, _WORD)[::-1]
    low64 = np.uint64(low) + places.astype(np.uint64)
    high64 = np.uint64(high) + (low64 < np.uint64(low)).astype(np.uint64)
    return _scramble([low64 & _LOW, low64 >> _32, high64 & _LOW, high64 >> _32], stream.key)


def permutation(stream, n):
    """The numbers below n in random order: each place is exchanged with one at or behind it."""
    order = list(range(n))
    for i, word in enumerate(stream.words(max(n - 1, 0)).tolist()):
        j = i + word % (n - i)
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def categorical(stream, logits, n):
    """`n` classes for each row of logits: where a uniform number falls in the running sum of their exponentials."""
    rows = logits.astype(np.float64)
    finite = np.isfinite(rows)
    top = np.where(finite, rows, -np.inf).max(-1, keepdims=True)
    sums = np.where(finite, np.exp(rows - top), 0).cumsum(-1)
    w = stream.blocks(-(-len(rows) * n // 2)).reshape(-1, 2)[:len(rows) * n]
    u = _unit64(w[:, 0], w[:, 1]).reshape(len(rows), n) * sums[:, -1:]
    return np.stack([np.searchsorted(s, v, "right") for s, v in zip(sums, u)]) if len(rows) else np.zeros((0, n))
