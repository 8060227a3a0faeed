"""From what `fit` is given to batches: arrays, tf.data datasets, generators, sequences."""
from __future__ import annotations

import math

import numpy as np

from ....diagnose import error
from .. import dtypes, nest
from ..random_ops import function_seeds, shuffle
from ..tensors import EagerTensor
from ..values import constant, convert_to_tensor
from .settings import floatx


def unpack(data):
    """(x, y, sample_weight) of a batch; what is missing is None."""
    data = data if isinstance(data, (list, tuple)) and not (isinstance(data, list) and len(data) > 3) else (data,)
    if len(data) > 3:
        raise error("argument-count",
                    ValueError("Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: "
                               f"{data}"),
                    what="data", count=len(data), need="at most {n}", n=3,
                    fix="give each batch as (x, y) or (x, y, sample_weight).")
    return (*data, None, None)[:3]


def pack(x, y=None, sample_weight=None):
    """A batch of x, (x, y) or (x, y, sample_weight)."""
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def is_arrays(x):
    """Whether these are arrays, tensors, lists of numbers, or nested ones: something to be cut in batches."""
    return not (hasattr(x, "_is_dataset") or hasattr(x, "__next__") or hasattr(x, "__len__") and hasattr(
        x, "__getitem__") and not isinstance(x, (np.ndarray, EagerTensor, list, tuple, dict)) and not hasattr(
        x, "__array__"))


def _array(x):
    """One input as a NumPy array; floats in the dtype of layers."""
    if isinstance(x, EagerTensor):
        x = x.numpy()
    a = np.asarray(x)
    if a.dtype.kind == "f" and a.dtype != np.dtype(floatx()):
        a = a.astype(floatx())
    if a.dtype.kind == "O":
        raise error("argument-type", ValueError(f"Unrecognized data type: x={x} (of type {type(x)})"),
                    what="x", kind=type(x), must="an array of numbers",
                    fix="make numbers of it first: np.asarray(x, dtype='float32'); rows of different lengths need padding.")
    return a


def _nested(x):
    """Lists of arrays are several inputs; a list of numbers is one array."""
    if isinstance(x, dict):
        return {k: _nested(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)) and x and any(hasattr(v, "shape") and len(v.shape) for v in x):
        return tuple([_nested(v) for v in x])
    return None if x is None else _array(x)


class Arrays:
    """Batches of arrays."""

    def __init__(self, x, y, sample_weight, batch_size, shuffled, class_weight=None):
        parts = [_nested(v) for v in (x, y, sample_weight)]
        if class_weight is not None:
            labels = parts[1].argmax(-1) if parts[1].ndim > 1 and parts[1].shape[-1] > 1 else parts[1].reshape(-1)
            weights = np.array([class_weight.get(int(c), 1.0) for c in labels], np.float32)
            parts[2] = weights if parts[2] is None else parts[2] * weights
        self.parts = parts
        sizes = [len(v) for v in nest.flatten(parts) if v is not None]
        if len(set(sizes)) > 1:
            raise error("lengths-differ",
                        ValueError("Data cardinality is ambiguous. Make sure all arrays contain the same number of samples."
                                   + "".join(f"'{name}' sizes: {', '.join(str(len(v)) for v in nest.flatten(p))}\n"
                                             for name, p in zip("xyw", parts) if p is not None)),
                        what="x", count=sizes[0], other="another array",
                        other_count=next(s for s in sizes if s != sizes[0]),
                        fix="give x, y and sample_weight the same number of samples.")
        self.n = sizes[0]
        self.batch_size = batch_size or 32
        self.shuffled = shuffled
        self.steps = math.ceil(self.n / self.batch_size)

    def __iter__(self):
        order = None
        if self.shuffled:
            with function_seeds({}):  # TensorFlow draws the order inside a function: with a seed, always the same
                order = shuffle(np.arange(self.n)).numpy()
        for start in range(0, self.n, self.batch_size):
            stop = min(start + self.batch_size, self.n)
            rows = slice(start, stop) if order is None else order[start:stop]
            x, y, w = [None if p is None else nest.map_structure(lambda a, rows=rows: constant(a[rows]), p) for p in self.parts]
            yield pack(x, y, w)


class Stream:
    """Batches as they come: of a dataset, generator, or indexable sequence of batches."""

    def __init__(self, source, steps=None):
        self.source = source
        self._running = None
        known = None
        if hasattr(source, "_is_dataset"):
            known = source.cardinality_or_none()
        elif hasattr(source, "__len__"):
            known = len(source)
        self.steps = steps if steps is not None else known
        self._given = steps

    def __iter__(self):
        if hasattr(self.source, "__next__") or self._given is not None:  # it goes on where the last epoch ended
            if self._running is None:
                self._running = self._fresh()
            yield from self._part()
            return
        yield from self._fresh()

    def _fresh(self):
        if hasattr(self.source, "__len__") and hasattr(self.source, "__getitem__"):
            for i in range(len(self.source)):
                yield _tensors(self.source[i])
            if hasattr(self.source, "on_epoch_end"):
                self.source.on_epoch_end()
            return
        for batch in self.source:
            yield _tensors(batch)
        if hasattr(self.source, "_is_dataset"):
            iter(self.source)  # Keras opens the dataset once more at the end: a shuffle draws the seeds of that turn too

    def _part(self):
        for _ in range(self._given if self._given is not None else 10 ** 12):
            batch = next(self._running, None)
            if batch is None:
                self._running = None
                if self._given is None:
                    return
                self._running = self._fresh()
                batch = next(self._running, None)
                if batch is None:
                    return
            yield batch


def _tensors(batch):
    batch = tuple(batch) if isinstance(batch, list) and len(batch) <= 3 and not hasattr(batch[0], "real") else batch

    def one(v):
        if v is None or isinstance(v, EagerTensor):
            return v
        t = convert_to_tensor(v)
        return constant(t.numpy().astype(floatx())) if t.dtype == dtypes.float64 else t
    return nest.map_structure(one, batch)


def batches_of(x, y=None, sample_weight=None, batch_size=None, steps=None, shuffled=False, class_weight=None):
    """An iterable of batches that knows their number (or None) as `steps`."""
    if x is None:
        raise error("argument-missing", ValueError("Unrecognized data type: x=None (of type <class 'NoneType'>)"),
                    fn="fit()", what="x", must="an array of numbers",
                    fix="pass the data: model.fit(x, y), or a tf.data.Dataset.")
    if is_arrays(x):
        _only_arrays(x, y, sample_weight)
        found = Arrays(x, y, sample_weight, batch_size, shuffled, class_weight)
        return Stream(found, steps) if steps is not None and steps < found.steps else found
    if y is not None:
        raise error("arguments-exclude",
                    ValueError("When passing a dataset or generator as `x`, `y` must not be given: it comes with it."),
                    what="y", other="a dataset as x", fix="leave out y: the dataset gives pairs (x, y) itself.")
    return Stream(x, steps)


def _only_arrays(x, *others):
    """Raise ValueError, as Keras does, for plain lists of numbers."""
    if any(not hasattr(v, "shape") and not hasattr(v, "__array__") for v in nest.flatten([x, *others]) if v is not None):
        raise error("argument-type", ValueError(f"Unrecognized data type: x={x} (of type {type(x)})"),
                    what="x or y", kind=type(x), must="an array of numbers",
                    fix="np.array(...) of each list, x and y.")


def split_off(arrays, part):
    """The arrays without their last part, and that part."""
    arrays = [_nested(v) for v in arrays]
    n = len(next(v for v in nest.flatten(arrays) if v is not None))
    at = int(math.floor(n * (1.0 - part)))
    if at in (0, n):
        raise error("argument-value",
                    ValueError(f"Training data contains {n} samples, which is not sufficient to split it into a validation "
                               f"and training set as specified by `validation_split={part}`. Either provide more data, or a "
                               "different value for the `validation_split` argument."),
                    what="validation_split", value=part, must="a number that leaves samples on both sides",
                    fix="give more than {n} samples, or another validation_split, or validation_data=(x, y).",
                    n=n)

    def cut(piece):
        return [None if v is None else nest.map_structure(lambda a: a[piece], v) for v in arrays]
    return cut(slice(0, at)), cut(slice(at, n))
