"""What every backend offers, and which one to use.

A backend is a module with these names; `kobai.backends.numpy` defines by running what a kernel means, the
others are tested against it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from kobai.backends import llvm, numpy as reference
from kobai.compile.kernel import Kernel


class Backend(Protocol):
    """Runs kernels on arrays.

    ``run`` broadcasts the operands to an iteration space, whose last ``inner`` axes are the elements of a
    row (all axes, if not given), and returns the outputs; those of one value a row have size 1 along
    these axes.  It raises `kobai.compile.kernel.NoKernel` for what the backend cannot do.
    """

    available: bool

    def run(self, kernel: Kernel, *arrays, inner: int | None = None) -> tuple[np.ndarray, ...]: ...


def best() -> Backend:
    """Machine code where there is llvmlite, else NumPy.

    >>> from kobai.compile.builder import build
    >>> best().run(build(lambda k, x: x * x + 1, ["f64"]), np.arange(3.0))
    (array([1., 2., 5.]),)
    """
    return llvm if llvm.available else reference
