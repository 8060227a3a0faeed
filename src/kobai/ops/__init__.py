"""All operations, one file a family. Importing this package fills the public namespaces."""
from . import (  # noqa: F401
    activation,
    along,
    calculus,
    combine,
    complex,
    construct,
    conv,
    conversion,
    creation,
    diagonal,
    elementwise,
    exponential,
    extremes,
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
    parts,
    random,
    rearrange,
    reduce,
    rounding,
    scan,
    shape,
    softmax,
    special,
    split,
    storage,
    strided,
    subscript,
    trig,
    types,
)
from ..lifted import add_operators
from ..op import m
from ..public import export_elementwise  # noqa: I001  (after the families)

export_elementwise()
add_operators(m)
