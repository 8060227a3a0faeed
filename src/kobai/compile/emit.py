"""Kernels of ops: run an op's ``emit`` with a builder.

This is where types that have no arithmetic are dealt with: float16 and bfloat16 inputs are widened to
float32, and the result rounded once, as the eager engine does it.
"""

from __future__ import annotations

from kobai.compile.builder import Builder, Value
from kobai.compile.kernel import Kernel, KernelError, NoKernel, kind_of, scalar_type


def emit_op(k: Builder, op, inputs: list[Value]) -> tuple[Value, ...]:
    """The outputs of an op applied to values of a kernel being built.

    Raises:
        NoKernel: if the op has no scalar code for these types.
    """
    if op.emit is None:
        raise NoKernel(f"{type(op).__name__} has no scalar code")
    half = next((v.dtype for v in inputs if kind_of(v.dtype) == "h"), None)
    keeps = half is None or getattr(op, "moves", False) or getattr(op, "view", False)
    if not keeps:
        inputs = [k.cast(v, "f32") if kind_of(v.dtype) == "h" else v for v in inputs]
    try:
        result = op.emit(k, *inputs)
    except KernelError as e:
        raise NoKernel(f"{type(op).__name__}: {e}") from e
    outputs = result if isinstance(result, tuple) else (result,)
    outputs = tuple(v if isinstance(v, Value) else k.const(v, inputs[-1].dtype) for v in outputs)
    return outputs if keeps else tuple(k.cast(v, half) if v.dtype == "f32" else v for v in outputs)


def kernel_of(op, dtypes) -> Kernel | None:
    """The kernel of one op for inputs of these types, or None if it has none.

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
        inputs = [k.operand(scalar_type(d), name) for d, name in zip(dtypes, names)]
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
