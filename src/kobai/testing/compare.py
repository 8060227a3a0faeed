"""assert_close: values compared to a tolerance, with a message that says where they differ most."""
from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from .. import asarray, isclose, promote_types
from ..diagnose import error
from ..dtypes import bfloat16, complex64, complex128, float16, float32, float64
from ..tensor import Tensor

_TOLERANCES = {float16: (1e-3, 1e-5), bfloat16: (1.6e-2, 1e-5), float32: (1.3e-6, 1e-5), float64: (1e-7, 1e-7),
               complex64: (1.3e-6, 1e-5), complex128: (1e-7, 1e-7)}
_OF_PYTHON = {float: (1e-7, 1e-7), complex: (1e-7, 1e-7)}


def assert_close(actual, expected, *, allow_subclasses=True, rtol=None, atol=None, equal_nan=False, check_device=True,
                 check_dtype=True, check_layout=True, check_stride=False, msg=None):
    """Assert that |actual - expected| <= atol + rtol * |expected| for every element.

    Args: tensors, NumPy arrays, numbers, or sequences and mappings of these; `rtol` and `atol` (default: by dtype,
    1.3e-6 and 1e-5 for float32); `msg`, the text of the error, or a function of the usual text.
    Raises AssertionError if they differ in value, shape, dtype or structure; TypeError for values that it cannot
    compare; ValueError if only one of `rtol` and `atol` is given.

    >>> kobai.testing.assert_close(kobai.tensor([1.0, 2.0]), kobai.tensor([1.0, 2.5]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.20000000298023224 at index (1,) (up to 1.3e-06 allowed)
    """
    if (rtol is None) != (atol is None):
        raise error("arguments-together",
                    ValueError("Both 'rtol' and 'atol' must be either specified or omitted, but got no "
                               f"{'rtol' if rtol is None else 'atol'}."),
                    what="atol" if rtol is None else "rtol", other="rtol" if rtol is None else "atol")
    attributes = [name for name, wanted in (("device", check_device), ("dtype", check_dtype), ("layout", check_layout),
                                            ("stride", check_stride)) if wanted]
    pair = _Pair(rtol, atol, equal_nan, attributes, allow_subclasses)
    wrong = pair.difference(actual, expected, ())
    if wrong is not None:
        raise AssertionError(wrong if msg is None else msg(wrong) if callable(msg) else msg)  # plain: a report of differing numbers


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """The older name, without the check of dtypes: see `assert_close`."""
    warnings.warn("`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. "
                  "Please use `torch.testing.assert_close()` instead.", FutureWarning, stacklevel=2)
    actual, expected = [v if isinstance(v, Tensor) else asarray(v) for v in (actual, expected)]
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, check_stride=False,
                 msg=msg or None)


class _Pair:
    """How to compare: `difference` gives the text of the first difference, or None."""

    def __init__(self, rtol, atol, equal_nan, attributes, subclasses):
        self.given, self.equal_nan = None if rtol is None else (rtol, atol), equal_nan
        self.attributes, self.subclasses = attributes, subclasses

    def difference(self, a, b, place):
        wrong = self._inside(a, b, place)
        return wrong if wrong is None or not place or "occurred for item" in wrong else (
            f"{wrong}\n\nThe failure occurred for item {''.join([f'[{p!r}]' for p in place])}")

    def _inside(self, a, b, place):
        if a is None or b is None:
            return None if a is b else f"None mismatch: {a} is not {b}"
        if isinstance(a, (bool, np.bool_)) and isinstance(b, (bool, np.bool_)):
            return None if a == b else f"Booleans mismatch: {a} is not {b}"
        if isinstance(a, (int, float, complex)) and isinstance(b, (int, float, complex)):
            return self._numbers(a, b)
        if all(isinstance(v, (Tensor, np.ndarray)) for v in (a, b)) and self._related(a, b):
            return self._tensors(*[v if isinstance(v, Tensor) else asarray(v) for v in (a, b)])
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            return self._mappings(a, b, place)
        if all(isinstance(v, Sequence) and not isinstance(v, (str, bytes)) for v in (a, b)):
            return self._sequences(a, b, place)
        raise error("argument-type",
                    TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}."
                              + ("" if not place else f"\n\nThe failure occurred for item {''.join([f'[{p!r}]' for p in place])}")),
                    what="one of the two", kind=f"{type(a).__name__} and {type(b).__name__}",
                    must="numbers, tensors, or lists and dicts of them")

    def _related(self, a, b):
        kinds = type(a), type(b)
        return kinds[0] is kinds[1] or self.subclasses and (issubclass(*kinds) or issubclass(*kinds[::-1]))

    def _mappings(self, a, b, place):
        missing, more = [k for k in b if k not in a], [k for k in a if k not in b]
        if missing or more:
            return ("The keys of the mappings do not match:"
                    + (f"\nMissing keys in the actual mapping: {sorted(missing)}" if missing else "")
                    + (f"\nAdditional keys in the actual mapping: {sorted(more)}" if more else ""))
        return next(filter(None, (self.difference(a[k], b[k], (*place, k)) for k in a)), None)

    def _sequences(self, a, b, place):
        if len(a) != len(b):
            return f"The length of the sequences mismatch: {len(a)} != {len(b)}"
        return next(filter(None, (self.difference(x, y, (*place, i)) for i, (x, y) in enumerate(zip(a, b)))), None)

    def _numbers(self, a, b):
        if "dtype" in self.attributes and type(a) is not type(b):
            return f"The (d)types do not match: {type(a)} != {type(b)}."
        rtol, atol = self.given or max(_OF_PYTHON.get(type(v), (0.0, 0.0)) for v in (a, b))
        if a == b or self.equal_nan and a != a and b != b:
            return None
        error = abs(a - b)
        if abs(a) != np.inf and error <= atol + rtol * abs(b):
            return None
        return _about_scalars(a, b, error, rtol, atol)

    def _tensors(self, a, b):
        if a.shape != b.shape:
            return f"The values for attribute 'shape' do not match: {a.shape} != {b.shape}."
        for name in self.attributes:
            have, want = [v.stride() if name == "stride" else getattr(v, name) for v in (a, b)]
            if have != want:
                label = "stride()" if name == "stride" else name
                return f"The values for attribute '{label}' do not match: {have} != {want}."
        rtol, atol = self.given or max(_TOLERANCES.get(v.dtype, (0.0, 0.0)) for v in (a, b))
        a, b = [_wide(v.detach().to(promote_types(a.dtype, b.dtype))) for v in (a, b)]
        close = isclose(a, b, rtol=rtol, atol=atol, equal_nan=self.equal_nan).numpy()
        return None if close.all() else _about_tensors(a.numpy(), b.numpy(), close, rtol, atol)


def _wide(t):
    """Integers as int64, so that differences do not wrap around."""
    return t.long() if t.dtype.np.kind in "iub" and t.dtype.np != np.uint64 else t.float() if t.dtype.itemsize < 4 else t


def _about_scalars(a, b, error, rtol, atol):
    close = "equal" if rtol == atol == 0 else "close"
    relative = error / abs(b) if b else np.inf
    limits = [f" (up to {t} allowed)" if rtol or atol else "" for t in (atol, rtol)]
    return (f"Scalars are not {close}!\n\nExpected {b} but got {a}.\nAbsolute difference: {error}{limits[0]}\n"
            f"Relative difference: {relative}{limits[1]}")


def _about_tensors(a, b, close, rtol, atol):
    with np.errstate(all="ignore"):
        error = np.asarray(np.abs(a - b))
        relative = np.asarray(error / np.abs(b))
    relative = relative.astype(np.float32) if a.dtype.kind in "iu" else relative
    error, relative = [np.where(close, 0, v).astype(v.dtype) for v in (error, relative)]
    if not a.ndim:
        return _about_scalars(a.item(), b.item(), error.item(), rtol, atol)
    lines = []
    for name, v, t in (("absolute", error, atol), ("relative", relative, rtol)):
        at = np.unravel_index(np.argmax(v), v.shape)
        lines.append(f"Greatest {name} difference: {v[at].item()} at index {tuple([int(i) for i in at])}"
                     + (f" (up to {t} allowed)" if rtol or atol else ""))
    wrong = int((~close).sum())
    return (f"Tensor-likes are not {'close' if rtol or atol else 'equal'}!\n\n"
            f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})\n" + "\n".join(lines))
