"""Native functions that are written once for each type of element: for float32 and for float64."""
from __future__ import annotations

import numpy as np

from kobai.backends import llvm
from kobai.backends.gemm_micro import Shape, shape_for
from kobai.compile.kernel import NoKernel


def load(dtype, name: str, write, *functions: str) -> tuple[list[int], Shape]:
    """Addresses of functions for elements of a type, and the micro kernels' shape for it.

    Args:
        name: of the text in the cache, to which the type is added, as to the names of the functions.
        write: gives the text for ("float" or "double", the shape).

    Raises:
        NoKernel: if there is no machine code.
    """
    dtype = np.dtype(dtype)
    t = {"f": "float", "d": "double"}.get(dtype.char)
    if t is None:
        raise NoKernel(f"no convolutions of {dtype}")
    machine = llvm.machine()
    shape = shape_for(dtype.itemsize, machine.vector_bytes, machine.triple)
    made = machine.remembered(f"{name} {t}", lambda: write(t, shape))
    return machine.load(made, *[f"{function}_{t}" for function in functions]), shape
