"""One op at a time as machine code: what eager mode does with arrays that are not small.

    y = forward(op, (a, b))                       # instead of op.forward(a, b)
    grads = backward(op, mask, {"y": y, "a": a, "b": b}, g)

Both return None where there is no machine code (no llvmlite, no scalar code, an odd type), and the caller
goes on with NumPy.  A `Program` is one kernel with the callables made for the arrays it has met: one for
contiguous arrays of any size, and one for each other combination of shapes and strides.
"""

from __future__ import annotations

import numpy as np

from kobai.backends import llvm
from kobai.compile.emit import kernel_of, kernel_of_vjp, row_dims
from kobai.compile.kernel import Kernel, NoKernel, numpy_type
from kobai.compile.lower import Layout, broadcast_strides, fit

_PLANS = 512  # shapes a program remembers


class Program:
    """A kernel for arrays: ``program.call(a, b)`` makes the outputs and runs machine code on them.

    ``dims`` are the dimensions that form a row (None: no rows), dropped from outputs of one value a row
    unless ``keepdim``.
    """

    def __init__(self, kernel: Kernel, dims=None, keepdim: bool = True):
        self.kernel, self.dims, self.keepdim = kernel, dims, keepdim
        self.types = [numpy_type(t) for t in kernel.output_types]
        self.per_row = [kernel.per_row[i] for i in kernel.outputs]
        self.single = len(self.types) == 1
        self.plans: dict = {}
        self.call = self._by_plan
        if dims is None:
            layout = Layout(("1",) * (len(kernel.operands) + len(self.types)), 1, 0)
            inputs = [numpy_type(o.dtype) for o in kernel.operands]
            address = llvm.compiled(kernel, layout).address
            self.call = llvm.bridge().flat(address, inputs, self.types, self._by_plan)

    def _by_plan(self, *arrays):
        """For arrays of any shapes and strides."""
        run, prototypes = self._plan(arrays)
        result = run(*arrays, *prototypes)
        if self.single:
            return result if result.ndim else result[()]
        return tuple([r if r.ndim else r[()] for r in result])

    def _plan(self, arrays):
        """(callable, prototypes of the outputs) for arrays of these shapes and strides."""
        key = tuple([(a.shape, a.strides) for a in arrays])
        found = self.plans.get(key)
        if found is None:
            if len(self.plans) >= _PLANS:
                self.plans.clear()
            found = self.plans[key] = self._make_plan(arrays)
        return found

    def _make_plan(self, arrays):
        shape = np.broadcast_shapes(*[a.shape for a in arrays])
        dims = self.dims or ()
        order = [d for d in range(len(shape)) if d not in dims] + list(dims)
        outputs = [self._output(arrays, shape, t, row) for t, row in zip(self.types, self.per_row)]
        strides = [broadcast_strides(a, shape) for a in arrays]
        strides += [self._strides(o, shape, row) for o, row in zip(outputs, self.per_row)]
        turned = [tuple([s[d] for d in order]) for s in strides]
        fitted = fit(self.kernel, [shape[d] for d in order], turned, len(dims) if self.dims else None)
        code = llvm.compiled(self.kernel, fitted.layout)
        # Zero-stride views keep an output's memory order without its memory.
        prototypes = [
            np.lib.stride_tricks.as_strided(np.empty(1, o.dtype), o.shape, o.strides) for o in outputs
        ]
        return llvm.bridge().fitted(code, fitted, prototypes), prototypes

    def _output(self, arrays, shape, dtype, per_row: bool):
        """An output in the memory order of the first array of its shape, as NumPy does."""
        if per_row:
            kept = [
                1 if d in self.dims else s for d, s in enumerate(shape) if self.keepdim or d not in self.dims
            ]
            return np.empty(kept, dtype)
        like = next((a for a in arrays if a.shape == shape), None)
        return np.empty(shape, dtype) if like is None else np.empty_like(like, dtype)

    def _strides(self, output, shape, per_row: bool):
        if not per_row:
            return output.strides
        if self.keepdim:
            return broadcast_strides(output, shape)
        kept = iter(output.strides)
        return tuple([0 if d in self.dims else next(kept) for d in range(len(shape))])


_programs: dict = {}


def forward(op, arrays):
    """The result of an op on arrays (None where an input is left out), or None."""
    types = [None if a is None else a.dtype for a in arrays]
    arrays = [a for a in arrays if a is not None]
    key = (op, *types)
    program = _programs.get(key)
    if program is None:
        if not llvm.available:
            return None
        program = _programs[key] = _forward_program(op, types, max(a.ndim for a in arrays))
    return program.call(*arrays) if program else None


def _forward_program(op, types, ndim: int):
    try:
        kernel = kernel_of(op, types)
        if kernel is None:
            return False
        return Program(kernel, row_dims(op, ndim), getattr(op, "keepdim", False))
    except NoKernel:
        return False


def backward(op, mask: int, arrays: dict, g):
    """Gradients of the inputs with a bit in ``mask`` (unreduced where they broadcast), or None.

    ``arrays`` are "y" and the op's inputs by name; gradients come in a tuple with None for the others.
    """
    key = (op, mask, g.dtype, *[a.dtype for a in arrays.values()])
    if not op.elementwise:  # the rule may have used the shapes
        key += tuple([a.shape for a in arrays.values()])
    found = _programs.get(key)
    if found is None:
        if not llvm.available:
            return None
        found = _programs[key] = _backward_program(op, mask, arrays)
    if found is False:
        return None
    program, vjp = found
    results = program.call(*[g if name == "g" else arrays[name] for name in vjp.reads])
    gradients = [None] * len(op.inputs)
    for i, result in zip(vjp.gives, (results,) if program.single else results):
        gradients[i] = result
    return tuple(gradients)


def _backward_program(op, mask, arrays):
    try:
        vjp = kernel_of_vjp(op, mask, {name: (a.shape, a.dtype) for name, a in arrays.items()})
        return False if vjp is None else (Program(vjp.kernel, vjp.dims), vjp)
    except NoKernel:
        return False
