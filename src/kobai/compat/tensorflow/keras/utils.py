"""`tf.keras.utils`: labels, seeds, sequences, files."""
from __future__ import annotations

import os
import random as _python_random
import shutil
import tarfile
import urllib.request
import zipfile

import numpy as np

from ....diagnose import error
from .. import nest, random_ops
from . import naming, seeds
from .feeding import pack as pack_x_y_sample_weight  # noqa: F401
from .progress import Progbar as Progbar
from .storing import register_keras_serializable as register_keras_serializable
from .symbolic import KerasTensor


def to_categorical(x, num_classes=None):
    """Numbers of classes as rows with a one.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    a = np.asarray(x.numpy() if hasattr(x, "numpy") else x, np.int64)
    shape = a.shape[:-1] if a.ndim > 1 and a.shape[-1] == 1 else a.shape
    flat = a.reshape(-1)
    n = num_classes or int(flat.max()) + 1
    out = np.zeros((len(flat), n))
    out[np.arange(len(flat)), flat] = 1
    return out.reshape(*shape, n)


def normalize(x, axis=-1, order=2):
    """Each row along an axis divided by its length."""
    length = np.atleast_1d(np.linalg.norm(x, order, axis))
    length[length == 0] = 1
    return x / np.expand_dims(length, axis)


def set_random_seed(seed):
    """Start the random numbers of Python, NumPy and TensorFlow again."""
    if not isinstance(seed, int):
        raise error("argument-type",
                    ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})"),
                    what="seed", kind=type(seed), must="a whole number")
    _python_random.seed(seed)
    np.random.seed(seed)
    random_ops.set_seed(seed)
    seeds.forget_global_generator()


def clear_session(free_memory=True):
    """Count names from the beginning again."""
    naming.reset()
    seeds.forget_global_generator()


def is_keras_tensor(x):
    """Whether x is a placeholder."""
    return isinstance(x, KerasTensor)


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """Lists of different lengths in one array."""
    n = max((len(s) for s in sequences), default=0) if maxlen is None else maxlen
    inner = np.asarray(next((s for s in sequences if len(s)), [])).shape[1:]
    out = np.full((len(sequences), n, *inner), value, dtype)
    for row, s in zip(out, sequences):
        s = np.asarray(s[-n:] if truncating == "pre" else s[:n], dtype) if n else []
        if len(s):
            if padding == "post":
                row[:len(s)] = s
            else:
                row[-len(s):] = s
    return out


class PyDataset:
    """A sequence of batches: `__len__`, and `__getitem__` that gives batch number i."""

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def on_epoch_end(self):
        """After each epoch."""


Sequence = PyDataset


def split_dataset(dataset, left_size=None, right_size=None, shuffle=False, seed=None):
    """Two datasets from arrays (or from the elements of a dataset): the first part, and the rest."""
    from ..data import Dataset  # (it needs what stands above)
    if hasattr(dataset, "_is_dataset"):
        rows = list(dataset.as_numpy_iterator())
        dataset = nest.pack_sequence_as(rows[0], [np.stack(c) for c in zip(*map(nest.flatten, rows))])
    arrays = [np.asarray(a) for a in nest.flatten(dataset)]
    n = len(arrays[0])
    order = np.random.default_rng(seed).permutation(n) if shuffle else np.arange(n)

    def count(size):
        return size if isinstance(size, int) else int(round(size * n))
    left = count(left_size) if left_size is not None else n - count(right_size)
    right = count(right_size) if right_size is not None else n - left
    return tuple([Dataset.from_tensor_slices(nest.pack_sequence_as(dataset, [a[order[part]] for a in arrays]))
                  for part in (slice(0, left), slice(left, left + right))])


def timeseries_dataset_from_array(data, targets, sequence_length, sequence_stride=1, sampling_rate=1, batch_size=128,
                                  shuffle=False, seed=None, start_index=None, end_index=None):
    """A dataset of batches of windows of a series, with their targets if there are any.

    >>> windows = timeseries_dataset_from_array([0, 1, 2, 3], [10, 20, 30], 2, batch_size=2)
    >>> [(x.numpy().tolist(), y.numpy().tolist()) for x, y in windows]
    [([[0, 1], [1, 2]], [10, 20]), ([[2, 3]], [30])]
    """
    from ..data import Dataset  # (it needs what stands above)
    begin, end = start_index or 0, len(data) if end_index is None else end_index
    count = end - begin - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    first = np.arange(0, count, sequence_stride, dtype="int64" if count >= 2**31 - 1 else "int32")
    if shuffle:
        seed = np.random.randint(10**6) if seed is None else seed
        np.random.RandomState(seed).shuffle(first)
    places = begin + first[:, None] + np.arange(sequence_length) * sampling_rate
    windows = Dataset.from_tensor_slices(np.asarray(data)[places])
    if targets is not None:
        windows = Dataset.zip((windows, Dataset.from_tensor_slices(np.asarray(targets)[begin + first])))
    if shuffle:
        windows = windows.shuffle(1024 if batch_size is None else batch_size * 8, seed=seed)
    return windows.batch(batch_size) if batch_size is not None else windows


def get_file(fname=None, origin=None, untar=False, md5_hash=None, file_hash=None, cache_subdir="datasets",
             hash_algorithm="auto", extract=False, archive_format="auto", cache_dir=None, force_download=False):
    """The path of a file of the net, kept under ~/.keras; archives are unpacked if `extract`."""
    folder = os.path.join(cache_dir or os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")), cache_subdir)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, fname or os.path.basename(origin))
    if force_download or not os.path.exists(path):
        print(f"Downloading data from {origin}")
        with urllib.request.urlopen(origin) as source, open(path + ".part", "wb") as file:
            shutil.copyfileobj(source, file)
        os.replace(path + ".part", path)
    if extract or untar:
        target = os.path.splitext(path)[0] + "_extracted"
        if not os.path.exists(target):
            _unpack(path, target)
        return target
    return path


def _unpack(path, target):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(target)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(target, filter="data")
