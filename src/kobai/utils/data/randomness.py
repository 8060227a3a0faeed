"""Random numbers in worker processes: no two workers, and no two epochs, get the same ones.

A worker starts as a copy of the program, and a copied generator repeats what its twins draw.
`DataLoader` therefore gives each worker of each epoch its own randomness, all of it fixed by
``manual_seed`` (or by the loader's ``generator``):

* The global generators (`random`, `numpy.random`, and this package's own) are seeded from
  ``base_seed + worker_id`` exactly as PyTorch does, and so give PyTorch's numbers.
* **Every other generator the worker has inherited** -- held by the dataset, by a transform, by
  a closure, by a module -- gets a new state made of its old state, ``base_seed`` and
  ``worker_id``. This covers `numpy.random.Generator` (``default_rng``), `RandomState`,
  `random.Random` and `Generator`. PyTorch leaves these alone, so that they repeat in every
  worker and, as the original in the main process never moves, in every epoch.
* `worker_init_fn` runs afterwards and may set any of them to what it likes.
* An `IterableDataset` that asks `get_worker_info` divides the data itself, often by shuffling
  with a held generator and taking each n-th sample. That works only if all workers shuffle
  alike. For such a dataset the new state leaves out ``worker_id`` until the worker has read
  its first sample of the epoch; what is drawn after that is the worker's own.

A generator that code makes later, inside the worker, is that code's own affair.
"""

import gc
import hashlib
import itertools
import random
import types

import numpy as np

import kobai
from kobai.utils.data.dataset import IterableDataset

__all__ = ["HeldGenerators", "divides_itself", "seed_globals"]

NO_WORKER = 2 ** 32 - 1         # stands for the worker in a state that all workers share


def seed_globals(base_seed: int, worker_id: int) -> None:
    """Seed the global generators of a worker with the numbers that PyTorch uses."""
    random.seed(base_seed + worker_id)
    kobai.manual_seed(base_seed + worker_id)
    np.random.seed(_mix(worker_id, base_seed).generate_state(4))


def _mix(*numbers: int) -> np.random.SeedSequence:
    """Seed material out of several non-negative integers."""
    words = []
    for number in numbers:
        words.append(number & 0xFFFFFFFF)
        while number := number >> 32:
            words.append(number & 0xFFFFFFFF)
    return np.random.SeedSequence(words)


class HeldGenerators:
    """The generators that live in this process, apart from the global ones.

    Args:
        generators: what an earlier `find` returned; found now if None.
    """

    def __init__(self, generators=None) -> None:
        found = self.find() if generators is None else generators
        self._origins = [(generator, _fingerprint(generator)) for generator in found]
        self._last = {}

    @staticmethod
    def find() -> list:
        """All generators the garbage collector knows of, wherever they are held.

        Looking through the objects of the process needs no knowledge of how datasets and
        transforms are built, and takes a few milliseconds.
        """
        kinds = (np.random.BitGenerator, np.random.RandomState, random.Random, kobai.Generator)
        objects = _everything()
        wanted = {kind for kind in set(map(type, objects))
                  if issubclass(kind, kinds) and not issubclass(kind, random.SystemRandom)}
        found = list(itertools.compress(objects, map(wanted.__contains__, map(type, objects))))
        apart = set(map(id, _seeded_elsewhere(found)))
        return [generator for generator in found if id(generator) not in apart]

    def reseed(self, *key: int) -> None:
        """Give each generator the state that follows from its first state and `key`."""
        for generator, origin in self._origins:
            _set_seed(generator, _mix(*key, origin))
        self._last = {id(each): _fingerprint(each) for each, _ in self._origins}

    def forget_changed(self) -> None:
        """Leave alone from now on what somebody else has seeded since the last `reseed`."""
        self._origins = [(generator, origin) for generator, origin in self._origins
                         if _fingerprint(generator) == self._last[id(generator)]]


def _everything() -> list:
    """All objects, those that `gc.freeze` put out of sight included: programs call it before they fork."""
    if not gc.get_freeze_count():
        return gc.get_objects()
    gc.unfreeze()
    gc.collect()
    objects = gc.get_objects()
    gc.freeze()
    return objects


def _seeded_elsewhere(generators: list) -> list:
    """The global generators, and those that are the inner parts of a `kobai.Generator`."""
    legacy = np.random.mtrand._rand
    own = [generator for generator in generators if isinstance(generator, kobai.Generator)]
    inner = [part for generator in [*own, kobai.default_generator]
             for part in getattr(generator, "__dict__", {}).values()]
    return [random._inst, legacy, legacy._bit_generator, kobai.default_generator, *inner]


def _fingerprint(generator) -> int:
    """A number that tells the state of a generator, the same in every process."""
    if isinstance(generator, np.random.BitGenerator):
        state = generator.state
    elif isinstance(generator, np.random.RandomState):
        state = generator.get_state(legacy=False)
    elif isinstance(generator, random.Random):
        state = generator.getstate()
    else:
        state = np.asarray(generator.get_state())
    return int.from_bytes(hashlib.blake2b(_as_bytes(state), digest_size=16).digest(), "big")


def _as_bytes(state) -> bytes:
    if isinstance(state, dict):
        return b"".join(key.encode() + _as_bytes(value) for key, value in state.items())
    return state.tobytes() if isinstance(state, np.ndarray) else repr(state).encode()


def _set_seed(generator, seeds: np.random.SeedSequence) -> None:
    if isinstance(generator, np.random.BitGenerator):
        _set_bit_generator(generator, seeds)
    elif isinstance(generator, np.random.RandomState):
        _set_bit_generator(generator._bit_generator, seeds)
        # RandomState keeps the second of two normal numbers, which would come out in all workers
        generator.set_state(generator.get_state(legacy=False) | {"has_gauss": 0, "gauss": 0.0})
    elif isinstance(generator, random.Random):
        generator.seed(int.from_bytes(seeds.generate_state(8).tobytes(), "little"))
    else:
        generator.manual_seed(int(seeds.generate_state(1, np.uint64)[0]) >> 1)


def _set_bit_generator(generator, seeds: np.random.SeedSequence) -> None:
    fresh = type(generator)(seeds)
    try:        # along with the seeds that Generator.spawn uses; NumPy 1.26 and later
        generator.__setstate__((fresh.state, seeds))
    except TypeError:
        generator.state = fresh.state


def divides_itself(dataset) -> bool:
    """Whether an `IterableDataset`, or one inside it, asks `get_worker_info` for its share."""
    waiting, seen = [dataset], set()
    while waiting:
        each = waiting.pop()
        if not isinstance(each, IterableDataset) or id(each) in seen:
            continue
        if any(_mentions(function.__code__, "get_worker_info") for function in _methods(type(each))):
            return True
        seen.add(id(each))
        for value in vars(each).values():
            waiting += value[:100] if isinstance(value, (list, tuple)) else [value]
    return False


def _methods(kind: type) -> list:
    return [value for base in kind.__mro__ for value in vars(base).values()
            if isinstance(value, types.FunctionType)]


def _mentions(code, name: str) -> bool:
    return name in code.co_names or any(
        _mentions(inner, name) for inner in code.co_consts if isinstance(inner, types.CodeType))
