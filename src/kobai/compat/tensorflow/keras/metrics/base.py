"""What metrics are: a state that batches are added to, and a result."""
from __future__ import annotations

import numpy as np

from .....diagnose import error
from .....op import m
from .....tensor import wrap
from ... import dtypes
from ...tensors import box
from ...values import value_of
from .. import initializers, naming
from ..losses import same_rank
from ..settings import floatx
from ..variable import Variable


class Metric:
    """The base of metrics. Subclasses define `update_state` and `result`.

    >>> from kobai.compat.tensorflow import keras
    >>> mean = keras.metrics.Mean()
    >>> mean.update_state([1., 3.]); print(mean.result())
    tf.Tensor(2.0, shape=(), dtype=float32)
    """

    def __init__(self, dtype=None, name=None):
        self.name = name or naming.auto_name(type(self).__name__)
        self._dtype = dtypes.as_dtype(dtype or floatx()).name
        self._variables = []

    dtype = property(lambda self: self._dtype)

    def add_variable(self, shape, initializer, dtype=None, aggregation="sum", name=None):
        """A new variable of the state."""
        d = dtypes.as_dtype(dtype or self._dtype)
        with naming.scope(self.name, self):
            v = Variable(initializers.get(initializer)(tuple(shape), dtype=d), dtype=d, trainable=False, name=name)
        self._variables.append(v)
        return v

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None, **kwargs):
        """A new variable of the state; zeros at first."""
        if isinstance(shape, str):  # Keras 2 had the name in front
            shape, name = kwargs.get("shape", ()), shape
        return self.add_variable(shape, initializer or "zeros", dtype, name=name)

    @property
    def variables(self):
        held = [v for value in vars(self).values() if isinstance(value, Metric) for v in value.variables]
        return [*self._variables, *held]

    non_trainable_variables = weights = variables
    trainable_variables = property(lambda self: [])

    def update_state(self, *args, **kwargs):
        """Add a batch."""
        raise NotImplementedError

    def result(self):
        """The value so far."""
        raise NotImplementedError

    def reset_state(self):
        """Begin again."""
        for v in self.variables:
            v.store(np.zeros(v.shape))

    def reset_states(self):
        """Begin again."""
        self.reset_state()

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self):
        """The parameters by name."""
        return {"name": self.name, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config):
        """The metric of a configuration."""
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


def array(x, dtype=None):
    """The NumPy array of a tensor or anything like it."""
    a = np.asarray(value_of(x)._value)
    return a if dtype is None else a.astype(dtype)


def tensor(value, dtype="float32"):
    """A tensor of a NumPy value."""
    return box(wrap(np.asarray(value, np.dtype(dtype))[()]))


def by_sample(values, sample_weight, dtype):
    """(weighted values, weights): one for each sample, by the mean over what dimensions there are besides."""
    v = m.cast(value_of(values).detach(), np.dtype(dtype))
    if sample_weight is None:
        v = m.mean(v, tuple(range(1, v.ndim))) if v.ndim > 1 else v
        return np.asarray(v._value), None
    w = m.cast(value_of(sample_weight).detach(), np.dtype(dtype))
    v, w = same_rank(v, w)
    if v.ndim > w.ndim:
        v = m.mean(v, tuple(range(w.ndim, v.ndim)))
    w = m.expand_to(w, tuple(v._value.shape))
    v = v * w
    if w.ndim > 1:
        w = m.mean(w, tuple(range(1, w.ndim)))
    if v.ndim > 1:
        v = m.mean(v, tuple(range(1, v.ndim)))
    return np.asarray(v._value), np.asarray(w._value)


class Sum(Metric):
    """The (weighted) sum of all values."""

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values, sample_weight=None):
        v, _ = by_sample(values, sample_weight, self._dtype)
        self.total.store(self.total.numpy() + v.sum(dtype=v.dtype))

    def result(self):
        return tensor(self.total.numpy(), self._dtype)


class Mean(Metric):
    """The (weighted) mean of all values."""

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values, sample_weight=None):
        v, w = by_sample(values, sample_weight, self._dtype)
        self.total.store(self.total.numpy() + v.sum(dtype=v.dtype))
        self.count.store(self.count.numpy() + (w.sum(dtype=v.dtype) if w is not None else v.size))

    def result(self):
        count = self.count.numpy()
        return tensor(self.total.numpy() / count if count else 0, self._dtype)


class MeanMetricWrapper(Mean):
    """The mean of a function of the wished and the computed outputs."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self._fn, self._fn_kwargs = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is not None:
            there = array(mask, self._dtype)
            sample_weight = there if sample_weight is None else array(sample_weight, self._dtype) * there
        super().update_state(values, sample_weight)

    def get_config(self):
        return {**super().get_config(), **self._fn_kwargs}


def wrapper(name, fn, parameters, after, doc):
    """A metric class that takes the mean of a function; `parameters` are names and defaults of what it takes besides."""
    def __init__(self, *args, **kwargs):
        given = dict(zip(["name", "dtype", *parameters], args)) | kwargs
        if args and not isinstance(args[0], (str, type(None))):  # a parameter in front, as in TopK(5)
            given = dict(zip([*parameters, "name", "dtype"], args)) | kwargs
        own = {k: given.pop(k, default) for k, default in parameters.items()}
        MeanMetricWrapper.__init__(self, fn, given.pop("name", None) or after, given.pop("dtype", None), **own)
        if given:
            raise error("name-unknown",
                        TypeError(f"{name}.__init__() got an unexpected keyword argument {min(given)!r}"),
                        where=name, what="argument", name=min(given), names=[*parameters, "name", "dtype"])
        self.__dict__.update(own)
    return type(name, (MeanMetricWrapper,), {"__init__": __init__, "__doc__": doc, "__module__": __name__})
