"""`tf.keras.layers`."""
from __future__ import annotations

from ..layer import Layer as Layer
from ..spec import InputSpec as InputSpec
from .activation import *
from .attention import *
from .convolutional import *
from .core import *
from .encoding import *
from .image import *
from .merging import *
from .normalization import *
from .pooling import *
from .recurrent import *
from .regularization import *
from .reshaping import *

_NOT_LAYERS = {"Counter", "KerasTensor", "Node", "activations", "annotations", "arithmetic", "box", "constraints",
               "convert_to_tensor", "convolve", "convolve_transposed", "depthwise", "dtypes", "indexing", "infer",
               "initializers", "m", "nest", "np", "numbers", "output_length", "pool", "prod", "re", "regularizers",
               "seeds", "shaping", "value_of", "wrap"}
for _name in _NOT_LAYERS & set(globals()):
    del globals()[_name]


def __getattr__(name):
    from ....missing import missing_attribute
    raise missing_attribute(__name__, name, dir())
