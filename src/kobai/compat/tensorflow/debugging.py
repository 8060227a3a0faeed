"""`tf.debugging.assert_*`: tests of tensors that raise."""
from __future__ import annotations

import numpy as np

from ...diagnose import error
from . import dtypes
from .errors import InvalidArgumentError, invalid, wrong_rank
from .names import export
from .output import text_of
from .tensors import number_or_array
from .values import is_tensor_like, same_dtype, value_of


def _failed(text):
    return InvalidArgumentError(None, None, text)


def _shown(a, n):
    flat = np.asarray(a).reshape(-1)[:n]
    return f"First {len(flat)} elements of {{}}:\n{flat}"


def _comparison(name, sign, holds, *also):
    def check(x, y, message=None, summarize=None, name=None):
        a, b = [np.asarray(t._value) for t in same_dtype("Equal", x, y)]
        n = 3 if summarize is None else summarize
        try:
            ok = holds(a, b)
        except ValueError:
            ok = np.False_
        if not np.all(ok):
            raise error("operation-inputs", _failed(_report(sign, a, b, ok, message, n)),
                        sign=sign, count=int(ok.size - np.count_nonzero(ok)), total=int(ok.size),
                        why="x {sign} y, as the program asserts, is false for {count} of {total} pairs.",
                        fix="look at the lines that make x and y; rounded numbers are compared by "
                            "tf.debugging.assert_near.")
    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"Raise InvalidArgumentError unless x {sign} y holds for each pair."
    return export("debugging." + name, *also)(check)


def _report(sign, a, b, ok, message, n):
    lines = [message] if message else []
    lines.append(f"Condition x {sign} y did not hold.")
    if sign == "==" and ok.ndim:
        a_full, b_full = np.broadcast_arrays(a, b)
        places = np.argwhere(~ok)
        lines += [f"Indices of first {min(n, len(places))} different values:", str(places[:n]),
                  "Corresponding x values:", str(a_full[~ok][:n]), "Corresponding y values:", str(b_full[~ok][:n])]
    lines += [_shown(a, n).format("x"), _shown(b, n).format("y")]
    return "\n".join(lines)


assert_equal = _comparison("assert_equal", "==", np.equal, "assert_equal")
assert_none_equal = _comparison("assert_none_equal", "!=", np.not_equal)
assert_less = _comparison("assert_less", "<", np.less, "assert_less")
assert_less_equal = _comparison("assert_less_equal", "<=", np.less_equal)
assert_greater = _comparison("assert_greater", ">", np.greater, "assert_greater")
assert_greater_equal = _comparison("assert_greater_equal", ">=", np.greater_equal)


def _sign(name, text, holds):
    def check(x, message=None, summarize=None, name=None):
        t = value_of(x)
        a = np.asarray(t._value)
        if not np.all(holds(a)):
            values = [str(v) for v in a.reshape(-1)] if a.ndim else a
            raise error("data-range",
                        _failed(f"{message or ''}\nCondition x {text} did not hold element-wise:\n"
                               f"x (shape={tuple(a.shape)} dtype={a.dtype.name}) = \n{values}"),
                        what="x", value=a[~holds(a)].reshape(-1)[0].item(), must="{condition}", condition=text,
                        fix="look at the line that makes x, and at tf.reduce_min(x) and tf.reduce_max(x).")
    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"Raise InvalidArgumentError unless x {text} for each element."
    return export("debugging." + name)(check)


assert_positive = _sign("assert_positive", "> 0", lambda a: a > 0)
assert_negative = _sign("assert_negative", "< 0", lambda a: a < 0)
assert_non_negative = _sign("assert_non_negative", ">= 0", lambda a: a >= 0)
assert_non_positive = _sign("assert_non_positive", "<= 0", lambda a: a <= 0)


@export("debugging.assert_near")
def assert_near(x, y, rtol=None, atol=None, message=None, summarize=None, name=None):
    """Raise InvalidArgumentError unless |x - y| <= atol + rtol * |y|; both are 10 units of the precision if not given."""
    a, b = [t._value for t in same_dtype("Sub", x, y)]
    eps = a.dtype.type(10 * np.finfo(a.dtype).eps)
    rtol, atol = [eps if v is None else a.dtype.type(number_or_array(value_of(v))) for v in (rtol, atol)]
    if not np.all(np.abs(a - b) <= atol + rtol * np.abs(b)):
        raise error("operation-inputs",
                    _failed("Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data: "
                           f"{(message or '').encode()!r}\n"
                           f"b'x and y not equal to tolerance rtol = {_as_tensor(rtol)}, atol = {_as_tensor(atol)}'\n"
                           f"b'x (shape={tuple(a.shape)} dtype={a.dtype.name}) = '\n{a!s}\n"
                           f"b'y (shape={tuple(b.shape)} dtype={b.dtype.name}) = '\n{b!s}"),
                    size=float(np.abs(a - b).max()),
                    why="x and y differ by up to {size}, more than the tolerance allows.",
                    fix="look for what makes them differ, or pass a larger rtol= or atol=.")


def _as_tensor(v):
    return f"tf.Tensor({v!s}, shape=(), dtype={v.dtype.name})"


@export("debugging.Assert", "Assert")
def Assert(condition, data, summarize=None, name=None):
    """Raise InvalidArgumentError, with `data`, unless the condition holds."""
    if not bool(condition):
        shown = "\n".join([text_of(d, 3 if summarize is None else summarize) if is_tensor_like(d) else repr(
            d.encode() if isinstance(d, str) else d) for d in data])
        raise error("operation-inputs",
                    _failed(f"Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data: {shown}"),
                    why="the condition that the program asserts is false.",
                    fix="look at the data above, and at the lines that make it.")


# ---- numbers ---------------------------------------------------------------------------------
@export("debugging.check_numerics")
def check_numerics(tensor, message, name=None):
    """The tensor. Raises InvalidArgumentError if there is a NaN or an infinite number in it."""
    a = np.asarray(value_of(tensor)._value)
    found = [what for what, test in (("Inf", np.isinf), ("NaN", np.isnan)) if test(a).any()]
    if found:
        raise error("data-range", invalid("CheckNumerics", f"{message} : Tensor had {' and '.join(found)} values"),
                    what="tensor", value=float(found[0]), must="a finite number",
                    fix="look for a division by 0, a logarithm of 0 or too large a learning rate before this line.")
    return tensor


@export("debugging.assert_all_finite")
def assert_all_finite(x, message, name=None):
    """The tensor. Raises InvalidArgumentError if there is a NaN or an infinite number in it."""
    return check_numerics(x, message)


# ---- shapes and types ------------------------------------------------------------------------
def _rank_error(message, want, shape, how=""):
    return ValueError(f"{message or 'Tensor '} must have rank {how}{want}.  Received rank {len(shape)}, shape "
                      f"{tuple(shape)}")


@export("debugging.assert_rank", "assert_rank")
def assert_rank(x, rank, message=None, name=None):
    """Raise ValueError unless the tensor has this many dimensions."""
    shape, rank = value_of(x)._value.shape, int(value_of(rank)._value)
    if len(shape) != rank:
        raise wrong_rank(_rank_error(message, rank, shape), "x", shape, "{n}", n=rank)


@export("debugging.assert_rank_at_least")
def assert_rank_at_least(x, rank, message=None, name=None):
    """Raise ValueError if the tensor has fewer dimensions."""
    shape, rank = value_of(x)._value.shape, int(value_of(rank)._value)
    if len(shape) < rank:
        raise wrong_rank(_rank_error(message, rank, shape, "at least "), "x", shape, "at least {n}", n=rank)


@export("debugging.assert_rank_in")
def assert_rank_in(x, ranks, message=None, name=None):
    """Raise ValueError unless the number of dimensions is one of these."""
    shape = value_of(x)._value.shape
    if len(shape) not in [int(value_of(r)._value) for r in ranks]:
        raise wrong_rank(_rank_error(message, tuple(ranks), shape, "in "), "x", shape, "{ranks}",
                         ranks=" / ".join(str(int(value_of(r)._value)) for r in ranks))


@export("debugging.assert_scalar")
def assert_scalar(tensor, message=None, name=None):
    """The tensor. Raises ValueError if it has dimensions."""
    shape = value_of(tensor)._value.shape
    if shape:
        raise wrong_rank(ValueError(f"Expected scalar shape, saw shape: {tuple(shape)}."),
                         "tensor", shape, "{n}", n=0)
    return tensor


@export("debugging.assert_shapes")
def assert_shapes(shapes, data=None, summarize=None, message=None, name=None):
    """Raise ValueError unless tensors have the given shapes, in which a letter is the same size everywhere."""
    known = {}
    for tensor, want in (shapes.items() if isinstance(shapes, dict) else shapes):
        t = value_of(tensor)
        have = t._value.shape
        want = tuple(want) if isinstance(want, (list, tuple, str)) else (want,)
        about = f"Tensor shape={tuple(have)} dtype={dtypes.of(t._value.dtype).name}"
        if len(want) != len(have) and Ellipsis not in want:
            raise wrong_rank(ValueError(f"{about} must have rank {len(want)}.  Received rank {len(have)}, shape "
                                        f"{tuple(have)}"), "the tensor", have, "{n}", n=len(want))
        for d, (size, n) in enumerate(zip(want, have)):
            if isinstance(size, str) and size != "*" and not size.isdigit():
                first, size = known.setdefault(size, (f"Specified by tensor shape={tuple(have)} dtype="
                                                      f"{dtypes.of(t._value.dtype).name} dimension {d}.  ", n))
            else:
                first, size = "", None if size in ("*", None) else int(size)
            if size is not None and n != size:
                raise error("dimension-size",
                            ValueError(f"{first}{about} dimension {d} must have size {size}.  Received size {n}, shape "
                                       f"{tuple(have)}"),
                            dim=d, what="the tensor", size=n, must="{n}", n=size,
                            fix="look at the line that makes it: are its dimensions in the right order?")


@export("debugging.assert_type")
def assert_type(tensor, tf_type, message=None, name=None):
    """Raise TypeError unless the tensor has this dtype."""
    want, have = dtypes.as_dtype(tf_type), dtypes.of(value_of(tensor)._value.dtype)
    if want != have:
        raise error("tensor-dtype", TypeError(f"{message or ''}tensor must be of type {want!r}; got {have!r}"),
                    what="tensor", dtype=have.name, fn="assert_type", must="{allowed}", allowed=want.name,
                    fix="tf.cast(x, tf.{allowed})")


@export("debugging.assert_integer")
def assert_integer(x, message=None, name=None):
    """Raise TypeError unless the tensor has an integer dtype."""
    d = dtypes.of(value_of(x)._value.dtype)
    if not d.is_integer:
        raise error("tensor-dtype", TypeError(f"{message or ''}Expected \"x\" to be integer type.  Found: {d!r}"),
                    what="x", dtype=d.name, fn="assert_integer", must="whole numbers", fix="tf.cast(x, tf.int32)")


@export("debugging.is_numeric_tensor")
def is_numeric_tensor(tensor):
    """Whether it is a tensor of numbers."""
    return is_tensor_like(tensor) and tensor.dtype.is_numeric


@export("debugging.enable_check_numerics", "debugging.disable_check_numerics", "debugging.set_log_device_placement",
        "debugging.enable_traceback_filtering", "debugging.disable_traceback_filtering")
def accepted(*args, **kwargs):
    """Nothing changes here."""
