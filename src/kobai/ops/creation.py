"""Tensors of a given shape: zeros, ones, ranges, grids, identity matrices."""
from __future__ import annotations

import math
import warnings

import numpy as np

from .. import aligned, dtypes
from ..autograd.mode import modes, runs
from ..diagnose import error
from ..inplace import into
from ..op import dtype_of, m
from ..public import export
from ..tensor import LiftedTensor, Tensor, constant, wrap
from .arguments import as_dtype, check_options, number, sizes

_range = range  # torch.range, below, hides Python's


def made(array, requires_grad=False, out=None):
    """The tensor a creation function returns: new, or the result written into `out`."""
    if array.nbytes >= aligned.LEAST:
        array = aligned.brought(array)
    t = constant(wrap(array if array.ndim else array[()]))
    if out is not None:
        t = into(out, t)
    return t.requires_grad_() if requires_grad else t


def without_numbers(shape, d, requires_grad=False):
    """A tensor on the device "meta"."""
    from ..meta import made as on_meta  # noqa: PLC0415  (few programs use this device)
    return on_meta(shape, d, requires_grad)


def _of(t, requires_grad=False):
    """The same on the device "meta"."""
    return without_numbers(t._value.shape, dtype_of(t), requires_grad)


def _shaped(fill, name):
    """A function (size..., *, dtype...) that makes an array by `fill(shape, np_dtype)`."""
    def create(*size, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
               memory_format=None, **kwargs):
        if kwargs or not size:
            size = _size_keyword(kwargs, size, name)
        on_meta = check_options(device, layout, True)
        d = as_dtype(dtype, None, name) or (out.dtype if out is not None else dtypes.get_default_dtype())
        if on_meta:
            return without_numbers(sizes(size, name), d.np, requires_grad)
        return made(fill(sizes(size, name), d.np), requires_grad, out)
    create.__name__ = create.__qualname__ = name
    return create


def _size_keyword(kwargs, size, name):
    """The shape from size=(2, 3); TypeError where there is none, or another keyword."""
    if not size and "size" in kwargs:
        size = (kwargs.pop("size"),)
    if kwargs:
        raise error("call-form", TypeError(f"{name}() got an unexpected keyword argument '{next(iter(kwargs))}'"),
                    fn=f"{name}()", got=next(iter(kwargs)),
                    names=["size", "out", "dtype", "layout", "device", "requires_grad"],
                    why="{fn} has no argument named {got}.", fix="look at the spelling; its arguments are {names}.")
    if not size:
        raise error("argument-missing", TypeError(f'{name}() missing 1 required positional arguments: "size"'),
                    fn=f"{name}()", what="size", fix="{fn2}(2, 3), or {fn2}(()) for a tensor without dimensions.",
                    fn2=name)
    return size


zeros = _shaped(aligned.zeros, "zeros")
zeros.__doc__ = """Zeros of a shape.

>>> kobai.zeros(2, 3, dtype=kobai.int64)
tensor([[0, 0, 0],
        [0, 0, 0]])
"""
ones = _shaped(aligned.ones, "ones")
ones.__doc__ = "Ones of a shape."
empty = _shaped(aligned.zeros, "empty")  # what nobody set is at least always the same
empty.__doc__ = "A tensor whose values are to be set. Differs from PyTorch: they are zeros, not chance."


def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
         pin_memory=False):
    """A tensor of a shape with the same number everywhere.

    >>> kobai.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    if isinstance(size, int):
        raise error("argument-type", TypeError(
            f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}"), what="size",
            kind=type(size), form=f"full(({size},), {fill_value!r})", must="a tuple of whole numbers",
            fix="write {form}.")
    on_meta = check_options(device, layout, True)
    fill_value = number(fill_value, "full", "fill_value", 2)
    d = as_dtype(dtype, None, "full") or (out.dtype if out is not None else dtypes.of_scalar(fill_value))
    if on_meta:
        return without_numbers(sizes((size,), "full"), d.np, requires_grad)
    return made(aligned.filled(sizes((size,), "full"), scalar(fill_value, d), d.np), requires_grad, out)


_LARGEST = float(np.finfo(np.float32).max)


def scalar(v, d):
    """The Python number `v` as a NumPy scalar of dtype `d`; RuntimeError if it does not fit."""
    if d.category == dtypes.INT:
        _check_fits(v, d)
        v = int(v)
        if v < 0 and d.np.kind == "u":
            v += 2 ** (8 * d.itemsize)
    elif isinstance(v, complex) and d.category != dtypes.COMPLEX:
        if v.imag and d.category == dtypes.FLOAT:
            raise error("argument-value", RuntimeError(
                f"value cannot be converted to type {_converted(d)} without overflow"), value=v, dtype=d,
                why="{value} is complex, and dtype={dtype} holds real numbers.",
                fix="use dtype=torch.complex64, or give the real parts: z.real.")
        v = v.real
    if d is dtypes.float32 and not -_LARGEST <= v <= _LARGEST and v == v and abs(v) != math.inf:
        raise error("argument-value", RuntimeError("value cannot be converted to type float without overflow"), value=v,
                    dtype=d, why="{value} is larger than any number of dtype {dtype}.",
                    fix="write float('inf') if infinity is meant, or use dtype=torch.float64.")
    return d.np.type(bool(v) if d.category == dtypes.BOOL else v)


def _check_fits(v, d):
    info = np.iinfo(d.np)
    low = -int(info.max) if d.np.kind == "u" else int(info.min)
    if isinstance(v, complex) and v.imag or v.real != v.real or not low <= v.real <= int(info.max):
        raise error("argument-value", RuntimeError(
            f"value cannot be converted to type {_converted(d)} without overflow"), value=v,
            low=int(info.min), high=int(info.max), dtype=d,
            why="{value} is none of the whole numbers {low} to {high}, which dtype={dtype} holds.",
            fix="use a wider dtype, such as torch.int64 or torch.float64.")


def _converted(d):
    """The dtype as conversions name it, which say int64_t where others say "long int", and int as these do."""
    return d.name + "_t" if d.category == dtypes.INT and d is not dtypes.int32 else dtypes.c_name(d)


def scalar_tensor(s, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A tensor without dimensions, of the default dtype unless another is given."""
    check_options(device, layout)
    d = as_dtype(dtype, dtypes.get_default_dtype(), "scalar_tensor")
    return made(np.asarray(scalar(number(s, "scalar_tensor", "s"), d)), requires_grad)


def empty_strided(size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor of a shape whose memory has these strides, counted in elements."""
    check_options(device, layout)
    d = as_dtype(dtype, dtypes.get_default_dtype(), "empty_strided")
    shape, stride = sizes((size,), "empty_strided"), tuple(stride)
    n = 1 + sum((s - 1) * t for s, t in zip(shape, stride)) if 0 not in shape else 0
    flat = np.zeros(n, d.np)
    a = np.lib.stride_tricks.as_strided(flat, shape, [t * d.itemsize for t in stride])
    return made(a, requires_grad)


def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False,
                   pin_memory=False):
    """A tensor of a shape whose dimensions lie in memory in this order, the outermost first."""
    check_options(device, layout)
    shape, order = sizes((size,), "empty_permuted"), tuple(physical_layout)
    if sorted(order) != list(_range(len(shape))):
        raise error("argument-value", RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}" if len(order) != len(shape) else
            ("Duplicate dim not allowed" if len(set(order)) < len(order) else _outside(order))),
            what="physical_layout", value=order,
            must="the numbers 0 to {last}, each once", last=len(shape) - 1)
    d = as_dtype(dtype, dtypes.get_default_dtype(), "empty_permuted")
    return made(np.zeros([shape[i] for i in order], d.np).transpose(np.argsort(order)), requires_grad)


# ---- like another tensor ---------------------------------------------------------------------
def is_asked(t):
    """Whether the class of a tensor says what functions give: it has a `__torch_function__`."""
    return modes.overrides and getattr(type(t), "_overriding", False)


def ask(fn, input, *args, **options):
    """What it says."""
    from ..subclasses import dispatch  # noqa: PLC0415  (only for such classes)
    return dispatch(fn, (input, *args), {k: v for k, v in options.items() if v is not None and v is not False})


def _like(fill, name):
    def create(input, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
               memory_format=None):
        need_tensor(input, name)
        if input.__class__ is not Tensor and is_asked(input):
            return ask(create, input, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)
        on_meta = check_options(device, layout, True)
        d = as_dtype(dtype, None, name)
        if on_meta or input.__class__ is not Tensor and device is None and input.is_meta:
            return without_numbers(input._value.shape, dtype_of(input) if d is None else d.np, requires_grad)
        if type(input) is LiftedTensor:  # a tensor of the transform, into which its values can be written
            return m.cast(m.fill(input.detach(), 1 if fill is aligned.ones else 0), d or input.dtype)
        return made(fill(input._value.shape, dtype_of(input) if d is None else d.np), requires_grad)
    create.__name__ = create.__qualname__ = name
    return create


def _outside(order):
    i = next(i for i, d in enumerate(order) if not 0 <= d < len(order))
    return (f"Dimension out of range (expected to be between 0 and {len(order) - 1}, but got {order[i]} at index {i}).  "
            "NB: negative dims not currently supported; file an issue if you want it.")


def need_tensor(v, name, argument="input", position=1):
    """PyTorch's TypeError unless `v` is a Tensor."""
    if not isinstance(v, Tensor):
        raise error("not-tensor", function=name, argument=argument, place=position, got=type(v).__name__)


zeros_like, ones_like = _like(aligned.zeros, "zeros_like"), _like(aligned.ones, "ones_like")
empty_like = _like(aligned.zeros, "empty_like")
zeros_like.__doc__ = "Zeros of the shape and dtype of `input`."
ones_like.__doc__ = "Ones of the shape and dtype of `input`."
empty_like.__doc__ = "A tensor of the shape and dtype of `input`, its values to be set."


def full_like(input, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False,
              memory_format=None):
    """The same number everywhere, of the shape and dtype of `input`."""
    need_tensor(input, "full_like")
    if is_asked(input):
        return ask(full_like, input, fill_value, dtype=dtype, device=device, layout=layout, requires_grad=requires_grad)
    return full(input.shape, fill_value, dtype=dtype or input.dtype,
    device=device or ("meta" if input.is_meta else None),
                layout=layout, requires_grad=requires_grad)


def _new(fill, name):
    def create(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **kwargs):
        return self_made(self, name, fill, size, kwargs, dtype, device, requires_grad)
    create.__name__ = create.__qualname__ = name
    return create


def self_made(self, name, fill, size, kwargs, dtype, device, requires_grad):
    """The body of x.new_zeros(...) and the like: x's dtype unless another is given."""
    if kwargs or not size:
        size = _size_keyword(kwargs, size, name)
    on_meta = check_options(device, None, True)
    d = as_dtype(dtype, None, name)
    if on_meta or device is None and self.is_meta:
        return without_numbers(sizes(size, name), dtype_of(self) if d is None else d.np, requires_grad)
    return made(fill(sizes(size, name), dtype_of(self) if d is None else d.np), requires_grad)


new_zeros, new_ones = _new(aligned.zeros, "new_zeros"), _new(aligned.ones, "new_ones")
new_empty = _new(aligned.zeros, "new_empty")
new_zeros.__doc__ = "Zeros of a shape, of this tensor's dtype."
new_ones.__doc__ = "Ones of a shape, of this tensor's dtype."
new_empty.__doc__ = "A tensor of a shape and of this tensor's dtype, its values to be set."


def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """The same number everywhere, of this tensor's dtype."""
    return full(size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_empty_strided(self, size, stride, dtype=None, layout=None, device=None, pin_memory=False,
                      requires_grad=False):
    """A tensor of a shape and strides, of this tensor's dtype."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A copy of `data` as a tensor of this tensor's dtype."""
    return m.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


# ---- ranges ----------------------------------------------------------------------------------
def arange(*args, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, **kwargs):
    """Numbers from `start` up to, but without, `end` in steps of `step`: arange(end) or arange(start, end, step).

    >>> kobai.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    if len(args) == 1 and args[0].__class__ is int and args[0] >= 0 and not kwargs and dtype is out is device is None \
            and not (runs.devices and modes.device):
        return made(np.arange(args[0]), requires_grad)
    if check_options(device, layout, True):
        return _of(arange(*args, dtype=dtype, device="cpu", **kwargs), requires_grad)
    start, end, step = _bounds(args, kwargs, "arange")
    d = as_dtype(dtype, None, "arange")
    if d is None:
        whole = all(isinstance(v, int) for v in (start, end, step))
        d = out.dtype if out is not None else dtypes.int64 if whole else dtypes.get_default_dtype()
    if d.category in (dtypes.BOOL, dtypes.COMPLEX):
        raise error("no-kernel", kernel="arange_cpu", got=_TYPE[d.name], dtype=str(d))
    if d.category == dtypes.INT:
        if step and not int(step):
            raise error("argument-value", ValueError("step must be nonzero"), value=step, dtype=d,
                        why="step={value} is cut to 0 by dtype={dtype}, which holds whole numbers.",
                        fix="use a floating point dtype, such as torch.float32, or a step of at least 1.")
        start, end, step = int(start), int(end), int(step)
    n = _steps(start, end, step)
    if d.category == dtypes.INT:
        return made(np.arange(start, start + n * step, step, np.int64).astype(d.np), requires_grad, out)
    return made((start + step * np.arange(n, dtype=np.float64)).astype(d.np), requires_grad, out)


_TYPE = {"bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble"}


def _bounds(args, kwargs, name):
    """(start, end, step) from the positional and keyword arguments of a range."""
    names = ("end",) if len(args) == 1 and "end" not in kwargs else ("start", "end", "step")
    given = dict(zip(names, args)) | kwargs
    if "end" not in given or len(args) > 3 or set(given) - {"start", "end", "step"}:
        raise error("call-form", TypeError(
            f"{name}() received an invalid combination of arguments - got "
            f"({', '.join([v.__class__.__name__ for v in args] + [f'{k}={v.__class__.__name__}' for k, v in kwargs.items()])})"
        ), fn=name,
                    why="{fn}() takes end; start and end; or start, end and step.",
                    fix="write {fn}(end), {fn}(start, end) or {fn}(start, end, step).")
    return [number(given.get(n, default), name, n) for n, default in (("start", 0), ("end", 0), ("step", 1))]


def _steps(start, end, step):
    if isinstance(start, complex) or isinstance(end, complex) or isinstance(step, complex):
        raise error("argument-value", RuntimeError("value cannot be converted to type double without overflow"),
                    why="start, end or step is complex, and a range runs along the real numbers.",
                    fix="give real numbers, for example z.real.")
    if step == 0:
        raise error("range-step")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise error("argument-value", RuntimeError(f"unsupported range: {start:g} -> {end:g}"), first=start, end=end,
                    why="the range runs from {first} to {end}, and has no end.",
                    fix="give finite numbers; look where inf or nan comes from.")
    if (end - start) * step < 0:
        raise error("range-direction", start=start, end=end, step=step)
    if isinstance(start, int) and isinstance(end, int) and isinstance(step, int):
        return -((start - end) // step)
    return math.ceil((end - start) / step)


def range(start, end=None, step=1, *, out=None, dtype=None, layout=None, device=None, requires_grad=False):
    """Numbers from `start` to `end`, both included. Deprecated in PyTorch, which prefers `arange`."""
    warnings.warn("torch.range is deprecated and will be removed in a future release because its behavior is "
                  "inconsistent with Python's range builtin. Instead, use torch.arange, which produces values in "
                  "[start, end).", UserWarning, stacklevel=2)
    if end is None:
        start, end = 0, start
    d = as_dtype(dtype, dtypes.get_default_dtype(), "range")
    _steps(start, end, step)
    n = math.floor((end - start) / step) + 1
    return made((start + step * np.arange(n)).astype(d.np), requires_grad, out)


def linspace(start, end, steps, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):
    """`steps` numbers from `start` to `end`, equally far apart.

    >>> kobai.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    if check_options(device, layout, True):
        return _of(linspace(start, end, steps, dtype=dtype, device="cpu"), requires_grad)
    start, end = _end(start, "linspace", "start", end), _end(end, "linspace", "end")
    d = as_dtype(dtype, None, "linspace") or _spaced_dtype(start, end, out)
    return made(_spaced(start, end, steps, d), requires_grad, out)


def logspace(start, end, steps, base=10.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False,
             pin_memory=False):
    """`base` to the powers linspace(start, end, steps)."""
    if check_options(device, layout, True):
        return _of(logspace(start, end, steps, base, dtype=dtype, device="cpu"), requires_grad)
    start, end = _end(start, "logspace", "start", end), _end(end, "logspace", "end")
    d = as_dtype(dtype, None, "logspace") or _spaced_dtype(start, end, out)
    wide = d if d.category == dtypes.COMPLEX else dtypes.float64
    return made(np.power(wide.np.type(base), _spaced(start, end, steps, wide, "logspace")).astype(d.np), requires_grad,
    out)


def _end(v, name, which, other=None):
    if isinstance(v, Tensor) and v.ndim:
        more = f" and end with {other.ndim} dimension(s)" if isinstance(other, Tensor) else ""
        raise error("tensor-dims", RuntimeError(
            f"{name} only supports 0-dimensional start and end tensors, but got {which} with {v.ndim} dimension(s){more}."),
            what=which, shape=v.shape, need="{n}", n=0, fix="give one number, for example {what}.item() or {what}[0].")
    return number(v.detach() if isinstance(v, Tensor) else v, name, which)


def _spaced_dtype(start, end, out):
    if out is not None:
        return out.dtype
    d = dtypes.get_default_dtype()
    return d.to_complex() if isinstance(start, complex) or isinstance(end, complex) else d


def _spaced(start, end, steps, d, name="linspace"):
    """From both ends to the middle, as PyTorch does: the result is symmetric and ends exactly at `end`."""
    steps = number(steps, name, "steps", 3)
    if not isinstance(steps, int):
        kinds = ", ".join([type(v).__name__ for v in (start, end, steps)])
        raise error("argument-type", TypeError(
            f"{name}() received an invalid combination of arguments - got ({kinds})"), what="steps", kind=type(steps),
            must="a whole number")
    if steps < 0:
        raise error("argument-value", RuntimeError("number of steps must be non-negative"), what="steps", value=steps,
                    must="a whole number of at least {low}", low=0)
    if steps < 2:
        return np.full(steps, start).astype(d.np)
    wide = np.complex128 if d.category == dtypes.COMPLEX else np.float64
    if d.category == dtypes.INT:
        return _spaced_ints(int(start), int(end), steps, d)
    step = (wide(end) - wide(start)) / (steps - 1)
    i, near = np.arange(steps, dtype=np.float64), steps // 2
    y = np.empty(steps, d.np)
    y[:near] = start + step * i[:near]
    y[near:] = end - step * i[steps - 1 - near::-1]
    return y


def _spaced_ints(start, end, steps, d):
    """PyTorch multiplies and adds with one rounding, and cuts the fraction off: 10 - 0.8 * 10 is 1 then, not 2.

    The step is split into a part of 26 bits, whose multiples and sums are exact, and the rest (Dekker 1971).
    """
    step = (end - start) / (steps - 1)
    wide = step * (2.0**27 + 1)
    coarse = wide - (wide - step)
    i = np.arange(steps, dtype=np.float64)
    back = i - (steps - 1)
    y = np.where(i < steps // 2, (start + coarse * i) + (step - coarse) * i,
                 (end + coarse * back) + (step - coarse) * back)
    return y.astype(d.np)


def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Ones on the diagonal and zeros elsewhere, n rows and m (or n) columns.

    >>> kobai.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if check_options(device, layout, True):
        return without_numbers((n, n if m is None else m), (as_dtype(dtype, None,
        "eye") or dtypes.get_default_dtype()).np,
                               requires_grad)
    for name, v in (("n", n), ("m", n if m is None else m)):
        if v < 0:
            raise error("argument-value", RuntimeError(f"{name} must be greater or equal to 0, got {v}"), what=name,
                        value=v, must="a whole number of at least {low}", low=0)
    d = as_dtype(dtype, None, "eye") or (out.dtype if out is not None else dtypes.get_default_dtype())
    return made(np.eye(n, m, dtype=d.np), requires_grad, out)


def tril_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """Rows and columns of the elements on and below a diagonal, as a tensor of shape (2, n)."""
    return made(np.stack(np.tril_indices(row, offset, col)).astype(as_dtype(dtype).np))


def triu_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """Rows and columns of the elements on and above a diagonal, as a tensor of shape (2, n)."""
    return made(np.stack(np.triu_indices(row, offset, col)).astype(as_dtype(dtype).np))


for _fn in (zeros, ones, empty, full, scalar_tensor, empty_strided, empty_permuted, zeros_like, ones_like,
            empty_like, full_like, arange, range, linspace, logspace, eye, tril_indices, triu_indices):
    export("torch", _fn.__name__, _fn)
for _fn in (new_zeros, new_ones, new_empty, new_full, new_empty_strided, new_tensor):
    export("Tensor", _fn.__name__, _fn)
