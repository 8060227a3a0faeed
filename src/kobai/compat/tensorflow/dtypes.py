"""`tf.float32` and its kin: the element types, over NumPy's."""
from __future__ import annotations

import numpy as np

from ... import dtypes as _kobai
from ...diagnose import error

__all__ = ["DType", "as_dtype"]


class DType:
    """The type of a tensor's elements; it equals its own name and NumPy's type as well.

    >>> import kobai.compat.tensorflow as tf
    >>> tf.float32, str(tf.float32), tf.float32 == "float32", tf.float32 == np.float32
    (tf.float32, "<dtype: 'float32'>", True, True)
    """

    __slots__ = ("name", "np", "_number", "long_name")

    def __init__(self, name, np_type, number, long_name):
        self.name, self.np, self._number, self.long_name = name, np.dtype(np_type), number, long_name

    as_numpy_dtype = property(lambda self: self.np.type)
    as_datatype_enum = property(lambda self: self._number)
    is_floating = property(lambda self: self.np.kind in "fV" or self.name == "bfloat16")
    is_integer = property(lambda self: self.np.kind in "iu")
    is_unsigned = property(lambda self: self.np.kind == "u")
    is_complex = property(lambda self: self.np.kind == "c")
    is_bool = property(lambda self: self.np.kind == "b")
    is_numeric = property(lambda self: self.np.kind in "iufcV")
    is_numpy_compatible = is_quantized = property(lambda self: False)
    size = property(lambda self: 1 if self.name == "string" else self.np.itemsize)
    base_dtype = property(lambda self: self)
    real_dtype = property(lambda self: {"complex64": float32, "complex128": float64}.get(self.name, self))
    min = property(lambda self: self._limits()[0])
    max = property(lambda self: self._limits()[1])
    limits = property(lambda self: self._limits())

    def _limits(self):
        if self.np.kind == "b":
            return False, True
        if self.np.kind in "iu":
            info = np.iinfo(self.np)
            return info.min, info.max
        if not self.is_floating:
            raise error("not-possible", TypeError(f"Cannot find minimum value of {self}."),
                        dtype=self.name, why="{dtype} has no smallest and no largest number.",
                        fix="floats and integers have them: tf.float32.max.")
        info = np.finfo(self.np)
        return info.min, info.max

    def is_compatible_with(self, other):
        """Whether a tensor of dtype `other` may stand where this one is expected."""
        return self == other

    def __eq__(self, other):
        if other is self:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return self._number

    def __int__(self):
        return self._number

    def __repr__(self):
        return "tf." + self.name

    def __str__(self):
        return f"<dtype: {self.name!r}>"

    def __reduce__(self):
        return as_dtype, (self.name,)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


# (name, NumPy's type, TensorFlow's enumeration, the name in error messages)
_TABLE = [
    ("float32", np.float32, 1, "float"), ("float64", np.float64, 2, "double"), ("int32", np.int32, 3, "int32"),
    ("uint8", np.uint8, 4, "uint8"), ("int16", np.int16, 5, "int16"), ("int8", np.int8, 6, "int8"),
    ("string", np.object_, 7, "string"), ("complex64", np.complex64, 8, "complex64"), ("int64", np.int64, 9, "int64"),
    ("bool", np.bool_, 10, "bool"), ("uint16", np.uint16, 17, "uint16"), ("complex128", np.complex128, 18, "complex128"),
    ("float16", np.float16, 19, "half"), ("uint32", np.uint32, 22, "uint32"), ("uint64", np.uint64, 23, "uint64"),
]  # fmt: skip
if _kobai.bfloat16 is not None:
    _TABLE.append(("bfloat16", _kobai.bfloat16.np, 14, "bfloat16"))

NAMES = {row[0]: DType(*row) for row in _TABLE}
_BY_NP = {d.np: d for d in NAMES.values()}
float32, float64, int32, int64 = NAMES["float32"], NAMES["float64"], NAMES["int32"], NAMES["int64"]
bool_, string = NAMES["bool"], NAMES["string"]
NAMES |= {"half": NAMES["float16"], "double": float64}
_FROM = {**NAMES, "float": float32, float: float32, bool: bool_, str: string, bytes: string, object: string}


def as_dtype(value):
    """The DType of a name, a NumPy dtype or scalar type, a Python type, or a DType.

    >>> as_dtype("float64"), as_dtype(np.int32), as_dtype(float)
    (tf.float64, tf.int32, tf.float32)

    Raises: TypeError for what is no type of TensorFlow's.
    """
    if value.__class__ is DType:
        return value
    try:
        found = _FROM.get(value)
        if found is None and value is not int and value is not None:
            found = of(np.dtype(value))
    except (TypeError, KeyError):
        found = None
    if found is None:
        raise error("argument-value",
                    TypeError(f"Cannot convert the argument `type_value`: {value!r} to a TensorFlow DType."),
                    what="dtype", value=value, must="a dtype such as tf.float32 or 'float32'")
    return found


def of(np_dtype):
    """The DType of a NumPy dtype."""
    found = _BY_NP.get(np_dtype)
    if found is None:
        if np_dtype.kind in "SUO":
            return string
        found = _BY_NP[np_dtype.newbyteorder("=")]
    return found


def is_differentiable(np_dtype):
    """Whether values of this NumPy dtype have gradients."""
    return np_dtype.kind in "fcV"
