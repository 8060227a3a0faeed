"""`tf.keras.layers`."""
from __future__ import annotations

from ..layer import Layer as Layer
from ..spec import InputSpec as InputSpec
from .activation import *
from .attention import *
from .convolutional import *
from .core import *
from .merging import *
from .normalization import *
from .pooling import *
from .recurrent import *
from .regularization import *
from .reshaping import *

_NOT_LAYERS = {"annotations", "np", "m", "wrap", "box", "value_of", "activations", "initializers", "regularizers",
               "constraints", "seeds", "arithmetic", "indexing", "shaping", "dtypes", "prod", "numbers", "pool",
               "convolve", "convolve_transposed", "depthwise", "output_length", "infer", "Node", "KerasTensor", "nest"}
for _name in _NOT_LAYERS & set(globals()):
    del globals()[_name]


def __getattr__(name):
    from ....missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
