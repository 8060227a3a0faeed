"""`tf.errors`: TensorFlow's exceptions, and their texts."""
from __future__ import annotations

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"


class OpError(Exception):
    """What an operation refuses; the base of the others here."""

    code = 2

    def __init__(self, node_def=None, op=None, message="", error_code=None):
        super().__init__(message)
        self.message, self.op, self.node_def = message, op, node_def
        self.error_code = self.code if error_code is None else error_code

    def __str__(self):
        return self.message


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


def invalid(op, text, name="", fix="", inputs=0):
    """InvalidArgumentError as the kernel of TensorFlow's operation `op` raises it (of a list: of so many inputs)."""
    node = f"{op}_N_{inputs}" if inputs else op
    text = f"{{{{function_node __wrapped__{node}_device_{_DEVICE}}}}} {text} [Op:{op}]"
    text += "" if name is None else f" name: {name}"
    return InvalidArgumentError(None, None, text + (f"\n  fix: {fix}" if fix else ""))


def mismatch(op, position, want, got, name=""):
    """Two inputs of one operation have different dtypes; TensorFlow converts neither."""
    return InvalidArgumentError(None, None, (
        f"cannot compute {op} as input #{position}(zero-based) was expected to be a {want.long_name} tensor but is "
        f"a {got.long_name} tensor [Op:{op}] name: {name}\n"
        f"  cause: TensorFlow never converts a tensor's dtype by itself.\n"
        f"  fix: tf.cast(x, tf.{want.name})"))


def not_allowed(op, argument, dtype, allowed):
    """An operation that has no kernel for this dtype."""
    return InvalidArgumentError(None, None, (
        f"Value for attr 'T' of {dtype.long_name} is not in the list of allowed values: {', '.join(allowed)}\n"
        f"\t; NodeDef: {{{{node {op}}}}}; Op<name={op}; signature={argument}:T -> ...> [Op:{op}] name: \n"
        f"  fix: convert first: tf.cast(x, tf.float32)"))
