"""make_tensor: random tensors of any dtype, for tests."""
from __future__ import annotations

import math

from .. import bool as bool_, empty, finfo, iinfo, randint, view_as_complex
from ..diagnose import error
from ..dtypes import dtype as dtype_
from ..tensor import Tensor

_FLOAT, _INT = (-9, 9), (-9, 10)


def make_tensor(*shape, dtype: dtype_, device="cpu", low=None, high=None, requires_grad=False, noncontiguous=False,
                exclude_zero=False, memory_format=None):
    """A tensor of random elements, uniform in [low, high).

    Args: `low` and `high` (default: -9 to 9, for unsigned integers 0 to 10, for bools 0 to 2); `noncontiguous`,
    every second element of larger memory; `exclude_zero`, zeros become the smallest number after them.
    Raises ValueError if `low` is not below `high`, or `requires_grad` with an integer dtype.

    >>> x = kobai.testing.make_tensor(2, 3, dtype=kobai.float64, low=0, high=1)
    >>> x.shape, bool((x >= 0).all() and (x < 1).all())
    (torch.Size([2, 3]), True)
    """
    shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    floating = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not floating:
        raise error("argument-value",
                    ValueError("`requires_grad=True` is not supported for boolean and integral dtypes, but got "
                               f"dtype={dtype!r}"),
                    what="dtype", value=dtype, must="a dtype of floating point numbers",
                    fix="leave out requires_grad, or pass dtype=torch.float32.")
    low, high = _bounds(dtype, low, high, floating)
    if noncontiguous and math.prod(shape) > 1:
        wide = make_tensor(*shape[:-1], shape[-1] * 2, dtype=dtype, low=low, high=high, exclude_zero=exclude_zero)
        return wide[..., ::2].detach().requires_grad_(requires_grad)
    x = _drawn(shape, dtype, low, high, floating)
    if exclude_zero:
        x[x.eq(0)] = finfo(dtype).tiny if floating else 1
    return x.requires_grad_(requires_grad)


def _bounds(dtype, low, high, floating):
    """The range asked for, within what the dtype holds."""
    if dtype is bool_:
        default, limits = (0, 2), (0, 2)
    elif floating:
        default, limits = _FLOAT, (finfo(dtype).min, finfo(dtype).max)
    else:
        default, limits = _INT if iinfo(dtype).min else (0, 10), (iinfo(dtype).min, iinfo(dtype).max + 1)
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise error("argument-value",
                    ValueError(f"`low` and `high` cannot be NaN, but got low={low!r} and high={high!r}"),
                    what="low" if math.isnan(low) else "high", value=math.nan, must="a number")
    if low >= high:
        raise error("argument-value", ValueError(f"`low` must be less than `high`, but got {low} >= {high}"),
                    what="low", value=low, must="a number below {high}", high=high)
    low, high = max(low, limits[0]), min(high, limits[1])
    return (low, high) if floating else (math.ceil(low), math.ceil(high))


def _drawn(shape, dtype, low, high, floating) -> Tensor:
    if not floating:
        return randint(low, high, shape, dtype=dtype)
    if not dtype.is_complex:
        return empty(shape, dtype=dtype).uniform_(low, high)
    return view_as_complex(empty((*shape, 2), dtype=dtype.to_real()).uniform_(low, high))
