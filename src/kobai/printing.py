"""How a tensor is written: ``tensor([1.0000, 2.5000])``.

Everything here works on NumPy arrays and knows nothing of `Tensor`; `Tensor.__repr__` passes
its array, its dtype's name and what has to follow the numbers.  The text is PyTorch's, to the
character, because articles and doctests print tensors.

Two things decide how it looks.  The *cells*: all numbers of one tensor share a style (integers
``1.``, fixed point ``1.5000`` or scientific ``1.5000e+00``) and a width.  The *layout*: cells are
laid out in nested brackets, with ``...`` for the middle of a tensor larger than the threshold.
"""

import math
from contextlib import contextmanager

import numpy as np

from .dtypes import get_default_dtype
from .lifted import Lifted

__all__ = ["set_printoptions", "get_printoptions", "printoptions", "tensor_str", "parameter_str"]


class _Options:
    """The one set of print options of the process."""

    precision = 4
    threshold = 1000
    edgeitems = 3
    linewidth = 80
    sci_mode = None


_options = _Options()

_profiles = {
    "default": dict(precision=4, threshold=1000, edgeitems=3, linewidth=80),
    "short": dict(precision=2, threshold=1000, edgeitems=2, linewidth=80),
    "full": dict(precision=4, threshold=math.inf, edgeitems=3, linewidth=80),
}


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None
):
    """Set how tensors are printed; what is not given stays, except `sci_mode`.

    Args:
        precision: digits after the point (default 4).
        threshold: number of elements above which the middle of a tensor is left out (1000).
        edgeitems: elements kept at each end of a dimension then (3).
        linewidth: characters in a line (80).
        profile: ``"default"``, ``"short"`` or ``"full"``, applied before the others.
        sci_mode: True or False switch scientific notation on or off; None chooses by the values.
            As in PyTorch, every call sets it, so leaving it out means None.

    >>> with printoptions(precision=2):
    ...     print(tensor_str(np.float32(3.14159), "float32"))
    tensor(3.14)
    """
    given = dict(precision=precision, threshold=threshold, edgeitems=edgeitems, linewidth=linewidth)
    chosen = dict(_profiles.get(profile, {}))
    chosen.update((name, value) for name, value in given.items() if value is not None)
    for name, value in chosen.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions():
    """The print options as a dictionary that `set_printoptions` takes back.

    >>> get_printoptions()["precision"]
    4
    """
    names = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
    return {name: getattr(_options, name) for name in names}


@contextmanager
def printoptions(**options):
    """Print options for the length of a ``with`` block; arguments as for `set_printoptions`.

    >>> with printoptions(sci_mode=True):
    ...     print(tensor_str(np.float32(3), "float32"))
    tensor(3.0000e+00)
    """
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_str(
    array,
    dtype_name,
    *,
    requires_grad=False,
    grad_fn_name=None,
    default_dtype="float32",
    extra=(),
    device=None,
    prefix="tensor(",
):
    """The text of a tensor with these values.

    Args:
        array: ndarray or NumPy scalar; anything with `shape` when `device` is ``"meta"``.
        dtype_name: ``"float32"``, ``"int64"`` ... as in ``torch.float32``.
        requires_grad, grad_fn_name: the name wins, as a tensor with a history is no leaf.
        default_dtype: the floating dtype that is not worth mentioning.
        extra: suffixes that come last, already written, such as ``"tangent=..."``.
        device: shown when given; leave it out for the default device.
        prefix: the opening, other than ``tensor(`` for subclasses.

    >>> tensor_str(np.array([[1.0, 2.5], [3.0, 4.0]], "float32"), "float32", requires_grad=True)
    'tensor([[1.0000, 2.5000],\\n        [3.0000, 4.0000]], requires_grad=True)'
    """
    indent = len(prefix)
    if device == "meta":
        text = "..."
    elif array.ndim == 0:
        text = _scalar(array)
    elif array.size == 0:
        text = "[]"
    else:
        text = _body(np.asarray(array), indent)

    suffixes = [] if device is None else [f"device='{device}'"]
    suffixes += _size_and_dtype(array, dtype_name, default_dtype, device)
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    suffixes.extend(extra)
    if not suffixes:
        return f"{prefix}{text})"
    return _append(prefix + text, suffixes, indent)


def parameter_str(text):
    """The text of a parameter, around that of the tensor it is.

    >>> print(parameter_str(tensor_str(np.zeros(2, "float32"), "float32", requires_grad=True)))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """
    return "Parameter containing:\n" + text


# ---------------------------------------------------------------------------- what follows


def _size_and_dtype(array, dtype_name, default_dtype, device):
    """Suffixes that say what the numbers alone do not."""
    meta, empty = device == "meta", array.size == 0
    # With no elements shown, neither the shape nor "it is int64" can be read off them.
    if meta or (empty and array.ndim != 1) or not (empty or _options.edgeitems):
        yield f"size={tuple(array.shape)}"
    if meta or empty:
        obvious = dtype_name == default_dtype
    else:
        complex_dtype = "complex128" if default_dtype == "float64" else "complex64"
        obvious = dtype_name in (default_dtype, "int64", "bool", complex_dtype)
    if not obvious:
        yield f"dtype=torch.{dtype_name}"


def _append(text, suffixes, indent, new_line=False):
    """Add ``, suffix`` each, on a new line where the line would get too long (or for the first, if `new_line`)."""
    parts = [text]
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if new_line or column + len(suffix) + 2 > _options.linewidth:
            new_line = False
            parts.append(",\n" + " " * indent + suffix)
            column = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            column += len(suffix) + 2
    return "".join(parts) + ")"


# ---------------------------------------------------------------------------- cells


def _scalar(array):
    """A single number; the short way for a loss printed in a loop."""
    value = array.item()
    if type(value) is float:
        if value - value != 0.0 or value == 0.0 or _options.sci_mode is not None:
            return _float_cells([value])[0][0]
        size = abs(value)
        if size < 1.0e-4 or size > 1.0e8:
            return f"{value:.{_options.precision}e}"
        if value == math.floor(value):
            return f"{value:.0f}."
        return f"{value:.{_options.precision}f}"
    if type(value) is complex:
        return _complex_cells([value])[0][0]
    if isinstance(value, (bool, int)):
        return str(value)
    return _float_cells([float(value)])[0][0]  # bfloat16 scalars: `item` gives themselves


def _cells(array):
    """Texts of all elements in order, and the width they share."""
    kind = array.dtype.kind
    if kind in "biu":
        texts = [str(value) for value in array.ravel().tolist()]
        width = max(map(len, texts), default=1)
        return [text.rjust(width) for text in texts], width
    if kind == "c":
        return _complex_cells(array.ravel().tolist())
    return _float_cells(array.astype(np.float64).ravel().tolist())


def _float_cells(values):
    """Texts of floats in the style that suits all of them, and their width."""
    # Zeros, infinities and nan fit any style, so they decide neither style nor width.
    deciding = [value for value in values if value and value - value == 0.0]
    width = 1
    if not deciding:
        style, integers = ".0f", True
    else:
        integers = all(value == math.floor(value) for value in deciding)
        scientific = _options.sci_mode
        if scientific is None:
            scientific = _wide_range([abs(value) for value in deciding])
        if scientific:
            style = f".{_options.precision}e"
        else:
            style = ".0f" if integers else f".{_options.precision}f"
        integers = integers and not scientific
        width = max(len(format(value, style)) for value in deciding) + integers
    texts = [format(value, style) for value in values]
    if integers:
        texts = [t if v - v != 0.0 else t + "." for t, v in zip(texts, values)]
    return [text.rjust(width) for text in texts], width


def _wide_range(sizes):
    """Whether fixed point would lose digits or fill the line with zeros."""
    smallest, largest = min(sizes), max(sizes)
    return largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4


def _complex_cells(values):
    """Texts such as ``1.+2.j``; real and imaginary parts each have a style of their own."""
    real, real_width = _float_cells([value.real for value in values])
    imag, imag_width = _float_cells([value.imag for value in values])
    return [_join_complex(r, i.lstrip()) for r, i in zip(real, imag)], real_width + imag_width + 1


def _join_complex(real, imag):
    return f"{real}{imag}j" if imag[0] == "-" else f"{real}+{imag}j"


# ---------------------------------------------------------------------------- layout


def _body(array, indent):
    """The bracketed numbers of an array with at least one dimension and one element."""
    edge = _options.edgeitems
    summarize = array.size > _options.threshold
    if summarize and not edge:
        return "[...]"
    elided = [summarize and size > 2 * edge for size in array.shape]
    for dim, cut in enumerate(elided):
        if cut:
            keep = np.r_[:edge, array.shape[dim] - edge : array.shape[dim]]
            array = array.take(keep, dim)
    texts, width = _cells(array)
    return _brackets(iter(texts), array.shape, elided, indent, width + 2)


def _brackets(texts, shape, elided, indent, cell_length):
    """Lay out the next ``prod(shape)`` texts; each deeper level starts one column further right."""
    if len(shape) == 1:
        row = [next(texts) for _ in range(shape[0])]
        if elided[0]:
            row.insert(len(row) // 2, " ...")
        return _wrap(row, indent, cell_length)
    rows = [_brackets(texts, shape[1:], elided[1:], indent + 1, cell_length) for _ in range(shape[0])]
    if elided[0]:
        rows.insert(len(rows) // 2, "...")
    separator = "," + "\n" * (len(shape) - 1) + " " * (indent + 1)
    return "[" + separator.join(rows) + "]"


def _wrap(row, indent, cell_length):
    """One row, broken into lines of as many cells as the line width holds."""
    per_line = max(1, (_options.linewidth - indent) // cell_length)
    lines = [", ".join(row[i : i + per_line]) for i in range(0, len(row), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


# ---------------------------------------------------------------------------- of a Tensor


def repr_of(t):
    """The text of a Tensor: `print(t)`.

    Inside vmap, forward mode or a trace there may be no numbers to show: then it says so.
    """
    value = t._value
    if isinstance(value, Lifted):
        if value.layout is not None:
            return _sparse_str(t, value)
        shown = value.plain()
        if shown is not None:  # a number with a tangent
            fn = t.grad_fn
            return tensor_str(np.asarray(shown.numpy()), t.dtype.name, grad_fn_name=None if fn is None else fn.name(),
                              default_dtype=get_default_dtype().name, extra=value.suffixes())
        return f"tensor(<{type(value).__name__.lower()}>, size={tuple(value.shape)}, dtype={t.dtype!r})"
    fn, wants = t.grad_fn, t.requires_grad
    prefix = "tensor(" if type(t).__module__.startswith("torch") else f"{type(t).__name__}("
    return tensor_str(value, t.dtype.name, requires_grad=wants, grad_fn_name=None if fn is None else fn.name(),
                      default_dtype=get_default_dtype().name, prefix=prefix, device="meta" if t.is_meta else None)


def _sparse_str(t, value):
    """The text of a sparse tensor: each of its parts, then what it is a tensor of."""
    indent, texts = len("tensor("), []
    for name, array in value.parts():
        array, head = np.asarray(array), f"{name}=tensor("
        body = _body(array, indent + len(head)) if array.size else f"[], size={tuple(array.shape)}"
        texts.append(f"{head}{body})")
    suffixes = [f"size={tuple(t.shape)}", f"nnz={value.nnz}"]
    if t.dtype.name not in (get_default_dtype().name, "int64", "bool", "complex64"):
        suffixes.append(f"dtype={t.dtype!r}")
    suffixes.append(f"layout={t.layout!r}")
    fn = t.grad_fn
    if fn is not None:
        suffixes.append(f"grad_fn=<{fn.name()}>")
    elif t.requires_grad:
        suffixes.append("requires_grad=True")
    text = "tensor(" + (",\n" + " " * indent).join(texts)
    return _append(text, suffixes, indent, new_line=t.layout.name == "sparse_coo")
