"""All operations, one file a family. Importing this package fills the public namespaces.

Families that are not imported here are imported when one of their names is first used (later.py); their names are in
families.py, which `python tools/list_families.py` writes.
"""
from ..later import stand_in
from ..lifted import Names, add_operators
from ..op import m
from ..public import export_elementwise
from ..tensor import Tensor
from . import (
    activation,
    complex,
    construct,
    conversion,
    creation,
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
    masks,
    movement,
    parts,
    random,
    rearrange,
    reduce,
    rounding,
    shape,
    softmax,
    split,
    storage,
    strided,
    subscript,
    trig,
    typed,
    types,
)

export_elementwise()
add_operators(m)
stand_in("Tensor", Tensor)
stand_in("m", Names, m)
