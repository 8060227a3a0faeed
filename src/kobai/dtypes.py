"""Data types: PyTorch's names and promotion rules over NumPy's types."""
from __future__ import annotations

import numpy as np

try:
    from ml_dtypes import bfloat16 as _bf16
except ImportError:  # a browser, or a bare NumPy installation: no bfloat16 there
    _bf16 = None

BOOL, INT, FLOAT, COMPLEX = range(4)  # categories, in order of promotion


class dtype:
    """The type of a tensor's elements; one instance per type, compared by identity.

    >>> import kobai
    >>> kobai.float32, kobai.float32.itemsize, kobai.int8.is_floating_point
    (torch.float32, 4, False)
    """

    __slots__ = ("name", "np", "category", "itemsize", "is_signed", "_order")

    def __init__(self, name, np_type, category):
        self.name, self.np, self.category = name, np.dtype(np_type), category
        self.itemsize = self.np.itemsize
        self.is_signed = category >= INT and self.np.kind != "u"
        self._order = len(_all)

    is_floating_point = property(lambda self: self.category == FLOAT)
    is_complex = property(lambda self: self.category == COMPLEX)

    def to_complex(self):
        return _TO_COMPLEX.get(self.name, complex128 if self.itemsize >= 8 else complex64)

    def to_real(self):
        return _TO_REAL.get(self.name, self)

    def __repr__(self):  # PyTorch's spelling, which people's programs print
        return "torch." + self.name

    def __reduce__(self):
        return self.name

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


_all: list[dtype] = []
_of: dict[np.dtype, dtype] = {}


def _make(name, np_type, category):
    d = dtype(name, np_type, category)
    _all.append(d)
    _of[d.np] = d
    return d


bool_ = _make("bool", np.bool_, BOOL)
uint8 = _make("uint8", np.uint8, INT)
int8 = _make("int8", np.int8, INT)
int16 = _make("int16", np.int16, INT)
int32 = _make("int32", np.int32, INT)
int64 = _make("int64", np.int64, INT)
uint16 = _make("uint16", np.uint16, INT)
uint32 = _make("uint32", np.uint32, INT)
uint64 = _make("uint64", np.uint64, INT)
float16 = _make("float16", np.float16, FLOAT)
if _bf16 is not None:
    bfloat16 = _make("bfloat16", _bf16, FLOAT)
else:
    bfloat16 = None
float32 = _make("float32", np.float32, FLOAT)
float64 = _make("float64", np.float64, FLOAT)
complex64 = _make("complex64", np.complex64, COMPLEX)
complex128 = _make("complex128", np.complex128, COMPLEX)

_TO_COMPLEX = {"float16": complex64, "bfloat16": complex64, "float32": complex64,
               "float64": complex128, "complex64": complex64, "complex128": complex128}
_TO_REAL = {"complex64": float32, "complex128": float64}

NAMES = {d.name: d for d in _all} | {
    "float": float32, "double": float64, "half": float16, "short": int16, "int": int32,
    "long": int64, "cfloat": complex64, "cdouble": complex128}

_default = float32
settings = np.array([id(_default)])  # what functions read beside their arguments, as a number, for backends/forms.py


def of(np_dtype):
    """The kobai dtype of a NumPy dtype; TypeError where PyTorch has none."""
    try:
        return _of[np_dtype]
    except KeyError:
        pass
    np_dtype = np.dtype(np_dtype)
    found = _of.get(np_dtype.newbyteorder("="))
    if found is None:
        from .diagnose import error  # noqa: PLC0415  (dtypes stand below it)
        raise error("argument-type", TypeError(
            f"can't convert np.ndarray of type {np_dtype}. The only supported types are: float64, "
            "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, "
            "uint16, uint8, and bool."),
            what="the array", kind=f"numpy.ndarray of {np_dtype}", must="an array of numbers",
            fix="convert it first: array.astype(np.float32); texts and objects must become numbers.")
    return found


def get_default_dtype():
    """The dtype of floating-point values whose dtype is not given (float32 at first)."""
    return _default


def set_default_dtype(d):
    """Set the dtype of new floating-point tensors. Raises TypeError unless `d` is a float dtype."""
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        from .diagnose import error  # noqa: PLC0415  (dtypes stand below it)
        raise error("argument-value", TypeError("only floating-point types are supported as the default type"),
                    what="the default dtype", value=d, must="a dtype of floating point numbers",
                    fix="torch.set_default_dtype(torch.float64), for example.")
    _default = d
    settings[0] = id(d)


def of_scalar(v):
    """The dtype a Python number gets as a tensor of its own."""
    if isinstance(v, (bool_.np.type, bool)):
        return bool_
    if isinstance(v, int):
        return int64
    if isinstance(v, float):
        return _default
    if isinstance(v, complex):
        return _default.to_complex()
    return of(np.asarray(v).dtype)


def promote_types(a, b):
    """The smallest dtype that PyTorch gives for two tensors of dtypes `a` and `b`.

    >>> import kobai
    >>> kobai.promote_types(kobai.int64, kobai.float16)
    torch.float16
    """
    if a is b:
        return a
    if a.category < b.category:
        a, b = b, a
    if a.category == COMPLEX:
        return complex128 if complex128 in (a, b) or b is float64 else complex64
    if a.category != b.category:
        return a
    if a.category == FLOAT:
        if a.itemsize == b.itemsize:  # float16 with bfloat16
            return float32
        return a if a.itemsize > b.itemsize else b
    return of(np.promote_types(a.np, b.np)) if np.promote_types(a.np, b.np).kind in "iu" else int64


def _combine(high, low):
    """`high` wins within its category; a higher category of `low` lifts it."""
    if high is None or low is None:
        return high or low
    if low.category <= high.category:
        return high
    if high.category == FLOAT:
        return high.to_complex()
    return promote_types(high, low)


def result_type(values):
    """PyTorch's result dtype of values: arrays (n-d), 0-d arrays and Python numbers count in turn."""
    dim = zero = number = None
    for v in values:
        np_dtype = getattr(v, "dtype", None)
        if np_dtype is None:
            d = of_scalar(v)
            number = d if number is None else promote_types(number, d)
        else:
            d = _of.get(np_dtype) or of(np_dtype)
            if v.ndim:
                dim = d if dim is None else promote_types(dim, d)
            else:
                zero = d if zero is None else promote_types(zero, d)
    return _combine(dim, _combine(zero, number))


def can_cast(from_, to):
    """Whether PyTorch lets a result of dtype `from_` be written into a tensor of dtype `to`."""
    if from_.category > to.category:
        return False
    return not (from_.category == INT and to.category == BOOL)


# PyTorch's messages name dtypes in two more ways, by the part of PyTorch that speaks.
_WORDS = {"float32": "Float", "float64": "Double", "float16": "Half", "bfloat16": "BFloat16", "bool": "Bool",
          "int64": "Long", "int32": "Int", "int16": "Short", "int8": "Char", "uint8": "Byte",
          "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64",
          "complex64": "ComplexFloat", "complex128": "ComplexDouble"}
_C_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
            "int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char",
            "uint16": "short unsigned int", "uint32": "unsigned int", "uint64": "long unsigned int",
            "complex64": "c10::complex<float>", "complex128": "c10::complex<double>"}


def type_word(x):
    """The word for the dtype `x`, or for that of the value `x`: "Long" for int64, as in torch.LongTensor."""
    name = _name_of(x)
    return _WORDS.get(name, name)


def c_name(x):
    """The name in C++ of the dtype `x`, or of that of the value `x`: "long int" for int64."""
    name = _name_of(x)
    return _C_NAMES.get(name, name)


def _name_of(x):
    d = getattr(x, "dtype", x)
    return getattr(d, "name", None) or of_scalar(d).name


def of_type_word(word):
    """The dtype that `type_word` calls so; None if there is none."""
    return next((NAMES[name] for name, w in _WORDS.items() if w == word), None)
