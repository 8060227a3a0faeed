"""`tf.errors`: TensorFlow's exceptions, and their texts."""
from __future__ import annotations

from ...diagnose import error

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"


class OpError(Exception):
    """What an operation refuses; the base of the others here."""

    code = 2

    def __init__(self, node_def=None, op=None, message="", error_code=None):
        super().__init__(message)
        self.op, self.node_def = op, node_def
        self.error_code = self.code if error_code is None else error_code

    @property
    def message(self):
        """The text; with cause and fix where kobai raised it."""
        return self.args[0]

    def __str__(self):
        return str(self.message)


def _make(name, number, meaning):
    return type(name, (OpError,), {"code": number, "__doc__": meaning})


CancelledError = _make("CancelledError", 1, "The work was given up.")
UnknownError = _make("UnknownError", 2, "Something else went wrong.")
InvalidArgumentError = _make("InvalidArgumentError", 3, "An operation cannot take these inputs.")
DeadlineExceededError = _make("DeadlineExceededError", 4, "It took too long.")
NotFoundError = _make("NotFoundError", 5, "A file, or something else with a name, is not there.")
AlreadyExistsError = _make("AlreadyExistsError", 6, "Something of that name exists.")
PermissionDeniedError = _make("PermissionDeniedError", 7, "That is not allowed.")
ResourceExhaustedError = _make("ResourceExhaustedError", 8, "There is no memory left, or the like.")
FailedPreconditionError = _make("FailedPreconditionError", 9, "Something has to be done before.")
AbortedError = _make("AbortedError", 10, "The work was broken off.")
OutOfRangeError = _make("OutOfRangeError", 11, "There are no elements any more.")
UnimplementedError = _make("UnimplementedError", 12, "There is no such operation for these types.")
InternalError = _make("InternalError", 13, "The system itself is at fault.")
UnavailableError = _make("UnavailableError", 14, "Not available now.")
DataLossError = _make("DataLossError", 15, "A file is damaged.")
for _class in (OpError, *OpError.__subclasses__()):
    _class.__module__ = "tensorflow.python.framework.errors_impl"


def invalid(op, text, name="", inputs=0):
    """InvalidArgumentError as the kernel of TensorFlow's operation `op` raises it (of a list: of so many inputs)."""
    node = f"{op}_N_{inputs}" if inputs else op
    text = f"{{{{function_node __wrapped__{node}_device_{_DEVICE}}}}} {text} [Op:{op}]"
    return InvalidArgumentError(None, None, text + ("" if name is None else f" name: {name}"))


def mismatch(op, position, want, got, name=""):
    """Two inputs of one operation have different dtypes; TensorFlow converts neither."""
    return error("dtypes-differ", InvalidArgumentError(None, None, (
        f"cannot compute {op} as input #{position}(zero-based) was expected to be a {want.long_name} tensor but is "
        f"a {got.long_name} tensor [Op:{op}] name: {name}")),
        what=f"input {position}", dtype=got.name, other="input 0", other_dtype=want.name,
        why="{what} has dtype {dtype} and {other} has dtype {other_dtype}; TensorFlow never converts a dtype by "
            "itself.",
        fix="tf.cast(x, tf.{other_dtype})")


def not_allowed(op, argument, dtype, allowed):
    """An operation that has no kernel for this dtype."""
    return error("tensor-dtype", InvalidArgumentError(None, None, (
        f"Value for attr 'T' of {dtype.long_name} is not in the list of allowed values: {', '.join(allowed)}\n"
        f"\t; NodeDef: {{{{node {op}}}}}; Op<name={op}; signature={argument}:T -> ...> [Op:{op}] name: ")),
        what=argument, dtype=dtype.name, fn=op, must="{allowed}", allowed=", ".join(allowed),
        fix="tf.cast(x, tf.float32)")


def wrong_rank(plain, what, shape, need, **counts):
    """`plain`, with the reason: a tensor has too many or too few dimensions."""
    return error("tensor-dims", plain, what=what, shape=tuple(shape), need=need, **counts, fix=(
        "tf.expand_dims(x, axis) adds a dimension, tf.squeeze(x, axis) drops one of size 1, tf.reshape changes all."))


def wrong_axis(plain, axis, ndim):
    """`plain`, with the reason: a tensor has no such dimension."""
    return error("argument-value", plain, what="axis", value=axis, count=ndim,
                 why="axis is {value}, and the tensor has {count} dimensions.",
                 fix="axis counts from 0 on, or from -1 on backwards; x.shape shows the dimensions.")


def shapes_meet_not(plain, what, shape, other, other_shape):
    """`plain`, with the reason: two shapes do not broadcast."""
    return error("shapes-differ", plain, what=what, shape=tuple(shape), other=other, other_shape=tuple(other_shape),
                 must="sizes, counted from the last dimension on, must be equal or 1",
                 fix="tf.expand_dims adds a dimension of size 1; tf.transpose and tf.reshape change the order.")
