"""All operations, one file a family. Importing this package fills the public namespaces."""
from . import (  # noqa: F401
    activation,
    complex,
    construct,
    conv,
    conversion,
    creation,
    elementwise,
    exponential,
    fill,
    gather,
    index,
    indexed,
    join,
    linear,
    logic,
    loss,
    margin,
    masks,
    movement,
    random,
    reduce,
    rounding,
    shape,
    softmax,
    special,
    split,
    subscript,
    trig,
    types,
)
from ..lifted import add_operators
from ..op import m
from ..public import export_elementwise  # noqa: I001  (after the families)

export_elementwise()
add_operators(m)
