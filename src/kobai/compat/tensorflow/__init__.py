"""`import tensorflow as tf`: TensorFlow's names on kobai's engine. A GradientTape is another face of its graph.

Reading order: recording.py (what a tape knows), tape.py, tensors.py, values.py, arithmetic.py; the other
files are families of operations. `tf.keras` and `tf.data` are packages of their own, imported when used.
"""
from __future__ import annotations

import importlib as _importlib
import sys as _sys

from . import (
    arithmetic as _arithmetic,
)
from . import (
    control as _control,
)
from . import (
    convolution as _convolution,
)
from . import (
    creation as _creation,
)
from . import (
    custom as _custom,
)
from . import (
    debugging as _debugging,
)
from . import errors as errors
from . import (
    forward as _forward,
)
from . import (
    indexing as _indexing,
)
from . import (
    matrices as _matrices,
)
from . import (
    modules as _modules,
)
from . import nest as nest
from . import (
    nn_ops as _nn_ops,
)
from . import (
    operators as _operators,
)
from . import (
    output as _output,
)
from . import (
    random_ops as _random_ops,
)
from . import (
    reductions as _reductions,
)
from . import (
    shaping as _shaping,
)
from . import (
    sorting as _sorting,
)
from . import (
    starting as _starting,
)
from . import (
    strings as _strings,
)
from . import (
    system as _system,
)
from . import (
    tape as _tape,
)
from . import (
    variables as _variables,
)
from .dtypes import NAMES as _DTYPES
from .dtypes import DType as DType
from .dtypes import as_dtype as as_dtype
from .names import make_modules as _make_modules
from .shapes import TensorShape as TensorShape
from .tensors import Tensor as Tensor

__version__ = "2.21.0+kobai"
newaxis = None

globals().update(_DTYPES)
_make_modules(_sys.modules[__name__])
dtypes = _sys.modules[__name__ + ".dtypes"]
vars(dtypes).update(_DTYPES)

_LAZY = {"keras": "keras", "data": "data", "version": "version", "losses": "keras.losses",
         "metrics": "keras.metrics", "optimizers": "keras.optimizers",
         "initializers": "keras.initializers"}


def __getattr__(name):
    if name in _LAZY:
        module = _importlib.import_module("." + _LAZY[name], __name__)
        globals()[name] = module
        return module
    from ..missing import missing_attribute
    raise missing_attribute(__name__, name, __dir__())


def __dir__():
    return sorted({*(n for n in globals() if not n.startswith("_")), *_LAZY})
