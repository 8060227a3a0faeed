"""`tf.keras`: layers, models and their training, as Keras 3 has them, over kobai's tapes."""
from __future__ import annotations

import importlib as _importlib

from . import (
    activations as activations,
    callbacks as callbacks,
    constraints as constraints,
    initializers as initializers,
    layers as layers,
    losses as losses,
    metrics as metrics,
    optimizers as optimizers,
    regularizers as regularizers,
)
from .initializers import Initializer as Initializer
from .layer import Layer as Layer
from .layers import Input as Input, InputSpec as InputSpec
from .losses import Loss as Loss
from .metrics import Metric as Metric
from .model import Model as Model, Sequential as Sequential
from .optimizers import Optimizer as Optimizer
from .regularizers import Regularizer as Regularizer
from .symbolic import KerasTensor as KerasTensor
from .variable import Variable as Variable

__version__ = "3.15.1+kobai"
_MODULES = ("backend", "datasets", "models", "ops", "preprocessing", "utils")
_ELSEWHERE = {"random": "seeds", "config": "settings", "saving": "models"}


def __getattr__(name):
    if name in _MODULES or name in _ELSEWHERE:
        module = _importlib.import_module("." + _ELSEWHERE.get(name, name), __name__)
        globals()[name] = module
        return module
    from ...missing import missing_attribute
    raise missing_attribute(__name__, name, __dir__())


def __dir__():
    return sorted({*(n for n in globals() if not n.startswith("_")), *_MODULES, *_ELSEWHERE})
