"""All operations, one file a family. Importing this package fills the public namespaces."""
from . import complex, construct, creation, elementwise, linear, movement, random, reduce, softmax, types  # noqa: F401
from ..lifted import add_operators
from ..op import m
from ..public import export_elementwise  # noqa: I001  (after the families)

export_elementwise()
add_operators(m)
