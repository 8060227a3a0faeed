"""Which dtypes an op takes, where PyTorch computes it for fewer than NumPy would.

`takes = Only("fV", "elu_cpu")` in an op's class says so; the errors are PyTorch's. Kinds are NumPy's letters:
b bool, i and u integers, f floating point, V bfloat16, c complex.
"""
from __future__ import annotations

from . import dtypes
from .diagnose import error
from .tensor import Tensor


def _value(v):
    return v._value if isinstance(v, Tensor) else v


class Only:
    """The kinds of the result dtype for which there is code; others are an error that names that code."""

    def __init__(self, kinds, kernel):
        self.kinds, self.kernel = kinds, kernel

    def __call__(self, inputs):
        """Raises: NotImplementedError."""
        d = dtypes.result_type([_value(v) for v in inputs if v is not None])
        if d.np.kind not in self.kinds:
            raise error("tensor-dtype", NotImplementedError(f"\"{self.kernel}\" not implemented for '{dtypes.type_word(d)}'"),
                        what="input", dtype=d.np, fn=self.kernel, must="other dtypes",
                        why="PyTorch has no {kernel} for {dtype}, and neither has kobai.", kernel=self.kernel,
                        fix="convert the input first: x.float(), x.long(), x.to(torch.complex64) or the like.")


class Not:
    """As `Only`, with a sentence or an exception of its own for each kind that is refused."""

    def __init__(self, **refusals):
        self.refusals = refusals

    def __call__(self, inputs):
        """Raises: RuntimeError, or the exception that was given."""
        found = self.refusals.get(dtypes.result_type([_value(v) for v in inputs if v is not None]).np.kind)
        if found is not None:
            d = dtypes.result_type([_value(v) for v in inputs if v is not None])
            raise error("tensor-dtype", RuntimeError(found) if isinstance(found, str) else type(found)(*found.args),
                        what="input", dtype=d.np, fn="?", must="other dtypes",
                        why="the input has dtype {dtype}, for which this is not defined.",
                        fix="~mask turns a mask around; x.int() or x.float() makes numbers, x.abs() or x.real real ones.")


class Difference:
    """Bool is not subtracted, whatever the other side is."""

    def __call__(self, inputs):
        """Raises: RuntimeError."""
        bools = sum(_is_bool(_value(v)) for v in inputs)
        if bools == len(inputs):
            raise error("tensor-dtype",
                        RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                                     "`logical_xor()` operator instead."),
                        what="both inputs", dtype="torch.bool", fn="-", must="numbers",
                        why="True and False are not numbers that can be subtracted.",
                        fix="a ^ b says where they differ; a.int() - b.int() subtracts 0 and 1.")
        if bools:
            raise error("tensor-dtype",
                        RuntimeError("Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
                                     "to invert a mask, use the `~` or `logical_not()` operator instead."),
                        what="an input", dtype="torch.bool", fn="-", must="numbers",
                        why="True and False are not numbers that can be subtracted.",
                        fix="~mask inverts a mask; 1 - mask.int() counts it.")


def _is_bool(v):
    d = getattr(v, "dtype", None)
    return d.kind == "b" if d is not None else isinstance(v, bool)
