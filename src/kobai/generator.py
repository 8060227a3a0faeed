"""The random number generator: PyTorch's, which is the Mersenne Twister MT19937 of NumPy."""

import os
from functools import cached_property
from operator import index

import numpy as np

from kobai.autograd.mode import modes
from kobai.devices import check as _check_device
from kobai.diagnose import error
from kobai.large import DRAWN, drawing, small
from kobai.later import unlocked_in_children
from kobai.tensor import wrap

__all__ = ["Generator"]

_WORDS = 624  # of MT19937's state
_HALF, _BITS53 = np.uint64(32), np.uint64(2**53 - 1)
_BITS24, _STEP24 = np.int32(0xFFFFFF), np.float32(2**-24)

# The bytes of a saved state, as PyTorch lays them out: checkpoints hold them.
_state_layout = np.dtype(
    [
        ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("key", "<u8", _WORDS),
        ("normal_x", "<f8"), ("normal_y", "<f8"), ("normal_rho", "<f8"), ("normal_is_valid", "<i4"),
        ("_pad", "<i4"), ("float_normal", "<f4"), ("float_normal_is_valid", "?"), ("_end", "u1", 3),
    ]
)  # fmt: skip


@unlocked_in_children
class Generator:
    """A source of random numbers with a state of its own.

    >>> g = Generator().manual_seed(0)
    >>> g.initial_seed()
    0
    """

    def __init__(self, device="cpu"):
        self.device = _check_device(device)
        self._spare_normal = None  # the second of a Box-Muller pair, kept for the next call
        self.manual_seed(67280421310721)  # PyTorch's seed of a new generator

    def manual_seed(self, seed):
        """Start the stream of `seed`, an int in [-2^63, 2^64); returns the generator."""
        if modes.trace is not None:
            modes.trace.stop("seeding a generator")
        try:
            seed = index(seed)
        except TypeError:
            raise error("argument-type", RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}"),
                        what="seed", kind=type(seed), must="a whole number") from None
        if not -(2**63) <= seed < 2**64:
            raise error("argument-value", ValueError("Overflow when unpacking long long"),
                        what="seed", value=seed, must="a whole number of at most 64 bits",
                        fix="choose a number from -2**63 to 2**64 - 1.")
        self._seed = seed % 2**64
        self._spare_normal = None
        if "_bits" in self.__dict__:
            self._start()
        return self

    @cached_property
    def _bits(self):
        """NumPy's twister, made when first needed: loading numpy.random takes 10 ms."""
        bits = np.random.MT19937(0)
        self._seeder = np.random.RandomState(bits)
        self._start()
        return bits

    def _start(self):
        self._seeder.seed(self._seed & 0xFFFFFFFF)  # the twister itself takes 32 bits

    def seed(self):
        """Start a stream that no one can foresee; returns its seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self):
        """The seed the current stream was started with."""
        return self._seed

    def get_state(self):
        """The state as a tensor of 5056 bytes, in PyTorch's layout."""
        return wrap(self._bytes())

    def _bytes(self):
        twister = self._bits.state["state"]
        state = np.zeros((), _state_layout)
        state["seed"], state["seeded"] = self._seed, 1
        state["key"] = twister["key"]
        state["next"], state["left"] = twister["pos"], _WORDS + 1 - twister["pos"]
        if twister["pos"] == _WORDS and twister["key"][0] == self._seed & 0xFFFFFFFF:
            state["next"] = 0  # nothing drawn yet
        if self._spare_normal is not None:
            state["normal_is_valid"], state["normal_y"] = 1, self._spare_normal
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state):
        """Go on from bytes that `get_state`, here or in PyTorch, returned."""
        state = np.asarray(state)
        if state.dtype != np.uint8:
            raise error("tensor-dtype", TypeError("RNG state must be a torch.ByteTensor"),
                        what="state", dtype=state.dtype, fn="set_state()", must="what get_state() returned",
                        fix="pass what get_state() returned, unchanged.")
        if state.size != _state_layout.itemsize:
            raise error("argument-count", RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_state_layout.itemsize} "
                f"but found the input RNG state size to be {state.size}"),
                what="state", count=state.size, need="{n}", n=_state_layout.itemsize,
                fix="pass what get_state() returned, unchanged.")
        state = np.frombuffer(state.tobytes(), _state_layout)[0]
        if state["seeded"] != 1 or not 0 < state["left"] <= _WORDS or state["next"] > _WORDS:
            raise error("argument-value", RuntimeError("Invalid mt19937 state"),
                        what="state", value="", must="what get_state() returned",
                        why="the bytes are not the state of a generator.",
                        fix="pass what get_state() returned, unchanged.")
        key = state["key"].astype(np.uint32)
        position = _WORDS + 1 - int(state["left"])
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
        self._seed = int(state["seed"])
        self._spare_normal = float(state["normal_y"]) if state["normal_is_valid"] else None

    def clone_state(self):
        """Another generator in the same state."""
        clone = Generator(self.device)
        clone.set_state(self._bytes())
        return clone

    def __reduce__(self):
        return _restore, (self.device, self._bytes())

    # Raw material for samplers, each call's numbers straight after the last one's.

    def _word(self, n):
        """n numbers of 32 bits, as uint64."""
        return self._bits.random_raw(n)

    def _long(self, n):
        """n numbers of 64 bits, the first word of two on top."""
        words = self._bits.random_raw(2 * n)
        return (words[0::2] << _HALF) | words[1::2]

    def _unit32(self, n):
        """n float32 in [0, 1), multiples of 2^-24."""
        run = drawing(n) if n >= DRAWN else None
        if run:
            return run.unit32(self._bits, n)
        if small.unit is not None:
            return small.unit(self._bits.random_raw(n), False)
        bits = self._bits.random_raw(n).astype(np.int32) & _BITS24
        return bits.astype(np.float32) * _STEP24

    def _unit64(self, n):
        """n float64 in [0, 1), multiples of 2^-53."""
        run = drawing(n) if n >= DRAWN else None
        if run:
            return run.unit64(self._bits, n)
        if small.unit is not None:
            return small.unit(self._bits.random_raw(2 * n), True)
        return (self._long(n) & _BITS53).astype(np.int64) * 2.0**-53

    def _hits(self, n, p):
        """n float32: 1 where the next of `_unit64` is less than p, else 0."""
        run = drawing(n) if n >= DRAWN else None
        return run.hits(self._bits, n, p) if run else (self._unit64(n) < p).astype(np.float32)


def _restore(device, state):
    generator = Generator(device)
    generator.set_state(state)
    return generator
