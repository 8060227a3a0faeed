"""Kernels of ops: run an op's ``emit``, or its derivative rules, with a builder.

This is where types that have no arithmetic are dealt with: float16 and bfloat16 inputs are widened to
float32, and the result rounded once, as the eager engine does it.  Rules are run on `Scalar`, an
array-like value under which every op is its ``emit``; so the formula that differentiates arrays and
Tensors is also the scalar code of the backward pass.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from kobai.compile.builder import Builder, Value
from kobai.compile.kernel import Kernel, KernelError, NoKernel, kind_of, numpy_type, scalar_type
from kobai.lifted import Lifted
from kobai.rules import compiled_rules


def emit_op(k: Builder, op, inputs: list[Value]) -> tuple[Value, ...]:
    """The outputs of an op applied to values of a kernel being built.

    Raises:
        NoKernel: if the op has no scalar code for these types.
    """
    if op.emit is None:
        raise NoKernel(f"{type(op).__name__} has no scalar code")
    half = next((v.dtype for v in inputs if v is not None and kind_of(v.dtype) == "h"), None)
    keeps = half is None or getattr(op, "moves", False) or getattr(op, "view", False)
    if not keeps:
        inputs = [v if v is None or kind_of(v.dtype) != "h" else k.cast(v, "f32") for v in inputs]
    try:
        result = op.emit(k, *inputs)
    except KernelError as e:
        raise NoKernel(f"{type(op).__name__}: {e}") from e
    except (TypeError, AttributeError) as e:
        if any(v is None for v in inputs):
            raise NoKernel(f"{type(op).__name__} needs an input that is left out") from e
        raise
    outputs = result if isinstance(result, tuple) else (result,)
    outputs = tuple(
        v if isinstance(v, Value) else k.const(v, next(i.dtype for i in reversed(inputs) if i is not None))
        for v in outputs
    )
    return outputs if keeps else tuple(k.cast(v, half) if v.dtype == "f32" else v for v in outputs)


def kernel_of(op, dtypes) -> Kernel | None:
    """The kernel of one op for inputs of these types (None: left out), or None if it has none.

    >>> import kobai
    >>> from kobai.ops.elementwise import Neg
    >>> print(kernel_of(Neg(), [np.float32]))
    kernel neg(x: f32) -> f32
      %0 = load x                      f32
      %1 = neg %0                      f32
      return %1
    """
    k = Builder(type(op).__name__.lower())
    try:
        names = op.inputs if len(op.inputs) == len(dtypes) else [None] * len(dtypes)
        inputs = [None if d is None else k.operand(scalar_type(d), name) for d, name in zip(dtypes, names)]
        return k.finish(*emit_op(k, op, inputs))
    except NoKernel:
        return None


def kernel_of_graph(nodes, outputs, name: str = "fused") -> Kernel:
    """One kernel for a chain of elementwise ops and reductions over whole rows.

    Args:
        nodes: (op, inputs, output) in order; inputs and output are hashable names of values, or an input
            is a Python number.  Names that no node gives are operands, as (name, dtype).
        outputs: the names the kernel gives.

    Raises:
        NoKernel: if an op has no scalar code.

    >>> from kobai.ops.elementwise import Mul, Neg
    >>> a, b = ("a", np.float32), ("b", np.float32)
    >>> kernel_of_graph([(Mul(), [a, b], "p"), (Neg(), ["p"], "y")], ["y"]).output_types
    ('f32',)
    """
    k = Builder(name)
    values: dict = {}
    for op, inputs, output in nodes:
        results = emit_op(k, op, [_input(k, values, i) for i in inputs])
        values.update(zip(output if isinstance(output, tuple) else (output,), results))
    return k.finish(*[values[o] for o in outputs])


def _input(k: Builder, values: dict, name):
    if isinstance(name, (bool, int, float)):
        return name
    if name not in values:
        label, dtype = name
        values[name] = k.operand(dtype, str(label))
    return values[name]


def row_dims(op, ndim: int) -> tuple[int, ...] | None:
    """The dimensions an op reduces or normalises over, or None if it is elementwise."""
    if op.elementwise or op.moves or ndim == 0:
        return None
    dim = getattr(op, "dim", None)
    if dim is None:
        return tuple(range(ndim))
    return tuple(d % ndim for d in ((dim,) if isinstance(dim, int) else dim))


class VjpKernel(NamedTuple):
    """The backward pass of an op: its kernel, what it reads, which inputs it gives gradients of, its rows.

    ``reads`` are the names of the operands: "g", and what the rules ask for.  ``dims`` are the
    dimensions that are a row, or None.
    """

    kernel: Kernel
    reads: tuple[str, ...]
    gives: tuple[int, ...]
    dims: tuple[int, ...] | None


def kernel_of_vjp(op, mask: int, arrays) -> VjpKernel | None:
    """The backward pass of an op for the inputs with a bit in ``mask``, or None if it is no single kernel.

    ``arrays`` are (shape, dtype) by name: "y" (g is like it) and the op's inputs.

    >>> from kobai.ops.elementwise import Mul
    >>> like = ((3,), np.dtype("f4"))
    >>> print(kernel_of_vjp(Mul(), 1, {"y": like, "a": like, "b": like}).kernel)
    kernel mul_vjp(g: f32, b: f32) -> f32
      %0 = load g                      f32
      %1 = load b                      f32
      %2 = mul %0 %1                   f32
      return %2
    """
    _, vjp = compiled_rules(type(op), mask, False)
    trace = _Trace(Builder(type(op).__name__.lower() + "_vjp"))
    try:
        g = trace.operand("g", *arrays["y"])
        saved = [_ask(trace, ask, arrays) for ask in vjp.asks]
        versions = [[0]] * vjp.cells + [0] * bool(vjp.cells)
        gradients = vjp(SimpleNamespace(op=op, fit=None), g, (*saved, *versions))
        given = [(i, v) for i, v in enumerate(gradients) if v is not None]
        kernel = trace.k.finish(*[v.value for _, v in given])
    except (NoKernel, KernelError, AttributeError, TypeError, ValueError):
        return None  # the rule does what scalar code cannot
    if op.elementwise and trace.dims is not None:
        return None  # a sum over everything beside gradients of each element: two passes are as good
    reads = tuple(o.name for o in kernel.operands)
    return VjpKernel(kernel, reads, tuple(i for i, _ in given), trace.dims)


def _ask(trace: _Trace, ask: str, arrays):
    """What a rule asks for: an operand, or the shape or dtype of an input."""
    for name, (shape, dtype) in arrays.items():
        if ask == name + "_shape":
            return shape
        if ask == name + "_dtype":
            return dtype
    return trace.operand(ask, *arrays[ask])


class _Trace:
    """A kernel being made from a rule, and the dimensions that turn out to be its rows."""

    def __init__(self, k: Builder):
        self.k, self.dims = k, None

    def operand(self, name: str, shape, dtype) -> Scalar:
        return Scalar(self, self.k.operand(dtype, name), tuple(shape))


class Scalar(Lifted):
    """A kernel's value in place of an array: ops called on it become scalar code."""

    __slots__ = ("trace", "value", "shape")
    level = 1 << 30

    def __init__(self, trace: _Trace, value: Value, shape):
        self.trace, self.value, self.shape = trace, value, shape

    @property
    def dtype(self):
        return numpy_type(self.value.dtype)

    def process(self, op, values):
        scalars = [v for v in values if isinstance(v, Scalar)]
        shape = np.broadcast_shapes(*[v.shape for v in scalars])
        if type(op).__name__ in ("Expand", "Reshape"):
            return Scalar(self.trace, self.value, self._reshaped(op))
        if not op.elementwise and not op.moves:
            shape = self._reduced(op, shape)
        results = emit_op(self.trace.k, op, [self._scalar(v) for v in values])
        outputs = tuple(Scalar(self.trace, v, shape) for v in results)
        return outputs if op.outputs != 1 else outputs[0]

    def _scalar(self, v) -> Value:
        if isinstance(v, Scalar):
            return v.value
        return self.trace.k.const(v, v.dtype if isinstance(v, np.generic) else self.value.dtype)

    def _reshaped(self, op):
        """Only what broadcasting does anyway: sizes of 1 put in, or stretched."""
        old, new = [s for s in self.shape if s != 1], [s for s in op.shape if s != 1]
        if old == new or (
            type(op).__name__ == "Expand" and np.broadcast_shapes(self.shape, op.shape) == op.shape
        ):
            return op.shape
        raise NoKernel(f"{op} moves elements")

    def _reduced(self, op, shape):
        """The shape of a reduction's result; all reductions of a kernel go over the same rows."""
        dims = row_dims(op, len(shape))
        if op.emit is None or self.trace.dims not in (None, dims):
            raise NoKernel(f"{op} goes over other dimensions than the reductions before it")
        self.trace.dims = dims
        keep = getattr(op, "keepdim", True)
        return tuple(1 if d in dims else s for d, s in enumerate(shape) if keep or d not in dims)
