"""`tf.keras.datasets`: data that Keras offers for download."""
from __future__ import annotations

import gzip
import os
import pickle
import tarfile
from types import SimpleNamespace

import numpy as np

from ....diagnose import error
from .utils import get_file

_HOST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def _mnist(path="mnist.npz"):
    """70,000 handwritten digits: (x_train, y_train), (x_test, y_test)."""
    with np.load(get_file(path, _HOST + "mnist.npz"), allow_pickle=False) as f:
        return (f["x_train"], f["y_train"]), (f["x_test"], f["y_test"])


def _fashion_mnist():
    """70,000 pictures of clothes: (x_train, y_train), (x_test, y_test)."""
    def read(name, head):
        path = get_file(name, _HOST + name, cache_subdir=os.path.join("datasets", "fashion-mnist"))
        with gzip.open(path) as file:
            return np.frombuffer(file.read(), np.uint8, offset=head)
    parts = []
    for kind in ("train", "t10k"):
        labels = read(f"{kind}-labels-idx1-ubyte.gz", 8)
        parts.append((read(f"{kind}-images-idx3-ubyte.gz", 16).reshape(len(labels), 28, 28), labels))
    return tuple(parts)


def _boston_housing(path="boston_housing.npz", test_split=0.2, seed=113):
    """Prices of houses: (x_train, y_train), (x_test, y_test)."""
    with np.load(get_file(path, _HOST + "boston_housing.npz"), allow_pickle=False) as f:
        x, y = f["x"], f["y"]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    n = int(len(x) * (1 - test_split))
    return (x[order[:n]], y[order[:n]]), (x[order[n:]], y[order[n:]])


class _OnlyArrays(pickle.Unpickler):
    """Reads lists, dicts, bytes and arrays, and nothing that runs."""

    def find_class(self, module, name):
        if module.startswith("numpy") and name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"):
            return super().find_class(module, name)
        raise error("file", pickle.UnpicklingError(f"{module}.{name} is not allowed in a data file"),
                    path="the data file",
                    why="it wants to make an object of {cls}, and a file of numbers has no need of it",
                    cls=f"{module}.{name}",
                    fix="take the file from its original place; this one may have been changed.")


def _cifar10():
    """60,000 pictures of ten kinds of things: (x_train, y_train), (x_test, y_test)."""
    path = get_file("cifar-10-batches-py.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz")
    parts = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            name = os.path.basename(member.name)
            if name.startswith(("data_batch", "test_batch")):
                found = _OnlyArrays(archive.extractfile(member), encoding="bytes").load()
                parts[name] = found[b"data"].reshape(-1, 3, 32, 32), np.array(found[b"labels"], np.uint8)
    train = [parts[f"data_batch_{i}"] for i in range(1, 6)]
    x, y = [np.concatenate(p) for p in zip(*train)]
    xt, yt = parts["test_batch"]
    return (x.transpose(0, 2, 3, 1), y[:, None]), (xt.transpose(0, 2, 3, 1), yt[:, None])


mnist, fashion_mnist = SimpleNamespace(load_data=_mnist), SimpleNamespace(load_data=_fashion_mnist)
cifar10, boston_housing = SimpleNamespace(load_data=_cifar10), SimpleNamespace(load_data=_boston_housing)
