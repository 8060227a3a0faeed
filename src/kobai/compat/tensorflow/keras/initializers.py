"""First values of weights."""
from __future__ import annotations

import math

import numpy as np

from ....diagnose import error
from .. import creation, dtypes, matrices, shaping
from ..arithmetic import multiply, sign
from ..tensors import box
from ..values import cast, convert_to_tensor, value_of
from . import seeds
from .registry import make_get
from .settings import floatx


def _dtype(dtype):
    return dtypes.as_dtype(dtype or floatx())


class Initializer:
    """Called with a shape (and a dtype), it gives a tensor."""

    def __call__(self, shape, dtype=None):
        raise error("method-missing",
                    NotImplementedError("Initializer subclasses must implement the `__call__()` method."),
                    cls=type(self), what="__call__",
                    fix="write `def __call__(self, shape, dtype=None): ...` in the class.")

    def get_config(self):
        """The parameters by name."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The object of a configuration."""
        return cls(**config)

    def clone(self):
        """A copy."""
        return type(self).from_config(self.get_config())


class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape, dtype=None):
        return creation.zeros(shape, _dtype(dtype))


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape, dtype=None):
        return creation.ones(shape, _dtype(dtype))


class Constant(Initializer):
    """One number, or given values."""

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return creation.identity(shaping.broadcast_to(cast(convert_to_tensor(self.value), _dtype(dtype)), shape))

    def get_config(self):
        return {"value": self.value}


class Identity(Initializer):
    """The unit matrix times `gain`."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise error("tensor-dims",
                        ValueError("Identity matrix initializer can only be used for 2D matrices. Received: "
                                   f"shape={shape} of rank {len(shape)}."),
                        what="the weight", shape=tuple(shape), need="{n}", n=2,
                        fix="choose another initializer for it, such as glorot_uniform.")
        return multiply(creation.eye(*shape, dtype=_dtype(dtype)), self.gain)

    def get_config(self):
        return {"gain": self.gain}


class RandomInitializer(Initializer):
    """The base of those that draw: each has one seed, and always gives the same values."""

    def __init__(self, seed=None):
        self._init_seed = seed
        self.seed = seeds.make_default_seed() if seed is None else seed
        if not isinstance(self.seed, (int, seeds.SeedGenerator)):
            raise error("argument-type",
                        ValueError("`seed` argument should be an instance of `keras.random.SeedGenerator()` or an integer. "
                                   f"Received: seed={seed}"),
                        what="seed", kind=type(seed), must="a whole number or a SeedGenerator")

    def get_config(self):
        return {"seed": self._init_seed}


class RandomNormal(RandomInitializer):
    """Numbers of a normal distribution."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        return seeds.normal(shape, self.mean, self.stddev, _dtype(dtype), self.seed)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Numbers of a normal distribution cut at two standard deviations."""

    def __call__(self, shape, dtype=None):
        return seeds.truncated_normal(shape, self.mean, self.stddev, _dtype(dtype), self.seed)


class RandomUniform(RandomInitializer):
    """Numbers in [minval, maxval)."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        return seeds.uniform(shape, self.minval, self.maxval, _dtype(dtype), self.seed)

    def get_config(self):
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def fans(shape):
    """How many inputs and outputs a weight of this shape connects.

    >>> fans((3, 3, 8, 16))
    (72, 144)
    """
    if len(shape) < 2:
        return (int(shape[0]),) * 2 if shape else (1, 1)
    field = math.prod(shape[:-2])
    return int(shape[-2] * field), int(shape[-1] * field)


class VarianceScaling(RandomInitializer):
    """Numbers whose variance is `scale` divided by the number of inputs, of outputs, or their mean."""

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None):
        if scale <= 0.0:
            raise error("argument-value",
                        ValueError(f"Argument `scale` must be positive float. Received: scale={scale}"),
                        what="scale", value=scale, must="a positive number")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise error("argument-choice",
                        ValueError(f"Invalid `mode` argument: {mode}. Please use one of ('fan_in', 'fan_out', 'fan_avg')"),
                        what="mode", value=mode, choices=["fan_in", "fan_out", "fan_avg"])
        self.scale, self.mode = scale, mode
        self.distribution = "truncated_normal" if distribution == "normal" else distribution
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = fans(tuple(shape))
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        scale, d = self.scale / max(1.0, n), _dtype(dtype)
        if self.distribution == "truncated_normal":  # the cut takes away from the deviation: 0.8796... is left
            return seeds.truncated_normal(shape, 0.0, math.sqrt(scale) / 0.87962566103423978, d, self.seed)
        if self.distribution == "untruncated_normal":
            return seeds.normal(shape, 0.0, math.sqrt(scale), d, self.seed)
        limit = math.sqrt(3.0 * scale)
        return seeds.uniform(shape, -limit, limit, d, self.seed)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "mode": self.mode, "distribution": self.distribution}


def _scaling(name, scale, mode, distribution, doc):
    def __init__(self, seed=None):
        VarianceScaling.__init__(self, scale, mode, distribution, seed)

    def get_config(self):
        return {"seed": self._init_seed}
    return type(name, (VarianceScaling,), {"__init__": __init__, "get_config": get_config, "__doc__": doc,
                                           "__module__": __name__})


GlorotUniform = _scaling("GlorotUniform", 1.0, "fan_avg", "uniform", "Uniform, by inputs and outputs (Glorot).")
GlorotNormal = _scaling("GlorotNormal", 1.0, "fan_avg", "truncated_normal", "Normal, by inputs and outputs (Glorot).")
HeUniform = _scaling("HeUniform", 2.0, "fan_in", "uniform", "Uniform, for layers with relu (He).")
HeNormal = _scaling("HeNormal", 2.0, "fan_in", "truncated_normal", "Normal, for layers with relu (He).")
LecunUniform = _scaling("LecunUniform", 1.0, "fan_in", "uniform", "Uniform, by inputs (LeCun).")
LecunNormal = _scaling("LecunNormal", 1.0, "fan_in", "truncated_normal", "Normal, by inputs (LeCun).")


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal columns (or rows), from the QR decomposition of a random one, times `gain`."""

    def __init__(self, gain=1.0, seed=None):
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise error("tensor-dims",
                        ValueError(f"The tensor to initialize must be at least two-dimensional. Received: shape={shape} of "
                                   f"rank {len(shape)}."),
                        what="the weight", shape=tuple(shape), need="at least {n}", n=2,
                        fix="choose another initializer for it, such as zeros.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        a = seeds.normal((max(rows, columns), min(rows, columns)), dtype=_dtype(dtype), seed=self.seed)
        q, r = matrices.qr(a)
        q = multiply(q, sign(matrices.diag_part(r)))
        q = shaping.transpose(q) if rows < columns else q
        return multiply(shaping.reshape(q, shape), self.gain)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
_CLASSES = [Zeros, Ones, Constant, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling,
            GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal]
_NAMES = ["zeros", "ones", "constant", "identity", "random_normal", "truncated_normal", "random_uniform",
          "variance_scaling", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
          "lecun_normal", "orthogonal"]
_BY_NAME = dict(zip(_NAMES, _CLASSES)) | {c.__name__: c for c in _CLASSES} | {
    "uniform": RandomUniform, "normal": RandomNormal, "one": Ones, "zero": Zeros}
globals().update(zip(_NAMES, _CLASSES))
_get = make_get("initializer", _BY_NAME.get)


def get(identifier):
    """The initializer that a name, class, configuration, array or object stands for; None for None."""
    if isinstance(identifier, (np.ndarray, list)) or hasattr(identifier, "_t"):
        values = identifier
        return lambda shape, dtype=None: cast(shaping.reshape(values, shape), _dtype(dtype))
    return _get(identifier)


def first_value(initializer, shape, dtype):
    """A tensor from an initializer of Keras's, or any function of a shape."""
    try:
        return initializer(tuple(shape), dtype=dtype)
    except TypeError:
        return box(value_of(initializer(tuple(shape)), None))


