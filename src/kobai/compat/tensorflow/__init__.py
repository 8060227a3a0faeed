"""`import tensorflow as tf`: TensorFlow's names on kobai's engine. A GradientTape is another face of its graph.

Reading order: recording.py (what a tape knows), tape.py, tensors.py, values.py, arithmetic.py; the other
files are families of operations. `tf.keras` and `tf.data` are packages of their own, imported when used.
"""
from __future__ import annotations

import importlib as _importlib
import sys as _sys

from . import (
    arithmetic as _arithmetic,
    checkpoints as _checkpoints,
    control as _control,
    convolution as _convolution,
    creation as _creation,
    custom as _custom,
    debugging as _debugging,
    errors as errors,
    files as _files,
    forward as _forward,
    indexing as _indexing,
    lookup as _lookup,
    matrices as _matrices,
    modules as _modules,
    nest as nest,
    nn_ops as _nn_ops,
    operators as _operators,
    output as _output,
    random_ops as _random_ops,
    reductions as _reductions,
    shaping as _shaping,
    sorting as _sorting,
    starting as _starting,
    strings as _strings,
    system as _system,
    tape as _tape,
    variables as _variables,
)
from .dtypes import NAMES as _DTYPES, DType as DType, as_dtype as as_dtype
from .names import make_modules as _make_modules
from .shapes import TensorShape as TensorShape
from .tensors import Tensor as Tensor

__version__ = "2.21.0+kobai"
newaxis = None

globals().update(_DTYPES)
_make_modules(_sys.modules[__name__])
dtypes = _sys.modules[__name__ + ".dtypes"]
vars(dtypes).update(_DTYPES)

_LAZY = {**dict.fromkeys(("data", "image", "keras", "ragged", "signal", "sparse", "version")),
         "losses": "keras.losses", "metrics": "keras.metrics", "optimizers": "keras.optimizers",
         "initializers": "keras.initializers"}
_CLASSES = {"RaggedTensor": "ragged", "SparseTensor": "sparse"}


def __getattr__(name):
    if name in _CLASSES:
        return getattr(__getattr__(_CLASSES[name]), name)
    if name in _LAZY:
        module = _importlib.import_module("." + (_LAZY[name] or name), __name__)
        globals()[name] = module
        return module
    from ..missing import missing_attribute
    raise missing_attribute(__name__, name, __dir__())


def __dir__():
    return sorted({*(n for n in globals() if not n.startswith("_")), *_LAZY, *_CLASSES})
